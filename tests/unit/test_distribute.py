"""What distribute promises, message by message and over random histories."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hueandcry.rights.may_receive import may_receive
from simulator import World, alert, small_network

NETWORK = small_network()
OTHERS = {"deu-vehicles", "bra-federal", "usa-cyber", "ken-police"}


def world(partitions: int = 3) -> World:
    return World(NETWORK, partitions)


def agencies(decision: Any, action: str) -> set[str]:
    return {send.agency for send in decision.sends if send.action == action}


def test_an_issue_goes_to_all_who_are_entitled_and_not_to_its_issuer() -> None:
    decision = world().send(alert(), "vin:1")
    assert decision.outcome == "delivered"
    assert agencies(decision, "issued") == OTHERS


def test_the_excluded_never_get_it() -> None:
    decision = world().send(alert(excluded=["BRA"]), "vin:1")
    assert agencies(decision, "issued") == OTHERS - {"bra-federal"}


def test_an_alert_for_nobody_is_registered_and_says_so() -> None:
    decision = world().send(alert(excluded=["world"]), "vin:1")
    assert decision.outcome == "nobody_entitled"
    assert decision.sends == []


def test_a_second_source_of_the_same_thing_merges_and_repeats_nothing() -> None:
    w = world()
    first = alert()
    w.send(first, "vin:1")
    decision = w.send(alert("bra-federal", "B1"), "vin:1")
    assert (decision.outcome, decision.merged_into) == ("merged", first["alert_id"])
    # Only the first issuer has nothing on this thing in its inbox yet.
    assert agencies(decision, "issued") == {"fra-police"}


def test_a_second_source_with_another_legal_ground_is_news() -> None:
    w = world()
    w.send(alert(category="seizure"), "vin:1")
    decision = w.send(alert("bra-federal", "B1", category="discreet_check", action="check_discreetly"), "vin:1")
    assert decision.outcome == "merged"
    assert agencies(decision, "issued") == (OTHERS | {"fra-police"}) - {"bra-federal"}
    related = {send.agency: send.related for send in decision.sends}
    assert related["ken-police"] == (alert()["alert_id"],)
    assert related["fra-police"] == ()


def test_weak_identities_never_merge() -> None:
    w = world()
    w.send(alert(), "alert:1", strong=False)
    decision = w.send(alert("bra-federal", "B1"), "alert:1", strong=False)
    assert decision.outcome == "delivered"


def test_what_contradicts_the_cluster_does_not_join_it() -> None:
    w = world()
    w.contradict = lambda one, other: one["head"]["issuer"] != other["head"]["issuer"]
    w.send(alert(), "plate:1")
    decision = w.send(alert("bra-federal", "B1"), "plate:1")
    assert decision.outcome == "delivered"
    assert agencies(decision, "issued") == (OTHERS | {"fra-police"}) - {"bra-federal"}


def test_who_may_not_see_an_alert_is_not_told_that_it_has_merged_with_it() -> None:
    w = world()
    secret = alert(category="discreet_check", action="check_discreetly", excluded=["BRA"])
    w.send(secret, "vin:1")
    decision = w.send(alert("bra-federal", "B1"), "vin:1")
    assert (decision.outcome, decision.merged_into) == ("delivered", None)
    entry = decision.sends[0].entry
    assert secret["alert_id"] not in repr({key: value for key, value in entry.items() if key != "body"})
    alone = world().send(alert("bra-federal", "B1"), "vin:1").sends[0].entry
    assert entry["cluster_id"] == alone["cluster_id"], "the cluster shows that there is another"
    # Who may see one of the others hears of that one.
    third = w.send(alert("deu-vehicles", "D1", category="evidence", action="preserve"), "vin:1")
    assert third.merged_into == secret["alert_id"]
    w.send(alert("bra-federal", "B1", version=2, message_type="withdraw"), "vin:1")
    fourth = w.send(alert("bra-federal", "B2"), "vin:1")
    assert fourth.merged_into == alert("deu-vehicles", "D1")["alert_id"]


def test_an_update_that_contradicts_its_cluster_leaves_it() -> None:
    w = world()
    w.contradict = lambda one, other: {one["head"]["version"], other["head"]["version"]} == {1, 2}
    w.send(alert(), "plate:1")
    w.send(alert("bra-federal", "B1"), "plate:1")
    decision = w.send(alert("bra-federal", "B1", version=2), "plate:1")
    # It is another car now, so all who may have it get it.
    assert agencies(decision, "issued") | agencies(decision, "updated") == (OTHERS | {"fra-police"}) - {"bra-federal"}
    w.send(alert("bra-federal", "B1", version=3, message_type="withdraw"), "plate:1")
    w.send(alert(version=2, message_type="withdraw"), "plate:1")
    assert [key for memory in w.memories for key in memory.pairs if key[:1] in b"cmh"] == [], "a member is left behind"


def test_the_same_version_again_is_a_repeat_that_reaches_nobody() -> None:
    w = world()
    w.send(alert(), "vin:1")
    decision = w.send(alert(), "vin:1")
    assert (decision.outcome, decision.merged_into, decision.sends) == ("merged", alert()["alert_id"], [])


def test_an_update_reaches_all_who_hold_the_alert_and_recalls_from_who_loses_it() -> None:
    w = world()
    w.send(alert(), "vin:1")
    decision = w.send(alert(version=2, classification="confidential"), "vin:1")
    assert agencies(decision, "updated") == {"deu-vehicles", "ken-police"}
    assert agencies(decision, "recalled") == {"bra-federal", "usa-cyber"}
    assert all(send.granted is None for send in decision.sends if send.action == "recalled")


def test_a_withdrawal_reaches_all_who_hold_it_even_who_may_not_see_it_any_more() -> None:
    w = world()
    w.send(alert(), "vin:1")
    decision = w.send(alert(version=2, message_type="withdraw", excluded=["KEN"]), "vin:1")
    assert decision.outcome == "delivered"
    assert agencies(decision, "withdrawn") == OTHERS
    content = {send.agency: send.granted is not None for send in decision.sends}
    assert content == {"deu-vehicles": True, "bra-federal": True, "usa-cyber": True, "ken-police": False}


def test_when_the_representative_ends_another_source_takes_its_place() -> None:
    w = world()
    w.send(alert(), "vin:1")
    other = alert("bra-federal", "B1")
    w.send(other, "vin:1")
    decision = w.send(alert(version=2, message_type="withdraw"), "vin:1")
    promoted = {send.agency for send in decision.sends if send.entry["head"]["alert_id"] == other["alert_id"]}
    assert promoted == OTHERS - {"bra-federal"}


REFUSED = {
    "an older version": ([(1, "issue", {}), (3, "update", {})], (2, "update", {}), "version.superseded"),
    "other content under the same version": (
        [(1, "issue", {})],
        (1, "issue", {"remarks": "other"}),
        "version.conflict",
    ),
    "a change after the end": ([(1, "issue", {}), (2, "withdraw", {})], (3, "update", {}), "alert.ended"),
    "the issue after its withdrawal": ([(2, "withdraw", {})], (1, "issue", {}), "version.superseded"),
}


def test_refusals_name_their_rule() -> None:
    for name, (before, then, rule) in REFUSED.items():
        w = world()
        for version, message_type, changes in before:
            w.send(alert(version=version, message_type=message_type, **changes), "vin:1")
        version, message_type, changes = then
        decision = w.send(alert(version=version, message_type=message_type, **changes), "vin:1")
        assert (decision.outcome, [remark.rule for remark in decision.remarks]) == ("refused", [rule]), name
        assert decision.sends == [], name


def test_an_update_that_changes_the_identity_moves_the_alert_with_who_holds_it() -> None:
    for other in (f"vin:{number}" for number in range(2, 12)):
        w = world(partitions=4)
        w.send(alert(), "vin:1")
        w.send(alert(version=2, excluded=["BRA"]), other)
        w.settle()
        last = {agency: w.holds[agency, alert()["alert_id"]] for agency in OTHERS}
        assert last.pop("bra-federal") == ("recalled", 2), other
        assert set(last.values()) == {("updated", 2)}, other
        w.send(alert(version=3, message_type="withdraw"), other)
        w.settle()
        assert all(w.holds[agency, alert()["alert_id"]] == ("withdrawn", 3) for agency in last), other


ISSUERS = ("fra-police", "deu-vehicles", "bra-federal")
MARKINGS = st.fixed_dictionaries(
    {
        "excluded": st.sampled_from([[], [], ["BRA"], ["europe"], ["ken-police"]]),
        "releasable_to": st.sampled_from([[], [], ["europe"], ["USA", "KEN"]]),
        "classification": st.sampled_from(["unclassified", "unclassified", "restricted", "secret"]),
        "category": st.sampled_from(["seizure", "seizure", "discreet_check"]),
    }
)
STEP = st.tuples(
    st.sampled_from(ISSUERS),
    st.integers(0, 2),  # which of its cases
    st.integers(0, 2),  # which thing it is about now
    st.sampled_from(["change", "change", "change", "end", "old"]),
    MARKINGS,
    st.lists(st.integers(0, 2), max_size=3),  # partitions that take mail before the next step
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=25), st.booleans())
def test_after_any_history_everyone_has_what_they_may_have_and_nothing_else(steps: list[Any], wait: bool) -> None:
    w = world()
    newest: dict[str, tuple[dict[str, Any], str]] = {}
    versions: dict[tuple[str, int], int] = {}
    sent: dict[tuple[str, int, int], tuple[dict[str, Any], str]] = {}
    ended: set[tuple[str, int]] = set()
    for issuer, case, thing, what, markings, mail in steps:
        if (issuer, case) in ended:
            continue
        version = versions.get((issuer, case), 0)
        if what == "old" and version > 1:
            w.send(*sent[issuer, case, version - 1])
            continue
        version += 1
        versions[issuer, case] = version
        changes = dict(markings)
        if what == "end" and version > 1:
            changes["message_type"] = "withdraw"
            ended.add((issuer, case))
        message = alert(issuer, f"{issuer}-{case}", version, **changes)
        sent[issuer, case, version] = (message, f"vin:{thing}")
        w.send(message, f"vin:{thing}")
        newest[message["alert_id"]] = (message, f"vin:{thing}")
        if wait:
            w.settle()
        else:
            for partition in mail:
                w.deliver_mail(partition)
    w.settle()
    check_world(w, newest)


def check_world(w: World, newest: dict[str, tuple[dict[str, Any], str]]) -> None:
    active = {key: value for key, value in newest.items() if value[0]["message_type"] != "withdraw"}
    for agency_id, agency in NETWORK.agencies.items():
        held = w.holding(agency_id)
        may = {
            alert_id
            for alert_id, (message, _) in active.items()
            if may_receive(agency, _head(message), NETWORK).allowed
        }
        assert held <= may, f"{agency_id} holds what has ended or what it may not have"
        things = {(newest[alert_id][1], newest[alert_id][0]["category"]) for alert_id in may}
        covered = {(newest[alert_id][1], newest[alert_id][0]["category"]) for alert_id in held}
        assert things == covered, f"{agency_id} misses an alert on a thing"
        for alert_id in held:
            assert w.holds[agency_id, alert_id][1] == newest[alert_id][0]["version"], f"{agency_id} has an old version"


def _head(message: dict[str, Any]) -> dict[str, Any]:
    from hueandcry.admit.head import head_of

    return head_of(message, NETWORK.agencies[message["issuer"]].region)
