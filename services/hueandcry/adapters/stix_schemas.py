"""JSON schemas of our STIX extensions, made from the models of alerts; docs/stix has them as files.

python -m hueandcry.adapters.stix_schemas docs/stix
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hueandcry.adapters import stix_own as own
from hueandcry.alerts.base import AlertPart
from hueandcry.alerts.model import Alert, CyberThreat, StolenVehicle, WantedPerson

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_COMMON: dict[str, Any] = {
    "type": {"type": "string"},
    "id": {"type": "string"},
    "spec_version": {"const": "2.1"},
    "created": {"type": "string", "format": "date-time"},
    "modified": {"type": "string", "format": "date-time"},
    "extensions": {"type": "object"},
}


def schemas() -> dict[str, Any]:
    """By name: alert (the property extension), vehicle and person (the new types)."""
    return {
        "alert": _envelope(),
        "vehicle": _sdo("hueandcry-vehicle", own.VEHICLE, StolenVehicle),
        "person": _sdo("hueandcry-person", own.PERSON, WantedPerson),
    }


def _envelope() -> dict[str, Any]:
    alert = Alert.model_json_schema(mode="serialization")
    alert["properties"].pop("subject")
    threat = CyberThreat.model_json_schema(mode="serialization")
    definitions = {**alert.pop("$defs", {}), **threat.pop("$defs", {})}
    return {
        "$schema": _DRAFT,
        "$id": f"urn:hueandcry:stix:alert:{own.VERSION}",
        "title": "The alert that a STIX object is",
        "description": f"Property extension {own.ENVELOPE}",
        "type": "object",
        "required": ["extension_type", "alert"],
        "properties": {
            "extension_type": {"const": "property-extension"},
            "alert": {**_loose(alert), "required": ["alert_id", "issuer", "kind", "category", "tlp"]},
            "threat": _loose(threat),
        },
        "$defs": {name: _loose(each) for name, each in definitions.items()},
    }


def _sdo(kind: str, extension: str, model: type[AlertPart]) -> dict[str, Any]:
    schema = _loose(model.model_json_schema(mode="serialization"))
    return {
        "$schema": _DRAFT,
        "$id": f"urn:hueandcry:stix:{kind.removeprefix('hueandcry-')}:{own.VERSION}",
        "title": kind,
        "description": f"New STIX domain object by extension {extension}. {schema.pop('description', '')}",
        "type": "object",
        "required": ["type", "id", "spec_version", "created", "modified", "extensions"],
        "properties": {**_COMMON, "type": {"const": kind}, **schema["properties"]},
        "$defs": {name: _loose(each) for name, each in schema.get("$defs", {}).items()},
    }


def _loose(schema: dict[str, Any]) -> dict[str, Any]:
    """Without what asks for fields: a receiver may not see all of them."""
    return {name: value for name, value in schema.items() if name not in ("required", "additionalProperties", "title")}


def main(folder: str) -> None:
    """Write the schemas."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        text = json.dumps(schema, indent=2, ensure_ascii=False)
        (Path(folder) / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
