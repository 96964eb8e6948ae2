"""Who has searched, when, why, and what was shown: Directive (EU) 2016/680 art. 25 asks for it.

No answer leaves before Kafka has acknowledged its record, and what the ledger says of it. What was searched for is
not in it but as HMACs of the keys, with which the operator can say whether a given plate was searched for, and nobody
else can.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from hueandcry.errors import HueAndCryError
from hueandcry.ledger.records import PLATFORM, Act, batches, seal
from hueandcry.ledger.records import TOPIC as LEDGER
from hueandcry.wire.codec import SchemaIds, encode
from hueandcry.wire.framing import frame

TOPIC = "consultations"
_POLL_SECONDS = 0.1


class Place(NamedTuple):
    """Where a record lies in the topic."""

    partition: int
    offset: int


class NotLogged(HueAndCryError):
    """A consultation could not be logged, so it may not be answered."""


class Consultations:
    """Writes to the topic.

    Args:
        config: librdkafka's settings of a producer that waits for all replicas.
        schemas: the registry's ids.
    """

    def __init__(self, config: Mapping[str, Any], schemas: SchemaIds) -> None:
        self._producer = Producer({**config, "linger.ms": 0, "delivery.timeout.ms": 5_000, "acks": "all"})
        self._schema_id = schemas.id_of("hueandcry.Consultation")
        self._ledger_id = schemas.id_of("hueandcry.LedgerBatch")
        self._over = threading.Event()
        # Acknowledgements are waited for in a thread, so that none lies about until somebody polls.
        self._poller = threading.Thread(target=self._poll, name="consultations", daemon=True)
        self._poller.start()

    async def log(self, record: Mapping[str, Any], state: str) -> Place:
        """Write a hueandcry.Consultation and its record in the ledger, and wait until Kafka has both; where it lies.

        Args:
            state: of the agency.

        Raises:
            NotLogged: Kafka has not acknowledged it in time.
        """
        body = encode("hueandcry.Consultation", record)
        value = frame(self._schema_id, body)
        (asked,) = batches([_asked(record, body, state)], self._ledger_id)
        place, _ = await self._written((TOPIC, value, record["agency"].encode()), (LEDGER, asked, None))
        return place

    async def show(self, record: Mapping[str, Any], state: str) -> None:
        """Write into the ledger what will be shown, and wait until Kafka has it.

        Args:
            record: the hueandcry.Consultation.
            state: of the agency.

        Raises:
            NotLogged: Kafka has not acknowledged it in time.
        """
        values = batches(_shown(record, state), self._ledger_id)
        await self._written(*((LEDGER, value, None) for value in values))

    async def _written(self, *records: tuple[str, bytes, bytes | None]) -> list[Place]:
        """Topic, value and key of each: where they lie, when Kafka has all of them."""
        return await asyncio.gather(*[self._produced(*each) for each in records])

    def _produced(self, topic: str, value: bytes, key: bytes | None) -> asyncio.Future[Place]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Place] = loop.create_future()

        def told(error: KafkaError | None, message: Message) -> None:
            loop.call_soon_threadsafe(_settle, done, error, Place(message.partition() or 0, message.offset() or 0))

        try:
            self._producer.produce(topic, value, key, on_delivery=told)
        except (BufferError, KafkaException) as error:
            raise NotLogged("the search can't be logged", hint="Ask again in a minute") from error
        return done

    def close(self) -> None:
        """Write what is left, and stop."""
        self._over.set()
        self._poller.join(5.0)
        self._producer.flush(5.0)

    def _poll(self) -> None:
        while not self._over.is_set():
            self._producer.poll(_POLL_SECONDS)


def _asked(record: Mapping[str, Any], body: bytes, state: str) -> Act:
    """The search, sealed with its nonce."""
    bound, ref = seal(record["nonce"].encode(), body), record["consultation_id"]
    return Act(
        "consulted",
        record["by"],
        record["agency"],
        record["at"],
        state=state,
        rule=record["status"],
        ref=ref,
        seal=bound,
    )


def _shown(record: Mapping[str, Any], state: str) -> Iterator[Act]:
    """Each alert of which something is shown."""
    agency, at, ref = record["agency"], record["at"], record["consultation_id"]
    for shown, form in (("exact", "whole"), ("proposed", "whole"), ("elsewhere", "existence")):
        for alert_id in record[shown]:
            yield Act("disclosed", f"search {shown}", PLATFORM, at, agency, state, alert_id, 0, "search", ref, form)


def _settle(done: asyncio.Future[Place], error: KafkaError | None, place: Place) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(place)
    else:
        done.set_exception(NotLogged("the search can't be logged", hint="Ask again in a minute"))
