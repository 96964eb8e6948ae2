"""The log followed, its tree grown, and checkpoints signed as there is news.

Rules:
1. The order of the topic's one partition, as it was committed, is the order of the log: nobody gives out numbers.
2. Nothing is signed that does not go on from what was signed before: at its start the last checkpoint is held against
   the tree, and where they differ this process stops, says so, and signs nothing.
3. The tree follows from the log: it is written in one batch with its place, and whoever has lost it reads the log anew.
   So two processes sign the same roots, and it does no harm that there are two.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from confluent_kafka import (  # pyright: ignore[reportPrivateImportUsage]
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hueandcry.errors import HueAndCryError, LaneError, StateError
from hueandcry.lanes.state import Overlay, PartitionStore
from hueandcry.ledger.checkpoints import TOPIC as CHECKPOINTS
from hueandcry.ledger.checkpoints import Checkpoint, open_checkpoint
from hueandcry.ledger.metrics import Metrics
from hueandcry.ledger.notes import verifier_key
from hueandcry.ledger.records import TOPIC as LEDGER
from hueandcry.ledger.tree import Tree, grow

log = logging.getLogger(__name__)

_PARTITION = 0
_TAKE = 500
_TAKE_SECONDS = 0.2
_ASK_SECONDS = 10.0
_RETRY_SECONDS = 2.0
_PASSING = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._RESOLVE)


class Follower:
    """Follows the log in a thread of its own; its tree may be read from any thread.

    Args:
        consumer: librdkafka's settings of a consumer with a group.id; it joins no group.
        producer: settings of a producer that waits for all replicas.
        folder: of the database.
        origin: the log's name.
        signing_key: that signs checkpoints.
        every_seconds: between two checkpoints.
        now_ms: epoch milliseconds.

    Attributes:
        size: records read.
        signed_size: records that the last checkpoint covers.
        failure: why it can't go on; None while it can.
    """

    def __init__(
        self,
        consumer: Mapping[str, Any],
        producer: Mapping[str, Any],
        folder: Path,
        *,
        origin: str,
        signing_key: Ed25519PrivateKey,
        every_seconds: float,
        now_ms: Callable[[], int],
        metrics: Metrics,
    ) -> None:
        self._consumer_config = dict(consumer)
        self._producer_config = dict(producer)
        self.store = PartitionStore(folder)
        self._origin = origin
        self._signing_key = signing_key
        self.key = verifier_key(origin, signing_key)
        self._every_ms = int(every_seconds * 1000)
        self._now_ms = now_ms
        self._metrics = metrics
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.size = Tree(self.store).size
        self.signed_size = 0
        self.failure: HueAndCryError | None = None
        #: What was signed before this start, to be held against the tree; None where it fits, or there was nothing.
        self._to_meet: Checkpoint | None = None
        self._latest: tuple[Checkpoint, str] | None = None
        self._uncovered_since: int | None = None
        self._at_end = False
        self._signed_at = 0

    def start(self) -> None:
        """Begin to follow."""
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and close the database."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(15.0)
        self.store.close()

    @property
    def ready(self) -> bool:
        """Whether all that was there has been read, and what was signed before fits."""
        return self._at_end and self._to_meet is None and self.failure is None

    @property
    def latest(self) -> tuple[Checkpoint, str] | None:
        """The last checkpoint, and its signed note; None where there is none yet."""
        return self._latest if self.ready else None

    @property
    def checkpoint_age_ms(self) -> int | None:
        """Milliseconds that the oldest record which no checkpoint covers has waited; None where it is unknown."""
        if not self.ready:
            return None
        since = self._uncovered_since
        return max(0, self._now_ms() - since) if since is not None else 0

    # -- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except StateError as error:
                self.failure = error
                log.error("%s", error.diagnostics())
                return
            except (LaneError, KafkaException) as error:
                log.warning("the ledger can't be followed, trying again: %s", error)
                self._stopping.wait(_RETRY_SECONDS)

    def _follow(self) -> None:
        self._at_end = False
        self._to_meet = self._last_signed()
        tree = Tree(self.store)
        config = {
            **self._consumer_config,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 50,
        }
        consumer = Consumer(config)
        producer = Producer({**self._producer_config, "linger.ms": 0})
        try:
            start = tree.next_offset if tree.size else OFFSET_BEGINNING
            consumer.assign([TopicPartition(LEDGER, _PARTITION, start)])
            while not self._stopping.is_set():
                self._take(consumer.consume(_TAKE, _TAKE_SECONDS))
                self._meet()
                self._sign(producer)
        finally:
            consumer.close()

    def _last_signed(self) -> Checkpoint | None:
        """The last checkpoint of this log that was published."""
        consumer = Consumer({**self._consumer_config, "isolation.level": "read_committed", "enable.auto.commit": False})
        try:
            place = TopicPartition(CHECKPOINTS, _PARTITION)
            low, high = consumer.get_watermark_offsets(place, timeout=_ASK_SECONDS)
            found: Checkpoint | None = None
            at = high
            while found is None and at > low:
                first = max(low, at - 100)
                found = self._newest(consumer, first, at)
                at = first
            return found
        finally:
            consumer.close()

    def _newest(self, consumer: Consumer, first: int, end: int) -> Checkpoint | None:
        """The largest checkpoint of ours from offset `first` to before `end`."""
        consumer.assign([TopicPartition(CHECKPOINTS, _PARTITION, first)])
        found: Checkpoint | None = None
        ends = time.monotonic() + _ASK_SECONDS
        while True:
            at = consumer.position([TopicPartition(CHECKPOINTS, _PARTITION)])[0].offset
            if at >= end:
                return found
            if time.monotonic() > ends:
                raise LaneError("the checkpoints of before can't be read in time")
            for message in consumer.consume(100, _TAKE_SECONDS):
                if message.error() is not None or (message.offset() or 0) >= end:
                    continue
                try:
                    checkpoint = open_checkpoint((message.value() or b"").decode(), [self.key])
                except (HueAndCryError, UnicodeDecodeError):
                    log.warning("offset %s of %s is no checkpoint of this log", message.offset(), CHECKPOINTS)
                    continue
                if found is None or checkpoint.size >= found.size:
                    found = checkpoint
                    self._latest = (checkpoint, (message.value() or b"").decode())
                    self.signed_size = checkpoint.size

    def _take(self, messages: list[Message]) -> None:
        changes = Overlay(self.store)
        at: int | None = None
        for message in messages:
            error = message.error()
            if error is None:
                at = int(message.offset() or 0)
                grown = grow(changes, message.value(), at)
                for each in grown.types:
                    self._metrics.records.labels(each).inc()
            elif error.code() == KafkaError._PARTITION_EOF:
                self._at_end = True
            elif error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                raise StateError(
                    f"the topic {LEDGER} ends before the place up to which it was read: it is not the log that it was",
                    hint=_KEEP,
                )
            elif not error.retriable() and error.code() not in _PASSING:
                raise LaneError(f"{LEDGER} can't be followed: {error.str()}")
        if at is not None:
            self.store.apply(changes.writes, at + 1, self._now_ms())
            self.size = Tree(self.store).size
            if self._uncovered_since is None and self.size > self.signed_size:
                self._uncovered_since = self._now_ms()

    def _meet(self) -> None:
        """Hold what was signed before against the tree, once that is as large."""
        before = self._to_meet
        if before is None:
            return
        tree = Tree(self.store)
        if tree.size >= before.size:
            if tree.root(before.size) != before.root:
                raise StateError(
                    f"the first {before.size} records of {LEDGER} are not those that were signed: one was changed, "
                    "moved, dropped or put in",
                    hint=_KEEP,
                )
            self._to_meet = None
        elif self._at_end:
            raise StateError(
                f"{LEDGER} has {tree.size} records, and {before.size} were signed: its end is missing", hint=_KEEP
            )

    def _sign(self, producer: Producer) -> None:
        now = self._now_ms()
        if not self.ready or self.size <= self.signed_size or now - self._signed_at < self._every_ms:
            return
        tree = Tree(self.store)
        checkpoint = Checkpoint(self._origin, tree.size, tree.root())
        note = checkpoint.signed(self._signing_key)
        failed: list[KafkaError] = []
        producer.produce(
            CHECKPOINTS,
            note.encode(),
            self._origin.encode(),
            on_delivery=lambda error, _: failed.append(error) if error is not None else None,
        )
        if producer.flush(_ASK_SECONDS) or failed:
            raise LaneError(f"a checkpoint could not be published: {failed[0].str() if failed else 'no answer'}")
        self._latest, self.signed_size, self._signed_at, self._uncovered_since = (
            (checkpoint, note),
            tree.size,
            now,
            None,
        )
        self._metrics.checkpoints.inc()


_KEEP = "Nothing is signed any more. Keep all as it is, and run `hueandcry ledger verify`"
