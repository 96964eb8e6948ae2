"""Our own STIX objects: two new types, a property extension, and how they are read back.

hueandcry-vehicle and hueandcry-person are new SDOs whose properties are the fields of hueandcry.StolenVehicle and
hueandcry.WantedPerson. The property extension goes with these and with the indicators that we make; it carries the
envelope of the alert (`alert`) and of a threat its fields (`threat`), so that nothing is lost on the way. The schemas
are docs/stix/*.json, made from the models. STIX 2.1 section 7.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from hueandcry.adapters.sheet import Sheet

ENVELOPE = "extension-definition--d7e04226-7329-4bf0-b988-35597c119ec7"
VEHICLE = "extension-definition--cc917aa9-e5d2-427b-91dc-a791046d221a"
PERSON = "extension-definition--05ea9ac4-a4ba-4e0b-abad-9ffdd03c2a88"
PLATFORM = "identity--8ffb132c-7f0f-4c51-9ef6-3025612c96c0"
#: Namespace of the ids of our STIX objects; STIX's own is for observables alone (section 2.9). Never changes.
NAMESPACE = UUID("0f2215be-7f11-4e92-89af-4c20c1db3ac7")
VERSION = "1.0.0"

TYPES = {"hueandcry-vehicle": "stolen_vehicle", "hueandcry-person": "wanted_person"}
#: Common properties of an SDO; whatever else one of our types has is a field of its subject.
COMMON = frozenset({
    "type", "spec_version", "id", "created_by_ref", "created", "modified", "revoked", "labels", "confidence",
    "lang", "external_references", "object_marking_refs", "granular_markings", "extensions", "name", "description",
})  # fmt: skip


def is_own(item: Mapping[str, Any]) -> bool:
    """Whether an object carries the envelope of an alert."""
    extensions: Any = item.get("extensions")
    return isinstance(extensions, dict) and ENVELOPE in cast("dict[str, Any]", extensions)


def draw(where: str, item: Mapping[str, Any], tlp: str | None, sheet: Sheet) -> None:
    """The alert of one of our objects. Only the agency that has issued it can publish it again."""
    if not is_own(item):
        sheet.refuse(where, "stix.extension", f"has no extension {ENVELOPE}, which says what the alert is")
        return
    own: Any = cast("dict[str, Any]", item["extensions"])[ENVELOPE]
    if not isinstance(own, dict):
        sheet.refuse(where, "stix.extension", "has an extension that is no object")
        return
    carried = cast("dict[str, Any]", own)
    envelope, threat = carried.get("alert"), carried.get("threat")
    if not isinstance(envelope, dict):
        sheet.refuse(where, "stix.extension", "has an extension without an alert")
        return
    fields = dict(cast("dict[str, Any]", envelope))
    if fields.get("issuer") != sheet.context.issuer:
        message = "is an alert of another agency of this platform; only its issuer publishes it"
        sheet.refuse(where, "issuer.is_publisher", message, "issuer")
        return
    kind = TYPES.get(str(item.get("type")))
    if kind is not None and fields.get("kind") != kind:
        sheet.refuse(where, "subject.kind", "is of another kind than its type says", "kind")
        return
    fields["subject"] = (
        {name: value for name, value in item.items() if name not in COMMON} if kind is not None else threat
    )
    if item.get("revoked") is True and fields.get("message_type") not in ("withdraw", "expire"):
        sheet.refuse(where, "stix.revoked", "is revoked, but its alert is not withdrawn", "message_type")
        return
    sheet.draw(where, fields, tlp=tlp)
