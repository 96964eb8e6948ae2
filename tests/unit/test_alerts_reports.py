"""The rules over reports: each refusal has its row, no rule raises, and what the model makes is sound."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from factories import MINUTE_MS, NOW_MS
from hueandcry.alerts.problems import problems
from hueandcry.alerts.reports import LONGEST_REASON, RULES, Report, check, complete
from hueandcry.wire.codec import decode, encode
from reporting import report
from simulator import alert

ALERT = alert()["alert_id"]
PLACE = {"state": None, "subdivision": None, "locality": None, "latitude": None, "longitude": None}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

BAD: list[tuple[str, dict[str, Any]]] = [
    ("enum.unknown", {"type": "unknown"}),
    ("enum.unknown", {"urgency": "unknown"}),
    ("reporter.form", {"reporter": "Ken Police"}),
    ("state.code", {"reporter_state": "KE"}),
    ("reference.form", {"reference": " x"}),
    ("report_id.derived", {"report_id": ALERT}),
    ("id.form", {"alert_id": "FR-1"}),
    ("id.form", {"type": "confirm", "answers": "FR-1"}),
    ("version.order", {"version": -1}),
    ("time.range", {"at": -(2**60)}),
    ("time.clock", {"at": NOW_MS + 6 * MINUTE_MS}),
    ("text.bounds", {"words": "x" * 16_385}),
    ("text.bounds", {"words": "a\x1b[2J"}),
    ("text.bounds", {"type": "flag", "reason": "x" * (LONGEST_REASON + 1)}),
    ("text.bounds", {"place": {**PLACE, "locality": "x" * 4_097}}),
    ("place.form", {"place": {**PLACE, "state": "Kenya"}}),
    ("place.form", {"place": {**PLACE, "latitude": 91.0, "longitude": 0.0}}),
    ("place.form", {"place": {**PLACE, "latitude": 1.0}}),
    ("report.answers", {"type": "confirm"}),
    ("report.answers", {"answers": ALERT}),
    ("report.reason", {"type": "flag", "reason": " "}),
    ("report.urgency", {"type": "sighting", "urgency": "urgent"}),
]


def sound(**changes: Any) -> dict[str, Any]:
    return report("ken-police", ALERT, **changes)


def test_a_sound_report_has_no_remark() -> None:
    assert check(sound(), now_ms=NOW_MS) == []
    assert check(sound() | {"type": "confirm", "answers": ALERT}, now_ms=NOW_MS) == []
    assert (
        check(sound() | {"place": {**PLACE, "state": "KEN", "latitude": -1.0, "longitude": 36.8}}, now_ms=NOW_MS) == []
    )


@pytest.mark.parametrize(("rule", "changes"), BAD)
def test_each_rule_refuses_what_it_says(rule: str, changes: dict[str, Any]) -> None:
    assert rule in {remark.rule for remark in check(sound() | changes, now_ms=NOW_MS)}


def test_every_rule_has_its_row() -> None:
    assert {rule for rule, _ in BAD} == {rule.name for rule in RULES}


@given(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["hit", "flag", "confirm", "unknown"]),
            "reporter": st.text(max_size=60),
            "reporter_state": st.text(max_size=4),
            "reference": st.text(max_size=140),
            "alert_id": st.text(max_size=40),
            "version": st.integers(-(2**31), 2**31 - 1),
            "at": st.integers(-(2**63), 2**63 - 1),
            "words": st.none() | st.text(),
            "reason": st.none() | st.text(),
            "answers": st.none() | st.text(max_size=40),
            "place": st.none()
            | st.fixed_dictionaries(
                {
                    "state": st.none() | st.text(max_size=3),
                    "subdivision": st.none() | st.text(max_size=6),
                    "locality": st.none() | st.text(),
                    "latitude": st.none() | st.floats(),
                    "longitude": st.none() | st.floats(),
                }
            ),
        }
    )
)
def test_no_rule_raises_and_no_remark_holds_a_value(changes: dict[str, Any]) -> None:
    for remark in check(sound() | changes, now_ms=NOW_MS):
        for name in ("words", "reason", "reference"):
            if len(changes[name] or "") > 12:
                assert changes[name] not in remark.message


def test_the_model_fills_in_what_follows_and_writes_the_record() -> None:
    given = complete(
        {"type": "hit", "alert_id": ALERT, "reference": "1", "place": {"state": "KEN"}},
        reporter="ken-police",
        reporter_state="KEN",
        now=NOW,
    )
    record = Report.model_validate(given).to_record()
    assert check(record, now_ms=NOW_MS) == []
    assert record == sound() | {"version": 0, "words": None, "place": {**PLACE, "state": "KEN"}}
    assert decode("hueandcry.Report", encode("hueandcry.Report", record)) == record


def test_without_a_reference_two_reports_are_two() -> None:
    made = [
        Report.model_validate(
            complete({"type": "hit", "alert_id": ALERT}, reporter="ken-police", reporter_state="KEN", now=NOW)
        )
        for _ in range(2)
    ]
    assert made[0].report_id != made[1].report_id


def test_what_the_model_refuses_names_field_and_rule() -> None:
    given = complete({"type": "flag", "alert_id": ALERT}, reporter="ken-police", reporter_state="KEN", now=NOW)
    with pytest.raises(ValidationError) as caught:
        Report.model_validate(given)
    assert [(remark.field, remark.rule) for remark in problems(caught.value)] == [("reason", "report.reason")]
