"""Names in every script, and when two persons are one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import sound_person
from hueandcry.identity import identify, normalise_name
from hueandcry.identity.transliterate import transliterate


@pytest.mark.parametrize(
    ("name", "state", "expected"),
    [
        # ICAO Doc 9303 part 3, appendix B and the notes to table C.
        pytest.param("ابو بكر محمد بن زكريا الرازي", None, "ABW BKR MXHMD BN ZKRYA ALRAZY", id="ICAO: al-Razi"),
        pytest.param("هاري الشماع", None, "HARY ALXSHMAE", id="ICAO: Hari Al-Schamma"),
        pytest.param("جمال عبد الناصر", None, "JMAL EBD ALNAXSSR", id="ICAO: Gamal Abdel Nasser"),
        pytest.param("عبّاس", None, "EBBAS", id="ICAO: shadda doubles"),
        pytest.param("فضّة", None, "FXDZXDZXAH", id="ICAO: shadda, teh marbuta at the end"),
        pytest.param("مُحَمَّد", None, "MXHMMD", id="vowel signs are not encoded"),
        # Table A, and section 4.6 on punctuation.
        pytest.param("Gößmann", None, "GOESSMANN", id="table A: oe, ss"),
        pytest.param("Ødegård Þór", None, "OEDEGAARD THOR", id="table A: Nordic"),
        pytest.param("Łukasz Dvořák Núñez Şahin", None, "LUKASZ DVORAK NUNEZ SAHIN", id="table A: accents"),
        pytest.param("Nguyễn Thị Hồng", None, "NGUYEN THI HONG", id="accents that table A lacks"),
        pytest.param("O'Connor-Smith, J.R.", None, "OCONNOR SMITH JR", id="punctuation"),
        # Table B.
        pytest.param("Щербаков Юрий", "RUS", "SHCHERBAKOV IURII", id="table B: Russian"),
        pytest.param("Щербаков", "BGR", "SHTERBAKOV", id="table B: Bulgarian"),
        pytest.param("Юлія Гнатів Кий", "UKR", "YULIIA HNATIV KYI", id="table B: Ukrainian"),
        pytest.param("Живко Шарић Георгије", "SRB", "ZIVKO SARIC GEORGIJE", id="table B, but Serbian Г is G"),
        pytest.param("Ѓорѓи Ќосев Џафер", "MKD", "GJORGJI KJOSEV DJAFER", id="table B: Macedonian"),
        # ELOT 743.
        pytest.param("Γεώργιος Παπανδρέου", "GRC", "GEORGIOS PAPANDREOU", id="ELOT 743: ου"),
        pytest.param("Ευάγγελος Μπακάλης", "GRC", "EVANGELOS BAKALIS", id="ELOT 743: ευ, γγ, μπ"),
        # Pinyin of the library.
        pytest.param("王小明", "CHN", "WANG XIAOMING", id="Han"),
        pytest.param("歐陽娜娜", "CHN", "OUYANG NANA", id="Han, surname of two characters"),
        pytest.param("曾国藩", "CHN", "ZENG GUOFAN", id="Han, surname with a reading of its own"),
        pytest.param("홍길동", "KOR", "HONGGILDONG", id="Hangul"),
    ],
)
def test_known_names(name: str, state: str | None, expected: str) -> None:
    assert transliterate(name, state) == expected


@given(st.text(), st.sampled_from([None, "UKR", "SRB", "GRC"]))
def test_normalising_twice_changes_nothing(name: str, state: str | None) -> None:
    once = normalise_name(name, state=state)
    assert once.replace(" ", "").isalnum() or once == ""
    assert once.isascii()
    assert normalise_name(once, state=state) == once


@given(st.text(), st.text())
def test_family_and_given_name_may_be_swapped(family: str, given_name: str) -> None:
    assert normalise_name(family, given_name) == normalise_name(given_name, family)


def test_two_spellings_of_one_name() -> None:
    assert normalise_name("MÜLLER", "Jürgen") == normalise_name("Mueller", "JUERGEN")
    assert normalise_name("Іваненко", "Олег", state="UKR") == normalise_name("IVANENKO", "OLEH")


CONFIRMED = {"type": "confirmed", "family": "Musterfeld", "given": "Jonas", "original": None, "transliteration": None}
BORN = {"year": 1984, "month": 5, "day": 17, "estimated": False}
ONLY_NAME = {"subject__documents": [], "subject__biometrics": [], "subject__identities": [CONFIRMED]}


def test_a_document_leads_and_the_name_is_claimed() -> None:
    key = identify(sound_person())
    assert key.strong
    assert key.key == "person:doc:passport:DEU:C01X0006H"
    assert "person:name:JONAS MUSTERFELD:19840517:DEU" in key.claims


def test_the_name_leads_where_there_is_no_document() -> None:
    swapped = CONFIRMED | {"family": "JONAS", "given": "MUSTERFELD"}
    one = identify(sound_person(**ONLY_NAME))
    other = identify(sound_person(**ONLY_NAME | {"subject__identities": [swapped], "national_reference": "X"}))
    assert one.strong
    assert one.key == other.key == "person:name:JONAS MUSTERFELD:19840517:DEU"


WEAK = {
    "year only": {"subject__born": {"year": 1984, "month": None, "day": None, "estimated": False}},
    "no day": {"subject__born": BORN | {"day": None}},
    "estimated": {"subject__born": BORN | {"estimated": True}},
    "1 January": {"subject__born": BORN | {"month": 1, "day": 1}},
    "no date": {"subject__born": None},
    "no nationality": {"subject__nationalities": []},
    "nationality unspecified": {"subject__nationalities": ["XXX"]},
    "one word": {"subject__identities": [CONFIRMED | {"given": None}]},
    "only an alias": {"subject__identities": [CONFIRMED | {"type": "alias"}]},
    "standing of the identity not known": {"subject__identities": [CONFIRMED | {"type": "unknown"}]},
    "document without state": {"subject__documents": [{"type": "passport", "number": "C01X0006H", "state": None}],
                               "subject__born": None},
    "document of no class": {"subject__documents": [{"type": "other", "number": "C01X0006H", "state": "DEU"}],
                             "subject__born": None},
    "document number of zeros": {"subject__documents": [{"type": "passport", "number": "000000000", "state": "DEU"}],
                                 "subject__born": None},
}  # fmt: skip


@pytest.mark.parametrize("changes", WEAK.values(), ids=list(WEAK))
def test_too_weak_to_join(changes: dict[str, object]) -> None:
    alert = sound_person(**ONLY_NAME | changes)
    key = identify(alert)
    assert not key.strong
    assert key.key == f"alert:{alert['alert_id']}"


def test_a_misused_identity_makes_no_key() -> None:
    innocent = CONFIRMED | {"family": "Unschuldig", "given": "Karl", "type": "misused"}
    key = identify(sound_person(subject__identities=[CONFIRMED, innocent]))
    everything = " ".join((key.key, *key.claims))
    assert key.key == "person:name:JONAS MUSTERFELD:19840517:DEU"
    assert "UNSCHULDIG" not in everything
    assert "doc:" not in everything
    assert "biometric:" not in everything


def test_a_name_in_its_own_script_is_claimed() -> None:
    identity = CONFIRMED | {"family": "Hadi", "given": "Omar", "original": "عمر هادي", "transliteration": "EMR HADY"}
    key = identify(sound_person(**ONLY_NAME | {"subject__identities": [identity]}))
    assert key.claims == ("person:name:EMR HADY:19840517:DEU",)


def test_han_is_read_for_chinese_citizens_alone() -> None:
    identity = CONFIRMED | {"family": "Yamada", "given": "Taro", "original": "山田太郎"}
    japanese = sound_person(**ONLY_NAME | {"subject__identities": [identity], "subject__nationalities": ["JPN"]})
    assert identify(japanese).claims == ()
