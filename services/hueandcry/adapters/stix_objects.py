"""Alerts to STIX 2.1 objects, for subscribers that read STIX (TAXII, threat platforms).

Rules:
1. The same alert gives the same objects with the same ids: observables have STIX's ids, all others UUIDv5 of ours.
2. A threat is an indicator, a vehicle or a person an object of our own types (stix_own). All that the alert has is in
   the object, so that reading it back gives the alert again.
3. Every object is marked with the TLP 2.0 of its alert. Named things (malware, actor) have an id for each issuer and
   marking, so that a marking of one alert never changes that of another.
4. What was withdrawn or has ended is the same object, revoked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid5

from hueandcry.adapters import stix_own as own
from hueandcry.adapters import tlp
from hueandcry.adapters.sheet import stricter
from hueandcry.adapters.stix_pattern import quoted
from hueandcry.adapters.times import moment
from hueandcry.alerts.model import Alert
from hueandcry.identity.cyber import Indicator, normalise_indicator
from hueandcry.identity.observables import observable_id

Object = dict[str, Any]
#: When objects that never change were made.
_ALWAYS = "2026-01-01T00:00:00.000Z"
#: Most observables that go with an indicator, which itself names all.
MOST_OBSERVABLES = 256

_PATHS = {
    "ipv4": "ipv4-addr:value", "ipv6": "ipv6-addr:value", "domain": "domain-name:value", "url": "url:value",
    "email": "email-addr:value", "mutex": "mutex:name", "registry_key": "windows-registry-key:key",
    "filename": "file:name", "md5": "file:hashes.MD5", "sha1": "file:hashes.'SHA-1'",
    "sha256": "file:hashes.'SHA-256'", "sha512": "file:hashes.'SHA-512'",
}  # fmt: skip
_HASHES = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512"}
_SDO = {"stolen_vehicle": ("hueandcry-vehicle", own.VEHICLE), "wanted_person": ("hueandcry-person", own.PERSON)}
_TACTICS = "https://attack.mitre.org/techniques/"


def stix_id(kind: str, *parts: str) -> str:
    """Our deterministic id of an object of a STIX type."""
    return f"{kind}--{uuid5(own.NAMESPACE, chr(10).join((kind, *parts)))}"


def alert_object_id(alert_id: str, kind: str) -> str:
    """The id of the object that an alert is, from its id and its kind (stolen_vehicle, wanted_person, cyber)."""
    return stix_id(_SDO[kind][0] if kind in _SDO else "indicator", alert_id)


def objects(
    alert: Alert | Mapping[str, Any],
    *,
    revoked: bool = False,
    created: datetime | None = None,
    modified: datetime | None = None,
) -> list[Object]:
    """The object that the alert is, first, and those that it refers to.

    Args:
        alert: an Alert, or the same in its JSON form (a received one may lack what the reader may not see).
        revoked: it has been withdrawn or has ended. A withdrawal or end as `alert` is revoked anyway.
        created: when its first version was issued, the same for all versions; the time of this version where not known.
        modified: when it last changed, where that is later than this version's issue: its end, for example.
    """
    data = alert.model_dump(mode="json", exclude_none=True) if isinstance(alert, Alert) else dict(alert)
    subject: dict[str, Any] = dict(data.get("subject") or {})
    envelope = {name: value for name, value in data.items() if name != "subject" and value not in (None, [])}
    marking = tlp.IDS[data["tlp"]]
    issuer = _issuer(data["issuer"])
    issued = moment(data.get("issued_at")) or datetime.fromisoformat(_ALWAYS)
    first = created or issued
    main: Object = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": alert_object_id(data["alert_id"], data["kind"]),
        "created_by_ref": issuer["id"],
        "created": _iso(first),
        "modified": _iso(max(first, modified or issued)),
        "object_marking_refs": [marking],
        "labels": [data["kind"].replace("_", "-"), data["category"].replace("_", "-")],
        "external_references": _references(data),
        "extensions": {own.ENVELOPE: {"extension_type": "property-extension", "alert": envelope}},
    }
    if revoked or data.get("message_type") in ("withdraw", "expire"):
        main["revoked"] = True
    if text := data.get("remarks"):
        main["description"] = text
    others: list[Object] = [issuer, _marking(data["tlp"]), *_definitions(data["kind"])]
    if data["kind"] in _SDO:
        main["type"], extension = _SDO[data["kind"]]
        main["extensions"][extension] = {"extension_type": "new-sdo"}
        main |= {name: value for name, value in subject.items() if value not in (None, [])}
    else:
        kept = {name: value for name, value in subject.items() if value not in (None, [])}
        main["extensions"][own.ENVELOPE]["threat"] = kept
        _indicator(main, kept, issued)
        others += _surroundings(main, kept, data)
    return [main, *others]


def bundle(items: Iterable[Sequence[Object]]) -> Object:
    """A bundle of what `objects` gives for several alerts, each object once, the later one where an alert is twice."""
    found: dict[str, Object] = {}
    for each in (one for group in items for one in group):
        known = found.get(each["id"])
        found[each["id"]] = each if known is None else _later(known, each)
    identifier = stix_id("bundle", *(f"{each['id']} {each.get('modified', '')}" for each in found.values()))
    return {"type": "bundle", "id": identifier, "objects": list(found.values())}


def _later(known: Object, other: Object) -> Object:
    """Of two with one id the one modified later; of observables the one that is marked more strictly."""
    if "modified" in other:
        return other if other["modified"] >= known.get("modified", "") else known
    marks = [tlp.BY_ID.get(ref) for ref in (*known.get("object_marking_refs", ()), *other["object_marking_refs"])]
    strictest = stricter(*marks)
    return {**other, "object_marking_refs": [tlp.IDS[strictest]]} if strictest else other


def _indicator(main: Object, threat: dict[str, Any], issued: datetime) -> None:
    main["name"] = str(threat["malware"][0]) if threat.get("malware") else "Cyber threat"
    main["indicator_types"] = ["malicious-activity"]
    main["pattern_type"] = "stix"
    main["pattern"] = threat.get("pattern") or pattern_of(threat.get("indicators", ()))
    start = moment(threat.get("valid_from")) or issued
    end = moment(threat.get("valid_until"))
    main["valid_from"] = _iso(start)
    if end is not None and end > start:
        main["valid_until"] = _iso(end)
    if (confidence := threat.get("confidence", -1)) >= 0:
        main["confidence"] = confidence
    if phases := threat.get("kill_chain"):
        main["kill_chain_phases"] = [{"kill_chain_name": each["chain"], "phase_name": each["phase"]} for each in phases]


def pattern_of(indicators: Iterable[Mapping[str, Any]]) -> str:
    """A STIX pattern that any of these indicators fulfils. Types unknown to STIX become x-hueandcry-indicator."""
    paths: dict[str, list[str]] = {}
    for each in indicators:
        kind, value = str(each["type"]), str(each["value"])
        normal = normalise_indicator(kind, value)
        if normal.type == "asn":
            paths.setdefault("autonomous-system:number", []).append(normal.value.removeprefix("AS"))
        elif kind in _PATHS:
            paths.setdefault(_PATHS[kind], []).append(quoted(value))
        else:
            paths.setdefault(f"x-hueandcry-indicator:{kind.replace('-', '_')}", []).append(quoted(value))
    if not paths:
        return "[x-hueandcry-indicator:withheld = true]"
    parts = [
        f"{path} = {values[0]}" if len(values) == 1 else f"{path} IN ({', '.join(dict.fromkeys(values))})"
        for path, values in paths.items()
    ]
    return f"[{' OR '.join(parts)}]"


def _surroundings(main: Object, threat: dict[str, Any], data: Mapping[str, Any]) -> list[Object]:
    """What the threat names, as objects with their relationships."""
    issuer, marking = str(data["issuer"]), str(data["tlp"])
    found: list[Object] = []
    for name in threat.get("malware", ()):
        found.append({**_named("malware", name, issuer, marking), "name": name, "is_family": True})
    if actor := threat.get("actor"):
        found.append({**_named("threat-actor", actor, issuer, marking), "name": actor})
    for technique in threat.get("techniques", ()):
        reference = {
            "source_name": "mitre-attack", "external_id": technique, "url": _TACTICS + technique.replace(".", "/"),
        }  # fmt: skip
        item = _named("attack-pattern", technique, issuer, marking)
        found.append({**item, "name": technique, "external_references": [reference]})
    ties = [_relation(main, each, "indicates") for each in found]
    for each in list(threat.get("indicators", ()))[:MOST_OBSERVABLES]:
        if seen := _observable(normalise_indicator(str(each["type"]), str(each["value"])), marking):
            found.append(seen)
            ties.append(_relation(main, seen, "based-on"))
    for at, each in enumerate(threat.get("sightings", ())):
        found.append(_sighting(main, each, at))
    return [*found, *ties]


def _named(kind: str, name: str, issuer: str, marking: str) -> Object:
    return {
        "type": kind, "spec_version": "2.1", "id": stix_id(kind, issuer, marking, name), "created": _ALWAYS,
        "modified": _ALWAYS, "created_by_ref": _issuer(issuer)["id"], "object_marking_refs": [tlp.IDS[marking]],
    }  # fmt: skip


def _relation(main: Object, target: Object, name: str) -> Object:
    return {
        "type": "relationship", "spec_version": "2.1", "id": stix_id("relationship", main["id"], name, target["id"]),
        "created": main["created"], "modified": main["created"], "created_by_ref": main["created_by_ref"],
        "relationship_type": name, "source_ref": main["id"], "target_ref": target["id"],
        "object_marking_refs": main["object_marking_refs"],
    }  # fmt: skip


def _sighting(main: Object, sighting: Mapping[str, Any], at: int) -> Object:
    seen = moment(sighting["seen_at"])
    return {
        "type": "sighting", "spec_version": "2.1", "id": stix_id("sighting", main["id"], main["modified"], str(at)),
        "created": main["modified"], "modified": main["modified"], "created_by_ref": main["created_by_ref"],
        "sighting_of_ref": main["id"], "count": sighting.get("count", 1),
        **({"last_seen": _iso(seen)} if seen else {}), "object_marking_refs": main["object_marking_refs"],
    }  # fmt: skip


def _observable(indicator: Indicator, marking: str) -> Object | None:
    """The cyber observable of a normalised indicator, with the id that everybody gives it."""
    identifier = observable_id(indicator)
    if identifier is None:
        return None
    kind, value = indicator
    content: Object
    if kind in _HASHES:
        content = {"hashes": {_HASHES[kind]: value}}
    elif kind == "asn":
        content = {"number": int(value.removeprefix("AS"))}
    else:
        content = {_PATHS[kind].partition(":")[2]: value}
    return {
        "type": identifier.partition("--")[0], "spec_version": "2.1", "id": identifier,
        "object_marking_refs": [tlp.IDS[marking]], **content,
    }  # fmt: skip


def _references(data: Mapping[str, Any]) -> list[Object]:
    known = [{"source_name": "hueandcry", "external_id": str(data["alert_id"])}]
    if reference := data.get("national_reference"):
        known.append({"source_name": str(data["issuer"]), "external_id": str(reference)})
    return [
        *known,
        *({"source_name": each.get("title") or "link", "url": each["uri"]} for each in data.get("links") or ()),
    ]


def _issuer(agency: str) -> Object:
    return {
        "type": "identity", "spec_version": "2.1", "id": stix_id("identity", agency), "created": _ALWAYS,
        "modified": _ALWAYS, "name": agency, "identity_class": "organization",
    }  # fmt: skip


def _marking(name: str) -> Object:
    """The marking definition of TLP 2.0, as OASIS publishes it."""
    return {
        "type": "marking-definition", "spec_version": "2.1", "id": tlp.IDS[name], "created": "2022-10-01T00:00:00.000Z",
        "name": f"TLP:{tlp.written(name).upper()}",
        "extensions": {tlp.EXTENSION: {"extension_type": "property-extension", "tlp_2_0": tlp.written(name)}},
    }  # fmt: skip


def _definitions(kind: str) -> list[Object]:
    """The definitions of the extensions that an object of this kind has, and who defines them."""
    names = [(own.ENVELOPE, "property-extension", "alert")]
    if kind in _SDO:
        names.append((_SDO[kind][1], "new-sdo", _SDO[kind][0].removeprefix("hueandcry-")))
    platform = {**_issuer("hueandcry"), "id": own.PLATFORM, "name": "Hue and Cry", "identity_class": "system"}
    return [
        platform,
        *(
            {
                "type": "extension-definition", "spec_version": "2.1", "id": identifier, "created": _ALWAYS,
                "modified": _ALWAYS, "created_by_ref": own.PLATFORM, "name": f"Hue and Cry {name}",
                "schema": f"JSON schema docs/stix/{name}.json of Hue and Cry, version {own.VERSION}",
                "version": own.VERSION, "extension_types": [extension],
            }
            for identifier, extension, name in names
        ),
    ]  # fmt: skip


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
