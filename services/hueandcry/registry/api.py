"""The REST API: the subset of Confluent's that clients use. Errors are {"error_code", "message"}.

A read is answered from what has been folded so far. Only one that would say "not found" first reads on to the end of
the topic, for another instance may have written a moment ago.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from hueandcry.registry import compatibility, operations, requests
from hueandcry.registry.answers import JsonText, RawPath, answer, failed, http_error, kind_of, refusal, shown, verdict
from hueandcry.registry.compatibility import Earlier
from hueandcry.registry.errors import ApiError
from hueandcry.registry.log import SchemaLog
from hueandcry.registry.metrics import Metrics
from hueandcry.registry.records import Record
from hueandcry.registry.state import State, Version
from hueandcry.registry.users import Door

_T = TypeVar("_T")
_READING_POSTS: Final = frozenset({"lookup", "compatible_with_version", "compatible"})
Handler = Callable[[Request], Awaitable[Any]]


class Api:
    """The handlers over one log.

    Args:
        log: the topic.
        door: who may do what.
        default_level: the compatibility level where the topic says none.
    """

    def __init__(self, log: SchemaLog, door: Door, default_level: str) -> None:
        self._log = log
        self._door = door
        self._default_level = default_level
        self._metrics = Metrics(log)

    def app(self) -> ASGIApp:
        """The ASGI application."""
        at = "/subjects/{subject}"
        routes = [
            self._route("/", "GET", self.root),
            self._route("/schemas/types", "GET", self.types),
            self._route("/schemas/ids/{id}", "GET", self.schema),
            self._route("/schemas/ids/{id}/schema", "GET", self.schema_text),
            self._route("/schemas/ids/{id}/versions", "GET", self.versions_of_id),
            self._route("/schemas/ids/{id}/subjects", "GET", self.subjects_of_id),
            self._route("/subjects", "GET", self.subjects),
            self._route(at, "POST", self.lookup),
            self._route(at, "DELETE", self.delete_subject),
            self._route(f"{at}/versions", "GET", self.versions),
            self._route(f"{at}/versions", "POST", self.register),
            self._route(f"{at}/versions/{{version}}", "GET", self.version),
            self._route(f"{at}/versions/{{version}}", "DELETE", self.delete_version),
            self._route(f"{at}/versions/{{version}}/schema", "GET", self.version_text),
            self._route(f"{at}/versions/{{version}}/referencedby", "GET", self.referenced_by),
            self._route(f"/compatibility{at}/versions", "POST", self.compatible),
            self._route(f"/compatibility{at}/versions/{{version}}", "POST", self.compatible_with_version),
            self._route("/config", "GET", self.level),
            self._route("/config", "PUT", self.set_level),
            self._route("/config", "DELETE", self.forget_level),
            self._route("/config/{subject}", "GET", self.level_of),
            self._route("/config/{subject}", "PUT", self.set_level),
            self._route("/config/{subject}", "DELETE", self.forget_level),
            self._route("/mode", "GET", self.mode),
            self._route("/mode", "PUT", self.set_mode),
            self._route("/mode/{subject}", "GET", self.mode_of),
            self._route("/mode/{subject}", "PUT", self.set_mode),
            self._route("/mode/{subject}", "DELETE", self.forget_mode),
            Route("/ready", self.ready, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]
        handlers: Any = {HTTPException: http_error, Exception: failed}
        return RawPath(Starlette(routes=routes, exception_handlers=handlers))

    def _route(self, path: str, method: str, handler: Handler) -> Route:
        write = method != "GET" and handler.__name__ not in _READING_POSTS

        async def endpoint(request: Request) -> Response:
            begun = time.perf_counter()
            response = await self._answer(request, handler, write)
            self._metrics.requests.labels(method, path, str(response.status_code)).inc()
            self._metrics.seconds.labels(method, path).observe(time.perf_counter() - begun)
            return response

        return Route(path, endpoint, methods=[method])

    async def _answer(self, request: Request, handler: Handler, write: bool) -> Response:
        try:
            self._door.check(request.headers.get("authorization"), write=write)
            if not self._log.ready:
                raise ApiError(503, self._log.failure or "The topic is not read to its end yet")
            return answer(await handler(request))
        except ApiError as error:
            return refusal(error)

    async def _ask(self, question: Callable[[State], _T]) -> _T:
        try:
            return question(self._log.state)
        except ApiError as error:
            if not error.absent:
                raise
        return question(await run_in_threadpool(self._log.catch_up))

    async def _weigh(self, question: Callable[[State], _T]) -> _T:
        """As `_ask`, for questions that take a while."""
        return await run_in_threadpool(lambda: question(self._log.catch_up()))

    async def _change(self, decide: Callable[[State], tuple[Sequence[Record], _T]]) -> _T:
        return await run_in_threadpool(self._log.write, decide)

    async def root(self, request: Request) -> Any:
        return {}

    async def types(self, request: Request) -> Any:
        return ["AVRO"]

    async def schema(self, request: Request) -> Any:
        found = await self._by_id(request)
        shown_schema = {"schema": found.schema, **kind_of(found)}
        if requests.flag(request, "fetchMaxId"):
            shown_schema["maxId"] = self._log.state.highest_id
        return shown_schema

    async def schema_text(self, request: Request) -> Any:
        return JsonText((await self._by_id(request)).schema)

    async def _by_id(self, request: Request) -> Version:
        number = requests.schema_id(request)
        return await self._ask(lambda state: state.schema(number))

    async def versions_of_id(self, request: Request) -> Any:
        found = await self._uses(request)
        return requests.page(request, [{"subject": v.subject, "version": v.version} for v in found])

    async def subjects_of_id(self, request: Request) -> Any:
        return requests.page(request, sorted({v.subject for v in await self._uses(request)}))

    async def _uses(self, request: Request) -> list[Version]:
        number, deleted = requests.schema_id(request), requests.flag(request, "deleted")
        only = request.query_params.get("subject")
        found = await self._ask(lambda state: state.uses(number, deleted=deleted))
        return [v for v in found if only is None or v.subject == only]

    async def subjects(self, request: Request) -> Any:
        state = self._log.state
        prefix = request.query_params.get("subjectPrefix", "").removeprefix(":*:").removeprefix(":.:")
        names = state.names(deleted=requests.flag(request, "deleted") or requests.flag(request, "deletedOnly"))
        if requests.flag(request, "deletedOnly"):
            live = set(state.names())
            names = [name for name in names if name not in live]
        return requests.page(request, [name for name in names if name.startswith(prefix)])

    async def versions(self, request: Request) -> Any:
        subject, deleted = requests.subject(request), requests.flag(request, "deleted")
        found = await self._ask(lambda state: state.versions(subject, deleted=deleted))
        return requests.page(request, [v.version for v in found])

    async def version(self, request: Request) -> Any:
        return shown(await self._version(request))

    async def version_text(self, request: Request) -> Any:
        return JsonText((await self._version(request)).schema)

    async def referenced_by(self, request: Request) -> Any:
        found = await self._version(request)
        users = self._log.state.referenced_by(found.subject, found.version)
        return requests.page(request, sorted({v.id for v in users}))

    async def _version(self, request: Request) -> Version:
        subject, number = requests.subject(request), requests.version(request)
        deleted = requests.flag(request, "deleted")
        return await self._ask(lambda state: state.version(subject, number, deleted=deleted))

    async def lookup(self, request: Request) -> Any:
        subject, posted = requests.subject(request), await requests.posted(request)
        deleted = requests.flag(request, "deleted")

        def look(state: State) -> Version:
            state.versions(subject, deleted=deleted)
            text, _ = operations.read(state, posted)
            return state.lookup(subject, text, posted.references, deleted=deleted)

        return shown(await self._weigh(look))

    async def register(self, request: Request) -> Any:
        subject, posted = requests.subject(request), await requests.posted(request)
        schema_id = await self._change(lambda state: operations.register(state, subject, posted, self._default_level))
        return {"id": schema_id}

    async def delete_version(self, request: Request) -> Any:
        subject, number = requests.subject(request), requests.version(request)
        for_good = requests.flag(request, "permanent")
        return await self._change(lambda state: operations.delete_version(state, subject, number, permanent=for_good))

    async def delete_subject(self, request: Request) -> Any:
        subject, for_good = requests.subject(request), requests.flag(request, "permanent")
        return await self._change(lambda state: operations.delete_subject(state, subject, permanent=for_good))

    async def compatible(self, request: Request) -> Any:
        subject, posted = requests.subject(request), await requests.posted(request)

        def weigh(state: State) -> list[str]:
            _, parsed = operations.read(state, posted)
            level = state.level(subject, self._default_level)
            return compatibility.check(parsed, operations.earlier(state, subject), level)

        return verdict(request, await self._weigh(weigh))

    async def compatible_with_version(self, request: Request) -> Any:
        subject, number = requests.subject(request), requests.version(request)
        posted = await requests.posted(request)

        def weigh(state: State) -> list[str]:
            old = state.version(subject, number)
            _, parsed = operations.read(state, posted)
            against = [Earlier(old.version, operations.parse_registered(state, old))]
            return compatibility.check(parsed, against, state.level(subject, self._default_level))

        return verdict(request, await self._weigh(weigh))

    async def level(self, request: Request) -> Any:
        return {"compatibilityLevel": self._log.state.level(None, self._default_level)}

    async def level_of(self, request: Request) -> Any:
        subject, state = requests.subject(request), self._log.state
        if subject not in state.levels and not requests.flag(request, "defaultToGlobal"):
            state = await run_in_threadpool(self._log.catch_up)
            if subject not in state.levels:
                raise ApiError(40408, f"Subject '{subject}' does not have subject-level compatibility configured")
        return {"compatibilityLevel": state.level(subject, self._default_level)}

    async def set_level(self, request: Request) -> Any:
        subject = requests.subject_or_all(request)
        value = await requests.body(request)
        others = [
            name for name, given in value.items() if name not in ("compatibility", "compatibilityLevel") and given
        ]
        if others:
            raise ApiError(422, f"'{others[0][:40]}' is not supported by this registry, only 'compatibility' is")
        level = value.get("compatibility") or value.get("compatibilityLevel")
        if not isinstance(level, str):
            raise ApiError(42203, "Invalid compatibility level: 'compatibility' is missing")
        return {"compatibility": await self._change(lambda state: operations.set_level(state, subject, level))}

    async def forget_level(self, request: Request) -> Any:
        subject = requests.subject_or_all(request)
        before = await self._change(lambda state: operations.forget_level(state, subject, self._default_level))
        return {"compatibilityLevel": before}

    async def mode(self, request: Request) -> Any:
        return {"mode": self._log.state.mode(None)}

    async def mode_of(self, request: Request) -> Any:
        subject, state = requests.subject(request), self._log.state
        if subject not in state.modes and not requests.flag(request, "defaultToGlobal"):
            raise ApiError(40409, f"Subject '{subject}' does not have subject-level mode configured")
        return {"mode": state.mode(subject)}

    async def set_mode(self, request: Request) -> Any:
        subject = requests.subject_or_all(request)
        mode = (await requests.body(request)).get("mode")
        if not isinstance(mode, str):
            raise ApiError(42204, "Invalid mode: 'mode' is missing")
        return {"mode": await self._change(lambda state: operations.set_mode(state, subject, mode))}

    async def forget_mode(self, request: Request) -> Any:
        subject = requests.subject(request)
        return {"mode": await self._change(lambda state: operations.forget_mode(state, subject))}

    async def ready(self, request: Request) -> Response:
        if self._log.ready:
            return answer({"ready": True, "offset": self._log.next_offset})
        return refusal(ApiError(503, self._log.failure or "The topic is not read to its end yet"))

    async def metrics(self, request: Request) -> Response:
        return Response(generate_latest(self._metrics.collection), media_type=CONTENT_TYPE_LATEST)
