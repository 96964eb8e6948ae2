"""The HTTP interface. POST /search answers an agency; errors are {"rule", "message"}.

In this order: the replica is at hand and fresh; the body is small; the signature holds; its agency is in the network;
the question is one; it is searched; the consultation is logged; its nonce is the first such in the log; only then it is
answered.
"""

from __future__ import annotations

import hmac
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from hueandcry.alerts.remarks import Remark
from hueandcry.errors import HueAndCryError, ProofError
from hueandcry.rights.network import Agency, Network
from hueandcry.sdk.jsonable import jsonable
from hueandcry.sdk.times import iso
from hueandcry.search.answer import Answer, Match, Searcher
from hueandcry.search.consultations import Consultations, NotLogged
from hueandcry.search.metrics import Metrics
from hueandcry.search.nonces import Nonces
from hueandcry.search.patterns import TooWide
from hueandcry.search.peers import (
    CLAIMANTS_PATH,
    ENTRIES_PATH,
    FITTING_PATH,
    answer_claimants,
    answer_entries,
    answer_fitting,
)
from hueandcry.search.question import Asked, Question, ask, read_question
from hueandcry.search.replica import Replica
from hueandcry.search.shelves import Holder, Unavailable
from hueandcry.wire.requests import RequestVerifier, Signed

log = logging.getLogger(__name__)

SEARCH_PATH: Final = "/search"
_MAX_BODY: Final = 16 * 1024
#: Between processes a question may name many alerts.
_MAX_PEER_BODY: Final = 1024 * 1024
#: A replica that is older than this answers nobody: it may show what was withdrawn long ago.
STALE_MS: Final = 60_000
#: One that is older than this is not ready, so that others are asked.
LATE_MS: Final = 15_000


