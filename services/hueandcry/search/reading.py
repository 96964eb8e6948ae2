"""From the register's bytes to what they hold."""

from __future__ import annotations

from typing import Any

from hueandcry.distribute.entries import Entry
from hueandcry.wire.codec import SchemaIds, decode_as
from hueandcry.wire.framing import unframe


class Reading:
    """Reads entries of the register, and the alerts in them.

    Args:
        schemas: the registry's ids.
    """

    def __init__(self, schemas: SchemaIds) -> None:
        self._schemas = schemas

    def entry(self, value: bytes) -> Entry:
        """A hueandcry.RegisterEntry."""
        schema_id, body = unframe(value)
        return decode_as("hueandcry.RegisterEntry", body, self._schemas.writer(schema_id))

    def alert(self, entry: Entry) -> dict[str, Any]:
        """The whole hueandcry.Alert of an entry, which nobody may see before it is redacted."""
        return decode_as("hueandcry.Alert", entry["body"], self._schemas.writer(entry["schema_id"]))
