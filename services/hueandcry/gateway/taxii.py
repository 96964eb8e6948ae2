"""TAXII 2.1 (OASIS Standard, 10 June 2021): what an agency receives, as collections of STIX 2.1 objects.

One API root; four collections for who asks: all, and one for each kind of alert. Read only. Every answer is made from
what the agency itself may read, so the collections of another agency are not there, rather than forbidden.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hueandcry.gateway.auth import Caller
from hueandcry.gateway.pages import Pages
from hueandcry.gateway.positions import Position
from hueandcry.gateway.problems import Problem
from hueandcry.gateway.tail import Unread
from hueandcry.gateway.taxii_shelf import ALL, KINDS, Item, Make, Shelf

MEDIA_TYPE = "application/taxii+json;version=2.1"
STIX = "application/stix+json;version=2.1"
ROOT = "/taxii2/alerts/"
MOST_ITEMS = 1_000
#: Shelves that are kept; who has not asked for longest loses its own, and it is read anew.
MOST_SHELVES = 8
_PAGE = 500
_FRESH = 1.0
_NAMESPACE = UUID("6f9df2ab-5d5b-5f0a-9f0e-2f8a3f0b7c11")
_TITLES = {
    ALL: "All alerts",
    "stolen_vehicle": "Stolen vehicles",
    "wanted_person": "Wanted persons",
    "cyber": "Threats",
}
_ALIASES = {ALL: "inbox", "stolen_vehicle": "vehicles", "wanted_person": "persons", "cyber": "threats"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


class _Kept:
    def __init__(self, make: Make) -> None:
        self.shelf = Shelf(make)
        self.position: Position = (0,)
        self.lock = asyncio.Lock()
        self.read_at = float("-inf")


class _Window(NamedTuple):
    """The part of a collection that is shown, and whether there is more."""

    items: list[Item]
    more: bool


class Taxii:
    """The endpoints.

    Args:
        make: makes STIX objects of an alert.
        now_ms: epoch milliseconds.
    """

    def __init__(self, pages: Pages, make: Make, now_ms: Callable[[], int]) -> None:
        self._pages = pages
        self._make = make
        self._now_ms = now_ms
        self._shelves: OrderedDict[str, _Kept] = OrderedDict()

    def routes(self, route: Callable[..., Route]) -> list[Route]:
        """Its routes, by `Api.route`."""
        collection = ROOT + "collections/{collection}/"
        return [
            route(path, handler, "GET", problem=error)
            for path, handler in (
                ("/taxii2/", self._discovery),
                (ROOT, self._root),
                (ROOT + "collections/", self._collections),
                (collection, self._collection),
                (collection + "manifest/", self._manifest),
                (collection + "objects/", self._objects),
                (collection + "objects/{object}/", self._object),
                (collection + "objects/{object}/versions/", self._versions),
            )
        ]

    async def _discovery(self, request: Request, body: bytes, caller: Caller) -> Response:
        _acceptable(request)
        root = f"https://{request.headers.get('host', '')}{ROOT}"
        return _answer({"title": "Hue and Cry", "default": root, "api_roots": [root]})

    async def _root(self, request: Request, body: bytes, caller: Caller) -> Response:
        _acceptable(request)
        return _answer({"title": "Alerts", "versions": [MEDIA_TYPE], "max_content_length": 1024})

    async def _collections(self, request: Request, body: bytes, caller: Caller) -> Response:
        _acceptable(request)
        names = (ALL, *KINDS) if "reads" in caller.agency.gateway else ()
        return _answer({"collections": [_described(caller, name) for name in names]} if names else {})

    async def _collection(self, request: Request, body: bytes, caller: Caller) -> Response:
        _acceptable(request)
        return _answer(_described(caller, _named(request, caller)))

    async def _manifest(self, request: Request, body: bytes, caller: Caller) -> Response:
        _acceptable(request)
        window = await self._window(request, caller)
        records = [
            {"id": item.id, "date_added": _date(item.added), "version": item.version, "media_type": STIX}
            for item in window.items
        ]
        return _answer(_enveloped("objects", records, window), window)

    async def _objects(self, request: Request, body: bytes, caller: Caller) -> Response:
        _acceptable(request)
        window = await self._window(request, caller)
        return _answer(_enveloped("objects", _content(window), window), window)

    async def _object(self, request: Request, body: bytes, caller: Caller) -> Response:
        _acceptable(request)
        window = await self._window(request, caller, only=request.path_params["object"])
        return _answer(_enveloped("objects", _content(window), window), window)

    async def _versions(self, request: Request, body: bytes, caller: Caller) -> Response:
        _acceptable(request)
        window = await self._window(request, caller, only=request.path_params["object"], version="all")
        return _answer(_enveloped("versions", [item.version for item in window.items], window), window)

    async def _window(
        self, request: Request, caller: Caller, *, only: str | None = None, version: str = "last"
    ) -> _Window:
        name = _named(request, caller)
        query = request.query_params
        limit = _limit(query.get("limit"))
        after = max(_added_after(query.get("added_after")), _next(query.get("next")))
        shelf = await self._shelf(caller)
        items = shelf.items(name)
        if only is not None:
            items = [item for item in items if item.id == only]
            if not items:
                raise Problem(404, "taxii.object", "there is no such object in this collection")
        items = _matching(items, query, version)
        items = [item for item in items if item.added > after]
        return _Window(items[:limit], len(items) > limit)

    async def _shelf(self, caller: Caller) -> Shelf:
        """The shelf of who asks, up to date."""
        agency = caller.agency.id
        kept = self._shelves.get(agency)
        if kept is None:
            kept = self._shelves[agency] = _Kept(self._make)
            while len(self._shelves) > MOST_SHELVES:
                self._shelves.popitem(last=False)
        self._shelves.move_to_end(agency)
        async with kept.lock:
            try:
                await self._bring_up_to_date(kept, agency)
            except Unread as error:
                raise Problem(503, "kafka.unread", f"{error}; ask again", retry_after=5) from None
        return kept.shelf

    async def _bring_up_to_date(self, kept: _Kept, agency: str) -> None:
        if time.monotonic() - kept.read_at < _FRESH:
            return
        while True:
            page = await self._pages.read("inbox", f"inbox.{agency}", kept.position, _PAGE)
            kept.position = page.next
            await asyncio.to_thread(kept.shelf.take, [event for event, _ in page.events], self._now_ms())
            if page.at_end:
                break
        kept.read_at = time.monotonic()


def error(problem: Problem) -> Response:
    """A refusal as TAXII has it (section 3.6.1)."""
    told: dict[str, Any] = {
        "title": str(problem),
        "error_code": problem.rule,
        "http_status": str(problem.status),
    }
    return Response(json.dumps(told), problem.status, media_type=MEDIA_TYPE, headers=problem.headers)


def collection_id(agency: str, name: str) -> str:
    """The id of a collection: the same for good."""
    return str(uuid5(_NAMESPACE, f"{agency}/{name}"))


def _described(caller: Caller, name: str) -> dict[str, Any]:
    return {
        "id": collection_id(caller.agency.id, name),
        "title": f"{_TITLES[name]} for {caller.agency.id}",
        "alias": _ALIASES[name],
        "can_read": True,
        "can_write": False,
        "media_types": [STIX],
    }


def _named(request: Request, caller: Caller) -> str:
    asked = request.path_params["collection"]
    if "reads" in caller.agency.gateway:
        for name in (ALL, *KINDS):
            if asked in (collection_id(caller.agency.id, name), _ALIASES[name]):
                return name
    raise Problem(404, "taxii.collection", "there is no such collection for this agency")


def _acceptable(request: Request) -> None:
    """Raises Problem (406) where the client takes nothing that is to be had (section 3.1.2)."""
    accepted = request.headers.get("accept", "*/*").lower().replace(" ", "")
    for part in accepted.split(","):
        kind, *parameters = part.split(";")
        version = next((each[8:] for each in parameters if each.startswith("version=")), "2.1")
        if kind in ("*/*", "application/*") or (kind == "application/taxii+json" and version == "2.1"):
            return
    raise Problem(406, "taxii.accept", f"this comes as {MEDIA_TYPE}")


def _matching(items: Sequence[Item], query: Any, version: str) -> list[Item]:
    """Items that the match parameters select (section 3.4.2)."""
    found = list(items)
    for name, of in (
        ("id", lambda item: item.id),
        ("type", lambda item: item.type),
        ("spec_version", lambda item: item.spec),
    ):
        given = query.get(f"match[{name}]")
        if given:
            wanted = set(given.split(","))
            found = [item for item in found if of(item) in wanted]
    return _of_versions(found, (query.get("match[version]") or version).split(","))


def _of_versions(items: list[Item], wanted: Sequence[str]) -> list[Item]:
    if "all" in wanted:
        return items
    bad = [each for each in wanted if each not in ("first", "last") and not _TIME.fullmatch(each)]
    if bad:
        raise Problem(400, "taxii.version", "match[version] is first, last, all or a time")
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    for item in items:
        first[item.id] = min(first.get(item.id, item.version), item.version)
        last[item.id] = max(last.get(item.id, item.version), item.version)
    return [
        item
        for item in items
        if ("last" in wanted and item.version == last[item.id])
        or ("first" in wanted and item.version == first[item.id])
        or item.version in wanted
    ]


def _limit(given: str | None) -> int:
    if given is None:
        return 100
    if not (given.isascii() and given.isdecimal() and 0 < len(given) < 10 and int(given) > 0):
        raise Problem(400, "taxii.limit", "limit is a whole number from 1 on")
    return min(int(given), MOST_ITEMS)


def _added_after(given: str | None) -> int:
    if given is None:
        return -1
    try:
        if not _TIME.fullmatch(given):
            raise ValueError
        return (datetime.fromisoformat(given) - _EPOCH) // timedelta(microseconds=1)
    except ValueError:
        raise Problem(400, "taxii.added_after", "added_after is a time as 2026-03-01T12:00:00.000000Z") from None


def _next(given: str | None) -> int:
    if given is None:
        return -1
    if not (given.isascii() and given.isdecimal() and len(given) <= 20):
        raise Problem(400, "taxii.next", "next is what the page before said")
    return int(given)


def _date(added: int) -> str:
    return (_EPOCH + timedelta(microseconds=added)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _content(window: _Window) -> list[Any]:
    return [json.loads(item.unpacked()) for item in window.items]


def _enveloped(name: str, content: list[Any], window: _Window) -> dict[str, Any]:
    if not content:
        return {}
    paging = {"more": True, "next": str(window.items[-1].added)} if window.more else {"more": False}
    return {**paging, name: content}


def _answer(value: dict[str, Any], window: _Window | None = None) -> Response:
    headers = {"Cache-Control": "no-store"}
    if window is not None and window.items:
        headers["X-TAXII-Date-Added-First"] = _date(window.items[0].added)
        headers["X-TAXII-Date-Added-Last"] = _date(window.items[-1].added)
    return Response(json.dumps(value, ensure_ascii=False), media_type=MEDIA_TYPE, headers=headers)
