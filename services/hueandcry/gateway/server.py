"""One process of the gateway: HTTPS served until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import uvicorn

from hueandcry.control.feed import NetworkFeed
from hueandcry.errors import SettingsError
from hueandcry.gateway.api import Api
from hueandcry.gateway.auth import Authenticator
from hueandcry.gateway.custody import Custody
from hueandcry.gateway.idempotency import Idempotency, now_ms
from hueandcry.gateway.mail import Mail
from hueandcry.gateway.metrics import Metrics
from hueandcry.gateway.pages import Pages
from hueandcry.gateway.press import Press
from hueandcry.gateway.protocol import Protocol
from hueandcry.gateway.publish import Publishing
from hueandcry.gateway.searching import Searching
from hueandcry.gateway.sending import Sending
from hueandcry.gateway.settings import PREFIX, GatewaySettings
from hueandcry.gateway.stix_making import make
from hueandcry.gateway.tail import Tail
from hueandcry.gateway.taxii import Taxii
from hueandcry.gateway.tokens import JwtTokens
from hueandcry.gateway.webhook_signing import Signing
from hueandcry.gateway.webhooks import Webhooks
from hueandcry.listening import listening, note_stops
from hueandcry.registry.users import load_users
from hueandcry.settings import Settings
from hueandcry.wire.codec import SchemaIds
from hueandcry.wire.kafka import client_config, consumer_config, producer_config, registry_client
from hueandcry.wire.requests import GATEWAY_TAG, RequestVerifier

log = logging.getLogger(__name__)

NAME = "hc-gateway"
#: What is under way when it is told to stop has so long; Kafka's own patience is shorter.
_STOP_SECONDS = 12


def serve(settings: GatewaySettings, common: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        settings: address, certificate, who may come in and how.
        common: the broker and our login there, and the registry.

    Raises:
        HueAndCryError: a setting, the registry, the network or a topic is not there.
    """
    common.require("registry_url")
    _check(settings)
    feed = NetworkFeed(client_config(common))
    feed.start()
    with listening(settings.host, settings.port, f"{PREFIX}PORT") as listener:
        note_stops()
        gc.collect()
        gc.freeze()
        asyncio.run(_run(settings, common, feed, listener))


async def _run(settings: GatewaySettings, common: Settings, feed: NetworkFeed, listener: object) -> None:
    server: list[uvicorn.Server] = []
    async with _made(settings, common, feed, lambda: bool(server) and server[0].should_exit) as api:
        config = uvicorn.Config(
            api.app(),
            http=Protocol,
            ws="none",
            ssl_certfile=settings.certificate,
            ssl_keyfile=str(settings.key),
            ssl_ca_certs=str(settings.client_ca) if settings.client_ca else None,
            ssl_cert_reqs=ssl.CERT_OPTIONAL if settings.client_ca else ssl.CERT_NONE,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_keep_alive=60,
            timeout_graceful_shutdown=_STOP_SECONDS,
            limit_concurrency=settings.connections,
            h11_max_incomplete_event_size=32 * 1024,
        )
        server.append(uvicorn.Server(config))
        await server[0].serve([listener])  # type: ignore[list-item]


@contextlib.asynccontextmanager
async def _made(
    settings: GatewaySettings, common: Settings, feed: NetworkFeed, is_ending: Callable[[], bool]
) -> AsyncIterator[Api]:
    """Everything that the interface needs; ended in the order that loses nothing."""
    ids = SchemaIds(registry_client(common))
    metrics = Metrics()
    publishing = Publishing(Custody(settings.signing_keys), ids, now_ms)
    tokens = JwtTokens(settings) if settings.token_issuer else None
    async with contextlib.AsyncExitStack() as stack:
        press = Press(producer_config(common, client_id=NAME))
        stack.callback(press.close)
        idempotency = Idempotency(consumer_config(common, f"{NAME}.idempotency"), now_ms)
        stack.callback(idempotency.close)
        await asyncio.to_thread(idempotency.start)
        reading = consumer_config(common, f"{NAME}.reader")
        tail = Tail(reading, ids)
        stack.callback(tail.close)
        pages = Pages(reading, ids)
        stack.callback(pages.close)
        searching = Searching(settings.search_url, settings.search_ca) if settings.search_url else None
        if searching is not None:
            stack.push_async_callback(searching.close)
        verifier = RequestVerifier(lambda key_id: feed.current.keys.get(key_id), tag=GATEWAY_TAG)
        webhooks = None
        secret = bytes.fromhex(settings.webhook_secret.get_secret_value())
        if secret:
            signing = Signing(secret)
            sending = Sending(
                settings, signing, press, lambda outcome: metrics.webhooks.labels(outcome).inc(), metrics.dead.inc
            )
            stack.push_async_callback(sending.close)

            def consumer(group: str) -> Mapping[str, Any]:
                return consumer_config(common, f"{NAME}.{group}")

            webhooks = Webhooks(consumer, lambda: feed.current, sending, signing, pages, ids)
            stack.push_async_callback(webhooks.close)
        taxii = Taxii(pages, make, now_ms)
        metrics.watch(lambda: press.under_way, lambda: press.is_away)
        authenticator = Authenticator(
            network=lambda: feed.current,
            verifier=verifier,
            users=load_users(settings.users) if settings.users else {},
            tokens=tokens,
            proxies=settings.proxies,
        )
        yield Api(
            settings=settings,
            authenticator=authenticator,
            publishing=publishing,
            press=press,
            idempotency=idempotency,
            mail=Mail(tail, pages),
            searching=searching,
            webhooks=webhooks,
            taxii=taxii,
            metrics=metrics,
            ready=lambda: authenticator.is_open and not press.is_away,
            is_ending=is_ending,
            now_ms=now_ms,
        )


def _check(settings: GatewaySettings) -> None:
    for name in ("certificate", "key", "users", "client_ca", "search_ca", "webhook_ca"):
        path = getattr(settings, name)
        if path is not None and not path.is_file():
            raise SettingsError(f"{PREFIX}{name.upper()} names {path}, which is no file", hint="Name the file")
    if settings.signing_keys is not None and not settings.signing_keys.is_dir():
        raise SettingsError(f"{PREFIX}SIGNING_KEYS names {settings.signing_keys}, which is no folder")
