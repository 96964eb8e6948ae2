"""Avro bodies to and from plain dicts; first form on fastavro alone."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError
from fastavro import schemaless_reader, schemaless_writer

from hueandcry.errors import DecodeError, EncodeError, RegistryError, UnknownSchema
from hueandcry.wire.framing import frame, unframe
from hueandcry.wire.schemas import WriterSchema, full_name, schema, writer_schema

BRANCH = {
    "stolen_vehicle": "hueandcry.StolenVehicle",
    "wanted_person": "hueandcry.WantedPerson",
    "cyber": "hueandcry.CyberThreat",
}


def encode(name: str, record: dict[str, Any]) -> bytes:
    """Body of a record, without frame."""
    name = full_name(name)
    if name == "hueandcry.Alert" and not isinstance(record.get("subject"), tuple):
        record = {**record, "subject": (BRANCH[record["kind"]], record["subject"])}
    buffer = BytesIO()
    try:
        schemaless_writer(buffer, schema(name).hot, record)
    except Exception as error:
        raise EncodeError(f"not a {name}: {type(error).__name__}") from error
    return buffer.getvalue()


def decode(name: str, body: bytes) -> dict[str, Any]:
    """Record of a body written in our own schema."""
    return _read(full_name(name), body, schema(name).hot, None)


def decode_as(name: str, body: bytes, writer: WriterSchema) -> dict[str, Any]:
    """Record of a body written in another version of the schema."""
    name = full_name(name)
    if writer.name != name:
        raise DecodeError(f"the schema is {writer.name}, not {name}")
    ours = schema(name)
    return _read(name, body, writer.hot, None if writer.fingerprint == ours.fingerprint else ours.hot)


def _read(name: str, body: bytes, writer: Any, reader: Any) -> dict[str, Any]:
    buffer = BytesIO(body)
    try:
        record = schemaless_reader(buffer, writer, reader)
    except Exception as error:
        raise DecodeError(f"not a {name}: {type(error).__name__}", place=str(buffer.tell())) from error
    if buffer.tell() != len(body):
        raise DecodeError(f"not a {name}: bytes follow its end", place=str(buffer.tell()))
    return record  # type: ignore[return-value]


def delivery_value(schema_id: int, prefix_record: dict[str, Any], alert_body: bytes | None) -> bytes:
    """A framed Delivery that ends in the issuer's bytes."""
    prefix = encode("Delivery", {**prefix_record, "alert": None})[:-1]
    return frame(schema_id, prefix + (b"\x00" if alert_body is None else b"\x02" + alert_body))


def split_delivery(value: bytes) -> tuple[dict[str, Any], bytes | None]:
    """Prefix and alert body of a framed Delivery."""
    _, body = unframe(value)
    record = decode("Delivery", body)
    alert = record.pop("alert")
    if alert is None:
        return record, None
    return record, body[len(encode("Delivery", {**record, "alert": None})) :]


class SchemaIds:
    """Registry ids of schemas."""

    def __init__(self, client: SchemaRegistryClient) -> None:
        self._client = client
        self._ids: dict[str, int] = {}
        self._writers: dict[int, WriterSchema] = {}

    def id_of(self, name: str) -> int:
        """Id of our schema."""
        name = full_name(name)
        if name not in self._ids:
            try:
                found = self._client.get_latest_version(name)
            except SchemaRegistryError as error:
                raise RegistryError(f"no schema {name} in the registry") from error
            self._ids[name] = int(found.schema_id or 0)
        return self._ids[name]

    def writer(self, schema_id: int) -> WriterSchema:
        """Schema of an id."""
        if schema_id not in self._writers:
            try:
                found = self._client.get_schema(schema_id)
            except SchemaRegistryError as error:
                if error.http_status_code == 404:
                    raise UnknownSchema(f"schema id {schema_id} is not in the registry") from error
                raise RegistryError("the registry did not answer") from error
            self._writers[schema_id] = writer_schema(found.schema_str or "")
        return self._writers[schema_id]
