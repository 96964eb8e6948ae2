"""To Kafka: what requests bring, signed together where it is for us to sign, and acknowledged by all replicas.

- A request ends when Kafka has all that it brought, or has said that it has not.
- What is under way is bounded, in messages and bytes. Beyond it, and while Kafka is away, requests are refused at once:
  memory does not grow, and the client keeps what it has.
- Messages of one agency that come within LINGER share one signature.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from hueandcry.errors import HueAndCryError
from hueandcry.gateway.custody import Signer
from hueandcry.wire.proof import sign_batch

log = logging.getLogger(__name__)

#: Most messages and bytes under way.
MOST_MESSAGES = 20_000
MOST_BYTES = 64 * 1024 * 1024
#: How long the first message waits for others to be signed with it, in seconds.
LINGER = 0.002
#: Most messages under one signature.
BATCH = 1_000
#: Kafka's acknowledgement must come within this, in seconds.
PATIENCE = 10.0
#: Kafka is taken to be away when something has waited so long.
_STALLED = 3.0
_PROBE = 1.0
_AWAY = (KafkaError._ALL_BROKERS_DOWN, KafkaError._AUTHENTICATION)


class KafkaAway(HueAndCryError):
    """Kafka can't be reached; nothing was sent."""


class Full(HueAndCryError):
    """Too much is under way; nothing was sent."""


class NotAcknowledged(HueAndCryError):
    """Kafka did not acknowledge all of it; it may have some. `lost` messages are without acknowledgement."""

    def __init__(self, message: str, lost: int) -> None:
        super().__init__(message)
        self.lost = lost


class Sheet(NamedTuple):
    """A message to be written.

    Attributes:
        fingerprint: of the schema of the body.
        body: what is signed.
        headers: as it is sent; None where it is to be signed.
    """

    topic: str
    key: bytes
    value: bytes
    fingerprint: str = ""
    body: bytes = b""
    headers: Sequence[tuple[str, bytes]] | None = ()


class _Order:
    """What one request brought, until Kafka has it."""

    def __init__(self, count: int, size: int, future: asyncio.Future[None]) -> None:
        self.count, self.size, self.left, self.future = count, size, count, future
        self.errors: list[str] = []
        self.since = time.monotonic()


