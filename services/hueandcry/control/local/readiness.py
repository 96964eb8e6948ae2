"""Waiting until a service answers GET /ready, as long as its process lives."""

from __future__ import annotations

import http.client
import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

from hueandcry.control.local.process import Process, ProcessError

_POLL_S = 0.1
_ANSWER_S = 2.0


def is_ready(url: str, ca: Path | None = None) -> bool:
    """Whether GET `url`/ready is answered by 200; `ca` is the PEM file to trust for https."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        connection = http.client.HTTPSConnection(host, port, timeout=_ANSWER_S, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_S)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_ready(process: Process, url: str, ca: Path | None = None, *, seconds: float) -> None:
    """Until it is ready.

    Raises:
        ProcessError: its process ended, or it was not ready in time; with the end of its log.
    """
    end = time.monotonic() + seconds
    while not is_ready(url, ca):
        if process.pid is None:
            raise ended(process, "ended while starting")
        if time.monotonic() >= end:
            raise ended(process, f"was not ready in {seconds:.0f} s")
        time.sleep(_POLL_S)


def ended(process: Process, what: str) -> ProcessError:
    """The error for a process that did not come up."""
    last = process.last_lines()
    told = f"; it said last:\n{last}\n" if last else ", and said nothing"
    return ProcessError(f"{process.name} {what}{told}", hint=f"The whole log is {process.log}")
