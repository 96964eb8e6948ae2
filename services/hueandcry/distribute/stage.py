"""The distribute stage: a lane's batches in, decisions out, each message with exactly one outcome."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from hueandcry.alerts.ids import notice_id, receipt_id
from hueandcry.alerts.remarks import Remark
from hueandcry.alerts.reports import CONFIRM_WITHIN_MS
from hueandcry.distribute import account, announce, conflicts, reported, schedule
from hueandcry.distribute.conflicts import Notice
from hueandcry.distribute.decide import Decider
from hueandcry.distribute.decision import Decision
from hueandcry.distribute.deliveries import Deliveries, agencies
from hueandcry.distribute.entries import RECORDS, Entry, Register
from hueandcry.distribute.links import Judge
from hueandcry.distribute.mail import Claim, partition_of
from hueandcry.distribute.post import CLAIMS, posted
from hueandcry.distribute.report_stage import CLAIM_TYPES, ReportStage, suspended
from hueandcry.distribute.schedule import Due
from hueandcry.errors import RegistryError
from hueandcry.identity import Likeness, contradictions, possible_match
from hueandcry.lanes import tally
from hueandcry.lanes.batch import Batch, Effects, Incoming, Record, Tick
from hueandcry.lanes.state import Overlay
from hueandcry.ledger.records import Act
from hueandcry.metrics import (
    DELIVERY_SECONDS,
    DENIED,
    DUE_DONE,
    FAULTS,
    OUTCOMES,
    POSTPONED,
    REFUSALS,
    Uncommitted,
    shown,
)
from hueandcry.receipts import Origin, Writer
from hueandcry.rights.index import RoutingIndex
from hueandcry.rights.may_receive import may_receive
from hueandcry.rights.network import Network
from hueandcry.rights.routes import Granted, route
from hueandcry.wire.codec import SchemaIds, decode, decode_as
from hueandcry.wire.framing import frame, unframe

log = logging.getLogger(__name__)

ADMITTED = "admitted"
Post = Record | Claim | Act
#: Name of the stage's tally.
TALLY = "admitted"


class Distribute:
    """The stage.

    Args:
        network: gives the network as it is now; the same object while nothing has changed.
        schemas: the registry's ids.
        partitions: of `admitted`, `claims` and `register`.
        now_ms: gives epoch milliseconds.
        confirm_within_ms: by urgency, how long an issuer has to answer a hit.
    """

    def __init__(
        self,
        *,
        network: Callable[[], Network],
        schemas: SchemaIds,
        partitions: int,
        now_ms: Callable[[], int],
        confirm_within_ms: Mapping[str, int] = CONFIRM_WITHIN_MS,
    ) -> None:
        self._network = network
        self._schemas = schemas
        self._partitions = partitions
        self._now_ms = now_ms
        self._told = Uncommitted()
        shown(FAULTS, "distribute")
        shown(POSTPONED, *schedule.WHAT)
        #: Kind, region and time of receipt of the alerts of a batch, for the time that they took.
        self._received: list[tuple[str, str, int]] = []
        self._deliveries = Deliveries(schemas, self._told)
        self._claim_id = schemas.id_of("hueandcry.Claim")
        self._ledger_id = schemas.id_of("hueandcry.LedgerBatch")
        self._register_ids = {name: schemas.id_of(name) for name in RECORDS}
        self._writer = Writer({name: schemas.id_of(name) for name in ("hueandcry.Receipt", "hueandcry.Refusal")})
        self._reports = ReportStage(
            network=network,
            schemas=schemas,
            partitions=partitions,
            writer=self._writer,
            tally_name=TALLY,
            told=self._told,
            routes=self._routes,
            may_see=self._may_see,
            confirm_within_ms=confirm_within_ms,
        )
        self._judge = Judge(lambda key: partition_of(key, partitions), self._contradict, self._likeness, self._differs)
        self._indexed: tuple[Network, RoutingIndex] | None = None

    def process(self, batch: Batch) -> Effects:
        """Decide on each message of the batch."""
        self._forget()
        made: list[Post] = []
        counts: dict[int, Counter[str]] = {}
        now_ms = self._now_ms()
        for message in batch.messages:
            state = batch.state[message.partition]
            alone = Overlay(state)
            try:
                records, outcome = self._settled(message, alone, now_ms)
            except RegistryError:
                raise
            except Exception:
                # A fault of ours costs this alert's delivery, visibly; it must not stop the others.
                self._told.count(FAULTS, "distribute")
                log.exception("distribute failed at %s[%d]@%d", message.topic, message.partition, message.offset)
                records, outcome = self._given_up(message, "internal", _INTERNAL, state, now_ms)
            else:
                state.fold(alone)
            made += records
            if outcome is not None:
                counts.setdefault(message.partition, Counter()).update(("read", outcome))
        for partition, count in counts.items():
            tally.add(batch.state[partition], TALLY, count)
        return Effects(self._posted(made), batch.state, committed=self._committed)

    def give_up(self, batch: Batch, reason: str) -> Effects:
        """Refuse the only message of the batch: Kafka would not take what came of it."""
        (message,) = batch.messages
        self._forget()
        text = f"Kafka does not take what comes of this alert: {reason}"
        state = batch.state[message.partition]
        records, outcome = self._given_up(message, "kafka.refused", text, state, self._now_ms())
        if outcome is not None:
            tally.add(state, TALLY, Counter(("read", outcome)))
        return Effects(self._posted(records), batch.state, committed=self._committed)

    def due(self, tick: Tick) -> Effects:
        """Do what is due as of the tick; the oldest first within each partition, no more in all than its limit."""
        self._forget()
        made: list[Post] = []
        now_ms = self._now_ms()
        left = tick.limit
        for partition, state in tick.state.items():
            for due in list(islice(schedule.due_by(state, tick.as_of_ms), left)):
                left -= 1
                alone = Overlay(state)
                try:
                    records = self._done(due, alone, partition, now_ms)
                except RegistryError:
                    raise
                except Exception:
                    log.exception("distribute failed at what was due for %s: %s", due.alert_id, due.what)
                    schedule.postpone(state, due, now_ms + _POSTPONED_MS)
                    self._told.count(POSTPONED, due.what)
                else:
                    state.fold(alone)
                    made += records
                    self._told.count(DUE_DONE, due.what)
        return Effects(self._posted(made), tick.state, more=not left, committed=self._committed)

    def postpone(self, tick: Tick, reason: str) -> Effects:
        """Put off the first thing that is due: Kafka does not take what comes of it."""
        self._forget()
        for state in tick.state.values():
            for due in islice(schedule.due_by(state, tick.as_of_ms), 1):
                log.error("what is due for %s (%s) is put off: %s", due.alert_id, due.what, reason)
                schedule.postpone(state, due, self._now_ms() + _POSTPONED_MS)
                self._told.count(POSTPONED, due.what)
                return Effects(state=tick.state, committed=self._committed)
        return Effects(state=tick.state)

    def _posted(self, made: Iterable[Post]) -> list[Record]:
        return list(posted(made, self._claim_id, self._ledger_id))

    def _done(self, due: Due, state: Overlay, partition: int, now_ms: int) -> Sequence[Post]:
        register = Register(state, self._register_ids)
        if due.what == "answer":
            return self._reports.due(due, register, partition, now_ms)
        known = register.alert(due.alert_id)
        decision = self._decider(register, partition, now_ms).due(due)
        if register.alert(due.alert_id) is None:
            reported.forget(state, due.alert_id)
        cause = f"{due.what}/{due.alert_id}/{due.at_ms}"
        done: list[Post] = self._records(decision, partition, cause, due.at_ms, now_ms)
        done += self._news(decision, known, cause, now_ms)
        if known is not None and due.what == "expire" and decision.remarks:
            done.append(account.expired(known["head"], now_ms))
        elif known is not None and register.alert(due.alert_id) is None:
            done.append(account.erased(due.alert_id, known["head"]["version"], "register", "retention", now_ms))
        return done

    def _decider(self, register: Register, partition: int, now_ms: int) -> Decider:
        return Decider(register, self._routes, self._may_see, self._judge, partition, now_ms)

    def _settled(self, message: Incoming, state: Overlay, now_ms: int) -> tuple[Sequence[Post], str | None]:
        register = Register(state, self._register_ids)
        decider = self._decider(register, message.partition, now_ms)
        cause = f"{message.topic}/{message.partition}/{message.offset}"
        body = unframe(message.value)[1]
        if message.topic == CLAIMS:
            claim = decode("hueandcry.Claim", body)
            if claim["type"] in CLAIM_TYPES:
                decision, own = self._reports.claim(claim, register, message.partition, now_ms)
                return self._records(decision, message.partition, cause, now_ms, now_ms) + own, None
            decision = decider.claim(claim)
            records = self._records(decision, message.partition, cause, now_ms, now_ms)
            if decision.remarks:
                records += self._news(decision, register.alert(claim["alert_id"]), cause, now_ms)
            return records, None
        admitted = decode("hueandcry.Admitted", body)
        head = admitted["head"]
        decision = decider.admitted(admitted, dict(message.headers))
        if decision.outcome == "refused":
            return self._refused(message, admitted, decision.remarks, now_ms), "refused"
        origin = Origin(**admitted["source"])
        received_at = admitted["received_at"]
        records = self._records(decision, message.partition, cause, received_at, now_ms)
        met = conflicts.remarks(decision.met, head, self._may_see)
        remarks = [each.as_record() for each in (*decision.remarks, *met)] + admitted["enrichment"]["remarks"]
        records.append(
            self._writer.receipt(
                head["issuer"],
                origin,
                decision.outcome,
                now_ms,
                head=head,
                merged_into=decision.merged_into,
                delivered_to=agencies(decision.sends),
                remarks=remarks,
            )
        )
        records += account.version(admitted, dict(message.headers), decision, receipt_id(*origin), now_ms)
        records += self._notices(conflicts.notices(decision.met, head, self._may_see), cause, now_ms)
        self._told.count(OUTCOMES, head["kind"], head["issuing_region"], decision.outcome)
        self._received.append((head["kind"], head["issuing_region"], received_at))
        return records, decision.outcome

    def _records(self, decision: Decision, partition: int, cause: str, received_at: int, now_ms: int) -> list[Post]:
        # Who has left the network has no inbox any more, and what can't be written would stop the alert.
        members = self._network().agencies
        decision.sends = [send for send in decision.sends if send.agency in members]
        told = [send for found in decision.linked for send in announce.sends(found, self._may_see, self._rights)]
        sends = [*decision.sends, *(send for send in told if send.agency in members)]
        sends = [suspended(send, self._network()) for send in sends]
        records: list[Post] = list(
            self._deliveries.records(
                sends, members, cause=cause, home=partition, received_at=received_at, now_ms=now_ms
            )
        )
        for claim in decision.claims:
            others = (each for each in range(self._partitions) if each != partition)
            records += [Claim(to, claim.record) for to in (others if claim.to is None else (claim.to,))]
        for found in decision.linked:
            records.append(account.linked(found, now_ms))
            of = f"{cause}/{found.one['head']['alert_id']}/{found.other['head']['alert_id']}"
            records += self._notices(announce.notices(found, self._may_see, self._rights), of, now_ms)
        return records

    def _notices(self, notices: Iterable[Notice], cause: str, now_ms: int) -> Iterator[Record | Act]:
        for notice in notices:
            own = notice.standing["head"]
            # Who has left the network has no topic any more, and what can't be written would stop the alert.
            agency = self._network().agencies.get(own["issuer"])
            if agency is not None:
                origin = Origin(**notice.standing["source"])
                yield self._writer.notice(agency.id, origin, own, [notice.remark.as_record()], now_ms, cause=cause)
                identifier = notice_id(own["alert_id"], own["version"], cause)
                yield account.noticed(agency.id, agency, "notice", own, identifier, notice.remark.rule, now_ms)

    def _news(self, decision: Decision, entry: Entry | None, cause: str, now_ms: int) -> Iterator[Record | Act]:
        """What the issuer of an alert is told where it has sent nothing."""
        agency = self._network().agencies.get(entry["head"]["issuer"]) if entry is not None else None
        if entry is not None and decision.remarks and agency is not None:
            head, remarks = entry["head"], [remark.as_record() for remark in decision.remarks]
            yield self._writer.notice(agency.id, Origin(**entry["source"]), head, remarks, now_ms, cause=cause)
            identifier = notice_id(head["alert_id"], head["version"], cause)
            yield account.noticed(
                agency.id, agency, "notice", head, identifier, account.rules(decision.remarks), now_ms
            )

    def _may_see(self, agency_id: str, head: Mapping[str, Any]) -> bool:
        network = self._network()
        agency = network.agencies.get(agency_id)
        return head["issuer"] == agency_id or (agency is not None and may_receive(agency, head, network).allowed)

    def _rights(self, agency_id: str) -> frozenset[str]:
        agency = self._network().agencies.get(agency_id)
        return frozenset(agency.rights) if agency is not None else frozenset()

    def _refused(
        self, message: Incoming, admitted: Mapping[str, Any], remarks: list[Remark], now_ms: int
    ) -> list[Post]:
        head = admitted["head"]
        origin = Origin(**admitted["source"])
        for remark in remarks:
            self._told.count(REFUSALS, "distribute", head["issuing_region"], remark.rule)
        self._told.count(OUTCOMES, head["kind"], head["issuing_region"], "refused")
        return [
            self._writer.quarantine(
                origin,
                remarks,
                now_ms,
                key=head["alert_id"].encode(),
                value=frame(admitted["schema_id"], admitted["body"]),
                headers=message.headers,
                claimed_issuer=head["issuer"],
                signer=head["issuer"],
            ),
            self._writer.receipt(
                head["issuer"],
                origin,
                "refused",
                now_ms,
                head=head,
                remarks=[remark.as_record() for remark in remarks],
            ),
            account.refused(head, remarks, receipt_id(*origin), now_ms),
        ]

    def _given_up(
        self, message: Incoming, rule: str, text: str, state: Overlay, now_ms: int
    ) -> tuple[Sequence[Post], str | None]:
        if message.topic == CLAIMS:
            claim = decode("hueandcry.Claim", unframe(message.value)[1])
            if claim["type"] == "report":
                return self._reports.refused(claim, [Remark("", rule, text)], state, now_ms), None
            log.error("the claim at %s[%d]@%d is dropped: %s", message.topic, message.partition, message.offset, text)
            return [], None
        admitted = decode("hueandcry.Admitted", unframe(message.value)[1])
        return self._refused(message, admitted, [Remark("", rule, text)], now_ms), "refused"

    def _contradict(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        if one["head"]["kind"] != "stolen_vehicle":
            return False
        vins = {(entry["enrichment"]["facts"] or {}).get("vin") for entry in (one, other)}
        if len(vins) == 1 and None not in vins:
            return False
        return bool(contradictions(self._alert(one)["subject"], self._alert(other)["subject"]))

    def _likeness(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> Likeness | None:
        return possible_match(self._alert(one), self._alert(other))

    def _differs(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        return one["digest"] != other["digest"] and self._alert(one)["subject"] != self._alert(other)["subject"]

    def _alert(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        return decode_as("hueandcry.Alert", entry["body"], self._schemas.writer(entry["schema_id"]))

    def _routes(self, head: Mapping[str, Any]) -> list[Granted]:
        network = self._network()
        if self._indexed is None or self._indexed[0] is not network:
            self._indexed = (network, RoutingIndex(network))
        routes = route(head, self._indexed[1], network)
        for rule, count in routes.refused.items():
            self._told.count(DENIED, rule, by=count)
        return routes.granted

    def _forget(self) -> None:
        """What was counted last was told, or did not come to be."""
        self._told.forget()
        self._received.clear()

    def _committed(self) -> None:
        """Tell Prometheus."""
        now_ms = self._now_ms()
        for kind, region, received_at in self._received:
            self._told.observe(DELIVERY_SECONDS, max(0, now_ms - received_at) / 1000, kind, region)
        self._told.tell()


#: How long what is due is put off, where it can't be done now.
_POSTPONED_MS = 3_600_000
_INTERNAL = "a fault of the platform; the operator has been told, the bytes are kept"
