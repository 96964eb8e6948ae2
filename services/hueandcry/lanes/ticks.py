"""When a lane's stage is asked what is due, and as of which time.

Rules:
1. Time is that of the messages. While a partition has messages to be read, it is no later there than the last one that
   was read: what is due is not done before a message that was there in time to prevent it.
2. Where everything has been read, the clock goes on: what is due is done though no message ever comes.
3. A tick is a transaction as a batch is. After one that was rolled back one thing at a time is done, then more again;
   what the broker will never take is postponed by the stage, so that it does not hold up the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from hueandcry.lanes.batch import Effects, Incoming, Tick

Place = tuple[str, int]
"""Topic and partition."""

#: What was written this short a time ago may still be on its way to us.
_UNDERWAY_MS = 1_000
_MOST_AT_ONCE = 500


class Timed(Protocol):
    """A stage for which things become due."""

    def due(self, tick: Tick) -> Effects:
        """Do what is due as of the tick, no more of it than its limit."""
        ...

    def postpone(self, tick: Tick, reason: str) -> Effects:
        """Put off the first thing that is due: the broker will never take what comes of it."""
        ...


class Ticker:
    """The time of a lane.

    Args:
        timed: the stage.
        clock: seconds since the epoch.
        seconds: between two ticks.

    Attributes:
        alone: true while one thing at a time is done, to find the one that the broker does not take.
    """

    def __init__(self, timed: Timed, clock: Callable[[], float], seconds: float = 1.0) -> None:
        self._timed = timed
        self._clock = clock
        self._seconds = seconds
        self._last_read: dict[Place, int | None] = {}
        self._at_end: set[Place] = set()
        self._next = 0.0
        self._limit = _MOST_AT_ONCE
        self._hopeless = ""
        self._hopeless_as_of: int | None = None

    def assigned(self, places: Iterable[Place]) -> None:
        """Begin anew with these partitions, of which nothing has been read."""
        self._last_read = dict.fromkeys(places)
        self._at_end = set()
        self._hopeless, self._hopeless_as_of = "", None

    def read(self, messages: Iterable[Incoming]) -> None:
        """These messages have been read and settled."""
        for message in messages:
            place = (message.topic, message.partition)
            self._last_read[place] = max(message.timestamp, self._last_read.get(place) or 0)

    def came(self, place: Place) -> None:
        """A message of this partition has come: it was not at its end."""
        self._at_end.discard(place)

    def at_end(self, place: Place) -> None:
        """This partition has nothing more to be read."""
        self._at_end.add(place)

    def as_of_ms(self) -> int | None:
        """What time it is, epoch milliseconds; None while that can't be told."""
        behind = [self._last_read[place] for place in self._last_read.keys() - self._at_end]
        now = int(self._clock() * 1000) - _UNDERWAY_MS
        known = [at for at in behind if at is not None]
        return min([now, *known]) if len(known) == len(behind) else None

    def wanted_as_of(self) -> int | None:
        """As of what time a tick is to be made now; None where none is."""
        if not self._last_read or time.monotonic() < self._next:
            return None
        # What has become due since would perhaps be postponed in place of what the broker does not take.
        return self.as_of_ms() if self._hopeless_as_of is None else self._hopeless_as_of

    @property
    def limit(self) -> int:
        """How many things the next tick may do."""
        return self._limit

    @property
    def alone(self) -> bool:
        """Whether one thing at a time is done, to find the one that the broker does not take."""
        return self._limit == 1

    def effects(self, tick: Tick) -> Effects:
        """What the stage makes of a tick."""
        if self._hopeless:
            return self._timed.postpone(tick, self._hopeless)
        return self._timed.due(tick)

    def done(self, *, more: bool) -> None:
        """A tick was committed, or there was nothing to do."""
        self._hopeless, self._hopeless_as_of = "", None
        self._limit = min(_MOST_AT_ONCE, self._limit * 2)
        if not more:
            self._next = time.monotonic() + self._seconds

    def rolled_back(self, tick: Tick, refused: str) -> None:
        """A tick was rolled back; `refused` says what the broker will never take, if it was that.

        The transaction after a refusal can fail by it as well: librdkafka counts the refused record as sent. So what is
        known of it stays known.
        """
        if self.alone and refused:
            self._hopeless, self._hopeless_as_of = refused, tick.as_of_ms
        self._limit = 1
        self._next = time.monotonic() + self._seconds
