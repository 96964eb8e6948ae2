"""Counting what lies in topics, and reading how far groups are and what lanes have tallied."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from hueandcry.errors import HueAndCryError

#: Records at the end of a changelog's partition among which its tally is looked for first. Each batch writes it anew.
_TAIL = 2_000
_ASK_S = 10.0

Partition = tuple[str, int]


class Held(NamedTuple):
    """Records of a partition: before a place, from it on, and the lowest offset that is left."""

    before: int
    after: int
    low: int


def waiting(
    config: Mapping[str, Any], group: str, topics: Iterable[str], *, timeout: float
) -> tuple[dict[str, int], bool]:
    """How many messages of each topic a group has not read yet.

    Returns:
        By topic; and whether they were counted. Where there was no time for it, the numbers are offsets, which also
        count the markers of transactions.

    Raises:
        KafkaException: Kafka refuses, or does not answer.
    """
    with Counting(config, time.monotonic() + timeout) as counting:
        return counting.behind(sorted(topics), committed(counting.admin, group))


def committed(admin: AdminClient, group: str) -> dict[Partition, int]:
    """Next offset to read of a group, by partition; what no transaction may still take back.

    Raises:
        KafkaException: Kafka refuses, or does not answer.
    """
    asked = admin.list_consumer_group_offsets(
        [ConsumerGroupTopicPartitions(group)], require_stable=True, request_timeout=_ASK_S
    )
    answer = asked[group].result(_ASK_S)
    return {(each.topic, each.partition): each.offset for each in answer.topic_partitions if each.offset >= 0}


@dataclass
class Counting:
    """Reads groups' places, tallies and numbers of records, as one user, until `ends` (monotonic seconds)."""

    config: Mapping[str, Any]
    ends: float
    admin: AdminClient = field(init=False)
    _consumer: Consumer = field(init=False)

    def __enter__(self) -> Counting:
        self.admin = AdminClient({"log_level": 0, **self.config})
        self._consumer = Consumer(
            {
                "log_level": 0,
                "group.id": f"{self.config.get('sasl.username') or 'operator'}.doctor",
                **self.config,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
                "check.crcs": False,
            }
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def _partitions(self, topic: str) -> list[int]:
        found = self._consumer.list_topics(topic, timeout=_ASK_S).topics[topic]
        if found.error is not None:
            raise HueAndCryError(f"topic {topic}: {found.error.str()}", hint="Run `hueandcry network apply`")
        return sorted(found.partitions)

    def _bounds(self, topic: str, partition: int) -> tuple[int, int]:
        return self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ASK_S, cached=False)

    def tallies(self, changelog: str, keys: set[bytes]) -> dict[tuple[bytes, int], dict[str, int]]:
        """The last value of each key in each partition of a changelog; looks at the ends first, at all if need be."""
        found: dict[tuple[bytes, int], dict[str, int]] = {}
        missing = dict.fromkeys(self._partitions(changelog), keys)
        window = _TAIL

        def note(message: Message) -> None:
            key, value = message.key(), message.value()
            if isinstance(key, bytes) and key in keys and value is not None:
                found[key, message.partition() or 0] = json.loads(value)

        while missing:
            starts: dict[Partition, int] = {}
            whole: set[int] = set()
            for partition in missing:
                low, high = self._bounds(changelog, partition)
                starts[changelog, partition] = max(low, high - window)
                if high - window <= low:
                    whole.add(partition)
            if not self._read(starts, note):
                raise HueAndCryError(f"the tallies in {changelog} could not be read in time")
            missing = {
                partition: keys
                for partition in missing
                if partition not in whole and any((key, partition) not in found for key in keys)
            }
            window *= 20
        return found

    def records(self, topics: list[str], places: Mapping[Partition, int]) -> tuple[dict[Partition, Held], bool]:
        """What lies in each partition of these topics, before and from these places on; whether all was counted."""
        starts = {(topic, each): self._bounds(topic, each)[0] for topic in topics for each in self._partitions(topic)}
        before: Counter[Partition] = Counter()
        after: Counter[Partition] = Counter()

        def note(message: Message) -> None:
            where = (message.topic() or "", message.partition() or 0)
            (before if (message.offset() or 0) < places.get(where, 0) else after)[where] += 1

        counted = self._read(starts, note)
        return {where: Held(before[where], after[where], low) for where, low in starts.items()}, counted

    def behind(
        self, topics: list[str], places: Mapping[Partition, int], header: tuple[str, bytes] | None = None
    ) -> tuple[dict[str, int], bool]:
        """Records from these places on, by topic; whether they were counted, or are offsets.

        With `header`, only records that have it are counted.
        """
        bounds = {(topic, each): self._bounds(topic, each) for topic in topics for each in self._partitions(topic)}
        starts = {where: max(low, places.get(where, 0)) for where, (low, _) in bounds.items()}
        counts = dict.fromkeys(topics, 0)

        def note(message: Message) -> None:
            if header is None or header in (message.headers() or ()):
                counts[message.topic() or ""] += 1

        if self._read({where: at for where, at in starts.items() if at < bounds[where][1]}, note):
            return counts, True
        offsets = dict.fromkeys(topics, 0)
        for where, (_, high) in bounds.items():
            offsets[where[0]] += max(0, high - starts[where])
        return offsets, False

    def _read(self, starts: Mapping[Partition, int], note: Callable[[Message], None]) -> bool:
        """Give `note` all records from `starts` to the ends as they are; whether that was done in time."""
        left = set(starts)
        if not left:
            return True
        with self._assigned(starts):
            while left and time.monotonic() < self.ends:
                for message in self._consumer.consume(2_000, 0.1):
                    error = message.error()
                    if error is None:
                        note(message)
                    elif error.code() == KafkaError._PARTITION_EOF:
                        left.discard((message.topic() or "", message.partition() or 0))
                    elif not error.retriable() and error.code() not in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT):
                        raise KafkaException(error)
        return not left

    @contextmanager
    def _assigned(self, starts: Mapping[Partition, int]) -> Iterator[None]:
        self._consumer.assign([TopicPartition(*where, offset) for where, offset in starts.items()])
        try:
            yield
        finally:
            self._consumer.unassign()
