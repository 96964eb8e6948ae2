"""A question has exactly the keys of the alerts that it asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from factories import sound_cyber, sound_person, sound_vehicle
from hueandcry.identity import identify, proposal_keys, status_key
from hueandcry.search.question import BY, Question, ask, read_question
from shelf import SECRET

PERSON = {"name": "Jonas Musterfeld", "born": "1984-05-17", "nationalities": ["DEU"]}
PLATE = {"raw": "ab 123 cd", "state": "FRA"}


def keys_of(alert: dict[str, Any]) -> tuple[set[bytes], set[bytes]]:
    identity = identify(alert)
    strong = [*([identity.key] if identity.strong else []), *identity.claims]
    return (
        {status_key(SECRET, alert["status"], key) for key in strong},
        {status_key(SECRET, alert["status"], key) for key in proposal_keys(alert)},
    )


def asked(**by: Any) -> Any:
    return ask(Question(purpose="a test", **by), SECRET)


@pytest.mark.parametrize(
    ("by", "alert", "exact", "weak"),
    [
        ({"vin": "vf3-lcyhz pfs000042"}, sound_vehicle(), True, True),
        ({"vin": "FS000042"}, sound_vehicle(), False, True),
        ({"vin": "VF3LCYHZPFS000043"}, sound_vehicle(), False, None),
        # What a road vehicle's rules would refuse may be a tractor's number.
        (
            {"vin": "1FAHP3FN9AW139719"},
            sound_vehicle(subject__vin__raw="1FAHP3FN9AW139719", subject__category="tractor"),
            True,
            True,
        ),
        ({"plate": PLATE}, sound_vehicle(), True, True),
        ({"plate": PLATE}, sound_vehicle(subject__vin=None, subject__stolen="plate"), True, True),
        ({"plate": {"raw": "AB-123-CD"}}, sound_vehicle(), False, True),
        ({"plate": PLATE | {"type": "motorcycle"}}, sound_vehicle(), False, True),
        ({"plate": PLATE | {"state": "DEU"}}, sound_vehicle(), False, True),
        ({"person": PERSON}, sound_person(subject__documents=[]), True, True),
        ({"person": PERSON | {"name": "MUSTERFELD, Jonas"}}, sound_person(), True, True),
        ({"person": PERSON | {"nationalities": []}}, sound_person(), False, True),
        ({"person": PERSON | {"born": "1984"}}, sound_person(), False, True),
        ({"document": {"number": "c01x0006h", "state": "DEU"}}, sound_person(), True, True),
        ({"document": {"number": "C01X0006H"}}, sound_person(), False, True),
        ({"document": {"number": "C01X0006H", "state": "DEU", "type": "visa"}}, sound_person(), False, True),
        ({"indicator": {"value": "login[.]example.net"}}, sound_cyber(), True, True),
        ({"indicator": {"value": "login.example.net"}}, sound_cyber(), True, True),
        ({"indicator": {"value": "hxxps://LOGIN.example.net/Portal"}}, sound_cyber(), True, None),
        ({"indicator": {"value": "AB" * 32}}, sound_cyber(), True, None),
    ],
    ids=str,
)
def test_a_question_meets_the_alert(by: Any, alert: dict[str, Any], exact: bool, weak: bool | None) -> None:
    found = asked(**by)
    strong_of, weak_of = keys_of(alert)
    assert bool(strong_of & set(found.exact)) == exact
    if weak is not None:
        assert bool(weak_of & set(found.weak)) == weak


def test_the_status_is_part_of_the_key() -> None:
    actual, exercise = (asked(vin="VF3LCYHZPFS000042", status=status) for status in ("actual", "exercise"))
    assert not set(actual.exact) & set(exercise.exact)
    assert not set(actual.weak) & set(exercise.weak)
    assert keys_of(sound_vehicle(status="exercise"))[0] & set(exercise.exact)


def test_possible_matches_can_be_left_out() -> None:
    both, exact = asked(vin="VF3LCYHZPFS000042"), asked(vin="VF3LCYHZPFS000042", possible=False)
    assert exact.exact == both.exact
    assert both.weak
    assert exact.weak == ()


def test_a_doubtful_vin_is_said() -> None:
    assert [remark.rule for remark in asked(vin="VF3LCYHZPFS0OOO42").remarks] == ["vin.illegal_characters"]
    assert asked(vin="VF3LCYHZPFS000042").remarks == ()


@pytest.mark.parametrize(
    "by",
    [
        {"person": {"name": "Jonas Musterfeld"}},
        {"vin": "1111"},
        {"plate": {"raw": "---"}},
        {"indicator": {"value": "invented.exe", "type": "filename"}},
    ],
    ids=str,
)
def test_what_says_too_little_has_no_key(by: Any) -> None:
    found = asked(**by)
    assert (found.exact, found.weak) == ((), ())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "purpose"),
        ({"purpose": "x", "vin": "SECRET"}, "purpose"),
        ({"purpose": "  x ", "vin": "SECRET"}, "purpose"),
        ({"purpose": "a test"}, "exactly one of vin, plate"),
        ({"purpose": "a test", "vin": "SECRET", "plate": {"raw": "SECRET"}}, "exactly one of"),
        ({"purpose": "a test", "vin": ""}, "vin"),
        ({"purpose": "a test", "vin": "SECRET" * 100}, "vin"),
        ({"purpose": "a test", "vin": "SECRET", "colour": "SECRET"}, "colour"),
        ({"purpose": "a test", "vin": "SECRET", "status": "real"}, "status"),
        ({"purpose": "a test", "vin": "SECRET", "officer": "Jane SECRET"}, "officer"),
        ({"purpose": "a test", "plate": {"raw": "SECRET", "state": "fr"}}, "plate.state"),
        ({"purpose": "a test", "plate": {"raw": "SECRET", "type": "SECRET"}}, "plate.type"),
        ({"purpose": "a test", "person": {"name": "SECRET", "born": "1984-02-31"}}, "person"),
        ({"purpose": "a test", "person": {"name": "SECRET", "born": "17.5.1984"}}, "person.born"),
        ([], "the question"),
    ],
    ids=str,
)
def test_what_is_no_question_is_refused_without_its_values(given: Any, says: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_question(json.dumps(given).encode())
    assert says in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_each_question_knows_by_what_it_asks() -> None:
    parts = {
        "vin": "VF3LCYHZPFS000042",
        "plate": PLATE,
        "person": PERSON,
        "document": {"number": "C01X0006H"},
        "indicator": {"value": "192.0.2.45"},
    }
    assert {read_question(json.dumps({"purpose": "a test", by: parts[by]}).encode()).by for by in BY} == set(BY)
