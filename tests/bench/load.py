"""Synthetic load: sound alerts of the three kinds, signed as a publisher signs them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from factories import sound_cyber, sound_person, sound_vehicle
from hueandcry.alerts.ids import alert_id
from hueandcry.wire.codec import encode
from hueandcry.wire.framing import frame
from hueandcry.wire.proof import sign_batch
from hueandcry.wire.schemas import schema

#: Alerts under one signature.
BATCH = 100
#: Most alerts of one seed; two seeds share no thing.
LARGEST = 100_000
#: One alert in so many is on a thing that another alert is about already.
REPEATS = 20
_FAMILIES = ("MARTIN", "KOWALSKI", "HOFMANN", "MENDES", "OKELLO", "NGUYEN", "HAALAND", "ROSSI", "PETROV", "SATO")
_GIVEN = ("ANNA", "JONAS", "LUCIA", "PEDRO", "AMINA", "MINH", "INGRID", "MARCO", "OLGA", "KENJI")


def alerts(
    count: int, issuer: str, state: str, now_ms: int, *, run: str = "", seed: int = 1
) -> Iterator[dict[str, Any]]:
    """Sound decoded alerts: six vehicles, three persons and one threat in ten; seeds are 1 to 9."""
    dice = random.Random(f"{seed}/{issuer}")
    templates = [
        deepcopy(make(issuer=issuer, issuing_state=state)) for make in (sound_vehicle, sound_person, sound_cyber)
    ]
    number = seed * LARGEST
    for at in range(count):
        record = deepcopy(templates[(0, 0, 0, 0, 0, 0, 1, 1, 1, 2)[at % 10]])
        # The one after a tenth place is of the same kind as that, and here about the same thing.
        if at % REPEATS != 1:
            number = seed * LARGEST + at
        reference = f"{run}{issuer}-{at}"
        record.update(
            national_reference=reference, alert_id=alert_id(issuer, reference), issued_at=now_ms, expires_at=None
        )
        record["provenance"]["collected_at"] = None
        _vary(record, number, dice)
        yield record


def _vary(record: dict[str, Any], number: int, dice: random.Random) -> None:
    subject = record["subject"]
    if record["kind"] == "stolen_vehicle":
        subject["vin"]["raw"] = f"VF3LCYHZPFS{number:06d}"
        subject["plate"]["raw"] = f"AB-{number % 1000:03d}-{chr(65 + number % 26)}D"
        subject["stolen_from"] = record["issued_at"] - 3_600_000
        subject["stolen_until"] = record["issued_at"] - 1_800_000
    elif record["kind"] == "wanted_person":
        identity = subject["identities"][0]
        identity["family"] = f"{dice.choice(_FAMILIES)}-{dice.choice(_FAMILIES)}"
        identity["given"] = dice.choice(_GIVEN)
        for document in subject["documents"]:
            document["number"] = f"X{number:08d}"
    else:
        for place, indicator in enumerate(subject["indicators"]):
            indicator["type"], indicator["value"] = "domain", f"c{number}-{place}.malware-{number % 97}.example"
        subject["pattern"] = None
        subject["valid_from"] = subject["valid_until"] = None
        subject["sightings"] = []


def messages(
    records: list[dict[str, Any]], key: Ed25519PrivateKey, key_id: str, schema_id: int
) -> Iterator[tuple[bytes, bytes, list[tuple[str, bytes]]]]:
    """Kafka key, value and headers of each alert, signed in batches."""
    fingerprint = schema("hueandcry.Alert").fingerprint
    for start in range(0, len(records), BATCH):
        batch = records[start : start + BATCH]
        bodies = [encode("hueandcry.Alert", record) for record in batch]
        headers = sign_batch(key, key_id, [(fingerprint, body) for body in bodies])
        for record, body, each in zip(batch, bodies, headers, strict=True):
            yield record["alert_id"].encode(), frame(schema_id, body), each
