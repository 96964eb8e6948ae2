"""The ids that a registry gave to schemas, and the schemas behind ids."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from hueandcry.errors import RegistryError, UnknownSchema
from hueandcry.wire.schemas import WriterSchema, full_name, schema, writer_schema

#: Seconds for which an id that the registry does not know is not asked for again.
FORGET_UNKNOWN_AFTER = 5.0
_MOST_UNKNOWN = 4096


class SchemaIds:
    """Ids of schemas in the registry, each asked for once.

    Ids are for good, so what is found is kept. An id that the registry does not know, or whose schema is not one of
    ours, is not asked for again for FORGET_UNKNOWN_AFTER seconds.

    Args:
        client: of the registry.
        clock: seconds, for the tests.
    """

    def __init__(self, client: SchemaRegistryClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._ids: dict[str, int] = {}
        self._writers: dict[int, WriterSchema] = {}
        self._unknown: dict[int, tuple[float, UnknownSchema]] = {}

    def id_of(self, name: str) -> int:
        """Id of our own schema: the latest version's where that is ours, else that of the version that is.

        Raises:
            RegistryError: the registry does not have it, or does not answer.
        """
        name = full_name(name)
        found = self._ids.get(name)
        if found is None:
            found = self._ids[name] = self._look_up(name)
        return found

    def writer(self, schema_id: int) -> WriterSchema:
        """Schema of an id, as a body with that id was written.

        Raises:
            UnknownSchema: the registry does not know the id, or its schema is not of a record of ours. For good.
            RegistryError: the registry does not answer. Try again.
        """
        found = self._writers.get(schema_id)
        if found is not None:
            return found
        until, unknown = self._unknown.get(schema_id, (0.0, None))
        if unknown is not None and self._clock() < until:
            raise unknown.with_traceback(None)
        try:
            found = writer_schema(_text_of(self._ask(self._client.get_schema, schema_id)))
        except _Absent:
            found = UnknownSchema(
                f"schema id {schema_id} is not in the registry", hint="Frame the message with the id that it gave out"
            )
        except UnknownSchema as error:
            found = error
        if isinstance(found, UnknownSchema):
            if len(self._unknown) >= _MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown[schema_id] = (self._clock() + FORGET_UNKNOWN_AFTER, found)
            raise found
        self._unknown.pop(schema_id, None)
        self._writers[schema_id] = found
        return found

    def _look_up(self, name: str) -> int:
        ours = schema(name)
        try:
            latest = self._ask(self._client.get_latest_version, name)
            if _is(latest.schema, ours.fingerprint):
                return int(latest.schema_id)
            return int(self._ask(self._client.lookup_schema, name, Schema(ours.json, "AVRO")).schema_id)
        except _Absent:
            raise RegistryError(
                f"the registry does not have this version of {name}", hint="Register the schemas of avro/ first"
            ) from None

    def _ask(self, call: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except SchemaRegistryError as error:
            # 40401 no such subject, 40402 no such version, 40403 no such schema. A bare 404 is a wrong URL.
            if error.error_code in (40401, 40402, 40403):
                raise _Absent from None
            raise RegistryError(
                f"the schema registry refused (status {error.http_status_code}, code {error.error_code})",
                hint="Check the registry's URL, user and password",
            ) from error
        except Exception as error:  # the client lets the errors of its HTTP library through
            raise RegistryError(
                f"the schema registry did not answer ({type(error).__name__})", hint="Check that it runs, and its URL"
            ) from error


class _Absent(Exception):
    """The registry answers that it does not have it."""


def _text_of(found: Schema) -> str:
    if found.schema_type not in (None, "AVRO"):
        raise UnknownSchema("the schema is not Avro")
    return found.schema_str or ""


def _is(found: Schema, fingerprint: str) -> bool:
    try:
        return writer_schema(_text_of(found)).fingerprint == fingerprint
    except UnknownSchema:
        return False
