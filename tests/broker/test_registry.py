"""The embedded registry as a process, over a real Kafka, asked by the clients that people use."""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,  # pyright: ignore[reportPrivateImportUsage]
    ConfigEntry,  # pyright: ignore[reportPrivateImportUsage]
    ConfigResource,  # pyright: ignore[reportPrivateImportUsage]
)
from confluent_kafka.cimpl import NewTopic
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient, SchemaRegistryError
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from hueandcry.control.local import LocalCluster
from hueandcry.registry.log import SchemaLog
from hueandcry.registry.operations import Posted, delete_version, register, set_level

pytestmark = pytest.mark.broker
PASSWORD = "a long password of the operator in tests"


def record(*names: str, name: str = "Alert", **more: Any) -> str:
    """A record whose fields have defaults."""
    fields = [{"name": field, "type": ["null", "string"], "default": None} for field in names]
    return json.dumps({"type": "record", "name": name, "namespace": "test", "fields": fields, **more})


class Instance:
    """One process of the registry."""

    def __init__(self, cluster: LocalCluster, topic: str, folder: Path) -> None:
        self.ca = cluster.certificates.ca
        self.port = _free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        users = folder / "users"
        users.write_text(
            f"operator:write:{hashlib.sha256(PASSWORD.encode()).hexdigest()}\n"
            f"agency:read:{hashlib.sha256(b'reader').hexdigest()}\n"
        )
        kafka = cluster.client_config()
        self._env = {
            **os.environ,
            "HUEANDCRY_BOOTSTRAP": str(kafka["bootstrap.servers"]),
            "HUEANDCRY_CA": str(kafka["ssl.ca.location"]),
            "HUEANDCRY_USER": str(kafka["sasl.username"]),
            "HUEANDCRY_PASSWORD": str(kafka["sasl.password"]),
            "HUEANDCRY_REGISTRY_PORT": str(self.port),
            "HUEANDCRY_REGISTRY_TOPIC": topic,
            "HUEANDCRY_REGISTRY_LEVEL": "BACKWARD",
            "HUEANDCRY_REGISTRY_CERTIFICATE": str(cluster.certificates.registry),
            "HUEANDCRY_REGISTRY_KEY": str(cluster.certificates.registry_key),
            "HUEANDCRY_REGISTRY_USERS": str(users),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Instance:
        command = [sys.executable, "-c", "from hueandcry.cli.serve import registry; registry()"]
        self.process = subprocess.Popen(command, env=self._env)
        until = time.monotonic() + 60
        while self._ready() != 200:
            assert self.process.poll() is None, "the registry ended"
            assert time.monotonic() < until, "the registry is not ready"
            time.sleep(0.05)
        return self

    def _ready(self) -> int:
        try:
            return self.ask("GET", "/ready")[0]
        except OSError:
            return 0

    def end(self, with_signal: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(with_signal)
        return self.process.wait(20)

    def client(self, user: str | None = f"operator:{PASSWORD}") -> SchemaRegistryClient:
        login = {"basic.auth.user.info": user} if user else {}
        return SchemaRegistryClient({"url": self.url, "ssl.ca.location": str(self.ca), "max.retries": 0, **login})

    def ask(self, method: str, path: str, body: Any = None, login: str | None = None) -> tuple[int, Any]:
        """One request: status, and body as JSON (or as text)."""
        trust = ssl.create_default_context(cafile=str(self.ca))
        connection = HTTPSConnection("127.0.0.1", self.port, context=trust, timeout=20)
        headers = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"} if login else {}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        try:
            return answer.status, json.loads(data)
        except ValueError:
            return answer.status, data.decode()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def topic(cluster: LocalCluster) -> Iterator[str]:
    """The name of a topic that does not exist yet."""
    name = f"_schemas-{uuid.uuid4().hex[:10]}"
    yield name
    admin = AdminClient(cluster.client_config())
    admin.delete_topics([name])[name].exception(timeout=20)


@pytest.fixture
def start(cluster: LocalCluster, topic: str, tmp_path: Path) -> Iterator[Callable[[], Instance]]:
    """Starts an instance over the topic."""
    started: list[Instance] = []

    def go() -> Instance:
        started.append(Instance(cluster, topic, tmp_path))
        return started[-1].start()

    yield go
    for instance in started:
        if instance.process is not None and instance.process.poll() is None:
            instance.process.kill()
            instance.process.wait(10)


@pytest.fixture
def log(cluster: LocalCluster, topic: str) -> Iterator[Callable[[], SchemaLog]]:
    """Opens the topic in this process."""
    opened: list[SchemaLog] = []

    def go() -> SchemaLog:
        opened.append(SchemaLog(cluster.client_config(), topic))
        opened[-1].start()
        assert opened[-1].wait_ready(30)
        return opened[-1]

    yield go
    for one in opened:
        one.close()


def test_confluents_client_finds_all_it_needs(start: Callable[[], Instance]) -> None:
    client = start().client()
    first, second = Schema(record("a"), "AVRO"), Schema(record("a", "b"), "AVRO")
    one = client.register_schema("test.Alert", first)
    two = client.register_schema("test.Alert", second, normalize_schemas=True)
    assert (one, two) == (1, 2)
    assert client.get_subjects() == ["test.Alert"]
    assert client.get_versions("test.Alert") == [1, 2]
    assert client.get_latest_version("test.Alert").version == 2
    assert client.get_version("test.Alert", 1).schema_id == one
    assert client.lookup_schema("test.Alert", first).version == 1
    text = client.get_schema(two).schema_str
    assert text is not None
    assert json.loads(text)["fields"][1]["name"] == "b"
    assert client.get_schema_types() == ["AVRO"]
    assert [(v.subject, v.version) for v in client.get_schema_versions(two)] == [("test.Alert", 2)]
    assert client.get_subjects_by_schema_id(two) == ["test.Alert"]
    assert client.test_compatibility("test.Alert", Schema(record("a", "b", "c"), "AVRO"))
    wrong = record("a", fields=[{"name": "must", "type": "int"}])
    assert not client.test_compatibility("test.Alert", Schema(wrong, "AVRO"))
    assert client.get_compatibility() == "BACKWARD"
    client.set_compatibility("test.Alert", "FULL_TRANSITIVE")
    assert client.get_compatibility("test.Alert") == "FULL_TRANSITIVE"
    with pytest.raises(
        SchemaRegistryError, match=r"READER_FIELD_MISSING_DEFAULT_VALUE at test\.Alert\.must"
    ) as refused:
        client.register_schema("test.Alert", Schema(wrong, "AVRO"))
    assert (refused.value.http_status_code, refused.value.error_code) == (409, 409)
    assert client.delete_version("test.Alert", 1) == 1
    assert client.get_versions("test.Alert") == [2]
    assert client.delete_subject("test.Alert") == [2]
    assert client.delete_subject("test.Alert", permanent=True) == [1, 2]
    with pytest.raises(SchemaRegistryError) as gone:
        client.get_versions("test.Alert")
    assert gone.value.error_code == 40401


def test_avro_serializer_and_deserializer_end_to_end(
    start: Callable[[], Instance], operator_config: dict[str, Any], fresh_topic: Callable[..., str]
) -> None:
    instance, alerts = start(), fresh_topic()
    at = SerializationContext(alerts, MessageField.VALUE)
    serialise: Any = AvroSerializer(instance.client(), record("plate"))  # pyright: ignore[reportCallIssue]
    read: Any = AvroDeserializer(instance.client(user=None))  # pyright: ignore[reportCallIssue]
    producer = Producer(operator_config)
    producer.produce(alerts, serialise({"plate": "synthetic"}, at))
    assert producer.flush(20) == 0
    consumer = Consumer({**operator_config, "group.id": f"operator.{uuid.uuid4()}", "auto.offset.reset": "earliest"})
    consumer.subscribe([alerts])
    try:
        message = consumer.poll(30)
        assert message is not None
        assert message.error() is None
        assert read(message.value(), at) == {"plate": "synthetic"}
    finally:
        consumer.close()


def test_references_between_subjects(start: Callable[[], Instance]) -> None:
    client = start().client()
    client.register_schema("test.Vin", Schema(record("raw", name="Vin"), "AVRO"))
    outer = json.dumps(
        {"type": "record", "name": "Car", "namespace": "test", "fields": [{"name": "vin", "type": "Vin"}]}
    )
    reference = SchemaReference(name="test.Vin", subject="test.Vin", version=1)
    client.register_schema("test.Car", Schema(outer, "AVRO", [reference]))
    latest = client.get_latest_version("test.Car").schema
    assert latest.references == [reference]
    with pytest.raises(SchemaRegistryError, match="undefined name"):
        client.register_schema("test.Other", Schema(outer, "AVRO"))
    with pytest.raises(SchemaRegistryError, match="referred to by") as refused:
        client.delete_subject("test.Vin")
    assert refused.value.error_code == 42206


def test_who_may_read_and_write(start: Callable[[], Instance]) -> None:
    instance = start()
    post = ("POST", "/subjects/s/versions", {"schema": record("a")})
    assert instance.ask(*post)[0] == 401
    assert instance.ask(*post, login="operator:wrong") == (
        401,
        {"error_code": 40101, "message": "User name and password are missing or wrong"},
    )
    assert instance.ask(*post, login="agency:reader")[0] == 403
    assert instance.ask("PUT", "/config", {"compatibility": "NONE"})[0] == 401
    assert instance.ask("DELETE", "/subjects/s")[0] == 401
    assert instance.ask(*post, login=f"operator:{PASSWORD}") == (200, {"id": 1})
    assert instance.ask("GET", "/subjects") == (200, ["s"])
    assert instance.ask("GET", "/subjects", login="whoever:with another login") == (200, ["s"])


def test_kill_9_and_start_again_loses_nothing(start: Callable[[], Instance]) -> None:
    first = start()
    client = first.client()
    ids = [client.register_schema(f"s{i}", Schema(record(f"f{i}"), "AVRO")) for i in range(5)]
    client.set_compatibility("s1", "NONE")
    client.delete_subject("s0")
    texts = [client.get_schema(i).schema_str for i in ids]
    assert first.end(signal.SIGKILL) == -signal.SIGKILL

    again = start().client()
    assert [again.get_schema(i).schema_str for i in ids] == texts
    assert again.get_subjects() == ["s1", "s2", "s3", "s4"]
    assert again.get_subjects_by_schema_id(ids[0], deleted=True) == ["s0"]
    assert again.get_compatibility("s1") == "NONE"
    assert again.register_schema("s9", Schema(record("new"), "AVRO")) == max(ids) + 1


def test_sigterm_ends_in_good_order(start: Callable[[], Instance]) -> None:
    assert start().end(signal.SIGTERM) == 0


def test_one_schema_registered_by_many_at_once_gets_one_id(start: Callable[[], Instance]) -> None:
    instances = [start(), start()]
    schema = Schema(record("a"), "AVRO")

    def go(i: int) -> int:
        return instances[i % 2].client().register_schema(f"s{i % 3}", schema)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(pool.map(go, range(16))) == {1}
    for instance in instances:
        assert instance.ask("GET", "/schemas/ids/1/versions") == (
            200,
            [{"subject": f"s{i}", "version": 1} for i in range(3)],
        )


def test_two_instances_write_in_turns_and_give_no_id_twice(start: Callable[[], Instance]) -> None:
    instances = [start(), start()]

    def go(i: int) -> int:
        return instances[i % 2].client().register_schema("s", Schema(record(*(f"f{k}" for k in range(i))), "AVRO"))

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(go, range(18)))
    assert sorted(ids) == list(range(1, 19))
    answers = [instance.ask("GET", "/subjects/s/versions?deleted=true") for instance in instances]
    assert answers == [(200, list(range(1, 19)))] * 2


def test_what_one_instance_wrote_the_other_has_at_once(start: Callable[[], Instance]) -> None:
    one, other = start(), start()
    for i in range(5):
        schema_id = one.client().register_schema(f"s{i}", Schema(record(f"f{i}"), "AVRO"))
        assert other.ask("GET", f"/schemas/ids/{schema_id}")[0] == 200
        assert other.ask("GET", f"/subjects/s{i}/versions/latest")[0] == 200


def test_a_fenced_writer_decides_again_on_what_the_other_wrote(log: Callable[[], SchemaLog]) -> None:
    one, other = log(), log()

    def add(into: SchemaLog, name: str) -> int:
        return into.write(lambda state: register(state, "s", Posted(record(name)), "NONE"))

    assert [add(one, "a"), add(other, "b"), add(one, "c"), add(other, "c")] == [1, 2, 3, 3]
    assert one.pens_taken == 2
    assert other.catch_up().subjects == one.catch_up().subjects


def test_a_decision_that_raises_writes_nothing(log: Callable[[], SchemaLog]) -> None:
    one = log()
    one.write(lambda state: register(state, "s", Posted(record("a")), "NONE"))
    before = one.catch_up()
    with pytest.raises(ValueError, match="no"):
        one.write(lambda state: (_ for _ in ()).throw(ValueError("no")))
    assert one.catch_up() == before


def test_a_compacted_topic_reads_the_same(
    log: Callable[[], SchemaLog], cluster: LocalCluster, topic: str, operator_config: dict[str, Any]
) -> None:
    first = log()
    for i in range(8):
        first.write(lambda state, i=i: register(state, "s", Posted(record(f"f{i}")), "NONE"))
    for level in ("NONE", "FULL", "BACKWARD"):
        first.write(lambda state, level=level: set_level(state, "s", level))
    for permanent in (False, True):
        first.write(lambda state, p=permanent: delete_version(state, "s", 8, permanent=p))
    written = first.catch_up()
    assert written.highest_id == 8
    _compact(operator_config, topic)

    again = log().state
    assert again.subjects == written.subjects
    assert again.levels == written.levels == {"s": "BACKWARD"}
    assert again.by_id.keys() == written.by_id.keys() == set(range(1, 8))
    assert again.highest_id == 8, "an id that was deleted for good is not given again"


def _compact(config: dict[str, Any], topic: str) -> None:
    """Have the broker compact what is there: small segments, dirty at once; wait until a second level is gone."""
    admin = AdminClient(config)
    wanted = {"segment.ms": "100", "min.cleanable.dirty.ratio": "0.001", "delete.retention.ms": "100"}
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in wanted.items()]
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
    admin.incremental_alter_configs([resource])[resource].result(20)
    producer = Producer(config)
    until = time.monotonic() + 90
    while _config_records(config, topic) > 1:
        assert time.monotonic() < until, "the broker does not compact"
        producer.produce(topic, key=b'{"keytype":"NOOP","magic":0}', value=b'{"highestId":8}')  # rolls the segment
        producer.flush(10)
        time.sleep(0.5)


