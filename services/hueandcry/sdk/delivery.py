"""One message of an inbox, of the receipts or of the notices, as a subscriber sees it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hueandcry.sdk.jsonable import jsonable
from hueandcry.wire.codec import SchemaIds, decode_as, split_delivery
from hueandcry.wire.framing import unframe

DELIVERY = "hueandcry.Delivery"
RECEIPT = "hueandcry.Receipt"
NOTICE = "hueandcry.Notice"

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True)
class Place:
    """Where a message lies in Kafka, and when it was written there (epoch milliseconds)."""

    topic: str
    partition: int
    offset: int
    timestamp: int


@dataclass(frozen=True)
class Delivery:
    """An alert that an agency receives, or news of one that it has received.

    Attributes:
        delivery_id: the same when a delivery is repeated.
        action: issued, updated, withdrawn, expired, recalled or linked (the alert is or may be on the same subject as
            the one in `related`); `unknown` where the platform is newer than this SDK.
        form: original (as the issuer signed it), redacted, or none (no alert inside).
        alert: fields as in avro/hueandcry.Alert, times as epoch milliseconds; None where form is none.
        reason: the rule and the subscription that it came by, or why it is taken back.
        related: other active alerts that are or may be on the same subject and that the agency may see.
        suspended: a bureau of the agency's state has flagged the alert: do not take its action; the reason says why.
        home: give it back in reports on the alert; -1 where the platform does not say it.
        enrichment: what the platform adds.
        headers: Kafka headers, among them the issuer's proof.
        value: the whole framed message.
    """

    delivery_id: str
    action: str
    alert_id: str
    version: int
    kind: str
    cluster_id: str
    delivered_at: datetime
    received_at: datetime
    form: str
    reason: str
    related: tuple[str, ...]
    suspended: bool
    home: int
    enrichment: dict[str, Any]
    schema_id: int
    alert: dict[str, Any] | None
    place: Place
    headers: Headers = field(repr=False)
    value: bytes = field(repr=False)
    record: dict[str, Any] = field(repr=False)

    @property
    def signed_body(self) -> bytes | None:
        """The Avro body that the issuer signed, byte for byte; None where the alert is redacted or absent."""
        return split_delivery(self.value)[1] if self.form == "original" else None

    def to_json(self) -> dict[str, Any]:
        """Values that JSON has: times in ISO 8601, bytes in hexadecimal; with the place in Kafka."""
        return {**jsonable(DELIVERY, self.record), "kafka": _place(self.place)}


@dataclass(frozen=True)
class Receipt:
    """What became of a message that an agency has published; or a notice, news of an alert of its own.

    Attributes:
        outcome: delivered, merged, nobody_entitled or refused; notice where it answers no message.
        remarks: where refused the reasons, otherwise doubts about quality, and alerts that it is not compatible with;
            field, rule, message, place.
        source: topic, partition and offset of the message; in a notice, of the last one of the alert.
        report_id: of a report, its id; else None.
    """

    receipt_id: str
    alert_id: str | None
    version: int | None
    outcome: str
    merged_into: str | None
    delivered_to: int
    remarks: list[dict[str, Any]]
    source: tuple[str, int, int]
    report_id: str | None
    place: Place
    record: dict[str, Any] = field(repr=False)

    @property
    def is_notice(self) -> bool:
        """Whether it answers no message: the message at `source` has a receipt of its own."""
        return self.outcome == "notice"

    def to_json(self) -> dict[str, Any]:
        """Values that JSON has: times in ISO 8601; with the place in Kafka."""
        return {**jsonable(RECEIPT, self.record), "kafka": _place(self.place)}


@dataclass(frozen=True)
class Notice:
    """News of a report that concerns an agency.

    Attributes:
        notice_id: the same when a notice is repeated.
        type: report (on your alert), answer (to your hit), second_request, escalated, or same_subject (what your alert
            is about was found, on another alert); `unknown` where the platform is newer than this SDK.
        report_id: the report that it is about; an answer names it.
        report: what was reported or answered, fields as in avro/hueandcry.Report; None where the agency may not see it.
        due_at: until when the agency shall answer; None where it need not.
        reason: what it means and what to do.
    """

    notice_id: str
    type: str
    alert_id: str
    version: int
    report_id: str
    report: dict[str, Any] | None
    due_at: datetime | None
    reason: str
    at: datetime
    place: Place
    headers: Headers = field(repr=False)
    record: dict[str, Any] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """Values that JSON has: times in ISO 8601; with the place in Kafka."""
        return {**jsonable(NOTICE, self.record), "kafka": _place(self.place)}


def read_delivery(value: bytes | None, headers: Headers, place: Place, ids: SchemaIds) -> Delivery:
    """Decode a message of an inbox.

    Raises:
        WireError: it is none that can be read.
        RegistryError: the registry did not answer.
    """
    record = _decoded(DELIVERY, value, ids)
    return Delivery(
        delivery_id=record["delivery_id"],
        action=record["action"],
        alert_id=record["alert_id"],
        version=record["version"],
        kind=record["kind"],
        cluster_id=record["cluster_id"],
        delivered_at=_time(record["delivered_at"]),
        received_at=_time(record["received_at"]),
        form=record["form"],
        reason=record["reason"],
        related=tuple(record["related"]),
        suspended=record["suspended"],
        home=record["home"],
        enrichment=record["enrichment"],
        schema_id=record["schema_id"],
        alert=record["alert"],
        place=place,
        headers=headers,
        value=value or b"",
        record=record,
    )


def read_receipt(value: bytes | None, place: Place, ids: SchemaIds) -> Receipt:
    """Decode a message of a receipts topic.

    Raises:
        WireError: it is none that can be read.
        RegistryError: the registry did not answer.
    """
    record = _decoded(RECEIPT, value, ids)
    source = record["source"]
    return Receipt(
        receipt_id=record["receipt_id"],
        alert_id=record["alert_id"],
        version=record["version"],
        outcome=record["outcome"],
        merged_into=record["merged_into"],
        delivered_to=record["delivered_to"],
        remarks=record["remarks"],
        source=(source["topic"], source["partition"], source["offset"]),
        report_id=record["report_id"],
        place=place,
        record=record,
    )


def read_notice(value: bytes | None, headers: Headers, place: Place, ids: SchemaIds) -> Notice:
    """Decode a message of a notices topic.

    Raises:
        WireError: it is none that can be read.
        RegistryError: the registry did not answer.
    """
    record = _decoded(NOTICE, value, ids)
    return Notice(
        notice_id=record["notice_id"],
        type=record["type"],
        alert_id=record["alert_id"],
        version=record["version"],
        report_id=record["report_id"],
        report=record["report"],
        due_at=None if record["due_at"] is None else _time(record["due_at"]),
        reason=record["reason"],
        at=_time(record["at"]),
        place=place,
        headers=headers,
        record=record,
    )


class Repeats:
    """Tells a repeated delivery from a new one, over the last `remember` of them.

    Deliveries come at least once: after a crash, what was not yet committed comes again with the same id.
    """

    def __init__(self, remember: int = 100_000) -> None:
        self._remember = remember
        self._seen: OrderedDict[str, None] = OrderedDict()

    def is_repeat(self, delivery_id: str) -> bool:
        """Whether it has been asked about before; remembers it."""
        if delivery_id in self._seen:
            self._seen.move_to_end(delivery_id)
            return True
        self._seen[delivery_id] = None
        if len(self._seen) > self._remember:
            self._seen.popitem(last=False)
        return False


def _decoded(name: str, value: bytes | None, ids: SchemaIds) -> dict[str, Any]:
    schema_id, body = unframe(value)
    return decode_as(name, body, ids.writer(schema_id))


def _time(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def _place(place: Place) -> dict[str, Any]:
    return {"topic": place.topic, "partition": place.partition, "offset": place.offset}
