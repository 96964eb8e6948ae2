"""What becomes of a report on an alert, and of a hit that nobody answers: decisions without Kafka.

Rules:
1. Who holds an alert may report on it: it has been sent the alert and may still receive it. To all others it is as if
   there were no such alert: the report goes the same way, and comes to the same end in the same words.
2. Only the issuer answers a hit or says that a case is done; only a bureau flags an alert, for its own state.
3. The issuer is told of every report at once. It answers a hit within `CONFIRM_WITHIN_MS`; else it is asked once more,
   and after the same time again the hit is escalated to the bureaus of its state that may see the alert.
4. Of a report on a covert alert (`alerts.compatibility.COVERT`) nobody hears but the issuer and, of its own, the
   reporter: no bureau, no other holder. What was covert when the hit was made stays so for this hit.
5. Issuers of other alerts on the same subject hear that it was found, as `elsewhere` says.
6. A flag suspends the action in the bureau's state. Those there that hold the alert hear of it, no other state does.
7. An alert ends only by its issuer's withdrawal or by its time. Nothing here ends one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from hueandcry.alerts.compatibility import COVERT
from hueandcry.alerts.remarks import Remark
from hueandcry.alerts.reports import ANSWERS, BUREAUS, CONFIRM_WITHIN_MS, ISSUERS
from hueandcry.distribute import elsewhere, say, schedule
from hueandcry.distribute.conflicts import MaySee
from hueandcry.distribute.decision import Decision, Routes, Send
from hueandcry.distribute.entries import Entry, Register
from hueandcry.distribute.mail import Claim
from hueandcry.distribute.reported import Reported
from hueandcry.distribute.schedule import Due
from hueandcry.rights.network import Network


class Told(NamedTuple):
    """One notice to one agency.

    Attributes:
        type: symbol of hueandcry.NoticeType.
        entry: the alert, as registered.
        about: id of the report that it is about.
        cause: the report that set it off; with type and agency it makes the notice's id.
        report: what was reported, where the agency may see it.
        due_at: until when it shall answer, epoch milliseconds.
    """

    agency: str
    type: str
    entry: Entry
    about: str
    cause: str
    report: Entry | None
    reason: str
    due_at: int | None = None


@dataclass(slots=True)
class Outcome(Decision):
    """What becomes of a report. `outcome` is empty where another partition is asked.

    `elsewhere` are notices of which nobody but their readers may know, be it by a count.
    """

    notices: list[Told] = field(default_factory=list)
    elsewhere: list[Told] = field(default_factory=list)


class ReportDecider:
    """Decides on the reports that come to one partition.

    Args:
        register: of alerts, as one message may change it.
        reported: of reports, over the same state.
        network: as it is now.
        routes: rights and subscriptions as they are now.
        may_see: whether an agency may know of an alert, by rights alone; its own it may.
        partition, partitions: number of this partition; how many there are.
        now_ms: epoch milliseconds.
        confirm_within_ms: by urgency, how long an issuer has to answer a hit.
    """

    def __init__(
        self,
        register: Register,
        reported: Reported,
        *,
        network: Network,
        routes: Routes,
        may_see: MaySee,
        partition: int,
        partitions: int,
        now_ms: int,
        confirm_within_ms: Mapping[str, int] = CONFIRM_WITHIN_MS,
    ) -> None:
        self._register = register
        self._reported = reported
        self._network = network
        self._routes = routes
        self._may_see = may_see
        self._partition = partition
        self._partitions = partitions
        self._now_ms = now_ms
        self._within_ms = confirm_within_ms

    def report(self, claim: Entry, report: Entry) -> Outcome:
        """Decide on a report: a hueandcry.Claim that carries it, and the hueandcry.Report itself."""
        known = self._register.alert(report["alert_id"])
        if known is None or not (_is_issuer(report, known) or self._holds(report["reporter"], known)):
            return self._passed_on(claim, known)
        before = self._reported.accepted(report["alert_id"], report["report_id"])
        if before is not None:
            same = before["digest"] == claim["submission"]["digest"]
            return Outcome(outcome="merged", remarks=[say.REPEATED]) if same else _refused(say.CONFLICT)
        refusal = self._out_of_place(report, known)
        if refusal is not None:
            return _refused(refusal)
        outcome = Outcome()
        accepted = {"report_id": report["report_id"], "type": report["type"], "reporter": report["reporter"]}
        accepted |= {"digest": claim["submission"]["digest"], "answer": None}
        if report["type"] in ISSUERS:
            refusal = self._answer(report, known, outcome)
        elif report["type"] in BUREAUS:
            refusal = self._flag(report, known, outcome)
        else:
            self._tell_issuer(report, known, outcome)
        if refusal is not None:
            return _refused(refusal)
        self._reported.put_accepted(report["alert_id"], accepted)
        told = outcome.sends or any(each.agency in self._network.agencies for each in outcome.notices)
        outcome.outcome = "delivered" if told else "nobody_entitled"
        return outcome

    def _passed_on(self, claim: Entry, known: Entry | None) -> Outcome:
        """Ask the next partition; the last one refuses."""
        submission = claim["submission"]
        tried = submission["tried"] + 1
        moved = self._register.moved(claim["alert_id"]) if known is None else None
        if moved is not None and moved[1] != self._partition and tried < 2 * self._partitions:
            to = moved[1]
        elif tried < self._partitions:
            to = (self._partition + 1) % self._partitions
        else:
            return _refused(say.NOT_HELD)
        return Outcome(outcome="", claims=[Claim(to, {**claim, "submission": {**submission, "tried": tried}})])

    def _holds(self, agency: str, known: Entry) -> bool:
        return any(sent["agency"] == agency for sent in known["sent"]) and self._may_see(agency, known["head"])

    def _out_of_place(self, report: Entry, known: Entry) -> Remark | None:
        """Why who may know of the alert may not say this of it."""
        if report["type"] in ISSUERS:
            return None if _is_issuer(report, known) else say.ISSUER_ONLY
        if _is_issuer(report, known):
            return say.OWN
        if known["state"] != "active":
            return say.ENDED
        if report["type"] in BUREAUS:
            agency = self._network.agencies[report["reporter"]]
            if not agency.bureau:
                return say.BUREAU_ONLY
            if agency.state == known["head"]["issuing_state"]:
                return say.OWN_STATE
        return None

    def _tell_issuer(self, report: Entry, known: Entry, outcome: Outcome) -> None:
        due_at = None
        if report["type"] == "hit":
            # From when the issuer is told, not from when it was reported: if we were away, that is not its fault.
            due_at = self._now_ms + self._within_ms[report["urgency"]]
            covert = known["head"]["category"] in COVERT
            self._reported.put_open({"report": report, "covert": covert, "asked": 1, "due_at": due_at})
        says = say.SAYS[report["type"]]
        outcome.notices.append(self._told(known["head"]["issuer"], "report", known, report, report, says, due_at))
        if report["type"] in elsewhere.FOUND and known["head"]["category"] not in COVERT:
            self._tell_others(report["type"], report, known, report, outcome)

    def _tell_others(self, kind: str, found: Entry, known: Entry, cause: Entry, outcome: Outcome) -> None:
        """Issuers of other alerts on the subject hear that it was found, or how the hit was answered."""
        for other in elsewhere.others(self._register, known, found["reporter"], self._may_see):
            seen = found if cause is found and other.sees_alert and other.sees_finder else None
            says, to = elsewhere.says(kind, found, known, other), other.entry["head"]["issuer"]
            about = found["report_id"]
            outcome.elsewhere.append(self._told(to, "same_subject", other.entry, cause, seen, says, about=about))

    def _flag(self, report: Entry, known: Entry, outcome: Outcome) -> Remark | None:
        state = report["reporter_state"]
        flags = [flag for flag in known["flags"] if flag["state"] != state]
        if report["type"] == "flag":
            flag = {"state": state, "by": report["reporter"], "at": self._now_ms, "reason": report["reason"]}
            flags.append(flag)
        elif len(flags) == len(known["flags"]):
            return say.NOT_FLAGGED
        known["flags"] = sorted(flags, key=lambda flag: flag["state"])
        self._register.put_alert(known)
        outcome.sends += self._sends_to(known, {state})
        self._tell_issuer(report, known, outcome)
        return None

    def _sends_to(self, known: Entry, states: set[str]) -> Iterator[Send]:
        """The alert again, to those in these states that hold it."""
        granted = {grant.agency: grant for grant in self._routes(known["head"])}
        for sent in known["sent"]:
            agency = self._network.agencies.get(sent["agency"])
            if agency is not None and agency.state in states and agency.id in granted:
                yield Send(agency.id, "updated", known, granted[agency.id], reason=say.UNFLAGGED)

    def taken_over(self, claim: Entry) -> Outcome:
        """Enter what was reported on an alert before it moved here: a hueandcry.Claim of type reports."""
        alert_id, reports = claim["alert_id"], claim["reports"]
        known = self._register.alert(alert_id)
        if known is None:
            moved = self._register.moved(alert_id)
            on = moved is not None and moved[1] != self._partition
            return Outcome(outcome="", claims=[Claim(moved[1], claim)] if on and moved is not None else [])
        self._reported.take_over(alert_id, reports)
        outcome = Outcome(outcome="")
        have = {flag["state"] for flag in known["flags"]}
        new = [flag for flag in reports["flags"] if flag["state"] not in have]
        if new and known["state"] == "active":
            known["flags"] = sorted([*known["flags"], *new], key=lambda flag: flag["state"])
            self._register.put_alert(known)
            outcome.sends += self._sends_to(known, {flag["state"] for flag in new})
        return outcome

    # -- what issuers say ----------------------------------------------------------------------------------------------

    def _answer(self, report: Entry, known: Entry, outcome: Outcome) -> Remark | None:
        alert_id, answered = report["alert_id"], report["answers"]
        before = self._reported.accepted(alert_id, answered)
        if report["type"] not in ANSWERS:
            if before is None or (before["type"], before["answer"]) not in _FOUND:
                return say.NOTHING_FOUND
            outcome.notices.append(self._answered(before["reporter"], known, report))
            outcome.remarks.append(say.WITHDRAW)
            return None
        hit = self._reported.open_hit(alert_id, answered)
        if hit is None or before is None:
            return say.NOTHING_OPEN
        self._reported.drop_open(alert_id, answered)
        self._reported.put_accepted(alert_id, {**before, "answer": report["type"]})
        outcome.notices.append(self._answered(before["reporter"], known, report))
        if not self._is_covert(hit, known):
            self._tell_others(report["type"], hit["report"], known, report, outcome)
        if hit["due_at"] is None and not self._is_covert(hit, known):
            # Those whom it was escalated to need not go after it any more.
            outcome.notices += [self._answered(bureau, known, report) for bureau in self._bureaus(hit, known)]
        return None

    def _answered(self, agency: str, known: Entry, report: Entry) -> Told:
        # The words are the issuer's: who has lost the right to the alert since hears the answer, and no more.
        seen = report if self._may_see(agency, known["head"]) else None
        return self._told(agency, "answer", known, report, seen, say.SAYS[report["type"]], about=report["answers"])

    def due(self, due: Due) -> Outcome:
        """A hit has not been answered in time."""
        outcome = Outcome(outcome="")
        schedule.done(self._register.state, due)
        known = self._register.alert(due.alert_id)
        hit = self._reported.open_hit(due.alert_id, due.report_id)
        if known is None or hit is None or hit["due_at"] is None or due.at_ms < hit["due_at"]:
            # Answered, forgotten or asked again since it was put off.
            return outcome
        report, issuer = hit["report"], known["head"]["issuer"]
        if hit["asked"] == 1:
            due_at = self._now_ms + self._within_ms[report["urgency"]]
            self._reported.put_open({**hit, "asked": 2, "due_at": due_at})
            says = say.AGAIN_COVERT if self._is_covert(hit, known) else say.AGAIN
            outcome.notices.append(self._told(issuer, "second_request", known, report, report, says, due_at))
            return outcome
        self._reported.put_open({**hit, "asked": hit["asked"] + 1, "due_at": None})
        outcome.notices.append(self._told(issuer, "escalated", known, report, report, say.OVERDUE))
        if not self._is_covert(hit, known):
            told = [(bureau, report, say.BUREAU) for bureau in self._bureaus(hit, known)]
            told.append((report["reporter"], None, say.ESCALATED if told else say.NO_BUREAU))
            outcome.notices += [self._told(to, "escalated", known, report, seen, why) for to, seen, why in told]
        return outcome

    @staticmethod
    def _is_covert(hit: Entry, known: Entry) -> bool:
        return bool(hit["covert"]) or known["head"]["category"] in COVERT

    def _bureaus(self, hit: Entry, known: Entry) -> list[str]:
        """Bureaus of the issuing state that may see the alert, but for the two who know of the hit."""
        head = known["head"]
        return sorted(
            agency.id
            for agency in self._network.agencies.values()
            if agency.bureau
            and agency.state == head["issuing_state"]
            and agency.id not in (head["issuer"], hit["report"]["reporter"])
            and self._may_see(agency.id, head)
        )

    @staticmethod
    def _told(
        agency: str,
        kind: str,
        known: Entry,
        report: Entry,
        seen: Entry | None,
        reason: str,
        due_at: int | None = None,
        about: str = "",
    ) -> Told:
        return Told(agency, kind, known, about or report["report_id"], report["report_id"], seen, reason, due_at)


def _is_issuer(report: Entry, known: Entry) -> bool:
    return report["reporter"] == known["head"]["issuer"]


def _refused(remark: Remark) -> Outcome:
    return Outcome(outcome="refused", remarks=[remark])


#: What ends a case: a confirmed hit, or that the subject was located. Type and answer of a report.
_FOUND = {("hit", "confirm"), ("locate", None)}
