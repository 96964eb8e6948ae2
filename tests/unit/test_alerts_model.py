"""The publisher's side: the fields of avro/, JSON in and out, nothing made that admit would refuse."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from factories import DAY_MS, NOW_MS, SOUND, sound_cyber, sound_person, sound_vehicle
from hueandcry.alerts.checks import check
from hueandcry.alerts.ids import alert_id
from hueandcry.alerts.model import Alert, complete, problems

AVRO = Path(__file__).parents[2] / "avro"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


# The same fields as avro/


def avro(name: str) -> Any:
    return json.loads((AVRO / f"{name}.avsc").read_text())


def avro_family(schema: Any) -> Any:
    """An Avro type in the words of `model_family`."""
    if isinstance(schema, list):
        families = [avro_family(branch) for branch in schema if branch != "null"]
        return ("optional", *families) if "null" in schema else tuple(families) if len(families) > 1 else families[0]
    if isinstance(schema, str):
        return avro_family(avro(schema)) if schema.startswith("hueandcry.") else schema
    match schema["type"]:
        case "record":
            return {field["name"]: avro_family(field["type"]) for field in schema["fields"]}
        case "enum":
            return frozenset(schema["symbols"]) - {"unknown"}
        case "array":
            return [avro_family(schema["items"])]
        case primitive:
            return schema["logicalType"] if schema.get("logicalType", "uuid") != "uuid" else primitive


PRIMITIVES = {str: "string", int: "int", bool: "boolean", float: "double", bytes: "bytes", date: "date"}


def model_family(annotation: Any) -> Any:
    """A model's type: what it is in Avro."""
    origin = get_origin(annotation)
    if origin is Literal:
        return frozenset(get_args(annotation)) - {"unknown"}
    if origin is tuple:
        return [model_family(get_args(annotation)[0])]
    if origin in (Union, UnionType):
        families = [model_family(part) for part in get_args(annotation) if part is not type(None)]
        return ("optional", *families) if type(None) in get_args(annotation) else tuple(families)
    if hasattr(annotation, "__metadata__"):
        return model_family(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {name: model_family(field.annotation) for name, field in annotation.model_fields.items()}
    if isinstance(annotation, type) and issubclass(annotation, datetime):
        return "timestamp-millis"
    return PRIMITIVES.get(annotation, "timestamp-millis" if annotation.__name__ == "AwareDatetime" else annotation)


def test_the_model_has_the_very_fields_of_the_schema():
    assert model_family(Alert) == avro_family("hueandcry.Alert")


def test_every_default_is_the_schemas_own():
    for record in SOUND.values():
        alert = Alert.from_record(record())
        for model, name in ((alert, "Alert"), (alert.subject, type(alert.subject).__name__)):
            for field in avro(f"hueandcry.{name}")["fields"]:
                if "default" in field:
                    default = type(model).model_fields[field["name"]].default
                    assert (list(default) if default == () else default) == field["default"], field["name"]


# In and out


@pytest.mark.parametrize("kind", SOUND)
def test_records_and_json_go_round(kind: str):
    record = SOUND[kind]()
    alert = Alert.from_record(record)
    assert alert.to_record() == record
    assert Alert.model_validate_json(alert.model_dump_json()) == alert
    assert Alert.model_validate(json.loads(alert.model_dump_json())).to_record() == record


NAMES = st.sampled_from(["Musterfeld", "", " ", "محمد التمثيل", "王小明", "Ó Duibhir", "x" * 4_097, "a\x1bb", "\ud800"])
MAYBE_STATES = st.sampled_from(["FRA", "DEU", "XXA", "fr", "ZZZ", "", None])
TIMES = (
    st.none() | st.integers(NOW_MS - 20 * 366 * DAY_MS, NOW_MS + 20 * 366 * DAY_MS) | st.integers(-(2**63), 2**63 - 1)
)
CHANGES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "": {
        "version": st.integers(-1, 3),
        "message_type": st.sampled_from(["issue", "update", "withdraw", "expire"]),
        "issuing_state": st.sampled_from(["FRA", "USA", "FR"]),
        "issued_at": st.integers(NOW_MS - 11 * 366 * DAY_MS, NOW_MS) | st.integers(-(2**63), 2**63 - 1),
        "effective_from": TIMES,
        "expires_at": TIMES,
        "category": st.sampled_from(["arrest", "seizure", "detect", "block", "discreet_check"]),
        "action": st.sampled_from(["arrest", "seize", "monitor", "block", "check_discreetly"]),
        "circulation": st.lists(st.sampled_from(["world", "FRA", "europe", "FR-69", "France"]), max_size=2),
        "excluded": st.lists(st.sampled_from(["RUS", "de-bka", "Nobody"]), max_size=2),
        "remarks": st.none() | NAMES,
        "national_reference": st.sampled_from(["A-1", "", " A", "A\n1"]),
    },
    "stolen_vehicle": {
        "subject__vin": st.none(),
        "subject__plate": st.none(),
        "subject__components": st.just([]),
        "subject__make": st.none() | NAMES,
        "subject__year": st.none() | st.integers(-5, 2300),
        "subject__stolen_from": TIMES,
        "subject__place__latitude": st.none() | st.floats(-100, 100),
        "subject__place__state": MAYBE_STATES,
    },
    "wanted_person": {
        "subject__identities__0__family": NAMES,
        "subject__identities__1__original": st.none() | NAMES,
        "subject__born__month": st.none() | st.integers(0, 13),
        "subject__born__day": st.none() | st.integers(0, 32),
        "subject__height_cm": st.none() | st.integers(0, 300),
        "subject__documents__0__expires_on": st.none() | st.integers(-(2**31), 2**31 - 1),
        "subject__documents__0__state": MAYBE_STATES,
        "subject__warnings": st.lists(st.sampled_from(["armed", "violent"])),
    },
    "cyber": {
        "subject__pattern": st.none() | NAMES,
        "subject__indicators": st.lists(st.fixed_dictionaries({"type": st.just("url"), "value": NAMES}), max_size=2),
        "subject__valid_from": TIMES,
        "subject__valid_until": TIMES,
        "subject__confidence": st.integers(-3, 103),
        "subject__techniques": st.lists(st.sampled_from(["T1566", "T1566.001", "1566"]), max_size=2),
        "subject__sightings__0__count": st.integers(-1, 2),
    },
}


