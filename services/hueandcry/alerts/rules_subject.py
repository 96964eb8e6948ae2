"""The rules over each kind of subject. See `rules` for what a rule is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hueandcry.alerts.forms import (
    DOCUMENT_ISSUERS,
    MOST_INDICATORS,
    NATIONALITIES,
    STATES,
    is_partial_date,
    is_reference,
    is_subdivision,
    is_technique,
)
from hueandcry.alerts.rules import Finding, Found, Rule, insane
from hueandcry.alerts.validity import EARLIEST_MS, LATEST_MS

_DAY_MS = 86_400_000
_FIRST_DAY, _LAST_DAY = EARLIEST_MS // _DAY_MS, LATEST_MS // _DAY_MS
_WRITE_STATE = "is not a state; write its ISO 3166-1 alpha-3 code"
_WRITE_NUMBER = "must have 1 to 128 printable characters and no blank at either end; leave it out where it is not known"


def _outside(at: int | None) -> bool:
    return at is not None and not EARLIEST_MS <= at < LATEST_MS


def _blank(text: str | None) -> bool:
    return not text or text.isspace()


# Vehicles


def _vehicle_named(alert: Mapping[str, Any], _now: int) -> Found:
    subject = alert["subject"]
    if subject["vin"] or subject["plate"] or not _blank(subject["engine_number"]) or subject["components"]:
        return None
    if not _blank(subject["make"]) and not _blank(subject["model"]):
        return None
    return [
        Finding("subject", "names no vehicle; write at least vin, plate, engine_number, components, or make and model")
    ]


def _vehicle_numbers(alert: Mapping[str, Any], _now: int) -> Found:
    subject = alert["subject"]
    found: list[Finding] = []
    vin, plate, engine = subject["vin"], subject["plate"], subject["engine_number"]
    if vin is not None and not is_reference(vin["raw"]):
        found.append(Finding("subject.vin.raw", _WRITE_NUMBER))
    if plate is not None and not is_reference(plate["raw"]):
        found.append(Finding("subject.plate.raw", _WRITE_NUMBER))
    if engine is not None and not is_reference(engine):
        found.append(Finding("subject.engine_number", _WRITE_NUMBER))
    for i, component in enumerate(subject["components"]):
        if not is_reference(component["serial"]):
            found.append(Finding("subject.components.serial", _WRITE_NUMBER, f"index {i}"))
    return found


def _plate(alert: Mapping[str, Any], _now: int) -> Found:
    subject = alert["subject"]
    plate = subject["plate"]
    if plate is None:
        if subject["stolen"] in ("plate", "both"):
            return [Finding("subject.plate", "must be given where a plate was taken")]
        return None
    state, subdivision = plate["state"], plate["subdivision"]
    found: list[Finding] = []
    if state is not None and state not in STATES:
        found.append(Finding("subject.plate.state", _WRITE_STATE))
    if subdivision is not None and not is_subdivision(subdivision):
        found.append(Finding("subject.plate.subdivision", "is no ISO 3166-2 code"))
    return found


def _year(alert: Mapping[str, Any], _now: int) -> Found:
    year = alert["subject"]["year"]
    if year is None or 1880 <= year < 2200:
        return None
    return [Finding("subject.year", "is no model year; write four digits, or leave it out where it is not known")]


def _theft(alert: Mapping[str, Any], _now: int) -> Found:
    start, end = alert["subject"]["stolen_from"], alert["subject"]["stolen_until"]
    if _outside(start) or _outside(end):
        return [
            insane(f"subject.{name}") for name in ("stolen_from", "stolen_until") if _outside(alert["subject"][name])
        ]
    if start is None or end is None or start <= end:
        return None
    return [Finding("subject.stolen_until", "lies before stolen_from; write the earliest time first")]


def _place(alert: Mapping[str, Any], _now: int) -> Found:
    place = alert["subject"]["place"]
    return place_findings(place, "subject.place") if place is not None else None


def place_findings(place: Mapping[str, Any], path: str) -> list[Finding]:
    """What is wrong with a hueandcry.Place; `path` is the field that holds it."""
    found: list[Finding] = []
    state, subdivision = place["state"], place["subdivision"]
    if state is not None and state not in STATES:
        found.append(Finding(f"{path}.state", _WRITE_STATE))
    if subdivision is not None and not is_subdivision(subdivision):
        found.append(Finding(f"{path}.subdivision", "is no ISO 3166-2 code"))
    latitude, longitude = place["latitude"], place["longitude"]
    if latitude is not None and not -90 <= latitude <= 90:
        found.append(Finding(f"{path}.latitude", "is no latitude; write -90 to 90 degrees"))
    if longitude is not None and not -180 <= longitude <= 180:
        found.append(Finding(f"{path}.longitude", "is no longitude; write -180 to 180 degrees"))
    if (latitude is None) != (longitude is None):
        found.append(Finding(path, "has half a position; write latitude and longitude, or neither"))
    return found


# Persons


def _named(alert: Mapping[str, Any], _now: int) -> Found:
    for identity in alert["subject"]["identities"]:
        if not _blank(identity["family"]) or not _blank(identity["original"]):
            return None
    return [Finding("subject.identities", "names nobody; write one identity with a family name or the original script")]


def _born(alert: Mapping[str, Any], _now: int) -> Found:
    born = alert["subject"]["born"]
    if born is None or is_partial_date(born["year"], born["month"], born["day"]):
        return None
    return [
        Finding("subject.born", "is no date; write a year, with a month and a day of that month where they are known")
    ]


def _nationalities(alert: Mapping[str, Any], _now: int) -> Found:
    subject = alert["subject"]
    if NATIONALITIES.issuperset(subject["nationalities"]) and STATES.issuperset(subject["extradition_limits"]):
        return None
    return [
        Finding(
            "subject.nationalities",
            "is no nationality; write ISO 3166-1 alpha-3, or XXA, XXB, XXC, XXX of ICAO 9303",
            f"index {i}",
        )
        for i, item in enumerate(subject["nationalities"])
        if item not in NATIONALITIES
    ] + [
        Finding("subject.extradition_limits", _WRITE_STATE, f"index {i}")
        for i, item in enumerate(subject["extradition_limits"])
        if item not in STATES
    ]


def _documents(alert: Mapping[str, Any], _now: int) -> Found:
    return [
        found for i, document in enumerate(alert["subject"]["documents"]) for found in _document(document, f"index {i}")
    ]


def _document(document: Mapping[str, Any], place: str) -> Iterable[Finding]:
    if not is_reference(document["number"]):
        yield Finding("subject.documents.number", _WRITE_NUMBER, place)
    if document["state"] is not None and document["state"] not in DOCUMENT_ISSUERS:
        message = "issues no documents; write ISO 3166-1 alpha-3 or a code of ICAO 9303"
        yield Finding("subject.documents.state", message, place)
    if document["expires_on"] is not None and not _FIRST_DAY <= document["expires_on"] < _LAST_DAY:
        yield Finding("subject.documents.expires_on", "lies outside the years 1900 to 2199", place)


def _height(alert: Mapping[str, Any], _now: int) -> Found:
    height = alert["subject"]["height_cm"]
    if height is None or 30 <= height <= 280:
        return None
    return [Finding("subject.height_cm", "is no height; write centimetres, 30 to 280")]


def _biometrics(alert: Mapping[str, Any], _now: int) -> Found:
    found: list[Finding] = []
    for i, record in enumerate(alert["subject"]["biometrics"]):
        if len(record["sha256"]) != 32:
            found.append(Finding("subject.biometrics.sha256", "is no SHA-256 digest; give 32 bytes", f"index {i}"))
        if not is_reference(record["reference"]):
            found.append(Finding("subject.biometrics.reference", _WRITE_NUMBER, f"index {i}"))
    return found


def _warrant(alert: Mapping[str, Any], _now: int) -> Found:
    warrant = alert["subject"]["warrant"]
    if warrant is None:
        return None
    found: list[Finding] = []
    if not is_reference(warrant["reference"]):
        found.append(Finding("subject.warrant.reference", _WRITE_NUMBER))
    if warrant["issued_on"] is not None and not _FIRST_DAY <= warrant["issued_on"] < _LAST_DAY:
        found.append(Finding("subject.warrant.issued_on", "lies outside the years 1900 to 2199"))
    return found


# Threats


def _observable(alert: Mapping[str, Any], _now: int) -> Found:
    if alert["subject"]["indicators"] or not _blank(alert["subject"]["pattern"]):
        return None
    return [Finding("subject.indicators", "tells nothing to look for; write a STIX pattern or at least one indicator")]


def _indicators(alert: Mapping[str, Any], _now: int) -> Found:
    indicators = alert["subject"]["indicators"]
    if len(indicators) > MOST_INDICATORS:
        return [Finding("subject.indicators", "are more than 10,000; spread them over several alerts")]
    return [
        Finding("subject.indicators.value", "is empty; write the value or leave the indicator out", f"index {i}")
        for i, indicator in enumerate(indicators)
        if _blank(indicator["value"])
    ]


def _valid(alert: Mapping[str, Any], _now: int) -> Found:
    start, end = alert["subject"]["valid_from"], alert["subject"]["valid_until"]
    if _outside(start) or _outside(end):
        return [insane(f"subject.{name}") for name in ("valid_from", "valid_until") if _outside(alert["subject"][name])]
    if start is None or end is None or start < end:
        return None
    return [Finding("subject.valid_until", "must be later than valid_from")]


def _confidence(alert: Mapping[str, Any], _now: int) -> Found:
    if -1 <= alert["subject"]["confidence"] <= 100:
        return None
    return [Finding("subject.confidence", "must be 0 to 100, or -1 where it is not stated")]


def _techniques(alert: Mapping[str, Any], _now: int) -> Found:
    return [
        Finding("subject.techniques", "is no technique of ATT&CK; write for example T1566 or T1566.001", f"index {i}")
        for i, item in enumerate(alert["subject"]["techniques"])
        if not is_technique(item)
    ]


def _sightings(alert: Mapping[str, Any], _now: int) -> Found:
    return [
        found for i, sighting in enumerate(alert["subject"]["sightings"]) for found in _sighting(sighting, f"index {i}")
    ]


def _sighting(sighting: Mapping[str, Any], place: str) -> Iterable[Finding]:
    if _outside(sighting["seen_at"]):
        yield insane("subject.sightings.seen_at", place)
    if sighting["count"] < 1:
        yield Finding("subject.sightings.count", "must be 1 or more", place)
    if sighting["state"] is not None and sighting["state"] not in STATES:
        yield Finding("subject.sightings.state", _WRITE_STATE, place)


_VEHICLE, _PERSON, _CYBER = "avro/hueandcry.StolenVehicle", "avro/hueandcry.WantedPerson", "avro/hueandcry.CyberThreat"

VEHICLE: tuple[Rule, ...] = (
    Rule("vehicle.named", "subject", _VEHICLE, _vehicle_named),
    Rule("vehicle.number", "subject.vin, plate, engine_number, components", _VEHICLE, _vehicle_numbers),
    Rule("vehicle.plate", "subject.plate", "ISO 3166", _plate),
    Rule("vehicle.year", "subject.year", _VEHICLE, _year),
    Rule("vehicle.theft_time", "subject.stolen_from, stolen_until", _VEHICLE, _theft),
    Rule("place.form", "subject.place", "ISO 3166, WGS 84", _place),
)
PERSON: tuple[Rule, ...] = (
    Rule("person.named", "subject.identities", "ICAO 9303 part 3", _named),
    Rule("person.born", "subject.born", "Gregorian calendar", _born),
    Rule("person.state", "subject.nationalities, extradition_limits", "ISO 3166-1, ICAO 9303", _nationalities),
    Rule("person.document", "subject.documents", "ICAO 9303 part 3", _documents),
    Rule("person.height", "subject.height_cm", "30 to 280 cm", _height),
    Rule("person.biometric", "subject.biometrics", _PERSON, _biometrics),
    Rule("person.warrant", "subject.warrant", _PERSON, _warrant),
)
CYBER: tuple[Rule, ...] = (
    Rule("cyber.observable", "subject.pattern, indicators", _CYBER, _observable),
    Rule("cyber.indicators", "subject.indicators", "10,000 at most", _indicators),
    Rule("cyber.valid_time", "subject.valid_from, valid_until", "STIX 2.1, 4.7 Indicator", _valid),
    Rule("cyber.confidence", "subject.confidence", "STIX 2.1, 3.2 common properties", _confidence),
    Rule("cyber.technique", "subject.techniques", "MITRE ATT&CK", _techniques),
    Rule("cyber.sighting", "subject.sightings", "ISO 3166-1", _sightings),
)
#: Rules by kind.
SUBJECT: dict[str, tuple[Rule, ...]] = {"stolen_vehicle": VEHICLE, "wanted_person": PERSON, "cyber": CYBER}
