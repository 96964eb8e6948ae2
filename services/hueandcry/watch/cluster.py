"""What can be seen of the cluster by one who may describe it, and read nothing of what is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # pyright: ignore[reportPrivateImportUsage]

_ASK_S = 20.0
#: Groups asked for at once.
_GROUPS_AT_ONCE = 200

Partition = tuple[str, int]


@dataclass
class Seen:
    """One look.

    Attributes:
        brokers: host and port by id.
        ends, begins: next offset and first offset of each partition.
        newest: when the newest record of each partition of the topics that were asked for came, epoch seconds.
        places: of each group, the next offset to read by partition.
        offline, under_replicated: partitions without a leader, and with fewer replicas in sync than they have.
    """

    brokers: dict[int, tuple[str, int]] = field(default_factory=dict)
    ends: dict[Partition, int] = field(default_factory=dict)
    begins: dict[Partition, int] = field(default_factory=dict)
    newest: dict[Partition, float] = field(default_factory=dict)
    places: dict[str, dict[Partition, int]] = field(default_factory=dict)
    offline: int = 0
    under_replicated: int = 0


def look(admin: AdminClient, dated: Iterable[str], sized: Iterable[str]) -> Seen:
    """Look once.

    Args:
        dated: beginnings of the names of topics whose newest records are of interest.
        sized: beginnings of the names of topics whose first offsets are.

    Raises:
        KafkaException: Kafka refuses, or does not answer.
    """
    seen = Seen()
    whole = admin.list_topics(timeout=_ASK_S)
    seen.brokers = {number: (str(broker.host), broker.port) for number, broker in whole.brokers.items()}
    partitions: list[Partition] = []
    for name, topic in whole.topics.items():
        for number, partition in topic.partitions.items():
            if partition.leader < 0:
                seen.offline += 1
                continue
            seen.under_replicated += len(partition.isrs) < len(partition.replicas)
            partitions.append((name, number))
    seen.ends = _offsets(admin, partitions, OffsetSpec.latest())
    seen.begins = _offsets(admin, _of(partitions, sized), OffsetSpec.earliest())
    of_newest = admin.list_offsets(_asked(_of(partitions, dated), OffsetSpec.max_timestamp()), request_timeout=_ASK_S)
    for where, answer in _answers(of_newest):
        if answer.timestamp > 0:
            seen.newest[where] = answer.timestamp / 1000
    seen.places = _places(admin)
    return seen


def _of(partitions: Iterable[Partition], beginnings: Iterable[str]) -> list[Partition]:
    start = tuple(beginnings)
    return [each for each in partitions if each[0].startswith(start)]


def _asked(partitions: Iterable[Partition], which: Any) -> dict[TopicPartition, Any]:
    return {TopicPartition(*each): which for each in partitions}


def _offsets(admin: AdminClient, partitions: list[Partition], which: Any) -> dict[Partition, int]:
    if not partitions:
        return {}
    found = admin.list_offsets(_asked(partitions, which), request_timeout=_ASK_S)
    return {where: answer.offset for where, answer in _answers(found)}


def _answers(asked: Mapping[TopicPartition, Future[Any]]) -> Iterable[tuple[Partition, Any]]:
    """What was answered; a partition that is just being made or taken away has no answer."""
    for where, answer in asked.items():
        try:
            yield (where.topic, where.partition), answer.result(_ASK_S)
        except KafkaException:
            continue


def _places(admin: AdminClient) -> dict[str, dict[Partition, int]]:
    listed = admin.list_consumer_groups(request_timeout=_ASK_S).result(_ASK_S)
    groups = [group.group_id for group in listed.valid]
    found: dict[str, dict[Partition, int]] = {}
    for start in range(0, len(groups), _GROUPS_AT_ONCE):
        # librdkafka takes one group a call.
        asked: dict[str, Future[Any]] = {}
        for group in groups[start : start + _GROUPS_AT_ONCE]:
            asked |= admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=_ASK_S)
        for group, answer in asked.items():
            try:
                listed_places = answer.result(_ASK_S).topic_partitions
            except KafkaException:
                continue
            found[group] = {(each.topic, each.partition): each.offset for each in listed_places if each.offset >= 0}
    return found
