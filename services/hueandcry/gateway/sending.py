"""One message to one webhook: signed, sent until it is taken, or put aside.

- 2xx: taken. A redirect or another 4xx: the receiver refuses this message; after REFUSALS it is put aside.
- 408, 425, 429, 5xx, no answer: the receiver is away; it is tried for as long as the operator's patience lasts.
- Between attempts the time doubles up to LONGEST_WAIT, with jitter; a receiver's Retry-After counts, up to that.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import aiohttp

from hueandcry.gateway.dead_letters import DeadLetter, put_aside
from hueandcry.gateway.events import Event
from hueandcry.gateway.press import Full, KafkaAway, NotAcknowledged, Press
from hueandcry.gateway.reachable import Guarded, NotPublic, check_url
from hueandcry.gateway.settings import GatewaySettings, networks
from hueandcry.gateway.webhook_signing import Signing
from hueandcry.rights.network import Webhook
from hueandcry.sdk.times import iso

log = logging.getLogger(__name__)

Outcome = Literal["taken", "refused", "away", "blocked"]
#: After so many refusals a message is put aside.
REFUSALS = 5
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
_SECONDS = 15.0
_BUSY = (408, 425, 429)


class Attempt(NamedTuple):
    """What came of one attempt. `after`: seconds that the receiver asks for; 0 where it does not."""

    outcome: Outcome
    after: float = 0.0


class Sending:
    """Sends to webhooks. Belongs to one event loop.

    Args:
        count: told of each attempt.
        on_dead: told of each message that is put aside.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        signing: Signing,
        press: Press,
        count: Callable[[Outcome], None],
        on_dead: Callable[[], None],
    ) -> None:
        self._signing = signing
        self._press = press
        self._count = count
        self._on_dead = on_dead
        self._patience = settings.webhook_patience_seconds
        self._allowed = networks(settings.webhook_networks)
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=_SECONDS),
            connector=aiohttp.TCPConnector(
                ssl=_context(settings.webhook_ca), limit_per_host=16, resolver=Guarded(self._allowed)
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "hueandcry-gateway"},
        )

    async def send(self, agency: str, webhook: Webhook, event: Event) -> Outcome:
        """Send one message until it is taken; or put it aside. Its webhook-id is the same in each attempt."""
        body, message_id = body_of(event), id_of(event)
        begun, attempts, refusals = time.monotonic(), 0, 0
        while True:
            attempt = await self._attempt(agency, webhook, message_id, body)
            self._count(attempt.outcome)
            attempts += 1
            refusals += attempt.outcome == "refused"
            if attempt.outcome == "taken":
                return "taken"
            if refusals >= REFUSALS or time.monotonic() - begun > self._patience:
                await self._put_aside(agency, webhook, event, message_id, attempt.outcome, attempts)
                return attempt.outcome
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts - 1, 16)) * random.uniform(0.5, 1.5)  # noqa: S311
            await asyncio.sleep(max(wait, min(attempt.after, LONGEST_WAIT)))

    async def close(self) -> None:
        """End its connections."""
        await self._session.close()

    async def _attempt(self, agency: str, webhook: Webhook, message_id: str, body: bytes) -> Attempt:
        headers = self._signing.headers(agency, webhook, message_id, int(time.time()), body)
        try:
            check_url(webhook.url, self._allowed)
            async with self._session.post(webhook.url, data=body, headers=headers, allow_redirects=False) as response:
                await response.content.read(1024)
                status, after = response.status, response.headers.get("Retry-After", "")
        except NotPublic:
            return Attempt("blocked")
        except aiohttp.ClientConnectorError as error:
            return Attempt("blocked" if isinstance(error.os_error, NotPublic) else "away")
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return Attempt("away")
        if 200 <= status < 300:
            return Attempt("taken")
        if 300 <= status < 500 and status not in _BUSY:
            return Attempt("refused")
        return Attempt("away", float(after) if after.isascii() and after.isdecimal() and len(after) < 6 else 0.0)

    async def _put_aside(
        self, agency: str, webhook: Webhook, event: Event, message_id: str, why: str, attempts: int
    ) -> None:
        letter = DeadLetter(
            agency, webhook.id, message_id, event.key, event.partition, event.offset, why, attempts,
            time.time_ns() // 1_000_000,
        )  # fmt: skip
        while True:
            try:
                await put_aside(self._press, letter)
            except (KafkaAway, Full, NotAcknowledged):
                await asyncio.sleep(1.0)
                continue
            self._on_dead()
            log.warning("webhook %s of %s has not taken a message: %s", webhook.id, agency, why)
            return


def body_of(event: Event) -> bytes:
    """What is sent: type, timestamp and data, as Standard Webhooks has them."""
    action = event.content.get("action") or event.content.get("outcome") or event.content.get("type")
    kind = f"{event.type}.{action}" if action else event.type
    payload = {"type": kind, "timestamp": iso(event.at_ms), "data": event.content}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def id_of(event: Event) -> str:
    """`webhook-id` of a message: the same whenever it is sent."""
    if event.type in ("delivery", "receipt", "notice"):
        return event.message_id
    return f"{event.type}-{event.partition}-{event.offset}"


def _context(ca: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca) if ca else None)
