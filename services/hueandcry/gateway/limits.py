"""How often an agency may ask: a token bucket each. What one agency does leaves the others alone."""

from __future__ import annotations

import time
from collections.abc import Callable


class Buckets:
    """One bucket for each agency, full at first.

    Args:
        rate: tokens that come back each second.
        size: most tokens in a bucket.
        clock: seconds, never going back.
    """

    def __init__(self, rate: float, size: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._size = size
        self._clock = clock
        self._filled: dict[str, tuple[float, float]] = {}

    def take(self, who: str, tokens: float = 1) -> float:
        """0 where there were as many tokens, which are gone then; else the seconds after which to ask again.

        More than a bucket holds is taken from a full one, which is then empty for as long as that needs.
        """
        now = self._clock()
        left, then = self._filled.get(who, (self._size, now))
        left = min(self._size, left + (now - then) * self._rate)
        wanted = min(tokens, self._size)
        if left >= wanted:
            self._filled[who] = (left - tokens, now)
            return 0.0
        self._filled[who] = (left, now)
        return (wanted - left) / self._rate
