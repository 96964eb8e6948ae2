"""The admit stage.

Rules, in this order; a message that breaks one is refused, its bytes kept, and its issuer told:
1. It is in the wire format, under a schema of ours, and it decodes to the last byte.
2. It is signed: its Merkle path leads to a root that a key of an agency, valid then, has signed.
3. The signer is the issuer, and may publish this kind of alert in this region.
4. It is sound (`alerts.checks`), and so is its VIN where the rules of its maker's country bind.
What is admitted is keyed by an HMAC of its identity and carries the issuer's own bytes.
Reports on alerts come in beside them (`reports`).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from hueandcry.admit import reports
from hueandcry.admit.authority import refusals as authority_refusals
from hueandcry.admit.head import distinct_from, head_of
from hueandcry.admit.opened import Refused, opened
from hueandcry.alerts.checks import check, doubts
from hueandcry.alerts.forms import is_uuid
from hueandcry.alerts.ids import receipt_id
from hueandcry.alerts.remarks import Remark
from hueandcry.enrich import doubts as enrichment_doubts
from hueandcry.enrich import enrich
from hueandcry.errors import RegistryError
from hueandcry.identity.keys import identify, status_key
from hueandcry.identity.proposals import proposal_keys
from hueandcry.identity.refuse import refusals as identity_refusals
from hueandcry.lanes import tally
from hueandcry.lanes.batch import Batch, Effects, Incoming, Record
from hueandcry.ledger.records import TOPIC as LEDGER
from hueandcry.ledger.records import Act, batches
from hueandcry.metrics import FAULTS, REFUSALS, Uncommitted, shown
from hueandcry.receipts import Origin, Writer
from hueandcry.rights.network import Network
from hueandcry.wire.codec import SchemaIds, encode
from hueandcry.wire.framing import frame
from hueandcry.wire.proof import HEADERS, Verifier

log = logging.getLogger(__name__)

ADMITTED = "admitted"


class Admit:
    """The stage.

    Args:
        network: gives the network as it is now.
        schemas: the registry's ids.
        identity_secret: key of the HMAC over identity keys.
        now_ms: gives epoch milliseconds.
        partitions: of `claims`.
    """

    def __init__(
        self,
        *,
        network: Callable[[], Network],
        schemas: SchemaIds,
        identity_secret: bytes,
        now_ms: Callable[[], int],
        partitions: int,
    ) -> None:
        self._network = network
        self._schemas = schemas
        self._secret = identity_secret
        self._now_ms = now_ms
        self._verifier = Verifier(lambda key_id: network().keys.get(key_id))
        self._partitions = partitions
        self._told = Uncommitted()
        shown(FAULTS, "admit")
        self._claim_id = schemas.id_of("hueandcry.Claim")
        self._admitted_id = schemas.id_of("hueandcry.Admitted")
        self._ledger_id = schemas.id_of("hueandcry.LedgerBatch")
        self._writer = Writer({name: schemas.id_of(name) for name in ("hueandcry.Receipt", "hueandcry.Refusal")})

    def process(self, batch: Batch) -> Effects:
        """Admit or refuse each message of the batch."""
        self._told.forget()
        effects = Effects(state=batch.state, committed=self._told.tell)
        counts: dict[tuple[int, str], Counter[str]] = {}
        network = self._network()
        now_ms = self._now_ms()
        acts: list[Act] = []
        for message in batch.messages:
            count = counts.setdefault((message.partition, message.topic), Counter())
            count["read"] += 1
            try:
                effects.records.append(self._admit(message, network, now_ms))
                count["admitted"] += 1
            except Refused as refused:
                effects.records += self._refuse(message, refused, network, now_ms)
                acts.append(_refusal(message, refused, network, now_ms))
                count["refused"] += 1
        effects.records += (Record(LEDGER, value) for value in batches(acts, self._ledger_id))
        _add_up(batch, counts)
        return effects

    def give_up(self, batch: Batch, reason: str) -> Effects:
        """Refuse the only message of the batch: Kafka would not take what came of it."""
        (message,) = batch.messages
        self._told.forget()
        refused = Refused([Remark("", "kafka.refused", f"Kafka does not take this message: {reason}")])
        network, now_ms = self._network(), self._now_ms()
        records = self._refuse(message, refused, network, now_ms)
        acts = [_refusal(message, refused, network, now_ms)]
        records += (Record(LEDGER, value) for value in batches(acts, self._ledger_id))
        _add_up(batch, {(message.partition, message.topic): Counter(read=1, refused=1)})
        return Effects(records, batch.state, committed=self._told.tell)

    def _admit(self, message: Incoming, network: Network, now_ms: int) -> Record:
        try:
            if message.topic.startswith(reports.PREFIX):
                return self._reported(message, network, now_ms)
            return self._admitted(message, network, now_ms)
        except (Refused, RegistryError):
            raise
        except Exception:
            # A fault of ours must not stop the lane nor lose the alert: it is kept, and an operator sees why.
            self._told.count(FAULTS, "admit")
            log.exception("admit failed at %s[%d]@%d", message.topic, message.partition, message.offset)
            remark = Remark("", "internal", "a fault of the platform; the operator has been told, the bytes are kept")
            raise Refused([remark]) from None

    def _admitted(self, message: Incoming, network: Network, now_ms: int) -> Record:
        read = opened(message, "hueandcry.Alert", self._schemas, self._verifier)
        alert = read.record
        origin = Origin(message.topic, message.partition, message.offset)
        remarks = (
            authority_refusals(alert, read.signer, origin.region, network)
            or check(alert, now_ms=now_ms)
            or identity_refusals(alert)
        )
        if remarks:
            raise read.refused(remarks, "hueandcry.Alert")
        identity = identify(alert)
        identity_key = self._hmac(alert, identity.key)
        enrichment = enrich(alert)
        enrichment["remarks"] = [remark.as_record() for remark in (*doubts(alert), *enrichment_doubts(alert))]
        if message.key != alert["alert_id"].encode():
            enrichment["remarks"].append(_UNKEYED.as_record())
        body_record = {
            "head": head_of(alert, origin.region),
            "source": origin.as_record(),
            "received_at": message.timestamp,
            "identity_key": identity_key,
            "strong": identity.strong,
            "digest": read.leaf,
            "enrichment": enrichment,
            "schema_id": read.schema_id,
            "body": read.body,
            "claims": [self._hmac(alert, claim) for claim in identity.claims],
            "proposals": [self._hmac(alert, key) for key in proposal_keys(alert)],
            "distinct": distinct_from(alert),
        }
        value = frame(self._admitted_id, encode("hueandcry.Admitted", body_record))
        return Record(ADMITTED, value, identity_key, [each for each in message.headers if each[0] in HEADERS])

    def _hmac(self, alert: Mapping[str, Any], key: str) -> bytes:
        return status_key(self._secret, alert["status"], key)

    def _reported(self, message: Incoming, network: Network, now_ms: int) -> Record:
        read = opened(message, "hueandcry.Report", self._schemas, self._verifier)
        origin = Origin(message.topic, message.partition, message.offset)
        remarks = reports.refusals(read.record, read.signer, origin.region, network, now_ms)
        if remarks:
            raise read.refused(remarks, "hueandcry.Report")
        return reports.claim(message, read, origin, self._claim_id, self._partitions)

    def _refuse(self, message: Incoming, refused: Refused, network: Network, now_ms: int) -> list[Record]:
        origin = Origin(message.topic, message.partition, message.offset)
        claimed = refused.author if refused.author in network.agencies else None
        for remark in refused.remarks:
            self._told.count(REFUSALS, "admit", origin.region, remark.rule)
        records = [
            self._writer.quarantine(
                origin,
                refused.remarks,
                now_ms,
                key=message.key,
                value=message.value,
                headers=message.headers,
                claimed_issuer=claimed,
                signer=refused.signer,
            )
        ]
        # The verified signer is told; where nobody is verified, the agency in whose name the message came.
        told = refused.signer or claimed
        if told is not None:
            # Another agency's alert is not shown to who signed it wrongly, nor a forged one to who is named in it.
            own = refused.record if refused.signer is not None and claimed == refused.signer else None
            remarks = [remark.as_record() for remark in refused.remarks]
            records.append(self._writer.receipt(told, origin, "refused", now_ms, head=own, remarks=remarks))
        return records


#: In place of an agency in the ledger, where nobody has signed what came in.
UNVERIFIED = "unverified"
_UNKEYED = Remark("", "key.alert_id", "the Kafka key is not the alert id, so versions may overtake each other")


def _refusal(message: Incoming, refused: Refused, network: Network, now_ms: int) -> Act:
    """What the ledger says of a refused message; by whom only where a signature says it."""
    by = refused.signer or UNVERIFIED
    agency = network.agencies.get(by)
    record = refused.record if refused.signer is not None and refused.author == refused.signer else None
    return Act(
        "refused",
        "report" if message.topic.startswith(reports.PREFIX) else "alert",
        by,
        now_ms,
        state=agency.state if agency is not None else None,
        alert_id=record["alert_id"] if record is not None and is_uuid(record["alert_id"]) else None,
        rule=",".join(dict.fromkeys(remark.rule for remark in refused.remarks)),
        ref=receipt_id(message.topic, message.partition, message.offset),
    )


def _add_up(batch: Batch, counts: dict[tuple[int, str], Counter[str]]) -> None:
    for (partition, topic), count in counts.items():
        tally.add(batch.state[partition], topic, count)
