"""What came in, read within bounds of size, time and form."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email.message import Message
from typing import Any

from starlette.requests import ClientDisconnect, Request

from hueandcry.alerts.remarks import Remark
from hueandcry.gateway.problems import Problem, told
from hueandcry.sdk.files import Item, json_lines, json_object

JSON, LINES, AVRO = "application/json", "application/x-ndjson", "application/avro"
#: Most objects of one body.
MOST_ITEMS = 1_000
#: Most bytes of bodies that are held at once.
MOST_HELD = 256 * 1024 * 1024
#: How long a body may take to come.
_SECONDS = 30.0
#: Deepest nesting of objects and lists; an alert has six.
_DEEPEST = 32


class Bodies:
    """Reads bodies, of which no more than `MOST_HELD` bytes are held at once, whoever sends them.

    Args:
        most: bytes of the largest.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """The whole body, counted for as long as the context lasts.

        Raises:
            Problem: 413 where it is too large, 408 where it does not come in time, 400 where it ends early, 503 where
                too many come at once.
        """
        counted = 0

        def count(size: int) -> None:
            nonlocal counted
            if self._held + size > MOST_HELD:
                raise Problem(503, "body.many", "too much is being received; send it again", retry_after=1)
            self._held += size
            counted += size

        try:
            yield await _read(request, self._most, count)
        finally:
            self._held -= counted


async def _read(request: Request, most: int, count: Callable[[int], None]) -> bytes:
    try:
        announced = int(request.headers.get("content-length", "0"))
    except ValueError:
        raise Problem(400, "body.length", "Content-Length is no number") from None
    if announced > most:
        raise _too_large(most)
    data = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for chunk in request.stream():
                count(len(chunk))
                data += chunk
                if len(data) > most:
                    raise _too_large(most)
    except TimeoutError:
        raise Problem(
            408, "body.slow", f"the body did not come within {_SECONDS:.0f} s", headers={"Connection": "close"}
        ) from None
    except ClientDisconnect:
        raise Problem(400, "body.cut", "the client went away") from None
    return bytes(data)


def media_type(request: Request) -> str:
    """Type of the body, without parameters.

    Raises:
        Problem: 415 for another charset than UTF-8, or an encoded body.
    """
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "body.encoding", "bodies are taken as they are, without Content-Encoding")
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    charset = str(message.get_param("charset", "utf-8")).lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Problem(415, "body.charset", "JSON is UTF-8 (RFC 8259); send it so")
    return message.get_content_type() if request.headers.get("content-type") else ""


def read_object(body: bytes) -> dict[str, Any]:
    """The one JSON object of a body.

    Raises:
        Problem: 400, with what is wrong and where.
    """
    item = _shallow(json_object(body.removeprefix(b"\xef\xbb\xbf"), "body"))
    if item.alert is None:
        raise Problem(400, item.remarks[0].rule, "the body is not one JSON object", errors=told(item.remarks))
    return item.alert


def read_lines(body: bytes) -> list[dict[str, Any]]:
    """The JSON objects of a body, one a line.

    Raises:
        Problem: 400, with what is wrong in which line; 413 where there are more than MOST_ITEMS.
    """
    found: list[dict[str, Any]] = []
    bad: list[Remark] = []
    for item in map(_shallow, json_lines(io.BytesIO(body), "line")):
        if item.alert is None:
            bad += item.remarks
        else:
            found.append(item.alert)
        if len(found) > MOST_ITEMS:
            raise Problem(413, "body.items", f"a body has at most {MOST_ITEMS:,} objects; send several")
    if bad:
        raise Problem(400, bad[0].rule, f"{len(bad)} lines are not JSON objects; nothing was sent", errors=told(bad))
    if not found:
        raise Problem(400, "body.empty", "the body has no object")
    return found


def _shallow(item: Item) -> Item:
    if item.alert is None or not _deeper(item.alert, _DEEPEST):
        return item
    remark = Remark("", "json.depth", f"is nested deeper than {_DEEPEST} levels", item.place)
    return Item(item.place, None, (remark,))


def _deeper(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        return levels == 0 or any(_deeper(each, levels - 1) for each in value.values())
    if isinstance(value, list):
        return levels == 0 or any(_deeper(each, levels - 1) for each in value)
    return False


def _too_large(most: int) -> Problem:
    return Problem(413, "body.size", f"the body is larger than {most:,} bytes", headers={"Connection": "close"})
