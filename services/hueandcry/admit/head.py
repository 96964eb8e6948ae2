"""The routing head of an alert: what rights and routes need, taken once from the decoded body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hueandcry.alerts.validity import expires_at, review_due
from hueandcry.rights.redact import rights_needed

_COPIED = (
    "alert_id", "version", "message_type", "status", "issuer", "issuing_state", "kind", "category", "action",
    "issued_at", "circulation", "classification", "handling_code", "tlp", "releasable_to", "excluded",
)  # fmt: skip


def head_of(alert: Mapping[str, Any], region: str) -> dict[str, Any]:
    """The hueandcry.Head record of a sound alert whose issuer belongs to `region`."""
    head = {name: alert[name] for name in _COPIED}
    effective = alert["effective_from"]
    head["effective_from"] = alert["issued_at"] if effective is None else effective
    head["expires_at"] = expires_at(alert)
    head["review_due"] = review_due(alert, head["expires_at"])
    head["issuing_region"] = region
    head["offences"] = [offence["iccs"] for offence in alert["offences"] if offence["iccs"]]
    head["rights"] = rights_needed(alert)
    return head
