"""The words by which CAP parameters name vehicles and persons, and the codes by which an event is a police matter.

CAP leaves the names of parameters to its users. A name counts without blanks, signs and case. It may begin with whom it
is about: child, victim, missing, missing person; suspect, abductor, offender, wanted, wanted person; vehicle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hueandcry.adapters import ncic_codes
from hueandcry.adapters.leaves import Leaves
from hueandcry.adapters.xml_text import child, children, say
from hueandcry.alerts.forms import STATES

#: SAME: child abduction, law enforcement warning, Blue Alert, missing and endangered persons.
POLICE_CODES = frozenset({"CAE", "LEW", "BLU", "MEP"})
_MISSING = ("missingperson", "missing", "child", "victim")
_SUSPECT = ("wantedperson", "wanted", "suspect", "abductor", "offender")
_VEHICLE = ("suspectvehicle", "vehicle")

_VEHICLE_WORDS = {
    "licenseplate": "plate", "licenceplate": "plate", "plate": "plate", "platenumber": "plate", "lic": "plate",
    "licenseplatenumber": "plate", "licenceplatenumber": "plate", "registration": "plate",
    "registrationnumber": "plate", "platestate": "state", "licensestate": "state", "licensestatecode": "state",
    "licenseplatestate": "state", "lis": "state", "platecountry": "state", "make": "make", "vma": "make",
    "model": "model", "vmo": "model", "year": "year", "vyr": "year", "modelyear": "year", "color": "colour",
    "colour": "colour", "vco": "colour", "vin": "vin", "vehicleidentificationnumber": "vin",
}  # fmt: skip
#: Words that mean a vehicle only after the word vehicle, since they have other meanings alone.
_ONLY_AFTER_VEHICLE = frozenset({"year", "model", "make", "color", "colour", "registration", "state"})
_PERSON_WORDS = {
    "name": "name", "fullname": "name", "nam": "name", "dateofbirth": "born", "dob": "born", "birthdate": "born",
    "sex": "sex", "gender": "sex", "nationality": "nationality", "heightcm": "height", "marks": "marks",
    "distinguishingmarks": "marks",
}  # fmt: skip
_SEXES = {**{key.casefold(): value for key, value in ncic_codes.SEXES.items()}, "male": "male", "female": "female"}


@dataclass
class Named:
    """Fields of the subjects that a message names; empty where it names none."""

    vehicle: dict[str, Any] = field(default_factory=dict[str, Any])
    missing: dict[str, Any] = field(default_factory=dict[str, Any])
    suspect: dict[str, Any] = field(default_factory=dict[str, Any])


def read(infos: list[Any], leaves: Leaves) -> Named:
    """The subjects that the parameters of a message name. What is understood is taken from the leaves."""
    named = Named()
    state: str | None = None
    for info in infos:
        for parameter in children(info, "parameter"):
            name, value = say(parameter, "valueName"), say(parameter, "value")
            about = _about(re.sub(r"[^a-z0-9]", "", name.casefold()), infos)
            if about is None or not value:
                continue
            whom, word = about
            if whom == "vehicle" and word == "state":
                state = state or value
                understood = _state(value) is not None
            else:
                understood = _put(getattr(named, whom), word, value)
            if understood:
                leaves.take(child(parameter, "value"))
                leaves.take(child(parameter, "valueName"))
    if state and "plate" in named.vehicle and (found := _state(state)):
        named.vehicle["plate"] |= {"state": found[0], **({"subdivision": found[1]} if found[1] else {})}
    if not set(named.vehicle) & {"vin", "plate"} and not {"make", "model"} <= set(named.vehicle):
        named.vehicle = {}
    for whom in ("missing", "suspect"):
        if "name" not in getattr(named, whom):
            setattr(named, whom, {})
    return named


def _about(word: str, infos: list[Any]) -> tuple[str, str] | None:
    """Whom a parameter is about (a field of Named) and what it says of it."""
    for prefix in _VEHICLE:
        if word.startswith(prefix) and (found := _VEHICLE_WORDS.get(word.removeprefix(prefix))):
            return "vehicle", found
        if word == f"{prefix}state":
            return "vehicle", "state"
    if word not in _ONLY_AFTER_VEHICLE and (found := _VEHICLE_WORDS.get(word)):
        return "vehicle", found
    for whom, prefixes in (("missing", _MISSING), ("suspect", _SUSPECT)):
        for prefix in prefixes:
            if word.startswith(prefix) and (found := _PERSON_WORDS.get(word.removeprefix(prefix))):
                return whom, found
    if (found := _PERSON_WORDS.get(word)) and is_police(infos):
        return ("missing" if event_codes(infos) & {"CAE", "MEP"} else "suspect"), found
    return None


def _put(subject: dict[str, Any], word: str, value: str) -> bool:
    """Writes what a parameter says; whether it was understood. The first of two with one meaning counts."""
    read_: dict[str, Any] = {
        "plate": lambda: ("plate", {"raw": value}),
        "vin": lambda: ("vin", {"raw": value}),
        "make": lambda: ("make", ncic_codes.MAKES.get(value.upper(), value)),
        "model": lambda: ("model", value),
        "year": lambda: ("year", int(value)) if re.fullmatch(r"(?:18|19|20|21)\d\d", value) else None,
        "colour": lambda: ("colours", ncic_codes.colours(value)[0] if value.isupper() else [value]),
        "name": lambda: ("name", value),
        "born": lambda: ("born", born) if (born := _born(value)) else None,
        "sex": lambda: ("sex", found) if (found := _SEXES.get(value.casefold())) else None,
        "nationality": lambda: ("nationalities", [value.upper()]) if value.upper() in STATES else None,
        "height": lambda: ("height_cm", int(value)) if re.fullmatch(r"\d{2,3}", value, re.ASCII) else None,
        "marks": lambda: ("marks", value),
    }
    found = read_[word]()
    if found is None or found[0] in subject:
        return False
    subject[found[0]] = found[1]
    return True


def _born(value: str) -> dict[str, int] | None:
    match = re.fullmatch(r"(\d{4})-?(\d\d)-?(\d\d)|(\d{4})", value, re.ASCII)
    if match is None:
        return None
    if match[4]:
        return {"year": int(match[4])}
    return {"year": int(match[1]), "month": int(match[2]), "day": int(match[3])}


def _state(value: str) -> tuple[str, str | None] | None:
    """ISO 3166-1 alpha-3, ISO 3166-2, or a code of NCIC where it is two letters."""
    folded = value.strip().upper()
    if folded in STATES:
        return folded, None
    return ncic_codes.place(folded)


def event_codes(infos: list[Any]) -> set[str]:
    """SAME codes of the event."""
    return {
        code
        for info in infos
        for each in children(info, "eventCode")
        if say(each, "valueName").upper() == "SAME" and (code := say(each, "value").upper()).isalnum()
    }


def categories(infos: list[Any]) -> Iterator[str]:
    """The categories of all infos."""
    for info in infos:
        for each in children(info, "category"):
            yield (each.text or "").strip()


def is_police(infos: list[Any]) -> bool:
    """Whether the event is a police matter: by its SAME code, or of the category Security (CAP 1.2, 3.2.2)."""
    return bool(event_codes(infos) & POLICE_CODES) or "Security" in set(categories(infos))


def is_theft(infos: list[Any]) -> bool:
    """Whether the event says that the vehicle was stolen."""
    return any("stolen" in say(info, "event").casefold() for info in infos)
