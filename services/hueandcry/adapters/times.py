"""Times as other formats write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?\s*([Zz]|[+-]\d\d:?\d\d)?")
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2199, 12, 31, tzinfo=UTC)


def moment(text: object) -> datetime | None:
    """An ISO 8601 time (RFC 3339, XML Schema dateTime) as UTC to the millisecond; without a zone it is taken as UTC.

    None for what is none, and for years before 1900 or after 2199. Digits beyond milliseconds are cut.
    """
    match = _ISO.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None or not text.isascii():  # type: ignore[union-attr]
        return None
    day, clock, fraction, zone = match.groups()
    try:
        found = datetime.fromisoformat(f"{day}T{clock}{_offset(zone)}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    found += timedelta(milliseconds=int((fraction or "0")[:3].ljust(3, "0")))
    return found if EARLIEST <= found <= LATEST else None


def _offset(zone: str | None) -> str:
    if zone is None or zone in "Zz":
        return "+00:00"
    return zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"


def epoch(value: object) -> datetime | None:
    """Seconds since 1970, as a number or in digits; None for what is none, or out of range."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        return None
    try:
        found = datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if EARLIEST <= found <= LATEST else None
