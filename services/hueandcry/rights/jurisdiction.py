"""Places, and which of them meet.

Places form one tree: the world, its regions (of the network), their states (ISO 3166-1 alpha-3), their subdivisions
(ISO 3166-2), and the parts of those. Two places meet where one lies in the other, or they are the same. So DEU meets
DE-BY, europe and world; DE-BY does not meet DE-BE. A code that is no known place meets nothing, not even the world.

Source of the codes: the ISO 3166 tables that pycountry carries. A state that only the network names (XKX, for example)
is a place too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, cast

import pycountry

from hueandcry.rights.network import Region

WORLD = "world"


@cache
def iso_states() -> frozenset[str]:
    """Every state code of ISO 3166-1 alpha-3."""
    return frozenset(country.alpha_3 for country in pycountry.countries)


@cache
def _iso_subdivisions() -> dict[str, tuple[str, ...]]:
    """What each ISO 3166-2 code lies in, nearest first, ending with its state (alpha-3)."""
    state = {country.alpha_2: country.alpha_3 for country in pycountry.countries}
    parts = cast("list[Any]", list(pycountry.subdivisions))
    parent: dict[str, str | None] = {part.code: part.parent_code for part in parts}
    chains: dict[str, tuple[str, ...]] = {}
    for part in parts:
        chain: list[str] = []
        above = parent[part.code]
        while above is not None and above in parent and above not in chain:
            chain.append(above)
            above = parent[above]
        chains[part.code] = (*chain, state[part.country_code])
    return chains


class Places:
    """The tree of places of one network."""

    def __init__(self, regions: Iterable[Region]) -> None:
        regions = [region for region in regions if region.id != WORLD]
        region_of = {state: region.id for region in regions for state in region.states}
        above: dict[str, tuple[str, ...]] = {WORLD: (WORLD,)}
        for region in regions:
            above[region.id] = (region.id, WORLD)
        for state in iso_states() | region_of.keys():
            above[state] = (state, region_of[state], WORLD) if state in region_of else (state, WORLD)
        for code, chain in _iso_subdivisions().items():
            above[code] = (code, *chain[:-1], *above[chain[-1]])
        self._above: Mapping[str, tuple[str, ...]] = above
        self._reach: dict[tuple[str, ...], frozenset[str]] = {}

    def __contains__(self, place: object) -> bool:
        return place in self._above

    def above(self, place: str) -> tuple[str, ...]:
        """The place and all that it lies in, up to the world; empty for a code that is no known place."""
        return self._above.get(place, ())

    def reach(self, jurisdictions: tuple[str, ...]) -> frozenset[str]:
        """Every place that meets one of these. Agencies with the same jurisdictions share one set."""
        known = tuple(sorted({place for place in jurisdictions if place in self._above}))
        if known not in self._reach:
            wanted = frozenset(known)
            met = {place for place, chain in self._above.items() if not wanted.isdisjoint(chain)}
            self._reach[known] = frozenset(met.union(*(self._above[place] for place in known)))
        return self._reach[known]
