"""The rules on single facts, for all agencies at once, so that few are left to ask one by one.

A mask is an integer with one byte an agency, 0 or 1, so that a mask's bytes are its flags. `sift` takes the candidates
through the rules issuer.self to need_to_know, in their order, and counts whom each refuses. Who is left has not been
granted anything: `routes` asks every rule for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hueandcry.rights.network import CLEARANCE_LEVEL
from hueandcry.rights.rules import MARKINGS
from hueandcry.rights.standing import Standing, Standings, fold


class AgencyMasks:
    """Masks of agencies by what the rules ask.

    Args:
        agencies: their standings; the position of each is its byte.
        network: the standings of their network.
    """

    def __init__(self, agencies: Sequence[Standing], network: Standings) -> None:
        self._agencies = agencies
        self._position = {standing.id: position for position, standing in enumerate(agencies)}
        self._all = self.flags(self._position)
        self._places = network.places
        self._names = network.names
        self._releases = self._by_name(lambda standing: standing.releases)
        self._excludes = self._by_name(lambda standing: standing.excludes)
        self._excludes_folded = self._by_name(lambda standing: standing.excludes_folded)
        self._cleared = {
            name: self._where(lambda standing, level=level: standing.level >= level)
            for name, level in CLEARANCE_LEVEL.items()
        }
        self._knows = {
            kind: self._where(lambda standing, kind=kind: kind in standing.kinds) for kind in MARKINGS["kind"]
        }
        self._meets: dict[str, int] = {}

    def flags(self, agencies: Iterable[str]) -> int:
        """The mask of these agencies."""
        flags = bytearray(len(self._agencies))
        for agency in agencies:
            flags[self._position[agency]] = 1
        return int.from_bytes(flags, "little")

    def agencies(self, mask: int) -> Iterable[Standing]:
        """The agencies of a mask, in their order."""
        flags = mask.to_bytes(len(self._agencies), "little")
        position = flags.find(1)
        while position >= 0:
            yield self._agencies[position]
            position = flags.find(1, position + 1)

    def sift(self, head: Mapping[str, Any], candidates: int) -> tuple[int, dict[str, int]]:
        """Candidates that may be entitled, and how many each rule refused.

        Args:
            head: hueandcry.Head record whose markings are known.
            candidates: mask.
        """
        left = candidates
        refused: dict[str, int] = {}
        for rule, passing in self._passing(head):
            passed = left & passing
            if passed != left:
                refused[rule] = (left ^ passed).bit_count()
                left = passed
                if not left:
                    break
        return left, refused

    def _passing(self, head: Mapping[str, Any]) -> Iterable[tuple[str, int]]:
        issuer = self._position.get(head["issuer"])
        if issuer is not None:
            yield "issuer.self", self._all ^ (1 << 8 * issuer)
        if head["excluded"]:
            yield "excluded", self._all & ~self._excluded_by(head["excluded"])
        if head["releasable_to"]:
            yield "releasable_to", _union(self._releases, head["releasable_to"])
        yield "circulation", self._meeting(head["circulation"])
        yield "clearance", self._cleared[head["classification"]]
        yield "need_to_know", self._knows[head["kind"]]

    def _excluded_by(self, names: Iterable[str]) -> int:
        unknown = [fold(name) for name in names if name not in self._names]
        return _union(self._excludes, names) | _union(self._excludes_folded, unknown)

    def _meeting(self, circulation: Iterable[str]) -> int:
        mask = 0
        for place in circulation:
            meeting = self._meets.get(place)
            if meeting is None:
                if place not in self._places:
                    continue
                meeting = self._meets[place] = self._where(lambda standing, place=place: place in standing.reach)
            mask |= meeting
        return mask

    def _where(self, holds: Callable[[Standing], bool]) -> int:
        return int.from_bytes(bytes(map(holds, self._agencies)), "little")

    def _by_name(self, names: Callable[[Standing], Iterable[str]]) -> dict[str, int]:
        members: dict[str, list[str]] = {}
        for standing in self._agencies:
            for name in names(standing):
                members.setdefault(name, []).append(standing.id)
        return {name: self.flags(agencies) for name, agencies in members.items()}


def _union(masks: Mapping[str, int], names: Iterable[str]) -> int:
    mask = 0
    for name in names:
        mask |= masks.get(name, 0)
    return mask
