"""Avro bodies to and from plain dicts.

Records are plain dicts: times int epoch milliseconds, dates int days since 1970-01-01, uuids and enums str. A union
of records decodes to the record itself, without its name.

**Which branch a record is written in.** Where a union has one record, there is no question. Where it has more:

1. a tuple (full name, record) says it: `("hueandcry.VehicleFacts", {...})`;
2. else, for `Alert.subject`, `kind` beside it says it;
3. else the one branch that has all keys of the record (a record as it was decoded has all keys of its own branch, so
   what was decoded can be encoded again); where more than one has, EncodeError.

Keys that the branch has not are refused there. Elsewhere keys that a record type has not are passed over, and fields
that are left out take their default.

Bytes are read strictly: all of them, indices and sizes in range, blocks that end where they say, UTF-8. Anything else
is a DecodeError that names the field and the offset, never the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from struct import error as StructError
from typing import Any

from fastavro import schemaless_reader

from hueandcry.errors import DecodeError, EncodeError, UnknownSchema
from hueandcry.wire.compiled import FAULTS, Compiled
from hueandcry.wire.framing import frame, unframe
from hueandcry.wire.ids import SchemaIds
from hueandcry.wire.schemas import WriterSchema, full_name, schema

__all__ = ["SUBJECT_BY_KIND", "SchemaIds", "decode", "decode_as", "delivery_value", "encode", "split_delivery"]

#: Record of `Alert.subject` by `Alert.kind`.
SUBJECT_BY_KIND: Mapping[str, str] = {
    "stolen_vehicle": "hueandcry.StolenVehicle",
    "wanted_person": "hueandcry.WantedPerson",
    "cyber": "hueandcry.CyberThreat",
}
_TOLD_BY = {("hueandcry.Alert", "subject"): ("kind", SUBJECT_BY_KIND)}

_MOST_FOREIGN = 64

_NO_ALERT, _AN_ALERT = b"\x00", b"\x02"


def encode(name: str, record: Mapping[str, Any]) -> bytes:
    """Body of a record in our own schema, without frame.

    Raises:
        EncodeError: the record does not fit the schema.
        UnknownSchema: there is no such schema.
    """
    return bytes(_write(_ours(name), name, record))


def decode(name: str, body: bytes) -> dict[str, Any]:
    """Record of a body that was written in our own schema.

    Raises:
        DecodeError: the bytes do not fit the schema, or go on behind it.
        UnknownSchema: there is no such schema.
    """
    record, end = _read(_ours(name), name, body)
    if end != len(body):
        raise _wrong_end(name, body, end)
    return record


def decode_as(name: str, body: bytes, writer: WriterSchema) -> dict[str, Any]:
    """Record of a body that was written in an older or newer version of our schema, as ours reads it.

    The bytes are first read strictly in the writer's schema; the library then resolves them to ours.

    Raises:
        DecodeError: as `decode`; or the writer's schema is of another record, or can't be read as ours.
    """
    name = full_name(name)
    if writer.name != name:
        raise DecodeError(
            f"the schema is of {writer.name}, not of {name}", hint=f"Frame the message with the id of a {name}"
        )
    ours = schema(name)
    if writer.fingerprint == ours.fingerprint:
        return decode(name, body)
    theirs = _foreign(writer)
    _, end = _read(theirs, name, body)
    if end != len(body):
        raise _wrong_end(name, body, end)
    try:
        record = schemaless_reader(BytesIO(body), writer.hot, ours.hot)
    except Exception as error:  # the library has no one error for schemas that do not resolve
        raise DecodeError(
            f"the schema that the {name} is written in can't be read as ours",
            hint="Register a schema that is compatible with the one in avro/",
        ) from error
    return _own(record)


def delivery_value(schema_id: int, prefix_record: Mapping[str, Any], alert_body: bytes | None) -> bytes:
    """A framed hueandcry.Delivery whose last field holds the alert's bytes as they are.

    Only for bytes that were written in the Alert schema that is inside Delivery (the same fingerprint as ours);
    the caller decodes and encodes others first, and says so in `form`.

    Args:
        schema_id: id of Delivery.
        prefix_record: the record without `alert`.
        alert_body: Avro body of the alert without frame, or None for no alert.

    Raises:
        EncodeError: the record does not fit.
    """
    buffer = _write(_delivery_prefix(), "hueandcry.Delivery", prefix_record)
    if alert_body is None:
        buffer += _NO_ALERT
    else:
        buffer += _AN_ALERT
        buffer += alert_body
    return frame(schema_id, buffer)


def split_delivery(value: bytes) -> tuple[dict[str, Any], bytes | None]:
    """A framed delivery as its record without `alert`, and the alert's bytes; where `form` is original, those that
    the issuer signed. The alert itself is not decoded.

    Raises:
        FramingError, DecodeError: not a delivery.
    """
    _, body = unframe(value)
    record, end = _read(_delivery_prefix(), "hueandcry.Delivery", body)
    branch = body[end : end + 1]
    if branch == _NO_ALERT and end + 1 == len(body):
        return record, None
    if branch != _AN_ALERT:
        raise DecodeError("not a hueandcry.Delivery: alert: a union has no such branch", place=str(end))
    return record, body[end + 1 :]


@cache
def _ours(name: str) -> Compiled:
    return Compiled(schema(name).hot, _TOLD_BY)


@cache
def _delivery_prefix() -> Compiled:
    hot = schema("Delivery").hot
    if hot["fields"][-1]["name"] != "alert":
        raise UnknownSchema("hueandcry.Delivery does not end in alert")
    return Compiled({**hot, "fields": hot["fields"][:-1]}, _TOLD_BY)


_compiled_foreign: dict[str, Compiled] = {}


def _foreign(writer: WriterSchema) -> Compiled:
    found = _compiled_foreign.get(writer.fingerprint)
    if found is None:
        try:
            found = Compiled(writer.hot)
        except Exception as error:  # nested beyond what Python compiles
            raise DecodeError(f"the schema that the {writer.name} is written in can't be read") from error
        if len(_compiled_foreign) >= _MOST_FOREIGN:
            _compiled_foreign.clear()
        _compiled_foreign[writer.fingerprint] = found
    return found


def _own(value: Any) -> Any:
    """A copy that shares no list or dict with the schema: resolving puts the schema's own defaults into records."""
    if isinstance(value, dict):
        return {key: _own(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_own(item) for item in value]
    return value


def _write(compiled: Compiled, name: str, record: Mapping[str, Any]) -> bytearray:
    buffer = bytearray()
    try:
        compiled.write(record, buffer)
    except FAULTS as error:
        field = compiled.place(error.__traceback__).field
        raise EncodeError(
            f"not a {full_name(name)}: {f'{field}: ' if field else ''}{_why_unwritten(error, field)}", place=field
        ) from None
    return buffer


def _read(compiled: Compiled, name: str, body: bytes) -> tuple[dict[str, Any], int]:
    try:
        return compiled.read(body, 0)
    except FAULTS as error:
        field, offset = compiled.place(error.__traceback__)
        raise DecodeError(
            f"not a {full_name(name)}: {f'{field}: ' if field else ''}{_why_unread(error)}", place=str(max(offset, 0))
        ) from None


def _wrong_end(name: str, body: bytes, end: int) -> DecodeError:
    what = "bytes follow its end" if end < len(body) else "the bytes end too early"
    return DecodeError(f"not a {full_name(name)}: {what}", place=str(min(end, len(body))))


def _why_unread(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "the text is not UTF-8"
    if isinstance(error, (IndexError, StructError)):
        return "the bytes end too early"
    if isinstance(error, KeyError):
        return "there is no such symbol"
    return str(error) if isinstance(error, ValueError) else "no bytes"


def _why_unwritten(error: Exception, field: str) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "the text has half of a surrogate pair"
    if isinstance(error, KeyError):
        return "the field is missing" if error.args == (field.rpartition(".")[2],) else "there is no such symbol"
    return str(error) if isinstance(error, ValueError) else "the value is of another type"
