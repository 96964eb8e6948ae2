"""What comes: the topics that somebody listens to, read once by one consumer, for however many listen.

Each topic has a ring of what came last, bounded in events and bytes. Who has fallen behind it reads from Kafka
(`pages`). A topic that nobody has asked about for IDLE is read no longer.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from hueandcry.errors import HueAndCryError, RegistryError
from hueandcry.gateway.events import Event
from hueandcry.gateway.positions import Position, Source, word_of
from hueandcry.wire.codec import SchemaIds

log = logging.getLogger(__name__)

#: Most events and bytes of one ring.
MOST_EVENTS = 2_000
MOST_BYTES = 8 * 1024 * 1024
#: Seconds after which a ring that nobody asks about is dropped.
IDLE = 60.0
#: How long to wait for the first look at a topic.
_LOOK = 10.0
_ASK = 5.0


class Unread(HueAndCryError):
    """A topic can't be read now."""


class Came(NamedTuple):
    """An event of a ring.

    Attributes:
        after: the ring's position after it.
        frame: as it goes to those who have read all before it.
    """

    event: Event
    after: Position
    frame: bytes


class Ring:
    """What came last in one topic. Changed and read in the event loop alone."""

    def __init__(self, source: Source, topic: str, loop: asyncio.AbstractEventLoop) -> None:
        self.source: Source = source
        self.topic = topic
        self.begun: asyncio.Future[None] = loop.create_future()
        self.changed: asyncio.Future[None] = loop.create_future()
        #: From where the ring has everything, and the next to come.
        self.start: Position = ()
        self.next: Position = ()
        self.events: list[Came] = []
        #: How many events have been dropped from the front: events[0] is the event of that number.
        self.first = 0
        self.asked_at = time.monotonic()
        self._bytes = 0
        self._loop = loop

    def begin(self, position: Position) -> None:
        """It has everything from here on."""
        self.start = self.next = position
        if not self.begun.done():
            self.begun.set_result(None)

    def fail(self, reason: str) -> None:
        """It could not be begun."""
        if not self.begun.done():
            self.begun.set_exception(Unread(reason))
            self.begun.exception()

    def take(self, events: list[Event]) -> None:
        """Add what came, and wake those who wait."""
        for event in events:
            if event.offset < self.next[event.partition]:
                continue
            after = list(self.next)
            after[event.partition] = event.offset + 1
            self.next = tuple(after)
            self.events.append(Came(event, self.next, frame_of(self.source, event, self.next)))
            self._bytes += event.size
        drop = 0
        while len(self.events) - drop > MOST_EVENTS or self._bytes > MOST_BYTES:
            dropped = self.events[drop]
            self._bytes -= dropped.event.size
            self.start = dropped.after
            drop += 1
        if drop:
            del self.events[:drop]
            self.first += drop
        changed, self.changed = self.changed, self._loop.create_future()
        changed.set_result(None)

    def covers(self, position: Position) -> bool:
        """Whether everything from this position on is in the ring, or still to come."""
        return len(position) == len(self.start) and all(
            at >= start for at, start in zip(position, self.start, strict=True)
        )


def frame_of(source: Source, event: Event, after: Position, *, raw: bool = False) -> bytes:
    """An event as a server-sent event."""
    data = event.raw if raw else event.json
    return f"id: {word_of(source, after)}\nevent: {event.type}\ndata: {data}\n\n".encode()


