"""How the packages read a decoded alert: never raising, whatever a field holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

NOTHING: Mapping[str, Any] = {}


def text(value: Any) -> str:
    """The value if it is a string, else the empty string."""
    return value if isinstance(value, str) else ""


def record(value: Any) -> Mapping[str, Any]:
    """The value if it is a record, else an empty one."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else NOTHING


def records(value: Any) -> list[Mapping[str, Any]]:
    """The records in a list; whatever else is in it is left out."""
    if not isinstance(value, list):
        return []
    return [cast("Mapping[str, Any]", item) for item in cast("list[Any]", value) if isinstance(item, Mapping)]


def texts(value: Any) -> list[str]:
    """The strings in a list; whatever else is in it is left out."""
    if not isinstance(value, list):
        return []
    return [item for item in cast("list[Any]", value) if isinstance(item, str)]


def words(listed: str) -> tuple[str, ...]:
    """The words of a table written as running text."""
    return tuple(listed.split())
