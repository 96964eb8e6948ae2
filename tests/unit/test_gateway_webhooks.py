"""Webhooks without Kafka: where they may lead, how they are signed, and how often they are tried."""

from __future__ import annotations

import asyncio
import base64
import socket
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError

from hueandcry.gateway import sending
from hueandcry.gateway.events import Event
from hueandcry.gateway.reachable import Guarded, NotPublic, check_url, may_reach
from hueandcry.gateway.sending import Attempt, Sending, body_of
from hueandcry.gateway.settings import GatewaySettings, networks
from hueandcry.gateway.webhook_signing import Signing
from hueandcry.rights.network import Webhook

HOOK = Webhook(id="main", url="https://hooks.example/in")
BLOCKED = [
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
    *("255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.1"),
    *("::ffff:169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b:1::7f00:1", "2002:a00:1::1"),
]


@pytest.mark.parametrize("address", BLOCKED)
def test_no_webhook_leads_to_an_address_that_is_not_public(address: str) -> None:
    assert not may_reach(address, [])


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::93.184.216.34"])
def test_webhooks_lead_to_public_addresses(address: str) -> None:
    assert may_reach(address, [])


def test_the_operator_may_allow_a_network() -> None:
    allowed = networks("10.1.0.0/16 fc00::/8")
    assert may_reach("10.1.2.3", allowed)
    assert may_reach("::ffff:10.1.2.3", allowed)
    assert may_reach("fc00::1", allowed)
    assert not may_reach("10.2.0.1", allowed)


@pytest.mark.parametrize("url", ["http://hooks.example/", "https://127.0.0.1/", "https://[::1]:8443/x", "https:///x"])
def test_a_url_is_judged_before_it_is_asked(url: str) -> None:
    with pytest.raises(NotPublic):
        check_url(url, [])


class Names(AbstractResolver):
    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        return [
            {"hostname": host, "host": each, "port": port, "family": family, "proto": 0, "flags": 0}
            for each in self.addresses
        ]

    async def close(self) -> None:
        pass


def test_a_name_counts_by_its_addresses() -> None:
    async def found(*addresses: str) -> list[str]:
        return [each["host"] for each in await Guarded([], Names(*addresses)).resolve("x.example")]

    assert asyncio.run(found("10.0.0.1", "93.184.216.34")) == ["93.184.216.34"]
    with pytest.raises(NotPublic):
        asyncio.run(found("10.0.0.1", "::1"))


# -- signatures -----------------------------------------------------------------------------------------------------


def test_a_receiver_with_the_libraries_of_standard_webhooks_verifies() -> None:
    signing, body = Signing(bytes(range(32))), '{"type":"delivery.issued","data":{"ü":1}}'.encode()
    headers = signing.headers("fra", HOOK, "msg-1", int(time.time()), body)
    assert Receiver(signing.secret_of("fra", HOOK)).verify(body, headers)["type"] == "delivery.issued"
    with pytest.raises(WebhookVerificationError):
        Receiver(signing.secret_of("deu", HOOK)).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Receiver(signing.secret_of("fra", HOOK)).verify(body + b" ", headers)
    elsewhere = Webhook(id="main", url="https://elsewhere.example/in")
    assert signing.secret_of("fra", elsewhere) != signing.secret_of("fra", HOOK)

    (v1a,) = [part[4:] for part in headers["webhook-signature"].split() if part.startswith("v1a,")]
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(signing.public_key.removeprefix("whpk_")))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    public.verify(base64.b64decode(v1a), signed)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(v1a), signed + b" ")


# -- attempts -------------------------------------------------------------------------------------------------------


class Scripted(Sending):
    """Its attempts come out as scripted; time passes at once."""

    def __init__(self, *script: Attempt, patience: int = 100) -> None:
        self.script = list(script)
        self.counted: list[str] = []
        self.dead: list[str] = []
        self._patience = patience
        self._count = self.counted.append

    async def _attempt(self, agency: str, webhook: Webhook, message_id: str, body: bytes) -> Attempt:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    async def _put_aside(
        self, agency: str, webhook: Webhook, event: Event, message_id: str, why: str, attempts: int
    ) -> None:
        self.dead.append(f"{message_id} {why} {attempts}")


EVENT = cast(
    "Event",
    SimpleNamespace(
        type="delivery", message_id="d-1", key="a", partition=0, offset=1, at_ms=0,
        content={"action": "issued", "alert_id": "a"},
    ),
)  # fmt: skip


def waits(monkeypatch: pytest.MonkeyPatch, made: Scripted) -> list[float]:
    slept: list[float] = []
    now = [0.0]

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(sending.asyncio, "sleep", sleep)
    monkeypatch.setattr(sending.time, "monotonic", lambda: now[0])
    asyncio.run(made.send("fra", HOOK, EVENT))
    return slept


def test_attempts_come_further_and_further_apart_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Scripted(*[Attempt("away")] * 20, Attempt("taken"), patience=100_000)
    slept = waits(monkeypatch, made)
    assert len(slept) == 20
    for number, seconds in enumerate(slept):
        full = min(300.0, 2.0**number)
        assert 0.5 * full <= seconds <= 1.5 * full
    assert made.dead == []


def test_a_receiver_that_refuses_a_message_loses_only_that_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Scripted(Attempt("refused"))
    waits(monkeypatch, made)
    assert made.dead == ["d-1 refused 5"]


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Scripted(Attempt("away"), patience=60)
    assert sum(waits(monkeypatch, made)) >= 60
    assert len(made.dead) == 1


def test_a_receiver_may_say_when(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Scripted(Attempt("away", 30.0), Attempt("away", 10_000.0), Attempt("taken"), patience=100_000)
    first, second = waits(monkeypatch, made)
    assert (first, second) == (30.0, 300.0)


def test_a_body_says_type_time_and_data() -> None:
    assert body_of(EVENT) == (
        b'{"type":"delivery.issued","timestamp":"1970-01-01T00:00:00.000Z","data":{"action":"issued","alert_id":"a"}}'
    )


def test_settings_name_networks() -> None:
    with pytest.raises(ValueError, match="write addresses or networks"):
        GatewaySettings.model_validate({"certificate": "c", "key": "k", "webhook_networks": "10.0.0.1/8"})
