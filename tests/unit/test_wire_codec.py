"""Bodies decode to what was encoded, as fastavro sees them; anything else is a DecodeError, never a crash."""

from __future__ import annotations

import io
import json
import tracemalloc
import uuid
from datetime import UTC, datetime
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hueandcry.errors import DecodeError, EncodeError
from hueandcry.wire.codec import decode, decode_as, delivery_value, encode, split_delivery
from hueandcry.wire.framing import unframe
from hueandcry.wire.schemas import WriterSchema, all_subjects, schema, writer_schema
from wire_records import ALERTS, CYBER, PERSON, VEHICLE, plain, records

BODIES = {kind: encode("Alert", alert) for kind, alert in ALERTS.items()}


def by_library(name: str, body: bytes) -> Any:
    return fastavro.schemaless_reader(io.BytesIO(body), schema(name).hot, None)


def written_by_library(name: str, record: Any) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, schema(name).hot, record)
    return buffer.getvalue()


@settings(max_examples=30, deadline=None)
@given(st.data())
@pytest.mark.parametrize("name", all_subjects())
def test_encodes_and_decodes_as_fastavro_does(name: str, data: st.DataObject) -> None:
    record = data.draw(records(name))
    body = encode(name, record)
    assert body == written_by_library(name, record)
    assert decode(name, body) == plain(record) == by_library(name, body)


@pytest.mark.parametrize("kind", ALERTS)
def test_a_full_alert_round_trips_whatever_script_it_holds(kind: str) -> None:
    assert decode("Alert", BODIES[kind]) == ALERTS[kind]
    assert BODIES[kind] == written_by_library("Alert", ALERTS[kind])


@settings(max_examples=30, deadline=None)
@given(records("Admitted"))
def test_what_was_decoded_can_be_encoded_again(record: dict[str, Any]) -> None:
    body = encode("Admitted", record)
    assert encode("Admitted", decode("Admitted", body)) == body


def test_fields_left_out_take_their_default_and_share_nothing() -> None:
    least = {"make": "X"}
    record = {k: v for k, v in VEHICLE.items() if k not in ("links", "remarks", "excluded")} | {"subject": least}
    first, second = (decode("Alert", encode("Alert", record)) for _ in range(2))
    assert first["links"] == []
    assert first["remarks"] is None
    assert first["subject"]["stolen"] == "vehicle"
    first["links"].append("mine")
    assert second["links"] == []


def test_ten_thousand_indicators_round_trip() -> None:
    many = [{"type": "domain", "value": f"host{at}.example"} for at in range(10_000)]
    alert = {**CYBER, "subject": {**CYBER["subject"], "indicators": many}}
    assert decode("Alert", encode("Alert", alert)) == alert


UNENCODABLE: dict[str, tuple[dict[str, Any], str]] = {
    "a number for a text": ({"issuer": 5}, "issuer"),
    "an unknown symbol": ({"tlp": "blue"}, "tlp"),
    "a text for a list": ({"circulation": "world"}, "circulation"),
    "half of a surrogate pair": ({"remarks": "\ud800"}, "remarks"),
    "an int of 33 bits": ({"version": 2**32}, "version"),
    "a long of 65 bits": ({"issued_at": 2**64}, "issued_at"),
    "a text for a time": ({"issued_at": "2026-01-01"}, "issued_at"),
    "a subject of another kind": ({"kind": "cyber"}, "subject"),
    "an empty subject of an unknown kind": ({"kind": "unknown", "subject": {}}, "subject"),
    "a subject with a field of none": ({"subject": {"colour": "red"}}, "subject"),
    "a tuple that names no branch": ({"subject": ("hueandcry.Person", {})}, "subject"),
    "no subject": ({"subject": None}, "subject"),
    "bytes as text": ({"links": [{"uri": "urn:x", "sha256": "00"}]}, "links.sha256"),
    "no reference in a reference": ({"references": [{"relation": "related"}]}, "references.alert_id"),
}


@pytest.mark.parametrize("name", UNENCODABLE)
def test_a_record_that_does_not_fit_is_refused_with_its_field(name: str) -> None:
    change, field = UNENCODABLE[name]
    with pytest.raises(EncodeError) as caught:
        encode("Alert", {**VEHICLE, **change})
    assert caught.value.place == field
    assert field in str(caught.value)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(EncodeError, match=r"^not a hueandcry\.Alert: tlp: the field is missing$"):
        encode("Alert", {k: v for k, v in VEHICLE.items() if k != "tlp"})


@pytest.mark.parametrize("kind", ALERTS)
def test_every_truncation_is_refused(kind: str) -> None:
    body = BODIES[kind]
    for length in range(len(body)):
        with pytest.raises(DecodeError):
            decode("Alert", body[:length])


def test_trailing_bytes_are_refused_with_their_place() -> None:
    body = BODIES["cyber"]
    with pytest.raises(DecodeError, match="bytes follow its end") as caught:
        decode("Alert", body + b"\x00")
    assert caught.value.place == str(len(body))


