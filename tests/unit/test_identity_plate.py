"""Plates: one normal form, whatever script or separators; and when a plate names a vehicle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hueandcry.identity import contradictions, normalise_plate
from hueandcry.identity.glyphs import CYRILLIC, GREEK
from hueandcry.identity.plate import is_mixed, plate_key


@pytest.mark.parametrize(
    ("raw", "state", "normalised"),
    [
        pytest.param("ab-123-cd", "FRA", "AB123CD", id="France"),
        pytest.param("B·MW 1234 E", "DEU", "BMW1234E", id="middle dot"),
        pytest.param("GÖ-AB 12", "DEU", "GOAB12", id="umlaut"),
        pytest.param("А 123 ВС 77", "RUS", "A123BC77", id="Russian letters"),
        pytest.param("а123вс77", "RUS", "A123BC77", id="small Russian letters"),
        pytest.param("ΥΧΗ-1234", "GRC", "YXH1234", id="Greek letters"),
        pytest.param("ＡＢ１２３", None, "AB123", id="full width"),
        pytest.param("ا ب ح ١٢٣٤", "SAU", "ABJ1234", id="Saudi letters and digits"),
        pytest.param("京A·12345", "CHN", "京A12345", id="Chinese province"),
    ],
)
def test_known_plates(raw: str, state: str | None, normalised: str) -> None:
    assert normalise_plate(raw, state) == normalised


@given(st.text(), st.sampled_from([None, "SAU", "RUS", "GRC"]))
def test_normalising_twice_changes_nothing(raw: str, state: str | None) -> None:
    once = normalise_plate(raw, state)
    assert normalise_plate(once, state) == once


@given(st.text(alphabet="ABEHIKMOPTXY0123456789 -", min_size=1), st.sampled_from([CYRILLIC, GREEK]), st.data())
def test_look_alikes_are_one_plate(raw: str, script: dict[str, str], data: st.DataObject) -> None:
    twins = {latin: char for char, latin in script.items()}
    changed = "".join(twins[char] if char in twins and data.draw(st.booleans()) else char for char in raw)
    assert normalise_plate(changed) == normalise_plate(raw)


def test_mixed_scripts_are_seen() -> None:
    assert is_mixed("AВ 123")
    assert not is_mixed("АВ 123")
    assert not is_mixed("AB 123")


NO_KEY = {
    "no state": {"raw": "AB123CD", "state": None, "type": "ordinary"},
    "type not known": {"raw": "AB123CD", "state": "FRA", "type": "unknown"},
    "no subdivision in the United States": {"raw": "ABC1234", "state": "USA", "type": "ordinary"},
    "stands for none": {"raw": "NO PLATE", "state": "FRA", "type": "ordinary"},
    "one character all over": {"raw": "0000000", "state": "FRA", "type": "ordinary"},
    "too short": {"raw": "A1", "state": "FRA", "type": "ordinary"},
    "empty": {"raw": "", "state": "FRA", "type": "ordinary"},
}


@pytest.mark.parametrize("plate", NO_KEY.values(), ids=list(NO_KEY))
def test_no_strong_key(plate: dict[str, str | None]) -> None:
    assert plate_key(plate) is None


def test_plates_of_two_states_types_or_subdivisions_differ() -> None:
    plates = [
        {"raw": "ABC1234", "state": "USA", "subdivision": "US-CA", "type": "ordinary"},
        {"raw": "ABC1234", "state": "USA", "subdivision": "US-NV", "type": "ordinary"},
        {"raw": "ABC1234", "state": "FRA", "subdivision": None, "type": "ordinary"},
        {"raw": "ABC1234", "state": "FRA", "subdivision": None, "type": "diplomatic"},
    ]
    assert len({plate_key(plate) for plate in plates}) == 4


YEAR_MS = 31_556_952_000
CAR = {
    "make": "Volkswagen", "year": 2019, "colours": ["blue"], "vin": {"raw": "WVWZZZ1JZ3W386752"}, "category": "car",
    "stolen_from": 0, "stolen_until": YEAR_MS,
}  # fmt: skip


@pytest.mark.parametrize(
    ("other", "fields"),
    [
        pytest.param({}, (), id="nothing known"),
        pytest.param({"make": "VW", "year": 2020, "colours": ["dark blue"]}, (), id="the same in other words"),
        pytest.param({"make": "Audi"}, (), id="of the same house"),
        pytest.param({"make": "Toyota"}, ("subject.make",), id="make"),
        pytest.param({"year": 2012}, ("subject.year",), id="year"),
        pytest.param({"colours": ["red"]}, ("subject.colours",), id="colour"),
        pytest.param({"colours": ["bleu"]}, (), id="a colour that is not known speaks against nothing"),
        pytest.param({"vin": {"raw": "WVWZZZ1JZ3W386753"}}, ("subject.vin.raw",), id="VIN"),
        pytest.param({"vin": {"raw": "11111111111111111"}}, (), id="a VIN that names no car"),
        pytest.param({"stolen_from": 10 * YEAR_MS}, (), id="less than ten years on"),
        pytest.param({"stolen_from": 12 * YEAR_MS}, ("subject.stolen_from",), id="period of a plate"),
        pytest.param({"stolen_from": 12 * YEAR_MS, "vin": {"raw": "wvwzzz1jz3w386752"}}, (), id="stolen twice"),
    ],
)
def test_what_speaks_against_one_vehicle(other: dict[str, object], fields: tuple[str, ...]) -> None:
    assert contradictions(CAR, other) == fields
    assert contradictions(other, CAR) == fields
