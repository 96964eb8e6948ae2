"""Parts of plates: what the index finds is what fits, and nothing is told by how much there is."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import sound_vehicle
from hueandcry.distribute.entries import ALERT
from hueandcry.identity import normalise_plate
from hueandcry.search.answer import Answer
from hueandcry.search.patterns import Plate, PlateIndex, PlatePattern, TooWide, is_pattern, read_pattern
from hueandcry.search.plates import Plates
from hueandcry.search.question import Question, ask
from shelf import READING, SECRET, Shelf
from simulator import Memory, small_network

MANY = settings(max_examples=200, deadline=None)
NETWORK = small_network()
PLATES = st.text("AB1", min_size=1, max_size=15)
PARTS = st.text("AB1??*", min_size=1, max_size=14)


def naive(text: str, plate: str) -> bool:
    """Whether a plate fits, read off the pattern sign by sign."""
    if not text:
        return not plate
    if text[0] == "*":
        return naive(text[1:], plate) or (bool(plate) and naive(text, plate[1:]))
    return bool(plate) and text[0] in ("?", plate[0]) and naive(text[1:], plate[1:])


@MANY
@given(st.lists(PLATES, max_size=12), PARTS, st.sampled_from(["", "FRA"]))
def test_the_index_finds_whatever_fits(numbers: list[str], written: str, state: str) -> None:
    try:
        pattern = read_pattern(written, state or None)
    except TooWide:
        assert len(re.sub("[?*]", "", written)) < 3 or written.count("*") > 3
        return
    index, plates = PlateIndex(), {}
    for number, each in enumerate(numbers):
        plate = Plate(each, "FRA" if number % 2 else "DEU", "actual" if number % 3 else "test")
        alert_id = str(uuid.UUID(int=number))
        plates[alert_id] = plate
        index.add(alert_id, plate)
    found = {alert_id for alert_id, _ in index.find(pattern)}
    fits = {
        alert_id
        for alert_id, plate in plates.items()
        if naive(written, plate.number) and plate.state in (state or plate.state) and plate.status == "actual"
    }
    assert fits <= found
    assert {alert_id for alert_id in found if pattern.fits(plates[alert_id])} == fits


@pytest.mark.parametrize(
    ("written", "state", "read"),
    [
        ("ab-?1*", None, "AB?1*"),
        ("АВ 12?", None, "AB12?"),  # Cyrillic letters
        ("AB1\uff1f", "FRA", "AB1?"),
        ("*AB**12?", None, "*AB*12?"),
        ("A?*?*B1", None, "A??*B1"),
    ],
)
def test_how_a_part_is_read(written: str, state: str | None, read: str) -> None:
    assert is_pattern(written)
    assert read_pattern(written, state) == PlatePattern(read, state or "")


@pytest.mark.parametrize("written", ["A*", "?A?B?", "*", "-A-*", "A*B*1*2*3", "A" * 20 + "*"])
def test_what_is_too_wide(written: str) -> None:
    with pytest.raises(TooWide):
        read_pattern(written)


def test_a_long_list_of_likely_plates_takes_no_long_time() -> None:
    index, pattern = PlateIndex(), read_pattern("A*A*A*B")
    for number in range(40_000):
        index.add(str(uuid.UUID(int=number)), Plate("A" * 15, "FRA", "actual"))
    assert list(index.find(pattern)) == []
    assert not pattern.fits(Plate("A" * 200, "FRA", "actual"))


# -- following the register ---------------------------------------------------------------------------------------


def vehicle(reference: str, raw: str, **changes: Any) -> dict[str, Any]:
    plate = {"raw": raw, "normalised": None, "state": "FRA", "subdivision": None, "type": "ordinary"}
    made = sound_vehicle(issuer="fra-police", national_reference=reference, **changes)
    return made | {"subject": made["subject"] | {"plate": plate}}


@MANY
@given(
    st.lists(st.tuples(st.sampled_from("12345"), st.one_of(st.none(), st.sampled_from(["AB123", "AB124", "XY999"])))),
    st.integers(0, 8),
)
def test_it_follows_what_changes_before_and_after_it_has_read_all(
    changes: list[tuple[str, str | None]], read_after: int
) -> None:
    memory, last = Memory(), {}
    shelf = Shelf(1)
    plates = Plates(memory, READING)
    for number, (reference, raw) in enumerate(changes):
        if number == read_after:
            plates.step()
        record = vehicle(reference, raw or "AB123")
        key = ALERT + record["alert_id"].encode()
        shelf.enter(record)
        value = shelf.memories[0].pairs[key] if raw else None
        plates.changed({key: value})
        memory.pairs.pop(key, None)
        if value is not None:
            memory.pairs[key] = value
        last[reference] = raw
    while plates.step():
        pass
    pattern = read_pattern("AB12*")
    found = [READING.entry(value) for value in plates.find(pattern, 1000) if value is not None]
    assert sorted(each["head"]["alert_id"] for each in found) == sorted(
        vehicle(reference, raw)["alert_id"] for reference, raw in last.items() if raw and raw.startswith("AB12")
    )


def test_an_entry_that_can_not_be_read_ends_nothing() -> None:
    memory, shelf = Memory(), Shelf(1)
    shelf.enter(vehicle("1", "AB123"))
    memory.pairs = {**shelf.memories[0].pairs, ALERT + b"x": b"no record"}
    plates = Plates(memory, READING)
    while plates.step():
        pass
    plates.changed({ALERT + b"y": b"no record either"})
    assert sum(value is not None for value in plates.find(read_pattern("AB1*"), 10)) == 1


# -- the answer ---------------------------------------------------------------------------------------------------


def search(shelf: Shelf, agency: str, raw: str, **by: Any) -> Answer:
    asked = ask(Question(purpose="a test", plate={"raw": raw, **by}), SECRET)  # type: ignore[arg-type]
    return asyncio.run(shelf.searcher.search(asked, NETWORK.agencies[agency], NETWORK))


def test_a_part_only_proposes_and_shows_what_may_be_seen() -> None:
    shelf = Shelf()
    shelf.enter(vehicle("1", "AB-123-CD"))
    shelf.enter(vehicle("2", "AB-124-CD"), classification="secret")
    shelf.enter(vehicle("3", "AB-125-CD"), state="withdrawn")
    shelf.enter(vehicle("4", "AB-126-CD", status="test"))
    shelf.enter(vehicle("5", "XB-127-CD"))
    found = search(shelf, "deu-vehicles", "AB?2*")
    assert (found.exact, found.elsewhere, found.more) == ([], [], False)
    (match,) = found.proposed
    assert match.alert["subject"]["plate"]["raw"] == "AB-123-CD"
    assert match.likeness is not None
    assert match.likeness.score == round(3 / 7, 3)
    assert "AB" not in str(match.likeness.reasons)
    assert len(search(shelf, "fra-police", "AB?2*").proposed) == 2
    assert not search(shelf, "fra-police", "AB?2*", state="DEU").proposed
    assert normalise_plate("AB-123-CD") == "AB123CD"
