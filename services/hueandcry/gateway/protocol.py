"""uvicorn's HTTP, with the client's certificate for the application, and a bound on how long a head may take.

uvicorn shows the application no certificate (its issue 400, the ASGI TLS extension), and gives a client that sends a
request's head byte by byte all the time in the world.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from hueandcry.gateway.auth import CERTIFICATE, common_name

#: How long a request's head may take, in seconds; the TLS handshake has a bound of its own.
HEAD_SECONDS = 10.0


class Protocol(H11Protocol):
    """One connection."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the certificate's name, once."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        der = tls.getpeercert(binary_form=True) if tls is not None else None
        if der:
            self.app = _with_name(self.app, common_name(der))
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        """As uvicorn; a head that is begun must end in time."""
        super().data_received(data)
        self._watch_head()

    def on_response_complete(self) -> None:
        """As uvicorn, which may begin the next request here."""
        super().on_response_complete()
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn."""
        self._forget()
        super().connection_lost(exc)

    def _watch_head(self) -> None:
        """Between two requests uvicorn's own time for idle connections counts, and none here."""
        answering = self.cycle is not None and not self.cycle.response_complete
        idle = self.timeout_keep_alive_task is not None
        if answering or idle or self.transport.is_closing():
            self._forget()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _forget(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _with_name(app: Any, name: str) -> Any:
    async def named(scope: Any, receive: Any, send: Any) -> None:
        extensions = cast("dict[str, Any]", scope.setdefault("extensions", {}))
        extensions[CERTIFICATE] = name
        await app(scope, receive, send)

    return named
