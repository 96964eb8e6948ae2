"""Possible matches: whom they bring together, whom they never do, and what holds of all of them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories import SOUND, sound_cyber, sound_person, sound_vehicle
from hueandcry.identity import Likeness, identify, possible_match, proposal_keys
from hueandcry.identity.likeness_person import PERSON
from hueandcry.identity.likeness_threat import THREAT
from hueandcry.identity.likeness_vehicle import VEHICLE
from hueandcry.identity.proposals import KEYS
from spoiled import spoiled

MUSTERFELD = {"type": "confirmed", "family": "Musterfeld", "given": "Jonas", "original": None, "transliteration": None}
BORN = {"year": 1984, "month": 5, "day": 17, "estimated": False}
BARE: dict[str, Any] = {
    "subject__identities": [MUSTERFELD], "subject__documents": [], "subject__biometrics": [], "subject__warrant": None,
    "subject__birthplace": None, "subject__height_cm": None,
}  # fmt: skip


def bare_person(**changes: Any) -> dict[str, Any]:
    """Name, full date of birth, sex and nationality, and nothing else."""
    return sound_person(**BARE | changes)


def named(family: str, given_name: str | None, **more: Any) -> list[dict[str, Any]]:
    return [MUSTERFELD | {"family": family, "given": given_name} | more]


def bare_car(**changes: Any) -> dict[str, Any]:
    return sound_vehicle(**{"subject__components": [], "subject__place": None, "subject__stolen_from": None} | changes)


def proposed(one: dict[str, Any], other: dict[str, Any]) -> Likeness | None:
    """The likeness of two alerts that meet by a key; None where they do not meet at all."""
    return possible_match(one, other) if set(proposal_keys(one)) & set(proposal_keys(other)) else None


PERSONS = {
    "given and family name swapped, no day": (
        {},
        {"subject__identities": named("JONAS", "MUSTERFELD"), "subject__born": BORN | {"month": None, "day": None}},
        "likeness.name.same",
    ),
    "one letter of the name": ({}, {"subject__identities": named("Musterfelt", "Jonas")}, "likeness.name.sounds"),
    "a letter read wrong": ({}, {"subject__identities": named("Mustenfeld", "Jonas")}, "likeness.name.one_off"),
    "a second given name left out": ({}, {"subject__identities": named("Musterfeld", "Jonas Emil")},
                                     "likeness.name.part"),
    "name taken by marriage": (
        {"subject__identities": named("Musterfeld", "Annegret")},
        {"subject__identities": named("Beispiel", "Annegret"), "subject__birthplace": None},
        "likeness.name.given",
    ),
    "day and month swapped": (
        {"subject__born": BORN | {"day": 7}},
        {"subject__born": BORN | {"month": 7, "day": 5}},
        "likeness.born.swapped",
    ),
    "1 January for an unknown day": ({}, {"subject__born": BORN | {"month": 1, "day": 1}}, "likeness.born.year"),
    "Arabic by two spellings": (
        {"subject__identities": named("Al-Khalid", "Mohammed")},
        {"subject__identities": named("El Khaled", "Muhamad"), "subject__nationalities": []},
        "likeness.name.sounds",
    ),
    "Cyrillic, as Russia and as Germany write it": (
        {"subject__identities": named("Shcherbakov", "Aleksei")},
        {"subject__identities": named("Schtscherbakow", "Alexej"), "subject__nationalities": ["RUS"]},
        "likeness.name.sounds",
    ),
    "an alias of one is the other's name": (
        {"subject__identities": [MUSTERFELD, *named("Beispiel", "Emil", type="alias")]},
        {"subject__identities": named("Beispiel", "Emil"), "subject__nationalities": []},
        "likeness.alias",
    ),
    "passport number read wrong, another name": (
        {"subject__documents": [{"type": "passport", "number": "C01X0006H", "state": "DEU", "expires_on": None}]},
        {"subject__documents": [{"type": "passport", "number": "CO1XOOO6H", "state": None, "expires_on": None}],
         "subject__identities": named("Beispiel", "Jonas"), "subject__born": None},
        "likeness.document.confusable",
    ),
    "one warrant, no date of birth": (
        {"subject__warrant": {"reference": "12 Gs 345/26", "court": None, "issued_on": None}},
        {"subject__warrant": {"reference": "12Gs345/26", "court": None, "issued_on": None}, "subject__born": None},
        "likeness.warrant.same",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other", "rule"), PERSONS.values(), ids=list(PERSONS))
def test_persons_that_may_be_one(one: dict[str, Any], other: dict[str, Any], rule: str) -> None:
    found = proposed(bare_person(**one), bare_person(**other))
    assert found is not None
    assert rule in {reason.rule for reason in found.reasons}


NOT_ONE_PERSON: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "father and son": ({}, {"subject__born": BORN | {"year": 1958}}),
    "twins": ({}, {"subject__identities": named("Musterfeld", "Paul")}),
    "brother and sister": ({}, {"subject__sex": "female", "subject__identities": named("Musterfeld", "Jona")}),
    "namesakes of one year": ({}, {"subject__born": BORN | {"month": 9, "day": 23}}),
    "strangers of one day": ({}, {"subject__identities": named("Beispiel", "Emil")}),
    "accomplices in one warrant": (
        {"subject__warrant": {"reference": "12 Gs 345/26", "court": None, "issued_on": None}},
        {"subject__warrant": {"reference": "12 Gs 345/26", "court": None, "issued_on": None},
         "subject__identities": named("Beispiel", "Emil"), "subject__born": BORN | {"month": 9, "day": 23}},
    ),
    "a name alone": ({"subject__born": None, "subject__nationalities": []}, {"subject__nationalities": []}),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other"), NOT_ONE_PERSON.values(), ids=list(NOT_ONE_PERSON))
def test_persons_that_are_not_proposed(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert possible_match(bare_person(**one), bare_person(**other)) is None


@pytest.mark.parametrize(
    "own",
    [
        pytest.param(named("Unschuldig", "Karl"), id="under the innocent's name alone"),
        pytest.param([*named("Unschuldig", "Karl"), *named("Beispiel", "Emil", type="alias")], id="with an alias"),
        pytest.param([*named("Unschuldik", "Carl"), *named("Beispiel", "Emil", type="alias")], id="spelt otherwise"),
    ],
)
def test_the_owner_of_a_misused_identity_is_never_proposed(own: list[dict[str, Any]]) -> None:
    """Whatever else they share: the passport, the day and a record that the impostor was taken for."""
    misuser = sound_person(
        subject__identities=[
            *named("Beispiel", "Emil"),
            *named("Unschuldig", "Karl", type="misused"),
        ]
    )
    assert not any("UNSXLT" in key or "ANSLTK" in key or "KRL" in key for key in proposal_keys(misuser))
    innocent = sound_person(subject__identities=own)
    assert possible_match(misuser, innocent) is None
    assert possible_match(innocent, misuser) is None


def test_who_misuses_an_identity_is_found_by_an_alias() -> None:
    misused = named("Unschuldig", "Karl", type="misused")
    misuser = bare_person(subject__identities=[MUSTERFELD, *misused, *named("Beispiel", "Emil", type="alias")])
    assert proposed(misuser, bare_person(subject__identities=named("Beispiel", "Emil"))) is not None


VIN = "VF3LCYHZPFS000042"
CARS = {
    "a letter of the VIN read wrong": (
        {"subject__plate": None},
        {"subject__plate": None, "subject__vin__raw": "VF3LCYH2PFS000042"},
        "likeness.vin.confusable",
    ),
    "letters that no VIN has": (
        {"subject__plate": None},
        {"subject__plate": None, "subject__vin__raw": "VF3LCYHZPFSOOOO42"},
        "likeness.vin.confusable",
    ),
    "the last eight alone": (
        {"subject__plate": None},
        {"subject__plate": None, "subject__vin__raw": "FS000042"},
        "likeness.vin.part",
    ),
    "a wrong VIN with the right plate": (
        {},
        {"subject__vin__raw": "VF3LCYHZPFS000024"},
        "likeness.vin.slip",
    ),
    "a serial from before 1981": (
        {"subject__vin__raw": "118 567 321", "subject__plate": None, "subject__year": 1968},
        {"subject__vin__raw": "118567321", "subject__plate": None, "subject__year": 1968},
        "likeness.vin.serial",
    ),
    "a plate read wrong": (
        {"subject__vin": None},
        {"subject__vin": None, "subject__plate__raw": "A8-I23-CD"},
        "likeness.plate.confusable",
    ),
    "a plate without its state": (
        {"subject__vin": None},
        {"subject__vin": None, "subject__plate__state": None},
        "likeness.plate.bare",
    ),
    "an engine in another make's words": (
        {"subject__vin": None, "subject__plate": None, "subject__engine_number": "10-FHAY 1234567"},
        {"subject__vin": None, "subject__plate": None, "subject__engine_number": "10FHAY1234567",
         "subject__make": None},
        "likeness.engine.same",
    ),
    "a gearbox": (
        {"subject__vin": None, "subject__components": [{"part": "gearbox", "serial": "GB-77120"}]},
        {"subject__plate": None, "subject__components": [{"part": "gearbox", "serial": "GB 77120"}]},
        "likeness.component.same",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other", "rule"), CARS.values(), ids=list(CARS))
def test_vehicles_that_may_be_one(one: dict[str, Any], other: dict[str, Any], rule: str) -> None:
    found = proposed(bare_car(**one), bare_car(**other))
    assert found is not None
    assert rule in {reason.rule for reason in found.reasons}


NOT_ONE_CAR: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "neighbours of one series": ({}, {"subject__vin__raw": "VF3LCYHZPFS000043", "subject__plate__raw": "AB-124-CD"}),
    "one series, no plate": ({"subject__plate": None}, {"subject__plate": None,
                                                       "subject__vin__raw": "VF3LCYHZPFS000043"}),
    "two VINs, one plate": ({}, {"subject__vin__raw": "VF3LCYHZPFS917742"}),
    "a plate issued again, another make": (
        {"subject__vin": None},
        {"subject__vin": None, "subject__make": "TOYOTA", "subject__model": "YARIS"},
    ),
    "a plate issued again, ten years on": (
        {"subject__vin": None, "subject__stolen_from": 1_000_000_000_000, "subject__stolen_until": None},
        {"subject__vin": None, "subject__stolen_from": 1_400_000_000_000, "subject__stolen_until": None},
    ),
    "plates of two states": ({"subject__vin": None}, {"subject__vin": None, "subject__plate__state": "ITA"}),
    "the plates of a car, and a car": ({"subject__stolen": "plate"}, {"subject__stolen": "vehicle"}),
    "two North American VINs that both hold": (
        {"subject__vin__raw": "1M8GDM9AXKP042788", "subject__make": None},
        {"subject__vin__raw": "1M8GDM9A1KP042789", "subject__make": None},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other"), NOT_ONE_CAR.values(), ids=list(NOT_ONE_CAR))
def test_vehicles_that_are_not_proposed(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert possible_match(bare_car(**one), bare_car(**other)) is None


def threat(*values: tuple[str, str], **more: Any) -> dict[str, Any]:
    changes = {"subject__actor": None, "subject__malware": [], "subject__pattern": None, "subject__techniques": []}
    indicators = [{"type": kind, "value": value} for kind, value in values]
    return sound_cyber(
        subject__indicators=indicators, **changes | {f"subject__{name}": by for name, by in more.items()}
    )


FILE = ("sha256", "ab" * 32)
THREATS = {
    "one file of several": (threat(FILE, ("ipv4", "45.33.32.156")), threat(FILE, ("domain", "evil.example")),
                            "likeness.indicator.hash"),
    "two addresses of several": (
        threat(("ipv4", "45.33.32.156"), ("ipv4", "45.33.32.157"), ("domain", "a.evil.example")),
        threat(("ipv4", "45.33.32.156"), ("ipv4", "45.33.32.157"), ("domain", "b.other.example")),
        "likeness.indicator.address",
    ),
    "hosts of one registered domain, one malware": (
        threat(("domain", "a1.evil.example"), malware=["ExampleStealer"], actor="Example Spider"),
        threat(("url", "http://b7.evil.example/x"), malware=["Example Stealer"], actor="EXAMPLE SPIDER"),
        "likeness.domain.registered",
    ),
    "pages of one host, one malware": (
        threat(("url", "http://evil.example/a"), malware=["ExampleStealer"]),
        threat(("url", "http://evil.example/b"), malware=["ExampleStealer"]),
        "likeness.host.same",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other", "rule"), THREATS.values(), ids=list(THREATS))
def test_threats_that_may_be_one(one: dict[str, Any], other: dict[str, Any], rule: str) -> None:
    found = proposed(one, other)
    assert found is not None
    assert rule in {reason.rule for reason in found.reasons}


NOT_ONE_THREAT = {
    "a proxy that half of all share": (
        threat(("ipv4", "45.33.32.156"), ("domain", "a.evil.example")),
        threat(("ipv4", "45.33.32.156"), ("domain", "b.other.example")),
    ),
    "malware and actor alone": (
        threat(("domain", "a.evil.example"), malware=["ExampleStealer"], actor="Example Spider"),
        threat(("domain", "b.other.example"), malware=["ExampleStealer"], actor="Example Spider"),
    ),
    "stop values alone": (threat(("ipv4", "8.8.8.8"), ("ipv4", "10.0.0.1")),) * 2,
    "two tenants of one suffix": (
        threat(("domain", "a.github.io"), malware=["ExampleStealer"]),
        threat(("domain", "b.github.io"), malware=["ExampleStealer"]),
    ),
    "two files of a well-known host": (
        threat(("url", "https://github.com/evil/repo"), malware=["ExampleStealer"]),
        threat(("url", "https://github.com/other/thing"), malware=["ExampleStealer"]),
    ),
    "one of very many": (
        threat(("domain", "z.evil.example"), *(("domain", f"a{n}.one{n}.example") for n in range(99))),
        threat(("domain", "z.evil.example"), *(("domain", f"b{n}.two{n}.example") for n in range(99))),
    ),
}


@pytest.mark.parametrize(("one", "other"), NOT_ONE_THREAT.values(), ids=list(NOT_ONE_THREAT))
def test_threats_that_are_not_proposed(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert possible_match(one, other) is None


def test_many_aliases_and_many_indicators_are_bounded() -> None:
    aliases = [each for number in range(500) for each in named(f"Falschname{number:03}", "Emil " * 50, type="alias")]
    known = bare_person(subject__identities=[*aliases, MUSTERFELD])
    assert proposed(known, bare_person(subject__identities=[*aliases[:300], MUSTERFELD])) is not None
    feed = [("domain", f"h{number}.evil{number}.example") for number in range(10_000)]
    assert proposed(threat(*feed), threat(*feed[:-1])) is not None


def test_kinds_and_statuses_are_kept_apart() -> None:
    actual, exercise = sound_person(), sound_person(status="exercise")
    assert possible_match(actual, exercise) is None
    assert possible_match(actual, sound_vehicle()) is None
    assert possible_match({}, {}) is None
    assert proposal_keys({"kind": "unknown"}) == ()


@pytest.mark.parametrize("table", [PERSON, VEHICLE, THREAT])
def test_a_table_of_weights_names_fields_of_the_schema(table: dict[str, Any]) -> None:
    subjects = {"subject." + name for build in SOUND.values() for name in build()["subject"]}
    for rule, weight in table.items():
        assert ".".join(weight.field.split(".")[:2]) in subjects, rule
        assert weight.message.endswith(".")
        assert weight.bits is None or -20 <= weight.bits <= 20


@st.composite
def varied(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """A sound alert some of whose fields are gone, or are of a few values that errors make of one another."""
    alert = SOUND[kind](national_reference=str(draw(st.integers(0, 99))))
    subject = alert["subject"]
    for name in sorted(subject):
        if draw(st.integers(0, 3)) == 0:
            subject[name] = [] if isinstance(subject[name], list) else None
    if kind == "wanted_person":
        subject["identities"] = draw(st.lists(st.builds(
            lambda kind, family, given_name: MUSTERFELD | {"type": kind, "family": family, "given": given_name},
            st.sampled_from(["confirmed", "alias", "misused"]),
            st.sampled_from(["Musterfeld", "Musterfelt", "Jonas", "محمد", "Щербаков", ""]),
            st.sampled_from(["Jonas", "J", "Jonas Emil", "Musterfeld", None]),
        ), max_size=3))  # fmt: skip
        subject["born"] = draw(st.sampled_from([BORN, BORN | {"day": None}, BORN | {"month": 17, "day": 5}, None]))
        subject["sex"] = draw(st.sampled_from(["male", "female", "unknown"]))
    elif kind == "stolen_vehicle":
        subject["vin"] = draw(
            st.sampled_from([None, *({"raw": raw} for raw in (VIN, VIN[9:], VIN[:-1] + "3", "12345"))])
        )
        subject["plate"] = draw(st.none() | st.fixed_dictionaries({
            "raw": st.sampled_from(["AB123CD", "A8123CD", "AB124CD", "АВ123СD"]),
            "state": st.sampled_from(["FRA", "ITA", None]),
            "type": st.sampled_from(["ordinary", "unknown", "police"]),
        }))  # fmt: skip
        subject["stolen"] = draw(st.sampled_from(["vehicle", "plate", "both", "unknown"]))
    else:
        subject["indicators"] = draw(st.lists(st.sampled_from([
            {"type": "domain", "value": "a.evil.example"}, {"type": "url", "value": "http://b.evil.example/x"},
            {"type": "ipv4", "value": "45.33.32.156"}, {"type": "ipv4", "value": "8.8.8.8"},
            {"type": "sha256", "value": "ab" * 32}, {"type": "filename", "value": "x.exe"},
        ]), max_size=5))  # fmt: skip
    return alert


pairs = st.sampled_from(sorted(SOUND)).flatmap(lambda kind: st.tuples(varied(kind), varied(kind)))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(pairs)
def test_likeness_is_the_same_both_ways_and_explains_itself(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    one, other = pair
    before = deepcopy(pair)
    found = possible_match(one, other)
    assert found == possible_match(other, one)
    assert pair == before
    if found is not None:
        assert 0.5 <= found.score < 1
        assert found.reasons
        tables = PERSON | VEHICLE | THREAT
        for reason in found.reasons:
            weight = tables[reason.rule.removeprefix("likeness.")]
            assert (reason.field, reason.message) == (weight.field, weight.message)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(pairs)
def test_keys_are_few_and_never_identity_keys(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for alert in pair:
        keys = proposal_keys(alert)
        assert len(keys) == len(set(keys)) <= KEYS
        assert all(key.startswith("possible:") for key in keys)
        identity = identify(alert)
        assert not {identity.key, *identity.claims} & set(keys)


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(item) for name, item in reversed(value.items())}
    return [_reversed(item) for item in reversed(value)] if isinstance(value, list) else value


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(pairs)
def test_the_order_in_which_things_are_written_does_not_matter(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Colours and indicators of a pattern aside, an alert's lists have no order."""
    turned = tuple(_reversed(alert) for alert in pair)
    assert [proposal_keys(alert) for alert in turned] == [proposal_keys(alert) for alert in pair]
    assert possible_match(*turned) == possible_match(*pair)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(spoiled(), spoiled())
def test_odd_input_never_raises(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert len(proposal_keys(one)) <= KEYS
    assert possible_match(one, other) == possible_match(other, one)
    possible_match(one, one)
