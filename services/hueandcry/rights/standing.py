"""An agency as the rules see it: what names it goes by, where it acts, how far it is cleared.

Names in releasable_to and excluded are agency ids, states, region ids and coalitions, compared exactly. They share one
name space. Where a name could mean two things (an agency called like a region), it releases to nobody and excludes all
whom it may mean. `world` excludes everybody and releases to nobody.

Standings are computed once for each agency of a network and forgotten with the network. A `Network` is a value: to
change it, make a new one.
"""

from __future__ import annotations

import unicodedata
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from hueandcry.rights.jurisdiction import WORLD, Places, iso_states
from hueandcry.rights.network import CLEARANCE_LEVEL, Agency, Network


def fold(name: str) -> str:
    """A name without regard to case, width and outer blanks."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What the rules ask of an agency.

    Attributes:
        level: of its clearance.
        releases: the names that release an alert to it.
        by_id: its id, as a set; empty where that name could mean something else.
        by_id_or_state: the same and its state.
        excludes: the names that exclude it.
        excludes_folded: the same, folded.
        names: every name that its network knows.
        reach: every place that meets one of its jurisdictions.
    """

    agency: Agency
    id: str
    level: int
    kinds: frozenset[str]
    rights: frozenset[str]
    releases: frozenset[str]
    by_id: frozenset[str]
    by_id_or_state: frozenset[str]
    excludes: frozenset[str]
    excludes_folded: frozenset[str]
    names: frozenset[str]
    reach: frozenset[str]

    def is_excluded_by(self, excluded: Iterable[str]) -> bool:
        """Whether one of these names excludes the agency.

        An exclusion is read generously: an entry that the network does not know as it is written ("deu", " DEU") is
        compared without regard to case, width and blanks. What releases is never read so.
        """
        if not self.excludes.isdisjoint(excluded):
            return True
        return any(name not in self.names and fold(name) in self.excludes_folded for name in excluded)


class Standings:
    """The standings of the agencies of one network."""

    #: Agencies that are not of the network are kept too; beyond so many, all are computed anew.
    LIMIT = 100_000

    def __init__(self, network: Network) -> None:
        agencies = network.agencies.values()
        self.places = Places(network.regions.values())
        self._agencies = frozenset(agency.id for agency in agencies)
        self._regions = frozenset(network_region.id for network_region in network.regions.values())
        self._coalitions = frozenset(name for agency in agencies for name in agency.coalitions)
        states = iso_states().union(*(region.states for region in network.regions.values()))
        self.names = frozenset({WORLD}).union(self._agencies, self._regions, self._coalitions, states)
        self._known: dict[str, Standing] = {}

    def of(self, agency: Agency) -> Standing:
        """The standing of an agency in this network."""
        standing = self._known.get(agency.id)
        if standing is None or standing.agency is not agency:
            standing = self._compute(agency)
            if len(self._known) >= self.LIMIT:
                self._known.clear()
            self._known[agency.id] = standing
        return standing

    def _is_plain(self, name: str, agency: Agency) -> bool:
        """Whether the name means one thing only: an agency, a region or a coalition."""
        meanings = (
            name == WORLD,
            name == agency.id or name in self._agencies,
            name == agency.region or name in self._regions,
            name in agency.coalitions or name in self._coalitions,
        )
        return sum(meanings) == 1

    def _compute(self, agency: Agency) -> Standing:
        slugs = {agency.id, agency.region, *agency.coalitions}
        plain = {name for name in slugs if self._is_plain(name, agency)}
        by_id = frozenset({agency.id} & plain)
        excludes = frozenset({*slugs, agency.state, WORLD})
        return Standing(
            agency=agency,
            id=agency.id,
            level=CLEARANCE_LEVEL[agency.clearance],
            kinds=frozenset(agency.kinds),
            rights=frozenset(agency.rights),
            releases=frozenset({*plain, agency.state}),
            by_id=by_id,
            by_id_or_state=by_id | {agency.state},
            excludes=excludes,
            excludes_folded=frozenset(map(fold, excludes)),
            names=self.names,
            reach=self.places.reach(agency.jurisdictions),
        )


#: The last few networks met, by identity. An entry goes when its network does; it holds nothing but what it computes
#: from that value again.
_NETWORKS = 8
_standings: dict[int, tuple[weakref.ref[Network], Standings]] = {}
_lock = Lock()


def standings(network: Network) -> Standings:
    """The standings of a network; computed at its first use."""
    entry = _standings.get(id(network))
    if entry is not None and entry[0]() is network:
        return entry[1]
    made = Standings(network)
    with _lock:
        for key in [key for key, (ref, _) in _standings.items() if ref() is None]:
            del _standings[key]
        while len(_standings) >= _NETWORKS:
            del _standings[next(iter(_standings))]
        _standings[id(network)] = (weakref.ref(network), made)
    return made
