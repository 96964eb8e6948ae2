"""Alerts that share a key without being led by it are linked, whatever comes first, and told only to who may know."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hueandcry.alerts.remarks import Remark
from hueandcry.distribute.claimants import FEW, NEAR
from hueandcry.distribute.entries import Register
from hueandcry.lanes.state import Overlay
from hueandcry.wire.codec import decode
from simulator import IDS, World, alert, small_network

NETWORK = small_network()
AGENCIES = set(NETWORK.agencies)


def world(partitions: int = 3) -> World:
    return World(NETWORK, partitions)


def both_ways(*pairs: tuple[str, str]) -> set[tuple[str, str]]:
    return {pair for one, other in pairs for pair in ((one, other), (other, one))}


def distinct(*others: dict[str, Any]) -> list[dict[str, str]]:
    return [{"alert_id": other["alert_id"], "relation": "distinct_from"} for other in others]


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("first", ["by_vin", "by_plate"])
def test_a_car_known_by_vin_meets_the_one_known_by_its_plate(number: int, first: str) -> None:
    w, by_vin, by_plate = world(4), alert(), alert("bra-federal", "B1")
    sends = {
        "by_vin": lambda: w.send(by_vin, f"vin:{number}", claims=[f"plate:{number}"]),
        "by_plate": lambda: w.send(by_plate, f"plate:{number}"),
    }
    sends.pop(first)()
    w.settle()
    sends.popitem()[1]()
    w.settle()
    assert w.links() == both_ways((by_vin["alert_id"], by_plate["alert_id"]))
    notices = {agency: [(own, remark.rule) for own, remark in told] for agency, told in w.noticed.items()}
    assert notices == {
        "fra-police": [(by_vin["alert_id"], "link.same_subject")],
        "bra-federal": [(by_plate["alert_id"], "link.same_subject")],
    }
    assert by_plate["alert_id"] in w.noticed["fra-police"][0][1].message
    # Each who holds one of them hears of the other, and once. The issuers have their notices.
    ids = {by_vin["alert_id"], by_plate["alert_id"]}
    assert set(w.linked) == AGENCIES - {"fra-police", "bra-federal"}
    assert all(len(told) == 1 and {told[0][0], told[0][1]} == ids for told in w.linked.values())


def test_two_that_claim_the_same_key_meet_where_nothing_is_led_by_it() -> None:
    w, one, other = world(), alert(), alert("bra-federal", "B1")
    w.send(one, "vin:1", claims=["plate:1"])
    w.send(other, "engine:1", claims=["plate:1"])
    w.settle()
    assert w.links() == both_ways((one["alert_id"], other["alert_id"]))


def test_what_contradicts_is_not_linked() -> None:
    w = world()
    w.contradict = lambda _one, _other: True
    w.send(alert(), "vin:1", claims=["plate:1"])
    w.send(alert("bra-federal", "B1"), "plate:1")
    w.settle()
    assert w.links() == set()
    assert not w.linked
    assert not w.noticed


def test_members_of_one_cluster_are_not_linked() -> None:
    w = world()
    w.send(alert(), "vin:1", claims=["plate:1"])
    w.send(alert("bra-federal", "B1"), "vin:1", claims=["plate:1"])
    w.settle()
    assert w.links() == set()


def test_who_may_not_see_the_other_hears_nothing_of_it() -> None:
    w, hidden, open_ = world(), alert(excluded=["BRA", "KEN"]), alert("bra-federal", "B1")
    w.send(hidden, "vin:1", claims=["plate:1"])
    w.send(open_, "plate:1")
    w.settle()
    assert w.links()
    assert "bra-federal" not in w.noticed
    assert "ken-police" not in w.linked
    assert set(w.noticed) == {"fra-police"}
    assert set(w.linked) == {"deu-vehicles", "usa-cyber"}
    w.send(alert("bra-federal", "B1", 2), "plate:1")
    w.settle()
    related: dict[str, tuple[str, ...]] = {}
    for send in w.sends:
        related[send.agency] = send.related
    assert related["ken-police"] == ()
    assert related["deu-vehicles"] == (hidden["alert_id"],)


def test_a_possible_match_says_why_but_no_reason_that_needs_a_right() -> None:
    w = world()
    reasons = (
        Remark("subject.biometrics", "likeness.biometric.same", "A biometric record is the same."),
        Remark("subject.born", "likeness.born.same", "The date of birth is the same."),
    )
    w.likeness = lambda _one, _other: (0.93, reasons)
    w.send(alert(), "vin:1", proposals=["weak:1"])
    w.send(alert("bra-federal", "B1"), "vin:2", proposals=["weak:1"])
    w.settle()
    assert {remark.rule for told in w.noticed.values() for _, remark in told} == {"link.possible_match"}
    with_right, without = w.noticed["fra-police"][0][1].message, w.noticed["bra-federal"][0][1].message
    assert "biometric" in with_right
    assert "0.93" in with_right
    assert "biometric" not in without + w.linked["ken-police"][0][2]
    assert "0.93" not in without
    assert "date of birth" in without


def test_a_possible_match_that_shares_a_strong_key_as_well_is_told_again_as_certain() -> None:
    w = world()
    w.likeness = lambda _one, _other: (0.7, ())
    w.send(alert(), "vin:1", proposals=["weak:1"])
    w.send(alert("bra-federal", "B1"), "vin:2", proposals=["weak:1"])
    w.settle()
    w.send(alert("bra-federal", "B1", 2), "vin:2", proposals=["weak:1"], claims=["plate:1"])
    w.send(alert(version=2), "vin:1", proposals=["weak:1"], claims=["plate:1"])
    w.settle()
    assert [remark.rule for _, remark in w.noticed["fra-police"]] == ["link.possible_match", "link.same_subject"]
    assert len(w.links()) == 2


@pytest.mark.parametrize("number", range(4))
def test_the_end_of_an_alert_ends_its_links(number: int) -> None:
    w = world(4)
    w.send(alert(), f"vin:{number}", claims=["plate:1"])
    w.send(alert("bra-federal", "B1"), "plate:1")
    w.settle()
    w.send(alert(version=2, message_type="withdraw"), f"vin:{number}", claims=["plate:1"])
    w.settle()
    assert w.links() == set()
    w.send(alert("bra-federal", "B1", 2), "plate:1")
    assert all(send.related == () for send in w.sends if send.entry["head"]["issuer"] == "bra-federal")


def test_a_new_marking_of_the_other_counts_from_its_version_on() -> None:
    w = world()
    other = alert("bra-federal", "B1")
    w.send(alert(), "vin:1", claims=["plate:1"])
    w.send(other, "plate:1")
    w.settle()
    w.send(alert("bra-federal", "B1", 2, excluded=["KEN"]), "plate:1")
    w.settle()
    w.sends.clear()
    w.send(alert(version=2), "vin:1", claims=["plate:1"])
    related = {send.agency: send.related for send in w.sends}
    assert related["ken-police"] == ()
    assert related["deu-vehicles"] == (other["alert_id"],)


def test_alerts_said_to_be_distinct_are_parted_and_not_linked_again() -> None:
    w, other = world(), alert("bra-federal", "B1")
    w.send(alert(), "vin:1", claims=["plate:1"])
    w.send(other, "plate:1")
    w.settle()
    w.send(alert(version=2, references=distinct(other)), "vin:1", claims=["plate:1"])
    w.settle()
    assert w.links() == set()
    w.send(alert("bra-federal", "B1", 2), "plate:1", claims=["engine:1"])
    w.settle()
    assert w.links() == set()
    w.send(alert(version=3), "vin:1", claims=["plate:1"])
    w.settle()
    assert w.links() == both_ways((alert()["alert_id"], other["alert_id"]))


def test_a_hub_costs_each_alert_no_more_than_a_few_messages_and_links() -> None:
    def cost(count: int) -> tuple[int, int, int]:
        w = world(4)
        w.likeness = lambda _one, _other: (0.9, ())
        compared = 0

        def contradict(_one: Any, _other: Any) -> bool:
            nonlocal compared
            compared += 1
            return False

        w.contradict = contradict
        for number in range(count):
            w.now_ms += 1
            w.send(alert(reference=str(number)), f"vin:{number}", claims=["plate:hub"])
            w.settle()
        return compared, len(w.links()), w.claims_sent

    for small, large in zip(cost(40), cost(80), strict=True):
        assert large <= 2 * small + 8 * NEAR


def test_a_weak_key_is_compared_with_the_newest_alone() -> None:
    w, compared = world(), []
    w.likeness = lambda one, other: compared.append((one, other))
    for number in range(FEW + 10):
        w.now_ms += 1
        compared.clear()
        w.send(alert(reference=str(number)), f"vin:{number}", proposals=["weak:hub"])
        w.settle()
    assert len(compared) == FEW
    assert {other["registered_at"] for _, other in compared} == set(range(w.now_ms - FEW, w.now_ms))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.lists(st.integers(0, 2), max_size=5)), max_size=25),
    st.sets(st.integers(0, 9)),
)
def test_those_that_share_a_key_hang_together_whoever_ends(steps: list[Any], led: set[int]) -> None:
    """However many: not every pair is linked, but all by others."""
    w = world()
    versions: dict[int, int] = {}
    active: set[str] = set()
    for case, end, mail in steps:
        version = versions.get(case, 0) + 1
        if version > 2 or (version == 2) != end:
            continue
        versions[case] = version
        w.now_ms += 1
        message = alert(reference=str(case), version=version, message_type="withdraw" if end else "issue")
        own = f"vin:{case}"
        w.send(message, "plate:hub" if case in led else own, claims=[own] if case in led else ["plate:hub"])
        (active.discard if end else active.add)(message["alert_id"])
        for partition in mail:
            w.deliver_mail(partition)
    w.settle()
    joined = {alert(reference=str(case))["alert_id"] for case in led} & active
    near = w.links() | {(one, other) for one in joined for other in joined}
    reached = set(list(active)[:1])
    while more := {other for one, other in near if one in reached} - reached:
        reached |= more
    assert reached == active
    assert {alert_id for pair in w.links() for alert_id in pair} <= active


@settings(max_examples=100, deadline=None)
@given(st.permutations(range(4)), st.lists(st.integers(0, 2), max_size=40), st.lists(st.booleans(), min_size=4))
def test_each_pair_is_told_once_to_each_however_many_keys_it_shares(
    order: list[int], mail: list[int], ticks: list[bool]
) -> None:
    w = world()
    w.likeness = lambda _one, _other: (0.8, ())
    for case, tick in zip(order, ticks, strict=False):
        w.now_ms += tick
        issuer, reference = CASES[case]
        w.send(alert(issuer, reference), f"vin:{case}", claims=["a", "b", "c"], proposals=["w"])
        for partition in mail[case * 10 : case * 10 + 10]:
            w.deliver_mail(partition)
    w.settle()
    for agency in AGENCIES:
        pairs = [frozenset(each[:2]) for each in w.linked.get(agency, ())]
        assert len(pairs) == len(set(pairs)), agency
        assert [remark.rule for _, remark in w.noticed.get(agency, ())].count("link.same_subject") in (0, 3), agency


CASES = [(issuer, f"{issuer}-1") for issuer in ("fra-police", "deu-vehicles", "bra-federal", "usa-cyber")]
KEYS = ("a", "b", "c")
MESSAGE = st.tuples(
    st.integers(0, 3),  # which alert
    st.sampled_from(["change", "change", "change", "end"]),
    st.sampled_from(KEYS),  # its identity
    st.lists(st.sampled_from(KEYS), max_size=2, unique=True),  # what it claims
    st.lists(st.sampled_from(["w", "x"]), max_size=1),  # its weak keys
    st.lists(st.integers(0, 3), max_size=2, unique=True),  # what it is distinct from
    st.booleans(),  # whether BRA may see it
    st.lists(st.integers(0, 2), max_size=6),  # partitions that take mail before the next step
)


def play(messages: list[Any], *, wait: bool) -> tuple[World, dict[int, Any]]:
    """Send the messages; the world at rest, and by alert what its last version says, where it is active."""
    w = world()
    # A weak key proposes where the issuers' names begin with different letters: a rule of some sort.
    w.likeness = lambda one, other: (0.8, ()) if _proposed(one["head"]["issuer"], other["head"]["issuer"]) else None
    versions: dict[int, int] = {}
    last: dict[int, Any] = {}
    ended: set[int] = set()
    for case, what, identity, claims, weak, apart, hidden, mail in messages:
        if case in ended:
            continue
        versions[case] = version = versions.get(case, 0) + 1
        issuer, reference = CASES[case]
        changes: dict[str, Any] = {"excluded": ["BRA"] if hidden else []}
        others = [alert(*CASES[other]) for other in apart if other != case]
        changes["references"] = distinct(*others)
        if what == "end" and version > 1:
            changes["message_type"] = "withdraw"
            ended.add(case)
        claims = [each for each in claims if each != identity]
        w.now_ms += hidden
        message = alert(issuer, reference, version, **changes)
        w.send(message, identity, claims=claims, proposals=weak)
        last[case] = (message["alert_id"], identity, {identity, *claims}, set(weak), {o["alert_id"] for o in others})
        if wait:
            w.settle()
        for partition in mail:
            w.deliver_mail(partition)
    w.settle()
    return w, {case: said for case, said in last.items() if case not in ended}


def _proposed(one: str, other: str) -> bool:
    return {one, other} != {"fra-police", "bra-federal"}


def expected_links(last: dict[int, Any]) -> set[tuple[str, str]]:
    """Naively: all pairs that share a key, are not together in a cluster, and are not said to be distinct."""
    apart = {
        case
        for case, (_, identity, _, _, others) in last.items()
        if any(other[0] in others and other[1] == identity for other in last.values())
    }
    found: set[tuple[str, str]] = set()
    for one, other in combinations(last, 2):
        id_1, identity_1, strong_1, weak_1, distinct_1 = last[one]
        id_2, identity_2, strong_2, weak_2, distinct_2 = last[other]
        together = identity_1 == identity_2 and one not in apart and other not in apart
        proposed = weak_1 & weak_2 and _proposed(CASES[one][0], CASES[other][0])
        if not together and id_1 not in distinct_2 and id_2 not in distinct_1 and (strong_1 & strong_2 or proposed):
            found |= both_ways((id_1, id_2))
    return found


@settings(max_examples=300, deadline=None)
@given(st.lists(MESSAGE, min_size=1, max_size=14), st.booleans())
def test_links_follow_from_what_is_active_however_the_mail_was_delivered(messages: list[Any], wait: bool) -> None:
    w, last = play(messages, wait=wait)
    assert w.links() == expected_links(last)


@settings(max_examples=200, deadline=None)
@given(st.lists(MESSAGE, min_size=1, max_size=14), st.booleans())
def test_with_links_and_distinctions_everyone_has_what_they_may_have_and_nothing_else(
    messages: list[Any], wait: bool
) -> None:
    w, last = play(messages, wait=wait)
    heads = w.heads()
    apart = {
        said[0] for said in last.values() if any(other[0] in said[4] and other[1] == said[1] for other in last.values())
    }
    identities = {said[0]: said[0] if said[0] in apart else said[1] for said in last.values()}
    for agency in AGENCIES:
        held = w.holding(agency)
        may = {each for each in identities if heads[each]["issuer"] != agency and w.may_see(agency, heads[each])}
        assert held <= may
        assert {identities[each] for each in may} == {identities[each] for each in held}


@settings(max_examples=100, deadline=None)
@given(
    st.permutations(["join", "third", "first"]) | st.permutations(["join", "first"]),
    st.sampled_from([[], ["BRA"], ["europe"]]),
    st.sampled_from([[], ["KEN"], ["USA"]]),
    st.booleans(),
)
def test_distinguish_undoes_join(order: list[str], excluded: list[str], other_excluded: list[str], late: bool) -> None:
    """After join and distinguish everyone has what they would have had the two never met."""
    first, second = alert(excluded=excluded), alert("bra-federal", "B1", excluded=other_excluded)
    met, never = world(), world()
    for w, name in ((met, "vin:1"), (never, "vin:other")):
        sends = {
            "first": lambda w=w: w.send(first, "vin:1"),
            "join": lambda w=w, name=name: w.send(second, name),
            "third": lambda w=w: w.send(alert("deu-vehicles", "D1"), "vin:1"),
        }
        for each in order:
            sends[each]()
        said = {"references": distinct(first), "excluded": other_excluded}
        if late:
            w.send(alert("bra-federal", "B1", 2, excluded=other_excluded), name)
        w.send(alert("bra-federal", "B1", 3, **said), name)
        w.settle()
    third = alert("deu-vehicles", "D1")["alert_id"]
    for agency in AGENCIES:
        held = [w.holding(agency) for w in (met, never)]
        if "third" in order:
            # Which of the two that stay together stands for both depends on which was there first.
            held = [{first["alert_id"] if each == third else each for each in ids} for ids in held]
            if agency in ("fra-police", "deu-vehicles"):
                held = [ids - {first["alert_id"]} for ids in held]
        assert held[0] == held[1], agency


def test_taking_the_distinction_back_joins_again() -> None:
    w, first = world(), alert()
    w.send(first, "vin:1")
    w.send(alert("bra-federal", "B1"), "vin:1")
    w.send(alert("bra-federal", "B1", 2, references=distinct(first)), "vin:1")
    decision = w.send(alert("bra-federal", "B1", 3), "vin:1")
    assert (decision.outcome, decision.merged_into) == ("merged", first["alert_id"])


def test_who_is_said_to_be_another_subject_by_a_member_takes_its_place() -> None:
    w, late = world(), alert("bra-federal", "B1")
    w.send(alert(references=distinct(late)), "vin:1")
    w.send(alert("deu-vehicles", "D1"), "vin:1")
    decision = w.send(late, "vin:1")
    assert decision.outcome == "merged"
    w.send(alert("bra-federal", "B1", 2, message_type="withdraw"), "vin:1")
    w.settle()
    w.send(alert(version=2, message_type="withdraw", references=distinct(late)), "vin:1")
    w.settle()
    # The one left has come to all who may have it.
    assert all(w.holding(agency) == {alert("deu-vehicles", "D1")["alert_id"]} for agency in AGENCIES - {"deu-vehicles"})


# -- what an update says ------------------------------------------------------------------------------------------


def _by_model(one: Any, other: Any) -> Any:
    """Alike where both name one model."""
    models = {decode("hueandcry.Alert", each["body"])["subject"]["model"] for each in (one, other)}
    return (0.7, ()) if len(models) == 1 else None


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("updated", ["older", "newer"])
@pytest.mark.parametrize("alike_first", [True, False])
def test_an_update_of_what_is_said_is_judged_anew(number: int, updated: str, alike_first: bool) -> None:
    w = world(4)
    w.likeness = _by_model
    at = {"older": "vin:1", "newer": f"vin:{number + 2}"}
    issuers = {"older": ("fra-police", "1"), "newer": ("bra-federal", "B1")}

    def send(which: str, version: int, model: str) -> None:
        record = alert(*issuers[which], version, subject__model=model)
        w.send(record, at[which], proposals=["weak:1", "weak:2"])
        w.settle()
        w.now_ms += 1

    unlike = {updated: "208" if alike_first else "308"}
    for which in at:
        send(which, 1, "308" if alike_first or which != updated else "208")
    assert bool(w.links()) == alike_first
    send(updated, 2, unlike[updated])
    assert bool(w.links()) != alike_first
    told = sum(len(each) for each in w.noticed.values())
    # What changes nothing of it tells nobody anything.
    send(updated, 3, unlike[updated])
    assert (bool(w.links()) != alike_first, sum(len(each) for each in w.noticed.values())) == (True, told)


def test_a_link_that_holds_has_the_new_reasons_and_is_no_news() -> None:
    w = world()
    w.likeness = lambda _one, _other: (0.7, ())
    w.send(alert(), "vin:1", proposals=["weak:1"])
    w.send(alert("bra-federal", "B1"), "vin:2", proposals=["weak:1"])
    w.settle()
    w.likeness = lambda _one, _other: (0.9, ())
    told = {agency: list(each) for agency, each in w.noticed.items()}
    w.send(alert(version=2, subject__model="other"), "vin:1", proposals=["weak:1"])
    w.settle()
    scores = {
        link["score"]
        for memory in w.memories
        for record in (alert(), alert("bra-federal", "B1"))
        for link in Register(Overlay(memory), IDS).links(record["alert_id"])
    }
    assert scores == {0.9}
    assert w.noticed == told


def test_what_contradicts_after_an_update_is_parted() -> None:
    w = world()
    w.send(alert(), "vin:1", claims=["plate:1"])
    w.send(alert("bra-federal", "B1"), "plate:1")
    w.settle()
    assert w.links()
    w.contradict = lambda _one, _other: True
    w.send(alert("bra-federal", "B1", 2, subject__model="other"), "plate:1")
    w.settle()
    assert w.links() == set()
