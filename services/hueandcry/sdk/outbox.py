"""What a publisher sends: signed with what came within a few milliseconds, produced, and followed to Kafka's word.

Two threads: one signs and produces, so that all callers of a publisher share roots; one serves librdkafka's callbacks.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from time import monotonic
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hueandcry.errors import HueAndCryError
from hueandcry.wire.proof import sign_batch

#: Most alerts under one signature.
BATCH = 1_000
#: How long the first alert of a batch waits for company, in seconds.
LINGER = 0.003
#: Most alerts that wait to be signed; who sends more waits.
WAITING = 20_000


class Prepared(NamedTuple):
    """An alert as it will be sent.

    Attributes:
        fingerprint: of the schema of the body.
        body: Avro without frame; what is signed.
        value: the framed body.
    """

    alert_id: str
    version: int
    fingerprint: str
    body: bytes
    value: bytes


class Published(NamedTuple):
    """An alert that Kafka has acknowledged, and where it lies."""

    alert_id: str
    version: int
    topic: str
    partition: int
    offset: int


class NotAcknowledged(HueAndCryError):
    """Kafka did not take one message; the text is its reason."""


class Outbox:
    """Signs and produces to one topic.

    Args:
        producer: idempotent; the outbox alone uses it.
        topic: where to.
        private_key: signs.
        key_id: names that key.
    """

    def __init__(self, producer: Producer, topic: str, private_key: Ed25519PrivateKey, key_id: str) -> None:
        self._producer = producer
        self._topic = topic
        self._private_key = private_key
        self._key_id = key_id
        self._waiting: deque[tuple[Prepared, Future[Published]]] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._flushed = threading.Event()
        self._threads = [
            threading.Thread(target=self._sign_and_produce, name="hueandcry-sign", daemon=True),
            threading.Thread(target=self._serve_callbacks, name="hueandcry-acks", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def put(self, alerts: list[Prepared]) -> list[Future[Published]]:
        """Send these, in order; each future ends with Kafka's acknowledgement, or with NotAcknowledged.

        Waits where too many are under way.
        """
        futures: list[Future[Published]] = [Future() for _ in alerts]
        pairs = list(zip(alerts, futures, strict=True))
        for start in range(0, len(pairs), BATCH):
            with self._changed:
                self._changed.wait_for(lambda: self._closing or len(self._waiting) < WAITING)
                if self._closing:
                    raise HueAndCryError("the publisher is closed")
                self._waiting.extend(pairs[start : start + BATCH])
                self._changed.notify_all()
        return futures

    def close(self, timeout: float) -> None:
        """Send what waits, wait for Kafka's word on it, stop the threads. What Kafka has not got by `timeout` fails."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.notify_all()
        ends = monotonic() + timeout
        self._threads[0].join(timeout)
        if self._producer.flush(max(0.0, ends - monotonic())):
            self._producer.purge()
            self._producer.flush(1.0)
        self._flushed.set()
        self._threads[1].join(2.0)
        with self._changed:
            for _, future in self._waiting:
                future.set_exception(NotAcknowledged("the publisher was closed before it was sent"))
            self._waiting.clear()

    def _sign_and_produce(self) -> None:
        while taken := self._next_batch():
            batch = [pair for pair in taken if pair[1].set_running_or_notify_cancel()]
            try:
                headers = sign_batch(
                    self._private_key, self._key_id, [(alert.fingerprint, alert.body) for alert, _ in batch]
                )
            except Exception as error:  # the thread must outlive it, or every later alert would wait for ever
                for _, future in batch:
                    future.set_exception(error)
                continue
            for (alert, future), proof in zip(batch, headers, strict=True):
                self._produce(alert, future, proof)

    def _next_batch(self) -> list[tuple[Prepared, Future[Published]]]:
        """Up to BATCH alerts that came within LINGER of the first; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            self._changed.wait_for(lambda: len(self._waiting) >= BATCH or self._closing, LINGER)
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._changed.notify_all()
        return batch

    def _produce(self, alert: Prepared, future: Future[Published], proof: list[tuple[str, bytes]]) -> None:
        def acknowledged(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                future.set_exception(NotAcknowledged(_reason(error)))
                return
            where = (message.topic() or "", message.partition() or 0, message.offset() or 0)
            future.set_result(Published(alert.alert_id, alert.version, *where))

        while True:
            try:
                self._producer.produce(
                    self._topic, alert.value, alert.alert_id, headers=list(proof), on_delivery=acknowledged
                )
                return
            except BufferError:  # librdkafka's queue is full: let it send, then try again
                self._producer.poll(0.05)
            except KafkaException as error:
                future.set_exception(NotAcknowledged(_reason(error.args[0])))
                return

    def _serve_callbacks(self) -> None:
        while not self._flushed.is_set():
            self._producer.poll(0.5)


def _reason(error: KafkaError) -> str:
    return f"{error.str()} ({error.name()})"
