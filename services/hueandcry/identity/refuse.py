"""Faults of identity for which an alert is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hueandcry.alerts.remarks import Remark
from hueandcry.identity import vin
from hueandcry.identity.reading import record, text


def refusals(alert: Mapping[str, Any]) -> list[Remark]:
    """Reasons to refuse a decoded hueandcry.Alert for what it says of identity; empty where it is sound."""
    if alert.get("kind") != "stolen_vehicle":
        return []
    subject = record(alert.get("subject"))
    return vin.refusals(record(subject.get("vin")), category=text(subject.get("category")))
