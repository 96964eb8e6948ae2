"""Who else hears that a subject was found: issuers of other alerts on it than the one that the finder holds.

Rules:
1. They are the issuers of the active alerts of its cluster, and of those linked by an identifier that both have. Each
   is told once, on an alert of its own; not the issuer of the alert in question, nor who found.
2. Of what is found by a covert alert (`alerts.compatibility.COVERT`) none of them hears. The issuer of a covert alert
   does hear that its subject was found by another, and nobody hears of that.
3. Who may receive the alert is told which it is, and whose. What was reported, and by whom, it is told where the finder
   may receive its alert too: who is sent one alert of a cluster would have reported on the other, had it that.
4. Who may not receive the alert hears nothing of it. Where the finder may receive its alert, it is told who has found.
5. Nobody else learns that they were told: not the finder, not the issuer, by no receipt and no count.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from hueandcry.distribute.conflicts import MaySee
from hueandcry.distribute.entries import Entry, Register

#: Members of a cluster that are looked at, and so most who are told.
MOST = 256
#: What is found, by type of the report.
FOUND = frozenset({"hit", "sighting", "locate"})


class Other(NamedTuple):
    """An issuer to be told.

    Attributes:
        entry: its alert; of one in another partition only its head.
        sees_alert: whether it may receive the alert that was reported on.
        sees_finder: whether the finder may receive its alert.
    """

    entry: Entry
    sees_alert: bool
    sees_finder: bool


def others(register: Register, known: Entry, finder: str, may_see: MaySee) -> Iterator[Other]:
    """Whom else it concerns that an agency has found what an alert is about."""
    told = {known["head"]["issuer"], finder}
    for entry in _on_the_subject(register, known):
        head = entry["head"]
        if head["issuer"] in told:
            continue
        other = Other(entry, may_see(head["issuer"], known["head"]), may_see(finder, head))
        if other.sees_alert or other.sees_finder:
            told.add(head["issuer"])
            yield other


def _on_the_subject(register: Register, known: Entry) -> Iterator[Entry]:
    """Other active alerts on the same subject."""
    alert_id = known["head"]["alert_id"]
    if known["strong"]:
        for member in islice(register.members(known["identity_key"]), MOST):
            entry = register.alert(member) if member != alert_id else None
            if entry is not None and entry["state"] == "active":
                yield entry
    for link in register.links(alert_id):
        if link["basis"] == "same_key":
            yield {"head": link["head"]}


def says(kind: str, reporter: Entry, known: Entry, other: Other) -> str:
    """What such an issuer is told.

    Args:
        kind: type of the report, or how the hit was answered.
        reporter: the hueandcry.Report of who found.
    """
    head, who = known["head"], f"{reporter['reporter']} of {reporter['reporter_state']}"
    what = _SAID[kind]
    if not other.sees_alert:
        return f"{what}; it was reported by {who}, on another alert: ask there"
    where = f"alert {head['alert_id']} of {head['issuer']}"
    if other.sees_finder:
        return f"{what}; it was reported by {who}, on {where}"
    return f"{what}; it was reported on {where}: ask there"


_SAID = {
    "hit": "an agency has found what your alert is about",
    "sighting": "an agency has seen what your alert is about",
    "locate": "an agency has located what your alert is about",
    "confirm": "that what your alert is about was found has been confirmed by the issuer of another alert on it",
    "reject": "what was taken for what your alert is about is something else, by the issuer of another alert on it",
}
