"""What goes into an agent and what comes out of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hueandcry.lanes.state import Overlay

Headers = Sequence[tuple[str, bytes]]


class Record(NamedTuple):
    """A record to be produced.

    Attributes:
        topic: where to.
        value: bytes, or None for a tombstone.
        key: bytes or None. Never personal data.
        headers: name and bytes.
        partition: -1 for the partitioner's choice by key.
    """

    topic: str
    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()
    partition: int = -1


class Incoming(NamedTuple):
    """A record that was read, taken out of librdkafka once.

    Attributes:
        timestamp: when the broker or the producer stamped it, epoch milliseconds.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int


@dataclass(slots=True)
class Effects:
    """What a stage makes of a batch: records, and by partition the changes to its state.

    Attributes:
        more: of a tick: more is due already, so the next one shall follow at once.
        committed: called once Kafka has all of it; what it does is lost where the process ends before.
    """

    records: list[Record] = field(default_factory=list)
    state: dict[int, Overlay] = field(default_factory=dict)
    more: bool = False
    committed: Callable[[], None] | None = None


@dataclass(slots=True)
class Batch:
    """Records read together, and the state of the partitions that they belong to.

    Attributes:
        messages: in the order of their offsets within each partition.
        state: by partition number, an empty overlay over the partition's database.
        settled: done once the batch is committed or given back; the lane reads on then.
    """

    messages: list[Incoming]
    state: dict[int, Overlay]
    settled: asyncio.Future[None]

    def next_offsets(self) -> dict[tuple[str, int], int]:
        """By topic and partition, the offset after the last message."""
        return {(message.topic, message.partition): message.offset + 1 for message in self.messages}

    def first_offsets(self) -> dict[tuple[str, int], int]:
        """By topic and partition, the offset of the first message."""
        first: dict[tuple[str, int], int] = {}
        for message in self.messages:
            first.setdefault((message.topic, message.partition), message.offset)
        return first


@dataclass(slots=True)
class Tick:
    """Time has passed: what is due by now shall be done, whether messages come or not.

    Attributes:
        as_of_ms: up to when everything that was sent has been read, epoch milliseconds: the clock's time while nothing
            waits to be read, else when the newest message was written that all partitions have got to.
        limit: of things to be done at once.
        state: as of a batch.
        settled: as of a batch.
    """

    as_of_ms: int
    limit: int
    state: dict[int, Overlay]
    settled: asyncio.Future[None]
