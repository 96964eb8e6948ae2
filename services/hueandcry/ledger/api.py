"""The HTTP interface, for agencies that sign what they ask; errors are {"rule", "message"}.

Rules:
1. An agency gets proofs of what concerns itself (`records.concerns`). What concerns others has no trace in an answer.
2. A consistency proof is for every agency: it has hashes only, of records that are salted.
3. Questions change nothing. One that is repeated within its five minutes after a restart is answered once more.
4. A proof is up to the last checkpoint that was published, so that who asks can hold it against the topic.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from hueandcry.alerts.forms import is_uuid
from hueandcry.errors import HueAndCryError, LaneError, ProofError
from hueandcry.ledger.follow import Follower
from hueandcry.ledger.lookup import Lookup
from hueandcry.ledger.metrics import Metrics
from hueandcry.ledger.proofs import LedgerProof
from hueandcry.ledger.tree import Tree
from hueandcry.rights.network import Network
from hueandcry.wire.requests import RequestVerifier

log = logging.getLogger(__name__)

PROOF_PATH: Final = "/ledger/proof"
CONSISTENCY_PATH: Final = "/ledger/consistency"
#: Most proofs in one answer; the newest.
MOST_PROOFS: Final = 100
_MAX_BODY: Final = 4096
_PRIVATE = {"cache-control": "no-store"}


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
        network: gives the network as it is now.
    """

    def __init__(
        self,
        *,
        follower: Follower,
        lookup: Lookup,
        verifier: RequestVerifier,
        network: Callable[[], Network],
        metrics: Metrics,
    ) -> None:
        self._follower = follower
        self._lookup = lookup
        self._verifier = verifier
        self._network = network
        self._metrics = metrics

    def app(self) -> ASGIApp:
        """The ASGI application."""
        routes = [
            Route(PROOF_PATH, self._answered(PROOF_PATH, self._proofs), methods=["POST"]),
            Route(CONSISTENCY_PATH, self._answered(CONSISTENCY_PATH, self._consistency), methods=["POST"]),
            Route("/ready", self.ready, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]
        handlers: Any = {HTTPException: _http_error, Exception: _failed}
        return Starlette(routes=routes, exception_handlers=handlers)

    def _answered(self, path: str, answer: Callable[[str, Any], Any]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                body = await _body(request)
                agency = self._who(request, body)
                try:
                    asked = json.loads(body)
                    if not isinstance(asked, dict):
                        raise ValueError
                except ValueError:
                    raise Refused(400, "question", "the body is no JSON object") from None
                found = await asyncio.to_thread(answer, agency, asked)
            except Refused as refused:
                self._metrics.requests.labels(path, refused.rule).inc()
                return _refusal(refused)
            self._metrics.requests.labels(path, "answered").inc()
            return Response(json.dumps(found), media_type="application/json", headers=_PRIVATE)

        return endpoint

    def _who(self, request: Request, body: bytes) -> str:
        if request.url.query:
            raise Refused(400, "question", "the question goes into the body, never into the URL")
        headers: dict[str, str] = {}
        for name, value in request.headers.items():
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        url = f"https://{request.headers.get('host', '')}{request.url.path}"
        try:
            signed = self._verifier.verify(request.method, url, headers, body)
        except ProofError as error:
            raise Refused(503 if error.rule == "request.flood" else 401, error.rule, error.diagnostics()) from None
        if signed.key.agency not in self._network().agencies:
            raise Refused(403, "agency", "the agency of this key is not in the network")
        return signed.key.agency

    def _proofs(self, agency: str, asked: dict[str, Any]) -> dict[str, Any]:
        wanted = asked.get("id")
        if not isinstance(wanted, str) or not is_uuid(wanted):
            raise Refused(400, "question", "say which: {id: of the alert, receipt or consultation}")
        latest = self._follower.latest
        if latest is None:
            raise Refused(503, "ledger", "there is no checkpoint yet, or the log is being read; ask again in a minute")
        checkpoint, note = latest
        tree = Tree(self._follower.store)
        mine = [each.index for each in tree.found(wanted) if each.agency == agency]
        covered = [index for index in mine if index < checkpoint.size]
        proofs: list[str] = []
        for index in covered[-MOST_PROOFS:]:
            try:
                fingerprint, body = self._lookup.body(tree, index)
            except LaneError as error:
                raise Refused(503, "ledger", error.diagnostics()) from error
            path = tuple(tree.inclusion(index, checkpoint.size))
            proofs.append(LedgerProof(fingerprint, body, index, path, note).to_text())
        return {"proofs": proofs, "more": len(covered) > MOST_PROOFS, "pending": len(mine) - len(covered)}

    def _consistency(self, agency: str, asked: dict[str, Any]) -> dict[str, Any]:
        size = asked.get("size")
        latest = self._follower.latest
        if latest is None:
            raise Refused(503, "ledger", "there is no checkpoint yet, or the log is being read; ask again in a minute")
        checkpoint, note = latest
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= checkpoint.size:
            raise Refused(400, "question", f"say from which size: {{size: 0 to {checkpoint.size}}}")
        path = Tree(self._follower.store).consistency(size, checkpoint.size)
        return {"checkpoint": note, "path": [base64.b64encode(each).decode() for each in path]}

    async def ready(self, request: Request) -> Response:
        """200 while the log is read to its end and goes on from what was signed."""
        good = self._follower.ready
        return Response("ready\n" if good else "not ready\n", 200 if good else 503, media_type="text/plain")

    async def metrics(self, request: Request) -> Response:
        """Prometheus' text format."""
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _body(request: Request) -> bytes:
    data = bytearray()
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > _MAX_BODY:
                raise Refused(413, "question", f"the body is larger than {_MAX_BODY} bytes")
    except ClientDisconnect:
        raise Refused(400, "question", "the client went away") from None
    return bytes(data)


def _refusal(refused: Refused) -> Response:
    text = json.dumps({"rule": refused.rule, "message": refused.message})
    return Response(text, refused.status, media_type="application/json", headers=_PRIVATE)


async def _http_error(request: Request, error: HTTPException) -> Response:
    return _refusal(Refused(error.status_code, "http", str(error.detail)))


async def _failed(request: Request, error: Exception) -> Response:
    """A fault of ours: logged, and no detail told."""
    known = isinstance(error, HueAndCryError)
    log.error("a question to the ledger failed: %s", type(error).__name__, exc_info=None if known else error)
    return _refusal(Refused(500, "internal", "a fault of the platform; the operator has been told"))
