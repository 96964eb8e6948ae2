"""All webhooks: one worker for each that the network has, and what their agencies may ask and say about them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from confluent_kafka import KafkaException
from starlette.requests import Request
from starlette.responses import Response

from hueandcry.errors import NetworkError
from hueandcry.gateway.auth import Caller
from hueandcry.gateway.bodies import JSON, media_type, read_object
from hueandcry.gateway.dead_letters import DeadLetter, read_all
from hueandcry.gateway.pages import Pages
from hueandcry.gateway.problems import Problem
from hueandcry.gateway.sending import Sending
from hueandcry.gateway.tail import Unread
from hueandcry.gateway.webhook_signing import Signing
from hueandcry.gateway.webhook_worker import Worker
from hueandcry.rights.network import Network, Webhook
from hueandcry.sdk.times import iso
from hueandcry.wire.codec import SchemaIds

log = logging.getLogger(__name__)

_LOOK = 1.0
#: Most ids of one replay, and most messages of a time.
MOST_IDS, MOST_MESSAGES = 100, 10_000
_PAGE = 200


class Webhooks:
    """Keeps the workers as the network has the webhooks. Belongs to one event loop.

    Args:
        config: librdkafka's configuration of a consumer in a group that is given.
        network: as it is now.
    """

    def __init__(
        self,
        config: Callable[[str], Mapping[str, Any]],
        network: Callable[[], Network],
        sending: Sending,
        signing: Signing,
        pages: Pages,
        ids: SchemaIds,
    ) -> None:
        self._config = config
        self._network = network
        self._sending = sending
        self._signing = signing
        self._pages = pages
        self._ids = ids
        self._workers: dict[tuple[str, str], Worker] = {}
        self._replays: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._task = asyncio.get_running_loop().create_task(self._follow())

    async def close(self) -> None:
        """Stop all of them."""
        for task in (self._task, *self._replays.values()):
            task.cancel()
        await asyncio.gather(self._task, *self._replays.values(), return_exceptions=True)
        await asyncio.gather(*(worker.stop() for worker in self._workers.values()))

    async def _follow(self) -> None:
        seen: Network | None = None
        while True:
            try:
                network = self._network()
                if network is not seen:
                    await self._bring_in_line(network)
                    seen = network
            except NetworkError as error:
                log.warning("%s", error)
            except Exception:  # the task must outlive it, or no webhook would ever begin or end again
                log.exception("the webhooks could not be brought in line")
            await asyncio.sleep(_LOOK)

    async def _bring_in_line(self, network: Network) -> None:
        wanted = {
            (agency.id, webhook.id): webhook
            for agency in network.agencies.values()
            if "reads" in agency.gateway
            for webhook in agency.webhooks
        }
        gone = [name for name, worker in self._workers.items() if wanted.get(name) != worker.webhook]
        await asyncio.gather(*(self._workers.pop(name).stop() for name in gone))
        for (agency, name), webhook in wanted.items():
            if (agency, name) not in self._workers:
                config = self._config(f"webhook.{agency}.{name}")
                self._workers[agency, name] = Worker(config, agency, webhook, self._sending, self._ids)

    # -- what agencies ask --------------------------------------------------------------------------------------------

    async def list(self, request: Request, body: bytes, caller: Caller) -> Response:
        """The webhooks of who asks, with their secrets."""
        shown = [
            {
                "id": webhook.id,
                "url": webhook.url,
                "source": webhook.source,
                "secret": self._signing.secret_of(caller.agency.id, webhook),
                "public_key": self._signing.public_key,
            }
            for webhook in caller.agency.webhooks
        ]
        return _json({"webhooks": shown})

    async def dead_letters(self, request: Request, body: bytes, caller: Caller) -> Response:
        """What a webhook has not taken."""
        letters = await self._letters(caller, _webhook(request, caller))
        shown = [
            {
                "webhook-id": letter.message_id,
                "alert_id": letter.alert_id,
                "why": letter.why,
                "attempts": letter.attempts,
                "at": iso(letter.at_ms),
            }
            for letter in letters
        ]
        return _json({"dead_letters": shown})

    async def replay(self, request: Request, body: bytes, caller: Caller) -> Response:
        """Send again: dead letters by their ids, or all that came in a time."""
        webhook = _webhook(request, caller)
        name = (caller.agency.id, webhook.id)
        if name in self._replays and not self._replays[name].done():
            raise Problem(409, "replay.at_work", "a replay of this webhook is under way", retry_after=10)
        if media_type(request) != JSON:
            raise Problem(415, "body.type", f"send {JSON}")
        given = read_object(body)
        topic = f"{webhook.source}.{caller.agency.id}"
        if given.keys() == {"ids"}:
            letters = await self._letters(caller, webhook)
            work = self._by_place(topic, caller.agency.id, webhook, _chosen(given["ids"], letters))
        elif {"from"} <= given.keys() <= {"from", "until"}:
            begin, end = _time(given["from"], "from"), _time(given.get("until"), "until")
            if begin is None or (end is not None and end < begin):
                raise Problem(400, "replay.time", "from is a time, and until, where it is given, one not before it")
            work = self._by_time(topic, caller.agency.id, webhook, begin, end)
        else:
            raise Problem(400, "replay", 'write {"ids": […]}, of dead letters, or {"from": TIME, "until": TIME}')
        self._replays[name] = asyncio.get_running_loop().create_task(_logged(work))
        return _json({"replaying": True}, 202)

    async def _letters(self, caller: Caller, webhook: Webhook) -> list[DeadLetter]:
        try:
            return await asyncio.to_thread(read_all, self._config("dead-letters"), caller.agency.id, webhook.id)
        except (KafkaException, TimeoutError):
            raise Problem(503, "kafka.unread", "Kafka does not answer; ask again", retry_after=5) from None

    async def _by_place(self, topic: str, agency: str, webhook: Webhook, letters: list[DeadLetter]) -> None:
        for letter in letters:
            event = await self._pages.one(webhook.source, topic, letter.partition, letter.offset)
            # Nothing where the topic no longer has it.
            if event is not None and event.key == letter.alert_id:
                await self._sending.send(agency, webhook, event)

    async def _by_time(self, topic: str, agency: str, webhook: Webhook, begin: int, end: int | None) -> None:
        position = await self._pages.at(topic, begin)
        sent = 0
        while sent < MOST_MESSAGES:
            page = await self._pages.read(webhook.source, topic, position, _PAGE)
            for event, _ in page.events:
                if begin <= event.at_ms and (end is None or event.at_ms < end):
                    await self._sending.send(agency, webhook, event)
                    sent += 1
            position = page.next
            if page.at_end or (end is not None and page.events and all(e.at_ms >= end for e, _ in page.events)):
                return


async def _logged(work: Any) -> None:
    try:
        await work
    except Unread as error:
        log.warning("a replay ends early: %s", error)


def _webhook(request: Request, caller: Caller) -> Webhook:
    for webhook in caller.agency.webhooks:
        if webhook.id == request.path_params["webhook"]:
            return webhook
    raise Problem(404, "webhook", "the agency has no such webhook; see `webhooks` in its file in topics/")


def _chosen(ids: Any, letters: list[DeadLetter]) -> list[DeadLetter]:
    known = {letter.message_id: letter for letter in letters}
    if not isinstance(ids, list) or not 0 < len(ids) <= MOST_IDS:
        raise Problem(400, "replay.ids", f"ids are 1 to {MOST_IDS} of the dead letters' ids")
    unknown = [at for at, each in enumerate(ids) if not isinstance(each, str) or each not in known]
    if unknown:
        errors = [
            {"pointer": f"/ids/{at}", "field": "ids", "rule": "replay.ids", "detail": "is none"} for at in unknown
        ]
        raise Problem(422, "replay.ids", "these are no dead letters of this webhook", errors=errors)
    return [known[each] for each in ids]


def _time(value: Any, name: str) -> int | None:
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError
        at_ms = int(at.timestamp() * 1000)
    except (ValueError, TypeError, OverflowError, OSError):
        at_ms = -1
    if at_ms < 0:
        raise Problem(400, "replay.time", f"{name} is a time as 2026-03-01T12:00:00Z")
    return at_ms


def _json(value: Any, status: int = 200) -> Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, media_type=JSON, headers={"Cache-Control": "no-store"})