def varint(value: int) -> bytes:
    n = value << 1 if value >= 0 else (-value << 1) - 1
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes([*out, n])


# Sent is a string and an int, Holders a map of strings, IndicatorCount begins with an enum, Remark ends in a union.
HOSTILE: dict[str, tuple[str, bytes]] = {
    "nothing": ("Sent", b""),
    "a text of 2^60 bytes": ("Sent", varint(2**60) + b"abc\x02"),
    "a text of -1 bytes": ("Sent", varint(-1) + b"abc\x02"),
    "a text of 2^63 bytes": ("Sent", varint(2**63 - 1) + b"abc\x02"),
    "a text that is not UTF-8": ("Sent", b"\x04\xff\xfe\x02"),
    "a text with a surrogate": ("Sent", b"\x06\xed\xa0\x80\x02"),
    "a text in overlong UTF-8": ("Sent", b"\x04\xc0\xaf\x02"),
    "an int of 33 bits": ("Sent", b"\x02a" + varint(2**32)),
    "an int of eleven bytes": ("Sent", b"\x02a" + b"\x80" * 10 + b"\x00"),
    "an int without end": ("Sent", b"\x02a" + b"\xff" * 1000),
    "a map of 2^40 entries": ("Holders", varint(2**40)),
    "a map of 2^62 entries": ("Holders", varint(2**62) + b"\x02a\x02b"),
    "a map of 2^40 entries, with its size": ("Holders", varint(-(2**40)) + varint(3) + b"\x00\x00\x00"),
    "a block with a size beyond the end": ("Holders", varint(-1) + varint(2**40) + b"\x02a\x02b\x00"),
    "a block with a size that lies": ("Holders", varint(-1) + varint(3) + b"\x02a\x02b\x00"),
    "a block with a size below zero": ("Holders", varint(-1) + varint(-4) + b"\x02a\x02b\x00"),
    "a count of zero in two bytes": ("Holders", b"\x80\x00\x00"),
    "an enum index past the last symbol": ("IndicatorCount", b"\x7e"),
    "an enum index below zero": ("IndicatorCount", b"\x01"),
    "an enum index of 2^60": ("IndicatorCount", varint(2**60)),
    "a union index past the last branch": ("Remark", b"\x00\x00\x00\x04"),
    "a union index below zero": ("Remark", b"\x00\x00\x00\x01"),
    "a union index in two bytes": ("Remark", b"\x00\x00\x00\x80\x00"),
    "a boolean of two": ("PartialDate", b"\x00\x00\x00\x02"),
    "half a double": ("Place", b"\x00\x00\x00\x02\x00\x00"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_are_refused_and_take_no_memory(name: str) -> None:
    record, body = HOSTILE[name]
    decode_nothing_else(record, b"")  # so that making the reader is not measured
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError):
            decode(record, body)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def decode_nothing_else(name: str, body: bytes) -> dict[str, Any] | None:
    """The record, or None for a DecodeError; every other exception is a failure."""
    try:
        return decode(name, body)
    except DecodeError:
        return None


def test_a_block_with_its_size_is_read() -> None:
    assert decode("Holders", varint(-1) + varint(4) + b"\x02a\x02b\x00") == {"by_agency_and_category": {"a": "b"}}


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(BODIES)),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 3), st.binary(min_size=1, max_size=12)), min_size=1),
)
def test_mutated_bytes_give_a_record_or_a_decode_error(kind: str, changes: list[tuple[int, int, bytes]]) -> None:
    body = bytearray(BODIES[kind])
    for at, what, new in changes:
        at %= len(body) + 1
        if what == 0:
            body[at : at + len(new)] = new
        elif what == 1:
            body[at:at] = new
        elif what == 2:
            del body[at : at + len(new)]
        else:
            del body[at:]
    record = decode_nothing_else("Alert", bytes(body))
    if record is not None:
        assert repr(by_library("Alert", bytes(body))) == repr(record)
        decode("Alert", encode("Alert", {**record, "subject": (subject_name(record), record["subject"])}))


def subject_name(record: dict[str, Any]) -> str:
    keys = set(record["subject"])
    return next(
        branch["name"]
        for branch in schema("Alert").hot["fields"][-1]["type"]
        if {field["name"] for field in branch["fields"]} == keys
    )


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(all_subjects()), st.binary(max_size=200))
def test_any_bytes_give_a_record_or_a_decode_error(name: str, body: bytes) -> None:
    decode_nothing_else(name, body)


def changed(change: Any) -> WriterSchema:
    """Our Alert schema as another version of it: `change` gets its JSON tree."""
    tree = json.loads(schema("Alert").json)
    change(tree)
    return writer_schema(json.dumps(tree))


