"""Which alerts may stand side by side: as SIS says, the same both ways, and as the page says it."""

from __future__ import annotations

import re
from itertools import combinations_with_replacement, permutations, product
from pathlib import Path
from typing import get_args

import pytest

from hueandcry.alerts.categories import GROUNDS, Category
from hueandcry.alerts.compatibility import (
    INCOMPATIBLE,
    PRIORITY,
    SEVERAL_A_STATE,
    Stance,
    compatible,
    conflicts,
    rank,
)

CATEGORIES: tuple[Category, ...] = get_args(Category)
OF_KIND: dict[str, list[Category]] = {
    kind: [row.category for row in GROUNDS if row.kind == kind] for kind in ("wanted_person", "stolen_vehicle", "cyber")
}
PAGE = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text("utf-8")

# By hand, apart from the module's own table: what may stand beside each other on a person, x where it may not.
#                       arr ref pro spe inq dis whe ide
PERSONS = {
    "arrest":           " .   .   .   x   x   x   .   . ",
    "refusal_of_entry": " .   .   x   x   x   x   x   . ",
    "protection":       " .   x   .   x   x   x   .   . ",
    "specific_check":   " x   x   x   .   x   x   x   . ",
    "inquiry_check":    " x   x   x   x   .   x   x   . ",
    "discreet_check":   " x   x   x   x   x   .   x   x ",
    "whereabouts":      " .   x   .   x   x   x   .   . ",
    "identification":   " .   .   .   .   .   x   .   . ",
}  # fmt: skip
OBJECTS = {
    "evidence":         " .   .   x   x   x ",
    "seizure":          " .   .   x   x   x ",
    "specific_check":   " x   x   .   x   x ",
    "inquiry_check":    " x   x   x   .   x ",
    "discreet_check":   " x   x   x   x   . ",
}  # fmt: skip
THREATS = {"block": " .   x ", "detect": " x   . "}


@pytest.mark.parametrize(
    ("kind", "table"), [("wanted_person", PERSONS), ("stolen_vehicle", OBJECTS), ("cyber", THREATS)]
)
def test_what_is_compatible_is_what_the_table_says(kind: str, table: dict[Category, str]) -> None:
    assert set(table) == set(OF_KIND[kind])
    for one, row in table.items():
        for other, cell in zip(table, row.split(), strict=True):
            assert compatible(one, other) == (cell == "."), f"{one} and {other}"


def test_compatibility_is_the_same_both_ways() -> None:
    for one, other in product(CATEGORIES, repeat=2):
        assert compatible(one, other) == compatible(other, one)


def test_a_pair_is_said_once_in_the_order_of_priority_and_meets_on_some_kind() -> None:
    pairs = [(row.one, row.other) for row in INCOMPATIBLE]
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert all(rank(one) < rank(other) for one, other in pairs)
    assert all(any({one, other} <= set(of) for of in OF_KIND.values()) for one, other in pairs)
    assert all(row.source for row in INCOMPATIBLE)


def test_every_category_has_its_place_and_the_order_is_that_of_the_manual() -> None:
    assert sorted(PRIORITY) == sorted(CATEGORIES)
    manual = ["arrest", "refusal_of_entry", "protection", "specific_check", "discreet_check", "whereabouts"]
    assert sorted(manual, key=rank) == manual
    objects = ["evidence", "seizure", "specific_check", "discreet_check"]
    assert sorted(objects, key=rank) == objects
    assert rank("a category of tomorrow") > rank(PRIORITY[-1])


def stance(state: str, category: Category, alert_id: str = "1") -> Stance:
    return Stance(state, category, alert_id, f"police-of-{state.lower()}")


def test_between_states_what_is_incompatible_conflicts_and_nothing_else() -> None:
    for one, other in product(CATEGORIES, repeat=2):
        found = conflicts([stance("FRA", one)], stance("DEU", other, "2"))
        assert [each.rule for each in found] == ([] if compatible(one, other) else ["incompatible"])
        for each in found:
            assert each.first in (one, other)
            assert rank(each.first or "") <= min(rank(one), rank(other))


def test_a_state_has_one_alert_on_a_person_or_an_object_and_several_on_a_threat() -> None:
    for kind in ("wanted_person", "stolen_vehicle"):
        for one, other in combinations_with_replacement(OF_KIND[kind], 2):
            (found,) = conflicts([stance("FRA", one)], stance("FRA", other, "2"))
            assert found.rule == "one_a_state"
            assert found.first == (None if one == other else min(one, other, key=rank))
    assert set(OF_KIND["cyber"]) == SEVERAL_A_STATE
    assert conflicts([stance("FRA", "block")], stance("FRA", "block", "2")) == []
    assert [each.rule for each in conflicts([stance("FRA", "detect")], stance("FRA", "block", "2"))] == ["incompatible"]


def test_an_alert_does_not_conflict_with_itself_and_others_come_by_priority() -> None:
    assert conflicts([stance("FRA", "arrest", "2")], stance("FRA", "protection", "2")) == []
    three: list[Category] = ["discreet_check", "arrest", "specific_check"]
    for order in permutations(three):
        met = conflicts([stance("FRA", each, each) for each in order], stance("DEU", "inquiry_check", "2"))
        assert [each.standing.category for each in met] == ["arrest", "specific_check", "discreet_check"]


# -- the page -----------------------------------------------------------------------------------------------------


def tables() -> dict[str, list[list[str]]]:
    """By heading, the rows of its table."""
    found: dict[str, list[list[str]]] = {}
    for section in re.split(r"^## ", PAGE, flags=re.M)[1:]:
        rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
        found[section.splitlines()[0]] = [[cell.strip() for cell in row] for row in rows]
    return found


@pytest.mark.parametrize(
    ("heading", "kind"), [("Persons", "wanted_person"), ("Objects", "stolen_vehicle"), ("Cyber threats", "cyber")]
)
def test_the_page_says_what_holds(heading: str, kind: str) -> None:
    header, _, *rows = tables()[heading]
    columns = [cell.replace(" ", "_") for cell in header[1:]]
    assert columns == [category for category in PRIORITY if category in OF_KIND[kind]]
    assert [row[0].strip("*").replace(" ", "_") for row in rows] == columns
    for one, row in zip(columns, rows, strict=True):
        said = dict(zip(columns, row[1:], strict=True))
        holds = {other: "yes" if compatible(one, other) else "no" for other in columns}  # type: ignore[arg-type]
        assert said == holds, one


def test_the_page_names_the_sources_of_every_pair_and_the_order() -> None:
    order = [row[1].replace(" ", "_") for row in tables()["Priority"][2:]]
    assert tuple(order) == PRIORITY
    ours = {frozenset(cell.replace(" ", "_") for cell in row[:2]) for row in tables()["What is our own choice"][2:]}
    assert ours == {frozenset((row.one, row.other)) for row in INCOMPATIBLE if row.source == "platform's own choice"}