@st.composite
def perhaps_sound(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(list(SOUND)))
    possible = {**CHANGES[""], **CHANGES[kind]}
    chosen = draw(st.lists(st.sampled_from(list(possible)), max_size=3, unique=True))
    return SOUND[kind](**{name: draw(possible[name]) for name in chosen})


@settings(max_examples=400, deadline=None)
@given(perhaps_sound())
def test_the_model_makes_exactly_what_admit_lets_in(record: dict[str, Any]):
    refused = check(record, now_ms=record["issued_at"])
    if refused:
        with pytest.raises(ValidationError) as caught:
            Alert.from_record(record)
        assert problems(caught.value)
        return
    alert = Alert.from_record(record)
    assert alert.to_record() == record
    assert Alert.model_validate_json(alert.model_dump_json()) == alert


# The publisher's form


def draft(**changes: Any) -> dict[str, Any]:
    """A short alert as a publisher writes it."""
    return {
        "national_reference": "FR-1",
        "kind": "stolen_vehicle",
        "category": "seizure",
        "circulation": ["world"],
        "classification": "unclassified",
        "handling_code": "H0",
        "tlp": "green",
        "subject": {"plate": {"raw": "AB-123-CD", "state": "FRA"}},
    } | changes


def read(data: dict[str, Any]) -> Alert:
    return Alert.model_validate(complete(data, issuer="fr-pn", issuing_state="FRA", now=NOW))


def remarks_of(data: Any) -> list[tuple[str, str, str | None]]:
    with pytest.raises(ValidationError) as caught:
        read(data)
    return [(remark.field, remark.rule, remark.place) for remark in problems(caught.value)]


def test_what_a_publisher_may_leave_out_is_filled_in():
    alert = read(draft())
    assert alert.alert_id == alert_id("fr-pn", "FR-1")
    assert (alert.status, alert.version, alert.message_type, alert.action) == ("actual", 1, "issue", "seize")
    assert (alert.issuer, alert.issuing_state, alert.issued_at) == ("fr-pn", "FRA", NOW)
    assert alert.provenance.system == "fr-pn"


