"""The `_schemas` topic: followed by one thread, written by whoever holds the pen.

Several instances may run over one topic. All share one transactional id, so Kafka lets only the one that opened it last
commit: that one *holds the pen*. An instance that wants to write and finds its pen taken opens it anew, reads to the
end and decides again. A decision is thus always committed on the state it was made on, or not at all, and no instance
is special: each answers reads and takes writes. Two that write at once take turns; a turn costs some milliseconds.

Steps of a write, under a lock of this process:
1. hold the pen (open the transactional id, where it is not ours or was lost: this ends a predecessor's transaction);
2. with a pen just opened, read to the end of what is committed;
3. decide on that state which records to write; refuse only after reading to the end once more;
4. write them in one transaction; when fenced, go back to 1;
5. read back to the last of them, and only then answer.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # pyright: ignore[reportPrivateImportUsage]
from confluent_kafka.cimpl import NewTopic

from hueandcry.registry import records
from hueandcry.registry.errors import ApiError, store_error, timed_out
from hueandcry.registry.records import BadRecord, Record
from hueandcry.registry.state import State, fold

_log = logging.getLogger(__name__)
_quiet = logging.getLogger(f"{__name__}.pen")
_quiet.setLevel(logging.CRITICAL + 1)  # librdkafka calls being fenced fatal; here it is how turns are taken
_T = TypeVar("_T")
_BATCH: Final = 500
_WRITE_SECONDS: Final = 20.0
_CALL_SECONDS: Final = 5.0
_READ_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 0.2
_TURNS: Final = 8
_USER: Final = "hc-registry"
"""The registry's user on the broker: its groups and transactional ids must begin so (topics/services.yaml)."""
LARGEST: Final = 1_000_000
"""Bytes of one record, a little under Kafka's default `max.message.bytes` of 1,048,588."""
_TAKEN: Final = (
    KafkaError._FENCED,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.INVALID_PRODUCER_ID_MAPPING,
    KafkaError.UNKNOWN_PRODUCER_ID,
    KafkaError.CONCURRENT_TRANSACTIONS,
)

Decision = Callable[[State], tuple[Sequence[Record], _T]]


