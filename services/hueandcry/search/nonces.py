"""Which requests have been answered, by whatever process of search and before whatever restart: the log says it.

Rules:
1. Of the records in the topic `consultations` with one nonce of one key the first counts; who has written another
   answers nothing. They lie in one partition, for its key is the agency, so all processes see them in one order.
2. An answer waits until its process has read its own record. By then it has read all that came before.
3. A nonce is remembered for as long as a request with it may come (`wire.requests.MAX_AGE`), and after a start those of
   that time are read first; until then nothing is answered.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

from confluent_kafka import (  # pyright: ignore[reportPrivateImportUsage]
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from hueandcry.search.consultations import TOPIC, NotLogged, Place
from hueandcry.wire.codec import SchemaIds, decode_as
from hueandcry.wire.framing import unframe
from hueandcry.wire.requests import MAX_AGE, MOST_NONCES, SKEW

log = logging.getLogger(__name__)

#: How long a nonce is remembered: what may lie between a request and its repetition, and how far clocks may differ.
KEPT_MS = int((MAX_AGE + 2 * SKEW).total_seconds() * 1000) + 60_000
_POLL_SECONDS = 0.1
_CALL_SECONDS = 10.0
_RETRY_SECONDS = 2.0
_WAIT_SECONDS = 5.0


class _Seen(NamedTuple):
    place: Place
    at_ms: int


class _Waiting(NamedTuple):
    offset: int
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]


class Book:
    """The nonces of the records that have been read."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, _Seen] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def enter(self, record: Mapping[str, Any], place: Place, at_ms: int) -> None:
        """Enter a hueandcry.Consultation that Kafka took at this time, and forget those of long before."""
        self._seen.setdefault(_name(record), _Seen(place, at_ms))
        self.forget(at_ms)

    def forget(self, now_ms: int) -> None:
        """Forget what nobody can send again by now."""
        while self._seen and next(iter(self._seen.values())).at_ms < now_ms - KEPT_MS:
            self._seen.popitem(last=False)

    def is_first(self, record: Mapping[str, Any], place: Place) -> bool:
        """Whether that record is the first with its nonce."""
        seen = self._seen.get(_name(record))
        return seen is not None and seen.place == place


class Nonces:
    """Follows the topic in a thread of its own.

    Args:
        config: librdkafka's settings of a consumer; it joins no group.
        schemas: the registry's ids.
    """

    def __init__(self, config: Mapping[str, Any], schemas: SchemaIds) -> None:
        self._config = {**config, "enable.auto.commit": False, "auto.offset.reset": "earliest"}
        self._schemas = schemas
        self._lock = threading.Lock()
        self._book = Book()
        #: By partition: the next offset to read, and where the end was at the start.
        self._at: dict[int, int] = {}
        self._ends: dict[int, int] | None = None
        self._waiting: dict[int, list[_Waiting]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nonces", daemon=True)
        self._thread.start()

    @property
    def is_open(self) -> bool:
        """Whether all that counts has been read, and there is room for more."""
        with self._lock:
            ends = self._ends
            read = ends is not None and all(self._at[partition] >= end for partition, end in ends.items())
            self._book.forget(int(time.time() * 1000))
            return read and len(self._book) < MOST_NONCES

    async def is_first(self, record: Mapping[str, Any], place: Place) -> bool:
        """Whether a hueandcry.Consultation that lies there is the first with its nonce.

        Raises:
            NotLogged: it can't be read.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        with self._lock:
            if self._at.get(place.partition, 0) > place.offset:
                return self._book.is_first(record, place)
            self._waiting.setdefault(place.partition, []).append(_Waiting(place.offset, loop, done))
        try:
            await asyncio.wait_for(done, _WAIT_SECONDS)
        except TimeoutError:
            raise NotLogged("the log of searches can't be read", hint="Ask again in a minute") from None
        with self._lock:
            return self._book.is_first(record, place)

    def close(self) -> None:
        """Stop."""
        self._stopping.set()
        self._thread.join(15.0)

    # -- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            consumer = Consumer(self._config)
            try:
                self._begin(consumer)
                while not self._stopping.is_set():
                    message = consumer.poll(_POLL_SECONDS)
                    if message is not None:
                        self._took(message)
            except KafkaException as error:
                log.warning("the log of searches can't be followed, trying again: %s", error)
                self._stopping.wait(_RETRY_SECONDS)
            finally:
                consumer.close()

    def _begin(self, consumer: Consumer) -> None:
        """Read on from where we are, at first from the time of which nonces count."""
        partitions = list(consumer.list_topics(TOPIC, timeout=_CALL_SECONDS).topics[TOPIC].partitions)
        since = int(time.time() * 1000) - KEPT_MS
        found = consumer.offsets_for_times([TopicPartition(TOPIC, each, since) for each in partitions], _CALL_SECONDS)
        starts, ends = dict[int, int](), dict[int, int]()
        for each in found:
            ends[each.partition] = consumer.get_watermark_offsets(each, timeout=_CALL_SECONDS, cached=False)[1]
            starts[each.partition] = each.offset if each.offset >= 0 else ends[each.partition]
        with self._lock:
            self._at = {partition: self._at.get(partition, start) for partition, start in starts.items()}
            self._ends = ends
            starts = dict(self._at)
        consumer.assign([TopicPartition(TOPIC, partition, offset) for partition, offset in starts.items()])

    def _took(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            if not error.retriable() and error.code() not in _PASSING:
                raise KafkaException(error)
            return
        place = Place(message.partition() or 0, message.offset() or 0)
        try:
            schema_id, body = unframe(message.value() or b"")
            record = decode_as("hueandcry.Consultation", body, self._schemas.writer(schema_id))
        except ValueError:
            # Only search writes here; what is none of its records has no nonce.
            log.error("%s[%d]@%d is no record of a search", TOPIC, *place)
            record = None
        with self._lock:
            if record is not None:
                self._book.enter(record, place, message.timestamp()[1])
            self._at[place.partition] = place.offset + 1
            waiting = self._waiting.pop(place.partition, [])
            later = [each for each in waiting if each.offset > place.offset]
            if later:
                self._waiting[place.partition] = later
        for each in waiting:
            if each.offset <= place.offset:
                each.loop.call_soon_threadsafe(_settle, each.done)


def _settle(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


def _name(record: Mapping[str, Any]) -> str:
    return f"{record['key_id']}/{record['nonce']}"


_PASSING = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._RESOLVE)
