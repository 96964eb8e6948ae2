"""What an agency says of an alert: the model for the reporter, and the rules by which admit refuses.

The three groups of reports, by who may send them, are HOLDERS, BUREAUS and ISSUERS; whether this agency may report on
this alert only distribute can say, which knows who holds it.

A hit must be confirmed by the alert's issuer within 10 minutes where it is urgent and within 1 hour where it is
routine; a second request and an escalation follow (NCIC hit confirmation, FBI NCIC Operating Manual).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, Self, get_args
from uuid import uuid4

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from hueandcry.alerts.base import AlertPart, Instant, Int32, with_id
from hueandcry.alerts.forms import CONTROL, LONGEST_REMARKS, LONGEST_TEXT, STATES, is_reference, is_slug, is_uuid
from hueandcry.alerts.ids import report_id
from hueandcry.alerts.problems import RULES_BROKEN
from hueandcry.alerts.remarks import Remark
from hueandcry.alerts.rules import CLOCK_TOLERANCE_MS, MINUTE_MS, Finding, Found, Rule, insane, span
from hueandcry.alerts.rules_subject import place_findings
from hueandcry.alerts.validity import EARLIEST_MS, LATEST_MS
from hueandcry.alerts.vehicle import Place

ReportType = Literal["hit", "sighting", "locate", "acknowledge", "flag", "unflag", "confirm", "reject", "clear"]
Urgency = Literal["routine", "urgent"]

#: Who holds the alert says that it was found, seen, where it was found without more, or that it has acted.
HOLDERS: frozenset[str] = frozenset({"hit", "sighting", "locate", "acknowledge"})
#: A state's bureau says that the action is suspended there, or no longer.
BUREAUS: frozenset[str] = frozenset({"flag", "unflag"})
#: The issuer answers a hit, or says that the case is done.
ISSUERS: frozenset[str] = frozenset({"confirm", "reject", "clear"})
ANSWERS: frozenset[str] = frozenset({"confirm", "reject"})

#: By urgency, how long the issuer has to answer a hit.
CONFIRM_WITHIN_MS: dict[str, int] = {"urgent": 10 * MINUTE_MS, "routine": 60 * MINUTE_MS}

#: Longest reason of a flag, in characters. An alert keeps one for each state, and must stay within a Kafka record.
LONGEST_REASON = 500


def _enums(report: Mapping[str, Any], _now: int) -> Found:
    for field, known in (("type", get_args(ReportType)), ("urgency", get_args(Urgency))):
        if report[field] not in known:
            yield Finding(field, f"not known here; write one of {', '.join(known)}")


def _reporter(report: Mapping[str, Any], _now: int) -> Found:
    if not is_slug(report["reporter"]):
        yield Finding("reporter", "is not an agency id; write lower-case letters, digits and hyphens, as in topics/")


def _state(report: Mapping[str, Any], _now: int) -> Found:
    if report["reporter_state"] not in STATES:
        yield Finding("reporter_state", "is not a state; write its ISO 3166-1 alpha-3 code, for example FRA")


def _reference(report: Mapping[str, Any], _now: int) -> Found:
    if not is_reference(report["reference"]):
        yield Finding("reference", "must have 1 to 128 printable characters and no blank at either end")


def _report_id(report: Mapping[str, Any], _now: int) -> Found:
    if report["report_id"] != report_id(report["reporter"], report["reference"]):
        yield Finding("report_id", "does not follow from reporter and reference; write their UUIDv5 in lower case")


def _ids(report: Mapping[str, Any], _now: int) -> Found:
    for field in ("alert_id", "answers"):
        if report[field] is not None and not is_uuid(report[field]):
            yield Finding(field, "is no id; write the UUID in lower case")


def _version(report: Mapping[str, Any], _now: int) -> Found:
    if report["version"] < 0:
        yield Finding("version", "must be that of the alert, or 0 where it is not stated")


def _time(report: Mapping[str, Any], _now: int) -> Found:
    if not EARLIEST_MS <= report["at"] < LATEST_MS:
        yield insane("at")


def _clock(report: Mapping[str, Any], now: int) -> Found:
    ahead = report["at"] - now
    if ahead > CLOCK_TOLERANCE_MS and report["at"] < LATEST_MS:
        yield Finding("at", f"is {span(ahead)} ahead of the platform; set the clock and send again")


def _texts(report: Mapping[str, Any], _now: int) -> Found:
    locality = report["place"]["locality"] if report["place"] is not None else None
    texts = (
        ("words", report["words"], LONGEST_REMARKS),
        ("reason", report["reason"], LONGEST_REASON),
        ("place.locality", locality, LONGEST_TEXT),
    )
    for field, text, longest in texts:
        if text is not None and len(text) > longest:
            yield Finding(field, f"is too long; {longest:,} characters are the most")
        if text is not None and CONTROL.search(text):
            yield Finding(field, "holds control characters; leave them out")


def _place(report: Mapping[str, Any], _now: int) -> Found:
    return place_findings(report["place"], "place") if report["place"] is not None else None


def _answers(report: Mapping[str, Any], _now: int) -> Found:
    if report["type"] in ISSUERS and report["answers"] is None:
        yield Finding("answers", "must name the report that is answered, by its report_id")
    if report["type"] not in ISSUERS and report["answers"] is not None:
        yield Finding("answers", "belongs to confirm, reject and clear; leave it out")


def _reason(report: Mapping[str, Any], _now: int) -> Found:
    if report["type"] == "flag" and not (report["reason"] or "").strip():
        yield Finding("reason", "must say why the action is suspended")


def _urgent(report: Mapping[str, Any], _now: int) -> Found:
    if report["urgency"] == "urgent" and report["type"] != "hit":
        yield Finding("urgency", "only a hit is urgent; leave it out")


_HOUSE = "avro/hueandcry.Report"
RULES: tuple[Rule, ...] = (
    Rule("enum.unknown", "type, urgency", "fail closed, visibly", _enums),
    Rule("reporter.form", "reporter", "topics/: ids of agencies", _reporter),
    Rule("state.code", "reporter_state", "ISO 3166-1 alpha-3", _state),
    Rule("reference.form", "reference", _HOUSE, _reference),
    Rule("report_id.derived", "report_id", "RFC 9562, UUIDv5 in our namespace", _report_id),
    Rule("id.form", "alert_id, answers", "RFC 9562", _ids),
    Rule("version.order", "version", _HOUSE, _version),
    Rule("time.range", "at", "1900 to 2199", _time),
    Rule("time.clock", "at", "5 minutes of tolerance", _clock),
    Rule("text.bounds", "words, reason, place.locality", "what a receiver can be asked to store and show", _texts),
    Rule("place.form", "place", "ISO 3166, WGS 84", _place),
    Rule("report.answers", "answers", _HOUSE, _answers),
    Rule("report.reason", "reason", "Regulation (EU) 2018/1862 art. 24", _reason),
    Rule("report.urgency", "urgency", "NCIC hit confirmation", _urgent),
)


def check(report: Mapping[str, Any], *, now_ms: int) -> list[Remark]:
    """Why a report is refused; empty where it is sound.

    Args:
        report: decoded hueandcry.Report, logical types stripped.
        now_ms: the platform's time in epoch milliseconds.
    """
    found: Iterable[tuple[Rule, Finding]] = (
        (rule, each) for rule in RULES for each in rule.judge(report, now_ms) or ()
    )
    return [Remark(each.field, rule.name, each.message, each.place) for rule, each in found]


class Report(AlertPart):
    """A report, as its reporter writes it. Fields as in avro/hueandcry.Report; what is made is sound.

    Raises pydantic.ValidationError, which `alerts.problems.problems` turns into remarks.
    """

    report_id: str
    type: ReportType
    reporter: str
    reporter_state: str
    reference: str
    alert_id: str
    version: Int32 = 0
    at: Instant
    place: Place | None = None
    urgency: Urgency = "routine"
    words: str | None = None
    reason: str | None = None
    answers: str | None = None
    home: Int32 = -1

    @model_validator(mode="before")
    @classmethod
    def _fill_id(cls, data: Any) -> Any:
        """The id follows from reporter and reference where it is not given."""
        return with_id(data, "report_id", ("reporter", "reference"), report_id)

    @model_validator(mode="after")
    def _obey_rules(self) -> Self:
        """What is made is sound by the rules of admit."""
        record = self.to_record()
        remarks = check(record, now_ms=record["at"])
        if remarks:
            said = "; ".join(map(str, remarks))
            raise PydanticCustomError(RULES_BROKEN, "{said}", {"said": said, "remarks": remarks})
        return self


def complete(data: Mapping[str, Any], *, reporter: str, reporter_state: str, now: datetime) -> dict[str, Any]:
    """What a reporter may leave out, filled in where it is missing.

    Args:
        data: a report in the reporter's form.
        reporter: id of the agency that reports.
        reporter_state: its state.
        now: when it happened, where the report does not say it.

    A reference that is missing is drawn at random: then a second sending is a second report.
    """
    filled = dict(data)
    filled.setdefault("reporter", reporter)
    filled.setdefault("reporter_state", reporter_state)
    filled.setdefault("at", now)
    if filled.get("reference") is None:
        filled["reference"] = str(uuid4())
    return filled