def test_a_newer_writer_is_read_without_what_we_do_not_know() -> None:
    def newer(tree: Any) -> None:
        tree["fields"].insert(3, {"name": "urgency", "type": ["null", "string"], "default": None, "doc": "New."})
        next(f for f in tree["fields"] if f["name"] == "tlp")["type"]["symbols"].append("ultraviolet")

    writer = changed(newer)
    buffer = io.BytesIO()
    alert = {
        **VEHICLE,
        "urgency": "high",
        "tlp": "ultraviolet",
        "subject": ("hueandcry.StolenVehicle", VEHICLE["subject"]),
    }
    fastavro.schemaless_writer(buffer, writer.hot, alert)
    assert decode_as("Alert", buffer.getvalue(), writer) == {**VEHICLE, "tlp": "unknown"}
    for length in range(len(buffer.getvalue())):
        with pytest.raises(DecodeError):
            decode_as("Alert", buffer.getvalue()[:length], writer)
    with pytest.raises(DecodeError):
        decode_as("Alert", buffer.getvalue() + b"\x00", writer)


def test_an_older_writer_is_read_with_our_defaults_which_are_not_shared() -> None:
    def older(tree: Any) -> None:
        tree["fields"] = [field for field in tree["fields"] if field["name"] not in ("links", "legal_basis")]

    writer = changed(older)
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, writer.hot, {**PERSON, "subject": ("hueandcry.WantedPerson", PERSON["subject"])})
    first, second = (decode_as("Alert", buffer.getvalue(), writer) for _ in range(2))
    assert first == {**PERSON, "links": [], "legal_basis": None}
    first["links"].append("mine")
    assert second["links"] == []
    assert decode_as("Alert", buffer.getvalue(), writer)["links"] == []


def test_our_own_schema_by_another_text_is_ours() -> None:
    writer = changed(lambda tree: tree.update(doc="Other words."))
    assert writer.fingerprint == schema("Alert").fingerprint
    assert decode_as("Alert", BODIES["cyber"], writer) == CYBER


def test_a_schema_of_another_record_is_refused() -> None:
    receipt = schema("Receipt")
    with pytest.raises(DecodeError, match=r"hueandcry\.Receipt, not of hueandcry\.Alert"):
        decode_as("Alert", BODIES["cyber"], WriterSchema(receipt.name, receipt.hot, receipt.fingerprint))


def test_a_writer_that_does_not_resolve_is_refused() -> None:
    def other(tree: Any) -> None:
        next(f for f in tree["fields"] if f["name"] == "version")["type"] = "string"

    writer = changed(other)
    buffer = io.BytesIO()
    alert = {**VEHICLE, "version": "one", "subject": ("hueandcry.StolenVehicle", VEHICLE["subject"])}
    fastavro.schemaless_writer(buffer, writer.hot, alert)
    with pytest.raises(DecodeError, match="can't be read as ours"):
        decode_as("Alert", buffer.getvalue(), writer)


@settings(max_examples=50, deadline=None)
@given(records("Delivery"), st.sampled_from([None, *ALERTS]))
def test_a_delivery_is_its_prefix_and_the_issuers_bytes(record: dict[str, Any], kind: str | None) -> None:
    prefix = {name: value for name, value in record.items() if name != "alert"}
    body = None if kind is None else BODIES[kind]
    value = delivery_value(7, prefix, body)
    assert split_delivery(value) == (plain(prefix), body)
    schema_id, whole = unframe(value)
    expected = {**plain(prefix), "alert": None if kind is None else ALERTS[kind]}
    assert schema_id == 7
    assert by_library("Delivery", whole) == decode("Delivery", whole) == expected


PREFIX: dict[str, Any] = {
    "delivery_id": "5d0e3c55-7a5c-5b1e-8d43-0d0b0f6f7a01",
    "action": "issued",
    "alert_id": VEHICLE["alert_id"],
    "version": 1,
    "kind": "stolen_vehicle",
    "cluster_id": VEHICLE["alert_id"],
    "delivered_at": 1770000000123,
    "received_at": 1770000000100,
    "form": "original",
    "reason": "subscription vehicles",
    "related": [],
    "enrichment": {"state_name": "Utopia", "offences": [], "facts": ("hueandcry.VehicleFacts", {}), "remarks": []},
    "schema_id": 3,
}


@pytest.mark.parametrize("kind", ALERTS)
def test_a_subscriber_with_the_schema_from_the_registry_reads_a_delivery(kind: str) -> None:
    value = delivery_value(7, PREFIX, BODIES[kind])
    read = fastavro.schemaless_reader(io.BytesIO(value[5:]), json.loads(schema("Delivery").json), None)
    assert isinstance(read, dict)
    assert read["delivered_at"] == datetime(2026, 2, 2, 2, 40, 0, 123000, UTC)
    assert read["alert"]["alert_id"] == uuid.UUID(VEHICLE["alert_id"])
    assert read["alert"]["offences"] == ALERTS[kind]["offences"]
    assert set(read["alert"]["subject"]) == set(ALERTS[kind]["subject"])


def test_a_delivery_with_another_end_is_refused() -> None:
    value = delivery_value(7, PREFIX, None)
    for bad in (value[:-1], value + b"\x00", value[:-1] + b"\x04", value[:-1] + b"\x01"):
        with pytest.raises(DecodeError):
            split_delivery(bad)
