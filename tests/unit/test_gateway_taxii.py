"""The shelf of TAXII's collections: order, versions, ends and losses, over any stream of deliveries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st
from stix2 import parse

from factories import sound_cyber, sound_person, sound_vehicle
from hueandcry.adapters.stix_objects import alert_object_id
from hueandcry.gateway import taxii_shelf
from hueandcry.gateway.events import Event
from hueandcry.gateway.stix_making import make
from hueandcry.gateway.taxii_shelf import ALL, KINDS, SETTLED, Shelf
from hueandcry.sdk.jsonable import jsonable

SOUND = {"stolen_vehicle": sound_vehicle, "wanted_person": sound_person, "cyber": sound_cyber}
START = 1_900_000_000_000


def alert(kind: str, number: int, version: int = 1) -> dict[str, Any]:
    return jsonable(
        "hueandcry.Alert",
        SOUND[kind](national_reference=f"R-{number}", version=version, issued_at=START + version * 1000),
    )


def event(action: str, content: Mapping[str, Any] | None, key: str, at: int, offset: int, partition: int = 0) -> Event:
    told = {"action": action, "alert": content, "alert_id": key}
    kind = "erased" if action == "erased" else "delivery"
    made = SimpleNamespace(type=kind, content=told, key=key, at_ms=at, partition=partition, offset=offset)
    return cast("Event", made)


def objects(shelf: Shelf, collection: str = ALL) -> list[dict[str, Any]]:
    return [json.loads(item.unpacked()) for item in shelf.items(collection)]


def of_alert(shelf: Shelf, kind: str, number: int) -> list[dict[str, Any]]:
    wanted = alert_object_id(alert(kind, number)["alert_id"], kind)
    return [each for each in objects(shelf) if each["id"] == wanted]


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["issued", "updated", "withdrawn", "expired", "recalled", "erased", "linked"]),
        st.sampled_from(KINDS),
        st.integers(0, 2),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=20,
)


@given(_STEPS, st.integers(1, 7))
def test_the_order_is_that_of_adding_and_no_two_are_added_at_once(steps: list[Any], size: int) -> None:
    events = []
    at = START
    for offset, (action, kind, number, later, bare) in enumerate(steps):
        at += later
        content = alert(kind, number, offset + 1)
        gives = action in ("issued", "updated") or (action in ("withdrawn", "expired") and not bare)
        events.append(event(action, content if gives else None, content["alert_id"], at, offset))
    whole, bitwise = Shelf(make), Shelf(make)
    whole.take(events, at + SETTLED)
    for start in range(0, len(events), size):
        bitwise.take(events[start : start + size], at + SETTLED)
    for name in (ALL, *KINDS):
        items = whole.items(name)
        added = [item.added for item in items]
        assert added == sorted(set(added))
        assert len({(item.id, item.version) for item in items}) == len(items)
        assert [item[:5] for item in items] == [item[:5] for item in bitwise.items(name)]
    lost = {}
    for action, kind, number, _, _ in steps:
        lost[kind, number] = action in ("recalled", "erased") if action != "linked" else lost.get((kind, number), False)
    for (kind, number), is_lost in lost.items():
        had = of_alert(whole, kind, number)
        if is_lost and had:
            assert [each["revoked"] for each in had] == [True]
            assert "R-" not in json.dumps(had)


def test_what_has_not_settled_is_not_shown_yet() -> None:
    shelf, content = Shelf(make), alert("stolen_vehicle", 1)
    shelf.take([event("issued", content, content["alert_id"], START, 0)], START + SETTLED - 1)
    assert objects(shelf) == []
    # One that was written before and became visible later comes in where it belongs.
    other = alert("stolen_vehicle", 2)
    shelf.take([event("issued", other, other["alert_id"], START - 1, 0, 1)], START + SETTLED)
    ids = [each["id"] for each in objects(shelf) if each["type"] == "hueandcry-vehicle"]
    assert ids == [alert_object_id(each["alert_id"], "stolen_vehicle") for each in (other, content)]


def test_an_alert_is_there_with_what_it_refers_to_in_each_collection() -> None:
    shelf = Shelf(make)
    for offset, kind in enumerate(KINDS):
        content = alert(kind, offset)
        shelf.take([event("issued", content, content["alert_id"], START + offset, offset)], START + SETTLED + 10)
    for name in (ALL, *KINDS):
        known: set[str] = set()
        for each in objects(shelf, name):
            parse(each, allow_custom=True)
            refers = {each.get("created_by_ref"), *each.get("object_marking_refs", ())} - {None, each["id"]}
            assert refers <= known
            known.add(each["id"])
    counts = {name: len(shelf.items(name)) for name in (ALL, *KINDS)}
    assert all(0 < counts[kind] < counts[ALL] for kind in KINDS)


def test_an_end_is_the_last_content_revoked_and_a_loss_has_none() -> None:
    shelf, content = Shelf(make), alert("wanted_person", 1)
    key = content["alert_id"]
    shelf.take([event("issued", content, key, START, 0)], START + SETTLED)
    shelf.take([event("withdrawn", None, key, START + 5_000, 1)], START + 5_000 + SETTLED)
    first, ended = of_alert(shelf, "wanted_person", 1)
    assert not first.get("revoked")
    assert ended["revoked"]
    assert ended["modified"] > first["modified"]
    assert ended["identities"] == first["identities"]
    shelf.take([event("recalled", None, key, START + 9_000, 2)], START + 9_000 + SETTLED)
    (bare,) = of_alert(shelf, "wanted_person", 1)
    assert bare["revoked"]
    assert not {"identities", "warrant", "description", "external_references"} & bare.keys()


def test_a_shelf_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr(taxii_shelf, "MOST_BYTES", 20_000)
    shelf = Shelf(make)
    for number in range(60):
        content = alert("stolen_vehicle", number)
        shelf.take([event("issued", content, content["alert_id"], START + number, number)], START + SETTLED + 100)
    items = shelf.items(ALL)
    assert sum(len(item.packed) for item in items) <= 20_000
    assert items[-1].id == alert_object_id(alert("stolen_vehicle", 59)["alert_id"], "stolen_vehicle")
