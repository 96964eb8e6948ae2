"""What time does to alerts: they end by themselves, issuers are reminded, and nothing lasts longer than it may."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from factories import DAY_MS, NOW_MS
from hueandcry.admit.head import head_of
from hueandcry.alerts.validity import longest
from hueandcry.distribute.schedule import KEPT_MS, MARKED_MS
from simulator import World, alert, digest, small_network

NETWORK = small_network()
OTHERS = {"deu-vehicles", "bra-federal", "usa-cyber", "ken-police"}
END = NOW_MS + 10 * DAY_MS


def told(w: World, action: str, alert_id: str = "") -> set[str]:
    return {
        agency for agency, book in w.told.items() if any(row[1] == action and alert_id in ("", row[0]) for row in book)
    }


def test_an_alert_ends_at_its_time_though_no_message_comes_and_all_who_have_it_are_told() -> None:
    w = World(NETWORK)
    w.send(alert(expires_at=END), "vin:1")
    w.tick(END - 1)
    assert told(w, "expired") == set()
    w.tick(END)
    assert told(w, "expired") == OTHERS
    assert w.notices == [(alert()["alert_id"], "alert.expired")]
    w.tick(END + DAY_MS)
    assert all(len(book) == 2 for book in w.told.values()), "an end is told once"


def test_where_a_representative_ends_by_time_another_source_takes_its_place() -> None:
    w = World(NETWORK)
    other = alert("bra-federal", "B1")
    w.send(alert(expires_at=END), "vin:1")
    w.send(other, "vin:1")
    w.tick(END)
    assert told(w, "issued", other["alert_id"]) == (OTHERS | {"fra-police"}) - {"bra-federal"}


def test_an_update_does_not_make_an_alert_last_longer_and_an_extension_does() -> None:
    for kind, ends in (("update", END), ("extend", END + 5 * DAY_MS)):
        w = World(NETWORK)
        w.send(alert(expires_at=END), "vin:1")
        w.send(alert(version=2, message_type=kind, expires_at=END + 5 * DAY_MS), "vin:1")
        w.tick(ends - 1)
        assert told(w, "expired") == set(), kind
        w.tick(ends)
        assert told(w, "expired") == OTHERS, kind


def test_an_update_that_moves_the_alert_to_another_partition_does_not_make_it_last_longer() -> None:
    for other in (f"vin:{number}" for number in range(2, 8)):
        w = World(NETWORK)
        w.send(alert(expires_at=END), "vin:1")
        w.send(alert(version=2, expires_at=END + DAY_MS), other)
        w.settle()
        w.tick(END)
        assert told(w, "expired") == OTHERS, other


def test_an_extension_that_was_sent_in_time_and_is_read_too_late_brings_the_alert_back() -> None:
    w = World(NETWORK)
    w.send(alert(expires_at=END), "vin:1")
    w.tick(END + 1)
    late = alert(version=2, message_type="extend", expires_at=END + DAY_MS)
    decision = w.send(late, "vin:1", received_at=END - 1)
    assert decision.outcome == "delivered"
    assert {send.agency for send in decision.sends if send.action == "updated"} == OTHERS
    assert all(w.holds[agency, late["alert_id"]] == ("updated", 2) for agency in OTHERS)
    w.tick(END + DAY_MS)
    assert all(w.holds[agency, late["alert_id"]] == ("expired", 2) for agency in OTHERS)


def test_an_extension_that_was_sent_too_late_is_refused() -> None:
    w = World(NETWORK)
    w.send(alert(expires_at=END), "vin:1")
    w.tick(END)
    decision = w.send(alert(version=2, message_type="extend", expires_at=END + DAY_MS), "vin:1", received_at=END)
    assert (decision.outcome, decision.remarks[0].rule) == ("refused", "alert.ended")


def test_the_issuer_is_reminded_to_review_once() -> None:
    w = World(NETWORK)
    review = NOW_MS + 3 * DAY_MS
    w.send(alert(review_due=review, expires_at=END), "vin:1")
    w.send(alert(version=2, review_due=review, expires_at=END), "vin:1")
    for day in range(1, 9):
        w.tick(NOW_MS + day * DAY_MS)
    assert w.notices == [(alert()["alert_id"], "alert.review_due")]
    assert {row[1] for book in w.told.values() for row in book} == {"issued", "updated"}, "nobody else hears of it"


def test_a_reminder_comes_four_months_before_the_end_where_the_issuer_sets_none() -> None:
    w = World(NETWORK)
    first = alert()
    w.send(first, "vin:1")
    end = longest(first)
    w.tick(end - 120 * DAY_MS - 1)
    assert w.notices == []
    w.tick(end - 120 * DAY_MS)
    assert w.notices == [(first["alert_id"], "alert.review_due")]


def test_an_ended_alert_is_forgotten_after_the_alerts_topics_have_lost_it() -> None:
    w = World(NETWORK)
    w.send(alert(), "vin:1")
    w.send(alert(version=2, message_type="withdraw"), "vin:1")
    w.tick(NOW_MS + KEPT_MS - 1)
    assert w.states() == {alert()["alert_id"]: "withdrawn"}
    w.tick(NOW_MS + KEPT_MS)
    assert w.states() == {}
    assert {value for memory in w.memories for value in memory.pairs.values()} == {b""}, "some content is left"
    for again in (alert(), alert(version=3)):
        decision = w.send(again, "vin:1")
        assert (decision.outcome, decision.remarks[0].rule) == ("refused", "alert.ended")
    w.tick(NOW_MS + KEPT_MS + MARKED_MS)
    assert w.waiting() == []
    assert all(not memory.pairs for memory in w.memories), "something of it is left"


def test_an_update_that_moves_an_alert_that_has_ended_does_not_bring_it_back() -> None:
    for ended_for in (DAY_MS, KEPT_MS):
        for other in (f"vin:{number}" for number in range(2, 8)):
            w = World(NETWORK)
            w.send(alert(expires_at=END), "vin:1")
            w.tick(END)
            w.tick(END + ended_for)
            w.send(alert(version=2, expires_at=None, issued_at=w.now_ms), other)
            w.settle()
            assert w.states().get(alert()["alert_id"]) in (None, "expired"), other
            assert all(w.holding(agency) == set() for agency in OTHERS), other


ISSUERS = ("fra-police", "deu-vehicles", "bra-federal")
STEP = st.tuples(
    st.sampled_from(ISSUERS),
    st.integers(0, 1),  # which of its cases
    st.integers(0, 1),  # which thing it is about now
    st.sampled_from(["update", "update", "extend", "withdraw", "old"]),
    st.integers(1, 30) | st.none(),  # days that it asks for, from then
    st.integers(0, 12),  # days until the next step
    st.booleans(),  # whether mail is delivered before it
)


@settings(max_examples=200, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=20))
def test_after_any_history_no_alert_outlives_its_validity_and_versions_never_go_back(steps: list[Any]) -> None:
    w = World(NETWORK)
    allowed: dict[str, int] = {}  # by alert, the latest end that any accepted message gave it the right to
    versions: dict[tuple[str, int], int] = {}
    sent: dict[tuple[str, int], list[tuple[dict[str, Any], str]]] = {}
    for issuer, case, thing, what, days, pause, mail in steps:
        history = sent.setdefault((issuer, case), [])
        if what == "old" and history:
            w.send(*history[len(history) // 2])
        else:
            version = versions.get((issuer, case), 0) + 1
            kind = "issue" if version == 1 else "update" if what == "old" else what
            message = alert(
                issuer,
                f"{issuer}-{case}",
                version,
                message_type=kind,
                issued_at=w.now_ms,
                expires_at=None if days is None else w.now_ms + days * DAY_MS,
            )
            versions[issuer, case] = version
            history.append((message, f"vin:{thing}"))
            decision = w.send(message, f"vin:{thing}")
            if decision.outcome != "refused" and kind in ("issue", "extend"):
                end = head_of(message, NETWORK.agencies[issuer].region)["expires_at"]
                allowed[message["alert_id"]] = end
        if mail:
            w.settle()
        w.tick(w.now_ms + pause * DAY_MS)
    w.settle()
    w.tick(w.now_ms)
    w.settle()
    for alert_id, state in w.states().items():
        if state == "active" and alert_id in allowed:
            assert w.now_ms < allowed[alert_id], "an alert outlives its validity"
    for agency, book in w.told.items():
        last: dict[str, int] = {}
        for alert_id, _, version in book:
            assert version >= last.get(alert_id, 0), f"{agency} was sent an older version after a newer one"
            last[alert_id] = version
        for alert_id in w.holding(agency):
            assert w.states().get(alert_id) == "active", f"{agency} holds what has ended"


def marks(w: World) -> int:
    return sum(1 for memory in w.memories for _ in memory.scan(b"v"))


def test_that_an_alert_has_moved_is_known_for_as_long_as_an_old_version_counts_and_no_longer() -> None:
    w = World(NETWORK, 3)
    first, end = alert(expires_at=NOW_MS + 60 * DAY_MS), NOW_MS + 60 * DAY_MS
    w.send(first, "vin:1")
    home = w.partition_of(digest("vin:1"))
    other = next(name for name in map("vin:{}".format, range(2, 20)) if w.partition_of(digest(name)) != home)
    w.send(alert(version=2, message_type="extend", expires_at=NOW_MS + 300 * DAY_MS), other)
    w.settle()
    assert marks(w) == 2
    # Where it never lived, as long as the topics keep what was not read; where it lived, until the end it had there.
    w.tick(NOW_MS + KEPT_MS)
    assert marks(w) == 1
    w.tick(end - 1)
    w.send(first, "vin:1")
    assert w.states() == {first["alert_id"]: "active"}
    assert w.holds["ken-police", first["alert_id"]] == ("updated", 2)
    w.tick(end)
    assert marks(w) == 0
    assert "moved" not in {each.what for each in w.waiting()}


def test_a_mark_that_was_renewed_stays_and_one_of_an_alert_that_came_back_is_gone() -> None:
    w = World(NETWORK, 3)
    names = {w.partition_of(digest(name)): name for name in map("vin:{}".format, range(20))}
    far = NOW_MS + 300 * DAY_MS
    w.send(alert(expires_at=far), names[0])
    for version, to, later in ((2, 1, 0), (3, 0, 10), (4, 2, 20)):
        w.now_ms = NOW_MS + later * DAY_MS
        w.send(alert(version=version, expires_at=far), names[to])
        w.settle()
    assert marks(w) == 2
    w.tick(NOW_MS + KEPT_MS + 19 * DAY_MS)
    assert marks(w) == 2
    w.tick(far)
    assert marks(w) == 0
