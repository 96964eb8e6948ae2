"""Doubts about the quality of an alert that codes and normal forms bring to light. None of them refuses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hueandcry.alerts.remarks import Remark
from hueandcry.enrich.codes import offence_name, state_name
from hueandcry.enrich.vehicle import maker, year_candidates
from hueandcry.identity.confirm import makes_differ
from hueandcry.identity.cyber import normalise_indicator
from hueandcry.identity.plate import SUBNATIONAL, is_mixed
from hueandcry.identity.reading import record, records, text, texts
from hueandcry.identity.threat import correlates
from hueandcry.identity.vin import CHECK_DIGITS, LENGTH, OTHER_STANDARDS, VinReading, is_north_american, normalise_vin

# An alert of ten thousand indicators gets no ten thousand remarks.
MOST = 20
CHINA = frozenset("LH")


def doubts(alert: Mapping[str, Any]) -> list[Remark]:
    """Remarks on a decoded hueandcry.Alert, at most `MOST`. Never raises; never holds a value."""
    subject = record(alert.get("subject"))
    kind = alert.get("kind")
    found: list[Remark] = []
    if kind == "stolen_vehicle":
        found = _vehicle(subject)
    elif kind == "wanted_person":
        found = _person(subject)
    elif kind == "cyber":
        found = _cyber(subject)
    for index, offence in enumerate(records(alert.get("offences"))):
        code = text(offence.get("iccs"))
        if code and offence_name(code) is None:
            message = "No section of the ICCS has this code. Write its digits, for example 05021."
            found.append(Remark("offences.iccs", "offence.unknown_code", message, f"[{index}]"))
    return found[:MOST]


def _vehicle(vehicle: Mapping[str, Any]) -> list[Remark]:
    found: list[Remark] = []
    number = record(vehicle.get("vin"))
    if number:
        category = text(vehicle.get("category"))
        found += _vin(normalise_vin(text(number.get("raw")), category), vehicle, category)
    plate = record(vehicle.get("plate"))
    if plate:
        found += _plate(plate)
    return found


def _vin(reading: VinReading, vehicle: Mapping[str, Any], category: str) -> list[Remark]:
    field = "subject.vin.raw"
    vin = reading.normalised
    if not vin or category in OTHER_STANDARDS:
        return []
    if len(vin) != LENGTH:
        message = "A VIN has 17 characters; only vehicles from before 1981 have shorter numbers. It joins nothing."
        return [Remark(field, "vin.length", message)]
    if reading.illegal:
        return []
    found: list[Remark] = []
    if not reading.identifies and reading.quality in {"valid", "no_check_digit"}:
        found.append(Remark(field, "vin.placeholder", "So few different characters name no vehicle. Leave it out."))
    if reading.quality == "no_check_digit" and vin[8] in CHECK_DIGITS:
        # Not where position 9 is a letter: such a number, as most European makers write, never had a check digit.
        if vin[0] in CHINA:
            message = "The check digit in position 9 does not fit; China asks for one (GB 16735). Compare the number."
        else:
            message = "Position 9 does not fit as a check digit; where the maker uses one, a character is wrong."
        found.append(Remark(field, "vin.no_check_digit", message, "position 9"))
    by_code, make = maker(vin[:3]), text(vehicle.get("make"))
    if by_code and make and makes_differ(make, by_code):
        message = "The first three characters of the VIN are those of another maker. Compare both."
        found.append(Remark("subject.make", "vehicle.make_contradicts_vin", message))
    year = vehicle.get("year")
    if isinstance(year, int) and is_north_american(vin):
        candidates = year_candidates(vin)
        if candidates and min(abs(candidate - year) for candidate in candidates) > 1:
            message = "The tenth character of the VIN stands for another model year. Compare both."
            found.append(Remark("subject.year", "vehicle.year_contradicts_vin", message))
    return found


def _plate(plate: Mapping[str, Any]) -> list[Remark]:
    found: list[Remark] = []
    state = text(plate.get("state"))
    if is_mixed(text(plate.get("raw"))):
        message = "Letters of several scripts that look alike are mixed; matching reads all as Latin."
        found.append(Remark("subject.plate.raw", "plate.mixed_scripts", message))
    if not state:
        message = "Without its state a plate joins nothing. Write its ISO 3166-1 alpha-3 code."
        found.append(Remark("subject.plate.state", "plate.no_state", message))
    elif state in SUBNATIONAL and not plate.get("subdivision"):
        message = "Subdivisions of this state give out equal plates. Write its ISO 3166-2 code, else it joins nothing."
        found.append(Remark("subject.plate.subdivision", "plate.no_subdivision", message))
    return found


def _person(person: Mapping[str, Any]) -> list[Remark]:
    found: list[Remark] = []
    born = record(person.get("born"))
    if born.get("month") == 1 and born.get("day") == 1 and not born.get("estimated"):
        message = "1 January often stands for an unknown day. Give the year alone, or mark the date as estimated."
        found.append(Remark("subject.born", "person.first_of_january", message))
    for index, code in enumerate(texts(person.get("nationalities"))):
        if state_name(code) is None:
            message = "Not a code of ISO 3166-1 alpha-3 or ICAO Doc 9303. NCIC's codes, for one, differ."
            found.append(Remark("subject.nationalities", "person.unknown_nationality", message, f"[{index}]"))
    for index, identity in enumerate(records(person.get("identities"))):
        if not (text(identity.get("family")) + text(identity.get("given"))).isascii() and _other_script(identity):
            message = "Write the name in Latin letters here, and as it is in its own script in original."
            found.append(Remark("subject.identities.family", "person.name_not_latin", message, f"[{index}]"))
    return found


def _other_script(identity: Mapping[str, Any]) -> bool:
    letters = text(identity.get("family")) + text(identity.get("given"))
    # U+0250 and above, but for U+1E00 to U+1EFF (Latin extended additional), is not Latin.
    return any(char.isalpha() and char >= "\u0250" and not "\u1e00" <= char <= "\u1eff" for char in letters)


def _cyber(threat: Mapping[str, Any]) -> list[Remark]:
    found: list[Remark] = []
    for index, item in enumerate(records(threat.get("indicators"))):
        if len(found) >= MOST:
            break
        given = text(item.get("type"))
        indicator = normalise_indicator(given, text(item.get("value")))
        place = f"[{index}]"
        if indicator.type != given and given not in {"unknown", ""}:
            if indicator.type == "other":
                message = "The value has not the form of the type given. Matching takes it as other."
            else:
                message = f"The value shows another type. Matching takes it as {indicator.type}."
            found.append(Remark("subject.indicators.type", "indicator.type", message, place))
        elif indicator.type in {"ipv4", "ipv6", "domain", "url"} and not correlates(indicator):
            message = "This value is private, reserved or common to all; it matches nothing by itself."
            found.append(Remark("subject.indicators.value", "indicator.stop_value", message, place))
    return found
