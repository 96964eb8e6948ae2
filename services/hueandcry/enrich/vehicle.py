"""What the characters of a VIN say of a vehicle: maker, where it was built, model year.

The makers' codes are those of the library vininfo (BSD licence), read through it. We do not follow it where a third
character 9 stands for all small makers at once, nor for 7A to 7E, which are New Zealand's (ISO 3780).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

from vininfo.dicts import COUNTRIES, WMI  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

_MAKERS = cast("dict[str, Any]", WMI)
_COUNTRIES = COUNTRIES | {
    **{f"7{second}": "New Zealand" for second in "ABCDE"},
    **{code: "North Macedonia" for code, name in COUNTRIES.items() if name == "Macedonia"},
}
# 49 CFR 565.15, table VII: no I, O, Q, U, Z and no 0; the letters come round after thirty years.
_YEAR_CODES = {code: 1980 + place for place, code in enumerate("ABCDEFGHJKLMNPRSTVWXY123456789")}
_CYCLE = 30
_LATEST = 2069
# Position 7 settles the cycle for these alone (cars, and trucks up to 10,000 pounds).
_POSITION_7 = frozenset({"car", "van", "unknown", ""})


@lru_cache(maxsize=4096)
def maker(wmi: str) -> str | None:
    """The maker that the first three characters of a VIN stand for; None where they are not known."""
    if len(wmi) < 3 or wmi[2] == "9":
        return None
    found = _MAKERS.get(wmi) or _MAKERS.get(wmi[:2])
    if found is None:
        return None
    return found if isinstance(found, str) else str(found.manufacturer)


@lru_cache(maxsize=2048)
def built_in(codes: str) -> str | None:
    """The country or area that the first two characters of a VIN are assigned to; None where they are to none."""
    return _COUNTRIES.get(codes)


def year_candidates(vin: str) -> tuple[int, ...]:
    """The model years that the tenth character can stand for, earliest first; empty where it stands for none."""
    first = _YEAR_CODES.get(vin[9:10])
    return () if first is None else tuple(range(first, _LATEST + 1, _CYCLE))


def model_year(vin: str, *, north_american: bool, category: str, year: int | None, latest: int | None) -> int | None:
    """The model year that a VIN of 17 characters names, or None where it names none that can be relied on.

    In North America position 7 of a car or light truck is a digit before 2010 and a letter from then on. Elsewhere, and
    for other vehicles there, the candidate nearest to the year given is taken if it is next to it: makers outside North
    America are free to write something else in position 10. Where no year is given, the latest that is possible.

    Args:
        vin: normalised, 17 legal characters.
        north_american: True where 49 CFR 565 binds.
        category: symbol of VehicleCategory.
        year: model year that the issuer gives, or None.
        latest: last model year that can be on the road at the time of the alert, or None.
    """
    candidates = year_candidates(vin)
    if not candidates:
        return None
    if north_american and category in _POSITION_7:
        return candidates[0] if vin[6].isdigit() else candidates[1]
    if year is not None:
        nearest = min(candidates, key=lambda candidate: abs(candidate - year))
        return nearest if abs(nearest - year) <= 1 else None
    possible = [candidate for candidate in candidates if latest is None or candidate <= latest]
    return possible[-1] if possible else None
