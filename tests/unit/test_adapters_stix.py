"""STIX in, STIX out, and both ways round."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stix2
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from stix2.pattern_visitor import create_pattern_object

from foreign import NOW, context, relation, stix_bundle, stix_indicator, stix_object
from hueandcry.adapters import stix_own
from hueandcry.adapters.formats import read
from hueandcry.adapters.reading import Drawn, Reading
from hueandcry.adapters.stix_objects import bundle, objects, pattern_of
from hueandcry.adapters.stix_pattern import NotAPattern, take
from hueandcry.adapters.stix_schemas import schemas
from hueandcry.alerts.model import Alert, complete
from hueandcry.identity.observables import observable_id
from hueandcry.identity.threat import indicators

ROOT = Path(__file__).parents[2]
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
AMBER_1 = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"


def stix(*items: dict[str, Any], **defaults: Any) -> Reading:
    return read(stix_bundle(*items), context(**defaults), "stix")


def one(reading: Reading) -> Alert:
    assert [str(remark) for refusal in reading.refusals for remark in refusal.remarks] == []
    [drawn] = reading.alerts
    return drawn.alert


def rules(reading: Reading) -> list[str]:
    return [remark.rule for refusal in reading.refusals for remark in refusal.remarks]


# -- in ---------------------------------------------------------------------------------------------------------------


def test_an_indicator_becomes_an_alert_with_what_it_indicates() -> None:
    indicator = stix_indicator(
        confidence=70, valid_until="2026-06-01T00:00:00Z", description="Calls home.",
        kill_chain_phases=[{"kill_chain_name": "mitre-attack", "phase_name": "execution"}],
        external_references=[{"source_name": "blog", "url": "https://blog.example/1"}],
    )  # fmt: skip
    malware = stix_object("malware", name="Emotet", is_family=True)
    actor = stix_object("threat-actor", name="Mealybug")
    technique = stix_object(
        "attack-pattern", name="Phishing", external_references=[{"source_name": "mitre-attack", "external_id": "T1566"}]
    )
    sighting = stix_object("sighting", sighting_of_ref=indicator["id"], last_seen="2026-03-01T10:00:00Z", count=3)
    reading = stix(
        indicator, malware, actor, technique, sighting, relation(indicator, "indicates", malware, 1),
        relation(actor, "uses", malware, 2), relation(indicator, "indicates", technique, 3),
    )  # fmt: skip
    alert = one(reading)
    subject = alert.subject.model_dump(mode="json", exclude_defaults=True)
    assert subject == {
        "pattern": "[domain-name:value = 'quibble.example']",
        "indicators": [{"type": "domain", "value": "quibble.example"}],
        "valid_from": "2026-03-01T09:00:00Z", "valid_until": "2026-06-01T00:00:00Z", "confidence": 70,
        "kill_chain": [{"chain": "mitre-attack", "phase": "execution"}], "techniques": ["T1566"],
        "malware": ["Emotet"], "actor": "Mealybug", "sightings": [{"seen_at": "2026-03-01T10:00:00Z", "count": 3}],
    }  # fmt: skip
    assert (alert.national_reference, alert.version, alert.message_type) == (indicator["id"], 1, "issue")
    assert alert.issued_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert alert.remarks == "Command server\nCalls home."
    assert alert.links[0].uri == "https://blog.example/1"
    assert reading.alerts[0].place == "/objects/0"


def test_a_change_is_a_later_version_and_a_revocation_withdraws() -> None:
    first = one(stix(stix_indicator()))
    changed = one(stix(stix_indicator(modified="2026-03-01T10:00:00.000Z")))
    revoked = one(stix(stix_indicator(modified="2026-03-01T11:00:00.000Z", revoked=True)))
    assert first.alert_id == changed.alert_id == revoked.alert_id
    assert first.version < changed.version < revoked.version
    assert (changed.message_type, revoked.message_type) == ("update", "withdraw")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("[ipv4-addr:value = '10.0.0.1']", [("ipv4", "10.0.0.1")]),
        ("[ipv4-addr:value ISSUBSET '10.0.0.0/24']", [("ipv4", "10.0.0.0/24")]),
        ("[file:hashes.'SHA-256' = 'aa' OR file:hashes.MD5 = 'bb']", [("sha256", "aa"), ("md5", "bb")]),
        ("[domain-name:value IN ('a.example', 'b.example')]", [("domain", "a.example"), ("domain", "b.example")]),
        ("[url:value = 'http://a.example/'] OR [mutex:name = 'm']", [("url", "http://a.example/"), ("mutex", "m")]),
        ("[autonomous-system:number = 64500]", [("asn", "AS64500")]),
        ("[network-traffic:dst_ref.value = '2001:db8::1']", [("ipv6", "2001:db8::1")]),
        ("[email-message:from_ref.value = 'a@b.example']", [("email", "a@b.example")]),
        (
            r"[file:name = 'it\'s AND so on.exe' OR file:name = 'b']",
            [("filename", "it's AND so on.exe"), ("filename", "b")],
        ),
        ("[ipv4-addr:value = '10.0.0.1' AND url:value = 'http://a.example/']", []),
        ("[ipv4-addr:value != '10.0.0.1']", []),
        ("[ipv4-addr:value NOT = '10.0.0.1']", []),
        ("[url:value LIKE 'http://a%']", []),
        ("[ipv4-addr:value = '10.0.0.1'] FOLLOWEDBY [url:value = 'http://a.example/']", []),
        ("[ipv4-addr:value = '10.0.0.1'] REPEATS 5 TIMES WITHIN 60 SECONDS", []),
        ("[process:name = 'x.exe']", []),
    ],
)
def test_only_what_alone_fulfils_a_pattern_becomes_an_indicator(pattern: str, found: list[tuple[str, str]]) -> None:
    assert list(take(pattern).indicators) == found
    reading = stix(stix_indicator(pattern=pattern))
    alert = one(reading)
    assert alert.subject.pattern == pattern  # type: ignore[union-attr]
    assert bool(found) != any(loss.pointer == "/objects/0/pattern" for loss in reading.losses)


@pytest.mark.parametrize("pattern", ["", "10.0.0.1", "[ipv4-addr:value = ]", "[a:b = 'c'", "[" * 900, "x" * 5000])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(NotAPattern):
        take(pattern)
    assert rules(stix(stix_indicator(pattern=pattern))) == ["stix.pattern"]


def test_a_bad_object_is_refused_and_the_others_are_published() -> None:
    data = stix_bundle(stix_indicator(1), stix_indicator(2, pattern="?"), stix_indicator(3))
    reading = read(data.replace(b'"confidence"', b""), context(), "stix")
    assert [drawn.place for drawn in reading.alerts] == ["/objects/0", "/objects/2"]
    assert [refusal.place for refusal in reading.refusals] == ["/objects/1"]
    twice = data.replace(b'"name": "Command server"', b'"name": "a", "name": "b"', 1)
    reading = read(twice, context(), "stix")
    assert rules(reading) == ["json.repeated_key", "stix.pattern"]
    assert [drawn.place for drawn in reading.alerts] == ["/objects/2"]


def test_markings_are_kept_or_close() -> None:
    assert one(stix(stix_indicator(object_marking_refs=[AMBER_1]))).tlp == "amber"
    parts = stix(
        stix_indicator(
            object_marking_refs=[AMBER_1], granular_markings=[{"marking_ref": RED, "selectors": ["description"]}]
        )
    )
    assert one(parts).tlp == "red"
    assert "granular marking: lossy" in parts.losses_by_reason()
    unknown = "marking-definition--00000000-0000-4000-8000-000000000099"
    assert rules(stix(stix_indicator(object_marking_refs=[unknown]))) == ["marking.unknown"]
    statement = stix_object(
        "marking-definition", 0x99, definition_type="statement", definition={"statement": "Copyright"}
    )
    told = stix(stix_indicator(object_marking_refs=[unknown]), statement)
    assert one(told).tlp == "amber"
    assert "statement: no_field" in told.losses_by_reason()
    closed = stix(stix_indicator(object_marking_refs=[unknown]), statement, statement_markings="refuse")
    assert rules(closed) == ["marking.statement"]


def test_without_a_marking_anywhere_nothing_is_published() -> None:
    reading = read(stix_bundle(stix_indicator()), context(constants={"circulation": ["world"]}), "stix")
    assert {remark.field for remark in reading.refusals[0].remarks} == {"classification", "handling_code", "tlp"}


def test_old_intelligence_is_refused_until_it_is_issued_anew() -> None:
    old = stix_indicator(created="2014-05-08T09:00:00.000Z", modified="2014-05-08T09:00:00.000Z")
    reading = stix(old)
    assert rules(reading) == ["time.expired"]
    assert "issued_at = now" in reading.refusals[0].remarks[0].message
    alert = one(stix(old, issued_at="now"))
    assert alert.issued_at == NOW
    assert alert.provenance.collected_at == datetime(2014, 5, 8, 9, tzinfo=UTC)


def test_infrastructure_with_observables_is_an_alert_and_a_lone_observable_is_none() -> None:
    host = stix_object("infrastructure", name="Panel")
    address = {"type": "ipv4-addr", "id": "ipv4-addr--00000000-0000-4000-8000-000000000001", "value": "198.51.100.3"}
    alert = one(stix(host, address, relation(host, "consists-of", address)))
    assert alert.subject.model_dump()["indicators"] == ({"type": "ipv4", "value": "198.51.100.3"},)
    alone = stix(address)
    assert rules(alone) == ["stix.no_alert"]
    assert [loss.why for loss in alone.losses] == ["not_an_alert"]


def test_stix_2_0_is_read() -> None:
    old = {
        "type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "spec_version": "2.0",
        "objects": [
            {
                "type": "indicator", "id": "indicator--00000000-0000-4000-8000-000000000001",
                "created": "2026-03-01T09:00:00.000Z", "modified": "2026-03-01T09:00:00.000Z",
                "labels": ["malicious-activity"], "pattern": f"[file:hashes.'SHA-256' = '{'ab' * 32}']",
                "valid_from": "2026-03-01T09:00:00Z",
                "object_marking_refs": ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"],
            }
        ],
    }  # fmt: skip
    stix2.parse(old, version="2.0")
    alert = one(read(json.dumps(old).encode(), context()))
    assert alert.tlp == "green"


def test_other_pattern_languages_are_refused_by_name() -> None:
    assert rules(stix(stix_indicator(pattern_type="yara", pattern="rule x {}"))) == ["stix.pattern_type"]


# -- out --------------------------------------------------------------------------------------------------------------

SUBJECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "stolen_vehicle": (
        "seizure",
        {
            "vin": {"raw": "WVWZZZ1JZXW000001"}, "plate": {"raw": "ZQX7741", "state": "FRA"}, "make": "RENAULT",
            "model": "Clio", "year": 2020, "colours": ["blue"], "stolen_from": "2026-02-01T00:00:00Z",
            "place": {"state": "FRA", "latitude": 48.8, "longitude": 2.3},
        },
    ),
    "wanted_person": (
        "arrest",
        {
            "identities": [{"type": "confirmed", "family": "Quibblethwaite", "given": "Ada"}],
            "born": {"year": 1980, "month": 5}, "sex": "female", "nationalities": ["FRA"],
            "warrant": {"reference": "W-1", "issued_on": "2026-01-01"}, "warnings": ["armed"],
            "biometrics": [{"type": "face", "reference": "F-1", "sha256": "ab" * 32}],
        },
    ),
    "cyber": (
        "detect",
        {
            "indicators": [
                {"type": "domain", "value": "Quibble.example"}, {"type": "wallet", "value": "1Boat"},
                {"type": "sha256", "value": "ab" * 32}, {"type": "asn", "value": "AS64500"},
                {"type": "filename", "value": "it's \\ odd.exe"},
            ],
            "malware": ["Emotet"], "actor": "Mealybug", "techniques": ["T1566.001"], "confidence": 55,
            "kill_chain": [{"chain": "mitre-attack", "phase": "execution"}],
            "sightings": [{"seen_at": "2026-03-01T00:00:00Z", "count": 2, "state": "FRA"}],
            "valid_from": "2026-02-01T00:00:00Z", "valid_until": "2026-05-01T00:00:00Z",
        },
    ),
}  # fmt: skip


def made(kind: str, **fields: Any) -> Alert:
    category, subject = SUBJECTS[kind]
    data = {
        "national_reference": "FR-1", "kind": kind, "category": category, "circulation": ["FRA", "world"],
        "classification": "restricted", "handling_code": "H1", "tlp": "amber_strict", "subject": subject,
        "issued_at": "2026-03-01T09:00:00.123Z", "remarks": "Approach\nwith care", "excluded": ["usa-fbi"],
        "offences": [{"iccs": "0501"}], "links": [{"uri": "https://case.example/1", "title": "file"}],
        "provenance": {"system": "fra-police", "reliability": "A"}, **fields,
    }  # fmt: skip
    return Alert.model_validate(complete(data, issuer="fra-police", issuing_state="FRA", now=NOW))


@pytest.mark.parametrize("kind", sorted(SUBJECTS))
def test_the_stix2_library_takes_every_object(kind: str) -> None:
    whole = bundle([objects(made(kind))])
    parsed: Any = stix2.parse(whole, allow_custom=kind != "cyber")
    assert len(parsed.objects) == len(whole["objects"])
    known = {each["id"] for each in whole["objects"]}
    for each in whole["objects"]:
        for name, value in each.items():
            refs = value if name.endswith("_refs") else [value] if name.endswith("_ref") else []
            assert set(refs) <= known
        if each["type"] == "indicator":
            take_or_parse(each["pattern"])


def take_or_parse(pattern: str) -> None:
    assert create_pattern_object(pattern, version="2.1")


@pytest.mark.parametrize("kind", sorted(SUBJECTS))
def test_an_alert_comes_back_as_it_was(kind: str) -> None:
    alert = made(kind)
    data = json.dumps(bundle([objects(alert)])).encode()
    reading = read(data, context())
    assert one(reading) == alert
    assert reading.losses == ()


@pytest.mark.parametrize("kind", sorted(SUBJECTS))
def test_only_its_issuer_can_publish_it_again(kind: str) -> None:
    data = json.dumps(bundle([objects(made(kind))])).encode()
    assert rules(read(data, context("deu-bka"))) == ["issuer.is_publisher"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "type": st.sampled_from(["ipv4", "domain", "url", "sha1", "other", "mutex", "wallet", "registry_key"]),
                "value": st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(
                    str.strip
                ),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_indicators_make_a_pattern_that_parses_and_come_back(found: list[dict[str, str]]) -> None:
    take_or_parse(pattern_of(found))
    category, _ = SUBJECTS["cyber"]
    alert = made("cyber", category=category, subject={"indicators": found})
    assert one(read(json.dumps(bundle([objects(alert)])).encode(), context())) == alert


def test_foreign_stix_keeps_what_is_promised_on_the_way_through() -> None:
    indicator = stix_indicator(
        confidence=70, valid_until="2026-06-01T00:00:00.000Z", object_marking_refs=[AMBER_1], description="Calls home.",
        kill_chain_phases=[{"kill_chain_name": "mitre-attack", "phase_name": "execution"}],
    )  # fmt: skip
    malware = stix_object("malware", name="Emotet", is_family=True)
    alert = one(stix(indicator, malware, relation(indicator, "indicates", malware)))
    found = objects(alert)
    main = found[0]
    for name in ("pattern", "pattern_type", "valid_until", "confidence", "kill_chain_phases"):
        assert main[name] == indicator[name]
    assert main["valid_from"] == "2026-03-01T09:00:00.000Z"
    assert main["created"] == indicator["created"]
    assert {"source_name": "fra-police", "external_id": indicator["id"]} in main["external_references"]
    assert [each["name"] for each in found if each["type"] == "malware"] == ["Emotet"]
    assert [each["name"] for each in found if each["type"] == "marking-definition"] == ["TLP:AMBER"]


def test_ids_follow_from_what_is_identified() -> None:
    alert = made("cyber")
    first, again = objects(alert), objects(alert)
    assert first == again
    seen = {observable_id(each) for each in indicators(alert.to_record()["subject"])} - {None}
    assert seen == {each["id"] for each in first if each["type"] in ("domain-name", "file", "autonomous-system")}
    assert objects(made("cyber", version=2, message_type="update"))[0]["id"] == first[0]["id"]


def test_what_has_ended_is_revoked() -> None:
    alert = made("stolen_vehicle", version=2, message_type="withdraw", issued_at="2026-03-01T10:00:00Z")
    created = datetime(2026, 3, 1, 9, tzinfo=UTC)
    main = objects(alert, created=created)[0]
    assert main["revoked"] is True
    assert (main["created"], main["modified"]) == ("2026-03-01T09:00:00.000Z", "2026-03-01T10:00:00.000Z")
    ended = objects(made("stolen_vehicle"), revoked=True, modified=NOW)[0]
    assert (ended["revoked"], ended["modified"]) == (True, "2026-03-02T12:00:00.000Z")


def test_of_two_in_a_bundle_the_stricter_observable_and_the_later_object_stay() -> None:
    amber, red = made("cyber"), made("cyber", national_reference="FR-2", tlp="red")
    whole = bundle([objects(red), objects(amber)])
    [domain] = [each for each in whole["objects"] if each["type"] == "domain-name"]
    assert domain["object_marking_refs"] == [RED]
    assert len({each["id"] for each in whole["objects"]}) == len(whole["objects"])


@pytest.mark.parametrize("kind", sorted(SUBJECTS))
def test_our_objects_fit_their_published_schemas(kind: str) -> None:
    for name, schema in schemas().items():
        published = json.loads((ROOT / "docs" / "stix" / f"{name}.json").read_text("utf-8"))
        assert published == schema, "run: python -m hueandcry.adapters.stix_schemas docs/stix"
    main = objects(made(kind))[0]
    Draft202012Validator(schemas()["alert"]).validate(main["extensions"][stix_own.ENVELOPE])
    if kind != "cyber":
        Draft202012Validator(schemas()[main["type"].removeprefix("hueandcry-")]).validate(main)
        definitions = {each["id"] for each in objects(made(kind)) if each["type"] == "extension-definition"}
        assert set(main["extensions"]) == definitions


def test_places_lead_to_the_source() -> None:
    reading = stix(stix_indicator(1), stix_indicator(2, pattern="[url:value = 'http://b.example/']"))
    assert [Drawn(place, alert).place for place, alert in reading.alerts] == ["/objects/0", "/objects/1"]
