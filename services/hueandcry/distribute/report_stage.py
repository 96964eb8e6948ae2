"""The part of the distribute stage that deals with reports: claims in, notices and receipts out.

Every report ends in exactly one outcome: delivered, merged (a repeat), refused, or nobody_entitled where the issuer
has left the network and nobody else is to be told. They are counted in the tally of the alerts, under names of their
own, so that whoever reads the end of the register finds all counts together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hueandcry.alerts.ids import report_notice_id
from hueandcry.alerts.remarks import Remark
from hueandcry.distribute import account, say
from hueandcry.distribute.conflicts import MaySee
from hueandcry.distribute.decision import Send
from hueandcry.distribute.entries import Entry, Register
from hueandcry.distribute.reported import RECORDS, Reported
from hueandcry.distribute.reports import Outcome, ReportDecider, Told
from hueandcry.distribute.schedule import Due
from hueandcry.lanes import tally
from hueandcry.lanes.batch import Record
from hueandcry.lanes.state import Overlay
from hueandcry.ledger.records import Act
from hueandcry.metrics import NOTICES, REFUSALS, REPORTS, Uncommitted, shown
from hueandcry.receipts import Origin, Writer
from hueandcry.rights.network import Network
from hueandcry.rights.routes import Granted
from hueandcry.wire.codec import SchemaIds, decode_as, encode
from hueandcry.wire.framing import frame
from hueandcry.wire.schemas import schema

#: Before the names of the counts of reports.
COUNTED = "reports."
#: Claims that carry reports, or what was reported.
CLAIM_TYPES = ("report", "reports")


class ReportStage:
    """Decides on what comes in as claims about reports.

    Args:
        network: gives the network as it is now.
        schemas: the registry's ids.
        partitions: of `claims`.
        writer: of receipts.
        tally_name: of the stage's tally.
        told: counts what becomes of reports.
        routes, may_see, confirm_within_ms: as the decider has them.
    """

    def __init__(
        self,
        *,
        network: Callable[[], Network],
        schemas: SchemaIds,
        partitions: int,
        writer: Writer,
        tally_name: str,
        told: Uncommitted,
        routes: Callable[[Entry], list[Granted]],
        may_see: MaySee,
        confirm_within_ms: Mapping[str, int],
    ) -> None:
        self._network = network
        self._schemas = schemas
        self._partitions = partitions
        self._writer = writer
        self._tally_name = tally_name
        self._told = told
        shown(NOTICES, "escalated")
        self._routes = routes
        self._may_see = may_see
        self._within_ms = confirm_within_ms
        self._notice_id = schemas.id_of("hueandcry.Notice")
        self._ids = {name: schemas.id_of(name) for name in RECORDS}
        self._ours = schema("hueandcry.Report").fingerprint

    def claim(
        self, claim: Entry, register: Register, partition: int, now_ms: int
    ) -> tuple[Outcome, list[Record | Act]]:
        """Act on a claim of one of CLAIM_TYPES: the decision, whose deliveries and claims are still to be written, and
        the receipt and notices."""
        decider = self._decider(register, partition, now_ms)
        if claim["type"] == "reports":
            return decider.taken_over(claim), []
        report = self._report(claim)
        outcome = decider.report(claim, report)
        if not outcome.outcome:
            return outcome, []
        if outcome.outcome == "refused":
            return outcome, self.refused(claim, outcome.remarks, register.state, now_ms)
        records = self._notices(outcome.notices, now_ms, claim["submission"]["proof"], self._is_exact(claim, report))
        told = {each.agency for each in outcome.notices} & self._network().agencies.keys()
        told |= {send.agency for send in outcome.sends}
        records += self._notices(outcome.elsewhere, now_ms, claim["submission"]["proof"], self._is_exact(claim, report))
        self._count(report["type"], outcome.outcome, register.state)
        remarks = [remark.as_record() for remark in outcome.remarks]
        origin = Origin(**claim["submission"]["source"])
        reporter = report["reporter"]
        if reporter in self._network().agencies:
            records.append(
                self._writer.receipt(
                    reporter, origin, outcome.outcome, now_ms, head=report, delivered_to=len(told), remarks=remarks
                )
            )
        if outcome.outcome != "merged":
            records.append(account.reported(report, now_ms))
        return outcome, records

    def due(self, due: Due, register: Register, partition: int, now_ms: int) -> list[Record | Act]:
        """Act on a hit that was not answered in time."""
        outcome = self._decider(register, partition, now_ms).due(due)
        return self._notices(outcome.notices, now_ms)

    def refused(self, claim: Entry, remarks: list[Remark], state: Overlay, now_ms: int) -> list[Record | Act]:
        """Refuse the report that a claim carries: its bytes to the quarantine, a receipt to its reporter."""
        report, submission = self._report(claim), claim["submission"]
        origin = Origin(**submission["source"])
        for remark in remarks:
            self._told.count(REFUSALS, "distribute", origin.region, remark.rule)
        self._count(report["type"], "refused", state)
        reporter = report["reporter"]
        records: list[Record | Act] = [
            account.report_refused(report, remarks, now_ms),
            self._writer.quarantine(
                origin,
                remarks,
                now_ms,
                key=report["alert_id"].encode(),
                value=frame(submission["schema_id"], submission["body"]),
                headers=list(submission["proof"].items()),
                claimed_issuer=reporter,
                signer=reporter,
            ),
        ]
        if reporter in self._network().agencies:
            said = [remark.as_record() for remark in remarks]
            records.append(self._writer.receipt(reporter, origin, "refused", now_ms, head=report, remarks=said))
        return records

    def _decider(self, register: Register, partition: int, now_ms: int) -> ReportDecider:
        return ReportDecider(
            register,
            Reported(register.state, self._ids),
            network=self._network(),
            routes=self._routes,
            may_see=self._may_see,
            partition=partition,
            partitions=self._partitions,
            now_ms=now_ms,
            confirm_within_ms=self._within_ms,
        )

    def _report(self, claim: Entry) -> Entry:
        submission = claim["submission"]
        return decode_as("hueandcry.Report", submission["body"], self._schemas.writer(submission["schema_id"]))

    def _is_exact(self, claim: Entry, report: Entry) -> bool:
        """Whether the report, as a notice has it, is byte for byte what was signed."""
        submission = claim["submission"]
        ours = self._schemas.writer(submission["schema_id"]).fingerprint == self._ours
        return ours and encode("hueandcry.Report", report) == submission["body"]

    def _notices(
        self, notices: Iterable[Told], now_ms: int, proof: Mapping[str, bytes] | None = None, exact: bool = False
    ) -> list[Record | Act]:
        members = self._network().agencies
        records: list[Record | Act] = []
        for each in notices:
            # Who has left the network has no topic any more, and what can't be written would stop the report.
            if each.agency not in members:
                continue
            head = each.entry["head"]
            record: dict[str, Any] = {
                "notice_id": report_notice_id(each.cause, each.type, each.agency),
                "type": each.type,
                "alert_id": head["alert_id"],
                "version": head["version"],
                "report_id": each.about,
                "report": each.report,
                "due_at": each.due_at,
                "reason": each.reason,
                "at": now_ms,
            }
            value = frame(self._notice_id, encode("hueandcry.Notice", record))
            headers = list(proof.items()) if proof and exact and each.report is not None else []
            records.append(Record(f"notices.{each.agency}", value, head["alert_id"].encode(), headers))
            self._told.count(NOTICES, each.type)
            what, rule, own_id = f"notice {each.type}", f"report {each.about}", record["notice_id"]
            records.append(account.noticed(each.agency, members[each.agency], what, head, own_id, rule, now_ms))
        return records

    def _count(self, kind: str, outcome: str, state: Overlay) -> None:
        tally.add(state, self._tally_name, Counter((f"{COUNTED}read", f"{COUNTED}{outcome}")))
        self._told.count(REPORTS, kind, outcome)


def suspended(send: Send, network: Network) -> Send:
    """The delivery with the flag of the receiver's state, if there is one and it gets the content."""
    flags = send.entry["flags"]
    agency = network.agencies.get(send.agency)
    if not flags or agency is None or send.granted is None:
        return send
    for flag in flags:
        if flag["state"] == agency.state:
            return send._replace(suspended=True, reason=f"{say.FLAGGED}: {flag['reason']} (flagged by {flag['by']})")
    return send
