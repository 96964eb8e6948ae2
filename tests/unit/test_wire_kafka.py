"""The settings become configurations that librdkafka accepts, safe by default."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from pydantic import SecretStr

from hueandcry.errors import RegistryError
from hueandcry.settings import Settings
from hueandcry.wire.kafka import client_config, consumer_config, producer_config, registry_client

PLAIN = Settings(bootstrap="127.0.0.1:1", security_protocol="PLAINTEXT")  # pyright: ignore[reportCallIssue]
SECURE = Settings(  # pyright: ignore[reportCallIssue]
    bootstrap="127.0.0.1:1", ca=Path("ca.pem"), user="utopia-police", password=SecretStr("not a real one")
)


def test_a_user_speaks_scram_over_tls() -> None:
    config = client_config(SECURE)
    assert config["security.protocol"] == "SASL_SSL"
    assert config["sasl.mechanism"] == "SCRAM-SHA-512"
    assert (config["sasl.username"], config["sasl.password"]) == ("utopia-police", "not a real one")
    assert config["ssl.ca.location"] == "ca.pem"


def test_nobody_speaks_tls_alone() -> None:
    config = client_config(Settings(bootstrap="127.0.0.1:1"))  # pyright: ignore[reportCallIssue]
    assert config["security.protocol"] == "SSL"
    assert not any(name.startswith("sasl") for name in config)


def test_extra_properties_win_and_keep_names_that_have_no_dots() -> None:
    config = producer_config(PLAIN, client_id="x", linger_ms=0, log_level=3, **{"queue.buffering.max.ms": 1})
    assert (config["client.id"], config["linger.ms"], config["log_level"]) == ("x", 0, 3)
    assert config["queue.buffering.max.ms"] == 1


def test_producers_lose_nothing_and_consumers_commit_by_hand() -> None:
    producer = producer_config(SECURE)
    assert producer["acks"] == "all"
    assert producer["enable.idempotence"] is True
    consumer = consumer_config(SECURE, "utopia-police.main")
    assert consumer["isolation.level"] == "read_committed"
    assert consumer["enable.auto.commit"] is False
    assert consumer["enable.auto.offset.store"] is False


def test_librdkafka_accepts_them() -> None:
    Producer(producer_config(PLAIN, transactional_id="t", log_level=0, error_cb=lambda _: None)).flush(0)
    Consumer(consumer_config(PLAIN, "g", log_level=0, error_cb=lambda _: None)).close()


def test_a_registry_must_be_named() -> None:
    with pytest.raises(RegistryError):
        registry_client(PLAIN)
    registry_client(PLAIN.model_copy(update={"registry_url": "http://127.0.0.1:9"}))
