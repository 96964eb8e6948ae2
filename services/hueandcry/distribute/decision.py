"""What distribute decides on a message, before it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hueandcry.alerts.remarks import Remark
from hueandcry.distribute.conflicts import Met
from hueandcry.distribute.entries import Entry
from hueandcry.distribute.links import Found
from hueandcry.distribute.mail import Claim
from hueandcry.rights.routes import Granted


class Send(NamedTuple):
    """One delivery to one agency.

    Attributes:
        entry: the alert, as registered.
        action: symbol of hueandcry.DeliveryAction.
        granted: the agency's right to the content; None where it gets no content (a recall).
        related: other active alerts: of its cluster those that the agency holds, and linked ones that it may see.
        reason: why it is sent, where the action does not say it all.
        suspended: whether the agency's state has flagged the alert.
    """

    agency: str
    action: str
    entry: Entry
    granted: Granted | None
    related: tuple[str, ...] = ()
    reason: str = ""
    suspended: bool = False


@dataclass(slots=True)
class Decision:
    """What becomes of a message.

    `met` has the alerts that it is not compatible with, `linked` the links that are news; both only inform.
    """

    outcome: str = "nobody_entitled"
    merged_into: str | None = None
    remarks: list[Remark] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    met: list[Met] = field(default_factory=list)
    linked: list[Found] = field(default_factory=list)


Routes = Callable[[Entry], Sequence[Granted]]
"""Who may receive and has asked for an alert, by its head; sorted by agency."""
