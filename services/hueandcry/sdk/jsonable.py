"""Records as JSON: times in ISO 8601, dates as YYYY-MM-DD, bytes in hexadecimal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

from hueandcry.sdk.times import iso
from hueandcry.wire.schemas import schema

_Convert = Callable[[Any], Any]


def jsonable(name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of the Avro type `name`, as the codec decodes it, in values that JSON has.

    The type may be any that avro/ has, for example `hueandcry.Delivery`. What the type does not have is left out.
    """
    return _converter(name)(record)


@cache
def _converter(name: str) -> _Convert:
    return _Builder().convert(json.loads(schema(name).json))


class _Builder:
    """Makes the conversion of a schema once, by walking it."""

    def __init__(self) -> None:
        self._named: dict[str, _Convert] = {}

    def convert(self, node: Any, namespace: str = "") -> _Convert:
        if isinstance(node, list):
            return self._union(node, namespace)
        if isinstance(node, str):
            return self._by_name(node, namespace)
        kind = node["type"]
        if kind == "record":
            return self._record(node, namespace)
        if kind in ("enum", "fixed"):
            convert = _bytes if kind == "fixed" else _same
            self._named[_full_name(node, namespace)] = convert
            return convert
        if kind == "array":
            items = self.convert(node["items"], namespace)
            return lambda values: [items(value) for value in values]
        if kind == "map":
            entries = self.convert(node["values"], namespace)
            return lambda values: {key: entries(value) for key, value in values.items()}
        if node.get("logicalType") == "timestamp-millis":
            return _time
        if node.get("logicalType") == "date":
            return _date
        return self.convert(kind, namespace)

    def _by_name(self, name: str, namespace: str) -> _Convert:
        if name == "bytes":
            return _bytes
        full = name if "." in name else f"{namespace}.{name}"
        if full in self._named:
            return lambda value: self._named[full](value)  # looked up late: a type may hold itself
        return _same

    def _record(self, node: Any, namespace: str) -> _Convert:
        full = _full_name(node, namespace)
        inner = full.rpartition(".")[0]
        fields: dict[str, _Convert] = {}

        def convert(record: Any) -> Any:
            return {name: fields[name](value) for name, value in record.items() if name in fields}

        self._named[full] = convert
        fields.update({field["name"]: self.convert(field["type"], inner) for field in node["fields"]})
        convert.fields = frozenset(fields)  # type: ignore[attr-defined]
        return convert

    def _union(self, branches: list[Any], namespace: str) -> _Convert:
        converters = [self.convert(branch, namespace) for branch in branches if branch != "null"]
        if len(converters) == 1:
            only = converters[0]
            return lambda value: None if value is None else only(value)

        def convert(value: Any) -> Any:
            if not isinstance(value, Mapping):
                return value
            keys = frozenset(value)
            best = max(converters, key=lambda branch: len(keys & getattr(branch, "fields", frozenset())))
            return best(value)

        return convert


def _full_name(node: Any, namespace: str) -> str:
    name = node["name"]
    if "." in name:
        return name
    return f"{node.get('namespace', namespace)}.{name}"


def _same(value: Any) -> Any:
    return value


def _bytes(value: Any) -> Any:
    return value.hex() if isinstance(value, (bytes, bytearray)) else value


def _time(value: Any) -> Any:
    return iso(value) if isinstance(value, int) else value


def _date(value: Any) -> Any:
    return (date(1970, 1, 1) + timedelta(days=value)).isoformat() if isinstance(value, int) else value
