"""What distribute promises of reports: who may say what, who hears of it, and what time does to a hit."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import DAY_MS, MINUTE_MS, NOW_MS
from hueandcry.alerts.compatibility import COVERT
from hueandcry.alerts.ids import report_id
from hueandcry.alerts.reports import BUREAUS, CONFIRM_WITHIN_MS, HOLDERS, ISSUERS
from hueandcry.distribute import schedule
from hueandcry.distribute.entries import ENDED
from hueandcry.distribute.schedule import KEPT_MS
from reporting import ReportWorld, network_with_bureaus, report
from simulator import alert

NETWORK = network_with_bureaus()
ALERT = alert()["alert_id"]
COVERT_ALERT: dict[str, Any] = {"category": "discreet_check", "action": "check_discreetly"}
HIT = report_id("ken-police", "1")
DUE = CONFIRM_WITHIN_MS["routine"]


def world(partitions: int = 3, **changes: Any) -> ReportWorld:
    """A world in which fra-police has issued an alert to everybody."""
    w = ReportWorld(NETWORK, partitions)
    w.send(alert(**changes), "vin:1")
    w.settle()
    return w


def others(w: ReportWorld, *known: str) -> dict[str, list[str]]:
    """What agencies but these have heard."""
    return {agency: w.what(agency) for agency in w.heard if agency not in known}


# -- who may say what ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(HOLDERS))
def test_the_issuer_is_told_at_once_of_what_a_holder_reports_and_nobody_else_is(kind: str) -> None:
    w = world()
    told = {agency: list(book) for agency, book in w.told.items()}
    w.report(report("ken-police", ALERT, kind))
    assert w.ended[HIT] == [("delivered", ())]
    (notice,) = w.heard["fra-police"]
    assert (notice.type, notice.report) == ("report", report("ken-police", ALERT, kind))
    assert notice.due_at == (NOW_MS + DUE if kind == "hit" else None)
    assert others(w, "fra-police") == {}
    assert w.told == told


@pytest.mark.parametrize("start", range(4))
@pytest.mark.parametrize("home", ["vin:1", "vin:2", "vin:3", "vin:4"])
def test_a_report_finds_its_alert_wherever_it_comes_in(start: int, home: str) -> None:
    w = ReportWorld(NETWORK, 4)
    w.send(alert(), home)
    w.settle()
    w.report(report("ken-police", ALERT), start)
    assert w.ended[HIT] == [("delivered", ())]


def test_who_does_not_hold_an_alert_learns_no_more_of_it_than_of_one_that_is_not_there() -> None:
    secret = world(excluded=["KEN"])
    none = ReportWorld(NETWORK, 3)
    for kind in sorted(HOLDERS | BUREAUS | ISSUERS):
        answers = HIT if kind in ISSUERS else None
        for reporter in ("ken-police", "ken-bureau"):
            said = report(reporter, ALERT, kind, kind, answers=answers)
            for w in (secret, none):
                w.report(said, start=0)
            assert (
                secret.ended[said["report_id"]] == none.ended[said["report_id"]] == [("refused", ("report.not_held",))]
            )
    assert secret.heard == none.heard == {}


@pytest.mark.parametrize("start", range(3))
def test_a_refusal_takes_the_same_way_whether_the_alert_is_there_or_not(start: int) -> None:
    ways: list[list[int]] = []
    for w in (world(excluded=["KEN"]), ReportWorld(NETWORK, 3)):
        w.report(report("ken-police", ALERT), start, settle=False)
        way: list[int] = []
        while any(w.mail.values()):
            (at,) = (partition for partition in range(3) if w.mail[partition])
            way.append(at)
            w.deliver_mail(at)
        ways.append(way)
    assert ways[0] == ways[1] == [(start + step) % 3 for step in range(3)]


def test_who_was_recalled_may_not_report_any_more() -> None:
    w = world()
    w.send(alert(version=2, excluded=["KEN"]), "vin:1")
    w.report(report("ken-police", ALERT))
    assert w.ended[HIT] == [("refused", ("report.not_held",))]
    assert w.heard == {}


def test_who_has_lost_the_right_since_the_last_version_may_not_report_any_more() -> None:
    w = world(classification="secret")
    agencies = {**NETWORK.agencies}
    agencies["ken-police"] = agencies["ken-police"].model_copy(update={"clearance": "restricted"})
    w.network = NETWORK.model_copy(update={"agencies": agencies})
    w.report(report("ken-police", ALERT))
    assert w.ended[HIT] == [("refused", ("report.not_held",))]


REFUSED = [
    ("fra-police", "hit", None, "report.own_alert"),
    ("fra-police", "acknowledge", None, "report.own_alert"),
    ("fra-police", "flag", None, "report.own_alert"),
    ("ken-police", "confirm", HIT, "report.issuer_only"),
    ("ken-police", "reject", HIT, "report.issuer_only"),
    ("ken-police", "clear", HIT, "report.issuer_only"),
    ("ken-police", "flag", None, "report.bureau_only"),
    ("ken-police", "unflag", None, "report.bureau_only"),
    ("ken-bureau", "unflag", None, "report.not_flagged"),
    ("fra-police", "confirm", HIT, "report.nothing_open"),
    ("fra-police", "reject", HIT, "report.nothing_open"),
    ("fra-police", "clear", HIT, "report.nothing_found"),
]


@pytest.mark.parametrize(("reporter", "kind", "answers", "rule"), REFUSED)
def test_refusals_name_their_rule_and_tell_nobody(reporter: str, kind: str, answers: str | None, rule: str) -> None:
    w = world()
    w.report(report(reporter, ALERT, kind, "7", answers=answers))
    assert w.ended[report_id(reporter, "7")] == [("refused", (rule,))]
    assert w.heard == {}


def test_a_bureau_does_not_flag_what_its_own_state_has_issued() -> None:
    w = ReportWorld(NETWORK, 3)
    w.send(alert("deu-vehicles"), "vin:1")
    w.report(report("deu-bureau", alert("deu-vehicles")["alert_id"], "flag"))
    assert w.ended[report_id("deu-bureau", "1")] == [("refused", ("report.own_state",))]


def test_an_alert_that_has_ended_takes_no_hit() -> None:
    w = world()
    w.send(alert(version=2, message_type="withdraw"), "vin:1")
    w.report(report("ken-police", ALERT))
    assert w.ended[HIT] == [("refused", ("alert.ended",))]


# -- hits and answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["confirm", "reject"])
def test_the_answer_goes_to_the_reporter_alone_and_stops_the_clock(answer: str) -> None:
    w = world()
    w.report(report("ken-police", ALERT))
    w.tick(NOW_MS + DUE - 1)
    w.report(report("fra-police", ALERT, answer, "answer", answers=HIT))
    (notice,) = w.heard["ken-police"]
    assert (notice.type, notice.about) == ("answer", HIT)
    assert notice.report is not None
    assert notice.report["type"] == answer
    w.tick(NOW_MS + 10 * DUE)
    assert w.what("fra-police") == ["report"]
    assert others(w, "fra-police", "ken-police") == {}
    assert w.open_hits() == 0
    w.report(report("fra-police", ALERT, "reject", "late", answers=HIT))
    assert w.ended[report_id("fra-police", "late")] == [("refused", ("report.nothing_open",))]


@pytest.mark.parametrize(("urgency", "minutes"), [("urgent", 10), ("routine", 60)])
def test_a_hit_that_is_not_answered_is_asked_for_again_and_then_escalated(urgency: str, minutes: int) -> None:
    w = world()
    w.report(report("ken-police", ALERT, urgency=urgency))
    step = minutes * MINUTE_MS
    w.tick(NOW_MS + step - 1)
    assert w.what("fra-police") == ["report"]
    w.tick(NOW_MS + step)
    assert w.what("fra-police") == ["report", "second_request"]
    assert w.heard["fra-police"][1].due_at == NOW_MS + 2 * step
    assert others(w, "fra-police") == {}
    w.tick(NOW_MS + 2 * step)
    w.tick(NOW_MS + 20 * step)
    assert w.what("fra-police") == ["report", "second_request", "escalated"]
    assert (w.what("fra-bureau"), w.what("ken-police")) == (["escalated"], ["escalated"])
    assert others(w, "fra-police", "fra-bureau", "ken-police") == {}
    # It can still be answered, and the bureau hears of that too.
    w.report(report("fra-police", ALERT, "confirm", "answer", answers=HIT))
    assert (w.what("fra-bureau"), w.what("ken-police")) == (["escalated", "answer"], ["escalated", "answer"])


def test_a_bureau_that_may_not_see_the_alert_does_not_hear_of_the_hit() -> None:
    w = ReportWorld(NETWORK, 3)
    w.send(alert("deu-vehicles", classification="confidential"), "vin:1")
    w.report(report("ken-police", alert("deu-vehicles")["alert_id"]))
    for step in (1, 2, 3):
        w.tick(NOW_MS + step * DUE)
    assert others(w, "deu-vehicles", "ken-police") == {}
    (notice,) = w.heard["ken-police"]
    assert "no bureau" in notice.reason


@pytest.mark.parametrize("later", [COVERT_ALERT, {}], ids=["stays covert", "covert no more"])
def test_a_hit_on_a_covert_alert_is_never_known_but_to_its_issuer(later: dict[str, Any]) -> None:
    w = world(3, **COVERT_ALERT)
    w.report(report("ken-police", ALERT, urgency="urgent"))
    w.send(alert(version=2, **later), "vin:1")
    told = {agency: list(book) for agency, book in w.told.items()}
    for step in range(1, 5):
        w.tick(NOW_MS + step * CONFIRM_WITHIN_MS["urgent"])
    assert w.what("fra-police") == ["report", "second_request", "escalated"]
    assert others(w, "fra-police") == {}
    assert w.told == told
    w.report(report("fra-police", ALERT, "confirm", "a", answers=HIT))
    assert others(w, "fra-police") == {"ken-police": ["answer"]}


def test_time_away_costs_the_issuer_nothing() -> None:
    w = world()
    w.report(report("ken-police", ALERT))
    w.tick(NOW_MS + 5 * DUE)
    assert w.what("fra-police") == ["report", "second_request"]
    w.tick(NOW_MS + 6 * DUE - 1)
    assert w.what("fra-police") == ["report", "second_request"]


def test_a_report_that_comes_twice_is_told_once_and_one_with_other_content_is_refused() -> None:
    w = world()
    w.report(report("ken-police", ALERT))
    w.report(report("ken-police", ALERT), 1)
    w.report(report("ken-police", ALERT, words="something else"))
    assert w.ended[HIT] == [
        ("delivered", ()),
        ("merged", ("report.repeated",)),
        ("refused", ("report.conflict",)),
    ]
    assert w.what("fra-police") == ["report"]
    w.report(report("fra-police", ALERT, "confirm", "answer", answers=HIT))
    w.report(report("ken-police", ALERT))
    assert w.open_hits() == 0


def test_an_answer_that_comes_before_its_hit_is_refused_and_can_be_sent_anew() -> None:
    w = world()
    w.report(report("fra-police", ALERT, "confirm", "early", answers=HIT))
    w.report(report("ken-police", ALERT))
    w.report(report("fra-police", ALERT, "confirm", "early", answers=HIT))
    assert w.ended[report_id("fra-police", "early")] == [("refused", ("report.nothing_open",)), ("delivered", ())]


def test_a_case_is_cleared_after_a_confirmed_hit_or_a_locate_only() -> None:
    w = world()
    w.report(report("ken-police", ALERT))
    w.report(report("fra-police", ALERT, "clear", "c1", answers=HIT))
    w.report(report("fra-police", ALERT, "confirm", "a", answers=HIT))
    w.report(report("fra-police", ALERT, "clear", "c2", answers=HIT))
    w.report(report("deu-vehicles", ALERT, "locate"))
    w.report(report("fra-police", ALERT, "clear", "c3", answers=report_id("deu-vehicles", "1")))
    assert [w.ended[report_id("fra-police", each)] for each in ("c1", "c2", "c3")] == [
        [("refused", ("report.nothing_found",))],
        [("delivered", ("report.withdraw",))],
        [("delivered", ("report.withdraw",))],
    ]
    assert (w.what("ken-police"), w.what("deu-vehicles")) == (["answer", "answer"], ["answer"])
    # It ends nothing: that is for the issuer's withdrawal.
    assert w.states()[ALERT] == "active"


def test_who_lost_the_alert_meanwhile_hears_the_answer_without_the_words() -> None:
    w = world()
    w.report(report("ken-police", ALERT))
    w.send(alert(version=2, excluded=["KEN"]), "vin:1")
    w.report(report("fra-police", ALERT, "confirm", "a", answers=HIT))
    (notice,) = w.heard["ken-police"]
    assert (notice.type, notice.report) == ("answer", None)


def test_a_hit_outlives_the_withdrawal_until_it_is_answered_or_forgotten() -> None:
    w = world()
    w.report(report("ken-police", ALERT))
    w.report(report("deu-vehicles", ALERT))
    w.send(alert(version=2, message_type="withdraw"), "vin:1")
    w.report(report("fra-police", ALERT, "reject", "a", answers=HIT))
    assert w.what("ken-police") == ["answer"]
    w.tick(NOW_MS + DUE)
    w.tick(NOW_MS + 2 * DUE)
    w.tick(NOW_MS + KEPT_MS + DAY_MS)
    left = {key[:1] for memory in w.memories for key in memory.pairs}
    assert left <= {ENDED, schedule.DUE}, "more of it is left than the mark that it has ended"
    assert {due.what for due in w.waiting()} == {"unmark"}


# -- flags --------------------------------------------------------------------------------------------------------


def test_a_flag_suspends_the_action_in_its_state_and_there_alone() -> None:
    w = world()
    before = Counter({agency: len(book) for agency, book in w.told.items()})
    w.report(report("ken-bureau", ALERT, "flag"))
    assert {agency for agency, book in w.told.items() if len(book) > before[agency]} == {"ken-police", "ken-bureau"}
    flagged = {agency for (agency, _), seen in w.sees_flag.items() if seen}
    assert flagged == {"ken-police", "ken-bureau"}
    assert w.what("fra-police") == ["report"]
    assert others(w, "fra-police") == {}
    # Later versions carry it, until it is lifted.
    w.send(alert(version=2), "vin:1")
    assert {agency for (agency, _), seen in w.sees_flag.items() if seen} == flagged
    w.report(report("ken-bureau", ALERT, "unflag", "2"))
    assert {agency for (agency, _), seen in w.sees_flag.items() if seen} == set()
    assert w.holds["ken-police", ALERT] == ("updated", 2)


# -- moves --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", [f"vin:{number}" for number in range(2, 8)])
def test_what_was_reported_moves_with_the_alert(other: str) -> None:
    w = world(4)
    w.report(report("ken-police", ALERT))
    w.report(report("ken-bureau", ALERT, "flag"))
    w.send(alert(version=2), other)
    w.settle()
    assert {agency for (agency, _), seen in w.sees_flag.items() if seen} == {"ken-police", "ken-bureau"}
    w.report(report("ken-police", ALERT), 0)
    assert w.ended[HIT] == [("delivered", ()), ("merged", ("report.repeated",))]
    w.tick(NOW_MS + DUE)
    assert w.what("fra-police").count("second_request") == 1
    w.report(report("fra-police", ALERT, "confirm", "a", answers=HIT))
    assert w.what("ken-police") == ["answer"]
    w.tick(NOW_MS + 3 * DUE)
    assert w.what("fra-police").count("escalated") == 0


def test_more_than_one_claim_can_hold_moves_too() -> None:
    w = world(4)
    for number in range(700):
        kind = "hit" if number < 20 else "acknowledge"
        w.report(report("ken-police", ALERT, kind, str(number)))
    w.send(alert(version=2), "vin:2")
    w.settle()
    assert w.open_hits() == 20
    for number in range(700):
        kind = "hit" if number < 20 else "acknowledge"
        w.report(report("ken-police", ALERT, kind, str(number)))
    assert all(ends[1:] == [("merged", ("report.repeated",))] for ends in w.ended.values())


def test_a_hit_that_was_answered_before_a_move_is_not_asked_for_again_after_it() -> None:
    w = world(4)
    w.report(report("ken-police", ALERT))
    w.report(report("fra-police", ALERT, "confirm", "a", answers=HIT))
    w.send(alert(version=2), "vin:2")
    # The hit comes again before what was reported has moved.
    home = next(at for at, memory in enumerate(w.memories) if list(memory.scan(b"a")) and not list(memory.scan(b"p")))
    w.report(report("ken-police", ALERT), home, settle=False)
    w.mail[home].rotate(1)
    w.deliver_mail(home)
    assert w.open_hits() == 1
    w.settle()
    assert w.open_hits() == 0
    w.tick(NOW_MS + 5 * DUE)
    assert "second_request" not in w.what("fra-police")


# -- whatever happens ---------------------------------------------------------------------------------------------

REPORTERS = ["fra-police", "deu-vehicles", "bra-federal", "ken-police", "fra-bureau", "deu-bureau", "ken-bureau"]
STEP = st.tuples(
    st.sampled_from(REPORTERS),
    st.sampled_from([*sorted(HOLDERS | BUREAUS | ISSUERS), "hit", "hit", "confirm", "version", "end"]),
    st.integers(0, 3),  # which of its reports
    st.sampled_from(REPORTERS),  # whose hit is answered
    st.sampled_from([0, 0, 5, 30, 70]),  # minutes until the next step
    st.sampled_from([[], [], ["BRA"], ["KEN"]]),  # who is excluded from the next version
    st.integers(1, 3),  # what the next version is about
    st.booleans(),  # whether mail is delivered before the next step
)


@settings(max_examples=200, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=30), st.booleans())
def test_nobody_hears_what_is_not_for_it(steps: list[Any], covert: bool) -> None:
    category: dict[str, Any] = COVERT_ALERT if covert else {}
    w = ReportWorld(NETWORK, 3)
    w.send(alert(**category), "vin:1")
    w.settle()
    version, ever_held = 1, {"fra-police"}
    for reporter, kind, number, whose, minutes, excluded, thing, deliver in steps:
        if kind in ("version", "end"):
            version += 1
            message_type = "withdraw" if kind == "end" else "update"
            changes: dict[str, Any] = {"message_type": message_type, "excluded": excluded, **category}
            w.send(alert(version=version, **changes), f"vin:{thing}")
        else:
            answers = report_id(whose, str(number)) if kind in ISSUERS else None
            w.report(report(reporter, ALERT, kind, str(number), answers=answers), settle=False)
        if deliver:
            w.settle()
        ever_held |= {agency for agency, _ in w.holds}
        w.tick(w.now_ms + minutes * MINUTE_MS)
    w.settle()
    moved = {thing for _, kind, *_, thing, _ in steps if kind in ("version", "end")} - {1}
    if not moved:
        # A report that comes again while its alert moves may be told again, under the same id of the notice.
        for ends in w.ended.values():
            assert [each for each, _ in ends].count("delivered") <= 1
        for agency, notices in w.heard.items():
            ids = Counter((told.cause, told.type) for told in notices)
            assert set(ids.values()) == {1}, f"{agency} was told twice"
    for agency, notices in w.heard.items():
        for told in notices:
            if told.type == "report" or told.type == "second_request":
                assert agency == "fra-police"
            elif told.type == "answer" and agency not in ("fra-bureau",):
                assert told.about in {report_id(agency, str(number)) for number in range(4)}
            if covert and agency != "fra-police":
                assert told.type == "answer"
                assert told.about in {report_id(agency, str(number)) for number in range(4)}
            if agency not in ("fra-police", "fra-bureau"):
                assert agency in ever_held
    if covert:
        assert "fra-bureau" not in w.heard


def test_the_categories_that_are_covert_are_tested() -> None:
    assert COVERT_ALERT["category"] in COVERT
