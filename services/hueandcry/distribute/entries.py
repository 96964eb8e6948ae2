"""The register as a stage sees it: typed entries over the bytes of a partition's state.

Keys, all within the partition that the identity key belongs to:
    a + alert id                  RegisterEntry of an alert
    c + identity key              ClusterEntry
    m + identity key + alert id   member of a cluster that has or had more than one; empty value
    h + identity key              Holders of such a cluster
    v + alert id                  the alert has moved: its version and the partition it lives in now
    z + alert id                  the alert has ended and been forgotten; empty value
    d + time + what + alert id    what is due for an alert (`schedule`); empty value
    p + alert id + report id      ReportEntry: a report that was accepted (`reported`)
    o + alert id + report id      OpenHit: a hit that waits for an answer (`reported`)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from hueandcry.lanes.state import Overlay
from hueandcry.wire.codec import decode, encode
from hueandcry.wire.framing import frame, unframe

Entry = dict[str, Any]

ALERT, CLUSTER, MEMBER, HOLDERS, MOVED, ENDED = b"a", b"c", b"m", b"h", b"v", b"z"
#: Records that are values in the register; the registry must know them.
RECORDS = ("hueandcry.RegisterEntry", "hueandcry.ClusterEntry", "hueandcry.Holders")

_PLACE = struct.Struct(">ii")


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
        return _PLACE.unpack(packed) if packed else None

    def put_moved(self, alert_id: str, version: int, home: int) -> None:
        """Note where an alert lives now."""
        self.state.put(MOVED + alert_id.encode(), _PLACE.pack(version, home))

    def drop_moved(self, alert_id: str) -> None:
        """The alert lives here again."""
        if self.state.get(MOVED + alert_id.encode()) is not None:
            self.state.delete(MOVED + alert_id.encode())

    def _get(self, key: bytes, name: str) -> Entry | None:
        value = self.state.get(key)
        return decode(name, unframe(value)[1]) if value is not None else None

    def _put(self, key: bytes, name: str, record: Entry) -> None:
        self.state.put(key, frame(self._id_of[name], encode(name, record)))
