"""What speaks against two vehicles being one, though a plate or an engine number is the same."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from hueandcry.identity.reading import record, text, texts
from hueandcry.identity.vin import normalise_vin

# Makers under several names, and makers of one house whose codes are found on each other's vehicles.
HOUSES: tuple[frozenset[str], ...] = (
    frozenset({"VW", "VOLKSWAGEN", "AUDI", "SEAT", "CUPRA", "SKODA", "PORSCHE", "BENTLEY", "LAMBORGHINI", "BUGATTI",
               "MAN", "SCANIA"}),
    frozenset({"MERCEDES", "MERCEDESBENZ", "MB", "BENZ", "DAIMLER", "DAIMLERCHRYSLER", "SMART", "MICROCOMPACT",
               "EVOBUS", "SETRA", "MAYBACH", "FREIGHTLINER", "WESTERNSTAR", "STERLING"}),
    frozenset({"BMW", "MINI", "ROLLSROYCE", "ALPINA"}),
    frozenset({"GM", "GENERALMOTORS", "CHEVROLET", "CHEVY", "GMC", "CADILLAC", "BUICK", "PONTIAC", "OLDSMOBILE",
               "SATURN", "HUMMER", "OPEL", "VAUXHALL", "HOLDEN", "DAEWOO", "SAAB", "ISUZU", "SUZUKI", "CAMI", "NUMMI",
               "TOYOTA", "LEXUS", "SCION", "DAIHATSU", "SUBARU", "FUJI", "HINO", "WULING"}),
    frozenset({"FORD", "LINCOLN", "MERCURY", "MAZDA", "AUTOALLIANCE", "JAGUAR", "LANDROVER", "JLR", "VOLVO", "OTOSAN"}),
    frozenset({"FIAT", "ALFA", "ALFAROMEO", "LANCIA", "ABARTH", "FERRARI", "MASERATI", "IVECO", "CHRYSLER", "DODGE",
               "RAM", "JEEP", "PLYMOUTH", "FCA", "STELLANTIS", "PEUGEOT", "CITROEN", "DS", "OPEL", "VAUXHALL", "TALBOT",
               "TOFAS", "FSM", "MITSUBISHI"}),
    frozenset({"RENAULT", "DACIA", "NISSAN", "INFINITI", "DATSUN", "MITSUBISHI", "SAMSUNG", "MACK", "VOLVO"}),
    frozenset({"HONDA", "ACURA"}),
    frozenset({"HYUNDAI", "KIA", "GENESIS"}),
    frozenset({"VOLVO", "GEELY", "LYNK", "POLESTAR", "LOTUS", "SMART"}),
    frozenset({"TATA", "JAGUAR", "LANDROVER", "JLR", "DAEWOO"}),
    frozenset({"LADA", "VAZ", "AVTOVAZ", "RENAULT"}),
    frozenset({"PIAGGIO", "VESPA", "GILERA", "APRILIA", "MOTOGUZZI"}),
)  # fmt: skip

# For how long a plate names one vehicle. States keep the plates of a stolen vehicle from being issued again while it is
# sought; an alert on an object is kept for ten years (Regulation (EU) 2018/1862, article 53).
PERIOD_MS = 10 * 31_556_952_000

# Colours that light or wording easily confuses stand in one family.
_COLOURS = {
    "black": "dark", "anthracite": "dark grey", "charcoal": "dark grey",
    "grey": "grey", "gray": "grey", "silver": "grey light", "white": "light", "cream": "light yellow", "ivory": "light",
    "beige": "light yellow brown", "yellow": "yellow", "gold": "yellow brown", "orange": "orange red yellow",
    "brown": "brown", "bronze": "brown", "red": "red", "maroon": "red brown purple", "burgundy": "red purple",
    "pink": "pink red", "purple": "purple blue", "violet": "purple blue", "blue": "blue", "navy": "blue dark",
    "turquoise": "blue green", "green": "green",
}  # fmt: skip


def fold_make(name: str) -> str:
    """A maker's name in capitals without anything but letters and digits."""
    return "".join(filter(str.isalnum, name.upper())).replace("Š", "S").replace("Ë", "E").replace("Ö", "O")


def makes_differ(one: str, other: str) -> bool:
    """True where two makers' names can't mean one maker; False in doubt."""
    first, second = fold_make(one), fold_make(other)
    if not first or not second or first in second or second in first:
        return False
    houses_of_one = [house for house in HOUSES if any(name in house for name in _names(one, first))]
    houses_of_other = [house for house in HOUSES if any(name in house for name in _names(other, second))]
    if not houses_of_one or not houses_of_other:
        return first[:3] != second[:3]
    return not any(house in houses_of_other for house in houses_of_one)


def _names(name: str, folded: str) -> set[str]:
    words = [fold_make(word) for word in name.replace("-", " ").replace("/", " ").replace("(", " ").split()]
    pairs = {first + second for first, second in pairwise(words)}
    return {folded, *words, *pairs}


def contradictions(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields of two decoded hueandcry.StolenVehicle that can't both be true of one vehicle; empty where none.

    Looked at are VIN (where both identify), make, model year (two years apart or more), main colour, and where the VIN
    is not the same the time of the theft (`PERIOD_MS` apart or more).
    """
    found: list[str] = []
    vins = [
        normalise_vin(text(record(side.get("vin")).get("raw")), text(side.get("category"))) for side in (one, other)
    ]
    if all(vin.identifies for vin in vins) and vins[0].normalised != vins[1].normalised:
        found.append("subject.vin.raw")
    if makes_differ(text(one.get("make")), text(other.get("make"))):
        found.append("subject.make")
    years = (one.get("year"), other.get("year"))
    if isinstance(years[0], int) and isinstance(years[1], int) and abs(years[0] - years[1]) > 1:
        found.append("subject.year")
    if colours_differ(one, other):
        found.append("subject.colours")
    one_vin = vins[0].identifies and vins[0].normalised == vins[1].normalised
    if not one_vin and thefts_apart(one, other):
        found.append("subject.stolen_from")
    return tuple(found)


def colours_differ(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool | None:
    """Whether the main colours of two vehicles can't be taken for one another; None where one is not known."""
    families = [_family(texts(side.get("colours"))) for side in (one, other)]
    return not families[0] & families[1] if all(families) else None


def thefts_apart(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """True where two thefts are so far apart that a plate can have been issued again meanwhile."""
    spans = [(side.get("stolen_from"), side.get("stolen_until")) for side in (one, other)]
    times = [[time for time in span if isinstance(time, int)] for span in spans]
    if not all(times):
        return False
    return max(min(times[0]), min(times[1])) - min(max(times[0]), max(times[1])) >= PERIOD_MS


def _family(colours: list[str]) -> set[str]:
    words = colours[0].lower().replace("-", " ").split() if colours else []
    return {family for word in words for family in _COLOURS.get(word, "").split()}
