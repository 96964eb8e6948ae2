"""The socket that a service of ours takes for HTTPS, and how it hears that it shall stop."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hueandcry.errors import SettingsError


@contextlib.contextmanager
def listening(host: str, port: int, variable: str) -> Iterator[socket.socket]:
    """A socket that listens, until the context ends.

    Raises:
        SettingsError: the address can't be taken; the hint names `variable`, which sets the port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise SettingsError(f"can't listen on {host}:{port}: {error.strerror}", hint=f"Set {variable}") from None
    # asyncio does it for sockets that name the protocol only; else answers wait 40 ms for the client's acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with listener:
        yield listener


_STOP_SECONDS = 3
#: Most bytes of a head, or of what is no content beside it.
_LONGEST_HEAD = 32 * 1024


class _Bounded(HttpToolsProtocol):
    """Closes a connection over which much comes that is neither the end of a head nor content.

    The parser itself takes heads, chunk extensions and trailers of any size, from anybody.
    """

    _heard = False
    _idle_bytes = 0

    def data_received(self, data: bytes) -> None:
        self._heard = False
        super().data_received(data)
        self._idle_bytes = 0 if self._heard else self._idle_bytes + len(data)
        if self._idle_bytes > _LONGEST_HEAD:
            # Closing would wait for the other side, which goes on writing.
            self.transport.abort()

    def on_headers_complete(self) -> None:
        self._heard = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._heard = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._heard = True
        super().on_message_complete()


def https_server(app: ASGIApp, certificate: Path, key: Path, *, idle_seconds: int, most: int) -> uvicorn.Server:
    """A server that logs no request and names no software.

    Args:
        certificate, key: PEM files.
        idle_seconds: after which a connection that nothing is asked by is closed.
        most: connections and requests at once; who comes beyond them is told to come again.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            ssl_certfile=certificate,
            ssl_keyfile=str(key),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            loop="uvloop",
            http=_Bounded,
            ws="none",
            proxy_headers=False,
            timeout_keep_alive=idle_seconds,
            timeout_graceful_shutdown=_STOP_SECONDS,
            limit_concurrency=most,
        )
    )


def note_stops() -> None:
    """Let SIGINT and SIGTERM end the process in good order.

    uvicorn stops at a signal and raises it again when it has stopped; by then there is only our own end to come.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _noted)


def _noted(number: int, frame: object) -> None:
    logging.getLogger(__name__).info("told to stop by signal %d", number)
