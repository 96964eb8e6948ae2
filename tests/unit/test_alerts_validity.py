"""When alerts end: by what was given, by category, by what the issuer's own files allow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import DAY_MS, NOW_MS, SOUND, sound_cyber, sound_person, sound_vehicle
from hueandcry.alerts.categories import GROUNDS, Action, Category, Kind
from hueandcry.alerts.validity import LATEST_MS, expires_at


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc]


LONGEST = {
    "arrest: five years": (sound_person(), ms(2031, 3, 1, 11, 58)),
    "refusal of entry: three years": (sound_person(category="refusal_of_entry"), ms(2029, 3, 1, 11, 58)),
    "whereabouts: three years": (sound_person(category="whereabouts"), ms(2029, 3, 1, 11, 58)),
    "discreet check of a person: one year": (sound_person(category="discreet_check"), ms(2027, 3, 1, 11, 58)),
    "discreet check of a vehicle: ten years": (sound_vehicle(category="discreet_check"), ms(2036, 3, 1, 11, 58)),
    "seizure: ten years": (sound_vehicle(), ms(2036, 3, 1, 11, 58)),
    "detect: a year": (sound_cyber(subject__valid_until=None), ms(2027, 3, 1, 11, 58)),
    "block: ninety days": (sound_cyber(subject__valid_until=None, category="block"), ms(2026, 5, 30, 11, 58)),
    "indicators that hold for a month": (sound_cyber(), NOW_MS + 30 * DAY_MS),
    "NCIC with a VIN: the year of entry and four more": (sound_vehicle(issuing_state="USA"), ms(2031, 1, 1)),
    "NCIC without a VIN: ninety days": (
        sound_vehicle(issuing_state="USA", subject__vin=None),
        ms(2026, 5, 30, 11, 58),
    ),
    "NCIC's rule is for stolen vehicles alone": (
        sound_vehicle(issuing_state="USA", category="discreet_check"),
        ms(2036, 3, 1, 11, 58),
    ),
    "entered on 29 February": (sound_person(issued_at=ms(2028, 2, 29)), ms(2033, 2, 28)),
    "sooner where the issuer says so": (sound_person(expires_at=NOW_MS + DAY_MS), NOW_MS + DAY_MS),
    "not later than the category allows": (sound_person(expires_at=ms(2040, 1, 1)), ms(2031, 3, 1, 11, 58)),
    "a category that is not known ends soonest": (sound_person(category="unknown"), ms(2026, 5, 30, 11, 58)),
}


@pytest.mark.parametrize("name", LONGEST)
def test_the_end_of_an_alert(name: str):
    alert, end = LONGEST[name]
    assert expires_at(alert) == end


def test_the_longest_validity_counts_from_the_entry_where_it_is_known():
    assert expires_at(sound_person(), entered_at=ms(2025, 1, 1)) == ms(2030, 1, 1)


@given(st.sampled_from(list(SOUND)), st.integers(-(2**63), 2**63 - 1), st.none() | st.integers(-(2**63), 2**63 - 1))
def test_no_time_breaks_it_and_none_outlives_what_was_given(kind: str, issued_at: int, given_end: int | None):
    end = expires_at(SOUND[kind](issued_at=issued_at, expires_at=given_end, issuing_state="USA"))
    assert end <= LATEST_MS + 11 * 366 * DAY_MS
    assert given_end is None or end <= given_end


def test_every_category_and_action_is_used_and_every_row_has_an_end_and_a_source():
    assert {ground.kind for ground in GROUNDS} == set(get_args(Kind))
    assert {ground.category for ground in GROUNDS} == set(get_args(Category))
    assert {action for ground in GROUNDS for action in ground.actions} == set(get_args(Action))
    rows: list[Any] = [(ground.kind, ground.category) for ground in GROUNDS]
    assert len(set(rows)) == len(rows)
    assert all(ground.source and (ground.years > 0) != (ground.days > 0) for ground in GROUNDS)
