"""VINs: what is normal, what is refused, what names a car."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from vininfo import Vin as LibraryVin

from factories import sound_vehicle
from hueandcry.identity import normalise_vin, refusals
from hueandcry.identity.vin import LEGAL, check_digit

legal = st.text(alphabet=sorted(LEGAL), min_size=17, max_size=17)
SAME_VALUE = {}
for group in ("1AJ", "2BKS", "3CLT", "4DMU", "5ENV", "6FW", "7GPX", "8HY", "9RZ"):
    for char in group:
        SAME_VALUE[char] = group


def with_check_digit(vin: str) -> str:
    return vin[:8] + check_digit(vin) + vin[9:]


def north_american(vin: str) -> str:
    return with_check_digit("1" + vin[1:])


@pytest.mark.parametrize(
    ("raw", "normalised", "quality"),
    [
        # 49 CFR 565 and its literature: the number that every VIN decoder is tried with.
        pytest.param("1M8GDM9AXKP042788", "1M8GDM9AXKP042788", "valid", id="check digit X"),
        pytest.param("11111111111111111", "11111111111111111", "valid", id="seventeen ones"),
        pytest.param(" 1m8-gdm9a xkp.042788 ", "1M8GDM9AXKP042788", "valid", id="small letters and separators"),
        pytest.param("１Ｍ８ＧＤＭ９ＡＸＫＰ０４２７８８", "1M8GDM9AXKP042788", "valid", id="full width"),
        pytest.param("1M8GDM9AXKP042789", "1M8GDM9AXKP042789", "check_digit_failed", id="one digit wrong"),
        pytest.param("1M8GDM9A1KP042788", "1M8GDM9A1KP042788", "check_digit_failed", id="check digit wrong"),
        pytest.param(
            "7SAYGDEE0PF000001", "7SAYGDEE0PF000001", "check_digit_failed", id="7F to 70 is the United States"
        ),
        pytest.param("7A8BB0H0004000001", "7A8BB0H0004000001", "no_check_digit", id="7A to 7E is New Zealand"),
        pytest.param("WVWZZZ1JZ3W386752", "WVWZZZ1JZ3W386752", "no_check_digit", id="Europe"),
        pytest.param("3VWZZZ1JZ3M386752", "3VWZZZ1JZ3M386752", "no_check_digit", id="built in Mexico for Europe"),
        pytest.param("3VWSZZ1JZ3M386752", "3VWSZZ1JZ3M386752", "check_digit_failed", id="Z alone is no filler"),
        pytest.param("1M8GDM9AXKPO42788", "1M8GDM9AXKPO42788", "illegal_characters", id="letter O"),
        pytest.param("WVWZZZ1JZ3W38675Ü", "WVWZZZ1JZ3W38675Ü", "illegal_characters", id="umlaut"),
        pytest.param("1М8GDM9AXKP042788", "1М8GDM9AXKP042788", "illegal_characters", id="Cyrillic М is not changed"),
        pytest.param("118 567 321", "118567321", "short", id="serial from before 1981"),
        pytest.param("1M8GDM9AXKP0427881", "1M8GDM9AXKP0427881", "unassessed", id="too long"),
        pytest.param(" - ", "", "unassessed", id="empty"),
    ],
)
def test_known_numbers(raw: str, normalised: str, quality: str) -> None:
    reading = normalise_vin(raw)
    assert (reading.normalised, reading.quality) == (normalised, quality)


@example("A¯")
@given(st.text())
def test_normalising_twice_changes_nothing(raw: str) -> None:
    once = normalise_vin(raw)
    assert normalise_vin(once.normalised).normalised == once.normalised


@example("6FP00000000000000")
@given(legal)
def test_the_check_digit_is_that_of_the_library(vin: str) -> None:
    # The library says of some makers' numbers, whatever they are, that they are wrong: those that use no check digit.
    assume(getattr(LibraryVin(vin).assembler, "uses_sae_checkdigit", True))
    for number in (vin, with_check_digit(vin)):
        assert (check_digit(number) == number[8]) == LibraryVin(number).verify_checksum(check_year=False)


@given(legal, st.integers(0, 16), st.sampled_from(sorted(LEGAL)))
def test_one_wrong_character_is_found_unless_it_counts_the_same(vin: str, place: int, char: str) -> None:
    sound = north_american(vin)
    wrong = sound[:place] + char + sound[place + 1 :]
    quality = normalise_vin(wrong).quality
    same = wrong == sound or (place != 8 and char in SAME_VALUE.get(sound[place], sound[place]))
    if same and wrong[0] == "1":
        assert quality == "valid"
    elif normalise_vin(wrong).north_american and not (wrong[3:6] == "ZZZ" and wrong[8] == "Z"):
        assert quality == "check_digit_failed"


@given(legal)
def test_outside_north_america_no_check_digit_is_asked_for(vin: str) -> None:
    assert normalise_vin("W" + vin[1:]).quality in {"valid", "no_check_digit"}


def test_last_eight() -> None:
    assert normalise_vin("1M8GDM9AXKP042788").last8 == "KP042788"


REFUSED = {
    "check digit": ("1M8GDM9AXKP042789", "car", "vin.check_digit", "position 9"),
    "letter O": ("1M8GDM9AXKPO42788", "car", "vin.illegal_characters", "position 12"),
    "letter of another script": ("1М8GDM9AXKP042788", "van", "vin.illegal_characters", "position 2"),
    "category not known": ("1M8GDM9AXKP042789", "unknown", "vin.check_digit", "position 9"),
}


@pytest.mark.parametrize(("raw", "category", "rule", "place"), REFUSED.values(), ids=list(REFUSED))
def test_refused(raw: str, category: str, rule: str, place: str) -> None:
    (remark,) = refusals(sound_vehicle(subject__vin={"raw": raw}, subject__category=category))
    assert (remark.field, remark.rule, remark.place) == ("subject.vin.raw", rule, place)
    assert raw not in remark.message


@pytest.mark.parametrize(
    ("raw", "category"),
    [
        pytest.param("1M8GDM9AXKP042788", "car", id="sound"),
        pytest.param("WVWZZZ1JZ3W386752", "car", id="European"),
        pytest.param("1RW8320RXXX000000", "tractor", id="a machine's number is of ISO 10261"),
        pytest.param("FR-ABC12345D606", "boat", id="a hull number"),
        pytest.param("118 567 321", "car", id="from before 1981"),
    ],
)
def test_not_refused(raw: str, category: str) -> None:
    assert refusals(sound_vehicle(subject__vin={"raw": raw}, subject__category=category)) == []


def test_an_alert_without_vin_is_not_refused() -> None:
    assert refusals(sound_vehicle(subject__vin=None)) == []
