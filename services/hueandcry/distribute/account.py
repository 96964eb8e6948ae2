"""What distribute has done, as records of the ledger (`ledger.records`): pure, made beside what it writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hueandcry.alerts.remarks import Remark
from hueandcry.distribute.decision import Decision, Send
from hueandcry.distribute.links import Found
from hueandcry.ledger.records import PLATFORM, Act, seal
from hueandcry.rights.network import Agency
from hueandcry.wire.proof import SIGNATURE_HEADER

#: Rules of what is sent without a new right: what the receiver had is corrected, ended or taken back.
_WITHOUT_RIGHT = {"recalled": "rights.lost", "linked": "link.found"}
_HOLDER = "holder.told"


def version(
    admitted: Mapping[str, Any], headers: Mapping[str, bytes], decision: Decision, receipt_id: str, now_ms: int
) -> Iterator[Act]:
    """A version of an alert that was registered, and the alert that it joined; nothing for a repeat.

    Its seal binds the hash of what the issuer signed, by way of the signature over its batch, which `headers` have.
    """
    head = admitted["head"]
    if decision.merged_into == head["alert_id"]:
        return
    kind = head["message_type"]
    yield Act(
        "collected" if kind == "issue" else "altered",
        kind,
        head["issuer"],
        now_ms,
        state=head["issuing_state"],
        alert_id=head["alert_id"],
        version=head["version"],
        rule=f"admitted: {decision.outcome}",
        ref=receipt_id,
        seal=seal(headers.get(SIGNATURE_HEADER, b""), admitted["digest"]),
    )
    if decision.merged_into is not None:
        yield _combined(head, "cluster", decision.merged_into, "same_key", now_ms)


def refused(head: Mapping[str, Any], remarks: Iterable[Remark], receipt_id: str, now_ms: int) -> Act:
    """A version that was not taken."""
    return Act(
        "refused",
        head["message_type"],
        head["issuer"],
        now_ms,
        state=head["issuing_state"],
        alert_id=head["alert_id"],
        version=head["version"],
        rule=rules(remarks),
        ref=receipt_id,
    )


def disclosed(send: Send, delivery_id: str, form: str, agency: Agency | None, now_ms: int) -> Act:
    """One delivery to one agency."""
    head, granted = send.entry["head"], send.granted
    if granted is not None:
        rule = "subscription: " + ",".join(granted.subscriptions)
    else:
        rule = _WITHOUT_RIGHT.get(send.action, _HOLDER)
    return Act(
        "disclosed",
        send.action,
        head["issuer"],
        now_ms,
        send.agency,
        agency.state if agency is not None else None,
        head["alert_id"],
        head["version"],
        rule,
        delivery_id,
        form,
        tuple(sorted(granted.withheld)) if granted is not None else (),
    )


def noticed(
    to: str, agency: Agency | None, what: str, head: Mapping[str, Any], notice_id: str, rule: str, now_ms: int
) -> Act:
    """One notice to one agency, on an alert; `rule` is what it was told by."""
    state = agency.state if agency is not None else None
    return Act(
        "disclosed", what, PLATFORM, now_ms, to, state, head["alert_id"], head["version"], rule, notice_id, "none"
    )


def linked(found: Found, now_ms: int) -> Act:
    """Two alerts of which the platform says that they are, or may be, on one subject."""
    return _combined(found.one["head"], "link", found.other["head"]["alert_id"], found.link["basis"], now_ms)


def reported(report: Mapping[str, Any], now_ms: int) -> Act:
    """A report that was taken. A flag alters what is done with the alert."""
    return Act(
        _OF_REPORTS.get(report["type"], "collected"),
        report["type"],
        report["reporter"],
        now_ms,
        state=report["reporter_state"],
        alert_id=report["alert_id"],
        version=report["version"],
        rule=f"answers {report['answers']}" if report["answers"] else "",
        ref=report["report_id"],
    )


def report_refused(report: Mapping[str, Any], remarks: Iterable[Remark], now_ms: int) -> Act:
    """A report that was not taken."""
    return Act(
        "refused",
        report["type"],
        report["reporter"],
        now_ms,
        state=report["reporter_state"],
        alert_id=report["alert_id"],
        version=report["version"],
        rule=rules(remarks),
        ref=report["report_id"],
    )


def expired(head: Mapping[str, Any], now_ms: int) -> Act:
    """An alert that has ended by its time."""
    return Act(
        "altered",
        "expired",
        PLATFORM,
        now_ms,
        alert_id=head["alert_id"],
        version=head["version"],
        rule="validity",
    )


def erased(alert_id: str, version: int, what: str, rule: str, now_ms: int, ref: str = "") -> Act:
    """Data of an alert that are no more here.

    Args:
        what: what was erased, for example register, or key where what it was encrypted under has been destroyed.
        rule: why: retention, or the ground that the issuer named.
    """
    return Act("erased", what, PLATFORM, now_ms, alert_id=alert_id, version=version, rule=rule, ref=ref)


def rules(remarks: Iterable[Remark]) -> str:
    """The rules that remarks name, each once."""
    return ",".join(dict.fromkeys(remark.rule for remark in remarks))


def _combined(head: Mapping[str, Any], what: str, other: str, rule: str, now_ms: int) -> Act:
    return Act(
        "combined", what, PLATFORM, now_ms, alert_id=head["alert_id"], version=head["version"], rule=rule, ref=other
    )


_OF_REPORTS = {"flag": "altered", "unflag": "altered"}
