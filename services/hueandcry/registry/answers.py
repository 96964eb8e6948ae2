"""How the registry answers: media type, error bodies, and what is shown of a version."""

from __future__ import annotations

import json
import logging
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hueandcry.registry import requests
from hueandcry.registry.errors import ApiError
from hueandcry.registry.state import Version

_log = logging.getLogger(__name__)
CONTENT_TYPE: Final = "application/vnd.schemaregistry.v1+json"


class JsonText(str):
    """An answer that is JSON already."""

    __slots__ = ()


class RawPath:
    """Routes by the path as it was sent, so that a subject may hold an escaped slash; handlers unescape."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (raw := scope.get("raw_path")):
            scope = {**scope, "path": raw.partition(b"?")[0].decode("latin-1")}
        await self._app(scope, receive, send)


def kind_of(version: Version) -> dict[str, Any]:
    """What is said of a version besides its text: type unless AVRO, references if any."""
    kind = {} if version.kind == "AVRO" else {"schemaType": version.kind}
    references = {"references": [one.as_json() for one in version.references]} if version.references else {}
    return {**kind, **references}


def shown(version: Version) -> dict[str, Any]:
    """A version as the API shows it."""
    head = {"subject": version.subject, "version": version.version, "id": version.id}
    return {**head, **kind_of(version), "schema": version.schema}


def verdict(request: Request, reasons: list[str]) -> dict[str, Any]:
    """The answer to a question of compatibility; with the reasons where `verbose=true` asks for them."""
    messages = {"messages": reasons} if requests.flag(request, "verbose") else {}
    return {"is_compatible": not reasons, **messages}


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    text = value if isinstance(value, JsonText) else json.dumps(value, separators=(",", ":"))
    return Response(text, status, headers, media_type=CONTENT_TYPE)


def refusal(error: ApiError) -> Response:
    """The answer to a request that is refused."""
    headers = {"www-authenticate": 'Basic realm="schema registry", charset="UTF-8"'} if error.status == 401 else None
    return answer(error.body(), error.status, headers)


async def http_error(request: Request, error: HTTPException) -> Response:
    """No such path, or not with that method."""
    headers = dict(error.headers) if error.headers else None
    return answer(
        {"error_code": error.status_code, "message": f"HTTP {error.status_code} {error.detail}"},
        error.status_code,
        headers,
    )


async def failed(request: Request, error: Exception) -> Response:
    """A fault of ours: logged, and no detail told."""
    _log.error("a request failed", exc_info=error)
    return answer({"error_code": 500, "message": "The registry failed to answer"}, 500)
