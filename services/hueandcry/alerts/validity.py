"""When an alert ends by itself.

It ends at the earliest of: the end that its issuer gives, the longest validity of its category, and, for a threat, the
time until which its indicators hold. A vehicle entered by the United States follows the retention of the NCIC Vehicle
File instead of the SIS: the balance of the year of entry plus four years with a VIN, 90 days without.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hueandcry.alerts.categories import GROUND

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Times outside 1900 to 2200 are mistakes; milliseconds since 1970, the upper end not included.
EARLIEST_MS = -2_208_988_800_000
LATEST_MS = 7_258_118_400_000
DAY_MS = 86_400_000
SHORTEST_DAYS = 90
#: How long before the end of an alert its issuer is told of it: Regulation (EU) 2018/1861 art. 39(5) says four months
#: (120 days here). An alert that lasts less than a year is told of later: our own choice.
NOTICE_DAYS, NOTICE_DAYS_OF_SHORT = 120, 14

_NCIC_CATEGORIES = frozenset({"seizure", "evidence"})


def expires_at(alert: Mapping[str, Any], *, entered_at: int | None = None) -> int:
    """End of an alert in epoch milliseconds.

    Args:
        alert: decoded hueandcry.Alert.
        entered_at: when the alert was entered or last extended, from which the longest validity counts. Without it
            issued_at of this version.

    A kind or category that is not known ends after the shortest validity that any category has.
    """
    end = _longest(alert, alert["issued_at"] if entered_at is None else entered_at)
    given = alert["expires_at"]
    if given is not None and given < end:
        end = given
    if alert["kind"] == "cyber":
        until = alert["subject"].get("valid_until")
        if until is not None and until < end:
            end = until
    return end


def review_due(alert: Mapping[str, Any], end: int) -> int | None:
    """When the issuer is reminded to review an alert, in epoch milliseconds; None where there is no time left for it.

    Args:
        alert: decoded hueandcry.Alert.
        end: when it ends.

    It is the time that the issuer gives, else NOTICE_DAYS before the end of an alert of a year or more, and
    NOTICE_DAYS_OF_SHORT before that of a shorter one.
    """
    issued_at, given = alert["issued_at"], alert["review_due"]
    if given is not None:
        return given if issued_at < given < end else None
    days = NOTICE_DAYS if end - issued_at >= 365 * DAY_MS else NOTICE_DAYS_OF_SHORT
    due = end - days * DAY_MS
    return due if due > issued_at else None


def longest(alert: Mapping[str, Any]) -> int:
    """End of the longest validity that the category allows, in epoch milliseconds, counted from issued_at."""
    return _longest(alert, alert["issued_at"])


def _longest(alert: Mapping[str, Any], entered_ms: int) -> int:
    entered_ms = min(max(entered_ms, EARLIEST_MS), LATEST_MS)
    kind, category = alert["kind"], alert["category"]
    if kind == "stolen_vehicle" and alert["issuing_state"] == "USA" and category in _NCIC_CATEGORIES:
        vin = alert["subject"].get("vin")
        if not vin or not vin["raw"].strip():
            return entered_ms + 90 * DAY_MS
        return _ms(datetime(_moment(entered_ms).year + 5, 1, 1, tzinfo=UTC))
    ground = GROUND.get((kind, category))
    if ground is None:
        return entered_ms + SHORTEST_DAYS * DAY_MS
    if not ground.years:
        return entered_ms + ground.days * DAY_MS
    return _years_later(entered_ms, ground.years)


def _years_later(at_ms: int, years: int) -> int:
    """The same day and time of the year; 28 February where there is no 29th."""
    at = _moment(at_ms)
    day = 28 if at.month == 2 and at.day == 29 else at.day
    return _ms(at.replace(year=at.year + years, day=day))


def _moment(at_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=at_ms)


def _ms(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)
