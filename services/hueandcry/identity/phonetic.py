"""How a name sounds, as far as its consonants tell: a block for searches, never an identity.

The code is Metaphone of the library jellyfish, on words that are respelled first. Metaphone is made for English, and
alone it is wrong for most of the world's names (jellyfish 1.3): it reads W by English rules (IWANOW loses its last
letter, IVANOV keeps it), the X of a machine readable zone's Arabic as KS, and it doubles codes (SCHMIDT ends in TT,
SCHMITT in T). Soundex and NYSIIS of the same library keep first letters apart (CHAIKOVSKII, TCHAIKOVSKY). What each is
worth is measured in docs/decisions/possible-matches.md.
"""

from __future__ import annotations

import re
from functools import lru_cache

from jellyfish import metaphone

# In this order. One sound stands for its spellings in the Latin alphabets of many languages; our own choice.
_RESPELLED = tuple(
    (re.compile(spelling), sound)
    for spelling, sound in (
        # ICAO Doc 9303 writes with X the Arabic letters that Latin lacks.
        ("XA[AEH]", "A"),
        ("X(?=[^AEIOU]|$)", ""),
        ("TZSCH|TSCH|TCH|TSH|CZ", "CH"),
        ("SHCH|SCH|SZ|SJ|SHT(?=[AEIOU])", "SH"),
        ("DZH|DSCH|DJ|ZH|GJ", "J"),
        ("KH|GH", "H"),
        # Pinyin, and Wade and Giles before it.
        ("Q(?=I)", "CH"),
        ("^HS(?=[AEIOU])", "SH"),
        ("QU?|CK|CC|C(?=[AOULR])", "K"),
        ("PH", "F"),
        ("TH", "T"),
        ("DH", "D"),
        ("W", "V"),
        ("TS|TZ|DZ", "Z"),
        ("^Y(?![AEIOU])|(?<!^)[YJ]", "I"),
        ("^I(?=[AEOU])", "Y"),
        ("OE|AE|UE", "E"),
        ("^[AEIOU]+", "A"),
        (r"(.)\1+", r"\1"),
    )
)
_DOUBLED = re.compile(r"(.)\1+")
# J is Y in half of Europe, and carons are lost on the way (Ž is ZH or Z, Š is SH or S).
_MERGED = str.maketrans("JX", "YS")


@lru_cache(maxsize=16384)
def sound(word: str) -> str:
    """The code of one word in the capitals A to Z; equal for spellings of one name, mostly. May be empty."""
    for spelling, by in _RESPELLED:
        word = spelling.sub(by, word)
    return _DOUBLED.sub(r"\1", metaphone(word).replace(" ", "").translate(_MERGED))
