"""Routes. Every request goes the same way, in this order: body within bounds; who asks; how often; what it asks.

Refusals are problem details; every request is counted, by its route as written here.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, cast

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hueandcry.adapters.formats import MEDIA_TYPES
from hueandcry.adapters.reading import Defaults, defaults_of
from hueandcry.errors import HueAndCryError, NetworkError, RegistryError, SettingsError
from hueandcry.gateway import openapi
from hueandcry.gateway.auth import Authenticator, Caller, is_signed
from hueandcry.gateway.bodies import AVRO, JSON, LINES, Bodies, media_type, read_lines, read_object
from hueandcry.gateway.idempotency import Entry, Idempotency, hashed
from hueandcry.gateway.limits import Buckets
from hueandcry.gateway.mail import Mail
from hueandcry.gateway.metrics import Metrics
from hueandcry.gateway.positions import Position, Source, read_word, word_of
from hueandcry.gateway.press import Full, KafkaAway, NotAcknowledged, Press
from hueandcry.gateway.problems import Problem
from hueandcry.gateway.publish import Publishing, Ready, What, answer
from hueandcry.gateway.searching import Searching
from hueandcry.gateway.settings import GatewaySettings
from hueandcry.gateway.streams import Stream
from hueandcry.gateway.tail import Unread
from hueandcry.gateway.taxii import Taxii
from hueandcry.gateway.webhooks import Webhooks

log = logging.getLogger(__name__)

Answer = Response | Stream
Handler = Callable[[Request, bytes, Caller], Awaitable[Answer]]
_PRIVATE = {"Cache-Control": "no-store"}
#: Longest wait of one page, in seconds; most events of one.
LONGEST_WAIT = 60.0
MOST_EVENTS = 1_000
_LONGEST_KEY = 200
#: With so many objects, they are checked beside the event loop.
_MANY = 8


class Api:
    """The handlers.

    Args:
        ready: whether the network has been read and Kafka answers.
        is_ending: whether the process is to end.
        now_ms: epoch milliseconds.
    """

    def __init__(
        self,
        *,
        settings: GatewaySettings,
        authenticator: Authenticator,
        publishing: Publishing,
        press: Press,
        idempotency: Idempotency,
        mail: Mail,
        searching: Searching | None,
        webhooks: Webhooks | None,
        taxii: Taxii,
        metrics: Metrics,
        ready: Callable[[], bool],
        is_ending: Callable[[], bool],
        now_ms: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._authenticator = authenticator
        self._publishing = publishing
        self._press = press
        self._idempotency = idempotency
        self._mail = mail
        self._searching = searching
        self._webhooks = webhooks
        self._taxii = taxii
        self._metrics = metrics
        self._ready = ready
        self._is_ending = is_ending
        self._now_ms = now_ms
        self._messages = Buckets(settings.alerts_per_second, settings.alerts_at_once)
        self._bodies = Bodies(settings.max_body)
        self._asked = Buckets(settings.requests_per_second, 10 * settings.requests_per_second)
        self._streams: dict[str, int] = {}
        #: Idempotency-Keys that are being worked on here.
        self._at_work: set[bytes] = set()

    def app(self) -> ASGIApp:
        """The ASGI application."""
        routes = [
            self.route("/v1/alerts", self._alerts, "POST"),
            self.route("/v1/hits", self._hits, "POST"),
            self.route("/v1/search", self._search, "POST"),
            self.route("/v1/inbox", self._inbox, "GET"),
            self.route("/v1/receipts", self._receipts, "GET"),
            self.route("/v1/notices", self._notices, "GET"),
            *self._of_webhooks(),
            *self._taxii.routes(self.route),
            Route("/openapi.json", _openapi, methods=["GET"]),
            Route("/", _page, methods=["GET"]),
            Route("/ready", self._say_ready, methods=["GET"]),
            Route("/metrics", self._say_metrics, methods=["GET"]),
        ]
        handlers: Any = {HTTPException: _http_error, Exception: _failed}
        return Starlette(routes=routes, exception_handlers=handlers)

    def _of_webhooks(self) -> list[Route]:
        if self._webhooks is None:
            return []
        return [
            self.route("/v1/webhooks", self._webhooks.list, "GET"),
            self.route("/v1/webhooks/{webhook}/dead-letters", self._webhooks.dead_letters, "GET"),
            self.route("/v1/webhooks/{webhook}/replay", self._webhooks.replay, "POST"),
        ]

    def route(
        self, path: str, handler: Handler, *methods: str, problem: Callable[[Problem], Response] | None = None
    ) -> Route:
        """A route for agencies.

        Args:
            problem: how a refusal is told; as problem details where it is None.
        """
        return Route(path, _Endpoint(self, path, handler, problem or Problem.response), methods=list(methods))

    async def answer(self, request: Request, handler: Handler) -> Answer:
        """The answer of a handler to who asks.

        Raises:
            Problem: it is refused.
        """
        # A signature is over the body; all others must show who they are before they may send one.
        caller = None if is_signed(request) else await self._authenticator.who(request, b"")
        async with self._bodies.read(request) as body:
            if caller is None:
                caller = await self._authenticator.who(request, body)
            self._metrics.callers.labels(caller.by).inc()
            if wait := self._asked.take(caller.agency.id):
                raise Problem(429, "rate.requests", "too many requests of this agency", retry_after=wait)
            return await handler(request, body, caller)

    def count(self, path: str, status: int, seconds: float, rule: str = "") -> None:
        """Note a request."""
        self._metrics.requests.labels(path, str(status)).inc()
        self._metrics.seconds.labels(path).observe(seconds)
        if rule:
            self._metrics.refused.labels(rule).inc()

    # -- taking ---------------------------------------------------------------------------------------------------

    async def _alerts(self, request: Request, body: bytes, caller: Caller) -> Response:
        return await self._take("alert", request, body, caller)

    async def _hits(self, request: Request, body: bytes, caller: Caller) -> Response:
        return await self._take("report", request, body, caller)

    async def _take(self, what: What, request: Request, body: bytes, caller: Caller) -> Response:
        given = request.headers.get("idempotency-key")
        if given is None:
            return _accepted(await self._write(what, request, body, caller, self._now_ms(), None))
        key = hashed(caller.agency.id, _idempotency_key(given))
        if key in self._at_work:
            raise Problem(409, "idempotency.at_work", "the same request is being worked on; ask again", retry_after=1)
        self._at_work.add(key)
        try:
            return await self._take_once(what, request, body, caller, key)
        finally:
            self._at_work.discard(key)

    async def _take_once(self, what: What, request: Request, body: bytes, caller: Caller, key: bytes) -> Response:
        parts = (request.url.path, media_type(request), *(request.headers.get(name, "") for name in _SIGNED))
        digest = hashlib.sha256("\0".join(parts).encode() + b"\0" + body).hexdigest()
        found = self._idempotency.find(key)
        if found is not None and found.digest != digest:
            raise Problem(422, "idempotency.other", "this Idempotency-Key was used for another request; take a new one")
        if found is not None and found.answer is not None:
            return _accepted(found.answer, repeated=True)
        at_ms = found.at_ms if found is not None else self._now_ms()
        text = await self._write(what, request, body, caller, at_ms, key, Entry(digest, at_ms, None), found is None)
        try:
            await self._idempotency.note(self._press, key, Entry(digest, at_ms, text))
        except (KafkaAway, Full, NotAcknowledged):
            log.warning("an answer could not be kept; the same request would be done again")
        return _accepted(text)

    async def _write(
        self,
        what: What,
        request: Request,
        body: bytes,
        caller: Caller,
        at_ms: int,
        key: bytes | None,
        begun: Entry | None = None,
        is_new: bool = False,
    ) -> str:
        ready = await self._made_ready(what, request, body, caller, at_ms, key)
        if wait := self._messages.take(caller.agency.id, len(ready.sheets)):
            raise Problem(429, "rate.alerts", "too many alerts and reports of this agency", retry_after=wait)
        try:
            if key is not None and begun is not None and is_new:
                await self._idempotency.note(self._press, key, begun)
            await self._press.put(ready.sheets, ready.signer)
        except KafkaAway:
            raise Problem(503, "kafka.away", "Kafka is away; nothing was sent, send it again", retry_after=5) from None
        except Full:
            raise Problem(503, "kafka.full", "too much is under way; nothing was sent", retry_after=1) from None
        except NotAcknowledged as error:
            detail = f"{error}; send the same again: the platform takes a version of an alert once"
            raise Problem(503, "kafka.not_acknowledged", detail, retry_after=5) from None
        signed = "by_agency" if ready.signer is None else "in_custody"
        self._metrics.taken.labels(what, signed).inc(len(ready.sheets))
        return answer(what, ready)

    async def _made_ready(
        self, what: What, request: Request, body: bytes, caller: Caller, at_ms: int, key: bytes | None
    ) -> Ready:
        kind = media_type(request)
        if kind == AVRO:
            return await self._publishing.from_avro(what, body, request.headers, caller)
        if what == "alert" and kind in MEDIA_TYPES:
            document = self._publishing.from_document
            return await asyncio.to_thread(document, body, MEDIA_TYPES[kind], _defaults(request), caller, at_ms)
        if kind not in (JSON, LINES):
            others = ", ".join(MEDIA_TYPES) if what == "alert" else "nothing else"
            raise Problem(415, "body.type", f"send {JSON}, {LINES} (one object a line), {AVRO}, or {others}")
        given = [read_object(body)] if kind == JSON else read_lines(body)
        if what == "report" and key is not None:
            # What is drawn at random where it is missing must be the same the second time.
            given = [{"reference": f"{key[:32].decode()}-{at}", **each} for at, each in enumerate(given)]
        make = self._publishing.from_objects
        if len(given) > _MANY:
            return await asyncio.to_thread(make, what, given, caller, at_ms, one=False)
        return make(what, given, caller, at_ms, one=kind == JSON)

    async def _search(self, request: Request, body: bytes, caller: Caller) -> Response:
        if self._searching is None:
            raise Problem(404, "search.none", "there is no search at this gateway")
        if media_type(request) != JSON:
            raise Problem(415, "body.type", f"send {JSON}")
        status, text = await self._searching.ask(body, self._publishing.signer(caller))
        return Response(text, status, media_type=JSON, headers=_PRIVATE)

    # -- giving ---------------------------------------------------------------------------------------------------

    async def _inbox(self, request: Request, body: bytes, caller: Caller) -> Answer:
        return await self._give("inbox", request, caller)

    async def _receipts(self, request: Request, body: bytes, caller: Caller) -> Answer:
        return await self._give("receipts", request, caller)

    async def _notices(self, request: Request, body: bytes, caller: Caller) -> Answer:
        return await self._give("notices", request, caller)

    async def _give(self, source: Source, request: Request, caller: Caller) -> Answer:
        if "reads" not in caller.agency.gateway:
            raise Problem(
                403, "reads", "the agency does not let the gateway read for it; have the operator set gateway: [reads]"
            )
        raw = _choice(request, "form", ("json", "raw")) == "raw"
        streaming = _accepts_stream(request)
        try:
            start = await self._start(source, request, caller)
            if streaming:
                return await self._stream(source, start, raw, caller)
            limit = _number(request, "limit", 100, 1, MOST_EVENTS)
            wait = _number(request, "wait", 0, 0, int(LONGEST_WAIT))
            cursor = await self._mail.cursor(source, caller.agency.id, start)
            items = await cursor.take(limit, wait)
        except Unread as error:
            raise Problem(503, "kafka.unread", f"{error}; ask again", retry_after=5) from None
        shown = [item.event.raw if raw else item.event.json for item in items]
        text = f'{{"events":[{",".join(shown)}],"next":"{word_of(source, cursor.position)}"}}'
        return Response(text, media_type=JSON, headers=_PRIVATE)

    async def _start(self, source: Source, request: Request, caller: Caller) -> Position | None:
        """Where to begin: after the last event that the client has, or where it says; else with the oldest there is."""
        word = request.headers.get("last-event-id") or request.query_params.get("after")
        if word:
            return read_word(source, word)
        begin = request.query_params.get("from", "beginning")
        if begin == "latest":
            return None
        if begin == "beginning":
            return (0,)
        try:
            at = datetime.fromisoformat(begin)
            at_ms = int(at.timestamp() * 1000)
        except (ValueError, OverflowError, OSError):
            at, at_ms = None, -1
        if at is None or at.tzinfo is None or at_ms < 0:
            raise Problem(400, "query.from", "from is beginning, latest, or a time as 2026-03-01T12:00:00Z")
        return await self._mail.pages.at(f"{source}.{caller.agency.id}", at_ms)

    async def _stream(self, source: Source, start: Position | None, raw: bool, caller: Caller) -> Stream:
        who = caller.agency.id
        if self._streams.get(who, 0) >= self._settings.streams:
            raise Problem(429, "rate.streams", "too many streams of this agency", retry_after=30)
        cursor = await self._mail.cursor(source, who, start)
        self._streams[who] = self._streams.get(who, 0) + 1
        self._metrics.streams.labels(source).inc()

        def ended(reason: str) -> None:
            self._streams[who] -= 1
            self._metrics.streams.labels(source).dec()
            self._metrics.ended.labels(reason).inc()

        return Stream(cursor, source, raw=raw, is_ending=self._is_ending, on_end=ended)

    # -- the process ----------------------------------------------------------------------------------------------

    async def _say_ready(self, request: Request) -> Response:
        if self._is_ending() or not self._ready():
            return Response("not ready\n", 503, media_type="text/plain")
        return Response("ready\n", media_type="text/plain")

    async def _say_metrics(self, request: Request) -> Response:
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)


class _Endpoint:
    """One route as an ASGI application: errors become problems, and all is counted."""

    def __init__(self, api: Api, path: str, handler: Handler, tell: Callable[[Problem], Response]) -> None:
        self._api = api
        self._path = path
        self._handler = handler
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        rule, status = "", 200
        try:
            found = await self._api.answer(Request(scope, receive), self._handler)
            status = found.status_code if isinstance(found, Response) else 200
        except Problem as problem:
            found, rule, status = self._tell(problem), problem.rule, problem.status
        except (RegistryError, NetworkError) as error:
            problem = Problem(503, "not_ready", error.diagnostics(), retry_after=5)
            found, rule, status = self._tell(problem), problem.rule, problem.status
        except Exception:
            self._api.count(self._path, 500, time.perf_counter() - begun, "internal")
            raise
        self._api.count(self._path, status, time.perf_counter() - begun, rule)
        await found(scope, receive, send)


_SIGNED = ("hc-root", "hc-sig", "hc-key", "hc-path", "hc-defaults")


def _defaults(request: Request) -> Defaults:
    """What a document does not say, from HC-Defaults: a JSON object as the defaults of `hueandcry publish`."""
    given = read_object(request.headers.get("hc-defaults", "{}").encode("latin-1"))
    try:
        return defaults_of(given, "HC-Defaults")
    except SettingsError as error:
        raise Problem(400, "defaults", str(error)) from None


def _accepted(text: str, *, repeated: bool = False) -> Response:
    headers = {**_PRIVATE, **({"Idempotency-Replayed": "true"} if repeated else {})}
    return Response(text, 202, media_type=JSON, headers=headers)


def _idempotency_key(given: str) -> str:
    text = given.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not text or len(text) > _LONGEST_KEY or not text.isprintable():
        raise Problem(400, "idempotency.key", f"Idempotency-Key has 1 to {_LONGEST_KEY} printable characters")
    return text


def _accepts_stream(request: Request) -> bool:
    accepted = request.headers.get("accept", "*/*").lower()
    if "text/event-stream" in accepted and request.method == "GET":
        return True
    if not any(word in accepted for word in ("*/*", "application/*", JSON)):
        raise Problem(406, "accept", f"this comes as {JSON} or text/event-stream")
    return False


def _choice(request: Request, name: str, choices: tuple[str, ...]) -> str:
    given = request.query_params.get(name, choices[0])
    if given not in choices:
        raise Problem(400, f"query.{name}", f"{name} is one of {', '.join(choices)}")
    return given


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    given = request.query_params.get(name, "")
    if not given:
        return default
    if not (given.isascii() and given.isdecimal() and len(given) < 10 and least <= int(given) <= most):
        raise Problem(400, f"query.{name}", f"{name} is a whole number from {least} to {most}")
    return int(given)


async def _openapi(request: Request) -> Response:
    return Response(json.dumps(openapi.document()), media_type=JSON)


async def _page(request: Request) -> Response:
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(openapi.page(), media_type="text/html", headers=headers)


async def _http_error(request: Request, error: Exception) -> Response:
    found = cast("HTTPException", error)
    headers: Mapping[str, str] = found.headers or {}
    return Problem(found.status_code, "http", str(found.detail), headers=headers).response()


async def _failed(request: Request, error: Exception) -> Response:
    """A fault of ours: logged without what was asked, and no detail told."""
    log.error(
        "a request failed: %s", type(error).__name__, exc_info=None if isinstance(error, HueAndCryError) else error
    )
    return Problem(500, "internal", "a fault of the platform; the operator has been told").response()
