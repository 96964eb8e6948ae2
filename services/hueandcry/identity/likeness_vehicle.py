"""What speaks for two stolen vehicles (or two pairs of stolen plates) being one, and what against it.

Two whole VINs that differ in more than one place exclude a match, and so do any two whose check digits bind and hold:
one wrong character hardly ever leaves the check digit right. Where they differ in one place, or by two characters
turned, it may be an error; in the last places it is more often the next car of a series. Either proposes only with
much else. Stolen plates and a stolen vehicle are two things.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rapidfuzz.distance import OSA

from hueandcry.identity.confirm import colours_differ, fold_make, makes_differ, thefts_apart
from hueandcry.identity.confusables import fold_confusables
from hueandcry.identity.glyphs import FOLD
from hueandcry.identity.likeness import Finding, Weight
from hueandcry.identity.plate import NO_PLATE, normalise_plate
from hueandcry.identity.reading import record, records, text, texts
from hueandcry.identity.vin import LENGTH, VinReading, normalise_vin

#: Odds of one in a thousand: pairs that meet by a weak key and know nothing more of each other.
PRIOR = -10.0

_VIN, _PLATE, _STOLEN = "subject.vin.raw", "subject.plate.raw", "subject.stolen"
VEHICLE: dict[str, Weight] = {
    "stolen.differs": Weight(_STOLEN, None, "Plates were taken here and a vehicle there."),
    "vin.same": Weight(_VIN, 20.0, "The VIN is the same."),
    "vin.serial": Weight(_VIN, 8.0, "The number is the same, and too short to be one vehicle's alone."),
    "vin.confusable": Weight(_VIN, 11.0, "The VINs differ in characters read for one another."),
    "vin.part": Weight(_VIN, 9.0, "One number is the end of the other's VIN."),
    "vin.last8": Weight(_VIN, 8.0, "The last eight characters of a VIN that is not sound are those of the other."),
    "vin.slip": Weight(_VIN, 3.0, "The VINs differ by one wrong character, or by two turned."),
    "vin.series": Weight(_VIN, -4.0, "The VINs differ in one of the last places, as in a series."),
    "vin.differs": Weight(_VIN, None, "The VINs are those of two vehicles."),
    "vin.unlike": Weight(_VIN, -6.0, "The VINs differ, and one of them is not sound."),
    "plate.same": Weight(_PLATE, 11.0, "The plate is the same."),
    "plate.bare": Weight(_PLATE, 8.0, "The plate is the same, as far as its state, subdivision and type are known."),
    "plate.confusable": Weight(_PLATE, 7.0, "The plates differ in characters read for one another."),
    "plate.one_off": Weight(_PLATE, 3.0, "The plates differ in one character."),
    "plate.other_type": Weight(_PLATE, 2.0, "The plate is the same, its type or subdivision is another."),
    "plate.differs": Weight(_PLATE, -3.0, "The plates differ."),
    "engine.same": Weight("subject.engine_number", 11.0, "The engine number is the same, or read so."),
    "engine.one_off": Weight("subject.engine_number", 4.0, "The engine numbers differ in one character."),
    "component.same": Weight("subject.components", 10.0, "A part has the same serial number."),
    "make.same": Weight("subject.make", 1.5, "The make is the same, or of one house."),
    "make.differs": Weight("subject.make", None, "The makes differ."),
    "model.same": Weight("subject.model", 2.0, "The model is the same."),
    "model.differs": Weight("subject.model", -2.0, "The models differ."),
    "year.same": Weight("subject.year", 1.5, "The model year is the same."),
    "year.near": Weight("subject.year", 0.5, "The model years are one apart."),
    "year.differs": Weight("subject.year", -7.0, "The model years are more than one apart."),
    "colour.same": Weight("subject.colours", 1.0, "The main colour is the same, or easily taken for it."),
    "colour.differs": Weight("subject.colours", -4.0, "The main colours differ."),
    "place.same": Weight("subject.place", 2.0, "The place of the theft is the same."),
    "theft.near": Weight("subject.stolen_from", 2.0, "The thefts are within three days."),
    "theft.apart": Weight("subject.stolen_from", -5.0, "The thefts are more than a year apart."),
    "theft.period": Weight("subject.stolen_from", None, "The thefts are so far apart that plates are issued again."),
}
_DAY_MS = 86_400_000
_SHORTEST_PART = 6
# Cars built one after another for one buyer differ in these last places.
_SERIES = 3
SHORTEST_SERIAL = 5


def vehicle_findings(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Finding]:
    """The rows of `VEHICLE` that are true of two decoded alerts on stolen vehicles, in no order."""
    vehicles = record(one.get("subject")), record(other.get("subject"))
    stolen = {text(vehicle.get("stolen")) for vehicle in vehicles}
    if "plate" in stolen and "vehicle" in stolen:
        return [Finding("stolen.differs")]
    plates = _plates(*vehicles)
    rules = [*_vins(*vehicles), *plates, *_serials(*vehicles), *_looks(*vehicles), *_thefts(*vehicles)]
    if plates and "vin.same" not in rules and thefts_apart(*vehicles):
        rules.append("theft.period")
    return [Finding(rule) for rule in rules]


def reading_of(vehicle: Mapping[str, Any]) -> VinReading:
    """What the VIN of a decoded hueandcry.StolenVehicle says of itself."""
    return normalise_vin(text(record(vehicle.get("vin")).get("raw")), text(vehicle.get("category")))


def fold_serial(serial: str) -> str:
    """A VIN or serial (normalised) as it is compared when an error is thought possible."""
    return fold_confusables(serial.translate(FOLD))


def _vins(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    ours, theirs = reading_of(one), reading_of(other)
    left, right = sorted((ours.normalised, theirs.normalised))
    if not (_telling(left) and _telling(right)):
        return []
    if left == right:
        return ["vin.same" if len(left) == LENGTH else "vin.serial"]
    folded = fold_serial(left), fold_serial(right)
    bound = all(each.north_american and each.quality == "valid" for each in (ours, theirs))
    if bound:
        return ["vin.differs"]
    if folded[0] == folded[1]:
        return ["vin.confusable"]
    if len(left) != len(right) and min(len(left), len(right)) >= _SHORTEST_PART and LENGTH in (len(left), len(right)):
        return ["vin.part"] if folded[0].endswith(folded[1]) or folded[1].endswith(folded[0]) else ["vin.unlike"]
    if OSA.distance(*folded, score_cutoff=1) == 1:
        return ["vin.series" if left[:-_SERIES] == right[:-_SERIES] and sorted(left) != sorted(right) else "vin.slip"]
    if ours.identifies and theirs.identifies:
        return ["vin.differs"]
    return ["vin.last8" if folded[0][-8:] == folded[1][-8:] and len(left) > 8 else "vin.unlike"]


def _telling(number: str) -> bool:
    return len(number) >= SHORTEST_SERIAL and len(set(number)) > 2


def plate_of(vehicle: Mapping[str, Any]) -> tuple[str, str, str, str] | None:
    """Plate (normalised), state, subdivision and type, each empty where it is not known; None where there is none."""
    plate = record(vehicle.get("plate"))
    state = text(plate.get("state"))
    number = normalise_plate(text(plate.get("raw")), state or None) if plate else ""
    if not number or number in NO_PLATE or len(set(number)) == 1:
        return None
    kind = text(plate.get("type"))
    return number, state, text(plate.get("subdivision")), "" if kind == "unknown" else kind


def _plates(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    ours, theirs = plate_of(one), plate_of(other)
    if ours is None or theirs is None:
        return []
    left, right = sorted((ours[0], theirs[0]))
    if ours[1] and theirs[1] and ours[1] != theirs[1]:
        return ["plate.differs"]
    # Of state, subdivision and type those that both give.
    told = [(mine, his) for mine, his in zip(ours[1:], theirs[1:], strict=True) if mine and his]
    if left == right:
        if any(mine != his for mine, his in told):
            return ["plate.other_type"]
        return ["plate.same" if ours[1:] == theirs[1:] and ours[1] else "plate.bare"]
    if fold_confusables(left) == fold_confusables(right):
        return ["plate.confusable"]
    one_off = len(left) >= SHORTEST_SERIAL and OSA.distance(left, right, score_cutoff=1) == 1
    return ["plate.one_off" if one_off else "plate.differs"]


def engine_of(vehicle: Mapping[str, Any]) -> str:
    """The engine number as it is compared; empty where there is none that tells engines apart."""
    serial = fold_confusables(normalise_plate(text(vehicle.get("engine_number"))))
    return serial if _telling(serial) else ""


def components_of(vehicle: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Part and serial number, as they are compared, of each part that has one."""
    found: set[tuple[str, str]] = set()
    for item in records(vehicle.get("components"))[:16]:
        serial = fold_confusables(normalise_plate(text(item.get("serial"))))
        if _telling(serial):
            found.add((fold_make(text(item.get("part"))), serial))
    return found


