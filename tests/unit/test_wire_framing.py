"""Zero, four bytes of id, body: and nothing else passes as a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hueandcry.errors import FramingError
from hueandcry.wire.framing import frame, unframe


@given(st.integers(1, 2**31 - 1), st.binary(max_size=100))
def test_what_is_framed_is_unframed(schema_id: int, body: bytes) -> None:
    value = frame(schema_id, body)
    assert value == b"\0" + schema_id.to_bytes(4, "big") + body
    assert unframe(value) == (schema_id, body)


UNFRAMED: dict[str, bytes | None] = {
    "no value": None,
    "nothing": b"",
    "four bytes": b"\0\0\0\0",
    "JSON": b'{"alert_id": "1"}',
    "another magic byte": b"\1\0\0\0\1x",
    "id zero": b"\0\0\0\0\0x",
    "an id with the top bit": b"\0\x80\0\0\0x",
}


@pytest.mark.parametrize("name", UNFRAMED)
def test_what_is_not_framed_is_refused(name: str) -> None:
    with pytest.raises(FramingError) as caught:
        unframe(UNFRAMED[name])
    assert caught.value.rule == "wire.framing"


@pytest.mark.parametrize("schema_id", [0, -1, 2**31])
def test_no_registry_gives_out_such_an_id(schema_id: int) -> None:
    with pytest.raises(FramingError):
        frame(schema_id, b"x")
