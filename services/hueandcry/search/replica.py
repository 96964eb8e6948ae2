"""The replica of the register: the partitions that this process holds, followed as they change.

Rules:
1. A partition is served when its database has been restored to the changelog's end, and then goes on following it.
2. Only what is committed is read. Each write has its place in the changelog beside it, as in `lanes.state`.
3. A partition is as old as the last moment for which it is known to have had everything that was committed by then.
4. What stands still for longer than the changelog keeps tombstones is restored anew.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

# confluent_kafka exports its documented names without saying so to type checkers.
from confluent_kafka import (  # pyright: ignore[reportPrivateImportUsage]
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # pyright: ignore[reportPrivateImportUsage]

from hueandcry.errors import HueAndCryError, LaneError, StateError
from hueandcry.lanes.restore import Restore
from hueandcry.lanes.state import PartitionStore
from hueandcry.search.plates import Plates
from hueandcry.search.reading import Reading

log = logging.getLogger(__name__)

TOPIC = "register"
#: Seconds between two looks at where the changelog ends.
_LOOK_SECONDS = 1.0
_ASK_SECONDS = 5.0
_TAKE_SECONDS = 0.05
#: The same while plates are read.
_PAUSE_SECONDS = 0.01
_RETRY_SECONDS = 2.0
#: How often a quiet partition notes that it is up to date, so that a restart need not restore it anew.
_NOTE_MS = 600_000
#: Half of what Kafka keeps tombstones for, less a margin.
_STILL_MS = 11 * 3600 * 1000


class Replica:
    """Follows partitions of the register in a thread of its own; their stores may be read from any thread.

    Args:
        config: librdkafka's settings of a consumer with a group.id; it joins no group.
        folder: of the databases, one a partition.
        partitions: those to hold.
        now_ms: epoch milliseconds.
        reading: reads entries of the register.

    Attributes:
        failure: why it can't go on; None while it can.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        folder: Path,
        partitions: Iterable[int],
        now_ms: Callable[[], int],
        reading: Reading,
    ) -> None:
        self._config = dict(config)
        self._folder = folder
        self.partitions = sorted(partitions)
        self._now_ms = now_ms
        self._reading = reading
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._stores: dict[int, PartitionStore] = {}
        self._plates: dict[int, Plates] = {}
        self._served = False
        #: By partition: the next offset to read, and when all that was committed had been read.
        self._at: dict[int, int] = {}
        self._whole_at: dict[int, int] = {}
        self.remaining = 0
        self.failure: HueAndCryError | None = None

    def start(self) -> None:
        """Begin to restore and follow."""
        self._thread = threading.Thread(target=self._run, name="register-replica", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, and close the databases."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(15.0)
        self._served = False
        for store in self._stores.values():
            store.close()

    def store(self, partition: int) -> PartitionStore | None:
        """The database of a partition; None where it is not held, or not restored yet."""
        return self._stores.get(partition) if self._served else None

    def plates(self) -> list[Plates]:
        """The plates of each partition, as far as they have been read."""
        return list(self._plates.values())

    @property
    def age_ms(self) -> int | None:
        """How old the oldest of its partitions is, in milliseconds; None while it is not restored."""
        if not self._served or len(self._whole_at) < len(self.partitions):
            return None
        return max(0, self._now_ms() - min(self._whole_at.values(), default=self._now_ms()))

    def size_bytes(self) -> int:
        """Bytes of all databases."""
        return sum(store.size_bytes() for store in list(self._stores.values())) if self._served else 0

    # -- the thread -----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._restored():
                    self._follow()
            except StateError as error:
                self.failure, self._served = error, False
                log.error("%s", error.diagnostics())
                return
            except (LaneError, KafkaException) as error:
                log.warning("the register can't be followed, trying again: %s", error)
                self._stopping.wait(_RETRY_SECONDS)

    def _restored(self) -> bool:
        """Bring every partition to the changelog's end; False where it was told to stop meanwhile."""
        for partition in self.partitions:
            store = self._stores.get(partition) or PartitionStore(self._folder / str(partition))
            restore = Restore(self._config, TOPIC, partition, store, self._now_ms())
            # Where it had to be rebuilt, the old one is closed: nothing may be read until all are there.
            self._served = self._served and restore.store is store
            self._stores[partition] = restore.store
            try:
                while not restore.step(1.0):
                    self.remaining = restore.remaining
                    if self._stopping.is_set():
                        return False
            finally:
                restore.close()
        self.remaining = 0
        self._plates = {partition: Plates(store, self._reading) for partition, store in self._stores.items()}
        self._served = True
        return True

    def _follow(self) -> None:
        consumer = Consumer(
            {
                **self._config,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 100,
            }
        )
        admin = AdminClient({key: value for key, value in self._config.items() if key in _COMMON})
        self._at = {partition: self._stores[partition].next_offset for partition in self.partitions}
        aims: dict[int, tuple[int, int]] = {}
        looked = 0.0
        try:
            consumer.assign([TopicPartition(TOPIC, partition, at) for partition, at in self._at.items()])
            while not self._stopping.is_set():
                if not aims and time.monotonic() - looked >= _LOOK_SECONDS:
                    looked = time.monotonic()
                    aims = self._ends(admin)
                # Plates are read beside it, a few milliseconds at a time, so that answers need not wait.
                more = any(plates.step() for plates in self._plates.values())
                self._take(consumer.consume(1000, _PAUSE_SECONDS if more else _TAKE_SECONDS))
                self._note(aims)
                if any(self._now_ms() - at > _STILL_MS for at in self._whole_at.values()):
                    raise LaneError("it has stood still for as long as tombstones are kept")
        finally:
            consumer.close()

    def _ends(self, admin: AdminClient) -> dict[int, tuple[int, int]]:
        """By partition: a time, and the end of what was committed then. Empty where Kafka does not answer."""
        now = self._now_ms()
        newest: Any = OffsetSpec.latest()
        asked = {TopicPartition(TOPIC, partition): newest for partition in self.partitions}
        try:
            answers = admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=_ASK_SECONDS
            )
            return {each.partition: (now, future.result(_ASK_SECONDS).offset) for each, future in answers.items()}
        except (KafkaException, TimeoutError) as error:
            log.warning("the end of the register is not told: %s", error)
            return {}

    def _take(self, messages: list[Message]) -> None:
        changes: dict[int, dict[bytes, bytes | None]] = {}
        for message in messages:
            partition, offset = message.partition() or 0, message.offset() or 0
            error = message.error()
            if error is None:
                changes.setdefault(partition, {})[message.key() or b""] = message.value()
                self._at[partition] = offset + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                self._at[partition] = max(self._at.get(partition, 0), offset)
            elif not error.retriable() and error.code() not in _PASSING:
                raise LaneError(f"{TOPIC}[{partition}] can't be followed: {error.str()}")
        for partition, writes in changes.items():
            self._plates[partition].changed(writes)
            self._stores[partition].apply(writes, self._at[partition], self._now_ms())

    def _note(self, aims: dict[int, tuple[int, int]]) -> None:
        """Take out of `aims` the ends that have been reached."""
        for partition, (at_ms, end) in list(aims.items()):
            if self._at[partition] >= end:
                self._whole_at[partition] = at_ms
                del aims[partition]
                store = self._stores[partition]
                if at_ms - store.written_at > _NOTE_MS:
                    store.apply({}, self._at[partition], at_ms)


_PASSING = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._RESOLVE)
_COMMON = frozenset(
    {
        "bootstrap.servers", "security.protocol", "ssl.ca.location", "sasl.mechanism", "sasl.username", "sasl.password",
        "log_level",
    }
)  # fmt: skip
