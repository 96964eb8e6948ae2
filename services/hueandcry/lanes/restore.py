"""Bring the database of a partition up to date from its changelog.

Rules:
1. A restore ends at the high watermark of the moment when it began, read as committed data. Where a transaction of a
   former owner is still open below it, the restore waits until that ends.
2. A database that is older than the changelog keeps tombstones is rebuilt, as is one that is ahead of the changelog.
"""

from __future__ import annotations

import time
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from hueandcry.errors import LaneError, StateError
from hueandcry.lanes.state import PartitionStore
from hueandcry.lanes.transaction import TRANSACTION_TIMEOUT_MS

#: Half of Kafka's default delete.retention.ms (24 h): older databases may have missed a tombstone.
_TOMBSTONES_KEPT_MS = 12 * 3600 * 1000
_CALL_SECONDS = 10.0
#: Longest wait for a transaction that someone left open; the broker ends it after its own timeout.
_OPEN_TRANSACTION_SECONDS = 4 * TRANSACTION_TIMEOUT_MS / 1000


class Restore:
    """The restore of one partition, in steps, so that the lane can keep its place in the group meanwhile.

    Args:
        config: librdkafka's consumer settings.
        topic: the changelog.
        now_ms: epoch milliseconds.

    Attributes:
        store: the database; another object than the one given where it had to be rebuilt.
        remaining: records still to read, at the most.
    """

    def __init__(self, config: dict[str, Any], topic: str, partition: int, store: PartitionStore, now_ms: int) -> None:
        where = TopicPartition(topic, partition)
        low, self._end = _watermarks(config, where)
        stale = store.written_at < now_ms - _TOMBSTONES_KEPT_MS and store.next_offset < self._end
        if store.next_offset and (stale or store.next_offset < low or store.next_offset > self._end):
            store = store.wipe()
        self.store = store
        self._name = f"{topic}[{partition}]"
        self._now_ms = now_ms
        self._consumer: Consumer | None = None
        self._still_since = time.monotonic()
        if store.next_offset < self._end:
            self._consumer = Consumer(
                {
                    **config,
                    "isolation.level": "read_committed",
                    "enable.auto.commit": False,
                    "enable.partition.eof": True,
                    "auto.offset.reset": "earliest",
                    "queued.max.messages.kbytes": 16 << 10,
                }
            )
            self._consumer.assign([TopicPartition(topic, partition, store.next_offset or OFFSET_BEGINNING)])

    @property
    def remaining(self) -> int:
        """Records still to read, at the most."""
        return max(0, self._end - self.store.next_offset) if self._consumer else 0

    def step(self, seconds: float) -> bool:
        """Read on for at most about `seconds`; True when done.

        Raises:
            StateError: somebody's transaction stays open.
            LaneError: the changelog can't be read.
        """
        if self._consumer is None:
            return True
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            writes: dict[bytes, bytes | None] = {}
            position = self.store.next_offset
            for message in self._consumer.consume(1000, 0.1):
                error = message.error()
                if error is None:
                    writes[message.key() or b""] = message.value()
                    position = message.offset() + 1  # type: ignore[operator]
                elif error.code() == KafkaError._PARTITION_EOF:
                    position = max(position, message.offset() or 0)
                elif not error.retriable():
                    raise LaneError(f"the changelog {self._name} can't be read: {error.str()}")
            if position > self.store.next_offset:
                self.store.apply(writes, position, self._now_ms)
                self._still_since = time.monotonic()
            if position >= self._end:
                self.close()
                return True
        if time.monotonic() - self._still_since > _OPEN_TRANSACTION_SECONDS:
            raise StateError(
                f"the changelog {self._name} stands still at {self.store.next_offset} of {self._end}",
                hint="a transaction hangs there: see kafka-transactions.sh find-hanging",
            )
        return False

    def close(self) -> None:
        """Stop reading."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None


def _watermarks(config: dict[str, Any], where: TopicPartition) -> tuple[int, int]:
    # A reader of committed data would be told the last stable offset; the high watermark is what counts here.
    consumer = Consumer({**config, "isolation.level": "read_uncommitted", "enable.auto.commit": False})
    try:
        low, high = consumer.get_watermark_offsets(where, timeout=_CALL_SECONDS, cached=False)
    except KafkaException as error:
        raise LaneError(f"the changelog {where.topic}[{where.partition}] can't be read: {error}") from error
    finally:
        consumer.close()
    return low, high
