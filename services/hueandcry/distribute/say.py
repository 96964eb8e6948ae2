"""What the platform says of reports: words only, `reports` has the rules."""

from __future__ import annotations

from hueandcry.alerts.remarks import Remark

FLAGGED = "do not take the action: your state has suspended it"
UNFLAGGED = "your state has lifted its flag: take the action that the alert asks for"
#: By type of the report, what it says to who is told.
SAYS = {
    "hit": "an agency has found what the alert is about: confirm that the alert stands, or reject the hit, in time",
    "sighting": "an agency has seen what the alert is about",
    "locate": "an agency has located what the alert is about",
    "acknowledge": "an agency has acted on the alert",
    "flag": "a state does not take the action that the alert asks for; it still reports hits",
    "unflag": "a state takes the action again",
    "confirm": "the issuer confirms that the alert stands and is about this subject: act on it",
    "reject": "the issuer says that this is not the subject, or that the alert does not stand: do not act on it",
    "clear": "the issuer says that the case is done",
}
AGAIN = "second request: the hit waits for your answer; the next time it goes to the bureau of your state"
AGAIN_COVERT = "second request: the hit waits for your answer"
OVERDUE = "the hit still waits for your answer, and it is late"
BUREAU = "the issuer, of your state, has not answered this hit: see that it does"
ESCALATED = "the issuer has not answered in time; the bureau of its state has been told"
NO_BUREAU = "the issuer has not answered in time, and there is no bureau of its state that may be told"

NOT_HELD = Remark("alert_id", "report.not_held", "you hold no alert with this id; report on what you have been sent")
REPEATED = Remark("report_id", "report.repeated", "this very report has been taken already; nothing was done")
CONFLICT = Remark("reference", "report.conflict", "another report of yours has this reference; write a new one")
ENDED = Remark("alert_id", "alert.ended", "the alert has been withdrawn or has expired")
OWN = Remark("type", "report.own_alert", "this is your own alert; update or withdraw it")
ISSUER_ONLY = Remark("type", "report.issuer_only", "only the alert's issuer confirms, rejects or clears")
BUREAU_ONLY = Remark("type", "report.bureau_only", "only the bureau of a state flags, for its state; ask yours")
OWN_STATE = Remark("type", "report.own_state", "the alert is of your own state; ask its issuer to withdraw it")
NOT_FLAGGED = Remark("type", "report.not_flagged", "your state has not flagged this alert")
NOTHING_OPEN = Remark("answers", "report.nothing_open", "no hit with this id waits for your answer")
NOTHING_FOUND = Remark("answers", "report.nothing_found", "is no hit that you have confirmed, and nothing located")
WITHDRAW = Remark("alert_id", "report.withdraw", "the alert still stands: withdraw it, if nothing is wanted any more")
