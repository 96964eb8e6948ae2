"""Webhooks on the whole platform, to a real HTTPS receiver that is away, fails and refuses at times."""

from __future__ import annotations

import json
import ssl
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from broker.lane_process import until
from broker.on_platform import Platform, new_vin
from broker.over_http import Client
from hueandcry.control import feed
from hueandcry.control.local.tls import Certificates
from hueandcry.rights.network import Webhook
from hueandcry.wire.kafka import client_config

pytestmark = [pytest.mark.broker, pytest.mark.timeout(420)]
AGENCY = "nor-border"


class Receiver:
    """Takes webhooks. `answer` decides by alert and by how often its message has come."""

    def __init__(self, certificates: Certificates) -> None:
        self.secret = ""
        self.seen: Counter[str] = Counter()
        self.taken: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.refuse: set[str] = set()
        self.fail_once: set[str] = set()
        self.is_away = True
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = receiver.answer(body, dict(self.headers.items()))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.search, certificates.search_key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_port}/in"
        self._lock = threading.Lock()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, body: bytes, headers: dict[str, str]) -> int:
        named = {name.lower(): value for name, value in headers.items()}
        with self._lock:
            message_id = named["webhook-id"]
            self.seen[message_id] += 1
            if self.is_away:
                return 503
            told = Verifier(self.secret).verify(body, named)
            alert_id = told["data"].get("alert_id", "")
            if alert_id in self.refuse:
                return 400
            if alert_id in self.fail_once and self.seen[message_id] == 1:
                return 500
            self.taken.append(told)
            self.ids.append(message_id)
            return 200

    def of(self, alert_id: str) -> list[str]:
        return [told["type"] for told in self.taken if told["data"].get("alert_id") == alert_id]


@pytest.fixture
def receiver(platform: Platform, tmp_path: Path) -> Iterator[Receiver]:
    certificates = Certificates(tmp_path)
    certificates.ensure()
    made = Receiver(certificates)
    config = client_config(platform.operator.settings)
    network = feed.read(config)
    agency = network.agencies[AGENCY]
    hooked = agency.model_copy(update={"webhooks": (Webhook(id="main", url=made.url),)})
    more = {
        "HUEANDCRY_GATEWAY_WEBHOOK_NETWORKS": "127.0.0.0/8 ::1/128",
        "HUEANDCRY_GATEWAY_WEBHOOK_CA": str(certificates.ca),
    }
    platform.cluster.stop_service("gateway")
    start(platform, more)
    feed.publish(network.model_copy(update={"agencies": {**network.agencies, AGENCY: hooked}}), config)
    try:
        made.more = more  # type: ignore[attr-defined]
        yield made
    finally:
        feed.publish(network, config)
        platform.cluster.stop_service("gateway")
        platform.cluster.start_service("gateway")
        made.server.shutdown()
        made.server.server_close()


def start(platform: Platform, more: dict[str, str]) -> None:
    command = [sys.executable, "-m", "hueandcry.cli", "serve", "gateway"]
    platform.cluster.process("gateway").start(command, platform.cluster.env_for("gateway") | more, cwd=platform.home)
    until(lambda: next(each.ready for each in platform.cluster.status() if each.name == "gateway"), 60, "the gateway")


def given(**changes: Any) -> dict[str, Any]:
    return {
        "national_reference": f"WH-{uuid.uuid4()}", "kind": "stolen_vehicle", "category": "seizure",
        "circulation": ["world"], "classification": "unclassified", "handling_code": "H0", "tlp": "green",
        "subject": {"stolen": "vehicle", "vin": {"raw": new_vin()}}, **changes,
    }  # fmt: skip


def test_each_message_is_taken_in_spite_of_failures_and_kills_and_in_order(
    platform: Platform, receiver: Receiver
) -> None:
    deu, nor = Client(platform, "deu-vehicles"), Client(platform, AGENCY)

    def listed() -> bool:
        hooks = nor.get("/v1/webhooks").json()["webhooks"]
        receiver.secret = hooks[0]["secret"] if hooks else ""
        return bool(hooks)

    until(listed, 30, "the webhook in the network")
    alerts = [given() for _ in range(4)]
    lines = "\n".join(map(json.dumps, alerts)).encode()
    taken = deu.post("/v1/alerts", lines, content_type="application/x-ndjson").json()["alerts"]
    first, second, third, refused = (each["alert_id"] for each in taken)
    changed = {**alerts[0], "version": 2, "message_type": "update", "remarks": "seen in the north"}
    assert deu.post("/v1/alerts", changed).status_code == 202
    receiver.fail_once, receiver.refuse = {first, second}, {refused}

    # Away at first; and killed while it tries.
    until(lambda: bool(receiver.seen), 60, "an attempt")
    platform.cluster.process("gateway").kill()
    receiver.is_away = False
    start(platform, receiver.more)  # type: ignore[attr-defined]

    until(lambda: all(receiver.of(each) for each in (first, second, third)), 90, "the messages")
    until(lambda: len(receiver.of(first)) >= 2, 60, "the update")
    assert list(dict.fromkeys(receiver.of(first))) == ["delivery.issued", "delivery.updated"]
    platform.catch_up()
    expected = {delivery["delivery_id"] for _, delivery in platform.deliveries(second, AGENCY)}
    assert {
        told["data"]["delivery_id"] for told in receiver.taken if told["data"].get("alert_id") == second
    } == expected
    assert expected <= set(receiver.ids), "the id is that of the delivery, whenever it is sent"

    # What the receiver refuses is put aside, and can be sent again.
    def letters() -> list[dict[str, Any]]:
        found = nor.get("/v1/webhooks/main/dead-letters").json()["dead_letters"]
        return [letter for letter in found if letter["alert_id"] == refused]

    until(lambda: bool(letters()), 90, "a dead letter")
    (letter,) = letters()
    assert letter["why"] == "refused"
    receiver.refuse = set()
    unknown = nor.post("/v1/webhooks/main/replay", {"ids": [letter["webhook-id"], "none"]})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/ids/1")
    assert nor.post("/v1/webhooks/main/replay", {"ids": [letter["webhook-id"]]}).status_code == 202
    until(lambda: letter["webhook-id"] in receiver.ids, 60, "the replay")
    before = len(receiver.of(third))
    assert nor.post("/v1/webhooks/main/replay", {"from": "2026-01-01T00:00:00Z"}).status_code in (202, 409)
    until(lambda: len(receiver.of(third)) > before, 90, "the replay of a time")
    assert deu.get("/v1/webhooks").json() == {"webhooks": []}
    assert deu.get("/v1/webhooks/main/dead-letters").status_code == 404
