"""Publishing and subscribing on a real Kafka, with the SDK, the commands, kcat and plain confluent-kafka."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from factories import sound_vehicle
from hueandcry import Publisher, Receipts, Subscriber
from hueandcry.alerts.ids import alert_id, receipt_id
from hueandcry.control import feed
from hueandcry.control.local import LocalCluster
from hueandcry.errors import AlertInvalid, HueAndCryError, PublishError
from hueandcry.sdk.jsonable import jsonable
from hueandcry.sdk.profile import agency_profile, operator_profile
from hueandcry.sdk.subscriber import Unreadable
from hueandcry.wire.codec import SchemaIds, decode, delivery_value, encode
from hueandcry.wire.framing import frame, unframe
from hueandcry.wire.kafka import consumer_config, producer_config, registry_client
from hueandcry.wire.proof import Verifier, leaf_hash, proof_of
from hueandcry.wire.schemas import schema

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]
TOPICS = Path(__file__).parents[2] / "topics"


class Platform:
    """Kafka, registry and the network of topics/, without processors: the tests write what these would."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.cluster = LocalCluster(home, network_dir=TOPICS, tied=True)
        self.cluster.up(processors=False)
        self.operator = operator_profile(home)
        self.ids = SchemaIds(registry_client(self.operator.settings))

    def write(self, topic: str, values: Sequence[tuple[bytes | None, bytes | None]], headers: Any = None) -> list[int]:
        """Write keys and values as the operator; their offsets."""
        producer = Producer(producer_config(self.operator.settings))
        offsets: list[int] = []
        for key, value in values:
            producer.produce(
                topic, value, key, 0, headers=headers, on_delivery=lambda e, m: offsets.append(m.offset() or 0)
            )
        assert producer.flush(20) == 0
        return offsets

    def read(self, topic: str) -> list[Any]:
        """All messages of a topic, as the operator."""
        consumer = Consumer(consumer_config(self.operator.settings, "operator.test", enable_partition_eof=True))
        try:
            left = set(consumer.list_topics(topic, timeout=20).topics[topic].partitions)
            consumer.assign([TopicPartition(topic, partition, 0) for partition in left])
            found: list[Any] = []
            until = time.monotonic() + 20
            while left and time.monotonic() < until:
                for message in consumer.consume(500, 0.1):
                    if message.error() is None:
                        found.append(message)
                    else:
                        error = message.error()
                        assert error is not None
                        assert error.code() == KafkaError._PARTITION_EOF
                        left.discard(message.partition())
            assert not left
            return found
        finally:
            consumer.close()

    def deliver(self, agency: str, *numbers: int, form: str = "original") -> list[dict[str, Any]]:
        """Deliveries as distribute writes them; the alerts."""
        alerts = [sound_vehicle(national_reference=f"N-{number}") for number in numbers]
        values = [(alert["alert_id"].encode(), self.delivery(alert, form)) for alert in alerts]
        self.write(f"inbox.{agency}", values, [("hc-key", b"fr-pn.1")])
        return alerts

    def delivery(self, alert: dict[str, Any], form: str = "original", action: str = "issued") -> bytes:
        """One framed delivery."""
        now = int(time.time() * 1000)
        prefix = {
            "delivery_id": str(uuid.uuid4()),
            "action": action,
            "alert_id": alert["alert_id"],
            "version": 1,
            "kind": alert["kind"],
            "cluster_id": alert["alert_id"],
            "delivered_at": now,
            "received_at": now,
            "form": form,
            "reason": "granted by subscription all",
            "related": [],
            "enrichment": {"state_name": None, "offences": [], "facts": None, "remarks": []},
            "schema_id": self.ids.id_of("hueandcry.Alert"),
        }
        body = None if form == "none" else encode("hueandcry.Alert", alert)
        return delivery_value(self.ids.id_of("hueandcry.Delivery"), prefix, body)

    def receipt(self, message: Any, outcome: str) -> bytes:
        """The framed receipt of a message in an alerts topic."""
        alert = decode("hueandcry.Alert", unframe(message.value())[1])
        source = {"topic": message.topic(), "partition": message.partition(), "offset": message.offset()}
        remark = {"field": "subject.vin.raw", "rule": "vin.form", "message": "is no VIN", "place": None}
        record = {
            "receipt_id": receipt_id(*source.values()),
            "alert_id": alert["alert_id"],
            "version": alert["version"],
            "message_type": "issue",
            "outcome": outcome,
            "merged_into": None,
            "delivered_to": 0 if outcome == "refused" else 2,
            "remarks": [remark] if outcome == "refused" else [],
            "source": source,
            "at": int(time.time() * 1000),
        }
        return frame(self.ids.id_of("hueandcry.Receipt"), encode("hueandcry.Receipt", record))

    def command(self, *arguments: str, content: str = "", timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run `hueandcry` as people do."""
        return subprocess.run(
            [sys.executable, "-m", "hueandcry.cli", *arguments, "--home", str(self.home)],
            input=content,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, "COLUMNS": "200"},
        )


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with tempfile.TemporaryDirectory(prefix="hueandcry-sdk-") as home:
        cluster = LocalCluster(Path(home), network_dir=TOPICS, tied=True)
        try:
            yield Platform(Path(home))
        finally:
            cluster.down()


def vehicle(reference: str, **changes: Any) -> dict[str, Any]:
    """A stolen car as fra-police writes it."""
    alert = jsonable("hueandcry.Alert", sound_vehicle(issuer="fra-police", national_reference=reference, **changes))
    del alert["issued_at"]
    return alert


# -- publishing ---------------------------------------------------------------------------------------------------


def test_what_is_published_lies_in_the_regions_topic_signed_once_for_all(platform: Platform) -> None:
    with Publisher.for_agency("fra-police", home=platform.home) as publisher:
        published = publisher.publish([vehicle(f"P-{number}") for number in range(5)])
    places = {(each.partition, each.offset): each for each in published}
    assert len(places) == 5
    messages = [each for each in platform.read("alerts.europe") if (each.partition(), each.offset()) in places]
    network = feed.read(consumer_config(platform.operator.settings, "operator.test"))
    verifier = Verifier(network.keys.get)
    fingerprint = schema("hueandcry.Alert").fingerprint
    roots = set()
    for message in messages:
        schema_id, body = unframe(message.value())
        assert schema_id == platform.ids.id_of("hueandcry.Alert")
        proof = proof_of(message.headers())
        key = verifier.verify(proof, leaf_hash(fingerprint, body), int(time.time() * 1000))
        assert key.agency == "fra-police"
        roots.add(proof.root)
        alert = decode("hueandcry.Alert", body)
        assert message.key().decode() == alert["alert_id"] == places[(message.partition(), message.offset())].alert_id
    assert len(messages) == 5
    assert len(roots) == 1


def test_alerts_sent_one_by_one_from_threads_are_all_acknowledged(platform: Platform) -> None:
    with Publisher.for_agency("fra-police", home=platform.home) as publisher, ThreadPoolExecutor(4) as threads:
        sent = list(threads.map(lambda number: publisher.send(vehicle(f"T-{number}")), range(60)))
        places = {(each.partition, each.offset) for each in (future.result(30) for future in sent)}
    assert len(places) == 60


def test_one_bad_alert_and_nothing_is_sent(platform: Platform) -> None:
    with Publisher.for_agency("fra-police", home=platform.home) as publisher, pytest.raises(AlertInvalid) as caught:
        publisher.publish([vehicle("B-1"), vehicle("B-2") | {"tlp": "purple"}])
    assert [(each.field, each.place) for each in caught.value.remarks] == [("tlp", "alert 1")]
    with Publisher.for_agency("fra-police", home=platform.home) as publisher:
        (marker,) = publisher.publish([vehicle("B-3")])
    ids = {message.key().decode() for message in platform.read("alerts.europe")}
    assert marker.alert_id in ids
    assert not ids & {alert_id("fra-police", "B-1"), alert_id("fra-police", "B-2")}


def test_an_agency_cannot_publish_in_another_region(platform: Platform) -> None:
    profile = replace(agency_profile("fra-police", platform.home), region="mena")
    with Publisher(profile) as publisher, pytest.raises(PublishError) as caught:
        publisher.publish([vehicle("R-1"), vehicle("R-2")])
    assert [number for number, _ in caught.value.failed] == [0, 1]
    assert "authorization" in str(caught.value).lower()


def test_where_kafka_does_not_answer_nothing_is_said_to_be_published(platform: Platform) -> None:
    profile = agency_profile("fra-police", platform.home)
    nobody = replace(profile, settings=profile.settings.model_copy(update={"bootstrap": "127.0.0.1:1"}))
    with Publisher(nobody, timeout=2) as publisher, pytest.raises(PublishError) as caught:
        publisher.publish([vehicle("N-1")])
    assert caught.value.published == ()


# -- subscribing --------------------------------------------------------------------------------------------------


def test_a_subscriber_goes_on_after_what_it_has_processed(platform: Platform) -> None:
    alerts = platform.deliver("deu-vehicles", 1, 2, 3)
    options: dict[str, Any] = {"home": platform.home, "name": "resume", "until_end": True, "timeout": 20}
    with Subscriber.for_agency("deu-vehicles", **options) as deliveries:
        first = deliveries.take(20)
        assert first is not None
        assert first.alert is not None
        assert first.alert["national_reference"] == "N-1"
        assert first.signed_body == encode("hueandcry.Alert", alerts[0])
        assert ("hc-key", b"fr-pn.1") in first.headers
        deliveries.processed()
        assert deliveries.take(20) is not None
    with Subscriber.for_agency("deu-vehicles", **options) as deliveries:
        assert [each.alert_id for each in deliveries] == [alerts[1]["alert_id"], alerts[2]["alert_id"]]


def test_a_subscriber_begins_at_a_time_or_at_the_end(platform: Platform) -> None:
    platform.deliver("can-roads", 1)
    after = datetime.now(UTC) + timedelta(milliseconds=1)
    while datetime.now(UTC) <= after + timedelta(milliseconds=2):
        threading.Event().wait(0.005)
    (later,) = platform.deliver("can-roads", 2)
    options: dict[str, Any] = {"home": platform.home, "name": None, "until_end": True, "timeout": 20}
    with Subscriber.for_agency("can-roads", from_=after, **options) as deliveries:
        assert [each.alert_id for each in deliveries] == [later["alert_id"]]
    with Subscriber.for_agency("can-roads", from_="beginning", **options) as deliveries:
        assert len(list(deliveries)) == 2
    with Subscriber.for_agency("can-roads", from_="latest", home=platform.home, name=None, timeout=20) as deliveries:
        (new,) = platform.deliver("can-roads", 3)
        delivery = deliveries.take(20)
        assert delivery is not None
        assert delivery.alert_id == new["alert_id"]


def test_what_was_not_committed_is_never_seen_and_repeats_can_be_left_out(platform: Platform) -> None:
    value = platform.delivery(sound_vehicle())
    producer = Producer(producer_config(platform.operator.settings, transactional_id="hueandcry.test"))
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce("inbox.usa-cyber", platform.delivery(sound_vehicle()), b"k", 0)
    assert producer.flush(20) == 0
    producer.abort_transaction(20)
    platform.write("inbox.usa-cyber", [(b"k", value), (b"k", value)])
    options: dict[str, Any] = {"home": platform.home, "name": None, "until_end": True, "timeout": 20}
    with Subscriber.for_agency("usa-cyber", **options) as deliveries:
        assert len(list(deliveries)) == 2
    with Subscriber.for_agency("usa-cyber", **options) as deliveries:
        assert len(list(deliveries.without_repeats())) == 1


def test_a_message_that_cannot_be_read_does_not_stop_a_subscriber(platform: Platform) -> None:
    platform.write("inbox.ken-police", [(b"k", b"\x00garbage"), (b"k", None)])
    (alert,) = platform.deliver("ken-police", 1)
    with Subscriber.for_agency("ken-police", home=platform.home, name="bad", timeout=20) as deliveries:
        for _ in range(2):
            with pytest.raises(Unreadable) as caught:
                deliveries.take(20)
            assert (caught.value.place or "").startswith("inbox.ken-police partition 0")
        delivery = deliveries.take(20)
        assert delivery is not None
        assert delivery.alert_id == alert["alert_id"]


@pytest.mark.parametrize("name", ["default", None])
def test_an_agency_cannot_read_anothers_inbox(platform: Platform, name: str | None) -> None:
    profile = replace(agency_profile("nor-border", platform.home), agency="deu-vehicles")
    with pytest.raises(HueAndCryError) as caught, Subscriber(profile, name=name, timeout=20) as deliveries:
        deliveries.take(20)
    assert "authorization" in str(caught.value).lower()


# -- commands -----------------------------------------------------------------------------------------------------


def test_publish_sends_the_good_lines_and_waits_for_their_receipts(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "alerts.jsonl"
    lines = [vehicle("C-1"), vehicle("C-2"), {"kind": "stolen_vehicle"}, vehicle("C-3")]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ids = {"C-1": "delivered", "C-2": "refused", "C-3": "merged"}
    done = threading.Event()

    def answer() -> None:
        consumer = Consumer(consumer_config(platform.operator.settings, "operator.test"))
        consumer.assign([TopicPartition("alerts.europe", partition, 0) for partition in range(3)])
        left = dict(ids)
        while left and not done.is_set():
            message = consumer.poll(0.2)
            if message is None or message.error() is not None:
                continue
            reference = decode("hueandcry.Alert", unframe(message.value())[1])["national_reference"]
            if reference in left:
                platform.write("receipts.fra-police", [(message.key(), platform.receipt(message, left.pop(reference)))])
        consumer.close()

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        arguments = (
            "publish",
            str(file),
            "--as",
            "fra-police",
            "--wait-receipts",
            "--output",
            "json",
            "--timeout",
            "40",
        )
        ran = platform.command(*arguments, timeout=120)
    finally:
        done.set()
        thread.join(20)
    assert ran.returncode == 1, ran.stderr
    results = [json.loads(line) for line in ran.stdout.splitlines()]
    outcomes = {each["result"]: each["place"] for each in results if each["result"] != "published"}
    assert outcomes == {
        "invalid": f"{file}:3",
        "delivered": f"{file}:1",
        "refused": f"{file}:2",
        "merged": f"{file}:4",
    }
    assert sum(each["result"] == "published" for each in results) == 3
    assert f"{file}:2: subject.vin.raw: is no VIN [vin.form]" in ran.stderr
    with Receipts.for_agency("fra-police", home=platform.home, name=None, until_end=True) as receipts:
        assert {each.outcome for each in receipts} >= set(ids.values())


def test_publish_strictly_sends_nothing_where_one_is_bad(platform: Platform) -> None:
    content = json.dumps(vehicle("S-1")) + "\n{}\n"
    ran = platform.command("publish", "-", "--as", "fra-police", "--strict", "--output", "json", content=content)
    assert ran.returncode == 1
    assert [json.loads(line)["result"] for line in ran.stdout.splitlines()] == ["invalid"]
    assert "nothing was published" in ran.stderr
    ran = platform.command("publish", "-", "--as", "fra-police", "--strict", content=json.dumps(vehicle("S-1")))
    assert ran.returncode == 0, ran.stderr
    assert "published to alerts.europe" in ran.stdout


def test_publish_says_so_where_receipts_do_not_come(platform: Platform) -> None:
    content = json.dumps(vehicle("W-1"))
    arguments = ("publish", "-", "--as", "fra-police", "--wait-receipts", "--timeout", "3")
    ran = platform.command(*arguments, content=content)
    assert ran.returncode == 4, ran.stderr
    assert "not yet there" in ran.stdout


def test_tail_shows_lines_of_json_and_ends_as_asked(platform: Platform) -> None:
    alerts = platform.deliver("bra-federal", 1, 2)
    platform.write("inbox.bra-federal", [(b"k", platform.delivery(alerts[0], "none", "recalled"))])
    tail = ("tail", "--as", "bra-federal", "--output", "json")
    ran = platform.command(*tail, "--until-eos")
    assert ran.returncode == 0, ran.stderr
    shown = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [(each["action"], each["form"]) for each in shown] == [
        ("issued", "original"),
        ("issued", "original"),
        ("recalled", "none"),
    ]
    assert shown[0]["alert"]["subject"]["plate"]["raw"] == "AB-123-CD"
    assert shown[2]["alert"] is None
    ran = platform.command(*tail, "--from", "beginning", "--limit", "2")
    assert (ran.returncode, len(ran.stdout.splitlines())) == (0, 2)
    ran = platform.command(*tail, "--from", "1h", "--limit", "9", "--timeout", "4")
    assert (ran.returncode, len(ran.stdout.splitlines())) == (4, 3)
    ran = platform.command(*tail[:-1], "table", "--until-eos")
    assert "PEUGEOT 308" in ran.stdout


def test_tail_with_a_group_goes_on_where_it_was(platform: Platform) -> None:
    platform.deliver("are-police", 1, 2, 3)
    tail = ("tail", "--as", "are-police", "--output", "json", "--group", "desk", "--limit")
    first = platform.command(*tail, "1", "--timeout", "30")
    second = platform.command(*tail, "2", "--timeout", "30")
    assert (first.returncode, second.returncode) == (0, 0)
    offsets = [json.loads(line)["kafka"]["offset"] for line in (first.stdout + second.stdout).splitlines()]
    assert offsets == [0, 1, 2]


def test_tail_ends_without_a_complaint_when_its_reader_goes(platform: Platform) -> None:
    platform.deliver("jpn-cyber", *range(200))
    command = (
        f"{sys.executable} -m hueandcry.cli tail --as jpn-cyber --from beginning --output json --home {platform.home}"
    )
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"timeout 60 {command} --limit 200 | head -n 1"],
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, len(ran.stdout.splitlines()), ran.stderr) == (0, 1, "")


# -- other clients ------------------------------------------------------------------------------------------------


def _kcat_library() -> dict[str, str]:
    """The environment in which kcat has a librdkafka that Kafka 4 lets in.

    One older than 2.6.1 fails with SCRAM at Kafka 4 (confluentinc/librdkafka#4895); Debian's kcat has such a one. It
    then gets the one that confluent-kafka brings, as docs/subscribe.md tells its users.
    """
    version = subprocess.run(["kcat", "-V"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"librdkafka (\d+)\.(\d+)\.(\d+)", version)
    assert found is not None, version
    if tuple(map(int, found.groups())) >= (2, 6, 1):
        return {}
    (library,) = Path(confluent_kafka.__file__).parent.with_name("confluent_kafka.libs").glob("librdkafka-*.so*")
    return {"LD_PRELOAD": str(library)}


@pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed")
def test_kcat_receives_with_the_profile_that_make_up_writes(platform: Platform) -> None:
    alerts = platform.deliver("nzl-police", 1, 2)
    config = platform.home / "agencies" / "nzl-police" / "kcat.conf"
    arguments = ["-C", "-t", "inbox.nzl-police", "-o", "beginning", "-e", "-q", "-f", "%k %h %S\n"]
    command = ["kcat", "-F", str(config), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ | _kcat_library())
    assert ran.returncode == 0, ran.stderr
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert {line[0] for line in lines} == {alert["alert_id"] for alert in alerts}
    assert all(line[1].startswith("hc-key=") and int(line[2]) > 100 for line in lines)


def test_plain_confluent_kafka_receives_and_decodes(platform: Platform) -> None:
    (alert,) = platform.deliver("nor-border", 1)
    settings = agency_profile("nor-border", platform.home).settings
    user, password = settings.registry_auth
    registry = SchemaRegistryClient(
        {
            "url": settings.registry_url,
            "ssl.ca.location": str(settings.registry_ca),
            "basic.auth.user.info": f"{user}:{password}",
        }
    )
    consumer = Consumer(
        {
            "bootstrap.servers": settings.bootstrap,
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": str(settings.ca),
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": settings.user,
            "sasl.password": settings.password.get_secret_value(),
            "group.id": "nor-border.plain",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["inbox.nor-border"])
    try:
        message = _poll(consumer.poll)
        context = SerializationContext("inbox.nor-border", MessageField.VALUE)
        deserialise: Any = AvroDeserializer(registry)  # type: ignore[call-issue]
        delivery = deserialise(message.value(), context)
    finally:
        consumer.close()
    assert str(delivery["alert_id"]) == alert["alert_id"]
    assert delivery["alert"]["subject"]["make"] == "PEUGEOT"
    assert isinstance(delivery["delivered_at"], datetime)


def _poll(poll: Callable[[float], Any]) -> Any:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        message = poll(0.5)
        if message is not None and message.error() is None:
            return message
    raise AssertionError("nothing came")


# -- why ----------------------------------------------------------------------------------------------------------


def _entry(alert: dict[str, Any], sent: list[str]) -> dict[str, Any]:
    source = {"topic": "alerts.europe", "partition": 0, "offset": 0}
    names = {field["name"] for field in json.loads(schema("hueandcry.Head").json)["fields"]}
    head = {name: value for name, value in alert.items() if name in names}
    head |= {"issuing_region": "europe", "effective_from": 0, "expires_at": 0, "offences": [], "rights": []}
    return {
        "head": head,
        "state": "active",
        "cluster_id": alert["alert_id"],
        "identity_key": bytes(32),
        "strong": True,
        "digest": bytes(32),
        "source": source,
        "first_source": source,
        "registered_at": 0,
        "enrichment": {"state_name": None, "offences": [], "facts": None, "remarks": []},
        "sent": [{"agency": agency, "version": 1} for agency in sent],
        "proof": {},
        "schema_id": 1,
        "body": encode("hueandcry.Alert", alert),
    }


def test_why_tells_who_received_an_alert_and_who_did_not(platform: Platform) -> None:
    alert = sound_vehicle(issuer="fra-police", national_reference="WHY-1", excluded=["CAN"])
    stale = _entry(alert, [])
    entry = _entry(alert, ["deu-vehicles"])
    key = b"a" + alert["alert_id"].encode()
    framed = [
        frame(platform.ids.id_of("hueandcry.RegisterEntry"), encode("hueandcry.RegisterEntry", each))
        for each in (stale, entry)
    ]
    platform.write("register", [(key, framed[0]), (b"c" + bytes(32), b"x"), (key, framed[1])])

    def why(agency: str) -> tuple[int, dict[str, Any]]:
        ran = platform.command("why", alert["alert_id"], "--agency", agency, "--output", "json")
        return ran.returncode, json.loads(ran.stdout)

    code, answer = why("deu-vehicles")
    assert (code, answer["answer"], answer["sent_version"]) == (0, "received", 1)
    code, answer = why("can-roads")
    assert (code, answer["answer"]) == (3, "not_entitled")
    assert [each["rule"] for each in answer["rules"] if not each["passed"]] == ["excluded"]
    ran = platform.command("why", alert["alert_id"], "--agency", "can-roads")
    assert ran.returncode == 3
    assert "✗" in ran.stdout
    assert "excluded names its state CAN" in ran.stdout
    ran = platform.command("why", alert["alert_id"], "--agency", "nobody")
    assert ran.returncode == 1
    assert "the network has no agency nobody" in ran.stderr


def test_why_tells_of_a_refusal_and_of_the_unknown(platform: Platform) -> None:
    unknown = str(uuid.uuid4())
    ran = platform.command("why", unknown, "--agency", "deu-vehicles", "--output", "json")
    assert (ran.returncode, json.loads(ran.stdout)["answer"]) == (1, "unknown")
    refusal = {
        "source": {"topic": "alerts.europe", "partition": 0, "offset": 7},
        "claimed_issuer": "fra-police",
        "signer": None,
        "remarks": [{"field": "", "rule": "proof.missing", "message": "the message is not signed", "place": None}],
        "at": 0,
    }
    framed = frame(platform.ids.id_of("hueandcry.Refusal"), encode("hueandcry.Refusal", refusal))
    platform.write("quarantine.europe", [(unknown.encode(), b"bytes")], [("hc-refusal", framed)])
    ran = platform.command("why", unknown, "--agency", "deu-vehicles")
    assert ran.returncode == 1
    assert "proof.missing" in ran.stdout
