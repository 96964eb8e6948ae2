"""Those who have a key, in the partition that the key belongs to, and which of them meet.

By a strong key an alert meets the `NEAR` before it and the `NEAR` after it in the order of registration, by a weak one
the newest `FEW`. No pair is stored, so a key that half of all alerts share costs each of them no more than these.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hueandcry.distribute.entries import Claimant, Register

#: How many claimants of a strong key, older and newer ones each, an alert meets.
NEAR = 3
#: How many claimants of a weak key an alert is compared with.
FEW = 8


class Meeting(NamedTuple):
    """An alert, and older ones that have the same key."""

    one: Claimant
    older: list[Claimant]


def enter(register: Register, key: bytes, claimant: Claimant, *, weak: bool) -> list[Meeting]:
    """Enter a claimant, once or again; whom it is to meet."""
    register.put_claimant(key, claimant)
    if weak:
        newest, own = register.claimants(key, FEW + 1), claimant.order
        place = bisect_left(newest, own, key=lambda each: each.order)
        older, newer = [each for each in newest[place:] if each.order != own], newest[:place]
    else:
        older = register.claimants(key, NEAR, after=claimant)
        newer = register.newer_claimants(key, NEAR, claimant)
    return list(_held([(claimant, older), *((each, [claimant]) for each in newer)]))


def remove(register: Register, key: bytes, claimant: Claimant, *, weak: bool) -> list[Meeting]:
    """Remove a claimant, unless it is of another home by now; who comes closer to whom, and is to meet it."""
    if not register.drop_claimant(key, claimant) or weak:
        return []
    older = register.claimants(key, NEAR, after=claimant)
    newer = register.newer_claimants(key, NEAR, claimant)
    return list(_held((each, older[NEAR - 1 - place : NEAR - place]) for place, each in enumerate(newer)))


def _held(pairs: Iterable[tuple[Claimant, list[Claimant]]]) -> Iterator[Meeting]:
    for one, older in pairs:
        # Those whom the key leads are together in its cluster. While an alert moves, two homes may claim for it.
        others = [each for each in older if each.alert_id != one.alert_id and not (one.leads and each.leads)]
        if others:
            yield Meeting(one, others)
