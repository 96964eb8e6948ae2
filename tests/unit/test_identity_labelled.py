"""On a labelled set: no two persons are joined, no innocent is proposed, and the order of arrival changes nothing."""

from __future__ import annotations

import random

import pytest

from bench.identity import KINDS, identity, proposals, strong_pairs, verdict
from bench.labelled import Labelled, labelled

RECORDS = 1200


@pytest.fixture(scope="module")
def rows() -> list[Labelled]:
    return list(labelled(RECORDS, seed=7))


def found(rows: list[Labelled]) -> tuple[set[frozenset[str]], dict[frozenset[str], float]]:
    """Pairs of alert ids that are joined or linked, and those proposed with their scores."""
    ids = [row.alert["alert_id"] for row in rows]
    joined, linked, _ = strong_pairs(rows, [True] * len(rows))
    proposed, _ = proposals(rows, [True] * len(rows), set())
    return (
        {frozenset((ids[one], ids[other])) for one, other in joined | linked},
        {frozenset((ids[one], ids[other])): score for (one, other), score in proposed.items()},
    )


def test_no_two_persons_are_joined(rows: list[Labelled]) -> None:
    joined, _, false_joins = strong_pairs(rows, [True] * len(rows))
    assert joined
    assert false_joins["wanted_person"] == 0


def test_whose_identity_is_misused_is_not_proposed(rows: list[Labelled]) -> None:
    places = {(row.of, place) for place, row in enumerate(rows) if row.noise == "impostor"}
    assert len(places) > 5
    joined, linked, _ = strong_pairs(rows, [True] * len(rows))
    proposed, _ = proposals(rows, [True] * len(rows), set())
    assert not places & (joined | linked | proposed.keys())


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_arrival_does_not_matter(rows: list[Labelled], seed: int) -> None:
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    assert found(shuffled) == found(rows)


def test_the_set_is_the_same_each_time(rows: list[Labelled]) -> None:
    assert list(labelled(RECORDS, seed=7)) == rows
    assert list(labelled(RECORDS, seed=8)) != rows


def test_what_the_bench_finds() -> None:
    result = identity(2000)
    assert result["records"] == 2000
    for kind in KINDS:
        row = result["kinds"][kind]
        assert row["join"]["precision"] > 0.95
        assert row["propose"]["precision"] > 0.8
        assert row["recall"] > 0.6
    verdict(result)


def test_a_false_join_of_persons_fails_loudly() -> None:
    with pytest.raises(SystemExit, match="3 pairs of distinct persons"):
        verdict({"false_joins": {"wanted_person": 3}})