def test_what_a_publisher_writes_is_kept():
    alert = read(draft(issuer="de-bka", issued_at="2026-02-01T00:00:00+02:00", provenance={"reliability": "A"}))
    assert (alert.issuer, alert.provenance.reliability, alert.provenance.system) == ("de-bka", "A", "fr-pn")
    assert alert.issued_at == datetime(2026, 1, 31, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize("marking", ["classification", "handling_code", "tlp", "circulation"])
def test_no_marking_is_ever_filled_in(marking: str):
    data = draft()
    del data[marking]
    assert remarks_of(data) == [(marking, "field.missing", None)]


def test_times_are_kept_in_utc_to_the_millisecond():
    local = datetime(2026, 3, 1, 13, 0, 0, 123_999, tzinfo=timezone(timedelta(hours=1)))
    alert = read(draft(issued_at=local))
    assert alert.to_record()["issued_at"] == NOW_MS + 123
    assert json.loads(alert.model_dump_json())["issued_at"] == "2026-03-01T12:00:00.123000Z"


def test_a_digest_is_hex_in_json_and_bytes_in_the_record():
    alert = read(draft(links=[{"uri": "urn:x:1", "sha256": "0f" * 32}]))
    assert alert.to_record()["links"][0]["sha256"] == b"\x0f" * 32
    assert json.loads(alert.model_dump_json())["links"][0]["sha256"] == "0f" * 32


BAD: dict[str, tuple[dict[str, Any], tuple[str, str, str | None]]] = {
    "a time without zone": (draft(issued_at="2026-03-01T12:00:00"), ("issued_at", "time.zone", None)),
    "a time of seconds": (draft(issued_at=1_772_366_400), ("issued_at", "time.form", None)),
    "a time of seconds in a text": (draft(issued_at="1772366400"), ("issued_at", "time.form", None)),
    "a time in words": (draft(review_due="tomorrow"), ("review_due", "time.form", None)),
    "an hour 25": (draft(expires_at="2026-03-01T25:00:00Z"), ("expires_at", "time.form", None)),
    "a time before the calendar": (draft(issued_at="0001-01-01T00:00:00+10:00"), ("issued_at", "time.range", None)),
    "a field that is none": (draft(colour="red"), ("colour", "field.unknown", None)),
    "a field with a name that may be data": (
        draft(**{"Jonas Musterfeld": 1}),
        ("(a name that is not plain)", "field.unknown", None),
    ),
    "unknown is for receivers": (draft(tlp="unknown"), ("tlp", "enum.unknown", None)),
    "a kind that is none": (draft(kind="boat"), ("kind", "enum.unknown", None)),
    "a person under the kind vehicle": (
        draft(subject={"identities": []}),
        ("subject.identities", "field.unknown", None),
    ),
    "a text for a list": (draft(circulation="world"), ("circulation", "field.type", None)),
    "a text for an object": (draft(provenance="here"), ("provenance", "field.type", None)),
    "a text for a subject": (draft(subject="car"), ("subject", "field.type", None)),
    "a year in words": (draft(subject={"year": "new"}), ("subject.year", "field.type", None)),
    "a year beyond an int": (draft(subject={"year": 2**31}), ("subject.year", "field.range", None)),
    "a latitude that is no number": (
        draft(subject={"place": {"latitude": float("nan")}}),
        ("subject.place.latitude", "field.type", None),
    ),
    "a part without serial": (
        draft(subject={"components": [{"part": "a", "serial": "b"}, {"part": "gearbox"}]}),
        ("subject.components.serial", "field.missing", "index 1"),
    ),
    "a digest of one byte": (
        draft(links=[{"uri": "urn:x:1", "sha256": "00"}]),
        ("links.sha256", "digest.form", "index 0"),
    ),
    "a digest that is not hex": (
        draft(links=[{"uri": "urn:x:1", "sha256": "z" * 64}]),
        ("links.sha256", "digest.form", "index 0"),
    ),
    "an id of its own": (draft(alert_id="17"), ("alert_id", "alert_id.derived", None)),
    "a rule of admit": (draft(version=2), ("version", "version.order", None)),
    "ended before it was issued": (draft(expires_at="2026-02-01T00:00:00Z"), ("expires_at", "time.expired", None)),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_told_by_field_and_rule(name: str):
    data, expected = BAD[name]
    assert expected in remarks_of(data)


@pytest.mark.parametrize("build", [sound_vehicle, sound_person, sound_cyber])
@pytest.mark.parametrize("field", ["status", "subject", "provenance", "issued_at", "offences"])
def test_no_remark_and_no_error_shows_what_was_written(build: Any, field: str):
    data = json.loads(Alert.from_record(build()).model_dump_json())
    with pytest.raises(ValidationError) as caught:
        Alert.model_validate({**data, field: "Top-Secret-Value"})
    assert "Top-Secret" not in str(caught.value)
    assert "Top-Secret" not in str(problems(caught.value))


def test_the_place_goes_with_every_remark():
    with pytest.raises(ValidationError) as caught:
        read(draft(subject={"colours": [1]}, links=[{"uri": "ftp://x"}]))
    assert [remark.place for remark in problems(caught.value, place="line 9")] == ["line 9, index 0"]


def test_json_that_is_none_is_told():
    with pytest.raises(ValidationError) as caught:
        Alert.model_validate_json("{")
    assert [remark.rule for remark in problems(caught.value)] == ["json.form"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(ANYTHING, st.sampled_from(sorted(Alert.model_fields)))
def test_nothing_that_json_can_say_breaks_the_model(value: Any, field: str):
    try:
        alert = read(draft(**{field: value}))
    except ValidationError as error:
        told = problems(error)
    else:
        told = []
        assert check(alert.to_record(), now_ms=alert.to_record()["issued_at"]) == []
    assert all(remark.rule and remark.message for remark in told)
