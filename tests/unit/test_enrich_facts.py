"""What the codes of an alert tell, and that the encoder takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fastavro
import pytest
from fastavro.schema import load_schema
from hypothesis import given
from hypothesis import strategies as st

from factories import SOUND, sound_cyber, sound_person, sound_vehicle
from hueandcry.enrich import enrich
from hueandcry.enrich.codes import offence_name, state_name
from hueandcry.enrich.vehicle import built_in, maker, year_candidates
from hueandcry.identity.vin import check_digit

AVRO = Path(__file__).parents[2] / "avro"
ENRICHMENT = load_schema(str(AVRO / "hueandcry.Enrichment.avsc"))
#: 1 March 2026 and 1 March 2004.
MARCH_2026, MARCH_2004 = 1_772_366_400_000, 1_078_142_400_000


@pytest.mark.parametrize("build", SOUND.values(), ids=list(SOUND))
def test_the_encoder_takes_it(build: Any) -> None:
    record = enrich(build())
    assert fastavro.validate(record, ENRICHMENT)
    assert record["facts"][0].startswith("hueandcry.")
    assert record["remarks"] == []


def test_a_kind_without_facts() -> None:
    record = enrich(sound_vehicle(kind="unknown"))
    assert record["facts"] is None
    assert fastavro.validate(record, ENRICHMENT)


def test_a_vehicle() -> None:
    name, facts = enrich(sound_vehicle())["facts"]
    assert name == "hueandcry.VehicleFacts"
    assert facts == {
        "vin": "VF3LCYHZPFS000042",
        "vin_quality": "no_check_digit",
        "maker": "Peugeot",
        "built_in": "France",
        "model_year": 2015,
        "plate": "AB123CD",
    }


def test_a_vehicle_of_which_nothing_is_known() -> None:
    _, facts = enrich(sound_vehicle(subject__vin=None, subject__plate=None))["facts"]
    assert facts == {
        "vin": None, "vin_quality": "unassessed", "maker": None, "built_in": None, "model_year": None, "plate": None,
    }  # fmt: skip


def vehicle_facts(vin: str, **changes: Any) -> dict[str, Any]:
    return enrich(sound_vehicle(subject__vin={"raw": vin}, **changes))["facts"][1]


MODEL_YEARS = {
    "North America, position 7 a digit": ("1M8GDM9A_KP042788", "truck", 1990, MARCH_2026, 1989),
    "North America, a car of the first cycle": ("1G1YY22G_55100001", "car", None, MARCH_2026, 2005),
    "North America, a car of the second cycle": ("1G1YY2AG_F5100001", "car", None, MARCH_2026, 2015),
    "North America, whatever the issuer gives": ("1G1YY2AG_F5100001", "car", 1985, MARCH_2026, 2015),
    "elsewhere, the year given": ("VF3LCYHZPFS000042", "car", 1986, MARCH_2026, 1985),
    "elsewhere, no year given": ("VF3LCYHZPFS000042", "car", None, MARCH_2026, 2015),
    "elsewhere, no year given, long ago": ("VF3LCYHZPFS000042", "car", None, MARCH_2004, 1985),
    "elsewhere, the maker codes no year": ("VF3LCYHZPFS000042", "car", 2001, MARCH_2026, None),
    "no year code": ("VF3LCYHZPZS000042", "car", 2015, MARCH_2026, None),
    "a letter of the future": ("VF3LCYHZPYS000042", "car", None, MARCH_2026, 2000),
}


@pytest.mark.parametrize(("vin", "category", "year", "at", "expected"), MODEL_YEARS.values(), ids=list(MODEL_YEARS))
def test_model_year(vin: str, category: str, year: int | None, at: int, expected: int | None) -> None:
    if "_" in vin:
        vin = vin.replace("_", check_digit(vin.replace("_", "0")))
    facts = vehicle_facts(vin, subject__category=category, subject__year=year, issued_at=at)
    assert facts["model_year"] == expected


@given(st.sampled_from("ABCDEFGHJKLMNPRSTVWXY123456789"))
def test_the_letters_of_the_year_come_round_after_thirty(code: str) -> None:
    years = year_candidates("0" * 9 + code + "0" * 7)
    assert years == (years[0], years[0] + 30, years[0] + 60)
    assert 1980 <= years[0] <= 2009


@pytest.mark.parametrize(
    ("wmi", "name"),
    [
        pytest.param("WVW", "Volkswagen", id="Volkswagen"),
        pytest.param("VF1", "Renault", id="a maker for which the library holds more than a name"),
        pytest.param("1G9", None, id="9 is all small makers at once"),
        pytest.param("QQQ", None, id="not assigned"),
    ],
)
def test_maker(wmi: str, name: str | None) -> None:
    assert maker(wmi) == name


@pytest.mark.parametrize(
    ("codes", "name"),
    [
        pytest.param("WV", "Germany", id="Germany"),
        pytest.param("JT", "Japan", id="Japan"),
        pytest.param("7A", "New Zealand", id="7A is New Zealand"),
        pytest.param("7S", "United States", id="7S is the United States"),
        pytest.param("U1", "North Macedonia", id="North Macedonia by its name"),
        pytest.param("00", None, id="not assigned"),
    ],
)
def test_built_in(codes: str, name: str | None) -> None:
    assert built_in(codes) == name


def test_a_bad_vin_tells_no_maker() -> None:
    facts = vehicle_facts("WVWZZZ1JZ3W38675O")
    assert (facts["vin_quality"], facts["maker"], facts["built_in"]) == ("illegal_characters", None, None)


def test_a_person() -> None:
    record = enrich(sound_person(subject__nationalities=["DEU", "XXA"]))
    assert record["state_name"] == "Germany"
    assert record["facts"][1] == {
        "names": ["JONAS MUSTERFELD", "AL TAMTHIL"],
        "nationalities": ["Germany", "Stateless person"],
        "born_precision": "day",
    }


def test_the_name_of_an_innocent_is_no_fact() -> None:
    identities = [{"type": "misused", "family": "Unschuldig", "given": "Karl"}]
    assert enrich(sound_person(subject__identities=identities))["facts"][1]["names"] == []


@pytest.mark.parametrize(
    ("born", "precision"),
    [
        ({"year": 1984, "month": 5, "day": 17}, "day"),
        ({"year": 1984, "month": 5, "day": None}, "month"),
        ({"year": 1984, "month": None, "day": None}, "year"),
        (None, "none"),
    ],
)
def test_precision_of_a_date_of_birth(born: dict[str, int | None] | None, precision: str) -> None:
    assert enrich(sound_person(subject__born=born))["facts"][1]["born_precision"] == precision


def test_indicators_are_counted_by_the_type_that_they_show() -> None:
    indicators = [
        {"type": "sha1", "value": "ab" * 32},
        {"type": "sha256", "value": "cd" * 32},
        {"type": "domain", "value": "45.33.32.156"},
    ]
    facts = enrich(sound_cyber(subject__indicators=indicators))["facts"][1]
    assert facts == {"indicators": [{"type": "ipv4", "count": 1}, {"type": "sha256", "count": 2}]}


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("01", "Acts leading to death or intending to cause death"),
        ("0101", "Intentional homicide"),
        ("05021", "Theft of a motorized vehicle or parts thereof"),
        ("050211", "Theft of a motorized vehicle or parts thereof"),
        ("0903", "Acts against computer systems"),
        ("99", None),
        ("", None),
    ],
)
def test_offences(code: str, name: str | None) -> None:
    assert offence_name(code) == name


def test_offences_are_named_once() -> None:
    alert = sound_vehicle(offences=[{"iccs": "0502"}, {"iccs": "0502"}, {"iccs": None}, {"iccs": "99"}])
    assert enrich(alert)["offences"] == ["Theft"]


@pytest.mark.parametrize(
    ("code", "name"),
    [("FRA", "France"), ("XXB", "Refugee (1951 Convention)"), ("RKS", "Kosovo"), ("AU", None)],
)
def test_states(code: str, name: str | None) -> None:
    assert state_name(code) == name
