"""From a decision to the records in the inboxes.

One encoded form serves all agencies that may see the same of an alert: it is made once for each message and class.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hueandcry.alerts.ids import delivery_id
from hueandcry.distribute import account
from hueandcry.distribute.decision import Send
from hueandcry.distribute.entries import Entry
from hueandcry.lanes.batch import Record
from hueandcry.ledger.records import Act
from hueandcry.metrics import DELIVERIES, Uncommitted
from hueandcry.rights.network import Agency
from hueandcry.rights.redact import redact
from hueandcry.wire.codec import SchemaIds, decode_as, delivery_value, encode
from hueandcry.wire.schemas import schema

#: Header of a delivery: the subscriptions that it answers, with commas.
SUBSCRIPTION_HEADER = "hc-subscription"
#: What each action means to who receives it.
REASONS = {
    "issued": "new to you: you subscribe to it and may have it",
    "updated": "its issuer has sent a new version",
    "withdrawn": "its issuer has withdrawn it",
    "expired": "its issuer says that its time is over",
    "linked": "another alert is, or may be, on the same subject",
    "recalled": "you may not have it any more: delete what you hold of it",
}
_EMPTY: dict[str, Any] = {"state_name": None, "offences": [], "facts": None, "remarks": []}


class Deliveries:
    """Builds the records of deliveries.

    Args:
        schemas: the registry's ids.
        told: counts the deliveries.
    """

    def __init__(self, schemas: SchemaIds, told: Uncommitted) -> None:
        self._schemas = schemas
        self._told = told
        self._delivery_id = schemas.id_of("hueandcry.Delivery")
        self._alert_id = schemas.id_of("hueandcry.Alert")
        self._ours = schema("hueandcry.Alert").fingerprint

    def records(
        self,
        sends: Iterable[Send],
        members: Mapping[str, Agency],
        *,
        cause: str,
        home: int,
        received_at: int,
        now_ms: int,
    ) -> Iterator[Record | Act]:
        """A record for each send, and what the ledger says of it.

        Args:
            members: agencies of the network.
            cause: what set the deliveries off; makes their ids.
            home: partition that keeps the alerts.
            received_at: when the message that set them off was received, epoch milliseconds.
            now_ms: epoch milliseconds.
        """
        made: dict[object, tuple[bytes, bytes, list[tuple[str, bytes]], str, str]] = {}
        for send in sends:
            head = send.entry["head"]
            withheld = send.granted.withheld if send.granted else None
            form_of = (head["alert_id"], head["version"], send.action, withheld, send.related, send.reason)
            if form_of not in made:
                made[form_of] = self._made(send, cause, home, received_at, now_ms)
            key, value, headers, form, identifier = made[form_of]
            if send.granted is not None:
                subscriptions = ",".join(send.granted.subscriptions).encode()
                headers = [*headers, (SUBSCRIPTION_HEADER, subscriptions)]
            self._told.count(DELIVERIES, head["kind"], send.action, form)
            yield Record(f"inbox.{send.agency}", value, key, headers)
            yield account.disclosed(send, identifier, form, members.get(send.agency), now_ms)

    def _made(
        self, send: Send, cause: str, home: int, received_at: int, now_ms: int
    ) -> tuple[bytes, bytes, list[tuple[str, bytes]], str, str]:
        entry, head = send.entry, send.entry["head"]
        form, body, schema_id = self._body(send)
        if send.action == "linked":
            # One message may set off several.
            cause = f"{cause}/{send.related[0]}"
        prefix = {
            "delivery_id": delivery_id(head["alert_id"], head["version"], send.action, cause),
            "action": send.action,
            "alert_id": head["alert_id"],
            "version": head["version"],
            "kind": head["kind"],
            "cluster_id": entry["cluster_id"],
            "delivered_at": now_ms,
            "received_at": received_at,
            "form": form,
            "reason": send.reason or REASONS[send.action],
            "related": list(send.related),
            "suspended": send.suspended,
            "home": home,
            "enrichment": entry["enrichment"] if body is not None else _EMPTY,
            "schema_id": schema_id,
        }
        headers = list(entry["proof"].items()) if form == "original" else []
        return (
            head["alert_id"].encode(),
            delivery_value(self._delivery_id, prefix, body),
            headers,
            form,
            prefix["delivery_id"],
        )

    def _body(self, send: Send) -> tuple[str, bytes | None, int]:
        """Form, bytes and schema id of the alert as the agency may see it."""
        entry: Entry = send.entry
        if send.granted is None:
            return "none", None, 0
        writer = self._schemas.writer(entry["schema_id"])
        withheld: frozenset[str] = send.granted.withheld
        if not withheld and writer.fingerprint == self._ours:
            return "original", entry["body"], entry["schema_id"]
        # Something is withheld, or the issuer writes another version of the schema than a delivery embeds.
        alert = redact(decode_as("hueandcry.Alert", entry["body"], writer), withheld)
        return "redacted", encode("hueandcry.Alert", alert), self._alert_id


def agencies(sends: Sequence[Send]) -> int:
    """How many agencies the sends of one message reach."""
    return len({send.agency for send in sends})
