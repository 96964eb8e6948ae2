"""Labelled stolen vehicles."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from bench.labelled import CONFUSED, Alert, Labelled, blank, copied, grow, misread
from factories import DAY_MS, NOW_MS
from hueandcry.identity.glyphs import CYRILLIC, GREEK
from hueandcry.identity.vin import check_digit, is_north_american

#: Code of the maker, make, models.
_MAKES = (("WVW", "VOLKSWAGEN", "GOLF PASSAT POLO"), ("VF3", "PEUGEOT", "208 308 3008"), ("WBA", "BMW", "320 520 X3"),
          ("VF1", "RENAULT", "CLIO MEGANE"), ("ZFA", "FIAT", "500 PANDA"), ("TMB", "SKODA", "OCTAVIA FABIA"),
          ("1HG", "HONDA", "CIVIC ACCORD"), ("2T1", "TOYOTA", "COROLLA"), ("1FA", "FORD", "FUSION FOCUS"),
          ("JMZ", "MAZDA", "3 6"), ("KNA", "KIA", "RIO CEED"), ("WDB", "MERCEDES-BENZ", "C180 E220"))  # fmt: skip
_OTHER_WORDS = {"VOLKSWAGEN": "VW", "MERCEDES-BENZ": "Mercedes", "BMW": "B.M.W.", "PEUGEOT": "Peugeot SA"}
_COLOURS = {"black": "anthracite", "white": "cream", "grey": "silver", "blue": "dark blue", "red": "burgundy",
            "green": "dark green", "yellow": "gold"}  # fmt: skip
_YEARS = "ABCDEFGHJKLMNPRSTVWXY123456789"
_LEGAL = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
_FIRST, _LAST = 2003, 2025
#: Plates by state: letters (A), digits (9), and the letters that are used.
_PLATES = (("FRA", None, "AA-999-AA", "ABCDEFGHJKLMNPQRSTVWXYZ"), ("DEU", None, "B-AA 9999", "ABCDEFGHIJKLMNOPRSTUVWX"),
           ("GBR", None, "AA99 AAA", "ABCDEFGHJKLMNOPRSTUVWXY"), ("POL", None, "WA 99999", ""),
           ("RUS", None, "A999AA77", "ABEKMHOPCTYX"), ("UKR", None, "AA9999AA", "ABCEHIKMOPTX"),
           ("GRC", None, "AAA-9999", "ABEZHIKMNOPTYX"), ("USA", "US-CA", "9AAA999", "ABCDEFGHJKLMNPRSTUVWXYZ"),
           ("USA", "US-TX", "AAA-9999", "BCDFGHJKLMNPRSTVWXYZ"))  # fmt: skip
_SCRIPT = {"RUS": CYRILLIC, "UKR": CYRILLIC, "GRC": GREEK}


class Known(NamedTuple):
    """What a spoiled copy can draw upon."""

    vin: str
    plate: str


def vehicles(dice: random.Random, records: int, subject: int) -> Iterator[Labelled]:
    """Alerts on vehicles. Two in five have no VIN, one in five no plate."""
    vins: set[str] = set()
    plates: set[tuple[str, str]] = set()

    def clean(number: int) -> tuple[Alert, Known]:
        alert = blank("stolen_vehicle", dice, number)
        code, make, models = dice.choice(_MAKES)
        model = dice.randrange(len(models.split()))
        year = dice.randint(_FIRST, _LAST)
        while (vin := _vin(code, model, year, dice.randrange(600_000))) in vins:
            pass
        while (plate := _plate(dice, plates)) is None:
            pass
        vins.add(vin)
        stolen = NOW_MS - dice.randint(1, 3000) * DAY_MS
        what = dice.randrange(5)
        alert["subject"] |= {
            "vin": None if what in (0, 1) else {"raw": vin, "normalised": None, "quality": "unassessed"},
            "plate": None if what == 2 else plate,
            "make": make,
            "model": models.split()[model],
            "year": year,
            "colours": [dice.choice(sorted(_COLOURS))],
            "engine_number": f"{code}{dice.randrange(10**6):06}" if dice.random() < 0.3 else None,
            "components": [],
            "stolen_from": stolen,
            "stolen_until": stolen + DAY_MS // 2,
            "place": None,
        }
        return alert, Known(vin, plate["raw"])

    def reissued(alert: Alert, _: Known, number: int) -> Alert:
        """Another car that bears the plate now."""
        other, _ = clean(number)
        other["subject"] |= {"plate": alert["subject"]["plate"], "vin": None}
        return other

    def twin_plate(alert: Alert, _: Known, number: int) -> Alert:
        """A car of the same make and model with the same plate in another state."""
        other, _ = clean(number)
        plate = alert["subject"]["plate"]
        looks = {name: alert["subject"][name] for name in ("make", "model", "colours", "year")}
        other["subject"] |= {"plate": plate and {**plate, "state": "ITA", "subdivision": None}, "vin": None, **looks}
        return other

    def next_of_series(alert: Alert, known: Known, number: int) -> Alert:
        """The next car of a fleet: built, registered and stolen beside the other."""
        other = copied(alert, dice, number)
        serial = f"{(int(known.vin[11:]) + 1) % 10**6:06}"
        vin = _sound(f"{known.vin[:11]}{serial}")
        plate = alert["subject"]["plate"]
        other["subject"]["vin"] = alert["subject"]["vin"] and {**alert["subject"]["vin"], "raw": vin}
        other["subject"]["plate"] = plate and {**plate, "raw": _next(plate["raw"])}
        other["subject"]["engine_number"] = None
        if other["subject"]["vin"]:
            vins.add(vin)
        return other

    neighbours: dict[str, Callable[[Alert, Any, int], Alert]] = {
        "plate issued again": reissued, "same plate of another state": twin_plate, "next of a series": next_of_series,
    }  # fmt: skip
    return grow(dice, records, subject, clean, _NOISES, neighbours)


def _vin(code: str, model: int, year: int, serial: int) -> str:
    return _sound(f"{code}{('AB3C7', 'LP5D2', 'RN8E4')[model]}Z{_YEARS[(year - 1980) % 30]}S{serial:06}")


def _sound(vin: str) -> str:
    return f"{vin[:8]}{check_digit(vin)}{vin[9:]}" if is_north_american(vin) else vin


def _plate(dice: random.Random, taken: set[tuple[str, str]]) -> dict[str, Any] | None:
    state, subdivision, form, letters = dice.choice(_PLATES)
    # The first letters are those of the place of registration.
    fixed = {"DEU": 1, "POL": 2}.get(state, 0)
    raw = form[:fixed] + "".join(
        dice.choice(letters) if char == "A" else str(dice.randrange(10)) if char == "9" else char
        for char in form[fixed:]
    )
    if (state, raw) in taken:
        return None
    taken.add((state, raw))
    return {"raw": raw, "normalised": None, "state": state, "subdivision": subdivision, "type": "ordinary"}


def _next(plate: str) -> str:
    place = max(at for at, char in enumerate(plate) if char.isdigit())
    return f"{plate[:place]}{(int(plate[place]) + 1) % 10}{plate[place + 1 :]}"


def _with_vin(alert: Alert, raw: str) -> bool:
    """Another agency has the VIN alone."""
    vin = alert["subject"]["vin"]
    if vin is None or vin["raw"] == raw:
        return False
    alert["subject"] |= {"vin": {**vin, "raw": raw}, "plate": None, "engine_number": None}
    return True


def _with_plate(alert: Alert, **changes: Any) -> bool:
    """Another agency has the plate alone."""
    plate = alert["subject"]["plate"]
    if plate is None or {**plate, **changes} == plate:
        return False
    alert["subject"] |= {"vin": None, "plate": {**plate, **changes}, "engine_number": None}
    return True


def _written(dice: random.Random, alert: Alert, known: Known) -> bool:
    """The same in small letters with other separators, another name of the maker, a like colour, the year after."""
    subject = alert["subject"]
    if subject["vin"] is not None:
        return _with_vin(alert, f"{known.vin[:3].lower()}-{known.vin[3:9]} {known.vin[9:].lower()}") and _looks(alert)
    return _with_plate(alert, raw=known.plate.lower().replace("-", " · ")) and _looks(alert)


def _looks(alert: Alert) -> bool:
    subject = alert["subject"]
    subject["make"] = _OTHER_WORDS.get(subject["make"], subject["make"])
    subject["colours"] = [_COLOURS[subject["colours"][0]]]
    subject["year"] += 1
    subject["model"] = None
    return True


def _glyphs(dice: random.Random, alert: Alert, known: Known) -> bool:
    plate = alert["subject"]["plate"]
    twins = {latin: own for own, latin in _SCRIPT.get(plate["state"] if plate else "", CYRILLIC).items()}
    return _with_plate(alert, raw="".join(twins.get(char, char) for char in known.plate))


def _vin_misread(dice: random.Random, alert: Alert, known: Known) -> bool:
    return _with_vin(alert, misread(dice, known.vin))


def _vin_misread_lawfully(dice: random.Random, alert: Alert, known: Known) -> bool:
    """Read for another character that a VIN may have."""
    places = [place for place, char in enumerate(known.vin) if CONFUSED.get(char, "I") in _LEGAL]
    if not places:
        return False
    place = dice.choice(places)
    return _with_vin(alert, f"{known.vin[:place]}{CONFUSED[known.vin[place]]}{known.vin[place + 1 :]}")


def _vin_wrong(dice: random.Random, alert: Alert, known: Known) -> bool:
    place = dice.randrange(17)
    return _with_vin(alert, f"{known.vin[:place]}{dice.choice(_LEGAL)}{known.vin[place + 1 :]}")


def _vin_turned(dice: random.Random, alert: Alert, known: Known) -> bool:
    place = dice.randrange(16)
    vin = known.vin
    return _with_vin(alert, f"{vin[:place]}{vin[place + 1]}{vin[place]}{vin[place + 2 :]}")


def _vin_wrong_plate_right(dice: random.Random, alert: Alert, known: Known) -> bool:
    plate, place = alert["subject"]["plate"], dice.randrange(17)
    if plate is None or not _with_vin(alert, f"{known.vin[:place]}{dice.choice(_LEGAL)}{known.vin[place + 1 :]}"):
        return False
    alert["subject"]["plate"] = plate
    return True


def _last_eight(_: random.Random, alert: Alert, known: Known) -> bool:
    return _with_vin(alert, known.vin[-8:])


def _plate_misread(dice: random.Random, alert: Alert, known: Known) -> bool:
    return _with_plate(alert, raw=misread(dice, known.plate))


def _plate_wrong(dice: random.Random, alert: Alert, known: Known) -> bool:
    places = [place for place, char in enumerate(known.plate) if char.isalnum()]
    place = dice.choice(places)
    new = dice.choice("0123456789" if known.plate[place].isdigit() else "ABEHKMPTXY")
    return _with_plate(alert, raw=f"{known.plate[:place]}{new}{known.plate[place + 1 :]}")


def _no_state(_: random.Random, alert: Alert, __: Known) -> bool:
    return _with_plate(alert, state=None, subdivision=None)


def _no_subdivision(_: random.Random, alert: Alert, __: Known) -> bool:
    return _with_plate(alert, subdivision=None)


def _no_type(_: random.Random, alert: Alert, __: Known) -> bool:
    return _with_plate(alert, type="unknown")


def _plate_alone(_: random.Random, alert: Alert, __: Known) -> bool:
    subject = alert["subject"]
    if subject["vin"] is None or subject["plate"] is None:
        return False
    subject |= {"vin": None, "engine_number": None}
    return True


def _engine_alone(dice: random.Random, alert: Alert, _: Known) -> bool:
    subject = alert["subject"]
    if subject["engine_number"] is None:
        return False
    subject |= {"vin": None, "plate": None, "engine_number": misread(dice, subject["engine_number"], 1)}
    return True


_NOISES: dict[str, Any] = {
    "written otherwise": _written, "look-alike letters": _glyphs, "VIN misread, illegal letters or not": _vin_misread,
    "VIN misread lawfully": _vin_misread_lawfully, "one character of the VIN wrong": _vin_wrong,
    "VIN with two characters turned": _vin_turned, "VIN wrong, plate right": _vin_wrong_plate_right,
    "last eight alone": _last_eight, "plate misread": _plate_misread, "one character of the plate wrong": _plate_wrong,
    "plate without state": _no_state, "plate without subdivision": _no_subdivision, "plate without type": _no_type,
    "plate alone": _plate_alone, "engine misread": _engine_alone,
}  # fmt: skip
