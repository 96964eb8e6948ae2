"""What librdkafka's consumer hands out: messages, ends of partitions, and news of who else is there."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from confluent_kafka import KafkaError, Message

from hueandcry.errors import Fenced
from hueandcry.lanes.batch import Incoming
from hueandcry.lanes.ticks import Ticker

log = logging.getLogger(__name__)

#: A consumer that is fenced is told so once, by a message with the code _FATAL whose `fatal()` is false.
_FENCED = (KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID)


def taken(lane: str, messages: Iterable[Message], ticker: Ticker | None) -> list[Incoming]:
    """The messages among what was consumed, each taken out of librdkafka once; the ticker is told the rest.

    Raises:
        Fenced: another process has the identity of this one.
    """
    found: list[Incoming] = []
    for message in messages:
        error = message.error()
        topic, partition = message.topic() or "", message.partition() or 0
        if error is None:
            if ticker is not None:
                ticker.came((topic, partition))
            offset = message.offset()
            assert offset is not None  # noqa: S101 - of a message that was consumed
            found.append(
                Incoming(
                    topic,
                    partition,
                    offset,
                    message.key(),  # pyright: ignore[reportArgumentType] - bytes, without a deserializer
                    message.value(),
                    message.headers() or (),  # pyright: ignore[reportArgumentType]
                    message.timestamp()[1],
                )
            )
        elif error.code() == KafkaError._PARTITION_EOF:
            if ticker is not None:
                ticker.at_end((topic, partition))
        elif error.fatal() or error.code() in _FENCED:
            raise Fenced(
                f"another process has taken over: {error.str()}",
                hint="give each process of a stage its own HUEANDCRY_INSTANCE",
            )
        else:
            log.warning("lane %s: %s", lane, error.str())
    return found
