"""One webhook: what comes in its topic, sent on.

- A consumer group keeps the place; several gateways share the partitions.
- Messages with one key (one alert) are sent in order, one after the other; those of different alerts side by side.
- The place moves on when a whole batch has been taken or put aside: what a crash interrupts is sent again, with the
  same webhook-id. A receiver that is away holds its batch, and Kafka holds the rest.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from hueandcry.errors import RegistryError
from hueandcry.gateway.events import Event
from hueandcry.gateway.sending import Sending
from hueandcry.rights.network import Webhook
from hueandcry.wire.codec import SchemaIds

log = logging.getLogger(__name__)

BATCH = 64
#: Alerts that are sent side by side.
SIDE_BY_SIDE = 8
_POLL, _ALIVE = 0.5, 2.0
_Got = TypeVar("_Got")


class Worker:
    """Sends what is for one webhook, until it is stopped. Belongs to one event loop.

    Args:
        config: librdkafka's configuration of a consumer, with the group of this webhook.
    """

    def __init__(
        self, config: Mapping[str, Any], agency: str, webhook: Webhook, sending: Sending, ids: SchemaIds
    ) -> None:
        self.webhook = webhook
        self._agency = agency
        self._sending = sending
        self._ids = ids
        self._config = {**config, "log_level": 0, "auto.offset.reset": "earliest"}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="webhook")
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Leave the group; what was under way comes again."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown(wait=True)

    async def _run(self) -> None:
        while True:
            consumer = await self._in_thread(lambda: Consumer(dict(self._config)))
            try:
                await self._read(consumer)
            except (KafkaException, RegistryError) as error:
                log.warning("webhook %s of %s: %s", self.webhook.id, self._agency, error)
            except Exception:  # the worker must outlive it: what was not committed comes again
                log.exception("webhook %s of %s begins anew", self.webhook.id, self._agency)
            finally:
                # Also where the task is cancelled: the thread goes on and must be waited for.
                await asyncio.shield(self._in_thread(consumer.close))
            await asyncio.sleep(5.0)

    async def _read(self, consumer: Consumer) -> None:
        await self._in_thread(lambda: consumer.subscribe([f"{self.webhook.source}.{self._agency}"]))
        while True:
            messages = await self._in_thread(lambda: _sound(consumer.consume(BATCH, _POLL)))
            while messages:
                messages = await self._work_off(consumer, messages)

    async def _work_off(self, consumer: Consumer, messages: list[Message]) -> list[Message]:
        """Send a batch; what came meanwhile, from partitions that were given to us, is the next."""
        source = self.webhook.source
        events = await self._in_thread(lambda: [Event(source, message, self._ids) for message in messages])
        by_key: dict[str, list[Event]] = {}
        for event in events:
            by_key.setdefault(event.key, []).append(event)
        limit = asyncio.Semaphore(SIDE_BY_SIDE)
        sending = [asyncio.ensure_future(self._in_order(each, limit)) for each in by_key.values()]
        came: list[Message] = []
        try:
            left: set[asyncio.Future[None]] = set(sending)
            while left:
                _, left = await asyncio.wait(left, timeout=_ALIVE)
                if left:
                    came += await self._in_thread(lambda: _stay(consumer))
        finally:
            for task in sending:
                task.cancel()
        for task in sending:
            task.result()
        await self._in_thread(lambda: _commit(consumer, messages))
        return came

    async def _in_order(self, events: list[Event], limit: asyncio.Semaphore) -> None:
        async with limit:
            for event in events:
                await self._sending.send(self._agency, self.webhook, event)

    async def _in_thread(self, work: Callable[[], _Got]) -> _Got:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _sound(messages: list[Message]) -> list[Message]:
    found: list[Message] = []
    for message in messages:
        error = message.error()
        if error is None:
            found.append(message)
        elif error.fatal() or error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise KafkaException(error)
    return found


def _stay(consumer: Consumer) -> list[Message]:
    """Stay in the group while nothing more is taken; partitions that are given to us now may have sent something."""
    consumer.pause(consumer.assignment())
    return _sound(consumer.consume(1, 0))


def _commit(consumer: Consumer, messages: list[Message]) -> None:
    after: dict[tuple[str, int], int] = {}
    for message in messages:
        after[message.topic() or "", message.partition() or 0] = (message.offset() or 0) + 1
    offsets = [TopicPartition(*partition, offset) for partition, offset in after.items()]
    try:
        consumer.commit(offsets=offsets, asynchronous=False)
    except KafkaException as error:
        # The partitions have another owner by now: it sends again what we have sent, with the same webhook-id.
        log.warning("a webhook's place was not kept: %s", error.args[0].name())
    consumer.resume(consumer.assignment())
