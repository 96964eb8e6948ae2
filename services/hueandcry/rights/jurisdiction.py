"""Places, and which of them meet.

Places form one tree: the world, its regions (of the network), their states (ISO 3166-1 alpha-3), their subdivisions
(ISO 3166-2), and the parts of those. Two places meet where one lies in the other, or they are the same. So DEU meets
DE-BY, europe and world; DE-BY does not meet DE-BE. A code that is no known place meets nothing, not even the world.

Source of the codes: the ISO 3166 tables that pycountry carries. A state that only the network names (XKX, for example)
is a place too.
"""

from __future__ import annotations

from collections.abc import Iterable
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


@cache
def _iso_inside() -> dict[str, frozenset[str]]:
    """The subdivisions inside each state or subdivision that has some."""
    inside: dict[str, set[str]] = {}
    for code, chain in _iso_subdivisions().items():
        for around in chain:
            inside.setdefault(around, set()).add(code)
    return {place: frozenset(codes) for place, codes in inside.items()}


class Places:
    """The tree of places of one network."""

    def __init__(self, regions: Iterable[Region]) -> None:
        regions = list(regions)
        self._region_of = {state: region.id for region in regions for state in region.states}
        self._states: dict[str, list[str]] = {region.id: [] for region in regions if region.id != WORLD}
        for state, region in self._region_of.items():
            if region != WORLD:
                self._states[region].append(state)
        self._reach: dict[tuple[str, ...], frozenset[str]] = {}

    def __contains__(self, place: str) -> bool:
        return bool(self.above(place))

    def above(self, place: str) -> tuple[str, ...]:
        """The place and all that it lies in, up to the world; empty for a code that is no known place."""
        if place == WORLD:
            return (WORLD,)
        if place in self._states:
            return (place, WORLD)
        if place in self._region_of:
            return (place, *self.above(self._region_of[place]))
        if place in iso_states():
            return (place, WORLD)
        chain = _iso_subdivisions().get(place)
        return (place, *chain[:-1], *self.above(chain[-1])) if chain else ()

    def reach(self, jurisdictions: tuple[str, ...]) -> frozenset[str]:
        """Every place that meets one of these. Agencies with the same jurisdictions share one set."""
        known = tuple(sorted({place for place in jurisdictions if place in self}))
        if known not in self._reach:
            met: set[str] = set()
            for place in known:
                met.update(self.above(place))
                self._add_inside(place, met)
            self._reach[known] = frozenset(met)
        return self._reach[known]

    def _add_inside(self, place: str, met: set[str]) -> None:
        if place == WORLD:
            met.update(self._states, self._region_of, iso_states(), _iso_subdivisions())
        elif place in self._states:
            for state in self._states[place]:
                met.add(state)
                met.update(_iso_inside().get(state, ()))
        else:
            met.update(_iso_inside().get(place, ()))
