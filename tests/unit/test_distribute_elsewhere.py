"""Who else hears that a subject was found: issuers of other alerts on it, no more than they and the finder may know."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hueandcry.alerts.compatibility import COVERT
from hueandcry.alerts.ids import report_id
from hueandcry.distribute.elsewhere import FOUND
from reporting import ReportWorld, network_with_bureaus, report
from simulator import alert

NETWORK = network_with_bureaus()
ALERT, OTHER = alert()["alert_id"], alert("deu-vehicles")["alert_id"]
HIT = report_id("ken-police", "1")
COVERT_ALERT: dict[str, Any] = {"category": "discreet_check", "action": "check_discreetly"}


def world(one: dict[str, Any], other: dict[str, Any], *, linked: bool = False) -> ReportWorld:
    """fra-police, then deu-vehicles, have issued an alert on one subject, which ken-police has found."""
    w = ReportWorld(NETWORK, 3)
    w.send(alert(**one), "vin:1", claims=["plate:1"] if linked else [])
    w.settle()
    w.send(alert("deu-vehicles", **other), "plate:2" if linked else "vin:1", claims=["plate:1"] if linked else [])
    w.settle()
    w.heard.clear()
    return w


@pytest.mark.parametrize("linked", [False, True], ids=["in one cluster", "linked"])
@pytest.mark.parametrize("kind", ["hit", "sighting", "locate", "acknowledge"])
def test_the_issuer_of_another_alert_hears_that_its_subject_was_found(kind: str, linked: bool) -> None:
    w = world({}, {}, linked=linked)
    w.report(report("ken-police", ALERT, kind))
    assert w.what("fra-police") == ["report"]
    if kind not in FOUND:
        assert set(w.heard) == {"fra-police"}
        return
    (notice,) = w.heard["deu-vehicles"]
    assert (notice.type, notice.entry["head"]["alert_id"], notice.about) == ("same_subject", OTHER, HIT)
    assert notice.due_at is None
    assert notice.report == report("ken-police", ALERT, kind)
    assert ALERT in notice.reason
    assert set(w.heard) == {"fra-police", "deu-vehicles"}


def test_who_may_not_see_the_alert_hears_who_found_and_nothing_of_the_alert() -> None:
    w = world({"classification": "secret"}, {})
    w.report(report("ken-police", ALERT))
    (notice,) = w.heard["deu-vehicles"]
    assert notice.report is None
    assert "ken-police of KEN" in notice.reason
    assert not any(word in notice.reason for word in (ALERT, "fra", "FRA"))


def test_the_finder_stays_unnamed_to_whom_it_may_not_know() -> None:
    w = world({}, {"excluded": ["KEN"]})
    w.report(report("ken-police", ALERT))
    (notice,) = w.heard["deu-vehicles"]
    assert notice.report is None
    assert f"alert {ALERT} of fra-police" in notice.reason
    assert "KEN" not in notice.reason


def test_two_who_know_nothing_of_each_other_are_not_brought_together() -> None:
    w = world({"classification": "secret"}, {"excluded": ["KEN"]})
    w.report(report("ken-police", ALERT))
    assert set(w.heard) == {"fra-police"}


def test_a_hit_on_a_covert_alert_stays_with_its_issuer_and_that_of_another_is_told_to_it() -> None:
    w = world(COVERT_ALERT, {})
    w.report(report("ken-police", ALERT))
    w.report(report("fra-police", ALERT, "confirm", "a", answers=HIT))
    assert set(w.heard) == {"fra-police", "ken-police"}
    w = world({}, COVERT_ALERT)
    w.report(report("ken-police", ALERT))
    assert w.what("deu-vehicles") == ["same_subject"]
    # Nobody learns that it was told: all others hear what they would hear if its alert were not there.
    alone = ReportWorld(NETWORK, 3)
    alone.send(alert(), "vin:1")
    alone.report(report("ken-police", ALERT))
    assert w.heard["fra-police"] == alone.heard["fra-police"]
    assert w.ended[HIT] == alone.ended[HIT]


@pytest.mark.parametrize("answer", ["confirm", "reject"])
def test_who_was_told_of_a_hit_hears_how_it_was_answered(answer: str) -> None:
    w = world({}, {})
    w.report(report("ken-police", ALERT))
    w.report(report("fra-police", ALERT, answer, "a", answers=HIT))
    first, second = w.heard["deu-vehicles"]
    assert (first.about, second.about) == (HIT, HIT)
    assert (second.type, second.report) == ("same_subject", None)
    assert w.what("ken-police") == ["answer"]


def test_each_issuer_hears_once_and_not_of_what_it_found_itself() -> None:
    w = world({}, {})
    w.send(alert("deu-vehicles", "2"), "vin:1")
    w.send(alert("bra-federal", "3"), "vin:1")
    w.settle()
    w.heard.clear()
    w.report(report("bra-federal", ALERT))
    assert {agency: w.what(agency) for agency in w.heard} == {
        "fra-police": ["report"], "deu-vehicles": ["same_subject"],
    }  # fmt: skip


MARKINGS = st.fixed_dictionaries(
    {
        "classification": st.sampled_from(["unclassified", "restricted", "confidential", "secret"]),
        "excluded": st.lists(st.sampled_from(["DEU", "KEN", "BRA"]), max_size=2, unique=True),
    }
)


@settings(max_examples=100, deadline=None)
@given(MARKINGS, MARKINGS, st.sampled_from(["arrest", "seizure", "discreet_check"]), st.booleans())
def test_nobody_is_told_more_than_it_may_know(
    one: dict[str, Any], other: dict[str, Any], category: str, linked: bool
) -> None:
    actions = {"discreet_check": "check_discreetly", "seizure": "seize", "arrest": "arrest"}
    w = world(one | {"category": category, "action": actions[category]}, other, linked=linked)
    w.report(report("ken-police", ALERT))
    heads = w.heads()
    for agency, notices in w.heard.items():
        for notice in notices:
            if agency == "fra-police":
                continue
            assert category not in COVERT
            sees_alert = w.may_see(agency, heads[ALERT])
            sees_finder = w.may_see("ken-police", heads[OTHER])
            assert sees_alert or sees_finder
            assert (notice.report is not None) == (sees_alert and sees_finder)
            assert sees_alert or (ALERT not in notice.reason and "fra-police" not in notice.reason)
            assert sees_finder or "ken" not in notice.reason
