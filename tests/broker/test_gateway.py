"""The gateway on the whole platform: what goes in by HTTP comes out by HTTP, to whom it is for and to nobody else."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from confluent_kafka import Consumer, KafkaError
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as hypothesis_given
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from broker.lane_process import until
from broker.on_platform import Platform, alert, new_vin
from broker.over_http import Client, events, proof_headers
from hueandcry.control import feed
from hueandcry.wire.codec import encode, split_delivery
from hueandcry.wire.framing import frame
from hueandcry.wire.kafka import client_config
from hueandcry.wire.proof import Verifier, leaf_hash, proof_of
from hueandcry.wire.schemas import schema

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
_EXAMPLES = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
DOCS = Path(__file__).parents[2] / "docs" / "gateway.md"


def given(**changes: Any) -> dict[str, Any]:
    """A stolen vehicle as an agency writes it."""
    return {
        "national_reference": f"GW-{uuid.uuid4()}",
        "kind": "stolen_vehicle",
        "category": "seizure",
        "circulation": ["world"],
        "classification": "unclassified",
        "handling_code": "H0",
        "tlp": "green",
        "subject": {"stolen": "vehicle", "vin": {"raw": new_vin()}},
        **changes,
    }


@pytest.fixture(scope="module")
def deu(platform: Platform) -> Client:
    return Client(platform, "deu-vehicles")


@pytest.fixture(scope="module")
def fra(platform: Platform) -> Client:
    return Client(platform, "fra-police")


def is_of(alert_id: str) -> Any:
    return lambda event: event.get("alert_id") == alert_id


def test_what_one_agency_posts_another_gets_as_an_event(deu: Client, fra: Client) -> None:
    stream, receipts = fra.stream(last_event_id=fra.position()), deu.position("receipts")
    sent = deu.post("/v1/alerts", given())
    assert sent.status_code == 202, sent.text
    (taken,) = sent.json()["alerts"]
    coming = events(stream)
    event = next(each for each in coming if taken["alert_id"] in each.get("data", ""))
    stream.close()
    delivery = json.loads(event["data"])
    assert (event["event"], delivery["action"], delivery["version"]) == ("delivery", "issued", 1)
    receipt = deu.wait_for("receipts", receipts, is_of(taken["alert_id"]))
    assert receipt["outcome"] == "delivered"

    # A client that lost its connection goes on after the last event that it had.
    (again,) = deu.post("/v1/alerts", given()).json()["alerts"]
    with fra.stream(last_event_id=event["id"]) as resumed:
        datas = (json.loads(each["data"]) for each in events(resumed) if "data" in each)
        ids = []
        while again["alert_id"] not in ids:
            ids.append(next(datas)["alert_id"])
    assert taken["alert_id"] not in ids


def test_a_batch_is_taken_whole_or_refused_whole_with_every_fault(deu: Client, platform: Platform) -> None:
    good, bad = given(), given(tlp="purple", subject={"stolen": "vehicle", "vin": {"raw": "X", "wrong": 1}})
    written = platform.written("alerts.europe")
    lines = "\n".join(map(json.dumps, [good, bad, good])).encode()
    refused = deu.post("/v1/alerts", lines, content_type="application/x-ndjson")
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    told = {(error["pointer"], error["rule"], error["place"]) for error in refused.json()["errors"]}
    assert told >= {("/tlp", "enum.unknown", "object 1"), ("/subject/vin/wrong", "field.unknown", "object 1")}
    assert platform.written("alerts.europe") == written, "nothing was sent"
    lines = "\n".join(json.dumps(given()) for _ in range(20)).encode()
    assert deu.post("/v1/alerts", lines, content_type="application/x-ndjson").json()["accepted"] == 20


def test_the_same_key_is_answered_once_over_a_restart_too(deu: Client, platform: Platform) -> None:
    body, key = given(), f"key-{uuid.uuid4()}"
    first = deu.post("/v1/alerts", body, idempotency_key=key)
    assert first.status_code == 202
    written = platform.written("alerts.europe")
    platform.cluster.stop_service("gateway")
    platform.cluster.start_service("gateway")
    second = deu.post("/v1/alerts", body, idempotency_key=key)
    assert (second.status_code, second.content) == (202, first.content)
    assert second.headers["idempotency-replayed"] == "true"
    assert platform.written("alerts.europe") == written
    other = deu.post("/v1/alerts", given(), idempotency_key=key)
    assert (other.status_code, other.json()["type"]) == (422, "urn:hueandcry:problem:idempotency.other")
    # The key is the agency's own: another one's is another.
    fra = Client(platform, "fra-police")
    assert fra.post("/v1/alerts", given(), idempotency_key=key).status_code == 202


def test_what_an_agency_signs_itself_goes_through_as_it_is(platform: Platform, fra: Client) -> None:
    """From an agency that lets the gateway do nothing: only what it has signed is taken, and it still verifies."""
    are = Client(platform, "are-police")
    record = alert("are-police", subject__vin__raw=new_vin())
    body = encode("Alert", record)
    (headers,) = platform.sign("are-police", [body])
    value = frame(platform.schema_id, body)
    after = fra.position()
    taken = are.signed("POST", "/v1/alerts", value, "application/avro", **proof_headers(headers))
    assert taken.status_code == 202, taken.text
    fra.wait_for("inbox", after, is_of(record["alert_id"]))
    # In its raw form the delivery has the issuer's bytes and proof.
    page = fra.get("/v1/inbox", after=after, form="raw").json()
    (raw,) = [event for event in page["events"] if event["key"] == record["alert_id"]]
    _, signed_body = split_delivery(base64.b64decode(raw["value"]))
    proof = proof_of([(name, base64.b64decode(text)) for name, text in raw["headers"]])
    keys = {key.key_id: key for key in platform_keys(platform)}
    leaf = leaf_hash(schema("Alert").fingerprint, signed_body or b"")
    assert Verifier(keys.get).verify(proof, leaf, record["issued_at"] + 60_000).agency == "are-police"

    changed = proof_headers(platform.sign("are-police", [body + b"\0"])[0])
    refused = are.signed("POST", "/v1/alerts", value, "application/avro", **changed)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:hueandcry:problem:proof.path")
    unsigned = are.post("/v1/alerts", given(national_reference="A-1"))
    assert (unsigned.status_code, unsigned.json()["type"]) == (403, "urn:hueandcry:problem:custody")


def platform_keys(platform: Platform) -> Any:
    return feed.read(client_config(platform.operator.settings)).keys.values()


def test_nobody_reads_what_is_for_another(platform: Platform, deu: Client, fra: Client) -> None:
    nobody = requests.get(f"{deu.url}/v1/inbox", verify=deu.session.verify, timeout=30)
    assert (nobody.status_code, nobody.headers["content-type"]) == (401, "application/problem+json")
    assert "Basic" in nobody.headers["www-authenticate"]
    closed = Client(platform, "are-police").get("/v1/inbox")
    assert (closed.status_code, closed.json()["type"]) == (403, "urn:hueandcry:problem:reads")
    # A place of another agency is a place in one's own inbox: offsets are no right.
    theirs = fra.get("/v1/inbox", after=deu.position(), limit=1000).json()
    assert {event.get("kafka", {}).get("topic", "inbox.fra-police") for event in theirs["events"]} <= {
        "inbox.fra-police"
    }
    issuer = fra.post("/v1/alerts", given(issuer="deu-vehicles"))
    assert (issuer.status_code, issuer.json()["errors"][0]["pointer"]) == (422, "/issuer")
    # Kafka itself lets the gateway read only where the agency does.
    consumer = Consumer({**platform.cluster.client_config("hc-gateway"), "group.id": "hc-gateway.test"})
    try:
        topics = consumer.list_topics(timeout=20).topics
        assert "inbox.fra-police" in topics
        assert "inbox.are-police" not in topics
        error = consumer.list_topics("inbox.are-police", timeout=20).topics["inbox.are-police"].error
        assert error is not None
        assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    finally:
        consumer.close()


def test_reports_and_searches_are_signed_for_the_agency(deu: Client, fra: Client) -> None:
    after, notices = fra.position(), deu.position("notices")
    vin = new_vin()
    (taken,) = deu.post("/v1/alerts", given(subject={"stolen": "vehicle", "vin": {"raw": vin}})).json()["alerts"]
    delivery = fra.wait_for("inbox", after, is_of(taken["alert_id"]))
    hit = {"type": "hit", "alert_id": taken["alert_id"], "version": 1, "home": delivery["home"], "urgency": "routine"}
    assert fra.post("/v1/hits", hit, idempotency_key="one").status_code == 202
    notice = deu.wait_for("notices", notices, is_of(taken["alert_id"]))
    assert (notice["event"], notice["type"]) == ("notice", "report")

    def found() -> bool:
        answer = fra.post("/v1/search", {"purpose": "a test of the gateway", "vin": vin})
        assert answer.status_code in (200, 503), answer.text
        return answer.status_code == 200 and len(answer.json()["exact"]) == 1

    until(found, 60, "the alert in the register")
    empty = fra.post("/v1/search", {"purpose": "a test of the gateway"})
    assert (empty.status_code, empty.headers["content-type"]) == (400, "application/problem+json")


def test_the_examples_of_the_documentation_do_what_they_say(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / ".hueandcry").symlink_to(platform.home)
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```$", DOCS.read_text("utf-8"), re.M | re.S))
    done = subprocess.run(
        ["bash", "-eu", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert '"accepted":1' in done.stdout
    assert done.stdout.count('"next":"') == 2
    assert "retry: 2000" in done.stdout
    assert '{"webhooks":[]}' in done.stdout


# -- the interface against its own description -----------------------------------------------------------------------


def test_whatever_fits_the_description_or_not_is_never_answered_by_a_fault(fra: Client) -> None:
    """Schemathesis: requests made from openapi.json, sound and unsound, to every operation."""
    described = schemathesis.openapi.from_dict(
        requests.get(f"{fra.url}/openapi.json", verify=fra.session.verify, timeout=30).json()
    )
    statuses: dict[str, set[int]] = {}
    for result in described.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]  # our own description is sound
        for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:

            @_EXAMPLES
            @hypothesis_given(case=operation.as_strategy(mode))
            def run(case: Any) -> None:
                if case.query and case.query.get("wait"):
                    case.query["wait"] = "0"
                response = case.call(base_url=fra.url, session=fra.session, verify=fra.session.verify, timeout=60)
                statuses.setdefault(case.operation.label, set()).add(response.status_code)
                case.validate_response(response, checks=[not_a_server_error, response_schema_conformance])

            run()
    assert len(statuses) >= 6
    assert all(max(each) < 500 for each in statuses.values()), statuses
    assert all(statuses[f"GET /v1/{source}"] >= {200, 400} for source in ("inbox", "receipts", "notices")), statuses


def test_a_document_of_another_format_is_taken_with_what_it_does_not_say(platform: Platform) -> None:
    jpn, usa = Client(platform, "jpn-cyber"), Client(platform, "usa-cyber")
    name = f"h{uuid.uuid4().hex}.invented.example.net"
    indicator = {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}",
        "created": "2026-11-01T00:00:00Z", "modified": "2026-11-01T00:00:00Z", "valid_from": "2026-11-01T00:00:00Z",
        "pattern": f"[domain-name:value = '{name}']", "pattern_type": "stix",
        "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"],
    }  # fmt: skip
    grouping = {"type": "observed-data", "spec_version": "2.1", "id": f"observed-data--{uuid.uuid4()}"}
    bundle = {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": [indicator, grouping]}
    constants = {"classification": "unclassified", "handling_code": "H0", "circulation": ["world"]}
    told = {"content_type": "application/stix+json", "hc_defaults": json.dumps({"constants": constants})}
    unsaid = jpn.post("/v1/alerts", {**bundle, "objects": [indicator]}, content_type="application/stix+json")
    assert unsaid.status_code == 422
    assert {error["field"] for error in unsaid.json()["errors"]} == constants.keys()
    assert {error["pointer"] for error in unsaid.json()["errors"]} == {"/objects/0"}
    after = usa.position()
    taken = jpn.post("/v1/alerts", bundle, **told)
    assert taken.status_code == 202, taken.text
    assert taken.json()["accepted"] == 1
    assert [loss["pointer"] for loss in taken.json()["losses"]] == ["/objects/1"]
    delivery = usa.wait_for("inbox", after, is_of(taken.json()["alerts"][0]["alert_id"]))
    assert delivery["alert"]["subject"]["indicators"][0]["value"] == name
    wrong = jpn.post("/v1/alerts", bundle, content_type="application/stix+json", hc_defaults='{"constants": {"x": 1}}')
    assert (wrong.status_code, wrong.json()["type"]) == (400, "urn:hueandcry:problem:defaults")


def test_while_kafka_is_away_it_says_so_at_once_and_nothing_that_was_taken_is_lost(
    platform: Platform, deu: Client, fra: Client
) -> None:
    after, taken, statuses = fra.position(), [], set()
    stream = fra.stream(last_event_id=after)
    stopping = threading.Thread(target=platform.cluster.stop_broker)
    try:
        stopping.start()
        quick = 0
        while quick < 5:
            sent = deu.post("/v1/alerts", given())
            statuses.add(sent.status_code)
            if sent.status_code == 202:
                taken += sent.json()["alerts"]
            else:
                assert int(sent.headers["retry-after"]) >= 1
                quick = quick + 1 if sent.elapsed.total_seconds() < 1 else 0
        assert statuses <= {202, 503}
    finally:
        stopping.join()
        platform.cluster.start_broker()

    def again() -> bool:
        sent = deu.post("/v1/alerts", given())
        taken.extend(sent.json().get("alerts", []))
        return sent.status_code == 202

    until(again, 90, "the gateway takes alerts again")
    wanted, got = {each["alert_id"] for each in taken}, set()
    for event in events(stream):
        if "data" in event:
            got.add(json.loads(event["data"])["alert_id"])
        if wanted <= got:
            break
    stream.close()
    assert wanted <= got