class Refused(Exception):
    """A request that is not answered: status, rule, and why."""

    def __init__(self, status: int, rule: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.rule = rule
        self.message = message


class Api:
    """The handlers.

    Args:
        nonces: which requests have been answered.
        network: gives the network as it is now.
        secret: the identity secret.
        token: that other processes of search show.
        now_ms: epoch milliseconds.
    """

    def __init__(
        self,
        *,
        replica: Replica,
        own: Holder,
        searcher: Searcher,
        consultations: Consultations,
        nonces: Nonces,
        verifier: RequestVerifier,
        network: Callable[[], Network],
        secret: bytes,
        token: str,
        now_ms: Callable[[], int],
    ) -> None:
        self._replica = replica
        self._own = own
        self._searcher = searcher
        self._consultations = consultations
        self._nonces = nonces
        self._verifier = verifier
        self._network = network
        self._secret = secret
        self._token = token.encode()
        self._now_ms = now_ms
        self._metrics = Metrics(replica)

    def app(self) -> ASGIApp:
        """The ASGI application."""
        routes = [
            Route(SEARCH_PATH, self.search, methods=["POST"]),
            Route(CLAIMANTS_PATH, self._for_peers(answer_claimants), methods=["POST"]),
            Route(ENTRIES_PATH, self._for_peers(answer_entries), methods=["POST"]),
            Route(FITTING_PATH, self._for_peers(answer_fitting), methods=["POST"]),
            Route("/ready", self.ready, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]
        handlers: Any = {HTTPException: _http_error, Exception: _failed}
        return Starlette(routes=routes, exception_handlers=handlers)

    async def search(self, request: Request) -> Response:
        """Answer an agency."""
        begun = time.perf_counter()
        try:
            by, text = await self._search(request)
        except Refused as refused:
            self._metrics.refused.labels(refused.rule).inc()
            return _refusal(refused)
        self._metrics.seconds.labels(by).observe(time.perf_counter() - begun)
        return Response(text, media_type="application/json", headers=_PRIVATE)

    async def _search(self, request: Request) -> tuple[str, str]:
        age = self._fresh()
        body = await _body(request, _MAX_BODY)
        signed, agency, network = self._who(request, body)
        try:
            question = read_question(body)
            asked = ask(question, self._secret)
        except TooWide as error:
            raise Refused(400, "question.too_wide", str(error)) from None
        except ValueError as error:
            raise Refused(400, "question", str(error)) from None
        if not (asked.exact or asked.weak):
            raise Refused(400, "question.too_little", _TOO_LITTLE[question.by] if question.possible else _NOT_EXACT)
        at_ms = self._now_ms()
        try:
            found = await self._searcher.search(asked, agency, network)
        except Unavailable as error:
            raise Refused(503, "replica", error.diagnostics()) from error
        consultation = str(uuid.uuid4())
        await self._log(_record(consultation, at_ms, signed, question, asked, found), agency.state)
        answered = "found" if found.exact or found.proposed else "elsewhere" if found.elsewhere else "nothing"
        self._metrics.searches.labels(question.by, answered).inc()
        shown = _shown(found, asked.remarks) | {
            "status": question.status,
            "consultation_id": consultation,
            "as_of": iso(at_ms - age),
            "age_ms": age,
        }
        return question.by, json.dumps(shown, ensure_ascii=False, separators=(",", ":"))

    def _fresh(self) -> int:
        age = self._replica.age_ms
        if age is None or age > STALE_MS or not self._nonces.is_open:
            raise Refused(503, "replica", "the register is not at hand, or too old; ask again in a minute")
        return age

    def _who(self, request: Request, body: bytes) -> tuple[Signed, Agency, Network]:
        url = f"https://{request.headers.get('host', '')}{request.url.path}"
        if request.url.query:
            raise Refused(400, "question", "the question goes into the body, never into the URL")
        headers: dict[str, str] = {}
        for name, value in request.headers.items():
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        try:
            signed = self._verifier.verify(request.method, url, headers, body)
        except ProofError as error:
            status = 503 if error.rule == "request.flood" else 401
            raise Refused(status, error.rule, error.diagnostics()) from None
        network = self._network()
        agency = network.agencies.get(signed.key.agency)
        if agency is None:
            raise Refused(403, "agency", "the agency of this key is not in the network")
        return signed, agency, network

    async def _log(self, record: dict[str, Any], state: str) -> None:
        begun = time.perf_counter()
        try:
            first = await self._nonces.is_first(record, await self._consultations.log(record, state))
            if not first:
                raise Refused(401, "request.replayed", "this request has been answered already; sign each anew")
            await self._consultations.show(record, state)
        except NotLogged as error:
            raise Refused(503, "consultation", error.diagnostics()) from error
        self._metrics.logged.observe(time.perf_counter() - begun)

    def _for_peers(self, answer: Callable[[Holder, Any], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                scheme, _, token = request.headers.get("authorization", "").partition(" ")
                if scheme != "Bearer" or not hmac.compare_digest(token.encode(), self._token):
                    raise Refused(401, "peer", "this is between the processes of search")
                self._fresh()
                try:
                    found = await answer(self._own, json.loads(await _body(request, _MAX_PEER_BODY)))
                except (ValueError, KeyError, TypeError):
                    raise Refused(400, "peer", "this is no question of a peer") from None
                except Unavailable as error:
                    raise Refused(503, "replica", error.diagnostics()) from error
            except Refused as refused:
                return _refusal(refused)
            return Response(json.dumps(found, separators=(",", ":")), media_type="application/json", headers=_PRIVATE)

        return endpoint

    async def ready(self, request: Request) -> Response:
        """200 while the replica is up to date."""
        age = self._replica.age_ms
        if age is None or age > LATE_MS or not self._nonces.is_open:
            return Response("not ready\n", 503, media_type="text/plain")
        return Response("ready\n", media_type="text/plain")

    async def metrics(self, request: Request) -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)


_PRIVATE = {"cache-control": "no-store"}
_NOT_EXACT = "this says too little for an exact match; ask for possible ones too, or say more"
_TOO_LITTLE = {
    "vin": "a VIN has at least five characters, of which three differ",
    "plate": "the plate has too few characters, or stands for none",
    "person": "a name alone finds nobody: give two words of the name, and at least the year of birth",
    "document": "the number has too few characters",
    "indicator": "this value names nothing that can be searched for",
}


def _record(
    consultation: str, at_ms: int, signed: Signed, question: Question, asked: Asked, found: Answer
) -> dict[str, Any]:
    return {
        "consultation_id": consultation,
        "at": at_ms,
        "agency": signed.key.agency,
        "key_id": signed.key.key_id,
        "nonce": signed.nonce,
        "officer": question.officer,
        "purpose": question.purpose,
        "by": question.by,
        "status": question.status,
        "keys": list(asked.exact),
        "weak_keys": list(asked.weak),
        "exact": [match.alert_id for match in found.exact],
        "proposed": [match.alert_id for match in found.proposed],
        "elsewhere": found.discovered,
    }


def _shown(found: Answer, remarks: tuple[Remark, ...]) -> dict[str, Any]:
    return {
        "exact": [_match(match) for match in found.exact],
        "proposed": [_match(match) for match in found.proposed],
        "elsewhere": [{"issuing_state": state, "kind": kind} for state, kind in found.elsewhere],
        "more": found.more,
        "remarks": [remark.as_record() for remark in remarks],
    }


def _match(match: Match) -> dict[str, Any]:
    head = match.entry["head"]
    shown: dict[str, Any] = {
        "alert_id": head["alert_id"],
        "version": head["version"],
        "kind": head["kind"],
        "category": head["category"],
        "action": head["action"],
        "issuer": head["issuer"],
        "issuing_state": head["issuing_state"],
        "expires_at": iso(head["expires_at"]),
        "form": "redacted" if match.redacted else "original",
        "alert": jsonable("hueandcry.Alert", match.alert),
        "enrichment": jsonable("hueandcry.Enrichment", match.entry["enrichment"]),
    }
    if match.likeness is not None:
        shown["score"] = match.likeness.score
        shown["reasons"] = [reason.as_record() for reason in match.likeness.reasons]
    return shown


async def _body(request: Request, most: int) -> bytes:
    data = bytearray()
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > most:
                raise Refused(413, "question", f"the body is larger than {most} bytes")
    except ClientDisconnect:
        raise Refused(400, "question", "the client went away") from None
    return bytes(data)


def _refusal(refused: Refused) -> Response:
    text = json.dumps({"rule": refused.rule, "message": refused.message})
    return Response(text, refused.status, media_type="application/json", headers=_PRIVATE)


async def _http_error(request: Request, error: HTTPException) -> Response:
    return _refusal(Refused(error.status_code, "http", str(error.detail)))


async def _failed(request: Request, error: Exception) -> Response:
    """A fault of ours: logged without what was asked, and no detail told."""
    log.error(
        "a search failed: %s", type(error).__name__, exc_info=None if isinstance(error, HueAndCryError) else error
    )
    return _refusal(Refused(500, "internal", "a fault of the platform; the operator has been told"))
