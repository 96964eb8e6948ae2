"""The balance: what came into the alerts topics against what became of it.

Every message ends in exactly one of delivered, merged, nobody_entitled and refused. The processors count what they read
and what became of it in the same transaction in which they do it (`lanes.tally`). These counts must fit each other, and
what lies in the topics:

    in the alerts topics = read by admit + waiting
    read by admit        = admitted + refused
    admitted             = read by distribute + waiting
    read by distribute   = delivered + merged + nobody_entitled + refused

Records are counted by reading them: Kafka's offsets also number the markers of transactions.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from hueandcry.errors import HueAndCryError

#: Groups of the lanes, the changelogs that hold their tallies, and the topic between them.
ADMIT_GROUP, DISTRIBUTE_GROUP = "hc-admit.lane", "hc-distribute.lane"
ADMIT_CHANGELOG, REGISTER, ADMITTED = "admit-changelog", "register", "admitted"
OUTCOMES = ("delivered", "merged", "nobody_entitled", "refused")

_TALLY = b"t"
#: Records at the end of a changelog's partition among which its tally is looked for first. Each batch writes it anew.
_TAIL = 2_000
_ASK_S = 10.0
_TRIES = 4
_PAUSE_S = 0.5

Partition = tuple[str, int]


@dataclass(frozen=True)
class Inflow:
    """One partition of an alerts topic.

    Attributes:
        before: records before the offset that admit has committed.
        waiting: records from there on.
        read: how many admit says it has read.
        dropped: offsets below the first record; retention has taken what was there.
    """

    before: int
    waiting: int
    read: int
    dropped: int

    @property
    def fits(self) -> bool:
        """Whether what admit says can be true. Of what retention has taken, only the upper bound is known."""
        return 0 <= self.read - self.before <= self.dropped


@dataclass(frozen=True)
class Balance:
    """What came in and what became of it.

    Attributes:
        inflow: by topic and partition.
        admit: admit's tally: read, admitted, refused.
        distribute: distribute's tally: read and the outcomes.
        waiting_distribute: admitted alerts that distribute has not read yet.
        moving: work went on while it was looked at, so that the numbers may be of different moments.
        counted: whether all records could be counted in time.
    """

    inflow: Mapping[Partition, Inflow]
    admit: Mapping[str, int]
    distribute: Mapping[str, int]
    waiting_distribute: int
    moving: bool = False
    counted: bool = True

    @property
    def came_in(self) -> int:
        """Messages that came in: those that admit has read and those that wait for it."""
        return self.admit.get("read", 0) + self.waiting_admit

    @property
    def waiting_admit(self) -> int:
        """Messages that admit has not read yet."""
        return sum(each.waiting for each in self.inflow.values())

    @property
    def waiting(self) -> int:
        """Messages under way, before either stage."""
        return self.waiting_admit + self.waiting_distribute

    @property
    def outcomes(self) -> dict[str, int]:
        """How many messages ended in each way, over both stages."""
        found = {name: self.distribute.get(name, 0) for name in OUTCOMES}
        found["refused"] += self.admit.get("refused", 0)
        return found

    @property
    def accounted(self) -> int:
        """Messages that have an outcome."""
        return sum(self.outcomes.values())

    @property
    def faults(self) -> list[str]:
        """What does not fit; empty where everything is accounted for."""
        found = [
            f"{topic}[{partition}]: {each.before} messages were before admit's place, it has counted {each.read}"
            for (topic, partition), each in sorted(self.inflow.items())
            if self.counted and not each.fits
        ]
        read, admitted, refused = (self.admit.get(name, 0) for name in ("read", "admitted", "refused"))
        if read != admitted + refused:
            found.append(f"admit has read {read}, admitted {admitted} and refused {refused}")
        taken = self.distribute.get("read", 0)
        if admitted != taken + self.waiting_distribute:
            found.append(f"admit has admitted {admitted}, distribute read {taken}, and {self.waiting_distribute} wait")
        ended = sum(self.distribute.get(name, 0) for name in OUTCOMES)
        if taken != ended:
            found.append(f"distribute has read {taken}, and {ended} have an outcome")
        return found

    @property
    def sentence(self) -> str:
        """The balance in one line."""
        outcomes = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in self.outcomes.items())
        under_way = f", {self.waiting:,} under way" if self.waiting else ""
        return f"{self.came_in:,} in, {self.accounted:,} accounted for: {outcomes}{under_way}"

    def to_json(self) -> dict[str, Any]:
        """Values that JSON has."""
        regions: Counter[str] = Counter()
        for (topic, _), each in self.inflow.items():
            regions[topic.removeprefix("alerts.")] += each.before + each.waiting
        return {
            "in": self.came_in,
            "accounted": self.accounted,
            "outcomes": self.outcomes,
            "admit": dict(self.admit),
            "distribute": dict(self.distribute),
            "waiting": {"admit": self.waiting_admit, "distribute": self.waiting_distribute},
            "present_by_region": dict(sorted(regions.items())),
            "moving": self.moving,
            "counted": self.counted,
            "faults": self.faults,
        }


def balance(config: Mapping[str, Any], regions: Iterable[str], *, timeout: float = 20.0) -> Balance:
    """Take the balance of a cluster.

    Where work goes on meanwhile it is taken again, a few times, until the numbers are of one moment.

    Args:
        config: librdkafka's configuration of a user who may read the alerts topics and the changelogs.
        regions: ids of the regions.
        timeout: seconds after which counting ends; `counted` is False then.

    Raises:
        HueAndCryError: Kafka refuses, or does not answer.
    """
    ends = time.monotonic() + timeout
    topics = sorted(f"alerts.{region}" for region in regions)
    try:
        with _Counting(config, ends) as counting:
            found = counting.take(topics)
            for _ in range(_TRIES - 1):
                if not found.faults or time.monotonic() + _PAUSE_S > ends:
                    break
                time.sleep(_PAUSE_S)
                found = counting.take(topics)
            return found
    except KafkaException as error:
        raise HueAndCryError(f"the balance can't be taken: {error.args[0].str()}") from error


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
    with _Counting(config, time.monotonic() + timeout) as counting:
        return counting.waiting(group, sorted(topics))


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
class _Counting:
    config: Mapping[str, Any]
    ends: float
    _admin: AdminClient = field(init=False)
    _consumer: Consumer = field(init=False)

    def __enter__(self) -> _Counting:
        self._admin = AdminClient({"log_level": 0, **self.config})
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

    def take(self, topics: list[str]) -> Balance:
        """The balance as of about now."""
        places = self._places()
        admit = self._tallies(ADMIT_CHANGELOG, {_TALLY + topic.encode() for topic in topics})
        distribute = self._tallies(REGISTER, {_TALLY + ADMITTED.encode()})
        now = self._places()
        inflow, counted = self._inflow(topics, now, admit)
        behind, all_behind = self._behind([ADMITTED], now)
        return Balance(
            inflow=inflow,
            admit=_sum(admit.values()),
            distribute=_sum(distribute.values()),
            waiting_distribute=behind[ADMITTED],
            moving=places != now,
            counted=counted and all_behind,
        )

    def _places(self) -> dict[Partition, int]:
        return committed(self._admin, ADMIT_GROUP) | committed(self._admin, DISTRIBUTE_GROUP)

    def _partitions(self, topic: str) -> list[int]:
        found = self._consumer.list_topics(topic, timeout=_ASK_S).topics[topic]
        if found.error is not None:
            raise HueAndCryError(f"topic {topic}: {found.error.str()}", hint="Run `hueandcry network apply`")
        return sorted(found.partitions)

    def _bounds(self, topic: str, partition: int) -> tuple[int, int]:
        return self._consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ASK_S, cached=False)

    def _tallies(self, changelog: str, keys: set[bytes]) -> dict[tuple[bytes, int], dict[str, int]]:
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

    def _inflow(
        self, topics: list[str], places: Mapping[Partition, int], tallies: Mapping[tuple[bytes, int], Mapping[str, int]]
    ) -> tuple[dict[Partition, Inflow], bool]:
        starts = {(topic, each): self._bounds(topic, each)[0] for topic in topics for each in self._partitions(topic)}
        before: Counter[Partition] = Counter()
        waiting: Counter[Partition] = Counter()

        def note(message: Message) -> None:
            where = (message.topic() or "", message.partition() or 0)
            (before if (message.offset() or 0) < places.get(where, 0) else waiting)[where] += 1

        counted = self._read(starts, note)
        inflow = {
            where: Inflow(
                before=before[where],
                waiting=waiting[where],
                read=tallies.get((_TALLY + where[0].encode(), where[1]), {}).get("read", 0),
                dropped=low,
            )
            for where, low in starts.items()
        }
        return inflow, counted

    def waiting(self, group: str, topics: list[str]) -> tuple[dict[str, int], bool]:
        """As `waiting` of this module."""
        return self._behind(topics, committed(self._admin, group))

    def _behind(self, topics: list[str], places: Mapping[Partition, int]) -> tuple[dict[str, int], bool]:
        bounds = {(topic, each): self._bounds(topic, each) for topic in topics for each in self._partitions(topic)}
        starts = {where: max(low, places.get(where, 0)) for where, (low, _) in bounds.items()}
        counts = dict.fromkeys(topics, 0)

        def note(message: Message) -> None:
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


def _sum(tallies: Iterable[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update(tally)
    return total
