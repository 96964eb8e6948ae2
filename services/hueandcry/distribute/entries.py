"""The register as a stage sees it: typed entries over the bytes of a partition's state.

Keys, all within the partition that the identity key belongs to:
    a + alert id                  RegisterEntry of an alert
    c + identity key              ClusterEntry
    m + identity key + alert id   member of a cluster that has or had more than one; empty value
    h + identity key              Holders of such a cluster
    v + alert id                  the alert has moved: its version, the partition it lives in now, and until when that
                                  is of use
    z + alert id                  the alert has ended and been forgotten; empty value
    d + time + what + alert id    what is due for an alert (`schedule`); empty value
    l + alert id + other id       AlertLink: the other alert is, or may be, on the same subject
    x + other id + alert id       the alert's issuer says that it is another subject than the other; empty value
    p + alert id + report id      ReportEntry: a report that was accepted (`reported`)
    o + alert id + report id      OpenHit: a hit that waits for an answer (`reported`)
And in the partition that a key belongs to, be it the identity key of an alert or another that it has:
    k + key + age + alert id      who has the key: partition the alert lives in (4 bytes), its version (4), and 1 where
                                  the key leads the cluster that it is in. age is 2**63-1 less the time when it was
                                  registered (8 bytes), so the newest is first
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from hueandcry.lanes.state import Overlay
from hueandcry.wire.codec import decode, encode
from hueandcry.wire.framing import frame, unframe

Entry = dict[str, Any]

ALERT, CLUSTER, MEMBER, HOLDERS, MOVED, ENDED = b"a", b"c", b"m", b"h", b"v", b"z"
LINK, DISTINCT, CLAIMANT = b"l", b"x", b"k"
#: Records that are values in the register; the registry must know them.
RECORDS = ("hueandcry.RegisterEntry", "hueandcry.ClusterEntry", "hueandcry.Holders", "hueandcry.AlertLink")

_PLACE = struct.Struct(">iiq")
_AGE = struct.Struct(">Q")
_CLAIMED = struct.Struct(">ii?")
_NEWEST = 2**63 - 1


class Claimant(NamedTuple):
    """An alert that has a key.

    Attributes:
        registered_at: epoch milliseconds.
        home: partition that it lives in.
        version: of the alert.
        leads: whether the key is its identity key and it is in the cluster of that.
    """

    alert_id: str
    registered_at: int
    home: int
    version: int
    leads: bool = False

    @property
    def order(self) -> bytes:
        """Its place among those that have the key: the newest first."""
        return _AGE.pack(_NEWEST - self.registered_at) + self.alert_id.encode()


class Register:
    """Entries of one partition.

    Args:
        state: changes are made here, and become visible when the batch is committed.
        id_of: registry id by record name.
    """

    def __init__(self, state: Overlay, id_of: Mapping[str, int]) -> None:
        self.state = state
        self._id_of = id_of

    def alert(self, alert_id: str) -> Entry | None:
        """RegisterEntry of an alert, ended ones included."""
        return self._get(ALERT + alert_id.encode(), "hueandcry.RegisterEntry")

    def put_alert(self, entry: Entry) -> None:
        """Set the entry of an alert."""
        self._put(ALERT + entry["head"]["alert_id"].encode(), "hueandcry.RegisterEntry", entry)

    def drop_alert(self, alert_id: str) -> None:
        """Remove the entry of an alert."""
        self.state.delete(ALERT + alert_id.encode())

    def has_ended(self, alert_id: str) -> bool:
        """Whether an alert that is not there any more has ended."""
        return self.state.get(ENDED + alert_id.encode()) is not None

    def mark_ended(self, alert_id: str) -> None:
        """Leave a mark that the alert has ended."""
        self.state.put(ENDED + alert_id.encode(), b"")

    def drop_mark(self, alert_id: str) -> None:
        """Remove that mark."""
        self.state.delete(ENDED + alert_id.encode())

    def cluster(self, identity: bytes) -> Entry | None:
        """ClusterEntry of an identity; None where it has no active alert."""
        return self._get(CLUSTER + identity, "hueandcry.ClusterEntry")

    def put_cluster(self, identity: bytes, cluster: Entry) -> None:
        """Set the cluster of an identity."""
        self._put(CLUSTER + identity, "hueandcry.ClusterEntry", cluster)

    def drop_cluster(self, identity: bytes) -> None:
        """Remove a cluster, with its holders."""
        self.state.delete(CLUSTER + identity)
        if self.state.get(HOLDERS + identity) is not None:
            self.state.delete(HOLDERS + identity)

    def members(self, identity: bytes) -> Iterator[str]:
        """Ids of the active alerts of a cluster whose members have entries, in the order of the ids."""
        prefix = MEMBER + identity
        for key, _ in self.state.scan(prefix):
            yield key[len(prefix) :].decode()

    def add_member(self, identity: bytes, alert_id: str) -> None:
        """Enter an alert as a member."""
        self.state.put(MEMBER + identity + alert_id.encode(), b"")

    def drop_member(self, identity: bytes, alert_id: str) -> None:
        """Remove a member."""
        self.state.delete(MEMBER + identity + alert_id.encode())

    def holders(self, identity: bytes) -> dict[str, str]:
        """Alert id by `agency/category`."""
        found = self._get(HOLDERS + identity, "hueandcry.Holders")
        return found["by_agency_and_category"] if found else {}

    def put_holders(self, identity: bytes, holders: dict[str, str]) -> None:
        """Set the holders."""
        self._put(HOLDERS + identity, "hueandcry.Holders", {"by_agency_and_category": holders})

    def moved(self, alert_id: str) -> tuple[int, int] | None:
        """Version and partition of an alert that has moved away, or was announced elsewhere before it came here."""
        packed = self.state.get(MOVED + alert_id.encode())
        return _PLACE.unpack(packed)[:2] if packed else None

    def put_moved(self, alert_id: str, version: int, home: int, until_ms: int) -> None:
        """Note where an alert lives now, and until when that is of use; epoch milliseconds."""
        self.state.put(MOVED + alert_id.encode(), _PLACE.pack(version, home, until_ms))

    def moved_until(self, alert_id: str) -> int | None:
        """Until when it is of use that an alert has moved; None where it has not."""
        packed = self.state.get(MOVED + alert_id.encode())
        return _PLACE.unpack(packed)[2] if packed else None

    def drop_moved(self, alert_id: str) -> None:
        """The alert lives here again."""
        if self.state.get(MOVED + alert_id.encode()) is not None:
            self.state.delete(MOVED + alert_id.encode())

    def links(self, alert_id: str) -> Iterator[Entry]:
        """The hueandcry.AlertLink records of an alert, in the order of the others' ids."""
        for _, value in self.state.scan(LINK + alert_id.encode()):
            yield decode("hueandcry.AlertLink", unframe(value)[1])

    def link(self, alert_id: str, other: str) -> Entry | None:
        """The link of an alert to another."""
        return self._get(LINK + alert_id.encode() + other.encode(), "hueandcry.AlertLink")

    def put_link(self, alert_id: str, link: Entry) -> None:
        """Set the link of an alert to the one whose head the link has."""
        self._put(LINK + alert_id.encode() + link["head"]["alert_id"].encode(), "hueandcry.AlertLink", link)

    def drop_link(self, alert_id: str, other: str) -> None:
        """Remove a link."""
        self.state.delete(LINK + alert_id.encode() + other.encode())

    def distinct_from(self, other: str) -> list[str]:
        """Alerts of this partition of which their issuers say that they are another subject than `other`."""
        prefix = DISTINCT + other.encode()
        return [key[len(prefix) :].decode() for key, _ in self.state.scan(prefix)]

    def note_distinct(self, alert_id: str, before: Iterable[str], now: Iterable[str]) -> None:
        """Enter from which alerts this one is distinct now, in place of before."""
        old, new = set(before), set(now)
        for other in old - new:
            self.state.delete(DISTINCT + other.encode() + alert_id.encode())
        for other in new - old:
            self.state.put(DISTINCT + other.encode() + alert_id.encode(), b"")

    def put_claimant(self, key: bytes, claimant: Claimant) -> None:
        """Enter that an alert has a key, unless a later version of it is entered."""
        packed = self.state.get(CLAIMANT + key + claimant.order)
        if packed is None or _CLAIMED.unpack(packed)[1] <= claimant.version:
            value = _CLAIMED.pack(claimant.home, claimant.version, claimant.leads)
            self.state.put(CLAIMANT + key + claimant.order, value)

    def drop_claimant(self, key: bytes, claimant: Claimant) -> bool:
        """Remove it, unless it is of another home by now; whether it was removed."""
        packed = self.state.get(CLAIMANT + key + claimant.order)
        if packed is None or _CLAIMED.unpack(packed)[0] != claimant.home:
            return False
        self.state.delete(CLAIMANT + key + claimant.order)
        return True

    def claimants(self, key: bytes, most: int, *, after: Claimant | None = None) -> list[Claimant]:
        """The newest alerts that have a key, the newest first; or the newest of those older than `after`."""
        prefix = CLAIMANT + key
        start = prefix + after.order if after is not None else b""
        return [_claimant(key, value) for key, value in islice(self.state.scan(prefix, start), most)]

    def newer_claimants(self, key: bytes, most: int, than: Claimant) -> list[Claimant]:
        """The oldest alerts that have a key and are newer than this one, the oldest first."""
        prefix = CLAIMANT + key
        found = islice(self.state.scan_back(prefix, prefix + than.order), most)
        return [_claimant(key, value) for key, value in found]

    def _get(self, key: bytes, name: str) -> Entry | None:
        value = self.state.get(key)
        return decode(name, unframe(value)[1]) if value is not None else None

    def _put(self, key: bytes, name: str, record: Entry) -> None:
        self.state.put(key, frame(self._id_of[name], encode(name, record)))


def _claimant(key: bytes, value: bytes) -> Claimant:
    """From a pair of the register: the key has a letter, 32 bytes of HMAC, 8 of age, and the alert id."""
    return Claimant(key[41:].decode(), _NEWEST - _AGE.unpack_from(key, 33)[0], *_CLAIMED.unpack(value))