def _serials(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    engines = engine_of(one), engine_of(other)
    if all(engines):
        if engines[0] == engines[1]:
            found.append("engine.same")
        elif min(map(len, engines)) > SHORTEST_SERIAL and OSA.distance(*sorted(engines), score_cutoff=1) == 1:
            found.append("engine.one_off")
    if components_of(one) & components_of(other):
        found.append("component.same")
    return found


def _looks(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    makes = text(one.get("make")), text(other.get("make"))
    if all(map(fold_make, makes)):
        found.append("make.differs" if makes_differ(*makes) else "make.same")
    models = fold_make(text(one.get("model"))), fold_make(text(other.get("model")))
    if all(models):
        same = models[0] in models[1] or models[1] in models[0]
        found.append("model.same" if same else "model.differs")
    years = one.get("year"), other.get("year")
    if isinstance(years[0], int) and isinstance(years[1], int):
        found.append(("year.same", "year.near", "year.differs")[min(abs(years[0] - years[1]), 2)])
    if texts(one.get("colours")) and texts(other.get("colours")):
        differ = colours_differ(one, other)
        if differ is not None:
            found.append("colour.differs" if differ else "colour.same")
    return found


def _thefts(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    places = [record(vehicle.get("place")) for vehicle in (one, other)]
    towns = [(text(place.get("state")), fold_make(text(place.get("locality")))) for place in places]
    if all(towns[0]) and towns[0] == towns[1]:
        found.append("place.same")
    times = one.get("stolen_from"), other.get("stolen_from")
    if isinstance(times[0], int) and isinstance(times[1], int):
        apart = abs(times[0] - times[1])
        if apart <= 3 * _DAY_MS or apart > 365 * _DAY_MS:
            found.append("theft.near" if apart <= 3 * _DAY_MS else "theft.apart")
    return found
