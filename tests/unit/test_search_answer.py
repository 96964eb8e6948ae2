"""What a search shows, and that of the rest there is no trace."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from factories import DAY_MS, NOW_MS, sound_cyber, sound_person, sound_vehicle
from hueandcry.alerts.compatibility import COVERT
from hueandcry.distribute.entries import Register
from hueandcry.lanes.state import Overlay
from hueandcry.rights.disclose import disclosure
from hueandcry.rights.may_receive import may_receive
from hueandcry.rights.network import Agency, Network
from hueandcry.search.answer import Answer
from hueandcry.search.api import _shown
from hueandcry.search.question import Question, ask
from hueandcry.search.shelves import Unavailable
from oracle import oracle_may_receive
from shelf import SECRET, Shelf
from simulator import IDS, World, alert, small_network
from worlds import heads, networks

MANY = settings(max_examples=100, deadline=None)
VIN = "VF3LCYHZPFS000042"
NETWORK = small_network()


def search(shelf: Shelf, agency: str | Agency, network: Network = NETWORK, **by: Any) -> Answer:
    asked = ask(Question(purpose="a test", **by), SECRET)
    who = network.agencies[agency] if isinstance(agency, str) else agency
    return asyncio.run(shelf.searcher.search(asked, who, network))


def as_bytes(found: Answer) -> bytes:
    return json.dumps(_shown(found, ())).encode()


def vehicle(reference: str = "1", issuer: str = "fra-police", **changes: Any) -> dict[str, Any]:
    return sound_vehicle(issuer=issuer, national_reference=reference, **changes)


@MANY
@given(networks(), st.lists(heads(), min_size=1, max_size=6), st.lists(st.booleans(), min_size=6, max_size=6))
def test_nothing_is_shown_that_may_not_be_received(
    network: Network, heads: list[dict[str, Any]], discoverable: list[bool]
) -> None:
    shelf, known = Shelf(), {}
    for number, head in enumerate(heads):
        record = vehicle(str(number), status="actual", kind="stolen_vehicle")
        head |= {"kind": "stolen_vehicle", "status": "actual", "alert_id": record["alert_id"]}
        head |= {"expires_at": NOW_MS + DAY_MS, "discoverable": discoverable[number], "review_due": None}
        shelf.enter(record, **head)
        known[record["alert_id"]] = head
    for agency in network.agencies.values():
        for by in ({"vin": VIN}, {"vin": VIN[-8:]}):
            found = search(shelf, agency, network, **by)
            shown = {match.alert_id for match in (*found.exact, *found.proposed)}
            entitled = {
                name
                for name, head in known.items()
                if head["issuer"] == agency.id or oracle_may_receive(agency, head, network)
            }
            event(f"{len(shown)} shown, {len(found.elsewhere)} elsewhere")
            assert shown == entitled
            assert set(found.discovered) <= {name for name, head in known.items() if head["discoverable"]} - entitled
            for match in (*found.exact, *found.proposed):
                lacking = set(known[match.alert_id]["rights"]) - set(agency.rights)
                assert match.redacted == (bool(lacking) and known[match.alert_id]["issuer"] != agency.id)


@MANY
@given(networks(), st.lists(heads(), min_size=1, max_size=5))
def test_an_answer_is_the_same_as_if_what_is_denied_were_not_there(
    network: Network, heads: list[dict[str, Any]]
) -> None:
    common = {"kind": "stolen_vehicle", "status": "actual", "expires_at": NOW_MS + DAY_MS, "review_due": None}
    records = [vehicle(str(number)) for number in range(len(heads))]
    given = [
        head | common | {"alert_id": record["alert_id"], "discoverable": False}
        for head, record in zip(heads, records, strict=True)
    ]
    whole = Shelf()
    for record, head in zip(records, given, strict=True):
        whole.enter(record, **head)
    for agency in network.agencies.values():
        less = Shelf()
        for record, head in zip(records, given, strict=True):
            if head["issuer"] == agency.id or may_receive(agency, head, network).allowed:
                less.enter(record, **head)
        for by in ({"vin": VIN}, {"vin": VIN[-8:]}, {"plate": {"raw": "AB123CD", "state": "FRA"}}):
            assert as_bytes(search(whole, agency, network, **by)) == as_bytes(search(less, agency, network, **by))


@MANY
@given(networks(), heads(), st.booleans())
def test_who_is_told_that_there_is_one(network: Network, head: dict[str, Any], discoverable: bool) -> None:
    head |= {"discoverable": discoverable}
    for agency in network.agencies.values():
        said = disclosure(agency, head, network)
        if said == "existence":
            assert discoverable
            assert head["category"] not in COVERT
            assert head["tlp"] != "red"
            assert head["kind"] in agency.kinds
            assert not {agency.id, agency.state, agency.region, *agency.coalitions, "world"} & set(head["excluded"])
            assert not oracle_may_receive(agency, head, network)
        assert (said == "whole") == (head["issuer"] == agency.id or oracle_may_receive(agency, head, network))
        if not discoverable:
            assert said != "existence"


def test_hit_or_no_hit_names_state_and_kind_and_nothing_else() -> None:
    shelf = Shelf()
    hidden = {"classification": "secret", "discoverable": True}
    shelf.enter(vehicle("1", **hidden))
    shelf.enter(vehicle("2", **hidden))
    found = search(shelf, "bra-federal", vin=VIN)
    assert (found.exact, found.proposed, found.elsewhere) == ([], [], [("FRA", "stolen_vehicle")])
    assert len(found.discovered) == 2
    shown = as_bytes(found).decode()
    assert not any(each in shown for each in found.discovered)
    # Only of the very subject.
    assert search(shelf, "bra-federal", vin=VIN[-8:]) == Answer()


@pytest.mark.parametrize(
    "changes",
    [
        {"discoverable": False},
        {"category": "discreet_check"},
        {"tlp": "red"},
        {"excluded": ["BRA"]},
        {"excluded": ["bra"]},
        {"kind": "cyber"},
    ],
    ids=str,
)
def test_what_nobody_may_learn_of(changes: dict[str, Any]) -> None:
    shelf = Shelf()
    network = small_network()
    agency = network.agencies["bra-federal"].model_copy(update={"kinds": ("stolen_vehicle",)})
    shelf.enter(vehicle(classification="secret", discoverable=True), **changes)
    assert search(shelf, agency, network, vin=VIN) == Answer()


def test_the_issuer_sees_its_own_whole() -> None:
    shelf = Shelf()
    own = sound_person(issuer="deu-vehicles", classification="secret", provenance__source="invented")
    shelf.enter(own)
    (match,) = search(shelf, "deu-vehicles", document={"number": "C01X0006H", "state": "DEU"}).exact
    assert (match.alert, match.redacted) == (own, False)


def test_others_see_it_redacted() -> None:
    shelf = Shelf()
    shelf.enter(sound_person(issuer="fra-police", classification="unclassified", provenance__source="invented"))
    (match,) = search(shelf, "ken-police", document={"number": "C01X0006H", "state": "DEU"}).exact
    assert match.redacted
    assert match.alert["subject"]["biometrics"] == []
    assert match.alert["provenance"]["source"] == "invented"


def test_only_what_is_in_force_is_found() -> None:
    ended: list[dict[str, Any]] = [{"state": "withdrawn"}, {"state": "expired"}, {"expires_at": NOW_MS}]
    for entered in ended:
        shelf = Shelf()
        shelf.enter(vehicle(), **entered)
        assert search(shelf, "ken-police", vin=VIN) == Answer()


@pytest.mark.parametrize("status", ["exercise", "test"])
def test_exercises_and_tests_show_only_where_they_are_asked_for(status: str) -> None:
    shelf = Shelf()
    shelf.enter(vehicle(status=status))
    assert search(shelf, "ken-police", vin=VIN) == Answer()
    assert len(search(shelf, "ken-police", vin=VIN, status=status).exact) == 1


def test_exact_and_possible_are_apart() -> None:
    shelf = Shelf()
    exact, near = vehicle("1"), vehicle("2", subject__vin__raw="VF3LCYHZPFSO00042", subject__plate=None)
    shelf.enter(exact)
    shelf.enter(near)
    found = search(shelf, "ken-police", vin=VIN)
    assert [match.alert_id for match in found.exact] == [exact["alert_id"]]
    assert [match.alert_id for match in found.proposed] == [near["alert_id"]]
    (match,) = found.proposed
    assert match.likeness is not None
    assert [reason.rule for reason in match.likeness.reasons] == ["likeness.vin.confusable"]


def test_an_alert_is_found_by_each_of_its_keys() -> None:
    shelf = Shelf()
    shelf.enter(sound_cyber(issuer="fra-police", category="block", action="block"))
    for value in ("login.example.net", "192.0.2.45", "https://login.example.net/Portal", "ab" * 32):
        assert len(search(shelf, "usa-cyber", indicator={"value": value}).exact) == 1, value


def test_an_alert_that_moves_is_followed() -> None:
    shelf, record = Shelf(), vehicle()
    shelf.enter(record)
    for to in range(3):
        shelf.move(record, to)
        if to:
            assert len(search(shelf, "ken-police", vin=VIN).exact) <= 1
    shelf = Shelf()
    shelf.enter(record)
    home = next(at for at, memory in enumerate(shelf.memories) if memory.get(b"a" + record["alert_id"].encode()))
    shelf.move(record, (home + 1) % 3)
    assert len(search(shelf, "ken-police", vin=VIN).exact) == 1


def test_a_claim_of_a_key_that_the_alert_has_no_more_finds_nothing() -> None:
    shelf = Shelf()
    shelf.enter(vehicle())
    # The same alert, now on another car; the old claim has not been taken back yet.
    shelf.enter(vehicle(subject__vin__raw="VF3LCYHZPFS000099", subject__plate=None, version=2, message_type="update"))
    assert search(shelf, "ken-police", plate={"raw": "AB123CD", "state": "FRA"}).exact == []


def test_the_urgent_come_first_and_the_many_are_bounded() -> None:
    shelf = Shelf()
    shelf.enter(vehicle("check", category="inquiry_check"))
    shelf.enter(vehicle("seize"))
    found = search(shelf, "ken-police", vin=VIN)
    assert [match.entry["head"]["category"] for match in found.exact] == ["seizure", "inquiry_check"]
    assert not found.more
    for number in range(100):
        shelf.enter(vehicle(str(number)))
    found = search(shelf, "ken-police", vin=VIN)
    assert (len(found.exact), found.more) == (100, True)


def test_without_a_partition_there_is_no_answer() -> None:
    shelf = Shelf()
    shelf.memories = [None, None, None]  # type: ignore[list-item]
    with pytest.raises(Unavailable):
        search(shelf, "ken-police", vin=VIN)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["fra-police", "ken-police", "bra-federal"]),
            st.sampled_from(["1", "2"]),
            st.sampled_from(["vin:1", "vin:2", "plate:1"]),
            st.sampled_from(["update", "withdraw"]),
        ),
        max_size=14,
    )
)
def test_every_active_alert_of_the_register_claims_the_key_of_its_identity(steps: list[tuple[str, ...]]) -> None:
    """Search looks at claims alone: so every member of a cluster must have one, however it came there."""
    world, versions = World(small_network()), {}
    for issuer, reference, identity, message_type in steps:
        version = versions[issuer, reference] = versions.get((issuer, reference), 0) + 1
        changes = {} if version == 1 else {"message_type": message_type}
        world.send(alert(issuer, reference, version, **changes), identity)
        world.settle()
    for partition, memory in enumerate(world.memories):
        register = Register(Overlay(memory), IDS)
        for key, _ in list(memory.scan(b"a")):
            entry = register.alert(key[1:].decode())
            assert entry is not None
            claimants = register.claimants(entry["identity_key"], 100)
            mine = [each for each in claimants if each.alert_id == entry["head"]["alert_id"]]
            if entry["state"] == "active" and (entry["strong"] or entry["apart"]):
                assert [each.home for each in mine] == [partition]
            else:
                assert mine == []
