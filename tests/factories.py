"""Builders of sound alerts as decoded records: what fastavro gives with logical types stripped.

Each takes changes by keyword; a key with double underscores reaches inside, so `subject__vin=None` sets
`record["subject"]["vin"]`. An alert id that is not given follows issuer and national reference.
All people, vehicles and addresses are invented.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hueandcry.alerts.ids import alert_id

#: 1 March 2026, 12:00 UTC, in epoch milliseconds: the "now" of the tests.
NOW_MS = 1_772_366_400_000
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def _envelope(**fields: Any) -> dict[str, Any]:
    return {
        "alert_id": "",
        "version": 1,
        "message_type": "issue",
        "status": "actual",
        "issuer": "fr-pn",
        "issuing_state": "FRA",
        "national_reference": "FR-2026-000117",
        "kind": "stolen_vehicle",
        "category": "seizure",
        "action": "seize",
        "issued_at": NOW_MS - 2 * MINUTE_MS,
        "effective_from": None,
        "review_due": None,
        "expires_at": None,
        "circulation": ["world"],
        "classification": "unclassified",
        "handling_code": "H0",
        "tlp": "green",
        "releasable_to": [],
        "excluded": [],
        "discoverable": False,
        "legal_basis": None,
        "offences": [],
        "references": [],
        "links": [],
        "remarks": None,
        "provenance": {
            "system": "FOVES",
            "originating_agency": None,
            "reliability": "A",
            "credibility": "one",
            "collected_at": None,
            "source": None,
        },
        "subject": {},
    } | fields


def _changed(record: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    for path, value in changes.items():
        *parents, last = path.split("__")
        target: Any = record
        for name in parents:
            target = target[int(name)] if isinstance(target, list) else target[name]
        if isinstance(target, list):
            target[int(last)] = deepcopy(value)
        else:
            target[last] = deepcopy(value)
    if "alert_id" not in changes:
        record["alert_id"] = alert_id(str(record["issuer"]), str(record["national_reference"]))
    return record


def sound_vehicle(**changes: Any) -> dict[str, Any]:
    """A stolen car with VIN and plate, issued by fr-pn."""
    subject = {
        "vin": {"raw": "VF3LCYHZPFS000042", "normalised": None, "quality": "unassessed"},
        "plate": {
            "raw": "AB-123-CD",
            "normalised": None,
            "state": "FRA",
            "subdivision": None,
            "type": "ordinary",
        },
        "make": "PEUGEOT",
        "model": "308",
        "year": 2015,
        "colours": ["grey"],
        "category": "car",
        "engine_number": None,
        "components": [{"part": "gearbox", "serial": "GB-77120"}],
        "marks": None,
        "stolen_from": NOW_MS - DAY_MS,
        "stolen_until": NOW_MS - 16 * HOUR_MS,
        "place": {
            "state": "FRA",
            "subdivision": "FR-69",
            "locality": "Villeurbanne",
            "latitude": 45.77,
            "longitude": 4.88,
        },
        "stolen": "vehicle",
        "occupant_caution": [],
    }
    offence = {"iccs": "05021", "national_code": None, "national_name": None}
    return _changed(_envelope(offences=[offence], subject=subject), changes)


def sound_person(**changes: Any) -> dict[str, Any]:
    """A person wanted for arrest, with an alias, a document and a fingerprint reference, issued by de-bka."""
    subject = {
        "identities": [
            {
                "type": "confirmed",
                "family": "Musterfeld",
                "given": "Jonas",
                "original": None,
                "transliteration": None,
            },
            {
                "type": "alias",
                "family": "Al-Tamthil",
                "given": None,
                "original": "يونس التمثيل",
                "transliteration": None,
            },
        ],
        "born": {"year": 1984, "month": 5, "day": 17, "estimated": False},
        "birthplace": "Kassel",
        "sex": "male",
        "nationalities": ["DEU"],
        "documents": [{"type": "passport", "number": "C01X0006H", "state": "DEU", "expires_on": 21_000}],
        "height_cm": 182,
        "marks": None,
        "biometrics": [{"type": "fingerprint", "reference": "FP-2026-31", "sha256": bytes(range(32))}],
        "warrant": {"reference": "12 Gs 345/26", "court": "Amtsgericht Musterstadt", "issued_on": 20_400},
        "extradition_limits": [],
        "warnings": ["armed"],
    }
    envelope = _envelope(
        issuer="de-bka",
        issuing_state="DEU",
        national_reference="DE-2026-000031",
        kind="wanted_person",
        category="arrest",
        action="arrest",
        classification="restricted",
        handling_code="H1",
        tlp="amber",
        subject=subject,
    )
    return _changed(envelope, changes)


def sound_cyber(**changes: Any) -> dict[str, Any]:
    """A threat with four indicators and a named actor, issued by us-fbi."""
    subject = {
        "pattern": "[domain-name:value = 'login.example.net']",
        "indicators": [
            {"type": "domain", "value": "login.example.net"},
            {"type": "ipv4", "value": "192.0.2.45"},
            {"type": "url", "value": "https://login.example.net/Portal"},
            {"type": "sha256", "value": "ab" * 32},
        ],
        "valid_from": NOW_MS - DAY_MS,
        "valid_until": NOW_MS + 30 * DAY_MS,
        "confidence": 80,
        "kill_chain": [{"chain": "lockheed-martin-cyber-kill-chain", "phase": "delivery"}],
        "techniques": ["T1566.002"],
        "malware": ["ExampleStealer"],
        "actor": "Example Spider",
        "sightings": [{"seen_at": NOW_MS - HOUR_MS, "count": 3, "state": "USA"}],
    }
    envelope = _envelope(
        issuer="us-fbi",
        issuing_state="USA",
        national_reference="US-2026-000009",
        kind="cyber",
        category="detect",
        action="monitor",
        subject=subject,
    )
    return _changed(envelope, changes)


#: Builder by kind.
SOUND = {"stolen_vehicle": sound_vehicle, "wanted_person": sound_person, "cyber": sound_cyber}
