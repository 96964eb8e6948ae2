"""Reading topics: with a consumer group that keeps its place, or alone without leaving a trace."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from time import monotonic
from typing import Self

from confluent_kafka import (
    OFFSET_BEGINNING,
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from hueandcry.errors import HueAndCryError
from hueandcry.sdk.profile import Profile
from hueandcry.sdk.times import Start
from hueandcry.wire.kafka import consumer_config

_log = logging.getLogger("hueandcry.kafka")

#: Messages taken from librdkafka at once.
TAKE = 100
#: Seconds for one question to the broker.
PATIENCE = 15.0

_Partition = tuple[str, int]
_TIMED = (TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME)
_PASSING = (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT)
_HOPELESS = {
    KafkaError._AUTHENTICATION: "Look at user and password in auth.toml",
    KafkaError.SASL_AUTHENTICATION_FAILED: "Look at user and password in auth.toml",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "An agency reads its own inbox, receipts and notices only",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "Groups of an agency begin with its id and a full stop",
    KafkaError.UNKNOWN_TOPIC_OR_PART: "The network has not been applied to this cluster: hueandcry network apply",
    KafkaError._UNKNOWN_TOPIC: "The network has not been applied to this cluster: hueandcry network apply",
    KafkaError._SSL: "Look at ca in config.toml",
}


class Reader:
    """Messages of some topics, only those whose transaction was committed.

    Args:
        profile: who reads, and where.
        topics: what.
        group: consumer group that shares the partitions and keeps its place; None reads them all, alone, and commits
            nothing.
        start: where a group without a place, or with `start` given, begins; None goes on where the group was, from the
            beginning where it has never been.

    Raises:
        HueAndCryError: the broker refuses, or does not answer.
    """

    def __init__(
        self, profile: Profile, topics: Sequence[str], *, group: str | None = None, start: Start | None = None
    ) -> None:
        self._start: Start | None = start
        self._group = group
        self._taken: deque[Message] = deque()
        self._places: dict[_Partition, int] = {}
        self._started: set[_Partition] = set()
        self._assigned: set[_Partition] = set()
        self._ended: set[_Partition] = set()
        self._trouble: HueAndCryError | None = None
        who = profile.agency or "operator"
        config = consumer_config(
            profile.settings,
            group or f"{who}.reader",
            client_id=f"{who}-sdk",
            enable_partition_eof=True,
            error_cb=self._note_trouble,
        )
        try:
            self._consumer = Consumer(config, logger=_log)
        except KafkaException as error:
            raise HueAndCryError(f"the profile in {profile.folder} can't be used: {error.args[0].str()}") from None
        self._open = True
        try:
            if group is None:
                self._assign_all(topics)
            else:
                self._consumer.subscribe(list(topics), on_assign=self._on_assign, on_revoke=self._on_revoke)
        except BaseException:
            self.close()
            raise

    def take(self, timeout: float, *, until_end: bool = False) -> Message | None:
        """The next message; None where none came within `timeout` seconds.

        Args:
            timeout: seconds.
            until_end: None too where every partition has been read to its end.

        Raises:
            HueAndCryError: the broker refuses.
        """
        ends = monotonic() + timeout
        while not self._taken:
            if until_end and self.at_end:
                return None
            left = ends - monotonic()
            self._fill(max(0.0, min(left, 1.0)))
            if left <= 0 and not self._taken:
                return None
        message = self._taken.popleft()
        self._places[_partition(message)] = (message.offset() or 0) + 1
        return message

    @property
    def at_end(self) -> bool:
        """Whether every partition had been read to its end when it was last looked at."""
        return not self._taken and bool(self._assigned) and self._assigned <= self._ended

    def commit(self) -> None:
        """Keep the place after the last message taken, for the group.

        Raises:
            HueAndCryError: there is no group, or Kafka refuses.
        """
        if self._group is None:
            raise HueAndCryError("this reader has no group to keep its place for", hint="Open it with a name")
        if not self._places:
            return
        offsets = [TopicPartition(*partition, place) for partition, place in self._places.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            raise _explained(error.args[0]) from error
        self._places.clear()

    def length(self) -> int:
        """How many offsets lie between the beginning and the end of what is read, now."""
        bounds = [
            self._consumer.get_watermark_offsets(TopicPartition(*partition), timeout=PATIENCE, cached=False)
            for partition in self._assigned
        ]
        return sum(high - low for low, high in bounds)

    def close(self) -> None:
        """Leave the group. Harmless a second time."""
        if self._open:
            self._open = False
            self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fill(self, timeout: float) -> None:
        # consume() alone would wait for a full batch; so wait for one message, then take what else has come.
        first = self._consumer.poll(timeout)
        messages = [] if first is None else [first, *self._consumer.consume(TAKE - 1, 0)]
        refusal: KafkaError | None = None
        for message in messages:
            error = message.error()
            if error is None:
                self._ended.discard(_partition(message))
                self._taken.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._ended.add(_partition(message))
            elif error.code() not in _PASSING and not error.retriable():
                refusal = error
        if refusal is not None:
            raise _explained(refusal)
        if not messages and self._trouble is not None:
            trouble, self._trouble = self._trouble, None
            raise trouble

    def _assign_all(self, topics: Sequence[str]) -> None:
        partitions: list[TopicPartition] = []
        for topic in topics:
            try:
                metadata = self._consumer.list_topics(topic, timeout=PATIENCE).topics[topic]
            except KafkaException as error:
                self._consumer.poll(0)  # serves the callback that knows more
                raise self._trouble or _explained(error.args[0]) from error
            if metadata.error is not None:
                raise _explained(metadata.error)
            partitions += [TopicPartition(topic, partition) for partition in metadata.partitions]
        self._assigned = {(each.topic, each.partition) for each in partitions}
        self._consumer.assign(self._placed(partitions, "beginning" if self._start is None else self._start))

    def _placed(self, partitions: Iterable[TopicPartition], start: Start) -> list[TopicPartition]:
        """Partitions with the offset that `start` means."""
        wanted = list(partitions)
        if isinstance(start, datetime):
            at = max(0, int(start.timestamp() * 1000))
            asked = [TopicPartition(each.topic, each.partition, at) for each in wanted]
            return self._consumer.offsets_for_times(asked, timeout=PATIENCE)
        if start == "beginning":
            return [TopicPartition(each.topic, each.partition, OFFSET_BEGINNING) for each in wanted]
        # The end is asked for now, so that nothing written after this call is missed.
        ends = [self._consumer.get_watermark_offsets(each, timeout=PATIENCE, cached=False)[1] for each in wanted]
        return [TopicPartition(each.topic, each.partition, end) for each, end in zip(wanted, ends, strict=True)]

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._assigned = {(each.topic, each.partition) for each in partitions}
        self._ended.clear()
        if self._start is None:
            return
        # Only the first time that a partition comes here: after a rebalance the group's own place counts.
        new = [each for each in partitions if (each.topic, each.partition) not in self._started]
        if not new:
            return
        self._started.update((each.topic, each.partition) for each in new)
        placed = self._placed(new, self._start)
        consumer.assign(placed + [each for each in partitions if each not in new])

    def _on_revoke(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {(each.topic, each.partition) for each in partitions}
        self._assigned -= gone
        self._ended -= gone
        self._places = {partition: place for partition, place in self._places.items() if partition not in gone}
        self._taken = deque(message for message in self._taken if _partition(message) not in gone)

    def _note_trouble(self, error: KafkaError) -> None:
        _log.warning("%s", error.str())
        if error.code() in _HOPELESS:
            self._trouble = _explained(error)


def topics_like(profile: Profile, prefix: str) -> list[str]:
    """Names of the topics that begin with `prefix` and that this profile may see.

    Raises:
        HueAndCryError: the broker refuses, or does not answer.
    """
    consumer = Consumer(consumer_config(profile.settings, "operator.reader"), logger=_log)
    try:
        return sorted(name for name in consumer.list_topics(timeout=PATIENCE).topics if name.startswith(prefix))
    except KafkaException as error:
        raise _explained(error.args[0]) from error
    finally:
        consumer.close()


def timestamp(message: Message) -> int:
    """When a message was written, epoch milliseconds; 0 where Kafka does not say."""
    kind, milliseconds = message.timestamp()
    return milliseconds if kind in _TIMED else 0


def _partition(message: Message) -> _Partition:
    return message.topic() or "", message.partition() or 0


def _explained(error: KafkaError) -> HueAndCryError:
    return HueAndCryError(f"Kafka: {error.str()}", hint=_HOPELESS.get(error.code(), ""))
