"""What a webhook has not taken: where it lies, not what it is. The message stays in the agency's topic."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, TopicPartition

from hueandcry.gateway.press import Press, Sheet

TOPIC = "dead-letters"
#: Most that are told, the newest.
MOST = 1_000
_SECONDS = 20.0


class DeadLetter(NamedTuple):
    """One message that a webhook has not taken.

    Attributes:
        message_id: as in `webhook-id`.
        partition, offset: in the topic that the webhook is fed from.
        why: refused, away or blocked.
        at_ms: when it was given up.
    """

    agency: str
    webhook: str
    message_id: str
    alert_id: str
    partition: int
    offset: int
    why: str
    attempts: int
    at_ms: int


async def put_aside(press: Press, letter: DeadLetter) -> None:
    """Note a message, and wait until Kafka has the note. Raises as `Press.put`."""
    await press.put([Sheet(TOPIC, _key(letter.agency, letter.webhook), json.dumps(letter._asdict()).encode())])


def read_all(config: Mapping[str, Any], agency: str, webhook: str) -> list[DeadLetter]:
    """The newest of one webhook, oldest first. Waits for Kafka.

    Raises:
        KafkaException: it does not answer.
        TimeoutError: it could not be read in time.
    """
    consumer = Consumer({**config, "enable.partition.eof": True, "log_level": 0})
    key, end = _key(agency, webhook), time.monotonic() + _SECONDS
    found: list[DeadLetter] = []
    try:
        left = set(consumer.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions)
        consumer.assign([TopicPartition(TOPIC, number, 0) for number in left])
        while left:
            if time.monotonic() > end:
                raise TimeoutError(TOPIC)
            for message in consumer.consume(500, 0.2):
                error = message.error()
                if error is not None:
                    if error.code() == KafkaError._PARTITION_EOF:
                        left.discard(message.partition() or 0)
                elif message.key() == key:
                    found.append(DeadLetter(**json.loads(message.value() or b"")))
                    del found[:-MOST]
    finally:
        consumer.close()
    return found


def _key(agency: str, webhook: str) -> bytes:
    return f"{agency}/{webhook}".encode()
