"""Client quotas over Kafka's own protocol.

librdkafka, and so confluent-kafka, has no requests for client quotas (as of 2.16). aiokafka has the connection, TLS
and SCRAM, and DescribeClientQuotas; AlterClientQuotas is written out here after Kafka's protocol guide (API key 49,
version 0).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.helpers import create_ssl_context
from aiokafka.protocol.admin import DescribeClientQuotasRequest as _Describe
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String

from hueandcry.errors import NetworkError

#: What we set and compare; other limits on a user are left alone.
LIMITS = ("producer_byte_rate", "consumer_byte_rate", "request_percentage")
_ANY_NAMED = 2
_TIMEOUT_MS = 15_000

_ENTITY = Array(("entity_type", String("utf-8")), ("entity_name", String("utf-8")))


class _AlterResponse(Response):
    API_KEY = 49  # type: ignore[assignment]
    API_VERSION = 0  # type: ignore[assignment]
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("entries", Array(("error_code", Int16), ("error_message", String("utf-8")), ("entity", _ENTITY))),
    )


class _AlterStruct(RequestStruct):
    API_KEY = 49
    API_VERSION = 0
    RESPONSE_TYPE = _AlterResponse
    SCHEMA = Schema(
        (
            "entries",
            Array(
                ("entity", _ENTITY),
                ("ops", Array(("key", String("utf-8")), ("value", Float64), ("remove", Boolean))),
            ),
        ),
        ("validate_only", Boolean),
    )


class _Alter(Request[_AlterStruct]):
    API_KEY = 49

    def __init__(self, entries: list[tuple[list[tuple[str, str]], list[tuple[str, float, bool]]]]) -> None:
        self._entries = entries

    def build(self, request_struct_class: type[_AlterStruct]) -> _AlterStruct:
        return request_struct_class(self._entries, False)


def describe(config: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Limits by user, of users that have some of their own. `config` is librdkafka's.

    Raises:
        NetworkError: the broker can't be reached, or refuses.
    """
    response = _ask(config, _Describe([("user", _ANY_NAMED, cast("str", None))], True))
    _raise_for(response.error_code, response.error_message)
    return {
        name: limits
        for entity, values in response.entries or []
        for kind, name in entity
        if kind == "user" and name is not None and (limits := {key: value for key, value in values if key in LIMITS})
    }


def alter(config: Mapping[str, Any], changes: Mapping[str, Mapping[str, float | None]]) -> None:
    """Set limits by user; None takes one away.

    Raises:
        NetworkError: the broker can't be reached, or refuses one of them.
    """
    if not changes:
        return
    entries = [
        (
            [("user", user)],
            [(key, 0.0 if value is None else float(value), value is None) for key, value in limits.items()],
        )
        for user, limits in changes.items()
    ]
    response = _ask(config, _Alter(entries))
    for code, message, _ in response.entries:
        _raise_for(code, message)


def _raise_for(code: int, message: str | None) -> None:
    if code:
        raise NetworkError(f"quotas: the broker refuses: {message or for_code(code).__name__}")


def _ask(config: Mapping[str, Any], request: Any) -> Any:
    try:
        return asyncio.run(asyncio.wait_for(_send(config, request), _TIMEOUT_MS * 2 / 1000))
    except (KafkaError, OSError, TimeoutError) as error:
        raise NetworkError(f"quotas: the broker does not answer: {type(error).__name__}") from None


async def _send(config: Mapping[str, Any], request: Any) -> Any:
    client = AIOKafkaClient(**_client_arguments(config))
    try:
        await client.bootstrap()
        node = client.get_random_node()
        while not await client.ready(node):
            await asyncio.sleep(0.1)
        return await client.send(node, request)
    finally:
        await client.close()


def _client_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """aiokafka's arguments for librdkafka's configuration, as far as wire.kafka uses it."""
    protocol = str(config.get("security.protocol", "PLAINTEXT")).upper()
    arguments: dict[str, Any] = {
        "bootstrap_servers": str(config["bootstrap.servers"]),
        "client_id": "hueandcry-network",
        "request_timeout_ms": _TIMEOUT_MS,
        "security_protocol": protocol,
    }
    if "SSL" in protocol:
        arguments["ssl_context"] = create_ssl_context(
            cafile=config.get("ssl.ca.location"),
            certfile=config.get("ssl.certificate.location"),
            keyfile=config.get("ssl.key.location"),
        )
    if protocol.startswith("SASL"):
        arguments |= {
            "sasl_mechanism": str(config.get("sasl.mechanism") or config["sasl.mechanisms"]),
            "sasl_plain_username": str(config["sasl.username"]),
            "sasl_plain_password": str(config["sasl.password"]),
        }
    return arguments
