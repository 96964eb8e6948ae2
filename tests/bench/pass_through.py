"""The yardstick: a bare transactional librdkafka loop from topics to a topic, in batches as a lane's."""

from __future__ import annotations

import json
import sys

from confluent_kafka import Consumer, Producer, TopicPartition


def main() -> None:
    given = json.loads(sys.argv[1])
    client, count = given["client"], given["count"]
    consumer = Consumer(
        {
            **client,
            "group.id": given["group"],
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 20,
        }
    )
    producer = Producer(
        {
            **client,
            "transactional.id": given["group"],
            "compression.type": "lz4",
            "linger.ms": 5,
            "queue.buffering.max.messages": 500_000,
        }
    )
    producer.init_transactions(30)
    consumer.subscribe(given["topics"])
    seen = 0
    while seen < count:
        messages = [message for message in consumer.consume(given["batch"], 0.2) if message.error() is None]
        if not messages:
            continue
        producer.begin_transaction()
        ends: dict[tuple[str, int], int] = {}
        for message in messages:
            producer.produce(given["output"], message.value(), message.key(), headers=message.headers())
            ends[message.topic(), message.partition()] = message.offset() + 1  # type: ignore[index,operator]
        offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in ends.items()]
        producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata())
        producer.commit_transaction()
        seen += len(messages)
        print(seen, flush=True)
    consumer.close()


if __name__ == "__main__":
    main()
