"""Which subscriptions ask for an alert: an inverted index over them.

Every subscription is one bit of a Python integer. For each field of the head that subscriptions select by, a table
gives for each value the subscriptions that accept it, those that accept any value included. A match is one AND over
five such masks. Heads that agree in those fields have the same answer, which the index keeps within a bound.

The bits of an agency fill whole bytes of their own, so that the agencies behind a match are found by its bytes, and the
ids of subscriptions are read out only for agencies that get the alert.

The index says who asks, not who may: `routes` asks the rules for every candidate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress, groupby
from typing import Any, NamedTuple

from hueandcry.rights.masks import AgencyMasks
from hueandcry.rights.network import Network, Subscription
from hueandcry.rights.standing import standings

#: Field of the head, and attribute of a subscription.
FIELDS = (
    ("kind", "kinds"),
    ("category", "categories"),
    ("issuing_state", "issuing_states"),
    ("issuing_region", "issuing_regions"),
    ("status", "statuses"),
)
#: Positions of the set bits of each byte.
_SET_BITS = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))


class Matches(NamedTuple):
    """Who asks for an alert.

    Attributes:
        agencies: mask of `AgencyMasks`.
        subscriptions: the matching bits; `RoutingIndex.subscriptions` reads them.
    """

    agencies: int
    subscriptions: bytes


class RoutingIndex:
    """An inverted index over the subscriptions of one network.

    A subscription of an agency that is not in the network is left out. Empty fields of a subscription accept any value,
    but for statuses: exercise and test alerts reach only subscriptions that name them.

    Attributes:
        network: the network that it was made from.
        masks: its agencies with subscriptions, sorted by id.
    """

    #: Memory for remembered answers, in bytes; beyond it all are forgotten.
    REMEMBERED = 32 << 20

    def __init__(self, network: Network) -> None:
        self.network = network
        ordered = sorted(
            (s for s in network.subscriptions.values() if s.agency in network.agencies), key=lambda s: (s.agency, s.id)
        )
        #: Subscription of each bit; None for a bit that fills up an agency's last byte.
        bits: list[Subscription | None] = []
        self._bytes: dict[str, range] = {}
        for agency, group in groupby(ordered, key=lambda s: s.agency):
            start = len(bits) // 8
            bits += group
            bits += [None] * (-len(bits) % 8)
            self._bytes[agency] = range(start, len(bits) // 8)
        self._ids = ["" if subscription is None else subscription.id for subscription in bits]
        self._size = len(bits) // 8
        self._owners = [owner for owner, place in enumerate(self._bytes.values()) for _ in place]
        self._postings = [(field, *_posting(bits, attribute)) for field, attribute in FIELDS]
        known = standings(network)
        self.masks = AgencyMasks([known.of(network.agencies[agency]) for agency in self._bytes], known)
        self._answers: dict[tuple[object, ...], Matches] = {}
        self._limit = max(1, self.REMEMBERED // (self._size + len(self._bytes) + 512))

    def candidates(self, head: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        """Agencies that ask for the alert, sorted, with the ids of their subscriptions that match it.

        Args:
            head: hueandcry.Head record.
        """
        matches = self.matches(head)
        return {one.id: self.subscriptions(one.id, matches) for one in self.masks.agencies(matches.agencies)}

    def matches(self, head: Mapping[str, Any]) -> Matches:
        """The same in the index's own terms."""
        key = tuple(
            [value if (value := head.get(field)) in by_value else None for field, by_value, _ in self._postings]
        )
        answer = self._answers.get(key)
        if answer is None:
            answer = self._match(key)
            if len(self._answers) >= self._limit:
                self._answers.clear()
            self._answers[key] = answer
        return answer

    def subscriptions(self, agency: str, matches: Matches) -> tuple[str, ...]:
        """Ids of the agency's subscriptions in a match, sorted."""
        ids = self._ids
        place = self._bytes[agency]
        return tuple(
            [
                ids[byte * 8 + bit]
                for byte, bits in enumerate(matches.subscriptions[place.start : place.stop], place.start)
                if bits
                for bit in _SET_BITS[bits]
            ]
        )

    def _match(self, key: tuple[object, ...]) -> Matches:
        matched = (1 << 8 * self._size) - 1
        for value, (_, by_value, any_value) in zip(key, self._postings, strict=True):
            matched &= by_value.get(value, any_value)
        subscriptions = matched.to_bytes(self._size, "little")
        flags = bytearray(len(self._bytes))
        for owner in compress(self._owners, subscriptions):
            flags[owner] = 1
        return Matches(int.from_bytes(flags, "little"), subscriptions)


def accepted(subscription: Subscription, attribute: str) -> tuple[str, ...]:
    """The values that a subscription accepts; empty: any."""
    values: tuple[str, ...] = getattr(subscription, attribute)
    return values or ("actual",) if attribute == "statuses" else values


def _posting(bits: Sequence[Subscription | None], attribute: str) -> tuple[dict[object, int], int]:
    """Masks by value, and the mask of the subscriptions that accept any value, which the others include."""
    by_value: dict[str, list[int]] = {}
    accepts_any: list[int] = []
    for bit, subscription in enumerate(bits):
        if subscription is not None:
            values = accepted(subscription, attribute)
            for value in values:
                by_value.setdefault(value, []).append(bit)
            if not values:
                accepts_any.append(bit)
    any_value = _mask(accepts_any, len(bits))
    return {value: _mask(listed, len(bits)) | any_value for value, listed in by_value.items()}, any_value


def _mask(bits: Iterable[int], size: int) -> int:
    mask = bytearray(size // 8)
    for bit in bits:
        mask[bit >> 3] |= 1 << (bit & 7)
    return int.from_bytes(mask, "little")
