"""The Confluent wire format: a zero byte, the schema id as four bytes big-endian, the Avro body.

Source: Confluent, "Schema Registry: formats, serializers and deserializers", section "Wire format".
"""

from __future__ import annotations

from struct import Struct

from hueandcry.errors import FramingError

_PREFIX = Struct(">BI")
#: Bytes before the body.
PREFIX_SIZE = _PREFIX.size
_LARGEST_ID = 2**31 - 1


def frame(schema_id: int, body: bytes | bytearray) -> bytes:
    """Put the five-byte prefix before a body.

    Raises:
        FramingError: the id is not in 1 to 2^31 - 1.
    """
    if not 0 < schema_id <= _LARGEST_ID:
        raise FramingError(f"schema id {schema_id} is out of range", hint="A registry's ids are 1 to 2^31 - 1")
    return _PREFIX.pack(0, schema_id) + body


def unframe(value: bytes | None) -> tuple[int, bytes]:
    """Split a message into schema id and body.

    Raises:
        FramingError: no value, too short, another magic byte, or an id that no registry gives out.
    """
    if value is None:
        raise FramingError("the message has no value", hint="Send the alert as the value, in the Confluent wire format")
    if len(value) < PREFIX_SIZE:
        raise FramingError(f"the value has {len(value)} bytes; the frame alone has {PREFIX_SIZE}", place="0")
    magic, schema_id = _PREFIX.unpack_from(value)
    if magic != 0:
        raise FramingError(
            f"the first byte is {magic}, not 0",
            hint="Send Avro in the Confluent wire format: 0, schema id in four bytes, body",
            place="0",
        )
    if not 0 < schema_id <= _LARGEST_ID:
        raise FramingError(f"schema id {schema_id} is out of range", place="1")
    return schema_id, value[PREFIX_SIZE:]
