"""Records of the log by their place, read back from Kafka: the tree has only their hashes."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from hueandcry.errors import LaneError
from hueandcry.ledger.records import TOPIC
from hueandcry.ledger.tree import Tree, opened

_SECONDS = 10.0
_TAKE_SECONDS = 0.1


class Lookup:
    """Reads single records; for a question now and then. May be used from any thread.

    Args:
        config: librdkafka's settings of a consumer with a group.id; it joins no group.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._consumer = Consumer(
            {**config, "isolation.level": "read_committed", "enable.auto.commit": False, "fetch.wait.max.ms": 20}
        )
        self._lock = threading.Lock()

    def body(self, tree: Tree, index: int) -> tuple[str, bytes]:
        """Fingerprint of the schema and Avro body of the record at `index`.

        Raises:
            LaneError: Kafka does not answer in time, or what is there is not what was there.
        """
        place = tree.batch_of(index)
        if place is None:
            raise LaneError(f"the ledger has no record {index}")
        offset, first = place
        with self._lock:
            fingerprint, bodies = opened(self._value(offset))
        if not 0 <= index - first < len(bodies):
            raise LaneError(f"record {index} of the ledger is not where it was")
        return fingerprint, bodies[index - first]

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()

    def _value(self, offset: int) -> bytes | None:
        ends = time.monotonic() + _SECONDS
        try:
            self._consumer.assign([TopicPartition(TOPIC, 0, offset)])
            while time.monotonic() < ends:
                for message in self._consumer.consume(1, _TAKE_SECONDS):
                    if message.error() is None:
                        if message.offset() != offset:
                            raise LaneError(f"the ledger has nothing at offset {offset} any more")
                        return message.value()
        except KafkaException as error:
            raise LaneError(f"Kafka does not answer: {error.args[0].str()}") from error
        finally:
            self._consumer.unassign()
        raise LaneError("the ledger can't be read in time")
