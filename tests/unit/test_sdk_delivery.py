"""Deliveries as JSON, repeats, and what the rows of `tail` show."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import NOW_MS, sound_cyber, sound_person, sound_vehicle
from hueandcry.cli.console import json_line
from hueandcry.cli.tail import delivery_row, subject_line
from hueandcry.sdk.delivery import Delivery, Place, Repeats, read_delivery
from hueandcry.wire.codec import delivery_value, encode
from hueandcry.wire.schemas import WriterSchema, schema


class Ids:
    """The registry's answers."""

    def writer(self, schema_id: int) -> WriterSchema:
        """Our own schema of deliveries."""
        assert schema_id == 5
        ours = schema("Delivery")
        return WriterSchema(ours.name, ours.hot, ours.fingerprint)


def prefix(alert: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A hueandcry.Delivery without its alert."""
    return {
        "delivery_id": str(uuid.UUID(int=1)),
        "action": "issued",
        "alert_id": alert["alert_id"],
        "version": alert["version"],
        "kind": alert["kind"],
        "cluster_id": alert["alert_id"],
        "delivered_at": NOW_MS,
        "received_at": NOW_MS - 12,
        "form": "original",
        "reason": "subscription all",
        "related": [],
        "enrichment": {"state_name": "France", "offences": [], "facts": None, "remarks": []},
        "schema_id": 3,
    } | changes


def read(alert: dict[str, Any], body: bytes | None, **changes: Any) -> Delivery:
    value = delivery_value(5, prefix(alert, **changes), body)
    return read_delivery(value, (), Place("inbox.x", 1, 2, NOW_MS), Ids())  # type: ignore[arg-type]


@pytest.mark.parametrize("alert", [sound_vehicle(), sound_person(), sound_cyber()], ids=lambda each: each["kind"])
def test_an_original_alert_keeps_the_bytes_that_were_signed(alert: dict[str, Any]) -> None:
    body = encode("Alert", alert)
    delivery = read(alert, body)
    assert delivery.signed_body == body
    assert delivery.alert is not None
    assert delivery.alert["subject"].keys() == alert["subject"].keys()
    shown = json.loads(json_line(delivery.to_json()))
    assert shown["alert"]["issued_at"].endswith("Z")
    assert shown["delivered_at"] == "2026-03-01T12:00:00.000Z"
    assert shown["kafka"] == {"topic": "inbox.x", "partition": 1, "offset": 2}


def test_bytes_are_hexadecimal_in_json() -> None:
    alert = sound_person()
    alert["subject"]["biometrics"] = [{"type": "face", "reference": "B-1", "sha256": bytes(range(32))}]
    shown = read(alert, encode("Alert", alert)).to_json()
    assert shown["alert"]["subject"]["biometrics"][0]["sha256"] == bytes(range(32)).hex()


def test_a_redacted_alert_has_no_signed_bytes_and_says_so() -> None:
    alert = sound_vehicle()
    delivery = read(alert, encode("Alert", alert), form="redacted")
    assert delivery.signed_body is None
    assert "redacted" in delivery_row(delivery).plain


def test_a_delivery_without_alert_shows_why() -> None:
    alert = sound_vehicle()
    delivery = read(alert, None, form="none", action="recalled", reason="clearance")
    assert (delivery.alert, delivery.to_json()["alert"]) == (None, None)
    row = delivery_row(delivery).plain
    assert "recalled" in row
    assert "none" in row
    assert row.endswith("clearance")


def test_what_an_alert_says_does_not_steer_the_terminal() -> None:
    alert = sound_vehicle(subject__make="\x1b[2J\x9b2JOPEL\u202e\r")
    assert subject_line(alert).startswith("[2J2JOPEL")
    line = json_line(read(alert, encode("Alert", alert)).to_json())
    assert line.isprintable()
    assert json.loads(line)["alert"]["subject"]["make"] == alert["subject"]["make"]


@given(st.lists(st.sampled_from("abcdef")), st.integers(min_value=1, max_value=8))
def test_a_repeat_among_the_last_is_recognised(ids: list[str], remember: int) -> None:
    repeats = Repeats(remember)
    for number, each in enumerate(ids):
        before = ids[:number]
        recent: list[str] = []
        for other in before:
            recent = [*(kept for kept in recent if kept != other), other][-remember:]
        assert repeats.is_repeat(each) == (each in recent)
