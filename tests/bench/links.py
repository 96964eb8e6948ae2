"""What links cost distribute: microseconds of processor time an alert, decisions and RocksDB, without Kafka.

Partitions and the mail between them are those of the tests' simulator, over real databases; every alert is of one
agency, on a subject of its own, and is taken by four others. A hub is a key that every second alert has.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hueandcry.lanes.state import Overlay, PartitionStore
from simulator import World, alert, small_network

PARTITIONS = 4
REASONS = (0.9, ())


class Stored(PartitionStore):
    """A partition's database that takes the changes of one message at a time."""

    def take(self, overlay: Overlay) -> None:
        """Keep the changes."""
        self.apply(overlay.writes, self.next_offset + 1, 0)


def links(count: int) -> dict[str, dict[str, float]]:
    """By what the alerts share: microseconds an alert for `count` and twice as many, and claims and links an alert."""
    found: dict[str, dict[str, float]] = {}
    for name in ("no further keys", "keys of its own", "a strong hub", "a weak hub"):
        found[name] = {}
        for size in (count, 2 * count):
            spent, claims, linked = _run(name, size)
            found[name] |= {f"us at {size}": spent, f"claims at {size}": claims, f"links at {size}": linked}
    return found


def _run(name: str, count: int) -> tuple[float, float, float]:
    with _world() as world:
        started = time.process_time()
        for number in range(count):
            world.now_ms += 1
            world.send(alert(reference=str(number)), f"vin:{number}", **_keys(name, number))
            world.settle()
            # The book of the tests is no part of what is measured.
            world.sends.clear()
        spent = (time.process_time() - started) / count * 1e6
        return spent, world.claims_sent / count, len(world.links()) / 2 / count


def _keys(name: str, number: int) -> dict[str, Any]:
    own = {"claims": [f"plate:{number}"], "proposals": [f"weak:{number}:{each}" for each in range(4)]}
    if name == "no further keys":
        return {}
    if number % 2 and name == "a strong hub":
        own["claims"] = ["plate:hub"]
    if number % 2 and name == "a weak hub":
        own["proposals"][0] = "weak:hub"
    return own


@contextmanager
def _world() -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="bench-links-"))
    world = World(small_network(), PARTITIONS)
    stores = [Stored(folder / str(number)) for number in range(PARTITIONS)]
    world.memories = list(stores)
    # One in ten of those that share a weak key is proposed.
    world.likeness = lambda one, _other: REASONS if int(one["head"]["alert_id"][:4], 16) % 10 == 0 else None
    try:
        yield world
    finally:
        for store in stores:
            store.close()
        shutil.rmtree(folder)


def show(result: dict[str, dict[str, float]], console: Console) -> None:
    """The figures as a table."""
    columns = list(next(iter(result.values())))
    table = Table("links", *columns, title="What shared keys cost distribute, an alert", title_justify="left", box=None)
    for name, figures in result.items():
        table.add_row(name, *(f"{figures[column]:.1f}" for column in columns))
    console.print(table)
