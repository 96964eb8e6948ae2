"""Records for tests of the wire: one full alert of each kind, and Hypothesis strategies made from the schemas."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hueandcry.wire.schemas import schema

_ENVELOPE: dict[str, Any] = {
    "alert_id": "2b0b4f1c-5f0e-5f66-9d2e-7c1d54a2b101",
    "version": 1,
    "message_type": "issue",
    "status": "actual",
    "issuer": "utopia-police",
    "issuing_state": "XXA",
    "national_reference": "UP-2026-0001234",
    "action": "seize",
    "issued_at": 1770000000000,
    "effective_from": 1770000000000,
    "review_due": None,
    "expires_at": 1780000000000,
    "circulation": ["world"],
    "classification": "restricted",
    "handling_code": "H1",
    "tlp": "amber",
    "releasable_to": [],
    "excluded": ["ruritania"],
    "discoverable": True,
    "legal_basis": "Treaty of Utopia, article 4",
    "offences": [{"iccs": "05021", "national_code": "s. 12", "national_name": "Theft of a vehicle"}],
    "references": [{"alert_id": "2b0b4f1c-5f0e-5f66-9d2e-7c1d54a2b102", "relation": "same_case"}],
    "links": [{"uri": "https://example.org/1", "media_type": "image/png", "sha256": b"\x01" * 32, "title": "Photo"}],
    "remarks": "Do not approach alone.",
    "provenance": {
        "system": "UPIS",
        "originating_agency": None,
        "reliability": "A",
        "credibility": "one",
        "collected_at": 1769999000000,
        "source": "a witness",
    },
}

VEHICLE: dict[str, Any] = {
    **_ENVELOPE,
    "kind": "stolen_vehicle",
    "category": "seizure",
    "subject": {
        "vin": {"raw": "WVW ZZZ 1JZ XW000001", "normalised": "WVWZZZ1JZXW000001", "quality": "no_check_digit"},
        "plate": {"raw": "UT-1 234", "normalised": "UT1234", "state": "XXA", "subdivision": None, "type": "ordinary"},
        "make": "VOLKSWAGEN",
        "model": "GOLF",
        "year": 1999,
        "colours": ["red", "black"],
        "category": "car",
        "engine_number": "AXP 123",
        "components": [{"part": "gearbox", "serial": "123"}],
        "marks": "dent in the left door",
        "stolen_from": 1769990000000,
        "stolen_until": 1769999000000,
        "place": {"state": "XXA", "subdivision": None, "locality": "Amaurot", "latitude": 52.5, "longitude": -13.25},
        "stolen": "both",
        "occupant_caution": ["armed"],
    },
}

PERSON: dict[str, Any] = {
    **_ENVELOPE,
    "kind": "wanted_person",
    "category": "arrest",
    "action": "arrest",
    "subject": {
        "identities": [
            {
                "type": "confirmed",
                "family": "Example",
                "given": "Nadia",
                "original": "نادية مثال",
                "transliteration": "NADYA MTHAL",
            },
            {"type": "alias", "family": "样本", "given": None, "original": "样本", "transliteration": None},
        ],
        "born": {"year": 1980, "month": 2, "day": None, "estimated": False},
        "birthplace": "Amaurot",
        "sex": "female",
        "nationalities": ["XXA"],
        "documents": [{"type": "passport", "number": "X0000001", "state": "XXA", "expires_on": 21000}],
        "height_cm": 171,
        "marks": "scar on the left hand",
        "biometrics": [{"type": "fingerprint", "reference": "FP-1", "sha256": b"\x02" * 32}],
        "warrant": {"reference": "W 1/26", "court": "Court of Amaurot", "issued_on": 20480},
        "extradition_limits": ["XXB"],
        "warnings": ["armed", "escape_risk"],
    },
}

CYBER: dict[str, Any] = {
    **_ENVELOPE,
    "kind": "cyber",
    "category": "detect",
    "action": "block",
    "subject": {
        "pattern": "[domain-name:value = 'bad.example']",
        "indicators": [{"type": "domain", "value": "bad.example"}, {"type": "ipv4", "value": "192.0.2.1"}],
        "valid_from": 1770000000000,
        "valid_until": None,
        "confidence": 85,
        "kill_chain": [{"chain": "lockheed-martin-cyber-kill-chain", "phase": "delivery"}],
        "techniques": ["T1566.001"],
        "malware": ["Examplebot"],
        "actor": "Example Panda",
        "sightings": [{"seen_at": 1769999000000, "count": 300, "state": "XXB"}],
    },
}

ALERTS = {"stolen_vehicle": VEHICLE, "wanted_person": PERSON, "cyber": CYBER}


def records(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any record of a schema of ours; unions of several records as (name, record)."""
    return _values(schema(name).hot, {})


_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1) | st.integers(0, 2 * 10**12),
    "double": st.floats(allow_nan=False),
    "string": st.text(max_size=90),
    "bytes": st.binary(max_size=90),
}


def _values(node: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:
    if isinstance(node, str):
        return _SCALARS[node] if node in _SCALARS else named[node]
    if isinstance(node, list):
        several = sum(branch != "null" for branch in node) > 1
        return st.one_of([_branch(branch, named, several) for branch in node])
    if node["type"] == "enum":
        named[node["name"]] = st.sampled_from(node["symbols"])
        return named[node["name"]]
    if node["type"] == "record":
        named[node["name"]] = st.fixed_dictionaries({f["name"]: _values(f["type"], named) for f in node["fields"]})
        return named[node["name"]]
    if node["type"] == "array":
        return st.lists(_values(node["items"], named), max_size=3)
    return st.dictionaries(st.text(max_size=8), _values(node["values"], named), max_size=3)


def _branch(branch: Any, named: dict[str, Any], several: bool) -> st.SearchStrategy[Any]:
    values = _values(branch, named)
    if branch == "null" or not several:
        return values
    return st.tuples(st.just(branch if isinstance(branch, str) else branch["name"]), values)


def plain(value: Any) -> Any:
    """The record as it decodes: without the names of union branches."""
    if isinstance(value, tuple):
        return plain(value[1])
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value
