"""What is found, and what of it is shown.

Rules:
1. Shown is only what is active, of the status asked for, and not past its end.
2. Every alert goes through `rights.disclosure` for the agency that asks. What that calls nothing has no trace in the
   answer, not even in a count: an answer is the same as if the alert were not there. To this end nothing in an answer
   is taken from more than one alert; a cluster's id, which is the id of some alert of it, is left out.
3. Fields are redacted as in a delivery, and before a possible match is weighed, so that no score tells of them.
4. Exact is what has a key of the very subject; hit/no-hit is for exact alone. What only shares a weak key is proposed,
   with score and reasons, and is never more than that.
5. Work is bounded, and other requests have their turn meanwhile: `MOST_EXACT` alerts of a strong key are looked at, the
   newest; of those with weak keys `MOST_POSSIBLE` of each key, of them all `MOST_LOOKED_AT`, first those with the most
   keys in common, until `MOST_WEIGHED` have been compared; of those whose plate may fit a part of one `MOST_PARTIAL`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hueandcry.alerts.compatibility import rank
from hueandcry.alerts.remarks import Remark
from hueandcry.distribute.entries import Claimant, Entry
from hueandcry.identity import Likeness, possible_match
from hueandcry.rights.disclose import disclosure
from hueandcry.rights.network import Agency, Network
from hueandcry.rights.redact import redact, withheld
from hueandcry.search.patterns import Plate, PlatePattern
from hueandcry.search.plates import plate_of
from hueandcry.search.question import Asked
from hueandcry.search.reading import Reading
from hueandcry.search.shelves import TURN, Lookup, Shelves, Want

#: Most alerts of one strong key that are looked at.
MOST_EXACT = 1000
#: Alerts of one weak key that are looked up, and most possible matches that are shown.
MOST_POSSIBLE = 32
#: Alerts with weak keys that are looked at, and those of them that the agency may see and are compared.
MOST_LOOKED_AT, MOST_WEIGHED = 128, 48
#: Alerts of a partition that are looked at because their plate may fit a part of one.
MOST_PARTIAL = 200
#: Most matches that are shown, exact ones or on a part of a plate.
SHOWN = 100
#: A question says less than an alert, so less must do than between two alerts (`identity.likeness.THRESHOLD`).
LEAST = 0.05
#: Alerts with weak keys that are fetched at a time.
_FETCHED = 16
_NONE: frozenset[str] = frozenset()


class Match(NamedTuple):
    """An alert that is shown.

    Attributes:
        entry: its hueandcry.RegisterEntry.
        alert: the hueandcry.Alert as the agency may see it.
        redacted: whether a field was left out.
        likeness: of a possible match; None where it is exact.
    """

    entry: Entry
    alert: dict[str, Any]
    redacted: bool
    likeness: Likeness | None = None

    @property
    def alert_id(self) -> str:
        """Its id."""
        return self.entry["head"]["alert_id"]


@dataclass(frozen=True)
class Answer:
    """What a search has found for an agency.

    Attributes:
        exact: alerts on the very subject, by the priority of their category.
        proposed: alerts that may be on it, the likeliest first.
        elsewhere: state and kind of alerts on the very subject that are not shown, each once.
        discovered: ids of the alerts behind `elsewhere`; for the log, never for the agency.
        more: whether there are more exact matches than are shown.
    """

    exact: list[Match] = field(default_factory=list)
    proposed: list[Match] = field(default_factory=list)
    elsewhere: list[tuple[str, str]] = field(default_factory=list)
    discovered: list[str] = field(default_factory=list)
    more: bool = False


class Searcher:
    """Answers questions over the register.

    Args:
        shelves: the register.
        reading: reads its entries.
        now_ms: epoch milliseconds.
    """

    def __init__(self, shelves: Shelves, reading: Reading, now_ms: Callable[[], int]) -> None:
        self._shelves = shelves
        self._read = reading
        self._now_ms = now_ms

    async def search(self, asked: Asked, agency: Agency, network: Network) -> Answer:
        """What the agency may see of what the question finds.

        Raises:
            Unavailable: a part of the register can't be read now.
        """
        if asked.pattern is not None:
            return Answer(proposed=await self._fitting(asked.pattern, asked, agency, network))
        lookups = [Lookup(key, MOST_EXACT) for key in asked.exact] + [Lookup(key, MOST_POSSIBLE) for key in asked.weak]
        by_key = await self._shelves.claimants(lookups)
        exact = await self._exact(by_key, asked)
        shown: list[Match] = []
        hidden: list[Entry] = []
        for number, entry in enumerate(exact.values(), 1):
            await _turn(number)
            match disclosure(agency, entry["head"], network):
                case "whole":
                    shown.append(self._match(entry, agency))
                case "existence":
                    hidden.append(entry)
                case _:
                    pass
        shown.sort(key=lambda match: (rank(match.entry["head"]["category"]), match.alert_id))
        heads = [entry["head"] for entry in hidden]
        return Answer(
            exact=shown[:SHOWN],
            proposed=await self._proposed(by_key, asked, exact, agency, network),
            elsewhere=sorted({(head["issuing_state"], head["kind"]) for head in heads}),
            discovered=sorted(head["alert_id"] for head in heads),
            more=len(shown) > SHOWN,
        )

    async def _exact(self, by_key: Mapping[bytes, list[Claimant]], asked: Asked) -> dict[str, Entry]:
        """By id, in its order, the alerts of rule 1 that have one of the strong keys."""
        claimants = _latest(each for key in set(asked.exact) for each in by_key[key])
        found = await self._found([claimants[alert_id] for alert_id in sorted(claimants)], asked.exact, asked)
        return dict(sorted(found.items()))

    async def _found(self, claimants: Iterable[Claimant], keys: Iterable[bytes], asked: Asked) -> dict[str, Entry]:
        """By id, those of rule 1 that really have one of these keys."""
        raw = await self._shelves.entries(Want(each.alert_id, each.home) for each in claimants)
        found: dict[str, Entry] = {}
        for number, (alert_id, value) in enumerate(raw.items(), 1):
            await _turn(number)
            entry = self._read.entry(value)
            if self._counts(entry, asked) and not _keys(entry).isdisjoint(keys):
                found[alert_id] = entry
        return found

    def _counts(self, entry: Entry, asked: Asked) -> bool:
        head = entry["head"]
        same = head["status"] == asked.sample["status"] and head["kind"] == asked.sample["kind"]
        return same and entry["state"] == "active" and head["expires_at"] > self._now_ms()

    def _match(self, entry: Entry, agency: Agency, likeness: Likeness | None = None) -> Match:
        head = entry["head"]
        lacking = _NONE if head["issuer"] == agency.id else withheld(agency, head)
        return Match(entry, redact(self._read.alert(entry), lacking), bool(lacking), likeness)

    async def _proposed(
        self,
        by_key: Mapping[bytes, list[Claimant]],
        asked: Asked,
        exact: Mapping[str, Entry],
        agency: Agency,
        network: Network,
    ) -> list[Match]:
        having = [each for key in set(asked.weak) for each in by_key[key] if each.alert_id not in exact]
        shared, latest = Counter(each.alert_id for each in having), _latest(having)
        order = sorted(latest.values(), key=lambda each: (-shared[each.alert_id], each.order))[:MOST_LOOKED_AT]
        matches: list[Match] = []
        weighed = 0
        for start in range(0, len(order), _FETCHED):
            found = await self._found(order[start : start + _FETCHED], asked.weak, asked)
            for entry in found.values():
                if weighed == MOST_WEIGHED or disclosure(agency, entry["head"], network) != "whole":
                    continue
                weighed += 1
                await _turn(weighed)
                match = self._match(entry, agency)
                likeness = possible_match(asked.sample, match.alert, LEAST)
                if likeness is not None:
                    matches.append(match._replace(likeness=likeness))
            if weighed == MOST_WEIGHED:
                break
        return _likeliest(matches)[:MOST_POSSIBLE]

    async def _fitting(self, pattern: PlatePattern, asked: Asked, agency: Agency, network: Network) -> list[Match]:
        """Alerts whose plate fits what is known of one."""
        matches: list[Match] = []
        for number, value in enumerate(await self._shelves.fitting(pattern, MOST_PARTIAL), 1):
            await _turn(number)
            entry = self._read.entry(value)
            if not self._counts(entry, asked) or disclosure(agency, entry["head"], network) != "whole":
                continue
            match = self._match(entry, agency)
            plate = plate_of(match.alert)
            if plate is not None and pattern.fits(plate):
                matches.append(match._replace(likeness=_part_of(pattern, plate)))
        return _likeliest(matches)[:SHOWN]


async def _turn(number: int) -> None:
    if number % TURN == 0:
        await asyncio.sleep(0)


def _latest(claimants: Iterable[Claimant]) -> dict[str, Claimant]:
    """By alert, where it lives: while it moves, two homes may claim for it, and the later version is right."""
    return {each.alert_id: each for each in sorted(claimants, key=lambda each: each.version)}


def _likeliest(matches: list[Match]) -> list[Match]:
    return sorted(matches, key=lambda match: (-(match.likeness.score if match.likeness else 0.0), match.alert_id))


def _part_of(pattern: PlatePattern, plate: Plate) -> Likeness:
    """The share of the plate that is known; all of that agrees."""
    unknown = len(plate.number) - pattern.known
    said = f"{pattern.known} characters of the plate are as given, {unknown} are not known"
    return Likeness(round(pattern.known / len(plate.number), 3), (Remark("subject.plate", "plate.partial", said),))


def _keys(entry: Entry) -> set[bytes]:
    """All keys under which an alert is found."""
    keys = {*entry["claims"], *entry["proposals"]}
    return keys | {entry["identity_key"]} if entry["strong"] or entry["apart"] else keys
