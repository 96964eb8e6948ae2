"""Counts of what a stage has read and what became of it, kept in its state and so exact over crashes.

Key: t, then a name. Value: JSON object of counts. They let an operator check that every message has come out somewhere.
"""

from __future__ import annotations

import json
from collections import Counter

from hueandcry.lanes.state import Overlay

PREFIX = b"t"


def add(state: Overlay, name: str, counts: Counter[str]) -> None:
    """Add `counts` to the tally `name` of a partition."""
    key = PREFIX + name.encode()
    before = state.get(key)
    total = Counter(json.loads(before)) if before else Counter[str]()
    total.update(counts)
    state.put(key, json.dumps(total, sort_keys=True).encode())
