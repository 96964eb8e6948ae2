"""Each refusal of admit's rules has its row here; what is near it and sound is let in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import DAY_MS, HOUR_MS, MINUTE_MS, NOW_MS, SOUND, sound_cyber, sound_person, sound_vehicle
from hueandcry.alerts.checks import MOST_REMARKS, RULES, check, doubts
from hueandcry.alerts.validity import EARLIEST_MS, LATEST_MS

AVRO = Path(__file__).parents[2] / "avro"
LONG = 2**63 - 1


class Bad(NamedTuple):
    name: str
    alert: dict[str, Any]
    field: str
    rule: str
    place: str | None = None


def v(name: str, field: str, rule: str, place: str | None = None, /, **changes: Any) -> Bad:
    return Bad(name, sound_vehicle(**changes), field, rule, place)


def p(name: str, field: str, rule: str, place: str | None = None, /, **changes: Any) -> Bad:
    return Bad(name, sound_person(**changes), field, rule, place)


def c(name: str, field: str, rule: str, place: str | None = None, /, **changes: Any) -> Bad:
    return Bad(name, sound_cyber(**changes), field, rule, place)


NAMELESS = {"type": "alias", "family": " ", "given": "Jon", "original": None, "transliteration": None}
EMPTY_VEHICLE = {
    "subject__vin": None,
    "subject__plate": None,
    "subject__components": [],
    "subject__engine_number": None,
}

BAD = [
    v("kind of a later version", "kind", "enum.unknown", kind="unknown"),
    v("marking of a later version", "classification", "enum.unknown", classification="unknown"),
    v("handling code not known", "handling_code", "enum.unknown", handling_code="unknown"),
    v("TLP not known", "tlp", "enum.unknown", tlp="unknown"),
    v("message type not known", "message_type", "enum.unknown", message_type="unknown"),
    v("status not known", "status", "enum.unknown", status="unknown"),
    v("category not known", "category", "enum.unknown", category="unknown"),
    v("action not known", "action", "enum.unknown", action="unknown"),
    v("a person under the kind vehicle", "subject", "subject.kind", subject=sound_person()["subject"]),
    p("a threat under the kind person", "subject", "subject.kind", subject=sound_cyber()["subject"]),
    c("a vehicle under the kind cyber", "subject", "subject.kind", subject=sound_vehicle()["subject"]),
    v("issuer with capitals", "issuer", "issuer.form", issuer="FR-PN"),
    v("issuer with a line feed", "issuer", "issuer.form", issuer="fr-pn\n"),
    v("two letters for the state", "issuing_state", "state.code", issuing_state="FR"),
    v("NCIC code for the state", "issuing_state", "state.code", issuing_state="AUX"),
    v("no reference", "national_reference", "reference.form", national_reference=""),
    v("reference of blanks", "national_reference", "reference.form", national_reference="   "),
    v("reference of 129 characters", "national_reference", "reference.form", national_reference="R" * 129),
    v("reference with a control character", "national_reference", "reference.form", national_reference="R\x1b[2J"),
    v("reference with an invisible character", "national_reference", "reference.form", national_reference="R\u200b1"),
    v("id of another alert", "alert_id", "alert_id.derived", alert_id=sound_cyber()["alert_id"]),
    v("id in capitals", "alert_id", "alert_id.derived", alert_id=sound_vehicle()["alert_id"].upper()),
    v("version 0", "version", "version.order", version=0),
    v("negative version", "version", "version.order", version=-(2**31), message_type="update"),
    v("an issue with version 2", "version", "version.order", version=2),
    v("an update with version 1", "version", "version.order", message_type="update"),
    v("a vehicle to arrest", "category", "category.kind", category="arrest", action="arrest"),
    p("a person to seize", "category", "category.kind", category="seizure", action="seize"),
    c("a threat to refuse entry to", "category", "category.kind", category="refusal_of_entry", action="monitor"),
    v("seizure that asks for an arrest", "action", "action.category", action="arrest"),
    p("discreet check that asks for an arrest", "action", "action.category", category="discreet_check"),
    v("circulation to nobody", "circulation", "circulation.form", circulation=[]),
    v("circulation to a name", "circulation", "circulation.form", "index 1", circulation=["FRA", "Germany"]),
    v("circulation to a subdivision of nowhere", "circulation", "circulation.form", "index 0", circulation=["QQ-1"]),
    v("circulation to no state", "circulation", "circulation.form", "index 0", circulation=["ZZZ"]),
    v("releasable to a name", "releasable_to", "parties.form", "index 0", releasable_to=["Five Eyes"]),
    v("excluded: two letters", "excluded", "parties.form", "index 1", excluded=["RUS", "BY"]),
    v(
        "a covert check to be discovered",
        "discoverable",
        "discoverable.covert",
        discoverable=True,
        category="discreet_check",
        action="check_discreetly",
    ),
    v("TLP red to be discovered", "discoverable", "discoverable.covert", discoverable=True, tlp="red"),
    v("issued before 1900", "issued_at", "time.range", issued_at=EARLIEST_MS - 1),
    v("issued at the end of a long", "issued_at", "time.range", issued_at=LONG),
    v("issued at the start of a long", "issued_at", "time.range", issued_at=-LONG - 1),
    v("effective in 2200", "effective_from", "time.range", effective_from=LATEST_MS),
    v("review at the end of a long", "review_due", "time.range", review_due=LONG),
    v("expires at the end of a long", "expires_at", "time.range", expires_at=LONG),
    v(
        "collected at the start of a long",
        "provenance.collected_at",
        "time.range",
        provenance__collected_at=-LONG,
    ),
    v("a clock an hour ahead", "issued_at", "time.clock", issued_at=NOW_MS + HOUR_MS),
    v("a clock just over 5 minutes ahead", "issued_at", "time.clock", issued_at=NOW_MS + 5 * MINUTE_MS + 1),
    v("expired on arrival", "expires_at", "time.expired", expires_at=NOW_MS - 1),
    v("expires as it arrives", "expires_at", "time.expired", expires_at=NOW_MS),
    p("older than its category lasts", "expires_at", "time.expired", issued_at=NOW_MS - 5 * 366 * DAY_MS),
    c("indicators that no longer hold", "expires_at", "time.expired", subject__valid_until=NOW_MS - HOUR_MS),
    v("ends before it holds", "expires_at", "time.order", effective_from=NOW_MS + DAY_MS, expires_at=NOW_MS + HOUR_MS),
    v("ICCS with letters", "offences.iccs", "offence.form", "index 0", offences__0__iccs="theft"),
    v("an offence of nothing", "offences", "offence.form", "index 0", offences__0__iccs=None),
    v(
        "reference to a number",
        "references.alert_id",
        "references.form",
        "index 0",
        references=[{"alert_id": "17", "relation": "related"}],
    ),
    v(
        "reference to itself",
        "references.alert_id",
        "references.form",
        "index 0",
        references=[{"alert_id": sound_vehicle()["alert_id"], "relation": "related"}],
    ),
    v(
        "link to a script",
        "links.uri",
        "link.form",
        "index 0",
        links=[{"uri": "javascript:1", "media_type": None, "sha256": None, "title": None}],
    ),
    v(
        "link with half a digest",
        "links.sha256",
        "link.form",
        "index 0",
        links=[{"uri": "urn:x:1", "media_type": None, "sha256": b"half", "title": None}],
    ),
    v("no system", "provenance.system", "system.form", provenance__system=""),
    v("make of 4,097 characters", "subject.make", "text.bounds", subject__make="M" * 4_097),
    v("remarks of 16,385 characters", "remarks", "text.bounds", remarks="m" * 16_385),
    v("an escape sequence in the remarks", "remarks", "text.bounds", remarks="\x1b]0;title\x07"),
    v("half a character in the model", "subject.model", "text.bounds", subject__model="\ud800"),
    v("1,001 colours", "subject.colours", "text.bounds", subject__colours=["red"] * 1_001),
    v("a vehicle that nothing names", "subject", "vehicle.named", subject__make=None, **EMPTY_VEHICLE),
    v("a VIN of blanks", "subject.vin.raw", "vehicle.number", subject__vin__raw="  "),
    v("an empty plate", "subject.plate.raw", "vehicle.number", subject__plate__raw=""),
    v("an engine number with a bell", "subject.engine_number", "vehicle.number", subject__engine_number="E\x07"),
    v(
        "an empty serial number",
        "subject.components.serial",
        "vehicle.number",
        "index 0",
        subject__components__0__serial="",
    ),
    v("a stolen plate without plate", "subject.plate", "vehicle.plate", subject__plate=None, subject__stolen="plate"),
    v("plate of no state", "subject.plate.state", "vehicle.plate", subject__plate__state="F"),
    v("plate of no subdivision", "subject.plate.subdivision", "vehicle.plate", subject__plate__subdivision="Lyon"),
    v("year 0", "subject.year", "vehicle.year", subject__year=0),
    v(
        "stolen until before stolen from",
        "subject.stolen_until",
        "vehicle.theft_time",
        subject__stolen_until=NOW_MS - 2 * DAY_MS,
    ),
    v("stolen at the end of a long", "subject.stolen_from", "vehicle.theft_time", subject__stolen_from=LONG),
    v("stolen in no state", "subject.place.state", "place.form", subject__place__state="France"),
    v("stolen in no subdivision", "subject.place.subdivision", "place.form", subject__place__subdivision="69"),
    v("latitude 91", "subject.place.latitude", "place.form", subject__place__latitude=91.0),
    v("longitude that is no number", "subject.place.longitude", "place.form", subject__place__longitude=float("nan")),
    v("half a position", "subject.place", "place.form", subject__place__longitude=None),
    p("nobody", "subject.identities", "person.named", subject__identities=[]),
    p("only a given name", "subject.identities", "person.named", subject__identities=[NAMELESS]),
    p("born on 31 February", "subject.born", "person.born", subject__born__month=2, subject__born__day=31),
    p("born on 29 February 1900", "subject.born", "person.born", subject__born={"year": 1900, "month": 2, "day": 29}),
    p("born in month 13", "subject.born", "person.born", subject__born__month=13),
    p("born on day 0", "subject.born", "person.born", subject__born__day=0),
    p("born on a day of no month", "subject.born", "person.born", subject__born__month=None),
    p("born in the year 84", "subject.born", "person.born", subject__born__year=84),
    p(
        "nationality in two letters",
        "subject.nationalities",
        "person.state",
        "index 1",
        subject__nationalities=["XXA", "DE"],
    ),
    p(
        "extradition limit for the stateless",
        "subject.extradition_limits",
        "person.state",
        "index 0",
        subject__extradition_limits=["XXA"],
    ),
    p(
        "document without number",
        "subject.documents.number",
        "person.document",
        "index 0",
        subject__documents__0__number="",
    ),
    p(
        "document of nobody",
        "subject.documents.state",
        "person.document",
        "index 0",
        subject__documents__0__state="QQQ",
    ),
    p(
        "document that expires at the end of an int",
        "subject.documents.expires_on",
        "person.document",
        "index 0",
        subject__documents__0__expires_on=2**31 - 1,
    ),
    p("29 cm tall", "subject.height_cm", "person.height", subject__height_cm=29),
    p("281 cm tall", "subject.height_cm", "person.height", subject__height_cm=281),
    p(
        "digest of 31 bytes",
        "subject.biometrics.sha256",
        "person.biometric",
        "index 0",
        subject__biometrics__0__sha256=bytes(31),
    ),
    p(
        "biometric without reference",
        "subject.biometrics.reference",
        "person.biometric",
        "index 0",
        subject__biometrics__0__reference="",
    ),
    p("warrant without reference", "subject.warrant.reference", "person.warrant", subject__warrant__reference=""),
    p(
        "warrant of the start of an int",
        "subject.warrant.issued_on",
        "person.warrant",
        subject__warrant__issued_on=-(2**31),
    ),
    c(
        "nothing to look for",
        "subject.indicators",
        "cyber.observable",
        subject__pattern=None,
        subject__indicators=[],
    ),
    c(
        "10,001 indicators",
        "subject.indicators",
        "cyber.indicators",
        subject__indicators=[{"type": "ipv4", "value": "192.0.2.1"}] * 10_001,
    ),
    c(
        "an empty indicator",
        "subject.indicators.value",
        "cyber.indicators",
        "index 1",
        subject__indicators__1__value="",
    ),
    c("valid until it begins", "subject.valid_until", "cyber.valid_time", subject__valid_from=NOW_MS + 30 * DAY_MS),
    c("valid from the start of a long", "subject.valid_from", "cyber.valid_time", subject__valid_from=-LONG),
    c("confidence 101", "subject.confidence", "cyber.confidence", subject__confidence=101),
    c("confidence -2", "subject.confidence", "cyber.confidence", subject__confidence=-2),
    c("technique by name", "subject.techniques", "cyber.technique", "index 0", subject__techniques=["Phishing"]),
    c(
        "seen at the end of a long",
        "subject.sightings.seen_at",
        "cyber.sighting",
        "index 0",
        subject__sightings__0__seen_at=LONG,
    ),
    c("seen 0 times", "subject.sightings.count", "cyber.sighting", "index 0", subject__sightings__0__count=0),
    c("seen in no state", "subject.sightings.state", "cyber.sighting", "index 0", subject__sightings__0__state="US"),
]


@pytest.mark.parametrize("bad", BAD, ids=[bad.name for bad in BAD])
def test_what_is_refused_is_refused_at_its_field_by_its_rule(bad: Bad):
    remarks = check(bad.alert, now_ms=NOW_MS)
    assert (bad.field, bad.rule, bad.place) in [(r.field, r.rule, r.place) for r in remarks]
    assert all(remark.message for remark in remarks)


def test_every_rule_has_a_row_and_a_source():
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert {bad.rule for bad in BAD} == set(names)
    assert all(rule.field and rule.source for rule in RULES)


def texts(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for item in items for text in texts(item)}


@pytest.mark.parametrize("bad", BAD, ids=[bad.name for bad in BAD])
def test_no_remark_repeats_a_value_that_was_written(bad: Bad):
    sound = {text for build in SOUND.values() for text in texts(build())}
    written = {text for text in texts(bad.alert) - sound - {"unknown"} if len(text) > 3}
    codes = {"arrest", "discreet_check", "refusal_of_entry", "update", "plate", "related"}
    for remark in check(bad.alert, now_ms=NOW_MS):
        assert not any(text in remark.message or text in remark.field for text in written - codes)


GOOD = {
    "a clock 5 minutes ahead": sound_vehicle(issued_at=NOW_MS + 5 * MINUTE_MS),
    "an update": sound_vehicle(version=2, message_type="update"),
    "a late withdrawal": sound_vehicle(version=3, message_type="withdraw", expires_at=NOW_MS - DAY_MS),
    "an expiry": sound_vehicle(
        version=3,
        message_type="expire",
        issued_at=NOW_MS - HOUR_MS,
        expires_at=NOW_MS - 2 * HOUR_MS,
    ),
    "a VIN with letters that no VIN has": sound_vehicle(subject__vin__raw="OIQ 00000000000000"),
    "make and model alone": sound_vehicle(**EMPTY_VEHICLE),
    "an engine number alone": sound_vehicle(
        **{**EMPTY_VEHICLE, "subject__make": None, "subject__engine_number": "E-17"},
    ),
    "remarks of many lines": sound_vehicle(remarks="one\ntwo\r\n\tthree"),
    "remarks of 16,384 characters": sound_vehicle(remarks="m" * 16_384),
    "a region, a state, a subdivision": sound_vehicle(circulation=["europe", "NZL", "US-CA", "world"]),
    "agencies and coalitions": sound_vehicle(releasable_to=["de-bka", "five-eyes", "FRA"], excluded=["ch-fedpol"]),
    "a name in Han script alone": sound_person(
        subject__identities=[
            {"type": "confirmed", "family": "", "given": None, "original": "王小明", "transliteration": None},
        ],
    ),
    "born on 29 February 2000": sound_person(subject__born={"year": 2000, "month": 2, "day": 29, "estimated": False}),
    "born in some year": sound_person(subject__born={"year": 1984, "month": None, "day": None, "estimated": True}),
    "stateless": sound_person(subject__nationalities=["XXA"]),
    "a refugee's document": sound_person(subject__documents__0__state="XXB"),
    "10,000 indicators": sound_cyber(
        subject__indicators=[{"type": "ipv4", "value": f"10.0.{i >> 8}.{i & 255}"} for i in range(10_000)],
    ),
    "a pattern alone": sound_cyber(subject__indicators=[]),
    "no actor and no sightings": sound_cyber(subject__actor=None, subject__sightings=[]),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_sound_is_let_in(name: str):
    assert check(GOOD[name], now_ms=NOW_MS) == []


@pytest.mark.parametrize("build", SOUND.values(), ids=SOUND)
def test_sound_alerts_raise_no_doubt(build: Any):
    assert check(build(), now_ms=NOW_MS) == []
    assert doubts(build()) == []


def test_a_clock_ahead_is_told_how_far():
    (remark,) = check(sound_vehicle(issued_at=NOW_MS + HOUR_MS), now_ms=NOW_MS)
    assert "60 minutes ahead" in remark.message


def test_ten_thousand_faults_need_no_ten_thousand_lines():
    alert = sound_cyber(subject__indicators=[{"type": "ipv4", "value": ""}] * 10_000)
    assert len(check(alert, now_ms=NOW_MS)) == MOST_REMARKS


DOUBTS = {
    "vehicle.weak": sound_vehicle(subject__vin=None, subject__plate=None),
    "vehicle.plate_state": sound_vehicle(subject__plate__state=None),
    "vehicle.theft_time": sound_vehicle(subject__stolen_from=NOW_MS, subject__stolen_until=NOW_MS),
    "person.weak": sound_person(subject__born=None),
    "person.first_january": sound_person(subject__born__month=1, subject__born__day=1),
    "person.empty_identity": sound_person(subject__identities__0__family="", subject__identities__0__given=None),
    "time.capped": sound_person(expires_at=NOW_MS + 6 * 366 * DAY_MS),
    "time.review": sound_vehicle(review_due=NOW_MS - DAY_MS),
}
UNKNOWN = {
    "subject.stolen": sound_vehicle(subject__stolen="unknown"),
    "subject.plate.type": sound_vehicle(subject__plate__type="unknown"),
    "subject.warnings": sound_person(subject__warnings=["armed", "unknown"]),
    "subject.documents.type": sound_person(subject__documents__0__type="unknown"),
    "subject.indicators.type": sound_cyber(subject__indicators__2__type="unknown"),
}


@pytest.mark.parametrize("rule", DOUBTS)
def test_doubts_are_told_and_refuse_nothing(rule: str):
    assert check(DOUBTS[rule], now_ms=NOW_MS) == []
    assert [remark.rule for remark in doubts(DOUBTS[rule])] == [rule]


@pytest.mark.parametrize("field", UNKNOWN)
def test_a_symbol_of_a_later_version_is_doubted_where_nothing_rules_by_it(field: str):
    assert check(UNKNOWN[field], now_ms=NOW_MS) == []
    assert [(remark.field, remark.rule) for remark in doubts(UNKNOWN[field])] == [(field, "enum.not_known")]


# Whatever the schema allows


def values(schema: Any) -> st.SearchStrategy[Any]:
    """Values of an Avro type, extremes among them; records as the codec decodes them."""
    if isinstance(schema, list):
        return st.one_of([values(branch) for branch in schema])
    if isinstance(schema, str):
        named = schema.startswith("hueandcry.")
        return values(json.loads((AVRO / f"{schema}.avsc").read_text()) if named else {"type": schema})
    name: str = schema["type"]
    if name == "record":
        return st.fixed_dictionaries({field["name"]: values(field["type"]) for field in schema["fields"]})
    if name == "enum":
        return st.sampled_from(schema["symbols"])
    if name == "array":
        return st.lists(values(schema["items"]), max_size=3)
    return {
        "null": st.none(),
        "string": st.text() | st.sampled_from(["", " ", "FRA", "T1566", "x" * 5_000]),
        "boolean": st.booleans(),
        "int": st.integers(-(2**31), 2**31 - 1) | st.integers(-5, 2100),
        "long": st.integers(-(2**63), 2**63 - 1) | st.integers(EARLIEST_MS, LATEST_MS),
        "double": st.floats(),
        "bytes": st.binary(max_size=40),
    }[name]


@settings(max_examples=150, deadline=None)
@given(values("hueandcry.Alert"), st.sampled_from([NOW_MS, 0]))
def test_no_value_that_the_schema_allows_makes_a_rule_raise(alert: dict[str, Any], now_ms: int):
    names = {rule.name for rule in RULES}
    for kind in (alert["kind"], *SOUND):
        judged = {**alert, "kind": kind}
        assert {remark.rule for remark in check(judged, now_ms=now_ms)} <= names
    marks = {"indicators": "cyber", "identities": "wanted_person", "vin": "stolen_vehicle"}
    (kind,) = (marks[mark] for mark in marks.keys() & alert["subject"].keys())
    assert all(remark.message for remark in doubts({**alert, "kind": kind}))
