"""What came before: events of a topic from any position on, a page at a time.

A few consumers are kept; who asks while all are at work waits. Each reads one page and is free again, so nothing is
held for a client that thinks about what it got.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from hueandcry.errors import RegistryError
from hueandcry.gateway.events import Event
from hueandcry.gateway.positions import Position, Source, fitted
from hueandcry.gateway.tail import Unread
from hueandcry.wire.codec import SchemaIds

#: Consumers at work at once.
READERS = 4
#: Most bytes of one page.
MOST_BYTES = 4 * 1024 * 1024
_SECONDS = 10.0
_ASK = 5.0


class Page(NamedTuple):
    """Some events, each with the position after it, and where it goes on.

    Attributes:
        at_end: whether this was all there is.
    """

    events: list[tuple[Event, Position]]
    next: Position
    at_end: bool


class Pages:
    """Reads pages.

    Args:
        config: librdkafka's configuration of a consumer.
        ids: of the schemas.
    """

    def __init__(self, config: Mapping[str, Any], ids: SchemaIds) -> None:
        self._config = {**config, "enable.partition.eof": True, "log_level": 0, "auto.offset.reset": "earliest"}
        self._ids = ids
        self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="page")
        self._free: list[Consumer] = []

    async def read(self, source: Source, topic: str, position: Position, limit: int) -> Page:
        """At most `limit` events from a position on.

        Raises:
            Unread: Kafka does not answer, or does not let us.
        """
        return await self._run(self._read, source, topic, position, limit)

    async def at(self, topic: str, at_ms: int) -> Position:
        """The position of the first event that came at a time (epoch milliseconds) or later. Raises as `read`."""
        return await self._run(self._at, topic, at_ms)

    async def one(self, source: Source, topic: str, partition: int, offset: int) -> Event | None:
        """The event at a place; None where there is none any more. Raises as `read`."""
        return await self._run(self._one, source, topic, partition, offset)

    def close(self) -> None:
        """Give the consumers back."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for consumer in self._free:
            consumer.close()

    async def _run(self, work: Any, *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._pool, self._with_consumer, work, *arguments)
        except KafkaException as error:
            raise Unread(f"Kafka: {error.args[0].name()}") from error
        except RegistryError as error:
            raise Unread(str(error)) from error

    def _with_consumer(self, work: Any, *arguments: Any) -> Any:
        consumer = self._free.pop() if self._free else Consumer(self._config)
        try:
            found = work(consumer, *arguments)
        except BaseException:
            consumer.close()
            raise
        self._free.append(consumer)
        return found

    def _read(self, consumer: Consumer, source: Source, topic: str, position: Position, limit: int) -> Page:
        count = _partitions(consumer, topic)
        at = list(fitted(position, count))
        consumer.assign([TopicPartition(topic, number, offset) for number, offset in enumerate(at)])
        found: list[tuple[Event, Position]] = []
        size, left, end = 0, set(range(count)), time.monotonic() + _SECONDS
        try:
            while left and len(found) < limit and size < MOST_BYTES:
                if time.monotonic() > end:
                    if found:
                        break
                    raise Unread(f"topic {topic} was not read in {_SECONDS:.0f} s")
                for message in consumer.consume(min(limit - len(found), 500), 0.1):
                    error, number = message.error(), message.partition() or 0
                    if error is None:
                        event = Event(source, message, self._ids)
                        at[number] = event.offset + 1
                        found.append((event, tuple(at)))
                        size += len(event.json)
                        left.add(number)
                    elif error.code() == KafkaError._PARTITION_EOF:
                        # Behind the last record there may be markers of transactions.
                        at[number] = max(at[number], message.offset() or 0)
                        left.discard(number)
                    elif not error.retriable():
                        raise Unread(f"topic {topic} can't be read: {error.name()}")
        finally:
            consumer.unassign()
        return Page(found, tuple(at), not left)

    def _one(self, consumer: Consumer, source: Source, topic: str, partition: int, offset: int) -> Event | None:
        consumer.assign([TopicPartition(topic, partition, offset)])
        end = time.monotonic() + _SECONDS
        try:
            while time.monotonic() < end:
                message = consumer.poll(0.2)
                if message is None:
                    continue
                error = message.error()
                if error is None:
                    return Event(source, message, self._ids) if message.offset() == offset else None
                if error.code() == KafkaError._PARTITION_EOF:
                    return None
                if not error.retriable():
                    raise Unread(f"topic {topic} can't be read: {error.name()}")
        finally:
            consumer.unassign()
        raise Unread(f"topic {topic} was not read in {_SECONDS:.0f} s")

    def _at(self, consumer: Consumer, topic: str, at_ms: int) -> Position:
        asked = [TopicPartition(topic, number, at_ms) for number in range(_partitions(consumer, topic))]
        found = consumer.offsets_for_times(asked, timeout=_ASK)
        return tuple(
            each.offset
            if each.offset >= 0
            else consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=_ASK, cached=False)[1]
            for number, each in enumerate(found)
        )


def _partitions(consumer: Consumer, topic: str) -> int:
    metadata = consumer.list_topics(topic, timeout=_ASK).topics[topic]
    if metadata.error is not None:
        raise Unread(f"topic {topic} can't be read: {metadata.error.name()}")
    return len(metadata.partitions)