def _config_records(config: dict[str, Any], topic: str) -> int:
    consumer = Consumer(
        {**config, "group.id": "operator.look", "enable.partition.eof": True, "enable.auto.commit": False}
    )
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    found = 0
    try:
        while (message := consumer.poll(20)) is not None and message.error() is None:
            found += b'"CONFIG"' in (message.key() or b"")
    finally:
        consumer.close()
    return found


def test_another_registrys_topic_is_read(
    start: Callable[[], Instance], operator_config: dict[str, Any], topic: str
) -> None:
    """Records as Confluent's registry writes them, junk among them; then ours goes on with the numbers."""
    admin = AdminClient(operator_config)
    admin.create_topics([NewTopic(topic, 1, 1, config={"cleanup.policy": "compact"})])[topic].result(20)
    text = '{"type":"record","name":"Alert","namespace":"test","fields":[{"name":"a","type":"string"}]}'
    entries: list[tuple[Any, Any]] = [
        ({"keytype": "NOOP", "magic": 0}, None),
        ({"keytype": "CONFIG", "subject": None, "magic": 0}, {"compatibilityLevel": "NONE"}),
        (
            {"keytype": "SCHEMA", "subject": "s", "version": 1, "magic": 1},
            {"subject": "s", "version": 1, "id": 7, "md5": "x", "schema": text, "deleted": False},
        ),
        ({"keytype": "SCHEMA", "subject": "bad", "version": 1, "magic": 1}, {"id": "seven"}),
        (
            {"keytype": "CONTEXT", "tenant": "default", "context": "c", "magic": 0},
            {"tenant": "default", "context": "c"},
        ),
    ]
    producer = Producer(operator_config)
    for key, value in entries:
        producer.produce(topic, key=json.dumps(key), value=None if value is None else json.dumps(value))
    producer.produce(topic, key=b"junk", value=b"junk")
    assert producer.flush(20) == 0

    client = start().client()
    assert client.get_compatibility() == "NONE"
    assert client.get_schema(7).schema_str == text
    spaced = json.dumps(json.loads(text), indent=4)
    assert client.register_schema("other", Schema(spaced, "AVRO")) == 7
    assert client.register_schema("s", Schema('"string"', "AVRO")) == 8
