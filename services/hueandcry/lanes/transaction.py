"""One Kafka transaction a batch: records, changelog and read offsets together, or none of them.

Order matters (docs/decisions/0001-lanes.md): all records are flushed to the broker *before* the offsets are sent. So
when a successor gets the partitions, and with them a stable committed offset, every changelog record of an unfinished
transaction of ours already lies below the high watermark, and the successor waits for its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition

from hueandcry.errors import LaneError
from hueandcry.lanes.batch import Record
from hueandcry.lanes.patience import Patience

#: How long the broker lets a transaction of ours stay open; readers of committed data wait no longer for a dead lane.
TRANSACTION_TIMEOUT_MS = 15_000
_CALL_SECONDS = 5.0
_FLUSH_SECONDS = 0.5
#: How long to wait for a call that should be back after _CALL_SECONDS.
_PATIENCE_SECONDS = 10.0
_FENCED = {
    KafkaError._FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.PRODUCER_FENCED,
    KafkaError.FENCED_INSTANCE_ID,
}
_GENERATION = {KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS}
#: Answers of the broker to one record that will not change when it is sent again.
_PERMANENT = {
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.RECORD_LIST_TOO_LARGE,
    KafkaError.INVALID_MSG,
    KafkaError.INVALID_RECORD,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
}


class Aborted(LaneError):
    """The transaction was rolled back; nothing of the batch is visible.

    Attributes:
        refused: the broker's answer to a record that no repetition will change, if there was one.
        moved: the partitions now belong to another member of the group.
    """

    def __init__(self, message: str, *, refused: KafkaError | None = None, moved: bool = False) -> None:
        super().__init__(message)
        self.refused = refused
        self.moved = moved


class Unsettled(LaneError):
    """It is not known whether the last transaction was committed: open anew and read from the broker how it ended."""


class Transactor:
    """Owner of the transactional producer of a lane.

    While the broker can't be reached every call waits and tries again, until `stopping` says otherwise.

    Args:
        config: librdkafka's producer settings.
        transactional_id: the same for every life of this instance, so that a new life fences the old one.
        stopping: true once nobody waits for the outcome any more.

    Raises:
        Unsettled: by any method, when the broker has ended our epoch: another life, or a transaction too long.
    """

    def __init__(self, config: dict[str, Any], transactional_id: str, stopping: Callable[[], bool]) -> None:
        self._stopping = stopping
        self._producer = Producer(
            {
                **config,
                "transactional.id": transactional_id,
                "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
                # No record may outlive its transaction.
                "delivery.timeout.ms": TRANSACTION_TIMEOUT_MS,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "message.max.bytes": 8 << 20,
                "queue.buffering.max.kbytes": 128 << 10,
                "queue.buffering.max.messages": 500_000,
            }
        )
        self._refused: KafkaError | None = None
        self._patience = Patience()
        self._lost = False
        self._until_done(lambda: self._producer.init_transactions(_CALL_SECONDS))

    def commit(
        self,
        records: Iterable[Record],
        changelog: dict[int, list[Record]],
        offsets: list[TopicPartition],
        group_metadata: object,
        *,
        watch_each: bool = False,
    ) -> dict[int, int]:
        """Produce everything and commit it with the offsets.

        Args:
            changelog: by partition of the changelog, its records in order.
            watch_each: look at the broker's answer to each record, to tell which one it will never take.

        Returns:
            By partition of the changelog, the offset after the last record written.

        Raises:
            Aborted: rolled back; the batch may be tried again.
            Unsettled: it is not known whether it was committed.
        """
        producer = self._producer
        ends: dict[int, int] = {}

        def note_end(error: KafkaError | None, message: Message) -> None:
            if error is None:
                ends[message.partition()] = message.offset() + 1  # type: ignore[operator,index]
            else:
                self._note_refusal(error, message)

        self._refused = None
        try:
            producer.begin_transaction()
            each = self._note_refusal if watch_each else None
            for record in records:
                self._produce(record, each)
            for entries in changelog.values():
                for record in entries[:-1]:
                    self._produce(record, each)
                self._produce(entries[-1], note_end)
            self._flush()
            self._until_done(lambda: self._send_offsets(offsets, group_metadata))
        except KafkaException as error:
            raise self._roll_back(error) from error
        try:
            self._until_done(lambda: producer.commit_transaction(_CALL_SECONDS))
        except KafkaException as error:
            reason: KafkaError = error.args[0]
            if reason.txn_requires_abort():
                raise self._roll_back(error) from error
            raise Unsettled(f"it is unknown whether the transaction was committed: {reason.str()}") from error
        return ends

    def _send_offsets(self, offsets: list[TopicPartition], group_metadata: object) -> None:
        # librdkafka (2.16 and before) does not keep this call's time limit: while the group's coordinator is away, or
        # was for a while, it may never return (its issues 5456 and 5511).
        send = self._producer.send_offsets_to_transaction
        waiting = self._patience.ask(lambda: send(offsets, group_metadata, _CALL_SECONDS))  # type: ignore[arg-type]
        if waiting.wait(_PATIENCE_SECONDS):
            waiting.answer()
            return
        self._lost = True
        raise Unsettled("librdkafka does not come back from sending the offsets")

    def _produce(self, record: Record, on_delivery: Callable[[KafkaError | None, Message], None] | None) -> None:
        options: dict[str, Any] = {"partition": record.partition} if record.partition >= 0 else {}
        if on_delivery is not None:
            options["on_delivery"] = on_delivery
        while True:
            try:
                self._producer.produce(record.topic, record.value, record.key, headers=list(record.headers), **options)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def _note_refusal(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None and error.code() in _PERMANENT:
            self._refused = error

    def _flush(self) -> None:
        while self._producer.flush(_FLUSH_SECONDS):
            if self._stopping():
                raise Unsettled("stopped while records were not acknowledged")
            self._raise_if_failed()

    def _raise_if_failed(self) -> None:
        """Raise what a failed transaction failed of: it sends nothing more, and flush would wait for time-outs."""
        try:
            # No call merely asks. Within a transaction this one changes nothing, and says if it must be rolled back.
            self._producer.begin_transaction()
        except KafkaException as error:
            reason: KafkaError = error.args[0]
            if reason.txn_requires_abort() or reason.fatal():
                raise

    def _roll_back(self, error: KafkaException) -> Aborted:
        reason: KafkaError = error.args[0]
        self._raise_if_ended(reason)
        try:
            self._until_done(lambda: self._producer.abort_transaction(_CALL_SECONDS))
        except KafkaException as failed:
            raise Unsettled(f"the transaction could not be rolled back: {failed.args[0].str()}") from failed
        refused = self._refused or (reason if reason.code() in _PERMANENT else None)
        return Aborted(reason.str(), refused=refused, moved=reason.code() in _GENERATION)

    def _until_done(self, call: Callable[[], object]) -> None:
        while True:
            try:
                call()
            except KafkaException as error:
                reason: KafkaError = error.args[0]
                self._raise_if_ended(reason)
                if not reason.retriable():
                    raise
                if self._stopping():
                    raise Unsettled(f"stopped while the broker did not answer: {reason.str()}") from error
                self._producer.poll(0.05)
            else:
                return

    @staticmethod
    def _raise_if_ended(reason: KafkaError) -> None:
        if reason.code() in _FENCED or reason.fatal():
            raise Unsettled(f"the broker has ended this producer's epoch: {reason.str()}")

    def close(self) -> None:
        """Give up what was not committed."""
        self._patience.end()
        if not self._lost:
            self._producer.purge()
            self._producer.flush(1.0)
