"""The socket that a service of ours takes for HTTPS, and how it hears that it shall stop."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
from collections.abc import Iterator

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


def note_stops() -> None:
    """Let SIGINT and SIGTERM end the process in good order.

    uvicorn stops at a signal and raises it again when it has stopped; by then there is only our own end to come.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _noted)


def _noted(number: int, frame: object) -> None:
    logging.getLogger(__name__).info("told to stop by signal %d", number)
