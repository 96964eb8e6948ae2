"""The local Kafka is real, and closed to strangers."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # pyright: ignore[reportPrivateImportUsage]

from hueandcry.control.local import LocalCluster

pytestmark = pytest.mark.broker


def refused(config: dict[str, Any]) -> bool:
    """Whether a client with this configuration gets an error, and no answer to the plainest question."""
    errors: list[KafkaError] = []
    options: dict[str, Any] = {"log_level": 0, **config, "error_cb": errors.append}
    admin = AdminClient(options)
    end = time.monotonic() + 5.0
    while not errors and time.monotonic() < end:
        try:
            return not admin.list_topics(timeout=0.3).brokers
        except KafkaException:
            admin.poll(0)
    return True


def test_the_operator_is_served(cluster: LocalCluster) -> None:
    assert not refused(cluster.client_config())


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"security.protocol": "PLAINTEXT"}, id="plain text"),
        pytest.param({"security.protocol": "SASL_PLAINTEXT"}, id="password without TLS"),
        pytest.param({"security.protocol": "SSL"}, id="TLS without a user"),
        pytest.param({"sasl.password": "guess"}, id="wrong password"),
        pytest.param({"sasl.username": "nobody"}, id="unknown user"),
        pytest.param({"sasl.mechanism": "PLAIN"}, id="another mechanism"),
        pytest.param({"sasl.mechanism": "SCRAM-SHA-256"}, id="a weaker mechanism"),
        pytest.param({"ssl.ca.location": "/etc/ssl/certs/ca-certificates.crt"}, id="another authority"),
    ],
)
def test_who_is_not_known_gets_no_answer(operator_config: dict[str, Any], change: dict[str, str]) -> None:
    assert refused(operator_config | change)


@pytest.mark.parametrize("listener", ["internal", "controller"])
@pytest.mark.parametrize("protocol", ["SASL_SSL", "SSL", "PLAINTEXT"])
def test_not_even_the_operator_gets_at_the_inner_listeners(
    cluster: LocalCluster, operator_config: dict[str, Any], listener: str, protocol: str
) -> None:
    address = f"127.0.0.1:{cluster.port(listener)}"
    assert refused(operator_config | {"bootstrap.servers": address, "security.protocol": protocol})


def test_the_registry_certificate_opens_no_inner_listener(
    cluster: LocalCluster, operator_config: dict[str, Any]
) -> None:
    certificates = cluster.certificates
    mutual = {
        "bootstrap.servers": f"127.0.0.1:{cluster.port('internal')}",
        "security.protocol": "SSL",
        "ssl.certificate.location": str(certificates.registry),
        "ssl.key.location": str(certificates.registry_key),
    }
    assert refused(operator_config | mutual)


def test_a_known_user_without_a_rule_may_do_nothing(cluster: LocalCluster, fresh_topic: Callable[..., str]) -> None:
    topic = fresh_topic()
    service = cluster.client_config("hc-admit")
    assert topic not in AdminClient(service).list_topics(timeout=10).topics

    errors: list[KafkaError | None] = []
    producer = Producer({**service, "message.timeout.ms": 5000, "log_level": 0})
    producer.produce(topic, b"x", on_delivery=lambda error, _: errors.append(error))
    producer.flush(10)
    assert [error.code() for error in errors if error] == [KafkaError.TOPIC_AUTHORIZATION_FAILED]


def test_an_unknown_topic_is_not_made(cluster: LocalCluster, operator_config: dict[str, Any]) -> None:
    topic = f"unknown-{uuid.uuid4().hex}"
    errors: list[KafkaError | None] = []
    producer = Producer({**operator_config, "message.timeout.ms": 3000, "log_level": 0})
    producer.produce(topic, b"x", on_delivery=lambda error, _: errors.append(error))
    producer.flush(10)
    assert [error is not None for error in errors] == [True]
    assert topic not in AdminClient(operator_config).list_topics(timeout=10).topics


def test_secrets_are_for_the_owner_alone(cluster: LocalCluster) -> None:
    secret = [
        cluster.home / "operator" / "secrets.json",
        cluster.certificates.broker,
        cluster.certificates.registry_key,
    ]
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in secret} == {path.name: "0o600" for path in secret}
    password = str(cluster.client_config()["sasl.password"])
    spilled = [
        path
        for folder in ("broker", "logs", "run")
        for path in (cluster.home / folder).rglob("*")
        if path.is_file() and password.encode() in path.read_bytes()
    ]
    assert spilled == []


def test_a_second_start_changes_nothing(cluster: LocalCluster) -> None:
    before = (cluster.broker.process.pid, cluster.bootstrap)
    assert LocalCluster(cluster.home).start_broker() is False
    assert (cluster.broker.process.pid, cluster.bootstrap) == before


def test_what_was_written_outlives_a_crash_and_a_stop(tmp_path: Path) -> None:
    own = LocalCluster(tmp_path / "home", tied=True, quick_start=True)
    try:
        own.start_broker()
        bootstrap, config = own.bootstrap, own.client_config()
        admin = AdminClient(config)
        admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(timeout=20)
        producer = Producer({**config, "acks": "all"})
        producer.produce("kept", b"before the crash")
        assert producer.flush(20) == 0
        own.kill_broker()
        own.start_broker()
        producer.produce("kept", b"before the stop")
        assert producer.flush(30) == 0
        assert own.stop_broker() is True
        assert own.stop_broker() is False
        own.start_broker()
        assert own.bootstrap == bootstrap

        consumer = Consumer({**config, "group.id": "g", "auto.offset.reset": "earliest"})
        consumer.subscribe(["kept"])
        messages = consumer.consume(2, timeout=30)
        consumer.close()
        assert [message.value() for message in messages] == [b"before the crash", b"before the stop"]
    finally:
        own.down()


def test_a_recycled_pid_is_left_alone(tmp_path: Path) -> None:
    own = LocalCluster(tmp_path)
    pid_file = tmp_path / "run" / "broker.pid"
    pid_file.parent.mkdir()
    pid_file.write_text(f'{{"pid": {os.getpid()}, "started": "0"}}')  # our own pid, with another start
    assert own.stop_broker() is False
    assert not pid_file.exists()
