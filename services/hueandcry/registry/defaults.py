"""Does a field's default fit the field's type?

Source: Apache Avro 1.12 specification, "Complex Types, Records, default". A union's default fits where any branch takes
it (up to 1.11 only the first might); bytes and fixed are given as text of code points up to 255. The `avro` library
for Python checks no defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


def fits(value: Any, kind: Any, definitions: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether `value` (JSON) can be a default of the expanded type `kind`."""
    return _Fitting(definitions).fits(value, kind)


class _Fitting:
    """Remembers its answers: unions of records of unions would otherwise be tried in every combination."""

    def __init__(self, definitions: Mapping[str, Mapping[str, Any]]) -> None:
        self.definitions = definitions
        self._known: dict[tuple[int, int], bool] = {}

    def fits(self, value: Any, kind: Any) -> bool:
        if isinstance(kind, str) and kind not in PRIMITIVES:
            kind = self.definitions[kind]
        if isinstance(kind, str):
            return _fits_primitive(value, kind)
        asked = (id(value), id(kind))
        if asked not in self._known:
            self._known[asked] = self._fits(value, kind)
        return self._known[asked]

    def _fits(self, value: Any, kind: Any) -> bool:
        if isinstance(kind, list):
            return any(self.fits(value, branch) for branch in kind)
        match kind["type"]:
            case "array":
                return isinstance(value, list) and all(self.fits(item, kind["items"]) for item in value)
            case "map":
                return isinstance(value, dict) and all(self.fits(item, kind["values"]) for item in value.values())
            case "record" | "error":
                return isinstance(value, dict) and all(self._fits_field(value, field) for field in kind["fields"])
            case "enum":
                return isinstance(value, str) and value in kind["symbols"]
            case "fixed":
                return _is_bytes(value) and len(value) == kind["size"]
            case primitive:
                return _fits_primitive(value, primitive)

    def _fits_field(self, value: Mapping[str, Any], field: Mapping[str, Any]) -> bool:
        name = field["name"]
        return self.fits(value[name], field["type"]) if name in value else "default" in field


def _fits_primitive(value: Any, name: str) -> bool:
    match name:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "int":
            return _whole(value) and -(2**31) <= value < 2**31
        case "long":
            return _whole(value) and -(2**63) <= value < 2**63
        case "float" | "double":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "bytes":
            return _is_bytes(value)
        case _:
            return isinstance(value, str)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_bytes(value: Any) -> bool:
    return isinstance(value, str) and all(ord(character) < 256 for character in value)
