"""What became of each message: receipts for issuers, and the quarantine that keeps what was refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hueandcry.alerts.ids import notice_id, receipt_id
from hueandcry.alerts.remarks import Remark
from hueandcry.lanes.batch import Headers, Record
from hueandcry.wire.codec import encode
from hueandcry.wire.framing import frame

#: Header of a quarantined record: a framed hueandcry.Refusal.
REFUSAL_HEADER = "hc-refusal"
#: Header of a claim that carries a report, so that those under way can be counted without being decoded.
REPORT_HEADER = ("hc-claim", b"report")
#: Outcome of a receipt that is no answer to a message.
NOTICE = "notice"


class Origin(NamedTuple):
    """A record of an alerts or hits topic."""

    topic: str
    partition: int
    offset: int

    def as_record(self) -> dict[str, Any]:
        """The hueandcry.Source record."""
        return self._asdict()

    @property
    def region(self) -> str:
        """Region whose topic it is."""
        return self.topic.partition(".")[2]


class Writer:
    """Builds the records of receipts and quarantine.

    Args:
        id_of: registry id by record name.
    """

    def __init__(self, id_of: Mapping[str, int]) -> None:
        self._receipt_id = id_of["hueandcry.Receipt"]
        self._refusal_id = id_of["hueandcry.Refusal"]

    def receipt(
        self,
        agency: str,
        origin: Origin,
        outcome: str,
        at_ms: int,
        *,
        head: Mapping[str, Any] | None = None,
        merged_into: str | None = None,
        delivered_to: int = 0,
        remarks: Iterable[Mapping[str, Any]] = (),
    ) -> Record:
        """The receipt of one message, for `agency`. `head` is what could be read of the alert or of the report."""
        identifier = receipt_id(*origin)
        return self._record(agency, identifier, origin, outcome, at_ms, head, merged_into, delivered_to, remarks)

    def notice(
        self,
        agency: str,
        origin: Origin,
        head: Mapping[str, Any],
        remarks: Iterable[Mapping[str, Any]],
        at_ms: int,
        *,
        cause: str,
    ) -> Record:
        """News of an alert that `agency` has issued, which answers none of its messages.

        Args:
            origin: of the last message of that alert, which has its receipt.
            cause: what set the notice off; makes its id.
        """
        identifier = notice_id(head["alert_id"], head["version"], cause)
        return self._record(agency, identifier, origin, NOTICE, at_ms, head, None, 0, remarks)

    def _record(
        self,
        agency: str,
        identifier: str,
        origin: Origin,
        outcome: str,
        at_ms: int,
        head: Mapping[str, Any] | None,
        merged_into: str | None,
        delivered_to: int,
        remarks: Iterable[Mapping[str, Any]],
    ) -> Record:
        body = encode(
            "hueandcry.Receipt",
            {
                "receipt_id": identifier,
                "alert_id": head["alert_id"] if head else None,
                "version": head["version"] if head else None,
                "message_type": head.get("message_type") if head else None,
                "report_id": head.get("report_id") if head else None,
                "outcome": outcome,
                "merged_into": merged_into,
                "delivered_to": delivered_to,
                "remarks": list(remarks),
                "source": origin.as_record(),
                "at": at_ms,
            },
        )
        key = (head["alert_id"] if head else identifier).encode()
        return Record(f"receipts.{agency}", frame(self._receipt_id, body), key)

    def quarantine(
        self,
        origin: Origin,
        remarks: Sequence[Remark],
        at_ms: int,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        claimed_issuer: str | None = None,
        signer: str | None = None,
    ) -> Record:
        """The refused message with its own bytes, key and headers, and why it was refused."""
        body = encode(
            "hueandcry.Refusal",
            {
                "source": origin.as_record(),
                "claimed_issuer": claimed_issuer,
                "signer": signer,
                "remarks": [remark.as_record() for remark in remarks],
                "at": at_ms,
            },
        )
        kept = [header for header in headers if header[0] != REFUSAL_HEADER]
        refusal = (REFUSAL_HEADER, frame(self._refusal_id, body))
        return Record(f"quarantine.{origin.region}", value, key, [*kept, refusal])
