"""What has been reported on the alerts of a partition, as entries of the register (keys p and o).

Rules:
1. Each accepted report leaves a small entry, by which a repeat is known; it goes when its alert is forgotten.
2. A hit is open until it is answered. While somebody has to answer it, the schedule has its time.
3. An alert that moves to another partition takes all of this with it, in parts that Kafka takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from hueandcry.distribute import schedule
from hueandcry.distribute.schedule import Due
from hueandcry.lanes.state import Overlay
from hueandcry.wire.codec import decode, encode
from hueandcry.wire.framing import frame, unframe

Record = dict[str, Any]

ACCEPTED, OPEN = b"p", b"o"
#: Records that are values here; the registry must know them.
RECORDS = ("hueandcry.ReportEntry", "hueandcry.OpenHit")
#: Most of each in one claim, so that the longest texts stay under 1 MiB (`alerts.reports`).
_MOST_OPEN, _MOST_FLAGS, _MOST_ACCEPTED = 8, 50, 500


class Reported:
    """The reports of one partition.

    Args:
        state: changes are made here.
        id_of: registry id by record name.
    """

    def __init__(self, state: Overlay, id_of: Mapping[str, int]) -> None:
        self._state = state
        self._id_of = id_of

    def accepted(self, alert_id: str, report_id: str) -> Record | None:
        """ReportEntry of a report; None where it has not been accepted."""
        return _get(self._state, _key(ACCEPTED, alert_id, report_id), "hueandcry.ReportEntry")

    def put_accepted(self, alert_id: str, entry: Record) -> None:
        """Enter a report as accepted, or set its entry."""
        self._put(_key(ACCEPTED, alert_id, entry["report_id"]), "hueandcry.ReportEntry", entry)

    def open_hit(self, alert_id: str, report_id: str) -> Record | None:
        """OpenHit of a hit that waits for its answer; None where it does not."""
        return _get(self._state, _key(OPEN, alert_id, report_id), "hueandcry.OpenHit")

    def put_open(self, hit: Record) -> None:
        """Enter a hit as open, or set it, and when its answer is due."""
        report = hit["report"]
        self.drop_open(report["alert_id"], report["report_id"])
        self._put(_key(OPEN, report["alert_id"], report["report_id"]), "hueandcry.OpenHit", hit)
        if hit["due_at"] is not None:
            self._state.put(_due(hit).key(), b"")

    def drop_open(self, alert_id: str, report_id: str) -> None:
        """It does not wait any more."""
        hit = self.open_hit(alert_id, report_id)
        if hit is not None:
            _drop_open(self._state, hit)

    def take_over(self, alert_id: str, reports: Mapping[str, Any]) -> None:
        """Enter what another partition has handed over: a hueandcry.Reports record.

        A report may have come again here before that. What was answered, here or there, stays so.
        """
        for entry in reports["accepted"]:
            if not self._is_answered(alert_id, entry["report_id"]):
                self.put_accepted(alert_id, entry)
                if entry["answer"] is not None:
                    self.drop_open(alert_id, entry["report_id"])
        for hit in reports["open"]:
            if not self._is_answered(alert_id, hit["report"]["report_id"]):
                self.put_open(hit)

    def _is_answered(self, alert_id: str, report_id: str) -> bool:
        entry = self.accepted(alert_id, report_id)
        return entry is not None and entry["answer"] is not None

    def _put(self, key: bytes, name: str, record: Record) -> None:
        self._state.put(key, frame(self._id_of[name], encode(name, record)))


def hand_over(state: Overlay, entry: Mapping[str, Any]) -> Iterator[Record]:
    """Take out what was reported on an alert that moves: as hueandcry.Reports records, none where there was nothing.

    Args:
        entry: hueandcry.RegisterEntry of the alert.
    """
    flags = iter(entry["flags"])
    accepted, hits = (iter(each) for each in _take_out(state, entry["head"]["alert_id"]))
    while True:
        part = {
            "flags": list(islice(flags, _MOST_FLAGS)),
            "accepted": list(islice(accepted, _MOST_ACCEPTED)),
            "open": list(islice(hits, _MOST_OPEN)),
        }
        if not any(part.values()):
            return
        yield part


def forget(state: Overlay, alert_id: str) -> None:
    """Remove what was reported on an alert that is forgotten."""
    _take_out(state, alert_id)


def _take_out(state: Overlay, alert_id: str) -> tuple[list[Record], list[Record]]:
    hits = [decode("hueandcry.OpenHit", unframe(value)[1]) for _, value in state.scan(OPEN + alert_id.encode())]
    for hit in hits:
        _drop_open(state, hit)
    found = list(state.scan(ACCEPTED + alert_id.encode()))
    for key, _ in found:
        state.delete(key)
    return [decode("hueandcry.ReportEntry", unframe(value)[1]) for _, value in found], hits


def _drop_open(state: Overlay, hit: Record) -> None:
    state.delete(_key(OPEN, hit["report"]["alert_id"], hit["report"]["report_id"]))
    if hit["due_at"] is not None:
        schedule.done(state, _due(hit))


def _due(hit: Record) -> Due:
    return Due(hit["due_at"], "answer", hit["report"]["alert_id"], hit["report"]["report_id"])


def _key(prefix: bytes, alert_id: str, report_id: str) -> bytes:
    return prefix + alert_id.encode() + report_id.encode()


def _get(state: Overlay, key: bytes, name: str) -> Record | None:
    value = state.get(key)
    return decode(name, unframe(value)[1]) if value is not None else None
