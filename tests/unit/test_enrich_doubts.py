"""Doubts: each names field and rule, and none tells the value."""

from __future__ import annotations

from typing import Any

import pytest

from factories import SOUND, sound_cyber, sound_person, sound_vehicle
from hueandcry.enrich import doubts

CONFIRMED = {"type": "confirmed", "family": "Musterfeld", "given": "Jonas", "original": None, "transliteration": None}

DOUBTFUL: dict[str, tuple[dict[str, Any], str, str]] = {
    "short VIN": (sound_vehicle(subject__vin={"raw": "118567321"}), "subject.vin.raw", "vin.length"),
    "long VIN": (sound_vehicle(subject__vin={"raw": "VF3LCYHZPFS0000421"}), "subject.vin.raw", "vin.length"),
    "VIN of ones": (
        sound_vehicle(subject__vin={"raw": "1" * 17}, subject__make=None, subject__year=None),
        "subject.vin.raw",
        "vin.placeholder",
    ),
    "check digit outside North America": (
        sound_vehicle(subject__vin={"raw": "VF3LCYHZ1FS000042"}),
        "subject.vin.raw",
        "vin.no_check_digit",
    ),
    "check digit in China": (
        sound_vehicle(subject__vin={"raw": "LSVAA49J1E2000001"}, subject__make="VW", subject__year=2014),
        "subject.vin.raw",
        "vin.no_check_digit",
    ),
    "another maker": (sound_vehicle(subject__make="TOYOTA"), "subject.make", "vehicle.make_contradicts_vin"),
    "another year": (
        sound_vehicle(subject__vin={"raw": "1M8GDM9AXKP042788"}, subject__year=1995, subject__make=None),
        "subject.year",
        "vehicle.year_contradicts_vin",
    ),
    "mixed scripts": (sound_vehicle(subject__plate__raw="АB-123-CD"), "subject.plate.raw", "plate.mixed_scripts"),
    "plate without state": (sound_vehicle(subject__plate__state=None), "subject.plate.state", "plate.no_state"),
    "plate without subdivision": (
        sound_vehicle(subject__plate__state="USA"),
        "subject.plate.subdivision",
        "plate.no_subdivision",
    ),
    "offence of no section": (sound_vehicle(offences=[{"iccs": "77"}]), "offences.iccs", "offence.unknown_code"),
    "1 January": (
        sound_person(subject__born={"year": 1984, "month": 1, "day": 1, "estimated": False}),
        "subject.born",
        "person.first_of_january",
    ),
    "nationality by an NCIC code": (
        sound_person(subject__nationalities=["AU"]),
        "subject.nationalities",
        "person.unknown_nationality",
    ),
    "name in another script": (
        sound_person(subject__identities=[CONFIRMED | {"family": "Мюллер"}]),
        "subject.identities.family",
        "person.name_not_latin",
    ),
    "type of an indicator": (
        sound_cyber(subject__indicators=[{"type": "sha1", "value": "ab" * 32}]),
        "subject.indicators.type",
        "indicator.type",
    ),
    "no form at all": (
        sound_cyber(subject__indicators=[{"type": "ipv4", "value": "045.1.1.1"}]),
        "subject.indicators.type",
        "indicator.type",
    ),
    "private address": (
        sound_cyber(subject__indicators=[{"type": "ipv4", "value": "10.0.0.1"}]),
        "subject.indicators.value",
        "indicator.stop_value",
    ),
}


@pytest.mark.parametrize(("alert", "field", "rule"), DOUBTFUL.values(), ids=list(DOUBTFUL))
def test_doubtful(alert: dict[str, Any], field: str, rule: str) -> None:
    (remark,) = doubts(alert)
    assert (remark.field, remark.rule) == (field, rule)


@pytest.mark.parametrize("alert", [case[0] for case in DOUBTFUL.values()], ids=list(DOUBTFUL))
def test_no_doubt_tells_a_value(alert: dict[str, Any]) -> None:
    def values(item: Any) -> list[str]:
        if isinstance(item, dict):
            return [found for part in item.values() for found in values(part)]
        if isinstance(item, list):
            return [found for part in item for found in values(part)]
        return [item] if isinstance(item, str) and len(item) > 4 and any(char.isdigit() for char in item) else []

    told = " ".join(remark.message for remark in doubts(alert))
    assert not [value for value in values(alert["subject"]) if value in told]


NOT_DOUBTFUL = {
    **{f"sound {name}": build() for name, build in SOUND.items()},
    "1 January, known to be estimated": sound_person(
        subject__born={"year": 1984, "month": 1, "day": 1, "estimated": True}
    ),
    "make in other words": sound_vehicle(subject__make="Automobiles Peugeot"),
    "maker of the same house": sound_vehicle(subject__make="CITROEN"),
    "make of no house that we know": sound_vehicle(subject__make=None),
    "plate in its own script": sound_vehicle(subject__plate__raw="А 123 ВС 77", subject__plate__state="RUS"),
    "accents": sound_person(subject__identities=[CONFIRMED | {"family": "Nguyễn", "given": "Þóra"}]),
    "tractor": sound_vehicle(subject__vin={"raw": "1RW8320RXXX"}, subject__category="tractor"),
    "indicator without type": sound_cyber(subject__indicators=[{"type": "unknown", "value": "ab" * 32}]),
}


@pytest.mark.parametrize("alert", NOT_DOUBTFUL.values(), ids=list(NOT_DOUBTFUL))
def test_not_doubtful(alert: dict[str, Any]) -> None:
    assert doubts(alert) == []


def test_ten_thousand_bad_indicators_get_no_ten_thousand_remarks() -> None:
    indicators = [{"type": "md5", "value": f"no hash {number}"} for number in range(10_000)]
    assert len(doubts(sound_cyber(subject__indicators=indicators))) == 20


def test_a_misused_identity_is_marked_as_that_of_an_innocent_person_and_not_named() -> None:
    alert = sound_person(subject__identities__1__type="misused")
    (remark,) = [each for each in doubts(alert) if each.rule == "person.misused_identity"]
    assert (remark.field, remark.place) == ("subject.identities.type", "[1]")
    assert "innocent" in remark.message
    assert alert["subject"]["identities"][1]["family"] not in remark.message
    assert not [each for each in doubts(sound_person()) if each.rule == "person.misused_identity"]
