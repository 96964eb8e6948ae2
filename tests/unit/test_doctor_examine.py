"""What the doctor's checks promise: each in its time, none stops the others, and blame where it belongs."""

from __future__ import annotations

import threading

import pytest
from confluent_kafka import KafkaError, KafkaException

from hueandcry.control.doctor.examine import Answer, Check, examine, ok, warning, wrong
from hueandcry.errors import SettingsError


def _raise(error: Exception) -> Answer:
    raise error


def test_findings_come_in_order_with_what_to_do() -> None:
    checks = [Check("a", lambda: ok("fine")), Check("b", lambda: warning("so-so", "see to it"))]
    assert [(each.name, each.state, each.says, each.do) for each in examine(checks)] == [
        ("a", "ok", "fine", ""),
        ("b", "warning", "so-so", "see to it"),
    ]


def test_what_rests_on_something_wrong_is_not_asked_and_names_the_cause() -> None:
    checks = [
        Check("broker", lambda: wrong("down")),
        Check("login", lambda: _raise(AssertionError("asked")), ("broker",)),
        Check("balance", lambda: _raise(AssertionError("asked")), ("login",)),
        Check("disk", lambda: ok("fine")),
    ]
    found = {each.name: each for each in examine(checks)}
    assert {name: each.state for name, each in found.items()} == {
        "broker": "wrong",
        "login": "skipped",
        "balance": "skipped",
        "disk": "ok",
    }
    assert found["balance"].says == "not asked, because of broker"


def test_a_warning_stops_nothing() -> None:
    checks = [Check("tls", lambda: warning("soon over")), Check("login", lambda: ok("in"), ("tls",))]
    assert [each.state for each in examine(checks)] == ["warning", "ok"]


@pytest.mark.parametrize(
    ("error", "says", "do"),
    [
        (SettingsError("no user", hint="Set one"), "no user", "Set one"),
        (KafkaException(KafkaError(KafkaError._TIMED_OUT, "slow")), "Kafka: slow", ""),
        (ValueError("two\nlines"), "the check itself failed (ValueError: two lines)", "Report this"),
    ],
    ids=["ours", "Kafka's", "a fault of the check"],
)
def test_what_is_raised_is_found_wrong_in_one_line(error: Exception, says: str, do: str) -> None:
    (finding,) = examine([Check("x", lambda: _raise(error))])
    assert (finding.state, finding.says, finding.do) == ("wrong", says, do)


def test_a_check_that_hangs_is_left_behind() -> None:
    never = threading.Event()
    hangs = Check("hangs", lambda: ok(str(never.wait())), seconds=0.05)
    first, second = examine([hangs, Check("next", lambda: ok("asked"))])
    never.set()
    assert (first.state, second.state) == ("wrong", "ok")


def test_what_has_no_time_left_is_not_asked() -> None:
    never = threading.Event()
    checks = [Check("hangs", lambda: ok(str(never.wait()))), Check("late", lambda: _raise(AssertionError("asked")))]
    first, second = examine(checks, total=0.05)
    never.set()
    assert (first.state, second.state) == ("wrong", "skipped")
