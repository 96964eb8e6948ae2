"""Identity keys of whole alerts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import SOUND, sound_vehicle
from hueandcry.enrich import doubts, enrich
from hueandcry.identity import contradictions, hmac_key, identify, refusals
from spoiled import spoiled

SECRET = bytes(range(32))


def test_a_car_is_its_vin_and_claims_its_plate() -> None:
    key = identify(sound_vehicle())
    assert key == ("vehicle:vin:VF3LCYHZPFS000042", True, ("vehicle:plate:FRA::ordinary:AB123CD",))


def test_one_car_written_by_two_agencies_is_one() -> None:
    one = sound_vehicle(subject__vin__raw="vf3-lcyhzpfs 000042", issuer="de-bka", subject__plate=None)
    assert identify(one).key == identify(sound_vehicle()).key


def test_without_vin_it_is_its_plate_which_the_other_claims() -> None:
    by_plate = identify(sound_vehicle(subject__vin=None))
    assert by_plate.strong
    assert by_plate.key in identify(sound_vehicle()).claims


def test_without_both_it_is_its_engine() -> None:
    key = identify(sound_vehicle(subject__vin=None, subject__plate=None, subject__engine_number="10-FHAY 1234567"))
    assert (key.key, key.strong) == ("vehicle:engine:PEUGEOT:10FHAY1234567", True)


def test_stolen_plates_are_not_the_car_that_lost_them() -> None:
    plates = identify(sound_vehicle(subject__stolen="plate"))
    assert plates == ("plate:FRA::ordinary:AB123CD", True, ())
    car = identify(sound_vehicle(subject__stolen="vehicle"))
    assert plates.key not in (car.key, *car.claims)
    assert plates.key in identify(sound_vehicle(subject__stolen="both")).claims


WEAK: dict[str, dict[str, Any]] = {
    "nothing known": {"subject__vin": None, "subject__plate": None},
    "VIN from before 1981": {"subject__vin": {"raw": "118567321"}, "subject__plate": None},
    "VIN of ones": {"subject__vin": {"raw": "11111111111111111"}, "subject__plate": None},
    "VIN with a letter O": {"subject__vin": {"raw": "VF3LCYHZPFSO00042"}, "subject__plate": None},
    "plate without state": {"subject__vin": None, "subject__plate__state": None},
    "engine without make": {
        "subject__vin": None,
        "subject__plate": None,
        "subject__make": None,
        "subject__engine_number": "10FHAY1234567",
    },
    "kind not known": {"kind": "unknown"},
}


@pytest.mark.parametrize("changes", WEAK.values(), ids=list(WEAK))
def test_a_weak_alert_stands_alone(changes: dict[str, Any]) -> None:
    alert = sound_vehicle(**changes)
    assert identify(alert) == (f"alert:{alert['alert_id']}", False, ())


def test_kinds_never_share_a_key() -> None:
    prefixes = {identify(build()).key.partition(":")[0] for build in SOUND.values()}
    prefixes.add(identify(sound_vehicle(subject__stolen="plate")).key.partition(":")[0])
    prefixes.add(identify({}).key.partition(":")[0])
    assert prefixes == {"vehicle", "person", "cyber", "plate", "alert"}


@pytest.mark.parametrize("build", SOUND.values(), ids=list(SOUND))
def test_who_issues_and_when_does_not_matter(build: Any) -> None:
    other = build(issuer="jp-npa", issuing_state="JPN", national_reference="9", issued_at=0, version=7)
    assert identify(other) == identify(build())


def test_the_broker_sees_32_bytes_that_tell_nothing() -> None:
    key = identify(sound_vehicle()).key
    sealed = hmac_key(SECRET, key)
    assert len(sealed) == 32
    assert sealed == hmac_key(SECRET, key)
    assert sealed != hmac_key(SECRET[::-1], key)
    assert b"VF3" not in sealed


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        hmac_key(b"short", "vehicle:vin:X")


@given(st.text(), st.text())
def test_different_keys_are_sealed_differently(one: str, other: str) -> None:
    assert (hmac_key(SECRET, one) == hmac_key(SECRET, other)) == (one == other)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(spoiled())
def test_odd_input_never_raises(alert: dict[str, Any]) -> None:
    key = identify(alert)
    assert key.strong != key.key.startswith("alert:")
    assert key.key not in key.claims
    assert len(key.claims) <= 64
    assert enrich(alert)["remarks"] == []
    for remark in doubts(alert) + refusals(alert):
        assert remark.field
        assert remark.rule
        assert remark.message
    if isinstance(alert["subject"], dict):
        assert contradictions(alert["subject"], alert["subject"]) == ()
