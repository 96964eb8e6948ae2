"""Who is told of a link that has been found, and what.

Rules:
1. Of an alert that one may not receive by the rights rules one hears nothing, not even that there is one: the issuer of
   a linked alert just as an agency that holds it. A link asks nobody to act, so there is no need to know.
2. Each issuer has a notice on its own alert. Where both are of one issuer, it has one, on the newer.
3. An agency that has been sent one of the alerts and may receive the other has one delivery `linked`, even where it
   has both; it is no new right to the other alert, nor a copy of it.
4. A reason that rests on a field which needs a right goes only to who has that right, and the score with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hueandcry.alerts.remarks import Remark
from hueandcry.distribute.conflicts import MaySee, Notice
from hueandcry.distribute.decision import Send
from hueandcry.distribute.entries import Entry
from hueandcry.distribute.links import Found
from hueandcry.rights.redact import GUARDED

SAME, POSSIBLE = "link.same_subject", "link.possible_match"
_GUARDED = {".".join(field.path): field.right for field in GUARDED}

_IF_NOT = "If it is another subject, say so: send an update with a reference distinct_from to that alert"

Rights = Callable[[str], frozenset[str]]
"""The rights of an agency to guarded fields; none where it is not in the network."""


def notices(found: Found, may_see: MaySee, rights: Rights) -> Iterator[Notice]:
    """What the issuers are told."""
    sides = [(found.one, found.other), (found.other, found.one)]
    if found.one["head"]["issuer"] == found.other["head"]["issuer"]:
        sides = sides[:1]
    for own, other in sides:
        issuer, head = own["head"]["issuer"], other["head"]
        if may_see(issuer, head):
            who = (
                f"{head['category']} of {head['issuing_state']} (alert {head['alert_id']}, issued by {head['issuer']})"
            )
            rule = SAME if found.link["basis"] == "same_key" else POSSIBLE
            yield Notice(own, Remark("subject", rule, f"{who} {_said(found.link, rights(issuer))}. {_IF_NOT}"))


def sends(found: Found, may_see: MaySee, rights: Rights) -> Iterator[Send]:
    """What those who hold one of the alerts are told."""
    told: set[str] = set()
    for own, other in ((found.one, found.other), (found.other, found.one)):
        for sent in own["sent"]:
            agency = sent["agency"]
            # Who has issued the other alert has a notice.
            if agency in told or agency == other["head"]["issuer"] or not may_see(agency, other["head"]):
                continue
            told.add(agency)
            reason = f"the alert in related {_said(found.link, rights(agency))}"
            yield Send(agency, "linked", own, None, (other["head"]["alert_id"],), reason)


def _said(link: Entry, rights: frozenset[str]) -> str:
    if link["basis"] == "same_key":
        return "is on the same subject, by an identifier that both have"
    reasons = [
        reason for reason in link["reasons"] if (right := _GUARDED.get(reason["field"])) is None or right in rights
    ]
    score = f", by a score of {link['score']:.2f}" if len(reasons) == len(link["reasons"]) else ""
    why = " ".join(_counted(reason) for reason in reasons)
    return f"may be on the same subject{score}" + (f": {why.rstrip('.')}" if why else "")


def _counted(reason: Entry) -> str:
    return f"{reason['message'].rstrip('.')} ({reason['place']})." if reason["place"] else reason["message"]
