"""Names of any script in the capitals A to Z, after ICAO Doc 9303 part 3 where it has a rule."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

from hueandcry.identity import scripts

_TABLE = str.maketrans({**scripts.LATIN, **scripts.CYRILLIC, **scripts.ARABIC, **scripts.GREEK})
_BY_STATE = {state: str.maketrans(letters) for state, letters in scripts.CYRILLIC_BY_STATE.items()}
_SHADDA = re.compile(f"(.){scripts.SHADDA}")
_NOT_ENCODED = dict.fromkeys(map(ord, scripts.ARABIC_NOT_ENCODED))
_TEH_MARBUTA_AT_END = re.compile(rf"{scripts.TEH_MARBUTA}(?!\w)")
_UKRAINIAN_INITIAL = re.compile(rf"\b[{''.join(scripts.UKRAINIAN_INITIALS)}]")
_ARABIC = re.compile("[\u0600-\u06ff]")
_GREEK = re.compile("[\u0370-\u03ff]")
_HAN_ONLY = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]{2,4}")

# Between words: blanks, hyphens, commas and what else parts names. Anything else that is no letter or digit joins.
_WORDS = str.maketrans(
    {
        code: (
            chr(code) if chr(code).isalnum() else " " if chr(code) in " -,/;<_&+|\t\r\n\v\f\x1c\x1d\x1e\x1f" else None
        )
        for code in range(128)
    }
)


def transliterate(name: str, state: str | None = None) -> str:
    """The name in Latin capitals, digits and single blanks.

    Apostrophes and full stops are left out, hyphens and commas part words (Doc 9303 part 3, section 4.6). Han is read
    in pinyin by the library anyascii, which also serves every script without a table of its own; a Japanese or Korean
    name in Han is misread so.

    Args:
        name: in any script, in any case.
        state: nationality, ISO 3166-1 alpha-3; chooses among the Cyrillic alphabets.
    """
    if name.isascii():
        return " ".join(name.upper().translate(_WORDS).split())
    return _transliterate(name, state if state in _BY_STATE else None)


@lru_cache(maxsize=4096)
def _transliterate(name: str, state: str | None) -> str:
    letters = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).upper())
    if _ARABIC.search(letters):
        letters = _SHADDA.sub(r"\1\1", letters.translate(_NOT_ENCODED))
        letters = _TEH_MARBUTA_AT_END.sub(scripts.TEH_MARBUTA_AT_END, letters)
    if _GREEK.search(letters):
        letters = _greek(letters)
    if _HAN_ONLY.fullmatch(letters.strip()):
        letters = _han(letters.strip())
    if state == "UKR":
        letters = _UKRAINIAN_INITIAL.sub(lambda match: scripts.UKRAINIAN_INITIALS[match[0]], letters)
    if state is not None:
        letters = letters.translate(_BY_STATE[state])
    letters = letters.translate(_TABLE)
    if not letters.isascii():
        bare = "".join(char for char in unicodedata.normalize("NFD", letters) if not unicodedata.combining(char))
        # Precomposed letters may hide one that the tables know (Ǿ is Ø with an accent).
        letters = anyascii(unicodedata.normalize("NFC", bare).translate(_TABLE))
    return " ".join(letters.upper().translate(_WORDS).split())


def _greek(letters: str) -> str:
    """ELOT 743: pairs of letters first; a diaeresis parts a pair, an accent does not."""
    letters = unicodedata.normalize("NFD", letters).replace("\u0301", "")
    letters = re.sub(f"([ΑΕΗ])Υ(?=[{scripts.GREEK_VOICED}])", r"\1V", letters)
    letters = re.sub("([ΑΕΗ])Υ(?!\u0308)", r"\1F", letters)
    letters = re.sub("ΟΥ(?!\u0308)", "OU", letters)
    letters = re.sub(r"\bΜΠ|ΜΠ\b", "B", letters)
    letters = re.sub("Γ(?=[ΓΞΧ])", "N", letters)
    return unicodedata.normalize("NFC", letters)


def _han(name: str) -> str:
    """A Chinese name written without a blank: surname first, the given name as one word, as Chinese passports do."""
    cut = 2 if len(name) > 2 and name[:2] in scripts.HAN_DOUBLE_SURNAMES else 1
    surname, given = name[:cut], name[cut:]
    return f"{scripts.HAN_SURNAME_READINGS.get(surname) or anyascii(surname)} {anyascii(given)}"
