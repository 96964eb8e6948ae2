"""Vehicle identification numbers: normal form, quality, refusals.

Rules: ISO 3779 (17 characters; the letters I, O and Q are not used), ISO 3780 (first characters: area and country of
the maker), 49 CFR 565.15 (check digit in position 9, North America only). Before model year 1981 serials were shorter.

What we decided:

* Outside North America position 9 is free. A number that satisfies the check digit all the same is `valid`; one that
  does not is `no_check_digit`, which is no fault.
* North America is WMI 1 to 5 and that part of 7 that the United States use (7F to 70). A number whose positions 4 to 6
  and 9 are the filler Z was built there for a market without check digits (Volkswagen's Puebla plant builds such) and
  is `no_check_digit`.
* Machines, tractors, boats and aircraft have numbers of other standards (ISO 10261, ISO 10087): the rules on check
  digit and letters are not applied to them.
* A look-alike letter of another script is noted, never changed: in a VIN a silently changed character is another car.
* Numbers of one or two different characters ("11111111111111111" even has a right check digit) stand for "not known"
  in many systems. They are no identity.

Where the library vininfo is wrong for us (1.11): it strips only the outer blanks; it gives the area 7 wholly to the
United States (7A to 7E are New Zealand's); `verify_checksum` refuses numbers of model years coded U, Z or 0 whether or
not their check digit holds; it reads a third character 9 as one maker, where it stands for all makers of under 1000
vehicles a year, told apart by positions 12 to 14.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from operator import mul
from typing import Any, NamedTuple

from hueandcry.alerts.remarks import Remark
from hueandcry.identity.glyphs import lookalike_places
from hueandcry.identity.reading import text

LENGTH = 17
LEGAL = frozenset("ABCDEFGHJKLMNPRSTUVWXYZ0123456789")
OTHER_STANDARDS = frozenset({"machine", "tractor", "boat", "aircraft"})

_SEPARATORS = {ord(char): None for char in " \t\r\n\v\f-_./\\,;:*#'\"()[]|+"}
# 49 CFR 565.15, tables III to V: value of a letter, weight of a position, check digit of a remainder.
_VALUES = bytes.maketrans(
    b"0123456789ABCDEFGHJKLMNPRSTUVWXYZ",
    bytes([*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)]),
)
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
CHECK_DIGITS = "0123456789X"


class VinReading(NamedTuple):
    """What a VIN says of itself.

    Attributes:
        normalised: upper case, separators stripped; nothing else is changed.
        quality: a symbol of VinQuality.
        north_american: True where the check digit binds.
        lookalikes: positions, from 0, of letters of other scripts that look Latin.
        illegal: positions, from 0, of characters that ISO 3779 does not know.
        identifies: True where the number is good enough to say that two vehicles are one.
    """

    normalised: str
    quality: str
    north_american: bool = False
    lookalikes: tuple[int, ...] = ()
    illegal: tuple[int, ...] = ()
    identifies: bool = False

    @property
    def last8(self) -> str:
        """Positions 10 to 17, the vehicle indicator section: the key of a blocked search."""
        return self.normalised[-8:]


def check_digit(vin: str) -> str:
    """The check digit that 49 CFR 565.15 gives to a number of 17 legal characters; position 9 is not looked at."""
    return CHECK_DIGITS[sum(map(mul, vin.encode("ascii").translate(_VALUES), _WEIGHTS)) % 11]


def is_north_american(vin: str) -> bool:
    """True where the maker's code is of North America (ISO 3780: 1 to 5, and 7F to 70)."""
    return vin[:1] in {"1", "2", "3", "4", "5"} or (vin[:1] == "7" and vin[1:2] not in {"A", "B", "C", "D", "E", ""})


@lru_cache(maxsize=4096)
def normalise_vin(raw: str, category: str = "unknown") -> VinReading:
    """Normalises a VIN and judges it.

    Args:
        raw: as the issuer wrote it.
        category: symbol of VehicleCategory; decides which standard applies.
    """
    if raw.isascii():
        vin = raw.upper().translate(_SEPARATORS)
    else:
        folded = unicodedata.normalize("NFKC", raw).translate(_SEPARATORS)
        vin = "".join(char for char in folded.upper() if not char.isspace() and unicodedata.category(char) != "Cf")
        vin = unicodedata.normalize("NFKC", vin)
    if not vin:
        return VinReading("", "unassessed")
    road = category not in OTHER_STANDARDS
    if not LEGAL.issuperset(vin):
        illegal = tuple(place for place, char in enumerate(vin) if char not in LEGAL)
        return VinReading(vin, "illegal_characters", is_north_american(vin), lookalike_places(vin), illegal)
    if len(vin) != LENGTH:
        return VinReading(vin, "short" if len(vin) < LENGTH else "unassessed")
    identifies = len(set(vin)) > 2
    if not road:
        return VinReading(vin, "no_check_digit", identifies=identifies)
    north_american = is_north_american(vin)
    if check_digit(vin) == vin[8]:
        return VinReading(vin, "valid", north_american, identifies=identifies)
    if not north_american or (vin[8] == "Z" and vin[3:6] == "ZZZ"):
        return VinReading(vin, "no_check_digit", identifies=identifies)
    return VinReading(vin, "check_digit_failed", north_american)


def refusals(vin: Mapping[str, Any], *, category: str = "unknown") -> list[Remark]:
    """Reasons to refuse an alert for its VIN; empty where there is none.

    Args:
        vin: a decoded hueandcry.Vin.
        category: symbol of VehicleCategory.
    """
    raw = text(vin.get("raw"))
    if not raw or category in OTHER_STANDARDS:
        return []
    reading = normalise_vin(raw, category)
    if reading.quality == "check_digit_failed":
        message = (
            "The check digit in position 9 does not fit the number, and for a vehicle built for North America it must "
            "(49 CFR 565). Compare the number with the vehicle or its papers, character by character."
        )
        return [Remark("subject.vin.raw", "vin.check_digit", message, "position 9")]
    if reading.quality == "illegal_characters":
        place = "position " + ", ".join(str(index + 1) for index in reading.illegal[:5])
        if reading.lookalikes:
            message = "A letter of another script looks like a Latin one. Write it in Latin letters."
        else:
            message = (
                "A VIN has the digits and the Latin letters without I, O and Q (ISO 3779). "
                "Write 1 for I, and 0 for O or Q, if the vehicle shows so."
            )
        return [Remark("subject.vin.raw", "vin.illegal_characters", message, place)]
    return []
