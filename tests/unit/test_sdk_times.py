"""Where reading starts, as people write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hueandcry.sdk.times import iso, parse_start

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("beginning", "beginning"),
        (" latest ", "latest"),
        ("10m", NOW - timedelta(minutes=10)),
        ("2h ago", NOW - timedelta(hours=2)),
        ("3 d", NOW - timedelta(days=3)),
        ("90s", NOW - timedelta(seconds=90)),
        ("2026-02-28", datetime(2026, 2, 28, tzinfo=UTC)),
        ("2026-02-28T08:00", datetime(2026, 2, 28, 8, tzinfo=UTC)),
        ("2026-02-28T08:00:00Z", datetime(2026, 2, 28, 8, tzinfo=UTC)),
        ("2026-02-28T08:00:00+02:00", datetime(2026, 2, 28, 6, tzinfo=UTC)),
    ],
)
def test_a_start_is_read(text: str, means: object) -> None:
    assert parse_start(text, NOW) == means


@pytest.mark.parametrize("text", ["", "yesterday", "10", "10y", "-5m", "999999w", "2026-13-01", "earliest"])
def test_what_is_no_start_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="beginning"):
        parse_start(text, NOW)


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2199, 12, 31)))  # noqa: DTZ001
def test_milliseconds_as_iso_are_the_same_moment(time: datetime) -> None:
    milliseconds = (time.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    back = parse_start(iso(milliseconds), NOW)
    assert isinstance(back, datetime)
    assert (back - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) == milliseconds


def test_milliseconds_beyond_the_calendar_are_shown_as_they_are() -> None:
    assert iso(2**62) == f"{2**62} ms"
