"""What is found, and what of it is shown.

Rules:
1. Shown is only what is active, of the status asked for, and not past its end.
2. Every alert goes through `rights.disclosure` for the agency that asks. What that calls nothing has no trace in the
   answer, not even in a count: an answer is the same as if the alert were not there. To this end nothing in an answer
   is taken from more than one alert; a cluster's id, which is the id of some alert of it, is left out.
3. Fields are redacted as in a delivery, and before a possible match is weighed, so that no score tells of them.
4. Exact is what has a key of the very subject; hit/no-hit is for exact alone. What only shares a weak key is proposed,
   with score and reasons, and is never more than that.
5. Work is bounded: `MOST_EXACT` alerts of a strong key and `MOST_POSSIBLE` of a weak one are looked at, the newest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hueandcry.alerts.compatibility import rank
from hueandcry.distribute.entries import Claimant, Entry
from hueandcry.identity import Likeness, possible_match
from hueandcry.rights.disclose import disclosure
from hueandcry.rights.network import Agency, Network
from hueandcry.rights.redact import redact, withheld
from hueandcry.search.question import Asked
from hueandcry.search.shelves import Lookup, Shelves, Want
from hueandcry.wire.codec import SchemaIds, decode_as
from hueandcry.wire.framing import unframe

#: Most alerts of one strong key that are looked at.
MOST_EXACT = 1000
#: Alerts of a weak key that are compared with what is asked.
MOST_POSSIBLE = 32
#: Most exact matches that are shown.
SHOWN = 100
#: A question says less than an alert, so less must do than between two alerts (`identity.likeness.THRESHOLD`).
LEAST = 0.05
#: After so many candidates other requests have their turn.
_TURN = 8
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
        schemas: the registry's ids.
        now_ms: epoch milliseconds.
    """

    def __init__(self, shelves: Shelves, schemas: SchemaIds, now_ms: Callable[[], int]) -> None:
        self._shelves = shelves
        self._schemas = schemas
        self._now_ms = now_ms

    async def search(self, asked: Asked, agency: Agency, network: Network) -> Answer:
        """What the agency may see of what the question finds.

        Raises:
            Unavailable: a part of the register can't be read now.
        """
        lookups = [Lookup(key, MOST_EXACT) for key in asked.exact] + [Lookup(key, MOST_POSSIBLE) for key in asked.weak]
        by_key = await self._shelves.claimants(lookups)
        exact = await self._found(by_key, asked.exact, asked, {})
        weak = await self._found(by_key, asked.weak, asked, exact)
        shown: list[Match] = []
        hidden: list[Entry] = []
        for number, entry in enumerate(exact.values()):
            if number % _TURN == _TURN - 1:
                await asyncio.sleep(0)
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
            proposed=await self._proposed(weak.values(), asked, agency, network),
            elsewhere=sorted({(head["issuing_state"], head["kind"]) for head in heads}),
            discovered=sorted(head["alert_id"] for head in heads),
            more=len(shown) > SHOWN,
        )

    async def _found(
        self, by_key: Mapping[bytes, list[Claimant]], keys: Iterable[bytes], asked: Asked, known: Mapping[str, Entry]
    ) -> dict[str, Entry]:
        """By id, the alerts of rule 1 that really have one of these keys, but for those known already."""
        keys = set(keys)
        # While an alert moves, two homes may claim for it: the later version is where it lives.
        claimants = sorted((each for key in keys for each in by_key[key]), key=lambda each: each.version)
        wants = {each.alert_id: Want(each.alert_id, each.home) for each in claimants}
        raw = await self._shelves.entries(want for alert_id, want in sorted(wants.items()) if alert_id not in known)
        found: dict[str, Entry] = {}
        for number, (alert_id, value) in enumerate(sorted(raw.items())):
            if number % _TURN == _TURN - 1:
                await asyncio.sleep(0)
            schema_id, body = unframe(value)
            entry = decode_as("hueandcry.RegisterEntry", body, self._schemas.writer(schema_id))
            if self._counts(entry, asked) and not keys.isdisjoint(_keys(entry)):
                found[alert_id] = entry
        return found

    def _counts(self, entry: Entry, asked: Asked) -> bool:
        head = entry["head"]
        same = head["status"] == asked.sample["status"] and head["kind"] == asked.sample["kind"]
        return same and entry["state"] == "active" and head["expires_at"] > self._now_ms()

    def _match(self, entry: Entry, agency: Agency, likeness: Likeness | None = None) -> Match:
        head = entry["head"]
        lacking = _NONE if head["issuer"] == agency.id else withheld(agency, head)
        alert = decode_as("hueandcry.Alert", entry["body"], self._schemas.writer(entry["schema_id"]))
        return Match(entry, redact(alert, lacking), bool(lacking), likeness)

    async def _proposed(self, entries: Iterable[Entry], asked: Asked, agency: Agency, network: Network) -> list[Match]:
        matches: list[Match] = []
        for number, entry in enumerate(entries):
            if number % _TURN == _TURN - 1:
                await asyncio.sleep(0)
            if disclosure(agency, entry["head"], network) != "whole":
                continue
            match = self._match(entry, agency)
            likeness = possible_match(asked.sample, match.alert, LEAST)
            if likeness is not None:
                matches.append(match._replace(likeness=likeness))
        matches.sort(key=lambda match: (-(match.likeness.score if match.likeness else 0.0), match.alert_id))
        return matches[:MOST_POSSIBLE]


def _keys(entry: Entry) -> set[bytes]:
    """All keys under which an alert is found."""
    keys = {*entry["claims"], *entry["proposals"]}
    return keys | {entry["identity_key"]} if entry["strong"] or entry["apart"] else keys