class SchemaLog:
    """The topic and the state folded from it.

    Args:
        kafka: librdkafka's configuration of a client: servers, trust, login.
        topic: its name; made where it does not exist.
        replication_factor: of the topic, where it is made.
    """

    def __init__(self, kafka: dict[str, Any], topic: str, replication_factor: int = 1) -> None:
        self._kafka = {key: value for key, value in kafka.items() if not key.startswith("message.max")}
        self.topic = topic
        self._replication_factor = replication_factor
        self._state = State()
        self._next = 0
        self._moved = threading.Condition()
        self._at_end = threading.Event()
        self._stop = threading.Event()
        self._failure: str | None = None
        self._pen = threading.Lock()
        self._producer: Producer | None = None
        self._consumer: Consumer | None = None
        self._admin = AdminClient(self._kafka)
        self._thread: threading.Thread | None = None
        self.skipped = 0
        self.pens_taken = 0

    @property
    def state(self) -> State:
        """What has been read so far. Immutable: hold on to it for as long as an answer takes."""
        return self._state

    @property
    def next_offset(self) -> int:
        """The offset up to which the topic has been read."""
        return self._next

    @property
    def failure(self) -> str | None:
        """Why the topic can't be followed any more; None while it can."""
        return self._failure

    @property
    def ready(self) -> bool:
        """Whether the topic was read to its end once and is still followed."""
        return self._at_end.is_set() and self._failure is None and not self._stop.is_set()

    def start(self) -> None:
        """Begin to read, once the topic is there. It is made where it is missing, or waited for where we may not."""
        consumer = Consumer(
            {
                **self._kafka,
                "group.id": f"{_USER}.{self.topic}",  # never joined: the partition is assigned, nothing committed
                "client.id": "hueandcry-registry",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 100,  # an end that follows a transaction's marker is noticed only after that
                "auto.offset.reset": "error",
            }
        )
        self._consumer = consumer
        self._thread = threading.Thread(target=self._follow, args=(consumer,), name="registry-log", daemon=True)
        self._thread.start()

    def wait_ready(self, seconds: float) -> bool:
        """Wait until the topic was read to its end."""
        return self._at_end.wait(seconds) and self.ready

    def close(self) -> None:
        """Stop following; give up the pen."""
        self._stop.set()
        with self._moved:
            self._moved.notify_all()
        if self._thread is not None:
            self._thread.join(10)
        with self._pen:
            self._drop_pen()
        if self._consumer is not None:
            self._consumer.close()

    def catch_up(self, seconds: float = _READ_SECONDS) -> State:
        """The state with all that is committed now. Raises ApiError 50001, 50002."""
        self._check()
        if not self._at_end.is_set():
            raise store_error("the topic is not read to its end yet")
        partition = TopicPartition(self.topic, 0)
        latest: Any = {partition: OffsetSpec.latest()}
        try:  # by the admin client, for on the consumer's connection the question waits behind its long poll
            asked = self._admin.list_offsets(
                latest, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=seconds
            )
            end = asked[partition].result(seconds + 1).offset
        except KafkaException as error:
            raise store_error(_reason(error)) from error
        return self._wait_for(end, seconds)

    def write(self, decide: Decision[_T]) -> _T:
        """Write what `decide` says of the newest state, and return its second part once that was read back.

        `decide` may be called more than once; it must only compute. What it raises is passed on and nothing is written.

        Raises:
            ApiError: 50001, 50002: the topic can't be written now. Nothing of it was written, or, where the connection
                was lost in the moment of the commit, all of it.
        """
        until = time.monotonic() + _WRITE_SECONDS
        with self._pen:
            for turn in range(_TURNS):
                try:
                    producer, state = self._hold_pen()
                    entries, answer = self._decide(decide, state)
                    if entries:
                        self._wait_for(self._commit(producer, entries) + 1, _READ_SECONDS)
                    return answer
                except KafkaException as error:
                    self._drop_pen()
                    cause: KafkaError = error.args[0]
                    if cause.code() == KafkaError.MSG_SIZE_TOO_LARGE:
                        raise ApiError(42209, "The schema is larger than the topic takes") from error
                    again = cause.code() in _TAKEN or cause.retriable() or cause.txn_requires_abort()
                    if not again or time.monotonic() > until:
                        raise store_error(_reason(error)) from error
                    _log.info("the pen of %s was taken: %s", self.topic, cause.name())
                    self._stop.wait(random.uniform(0, 0.02 * 2**turn))  # noqa: S311 (spreads turns, guards nothing)
        raise timed_out("other instances of the registry kept writing")

    def _decide(self, decide: Decision[_T], state: State) -> tuple[Sequence[Record], _T]:
        """What to write is checked by the commit itself; a refusal is only given on the newest state."""
        try:
            return decide(state)
        except ApiError:
            newest = self.catch_up()
            if newest is state:
                raise
            return decide(newest)

    def _hold_pen(self) -> tuple[Producer, State]:
        """The producer, and a state on which its next commit may rest: nobody writes between without taking the pen."""
        if self._producer is None:
            producer = Producer(
                {
                    **self._kafka,
                    "client.id": "hueandcry-registry",
                    "transactional.id": f"{_USER}.{self.topic}",
                    "transaction.timeout.ms": 15_000,
                    "message.max.bytes": LARGEST + 48_000,
                    "linger.ms": 0,
                },
                logger=_quiet,
            )
            self._producer = producer
            producer.init_transactions(_CALL_SECONDS)
            self.pens_taken += 1
            return producer, self.catch_up()
        return self._producer, self._state

    def _drop_pen(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            producer.abort_transaction(_CALL_SECONDS)
        except KafkaException as error:
            _log.debug("nothing to abort in %s: %s", self.topic, error)

    def _commit(self, producer: Producer, entries: Sequence[Record]) -> int:
        """The offset of the last record, once it is committed."""
        offsets: list[int] = []
        refused: list[KafkaError] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                refused.append(error)
            else:
                offsets.append(message.offset() or 0)

        encoded = [records.encode(entry) for entry in entries]
        if any(len(value or b"") > LARGEST for _, value in encoded):
            raise ApiError(42209, f"The schema makes a record of more than {LARGEST} bytes")
        producer.begin_transaction()
        for key, value in encoded:
            producer.produce(self.topic, key=key, value=value, partition=0, on_delivery=delivered)
        try:
            producer.commit_transaction(_CALL_SECONDS)
        except KafkaException as error:
            raise (KafkaException(refused[0]) if refused and not _taken(error) else error) from error
        if len(offsets) != len(encoded):
            raise KafkaException(KafkaError(KafkaError._FAIL, "committed without a report of delivery"))
        return max(offsets)

    def _wait_for(self, end: int, seconds: float) -> State:
        with self._moved:
            reached = self._moved.wait_for(lambda: self._next >= end or self._failure or self._stop.is_set(), seconds)
        self._check()
        if not reached:
            raise timed_out(f"the topic was not read to offset {end}")
        return self._state

    def _check(self) -> None:
        if self._failure is not None:
            raise store_error(self._failure)
        if self._stop.is_set():
            raise store_error("the registry is stopping")

    def _await_topic(self) -> bool:
        """Make the topic, or wait for it; false where we are stopped meanwhile."""
        reason = ""
        while not self._stop.is_set():
            try:
                partitions = _partitions(self._admin, self.topic, self._replication_factor)
                if partitions > 1:
                    raise store_error(f"{self.topic} has {partitions} partitions and must have one")
                if partitions == 1:
                    return True
            except KafkaException as error:
                if _reason(error) != reason:
                    reason = _reason(error)
                    _log.warning("waiting for the topic %s: %s", self.topic, reason)
            self._stop.wait(_RETRY_SECONDS)
        return False

    def _follow(self, consumer: Consumer) -> None:
        try:
            if not self._await_topic():
                return
            consumer.assign([TopicPartition(self.topic, 0, OFFSET_BEGINNING)])
            while not self._stop.is_set():
                first = consumer.poll(0.5)
                if first is not None:
                    self._take([first, *consumer.consume(_BATCH, 0)])
        except Exception as error:
            _log.exception("the topic %s can't be followed any more", self.topic)
            self._failure = str(error)
            with self._moved:
                self._moved.notify_all()

    def _take(self, messages: Sequence[Message]) -> None:
        entries: list[Record] = []
        after, at_end = self._next, False
        for message in messages:
            error = message.error()
            offset = message.offset() or 0
            if error is None:
                after, at_end = offset + 1, False
                try:
                    entries.append(records.decode(message.key(), message.value()))
                except BadRecord as bad:
                    self.skipped += 1
                    _log.warning("offset %d of %s is skipped: %s", offset, self.topic, bad)
            elif error.code() == KafkaError._PARTITION_EOF:
                after, at_end = max(after, offset), True
            elif error.fatal() or error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                raise KafkaException(error)
            else:
                _log.warning("reading %s: %s", self.topic, error)
        state = fold(self._state, entries) if entries else self._state
        with self._moved:
            self._state, self._next = state, after
            self._moved.notify_all()
        if at_end:
            self._at_end.set()


def _partitions(admin: AdminClient, topic: str, replication_factor: int) -> int:
    """How many partitions the topic has; 0 where it was made this moment."""
    known = admin.list_topics(topic, timeout=_CALL_SECONDS).topics.get(topic)
    if known is not None and known.error is None:
        return len(known.partitions)
    config = {"cleanup.policy": "compact"}
    wanted = NewTopic(topic, num_partitions=1, replication_factor=replication_factor, config=config)
    try:
        admin.create_topics([wanted])[topic].result(timeout=15)
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
    return 0


def _taken(error: KafkaException) -> bool:
    return error.args[0].code() in _TAKEN


def _reason(error: KafkaException) -> str:
    cause: KafkaError = error.args[0]
    return f"{cause.name()}: {cause.str()}"
