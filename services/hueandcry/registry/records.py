"""Keys and values of the `_schemas` topic, JSON as Confluent's registry writes it.

    {"keytype":"SCHEMA","subject":"s","version":1,"magic":1}
        {"subject":"s","version":1,"id":1,"schema":"…","deleted":false}; null: deleted for good
    {"keytype":"CONFIG","subject":"s","magic":0}           {"compatibilityLevel":"FULL"}; null: back to the global level
    {"keytype":"MODE","subject":"s","magic":0}             {"mode":"READONLY"}
    {"keytype":"DELETE_SUBJECT","subject":"s","magic":0}   {"subject":"s","version":3}: versions up to 3 are deleted
    {"keytype":"CLEAR_SUBJECT","subject":"s","magic":0}    {"subject":"s"}: only read, never written by us
    {"keytype":"NOOP","magic":0}                           ours carries {"highestId":7}; others ignore a NOOP's value

A key without subject is the global one. Source: the record classes in confluentinc/schema-registry, package
io.confluent.kafka.schemaregistry.storage.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from hueandcry.errors import RegistryError

SCHEMA: Final = "SCHEMA"
CONFIG: Final = "CONFIG"
MODE: Final = "MODE"
DELETE_SUBJECT: Final = "DELETE_SUBJECT"
CLEAR_SUBJECT: Final = "CLEAR_SUBJECT"
NOOP: Final = "NOOP"
_MAGIC: Final = {SCHEMA: 1}


class Reference(NamedTuple):
    """A schema names a type that is defined in a version of another subject."""

    name: str
    subject: str
    version: int

    def as_json(self) -> dict[str, str | int]:
        return self._asdict()


@dataclass(frozen=True)
class Key:
    """What a record is about. `subject` None: all subjects."""

    kind: str
    subject: str | None = None
    version: int | None = None


class Record(NamedTuple):
    """One record, decoded. `value` None is a tombstone."""

    key: Key
    value: Mapping[str, Any] | None


class BadRecord(RegistryError):
    """A record of the topic is not one of a registry's."""


def encode(record: Record) -> tuple[bytes, bytes | None]:
    """Key and value as they are produced."""
    key: dict[str, Any] = {"keytype": record.key.kind}
    if record.key.subject is not None:
        key["subject"] = record.key.subject
    if record.key.version is not None:
        key["version"] = record.key.version
    key["magic"] = _MAGIC.get(record.key.kind, 0)
    return _dump(key), None if record.value is None else _dump(record.value)


def _dump(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def decode(key: bytes | None, value: bytes | None) -> Record:
    """A record of the topic. Raises BadRecord."""
    try:
        head = json.loads(key or b"")
        body = None if value is None or value == b"null" else json.loads(value)
    except (ValueError, RecursionError) as error:
        raise BadRecord("not JSON") from error
    if not isinstance(head, dict) or not isinstance(head.get("keytype"), str):
        raise BadRecord("a key without keytype")
    if body is not None and not isinstance(body, dict):
        raise BadRecord("a value that is no object")
    subject, version = head.get("subject"), head.get("version")
    kind = head["keytype"]
    if subject is not None and not isinstance(subject, str):
        raise BadRecord("a subject that is no string")
    if kind == SCHEMA:
        if subject is None or not _number(version):
            raise BadRecord("a SCHEMA key without subject and version")
        if body is not None and not (_number(body.get("id")) and isinstance(body.get("schema"), str)):
            raise BadRecord("a SCHEMA value without id and schema")
    elif kind in (DELETE_SUBJECT, CLEAR_SUBJECT) and subject is None:
        raise BadRecord(f"a {kind} key without subject")
    return Record(Key(kind, subject, version if kind == SCHEMA else None), body)


def references_of(value: Mapping[str, Any]) -> tuple[Reference, ...]:
    """The references of a SCHEMA value; what is not of their form is left out."""
    given = value.get("references")
    found = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    return tuple(
        Reference(one["name"], one["subject"], one["version"])
        for one in found
        if isinstance(one.get("name"), str) and isinstance(one.get("subject"), str) and _number(one.get("version"))
    )


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
