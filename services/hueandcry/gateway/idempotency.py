"""The same request twice is done once: what was answered under which Idempotency-Key, kept in a topic of Kafka.

Before a request's alerts are sent, a record of it is: the digest of its body and its time. After them, a second with
the answer. So whoever comes again, to any process and after any crash, gets

- the same answer, where it had one (the same bytes);
- the same done again, where there is only the first record: with the time of the first attempt, so that what is filled
  in is the same, and the platform, which takes a version of an alert once, takes it for what it is;
- a refusal (422), where the body is another one.

A record counts for KEPT. The oldest goes first where there are more than fit into memory. Two processes that get the
same key within the milliseconds that a record needs from one to the other may both send; the platform takes it once.
(Compare draft-ietf-httpapi-idempotency-key-header.)
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from hueandcry.errors import NetworkError
from hueandcry.gateway.press import Press, Sheet

log = logging.getLogger(__name__)

TOPIC = "idempotency"
#: How long an answer is kept, in milliseconds.
KEPT = 24 * 3600 * 1000
#: Most bytes of memory for them, about.
MOST_BYTES = 128 * 1024 * 1024
_START_SECONDS = 60.0
_OVERHEAD = 400


class Entry(NamedTuple):
    """A request that was begun.

    Attributes:
        digest: SHA-256 of what was asked, hex.
        at_ms: when it was begun.
        answer: what was answered; None where it was not ended.
    """

    digest: str
    at_ms: int
    answer: str | None


def hashed(agency: str, key: str) -> bytes:
    """How agency and Idempotency-Key are written: a hash, since a client may put anything into a key."""
    return hashlib.sha256(f"{agency}\0{key}".encode()).hexdigest().encode()


class Idempotency:
    """The answers, as the topic has them.

    Args:
        config: librdkafka's configuration of a consumer.
        now_ms: epoch milliseconds.
    """

    def __init__(self, config: Mapping[str, Any], now_ms: Callable[[], int]) -> None:
        self._config = {**config, "enable.partition.eof": True, "log_level": 0}
        self._now_ms = now_ms
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="idempotency", daemon=True)

    def start(self) -> None:
        """Read what there is, then follow.

        Raises:
            NetworkError: it can't be read in time.
        """
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise NetworkError(f"topic {TOPIC} was not read in {_START_SECONDS:.0f} s")

    def close(self) -> None:
        """Stop following."""
        self._stopping.set()
        self._thread.join(5.0)

    def find(self, key: bytes) -> Entry | None:
        """What is known of a request."""
        with self._lock:
            entry = self._entries.get(key)
        return entry if entry is not None and self._now_ms() - entry.at_ms < KEPT else None

    async def note(self, press: Press, key: bytes, entry: Entry) -> None:
        """Keep an entry, and wait until Kafka has it. Raises as `Press.put`."""
        await press.put([Sheet(TOPIC, key, json.dumps(entry._asdict(), separators=(",", ":")).encode())])
        self._keep(key, entry)

    def _keep(self, key: bytes, entry: Entry) -> None:
        with self._lock:
            had = self._entries.pop(key, None)
            if had is not None:
                self._bytes -= _size(had)
                if had.answer is not None and had.digest == entry.digest:
                    entry = had  # the second record was heard of before the first
            self._entries[key] = entry
            self._bytes += _size(entry)
            oldest_kept = self._now_ms() - KEPT
            while self._entries:
                first, oldest = next(iter(self._entries.items()))
                if self._bytes <= MOST_BYTES and oldest.at_ms >= oldest_kept:
                    break
                del self._entries[first]
                self._bytes -= _size(oldest)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                self._read_on()
            except KafkaException as error:
                log.warning("topic %s: %s", TOPIC, error.args[0].str())
                self._stopping.wait(2.0)

    def _read_on(self) -> None:
        consumer = Consumer(self._config)
        try:
            numbers = consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
            since = self._now_ms() - KEPT
            places = consumer.offsets_for_times([TopicPartition(TOPIC, each, since) for each in numbers], timeout=10)
            consumer.assign(places)
            unread = set(numbers)
            while not self._stopping.is_set():
                for message in consumer.consume(500, 0.2):
                    error = message.error()
                    if error is None:
                        self._take(message.key() or b"", message.value() or b"")
                    elif error.code() == KafkaError._PARTITION_EOF:
                        unread.discard(message.partition() or 0)
                if not unread:
                    self._ready.set()
        finally:
            consumer.close()

    def _take(self, key: bytes, value: bytes) -> None:
        try:
            read = json.loads(value)
            entry = Entry(str(read["digest"]), int(read["at_ms"]), read["answer"])
        except (ValueError, KeyError, TypeError):
            log.warning("topic %s has a record that can't be read", TOPIC)
            return
        self._keep(key, entry)


def _size(entry: Entry) -> int:
    return _OVERHEAD + len(entry.answer or "")


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000
