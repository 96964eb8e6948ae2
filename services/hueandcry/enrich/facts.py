"""Facts that the codes of an alert hold, in the form of hueandcry.Enrichment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from hueandcry.enrich.codes import offence_name, state_name
from hueandcry.enrich.vehicle import built_in, maker, model_year
from hueandcry.identity.person import normalise_name
from hueandcry.identity.plate import normalise_plate
from hueandcry.identity.reading import record, records, text, texts
from hueandcry.identity.threat import indicators
from hueandcry.identity.vin import LENGTH, VinReading, normalise_vin

Facts = tuple[str, dict[str, Any]]

_YEAR_MS = 31_556_952_000


def enrich(alert: Mapping[str, Any]) -> dict[str, Any]:
    """The record hueandcry.Enrichment of a decoded hueandcry.Alert. Never raises.

    Returns:
        A dict for the encoder: `facts` is a tuple of record name and record, or None for a kind without facts;
        `remarks` is empty (see `doubts`).
    """
    subject = record(alert.get("subject"))
    kind = alert.get("kind")
    facts: Facts | None = None
    if kind == "stolen_vehicle":
        facts = ("hueandcry.VehicleFacts", vehicle_facts(subject, issued_at=alert.get("issued_at")))
    elif kind == "wanted_person":
        facts = ("hueandcry.PersonFacts", person_facts(subject))
    elif kind == "cyber":
        facts = ("hueandcry.CyberFacts", cyber_facts(subject))
    offences = [name for item in records(alert.get("offences")) if (name := offence_name(text(item.get("iccs"))))]
    return {
        "state_name": state_name(text(alert.get("issuing_state"))),
        "offences": list(dict.fromkeys(offences)),
        "facts": facts,
        "remarks": [],
    }


def vehicle_facts(vehicle: Mapping[str, Any], *, issued_at: Any = None) -> dict[str, Any]:
    """The record hueandcry.VehicleFacts; `issued_at` in ms since 1970 bounds the model year."""
    category = text(vehicle.get("category"))
    number = record(vehicle.get("vin"))
    reading = normalise_vin(text(number.get("raw")), category) if number else VinReading("", "unassessed")
    vin = reading.normalised
    whole = len(vin) == LENGTH and not reading.illegal and reading.quality != "unassessed"
    registration = record(vehicle.get("plate"))
    plate = (
        normalise_plate(text(registration.get("raw")), text(registration.get("state")) or None) if registration else ""
    )
    return {
        "vin": vin or None,
        "vin_quality": reading.quality,
        "maker": maker(vin[:3]) if whole else None,
        "built_in": built_in(vin[:2]) if whole else None,
        "model_year": read_model_year(reading, vehicle, issued_at) if whole else None,
        "plate": plate or None,
    }


def read_model_year(reading: VinReading, vehicle: Mapping[str, Any], issued_at: Any) -> int | None:
    """The model year that a whole VIN names for this vehicle, if any."""
    year = vehicle.get("year")
    return model_year(
        reading.normalised,
        north_american=reading.north_american,
        category=text(vehicle.get("category")),
        year=year if isinstance(year, int) else None,
        # The model year begins up to a year before the calendar's.
        latest=1970 + issued_at // _YEAR_MS + 1 if isinstance(issued_at, int) else None,
    )


def person_facts(person: Mapping[str, Any]) -> dict[str, Any]:
    """The record hueandcry.PersonFacts; the names of misused identities are left out: they are another's."""
    nationalities = texts(person.get("nationalities"))
    state = nationalities[0] if nationalities else None
    names = [
        normalise_name(text(identity.get("family")), text(identity.get("given")), state=state)
        for identity in records(person.get("identities"))
        if identity.get("type") != "misused"
    ]
    born = record(person.get("born"))
    return {
        "names": [name for name in dict.fromkeys(names) if name],
        "nationalities": [name for code in nationalities if (name := state_name(code))],
        "born_precision": born_precision(born),
    }


def born_precision(born: Mapping[str, Any]) -> str:
    """day, month, year or none: how much of a date of birth is given."""
    if not isinstance(born.get("year"), int):
        return "none"
    if not isinstance(born.get("month"), int):
        return "year"
    return "day" if isinstance(born.get("day"), int) else "month"


def cyber_facts(threat: Mapping[str, Any]) -> dict[str, Any]:
    """The record hueandcry.CyberFacts: how many indicators of which type, after the type is corrected."""
    counts = Counter(indicator.type or "unknown" for indicator in indicators(threat))
    return {"indicators": [{"type": kind, "count": count} for kind, count in sorted(counts.items())]}
