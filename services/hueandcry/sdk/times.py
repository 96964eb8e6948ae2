"""Where reading starts, as people write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Literal

#: The beginning, the end as it is now, or the first message at or after a time.
Start = Literal["beginning", "latest"] | datetime

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d{1,6})\s*([smhdw])(?:\s+ago)?")


def parse_start(text: str, now: datetime) -> Start:
    """Read `beginning`, `latest`, `10m`, `2h ago` or an ISO 8601 time; a time without a zone is UTC.

    Raises:
        ValueError: it is none of these; the message says what to write.
    """
    word = text.strip()
    if word == "beginning" or word == "latest":
        return word
    if ago := _AGO.fullmatch(word):
        try:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            raise ValueError("that is before the year 1; write beginning") from None
    try:
        time = datetime.fromisoformat(word)
    except ValueError:
        raise ValueError(
            "write beginning, latest, a time such as 2026-03-01T08:00:00Z, or how long ago: 10m, 2h, 3d"
        ) from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def iso(milliseconds: int) -> str:
    """Epoch milliseconds as ISO 8601 in UTC, with milliseconds: 2026-03-01T08:00:00.000Z."""
    try:
        time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return f"{milliseconds} ms"
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