class Press:
    """Belongs to the event loop that it was made in.

    Args:
        config: librdkafka's configuration of an idempotent producer.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._loop = asyncio.get_running_loop()
        settings = {"delivery.timeout.ms": int(PATIENCE * 1000), "linger.ms": 1, "error_cb": self._note, "log_level": 0}
        self._producer = Producer({**config, **settings})
        self._orders: OrderedDict[int, _Order] = OrderedDict()
        self._messages = self._bytes = 0
        self._unsigned: dict[str, tuple[Signer, list[tuple[Sheet, _Order]]]] = {}
        self._settled: list[tuple[_Order, KafkaError | None]] = []
        self._settling = threading.Lock()
        self._down = threading.Event()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._serve_callbacks, name="press-acks", daemon=True),
            threading.Thread(target=self._probe, name="press-probe", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_away(self) -> bool:
        """Whether Kafka seems to be away."""
        oldest = next(iter(self._orders.values()), None)
        return self._down.is_set() or (oldest is not None and time.monotonic() - oldest.since > _STALLED)

    @property
    def under_way(self) -> tuple[int, int]:
        """Messages and bytes that Kafka has not acknowledged yet."""
        return self._messages, self._bytes

    async def put(self, sheets: Sequence[Sheet], signer: Signer | None = None) -> None:
        """Write all of these, and wait until Kafka has them.

        Args:
            signer: signs those without headers.

        Raises:
            KafkaAway, Full: nothing was sent.
            NotAcknowledged: Kafka has not said that it has all of them.
        """
        if signer is None and any(sheet.headers is None for sheet in sheets):
            raise ValueError("a message without headers needs a signer")
        size = sum(len(sheet.value) + 512 for sheet in sheets)
        if self.is_away:
            raise KafkaAway("Kafka does not answer")
        if self._messages + len(sheets) > MOST_MESSAGES or self._bytes + size > MOST_BYTES:
            raise Full("too much is on its way to Kafka")
        order = _Order(len(sheets), size, self._loop.create_future())
        self._orders[id(order)] = order
        self._messages += order.count
        self._bytes += order.size
        for sheet in sheets:
            if sheet.headers is None and signer is not None:
                self._sign_soon(signer, sheet, order)
            else:
                self._produce(sheet, sheet.headers or (), order)
        # Shielded: a client that goes away takes nothing back, and what is under way stays counted.
        await asyncio.shield(order.future)

    def close(self) -> None:
        """Wait for what is under way, and stop."""
        for key_id in list(self._unsigned):
            self._sign(key_id)
        if self._producer.flush(PATIENCE + 1):
            self._producer.purge()
            self._producer.flush(1.0)
        self._stopping.set()
        for thread in self._threads:
            thread.join(3.0)

    def _sign_soon(self, signer: Signer, sheet: Sheet, order: _Order) -> None:
        _, waiting = self._unsigned.setdefault(signer.key_id, (signer, []))
        if not waiting:
            self._loop.call_later(LINGER, self._sign, signer.key_id)
        waiting.append((sheet, order))

    def _sign(self, key_id: str) -> None:
        if key_id not in self._unsigned:
            return
        signer, waiting = self._unsigned.pop(key_id)
        for start in range(0, len(waiting), BATCH):
            batch = waiting[start : start + BATCH]
            proofs = sign_batch(signer.private_key, key_id, [(sheet.fingerprint, sheet.body) for sheet, _ in batch])
            for (sheet, order), proof in zip(batch, proofs, strict=True):
                self._produce(sheet, proof, order)

    def _produce(self, sheet: Sheet, headers: Sequence[tuple[str, bytes]], order: _Order) -> None:
        try:
            self._producer.produce(
                sheet.topic, sheet.value, sheet.key, headers=list(headers), on_delivery=self._noting(order)
            )
        except BufferError:
            self._settle(order, KafkaError(KafkaError._QUEUE_FULL))
        except KafkaException as error:
            self._settle(order, error.args[0])

    def _noting(self, order: _Order) -> Callable[[KafkaError | None, Message], None]:
        def acknowledged(error: KafkaError | None, _: Message) -> None:
            # In the thread of callbacks: the loop is woken once for all that wait.
            with self._settling:
                self._settled.append((order, error))
                first = len(self._settled) == 1
            if first:
                self._loop.call_soon_threadsafe(self._settle_all)

        return acknowledged

    def _settle_all(self) -> None:
        with self._settling:
            settled, self._settled = self._settled, []
        for order, error in settled:
            self._settle(order, error)

    def _settle(self, order: _Order, error: KafkaError | None) -> None:
        order.left -= 1
        if error is not None:
            order.errors.append(error.name())
        else:
            self._down.clear()
        if order.left:
            return
        del self._orders[id(order)]
        self._messages -= order.count
        self._bytes -= order.size
        if order.errors:
            log.warning(
                "Kafka did not acknowledge %d of %d messages: %s", len(order.errors), order.count, order.errors[0]
            )
            lost = len(order.errors)
            order.future.set_exception(
                NotAcknowledged(f"Kafka did not acknowledge {lost} of {order.count} messages", lost)
            )
            # Nobody may be left to hear of it.
            order.future.exception()
        else:
            order.future.set_result(None)

    def _note(self, error: KafkaError) -> None:
        if error.code() in _AWAY:
            if not self._down.is_set():
                log.warning("Kafka is away: %s", error.str())
            self._down.set()

    def _serve_callbacks(self) -> None:
        while not self._stopping.is_set():
            self._producer.poll(0.2)

    def _probe(self) -> None:
        """While Kafka is away, ask whether it is back."""
        while not self._stopping.wait(_PROBE):
            if self._down.is_set():
                try:
                    self._producer.list_topics("network", timeout=2.0)
                except KafkaException:
                    continue
                log.info("Kafka is back")
                self._down.clear()
