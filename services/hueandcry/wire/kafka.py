"""Configuration of librdkafka clients and of the registry's client, from the settings."""

from __future__ import annotations

from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.schema_registry import SchemaRegistryClient

from hueandcry.errors import NetworkError, RegistryError
from hueandcry.settings import Settings

#: Largest message that a client of the platform sends or takes, in bytes; the topics' max.message.bytes is no larger.
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
_ASK_SECONDS = 30.0


def client_config(settings: Settings, **extra: Any) -> dict[str, Any]:
    """What every client needs: where the brokers are, how to trust them, who we are.

    Args:
        settings: of the process. Without a user, TLS or plain text without SASL is spoken.
        extra: librdkafka properties that are added or replace ours, with `_` for `.` (client_id="x" is client.id);
            callbacks and log_level keep their names.
    """
    config: dict[str, Any] = {
        "bootstrap.servers": settings.bootstrap,
        "security.protocol": settings.security_protocol,
        "socket.keepalive.enable": True,
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 5_000,
        "message.max.bytes": MAX_MESSAGE_BYTES,
    }
    if settings.ca is not None and settings.security_protocol.endswith("SSL"):
        config["ssl.ca.location"] = str(settings.ca)
    if settings.user and settings.security_protocol.startswith("SASL"):
        config["sasl.mechanism"] = settings.sasl_mechanism
        config["sasl.username"] = settings.user
        config["sasl.password"] = settings.password.get_secret_value()
    elif settings.security_protocol.startswith("SASL"):
        config["security.protocol"] = settings.security_protocol.removeprefix("SASL_")
    return config | _properties(extra)


def producer_config(settings: Settings, **extra: Any) -> dict[str, Any]:
    """A producer that loses nothing, repeats nothing and keeps order: idempotent, acknowledged by all replicas.

    `extra` as in `client_config`; transactional_id makes it transactional.
    """
    return (
        client_config(settings)
        | {
            "enable.idempotence": True,
            "acks": "all",
            "compression.type": "lz4",
            "linger.ms": 5,
            "batch.size": 512 * 1024,
            "queue.buffering.max.kbytes": 64 * 1024,
            "queue.buffering.max.messages": 100_000,
            "delivery.timeout.ms": 60_000,
            # Kafka's own clients place keys by murmur2; librdkafka's default differs, and topics must co-partition.
            "partitioner": "murmur2_random",
        }
        | _properties(extra)
    )


def consumer_config(settings: Settings, group_id: str, **extra: Any) -> dict[str, Any]:
    """A consumer that sees only what is committed, commits by hand and holds little in memory.

    `extra` as in `client_config`.
    """
    return (
        client_config(settings)
        | {
            "group.id": group_id,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": False,
            "fetch.message.max.bytes": 1024 * 1024,
            "fetch.max.bytes": 16 * 1024 * 1024,
            "receive.message.max.bytes": 16 * 1024 * 1024 + 512 * 1024,
            "queued.max.messages.kbytes": 32 * 1024,
            "session.timeout.ms": 30_000,
        }
        | _properties(extra)
    )


def registry_client(settings: Settings) -> SchemaRegistryClient:
    """Client of the schema registry that the settings name; nothing is asked of it yet.

    Raises:
        RegistryError: the settings name no registry.
    """
    if not settings.registry_url:
        raise RegistryError("no schema registry is set", hint="Set HUEANDCRY_REGISTRY_URL")
    config: dict[str, Any] = {
        "url": settings.registry_url,
        "timeout": 10,
        "max.retries": 2,
        "retries.wait.ms": 200,
        "retries.max.wait.ms": 1_000,
    }
    if settings.registry_ca is not None:
        config["ssl.ca.location"] = str(settings.registry_ca)
    user, password = settings.registry_auth
    if user:
        config["basic.auth.user.info"] = f"{user}:{password}"
    return SchemaRegistryClient(config)


def partitions_of(settings: Settings, *topics: str) -> dict[str, int]:
    """How many partitions each of these topics has.

    Raises:
        NetworkError: Kafka does not answer, or has no such topic.
    """
    try:
        found = AdminClient(client_config(settings)).list_topics(timeout=_ASK_SECONDS).topics
    except KafkaException as error:
        raise NetworkError(f"Kafka does not answer: {error.args[0].str()}") from error
    missing = [name for name in topics if name not in found or not found[name].partitions]
    if missing:
        raise NetworkError(f"there is no topic {', '.join(missing)}", hint="Run `hueandcry network apply`")
    return {name: len(found[name].partitions) for name in topics}


def _properties(extra: dict[str, Any]) -> dict[str, Any]:
    return {name if _is_literal(name) else name.replace("_", "."): value for name, value in extra.items()}


def _is_literal(name: str) -> bool:
    return "." in name or name.endswith("_cb") or name in ("log_level", "on_commit", "on_delivery")
