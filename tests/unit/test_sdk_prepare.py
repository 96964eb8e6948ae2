"""An alert is validated, encoded and framed as given, or refused with field, rule and place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from factories import NOW_MS, sound_cyber, sound_person, sound_vehicle
from hueandcry.alerts.model import Alert
from hueandcry.errors import AlertInvalid
from hueandcry.sdk.jsonable import jsonable
from hueandcry.sdk.prepare import MAX_VALUE, Preparer
from hueandcry.wire.codec import decode
from hueandcry.wire.framing import unframe

PREPARER = Preparer("fr-pn", "FRA", 7, now=lambda: datetime.fromtimestamp(NOW_MS / 1000, UTC))


def as_published(record: dict[str, Any]) -> dict[str, Any]:
    """The publisher's form of a record."""
    return jsonable("hueandcry.Alert", record)


@pytest.mark.parametrize("record", [sound_vehicle(), sound_person(), sound_cyber()], ids=lambda each: each["kind"])
def test_what_is_signed_is_what_was_given(record: dict[str, Any]) -> None:
    record["issuer"] = "fr-pn"
    del record["alert_id"]
    prepared = PREPARER.prepare(as_published(record))
    assert unframe(prepared.value) == (7, prepared.body)
    read = decode("hueandcry.Alert", prepared.body)
    assert Alert.from_record(read) == Alert.model_validate(as_published(record))
    assert (prepared.alert_id, prepared.version) == (read["alert_id"], 1)


def test_what_follows_from_the_agency_may_be_left_out() -> None:
    given = as_published(sound_vehicle())
    for name in ("alert_id", "issuer", "issuing_state", "issued_at", "action", "provenance"):
        del given[name]
    read = decode("hueandcry.Alert", PREPARER.prepare(given).body)
    assert (read["issuer"], read["issuing_state"], read["issued_at"]) == ("fr-pn", "FRA", NOW_MS)


def test_the_state_must_be_said_where_the_profile_does_not_know_it() -> None:
    given = as_published(sound_vehicle())
    del given["issuing_state"]
    with pytest.raises(AlertInvalid) as caught:
        Preparer("fr-pn", "", 7).prepare(given)
    assert ("issuing_state", "field.missing") in {(each.field, each.rule) for each in caught.value.remarks}


@pytest.mark.parametrize("form", [dict, Alert.model_validate])
def test_an_alert_of_another_issuer_is_refused(form: Any) -> None:
    with pytest.raises(AlertInvalid) as caught:
        PREPARER.prepare(form(as_published(sound_vehicle(issuer="de-bka", issuing_state="DEU"))), "x:1")
    assert [(each.field, each.rule, each.place) for each in caught.value.remarks] == [
        ("issuer", "issuer.is_publisher", "x:1")
    ]


def test_too_large_an_alert_is_refused_with_its_size_and_the_limit() -> None:
    indicators = [{"type": "url", "value": f"https://example.org/{number}/{'x' * 1000}"} for number in range(1200)]
    alert = Alert.model_validate(as_published(sound_cyber(issuer="fr-pn", issuing_state="FRA")))
    assert hasattr(alert.subject, "indicators")
    large = alert.model_copy(
        update={
            "subject": type(alert.subject).model_validate({"indicators": indicators, "valid_from": "2026-01-01T00:00Z"})
        }
    )
    with pytest.raises(AlertInvalid) as caught:
        PREPARER.prepare(large)
    (remark,) = caught.value.remarks
    assert remark.rule == "size.limit"
    assert f"{MAX_VALUE:,}" in remark.message


def test_of_several_alerts_every_problem_is_named_with_its_place() -> None:
    sound = as_published(sound_vehicle())
    with pytest.raises(AlertInvalid) as caught:
        PREPARER.prepare_all([sound, sound | {"tlp": "purple"}, {}, sound | {"issued_at": "today"}])
    places = {each.place for each in caught.value.remarks}
    assert places == {"alert 1", "alert 2", "alert 3"}
    assert "purple" not in str(caught.value)
