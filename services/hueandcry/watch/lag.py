"""How long a group has been behind, from offsets alone. Pure: no Kafka, no clock.

The age of the oldest message that a group has not read yet could be read off the message. But who watches need not be
able to read what agencies receive. So the ends of a partition are noted over time, and the age is that of the first
end beyond the group's place: what it has not read was there by then. It is right to within one look.

Kafka counts the marker that ends a transaction as an offset, and no group reads it: a group that has read all can be
one behind. So one offset is nothing. A single message that nobody settles is seen by the lane itself
(`hueandcry_lane_oldest_seconds`).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

#: Looks that are kept of each partition; every second one of the older half is dropped beyond.
_KEPT = 240


@dataclass
class Ends:
    """The end of one partition as it moved.

    Attributes:
        ends: offsets, rising.
        times: when each was first seen, seconds.
    """

    ends: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def note(self, end: int, at: float) -> None:
        """The partition ends at that offset now. An end that goes back is a topic made anew: all is forgotten."""
        if self.ends and end < self.ends[-1]:
            self.ends, self.times = [], []
        if self.ends and end == self.ends[-1]:
            return
        self.ends.append(end)
        self.times.append(at)
        if len(self.ends) > _KEPT:
            half = _KEPT // 2
            self.ends[:half] = self.ends[:half:2]
            self.times[:half] = self.times[:half:2]

    def behind(self, place: int, at: float) -> tuple[int, float]:
        """Messages and seconds that a group whose next offset is `place` is behind; (0, 0) where it has read all.

        The seconds are the least that is known: what was there at the first look may be older.
        """
        if not self.ends or self.ends[-1] - place <= 1:
            return 0, 0.0
        # One more, for the marker of a transaction that ended exactly there.
        first = min(bisect_right(self.ends, place + 1), len(self.ends) - 1)
        return self.ends[-1] - place - 1, max(0.0, at - self.times[first])
