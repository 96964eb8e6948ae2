"""The routing head of an alert: what rights and routes need, taken once from the decoded body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hueandcry.alerts.validity import expires_at, review_due
from hueandcry.rights.redact import rights_needed

#: How many alerts one alert can be distinct from.
MOST_DISTINCT = 64

_COPIED = (
    "alert_id", "version", "message_type", "status", "issuer", "issuing_state", "kind", "category", "action",
    "issued_at", "circulation", "classification", "handling_code", "tlp", "releasable_to", "excluded",
    "discoverable",
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


def distinct_from(alert: Mapping[str, Any]) -> list[str]:
    """Ids of the alerts that a sound alert is said to be another subject than, at most `MOST_DISTINCT`."""
    named = (each["alert_id"] for each in alert["references"] if each["relation"] == "distinct_from")
    return list(dict.fromkeys(named))[:MOST_DISTINCT]
