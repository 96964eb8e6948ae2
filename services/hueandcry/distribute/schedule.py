"""What becomes due for an alert with time, as entries of the register: key d, the time, what, and the alert id.

Rules:
1. An active alert has an end, and a review before it if one is due. An ended one is forgotten, KEPT_MS after its end.
   What is left of it then, for MARKED_MS and as long as a version of it could be sent again without being refused as
   expired, is a mark that it has ended: else an old message, or an update of who has not noticed, would bring it back.
2. What is due follows from the alert's entry alone (`times`), so that entry and schedule can't come apart: whoever
   changes the entry calls `change` with both.
3. That an alert has moved away is known here for as long as an old version of it may come.
4. A hit on an alert has an answer due (`reported`); that goes with the hit, not with the alert's entry.
5. What is due is done once. A time that a new version does not change is not set again.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args

from hueandcry.alerts.validity import DAY_MS
from hueandcry.lanes.state import Overlay

What = Literal["review", "expire", "forget", "unmark", "moved", "answer"]
WHAT: tuple[What, ...] = get_args(What)

#: How long an ended alert stays in the register: as long as the alerts topics keep its messages (topics/topics.yaml).
KEPT_MS = 30 * DAY_MS
#: How long a forgotten alert is known to have ended: the longest validity that a category has, ten years.
MARKED_MS = 3653 * DAY_MS

DUE = b"d"
_CODES: dict[What, bytes] = {
    "review": b"r",
    "expire": b"e",
    "forget": b"f",
    "unmark": b"u",
    "moved": b"m",
    "answer": b"a",
}
_WHATS: dict[bytes, What] = {code: what for what, code in _CODES.items()}
_TIME = struct.Struct(">Q")
#: Added to a time, so that those before 1970 sort before those after it.
_SHIFT = 1 << 63


class Due(NamedTuple):
    """One thing that is due: for the alert `alert_id` at `at_ms`, epoch milliseconds.

    Attributes:
        report_id: of an answer, the hit that it is owed to.
    """

    at_ms: int
    what: What
    alert_id: str
    report_id: str = ""

    def key(self) -> bytes:
        """Its key in the register."""
        whose = f"{self.alert_id}/{self.report_id}" if self.report_id else self.alert_id
        return DUE + _TIME.pack(self.at_ms + _SHIFT) + _CODES[self.what] + whose.encode()


def times(entry: dict[str, Any]) -> set[Due]:
    """What will be due for a hueandcry.RegisterEntry."""
    head = entry["head"]
    alert_id = head["alert_id"]
    if entry["state"] != "active":
        ended_at = entry["ended_at"]
        return {Due(ended_at + KEPT_MS, "forget", alert_id)} if ended_at is not None else set()
    found = {Due(head["expires_at"], "expire", alert_id)}
    if head["review_due"] is not None:
        found.add(Due(head["review_due"], "review", alert_id))
    return found


def change(state: Overlay, before: dict[str, Any] | None, after: dict[str, Any] | None) -> None:
    """Set what is due by an entry, in place of what was due by the entry that it replaces; None is no entry."""
    old = times(before) if before is not None else set[Due]()
    new = times(after) if after is not None else set[Due]()
    for due in old - new:
        state.delete(due.key())
    for due in new - old:
        state.put(due.key(), b"")


def set_due(state: Overlay, due: Due) -> None:
    """Something will be due that no entry says."""
    state.put(due.key(), b"")


def due_by(state: Overlay, as_of_ms: int) -> Iterator[Due]:
    """What is due as of a time, the oldest first."""
    for key, _ in state.scan(DUE):
        at_ms = _TIME.unpack_from(key, 1)[0] - _SHIFT
        if at_ms > as_of_ms:
            return
        alert_id, _, report_id = key[10:].decode().partition("/")
        yield Due(at_ms, _WHATS[key[9:10]], alert_id, report_id)


def postpone(state: Overlay, due: Due, to_ms: int) -> None:
    """Do it later."""
    state.delete(due.key())
    state.put(due._replace(at_ms=to_ms).key(), b"")


def done(state: Overlay, due: Due) -> None:
    """It has been done, or is not to be done any more."""
    state.delete(due.key())
