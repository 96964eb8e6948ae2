"""STIX objects of an alert, as the adapters make them, by times as they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hueandcry.adapters.stix_objects import objects


def make(
    alert: Mapping[str, Any], revoked: bool, created: str | None, modified: str | None
) -> Sequence[dict[str, Any]]:
    """The object that the alert is, first, and those that it refers to.

    Args:
        alert: in its JSON form.
        created: when its first version was issued, where that is known.
        modified: when it last changed, where that is later than its issue.
    """
    return objects(alert, revoked=revoked, created=_time(created), modified=_time(modified))


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
