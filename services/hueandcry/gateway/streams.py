"""Server-sent events (HTML Living Standard, 9.2): what is for an agency, for as long as its client listens.

- Each event has an id; a client that comes back with it in Last-Event-ID goes on after that event.
- Where nothing comes, a comment every HEARTBEAT says that the connection lives.
- What a client does not take within PATIENCE ends its connection; it comes back and goes on where it was. Until then no
  more is held for it than one part (TAKE events) and the socket's buffer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable

from starlette.types import Receive, Scope, Send

from hueandcry.gateway.mail import TAKE, Cursor
from hueandcry.gateway.positions import Source, word_of
from hueandcry.gateway.tail import Unread

log = logging.getLogger(__name__)

HEARTBEAT = 15.0
#: How long one part may take to go out, in seconds.
PATIENCE = 30.0
#: After how many milliseconds a client comes back.
_RETRY_MS = 2_000
#: How often to look whether the process is to end, in seconds.
_LOOK = 1.0


class Stream:
    """One connection that listens; an ASGI application.

    Args:
        cursor: reads for it.
        raw: whether events are shown as Kafka has them.
        is_ending: whether the process is to end; then the stream ends too.
        on_end: told why it has ended: gone, slow, stopped or unread.
    """

    def __init__(
        self,
        cursor: Cursor,
        source: Source,
        *,
        raw: bool,
        is_ending: Callable[[], bool],
        on_end: Callable[[str], None],
    ) -> None:
        self._cursor = cursor
        self._source: Source = source
        self._raw = raw
        self._is_ending = is_ending
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        reason = "gone"
        sending = asyncio.ensure_future(self._send(send, headers))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and not sending.cancelled():
                reason = sending.result()
        except TimeoutError:
            reason = "slow"
        finally:
            for task in (sending, leaving):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await asyncio.gather(sending, leaving, return_exceptions=True)
            self._on_end(reason)

    async def _send(self, send: Send, headers: list[tuple[bytes, bytes]]) -> str:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        # An event without data names the place to a client that gets nothing at first; it sets the last event id.
        first = f"retry: {_RETRY_MS}\nid: {word_of(self._source, self._cursor.position)}\n\n".encode()
        await _send_part(send, first)
        try:
            async for part in self._parts():
                await _send_part(send, part)
        except Unread as error:
            log.warning("a stream ends: %s", error)
            return "unread"
        await send({"type": "http.response.body", "body": b""})
        return "stopped"

    async def _parts(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        spoke = loop.time()
        while not self._is_ending():
            items = await self._cursor.take(TAKE, _LOOK)
            if items:
                yield b"".join([item.frame(self._source, raw=self._raw) for item in items])
                spoke = loop.time()
            elif loop.time() - spoke >= HEARTBEAT:
                yield b": nothing new\n\n"
                spoke = loop.time()


async def _send_part(send: Send, part: bytes) -> None:
    async with asyncio.timeout(PATIENCE):
        await send({"type": "http.response.body", "body": part, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