class Tail:
    """Reads what comes, in a thread of its own. Belongs to the event loop that it was made in.

    Args:
        config: librdkafka's configuration of a consumer.
        ids: of the schemas.
    """

    def __init__(self, config: Mapping[str, Any], ids: SchemaIds) -> None:
        self._loop = asyncio.get_running_loop()
        self._ids = ids
        self._rings: dict[str, Ring] = {}
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._config = {**config, "log_level": 0, "auto.offset.reset": "latest"}
        self._thread = threading.Thread(target=self._run, name="tail", daemon=True)
        self._thread.start()

    async def ring(self, source: Source, topic: str) -> Ring:
        """The ring of a topic, which is read from now on.

        Raises:
            Unread: it can't be.
        """
        ring = self._rings.get(topic)
        if ring is None or (ring.begun.done() and ring.begun.exception() is not None):
            ring = self._rings[topic] = Ring(source, topic, self._loop)
            self._changed.set()
        ring.asked_at = time.monotonic()
        try:
            async with asyncio.timeout(_LOOK):
                await asyncio.shield(ring.begun)
        except TimeoutError:
            raise Unread(f"topic {topic} can't be read now") from None
        return ring

    @property
    def topics(self) -> int:
        """How many topics are read."""
        return len(self._rings)

    def close(self) -> None:
        """Stop."""
        self._stopping.set()
        self._thread.join(10.0)

    def _run(self) -> None:
        assigned: dict[str, Ring] = {}
        places: dict[tuple[str, int], int] = {}
        while not self._stopping.is_set():
            consumer = Consumer(self._config)
            # A consumer after a fault goes on where the one before was.
            self._changed.set()
            try:
                self._read_on(consumer, assigned, places)
            except Exception:
                log.exception("the tail begins anew")
                self._stopping.wait(1.0)
            finally:
                consumer.close()

    def _read_on(self, consumer: Consumer, assigned: dict[str, Ring], places: dict[tuple[str, int], int]) -> None:
        looked = time.monotonic()
        while not self._stopping.is_set():
            if self._changed.is_set() or time.monotonic() - looked > IDLE / 4:
                self._changed.clear()
                looked = time.monotonic()
                self._assign(consumer, assigned, places)
            if not assigned:
                self._changed.wait(0.2)
                continue
            # One first, so that it goes on at once; then what else has come.
            first = consumer.poll(0.1)
            if first is not None:
                self._take([first, *consumer.consume(500, 0)], assigned, places)

    def _assign(self, consumer: Consumer, assigned: dict[str, Ring], places: dict[tuple[str, int], int]) -> None:
        """Read what is listened to, and nothing else; where it was read already, go on there."""
        idle = time.monotonic() - IDLE
        for topic, ring in list(self._rings.items()):
            if ring.asked_at < idle:
                self._loop.call_soon_threadsafe(self._drop, ring)
                assigned.pop(topic, None)
            elif assigned.get(topic) is not ring:
                try:
                    ends = _ends(consumer, topic)
                except (KafkaException, Unread) as error:
                    self._loop.call_soon_threadsafe(ring.fail, str(error))
                    continue
                assigned[topic] = ring
                places |= {(topic, partition): end for partition, end in enumerate(ends)}
                self._loop.call_soon_threadsafe(ring.begin, ends)
        for topic, partition in list(places):
            if topic not in assigned:
                del places[topic, partition]
        consumer.assign([TopicPartition(topic, number, at) for (topic, number), at in places.items()])

    def _drop(self, ring: Ring) -> None:
        """Forget a ring, unless somebody has asked meanwhile: who waits is woken, and asks anew."""
        if self._rings.get(ring.topic) is ring:
            del self._rings[ring.topic]
        if not ring.changed.done():
            ring.changed.set_result(None)

    def _take(self, messages: list[Message], assigned: Mapping[str, Ring], places: dict[tuple[str, int], int]) -> None:
        came: dict[str, list[Event]] = {}
        try:
            for message in messages:
                topic = message.topic() or ""
                error = message.error()
                if error is not None:
                    if error.code() != KafkaError._PARTITION_EOF:
                        log.warning("topic %s: %s", topic, error.name())
                elif topic in assigned:
                    came.setdefault(topic, []).append(self._event(assigned[topic].source, message))
                    places[topic, message.partition() or 0] = (message.offset() or 0) + 1
        finally:
            # Also where one could not be made: its place is that before it.
            for topic, events in came.items():
                self._loop.call_soon_threadsafe(assigned[topic].take, events)

    def _event(self, source: Source, message: Message) -> Event:
        while True:
            try:
                event = Event(source, message, self._ids)
            except RegistryError:
                # It may be a new schema; nothing goes on without it, and nothing is left out.
                log.warning("the registry does not answer")
                if self._stopping.wait(1.0):
                    raise
                continue
            _ = event.json  # made here, not in the event loop
            return event


def _ends(consumer: Consumer, topic: str) -> Position:
    metadata = consumer.list_topics(topic, timeout=_ASK).topics[topic]
    if metadata.error is not None:
        raise Unread(f"topic {topic} can't be read: {metadata.error.name()}")
    found: list[int] = []
    for number in sorted(metadata.partitions):
        found.append(consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=_ASK, cached=False)[1])
    return tuple(found)
