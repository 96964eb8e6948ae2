"""The identity key of an alert: the string under which all alerts on the same thing meet.

A key is of one kind ("vehicle:", "plate:", "person:", "cyber:", "alert:"); kinds never share one. It holds personal
data and never leaves the process: `hmac_key` makes of it what may stand in a Kafka key.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple

from hueandcry.identity import person, plate, threat
from hueandcry.identity.confirm import fold_make
from hueandcry.identity.reading import record, text
from hueandcry.identity.vin import normalise_vin

SHORTEST_ENGINE_NUMBER = 6


class IdentityKey(NamedTuple):
    """Where an alert belongs.

    Attributes:
        key: the identity; "alert:<alert id>" where the alert says too little to be joined with another.
        strong: True where two alerts of this key are on the same thing.
        claims: the other strong keys, which may be the leading key of another alert on the same thing; an alert that is
            not strong can have some too (a wanted person of whom only an alias is known): they link and never merge.
    """

    key: str
    strong: bool
    claims: tuple[str, ...]


def identify(alert: Mapping[str, Any]) -> IdentityKey:
    """The identity of a decoded hueandcry.Alert. Never raises; fields of a wrong type count as absent."""
    kind = alert.get("kind")
    subject = record(alert.get("subject"))
    claimed: list[str] = []
    if kind == "stolen_vehicle":
        leading = vehicle_keys(subject)
    elif kind == "wanted_person":
        keys, weaker = person.person_keys(subject)
        leading = [f"person:{key}" for key in keys]
        claimed = [f"person:{key}" for key in weaker]
    elif kind == "cyber":
        leading = [f"cyber:{key}" for key in threat.threat_keys(subject)]
    else:
        leading = []
    if not leading:
        return IdentityKey(
            f"alert:{text(alert.get('alert_id'))}", False, tuple(dict.fromkeys(claimed))[: threat.CLAIMS]
        )
    key = leading[0]
    claims = dict.fromkeys(other for other in (*leading[1:], *claimed) if other != key)
    return IdentityKey(key, True, tuple(claims)[: threat.CLAIMS])


def vehicle_keys(vehicle: Mapping[str, Any]) -> list[str]:
    """Keys, the leading one first, of a decoded hueandcry.StolenVehicle: VIN, else plate, else engine number and make.

    Where only the plates were taken the plate itself is the thing sought, under a kind of its own: the car that lost
    them is not stolen. Where both were, the plate is claimed both ways.
    """
    stolen = vehicle.get("stolen")
    registration = record(vehicle.get("plate"))
    by_plate = plate.plate_key(registration) if registration else None
    if stolen == "plate":
        return [f"plate:{by_plate}"] if by_plate else []
    keys: list[str] = []
    number = record(vehicle.get("vin"))
    if number:
        reading = normalise_vin(text(number.get("raw")), text(vehicle.get("category")))
        if reading.identifies:
            keys.append(f"vehicle:vin:{reading.normalised}")
    if by_plate:
        keys.append(f"vehicle:plate:{by_plate}")
        if stolen == "both":
            keys.append(f"plate:{by_plate}")
    engine = text(vehicle.get("engine_number"))
    make = text(vehicle.get("make"))
    if engine and make:
        serial = plate.normalise_plate(engine)
        if len(serial) >= SHORTEST_ENGINE_NUMBER and len(set(serial)) > 2:
            keys.append(f"vehicle:engine:{fold_make(make)}:{serial}")
    return keys


def status_key(secret: bytes, status: str, key: str) -> bytes:
    """HMAC of a key of an alert with this status, 32 bytes: under it alerts meet, and are searched for.

    The status is part of it, so that an exercise never meets an actual alert. Arguments and errors as `hmac_key`.
    """
    return hmac_key(secret, f"{status}|{key}")


def hmac_key(secret: bytes, key: str) -> bytes:
    """HMAC-SHA-256 of an identity key, 32 bytes: what may be shown to a broker.

    Args:
        secret: at least 16 bytes; the same for every admit of the network, else equal identities do not meet.

    Raises:
        ValueError: the secret is too short to keep keys from being guessed.
    """
    if len(secret) < 16:
        raise ValueError("the identity secret must have at least 16 bytes")
    return hmac.digest(secret, key.encode("utf-8", "surrogatepass"), "sha256")
