"""Registration plates: normal form and key.

Plates are reissued, so a plate names a vehicle only within a period. We leave time out of the key: a period cut by the
calendar parts two alerts of one theft at new year. Those who join alerts by a plate ask `confirm.contradictions`
whether make, year, colour, VIN or thefts too far apart (`confirm.PERIOD_MS`) speak against it.

The key is state, subdivision where plates are not national, type and folded plate. It is not strong where the state
is not known, where the subdivision is lacking in a state whose subdivisions give out equal plates, where the type is
not known, or where the plate stands for "none".
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hueandcry.identity.glyphs import FOLD, LOOKALIKES
from hueandcry.identity.reading import text

# States whose subdivisions each give out plates, so that one plate may be on several vehicles at once.
SUBNATIONAL = frozenset({"ARE", "AUS", "CAN", "USA"})
# What systems and drivers write for want of a plate. Real drivers with such plates get the fines of all others.
NO_PLATE = frozenset({"NONE", "NOPLATE", "NOPLATES", "NOTAG", "NOTAGS", "UNKNOWN", "UNK", "MISSING", "VOID", "NULL",
                      "KEINE", "OHNE", "SANSPLAQUE", "XXXXXXX", "TEMP", "NEW"})  # fmt: skip
SHORTEST = 3

# The seventeen letters of Saudi plates and the Latin ones shown beneath them (Saudi General Department of Traffic).
_SAUDI = str.maketrans(
    dict(zip("ابحدرسصطعقكلمنهوىأي", "ABJDRSXTEGKLZNHUVAV", strict=True)),
)


@lru_cache(maxsize=4096)
def normalise_plate(raw: str, state: str | None = None) -> str:
    """Upper case letters and digits only, look-alikes of other scripts and accents folded.

    Args:
        raw: as the issuer wrote it.
        state: issuing state, ISO 3166-1 alpha-3; some states show a Latin twin for each letter of their own.
    """
    if raw.isascii():
        return "".join(filter(str.isalnum, raw.upper()))
    plate = unicodedata.normalize("NFKC", raw).upper().translate(FOLD)
    if state == "SAU":
        plate = plate.translate(_SAUDI)
    plate = unicodedata.normalize("NFD", plate)
    plate = "".join(_digit(char) for char in plate if not unicodedata.combining(char))
    plate = unicodedata.normalize("NFKC", plate).upper().translate(FOLD)
    return "".join(filter(str.isalnum, plate))


def _digit(char: str) -> str:
    return char if char.isascii() or not char.isdecimal() else str(unicodedata.decimal(char))


def is_mixed(raw: str) -> bool:
    """True where a plate mixes Latin letters with letters of another script that only look so."""
    if raw.isascii():
        return False
    upper = raw.upper()
    return any(char in LOOKALIKES for char in upper) and any("A" <= char <= "Z" for char in upper)


def plate_key(plate: Mapping[str, Any]) -> str | None:
    """State, subdivision, type and normal form of a decoded hueandcry.Plate, or None where that is no strong key."""
    state, kind = text(plate.get("state")), text(plate.get("type"))
    if not state or kind in {"", "unknown"}:
        return None
    subdivision = ""
    if state in SUBNATIONAL:
        subdivision = text(plate.get("subdivision"))
        if not subdivision:
            return None
    number = normalise_plate(text(plate.get("raw")), state)
    if len(number) < SHORTEST or number in NO_PLATE or len(set(number)) == 1:
        return None
    return f"{state}:{subdivision}:{kind}:{number}"
