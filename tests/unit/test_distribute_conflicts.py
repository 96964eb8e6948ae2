"""Alerts that may not stand side by side: both issuers are told, and nothing of what one may not see."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import NOW_MS, sound_cyber, sound_person
from hueandcry.admit.head import head_of
from hueandcry.alerts.compatibility import compatible
from hueandcry.distribute.entries import Register
from hueandcry.distribute.stage import ADMITTED, Distribute
from hueandcry.lanes.batch import Batch, Incoming
from hueandcry.lanes.state import Overlay
from hueandcry.rights.network import Agency, Network
from hueandcry.wire.codec import decode, encode
from hueandcry.wire.framing import frame, unframe
from hueandcry.wire.schemas import SUBJECTS, WriterSchema, schema
from oracle import oracle_may_receive
from simulator import IDS, Memory, World, alert, small_network

NETWORK = small_network()
STATE = {agency.id: agency.state for agency in NETWORK.agencies.values()}
UNSEEN = "which you may not see"


def person(issuer: str, category: str, reference: str = "1", version: int = 1, **changes: Any) -> dict[str, Any]:
    given = {"issuer": issuer, "issuing_state": STATE[issuer], "national_reference": f"{issuer}-{reference}"}
    given |= {"category": category, "version": version, "message_type": "issue" if version == 1 else "update"}
    return sound_person(**(given | {"status": "actual", "tlp": "green", "handling_code": "H0"} | OPEN | changes))


OPEN: dict[str, Any] = {"circulation": ["world"], "classification": "unclassified", "releasable_to": [], "excluded": []}


def world() -> World:
    return World(NETWORK)


def said(w: World, *alerts: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """What was said on account of the last of these alerts."""
    for each in alerts:
        before = len(w.said)
        w.send(each, "person:1")
    return w.said[before:]


def test_both_issuers_are_told_which_alert_it_is_and_which_goes_first() -> None:
    arrest, check = person("fra-police", "arrest"), person("ken-police", "specific_check")
    to_new, to_standing = said(world(), arrest, check)
    assert to_new[:3] == ("ken-police", "receipt", check["alert_id"])
    assert to_standing[:3] == ("fra-police", "notice", arrest["alert_id"])
    for (*_, message), other in ((to_new, arrest), (to_standing, check)):
        for part in (other["alert_id"], other["issuer"], other["issuing_state"], other["category"]):
            assert part in message
        assert "arrest takes precedence" in message
        assert f"consult {other['issuing_state']}" in message


def test_compatible_alerts_of_several_states_are_not_remarked() -> None:
    alerts = [person("fra-police", "arrest"), person("ken-police", "whereabouts"), person("bra-federal", "arrest")]
    w = world()
    assert said(w, *alerts) == []
    assert w.said == []


def test_a_second_alert_of_one_state_on_a_person_conflicts_whatever_its_category() -> None:
    ((who, how, _, message),) = said(world(), person("fra-police", "arrest"), person("fra-police", "whereabouts", "2"))
    assert (who, how) == ("fra-police", "receipt")
    assert "a state enters one alert" in message
    assert "arrest takes precedence" in message


def test_who_blocks_what_another_watches_is_told_only_if_it_may_see_that() -> None:
    for excluded, told in (([], 2), (["KEN"], 1)):
        w = world()
        for issuer, category, changes in (
            ("fra-police", "detect", {"excluded": excluded}),
            ("ken-police", "block", {}),
        ):
            given = {"issuer": issuer, "issuing_state": STATE[issuer], "category": category}
            w.send(sound_cyber(**(given | {"status": "actual", "tlp": "green"} | OPEN | changes)), "ip:1")
        assert len(w.said) == told
        assert [who for who, how, *_ in w.said if how == "notice"] == ["fra-police"]


def test_conflicts_hold_up_no_delivery() -> None:
    quiet, loud = world(), world()
    quiet.send(person("fra-police", "arrest"), "person:1")
    loud.send(person("fra-police", "discreet_check"), "person:1")
    check = person("ken-police", "specific_check")
    for w in (quiet, loud):
        decision = w.send(check, "person:1")
        assert decision.outcome == "merged"
        assert {send.agency for send in decision.sends} == NETWORK.agencies.keys() - {"ken-police"}


def test_of_an_alert_that_it_may_not_see_an_issuer_hears_only_that_there_is_one() -> None:
    hidden = person("fra-police", "specific_check", excluded=["KEN"])
    more = person("fra-police", "inquiry_check", "2", excluded=["KEN"])
    new = person("ken-police", "arrest")
    messages = [message for who, *_, message in said(world(), hidden, more, new) if who == "ken-police"]
    (message,) = messages  # the same once, for a count would say how many there are
    assert UNSEEN in message
    for other in (hidden, more):
        for part in (other["alert_id"], other["issuer"], "FRA", other["category"]):
            assert part not in message


def test_a_discreet_check_is_told_to_nobody_who_may_not_see_it_whichever_came_first() -> None:
    hidden, open_ = person("fra-police", "discreet_check", excluded=["KEN"]), person("ken-police", "arrest")
    for alerts in ([hidden, open_], [open_, hidden]):
        told = said(world(), *alerts)
        assert {who for who, *_ in told} == {"fra-police"}  # whose own alert it is, and who may see the arrest


def test_an_exercise_never_meets_an_actual_alert() -> None:
    assert (
        said(world(), person("fra-police", "arrest", status="exercise"), person("ken-police", "specific_check")) == []
    )
    both = [person(issuer, category, status="exercise") for issuer, category in PAIR]
    assert len(said(world(), *both)) == 2


PAIR = (("fra-police", "arrest"), ("ken-police", "specific_check"))


def test_an_update_is_no_news_to_the_other_issuer_until_it_changes_what_it_may_know() -> None:
    w = world()
    said(w, *(person(issuer, category) for issuer, category in PAIR))
    same = said(w, person("ken-police", "specific_check", version=2))
    assert [how for _, how, *_ in same] == ["receipt"]
    hidden = said(w, person("ken-police", "specific_check", version=3, excluded=["FRA"]))
    assert [(who, how, UNSEEN in message) for who, how, _, message in hidden][1:] == [("fra-police", "notice", True)]
    other = said(w, person("ken-police", "inquiry_check", version=4))
    assert [(who, how) for who, how, *_ in other][1:] == [("fra-police", "notice")]
    assert "inquiry_check" in other[1][3]
    assert said(w, person("ken-police", "whereabouts", version=5)) == []


def test_an_alert_that_has_ended_or_moved_away_conflicts_no_more() -> None:
    for gone in (
        lambda w: w.send(person("fra-police", "arrest", version=2, message_type="withdraw"), "person:1"),
        lambda w: w.send(person("fra-police", "arrest", version=2), "person:7"),
    ):
        w = world()
        said(w, person("fra-police", "arrest"), person("bra-federal", "arrest", version=1))
        w.send(person("bra-federal", "arrest", version=2, message_type="withdraw"), "person:1")
        w.send(person("usa-cyber", "identification"), "person:1")
        gone(w)
        w.settle()
        assert said(w, person("ken-police", "specific_check")) == []


def test_where_the_one_that_stands_for_others_ends_another_takes_its_place() -> None:
    w = world()
    first, second = person("fra-police", "arrest"), person("fra-police", "arrest", "2")
    said(w, first, second, person("fra-police", "arrest", version=2, message_type="withdraw"))
    told = said(w, person("ken-police", "specific_check"))
    assert [(who, how, alert_id) for who, how, alert_id, _ in told if how == "notice"] == [
        ("fra-police", "notice", second["alert_id"])
    ]


# -- over all markings and histories ------------------------------------------------------------------------------

MARKINGS = st.fixed_dictionaries(
    {
        "excluded": st.sampled_from([[], ["BRA"], ["europe"], ["ken-police"], ["FRA"]]),
        "releasable_to": st.sampled_from([[], ["europe"], ["KEN", "BRA"], ["fra-police"]]),
        "classification": st.sampled_from(["unclassified", "restricted", "secret"]),
        "tlp": st.sampled_from(["green", "amber", "red"]),
    }
)
ISSUERS = ("fra-police", "deu-vehicles", "bra-federal", "usa-cyber", "ken-police")
CATEGORIES = ("arrest", "refusal_of_entry", "protection", "specific_check", "discreet_check", "whereabouts")
ALERT = st.tuples(st.sampled_from(ISSUERS), st.integers(0, 1), st.sampled_from(CATEGORIES), MARKINGS)


def may_know(agency_id: str, record: dict[str, Any]) -> bool:
    head = head_of(record, NETWORK.agencies[record["issuer"]].region)
    return record["issuer"] == agency_id or oracle_may_receive(NETWORK.agencies[agency_id], head, NETWORK)


@settings(max_examples=200, deadline=None)
@given(ALERT, ALERT)
def test_of_two_alerts_each_issuer_is_told_what_it_may_know_and_no_more(one: Any, other: Any) -> None:
    records = [person(issuer, cat, str(n), **marks) for n, (issuer, _, cat, marks) in enumerate((one, other))]
    told = said(world(), *records)
    states = {record["issuing_state"] for record in records}
    conflict = len(states) == 1 or not compatible(records[0]["category"], records[1]["category"])
    standing, new = records
    for own, about in ((standing, new), (new, standing)):
        messages = [
            message for who, _, alert_id, message in told if (who, alert_id) == (own["issuer"], own["alert_id"])
        ]
        hidden = not may_know(own["issuer"], about)
        silent = hidden and about["category"] == "discreet_check"
        in_receipt_of_the_other = own is standing and own["issuer"] == new["issuer"]
        assert len(messages) == (conflict and not silent and not in_receipt_of_the_other)
        for message in messages:
            facts = [about[name] for name in ("alert_id", "issuer", "issuing_state", "category")]
            assert [fact in message for fact in facts] == [not hidden] * 4
            assert (UNSEEN in message) == hidden


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(ALERT, st.integers(0, 1), st.booleans()), min_size=1, max_size=20))
def test_after_any_history_a_cluster_knows_how_many_alerts_stand_where(steps: list[Any]) -> None:
    w = World(NETWORK, partitions=2)
    versions: Counter[str] = Counter()
    ended: set[str] = set()
    for (issuer, case, category, markings), thing, end in steps:
        record = person(issuer, category, str(case), **markings)
        versions[record["alert_id"]] += record["alert_id"] not in ended
        version = versions[record["alert_id"]]
        if record["alert_id"] in ended:
            continue
        changes: dict[str, Any] = dict(markings)
        if end and version > 1:
            ended.add(record["alert_id"])
            changes["message_type"] = "withdraw"
        w.send(person(issuer, category, str(case), version, **changes), f"person:{thing}")
        w.settle()
    for memory in w.memories:
        register = Register(Overlay(memory), IDS)
        for key, _ in list(memory.scan(b"c")):
            cluster = register.cluster(key[1:])
            assert cluster is not None
            if cluster["only"] is not None:
                assert cluster["stances"] == {}
                continue
            heads = {member: (register.alert(member) or {})["head"] for member in register.members(key[1:])}
            slots = {member: f"{h['status']}/{h['issuing_state']}/{h['category']}" for member, h in heads.items()}
            assert {slot: found["alerts"] for slot, found in cluster["stances"].items()} == Counter(slots.values())
            for slot, found in cluster["stances"].items():
                assert slots[found["alert_id"]] == slot
                assert heads[found["alert_id"]]["issuer"] == found["issuer"]


def test_finding_conflicts_reads_as_much_of_a_large_cluster_as_of_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Counter[int]()
    real = Register.alert
    for size in (3, 60):
        w = world()
        for number in range(size):
            w.send(person("fra-police", "arrest", str(number)), "person:1")

        def counted(register: Register, alert_id: str, size: int = size) -> Any:
            reads[size] += 1
            return real(register, alert_id)

        monkeypatch.setattr(Register, "alert", counted)
        w.send(person("ken-police", "specific_check"), "person:1")
        monkeypatch.setattr(Register, "alert", real)
    assert reads[3] == reads[60] > 0


# -- the records that the stage writes ----------------------------------------------------------------------------


class Ids:
    """Registry ids in the order of SUBJECTS, and the schemas behind them."""

    def id_of(self, name: str) -> int:
        return 1 + SUBJECTS.index(name.removeprefix("hueandcry."))

    def writer(self, schema_id: int) -> WriterSchema:
        found = schema(SUBJECTS[schema_id - 1])
        return WriterSchema(found.name, found.hot, found.fingerprint)


class Stage:
    """Distribute over one partition in memory."""

    def __init__(self, network: Network = NETWORK) -> None:
        self.network = network
        self.state = Overlay(Memory())
        self._stage = Distribute(network=lambda: self.network, schemas=Ids(), partitions=1, now_ms=lambda: NOW_MS)  # type: ignore[arg-type]

    def send(self, record: dict[str, Any], offset: int) -> dict[str, list[dict[str, Any]]]:
        """By agency, the receipts that come of an alert."""
        region = NETWORK.agencies[record["issuer"]].region
        body = encode("hueandcry.Alert", record)
        admitted = {
            "head": head_of(record, region),
            "source": {"topic": f"alerts.{region}", "partition": 0, "offset": 100 + offset},
            "received_at": NOW_MS,
            "identity_key": b"\x07" * 32,
            "strong": True,
            "digest": body[:32].ljust(32),
            "enrichment": {"state_name": None, "offences": [], "facts": None, "remarks": []},
            "schema_id": Ids().id_of("Alert"),
            "body": body,
        }
        value = frame(Ids().id_of("Admitted"), encode("hueandcry.Admitted", admitted))
        message = Incoming(ADMITTED, 0, offset, b"", value, (), NOW_MS)
        overlay = Overlay(self.state)
        loop = asyncio.new_event_loop()
        try:
            effects = self._stage.process(Batch([message], {0: overlay}, loop.create_future()))
        finally:
            loop.close()
        self.state.fold(overlay)
        found: dict[str, list[dict[str, Any]]] = {}
        for each in effects.records:
            kind, _, agency = each.topic.partition(".")
            if kind == "receipts":
                found.setdefault(agency, []).append(decode("hueandcry.Receipt", unframe(each.value)[1]))
        return found

    @property
    def tally(self) -> bytes | None:
        return self.state.get(b"tadmitted")


def test_a_notice_is_a_receipt_of_its_own_about_the_alert_that_stood_there() -> None:
    stage = Stage()
    arrest, check = (person(issuer, category) for issuer, category in PAIR)
    (first,) = stage.send(arrest, 0)["fra-police"]
    told = stage.send(check, 1)
    ((receipt,), (notice,)) = told["ken-police"], told["fra-police"]
    assert receipt["outcome"] == "merged"
    assert [remark["rule"] for remark in receipt["remarks"]] == ["compatibility.conflict"]
    assert (notice["outcome"], notice["alert_id"], notice["version"]) == ("notice", arrest["alert_id"], 1)
    # Where the other message lies would say from which region it came.
    assert notice["source"] == first["source"]
    assert len({each["receipt_id"] for each in (first, receipt, notice)}) == 3
    assert uuid.UUID(notice["receipt_id"]).version == 5
    assert [remark["rule"] for remark in notice["remarks"]] == ["compatibility.conflict"]


def test_the_same_message_again_gives_the_same_notice() -> None:
    told: list[str] = []
    for _ in range(2):
        stage = Stage()
        for offset, (issuer, category) in enumerate(PAIR):
            found = stage.send(person(issuer, category), offset)
        told.append(found["fra-police"][0]["receipt_id"])
    assert told[0] == told[1]


def test_each_notice_on_an_alert_has_an_id_of_its_own() -> None:
    stage = Stage()
    stage.send(person("fra-police", "arrest"), 0)
    ids = [
        stage.send(person(issuer, "specific_check"), offset)["fra-police"][0]["receipt_id"]
        for offset, issuer in enumerate(("ken-police", "bra-federal"), 1)
    ]
    assert len(set(ids)) == 2


def test_notices_do_not_change_what_is_counted() -> None:
    loud, quiet = Stage(), Stage()
    for offset, (issuer, category) in enumerate(PAIR):
        loud.send(person(issuer, category), offset)
        quiet.send(person(issuer, "arrest"), offset)
    assert loud.tally == quiet.tally == b'{"delivered": 1, "merged": 1, "read": 2}'


def test_an_issuer_that_has_left_the_network_gets_no_notice_and_holds_nothing_up() -> None:
    stage = Stage()
    stage.send(person("fra-police", "arrest"), 0)
    left: dict[str, Agency] = {name: each for name, each in NETWORK.agencies.items() if name != "fra-police"}
    stage.network = NETWORK.model_copy(update={"agencies": left, "subscriptions": {}})
    told = stage.send(person("ken-police", "specific_check"), 1)
    assert told.keys() == {"ken-police"}
    assert told["ken-police"][0]["outcome"] == "merged"


def test_a_cluster_of_before_stances_were_kept_has_them_from_its_members() -> None:
    w = world()
    first, second = alert(category="seizure"), alert("bra-federal", "B1", category="seizure")
    for each in (first, second):
        w.send(each, "vin:1")
    for memory in w.memories:
        register = Register(overlay := Overlay(memory), IDS)
        for key, _ in list(memory.scan(b"c")):
            register.put_cluster(key[1:], {**(register.cluster(key[1:]) or {}), "stances": {}})
        memory.take(overlay)
    w.send(alert("bra-federal", "B1", 2, category="seizure", message_type="withdraw"), "vin:1")
    decision = w.send(alert("ken-police", "K1", category="discreet_check"), "vin:1")
    assert decision.outcome == "merged"
    assert [each[:2] for each in w.said] == [("ken-police", "receipt"), ("fra-police", "notice")]
