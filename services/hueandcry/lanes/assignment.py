"""The partitions that a lane holds, and their state: restored first, then ready to be changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import TopicPartition

from hueandcry.lanes import metrics
from hueandcry.lanes.restore import Restore
from hueandcry.lanes.state import Overlay, PartitionStore


class Assignment:
    """What a lane has been given.

    Args:
        lane: its name.
        folder: of the databases, one for each partition number.
        changelog: topic of the state.
        config: librdkafka's consumer settings for reading it.

    Attributes:
        places: topics and partitions.
        stores: by partition number, the databases that are up to date.
        epoch: another number after each change of the assignment.
        joined: whether there has been one since the lane was opened.
    """

    def __init__(self, lane: str, folder: Path, changelog: str, config: dict[str, Any]) -> None:
        self._lane = lane
        self._folder = folder
        self._changelog = changelog
        self._config = config
        self._restoring: dict[int, Restore] = {}
        self.places: list[TopicPartition] = []
        self.stores: dict[int, PartitionStore] = {}
        self.epoch = 0
        self.joined = False

    @property
    def restoring(self) -> bool:
        """Whether some state is not up to date yet."""
        return bool(self._restoring)

    def overlays(self) -> dict[int, Overlay]:
        """By partition number, an empty overlay over its database."""
        return {number: Overlay(store) for number, store in self.stores.items()}

    def take(self, places: Sequence[TopicPartition], now_ms: int) -> None:
        """Begin to restore the state of these partitions, in place of those held before.

        Raises:
            StateError: a database can't be opened.
            LaneError: the changelog can't be read.
        """
        self.release()
        self.places = [TopicPartition(each.topic, each.partition) for each in places]
        for number in sorted({each.partition for each in places}):
            store = PartitionStore(self._folder / str(number))
            try:
                self._restoring[number] = Restore(self._config, self._changelog, number, store, now_ms)
            except Exception:
                store.close()
                raise
        self.joined = True

    def release(self) -> None:
        """Give all of it up."""
        for restore in self._restoring.values():
            restore.close()
            restore.store.close()
        for store in self.stores.values():
            store.close()
        self._restoring, self.stores, self.places = {}, {}, []
        self.epoch += 1
        metrics.PARTITIONS.labels(self._lane).set(0)

    def restore_on(self, seconds: float) -> bool:
        """Go on restoring for about so long; True once all is up to date."""
        for number, restore in list(self._restoring.items()):
            if restore.step(seconds / len(self._restoring)):
                self.stores[number] = restore.store
                del self._restoring[number]
        metrics.RESTORING.labels(self._lane).set(sum(restore.remaining for restore in self._restoring.values()))
        metrics.PARTITIONS.labels(self._lane).set(len(self.stores))
        if not self._restoring:
            metrics.STATE_BYTES.labels(self._lane).set(sum(store.size_bytes() for store in self.stores.values()))
        return not self._restoring
