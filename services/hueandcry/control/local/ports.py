"""Free ports on loopback, kept in a file so that a restart takes the same ones."""

from __future__ import annotations

import json
import random
import socket
from pathlib import Path

#: Below the range that Linux and macOS give to outgoing connections, so that none of those sits on ours at a restart.
_RANGE = range(20_000, 32_000)
LOOPBACK = "127.0.0.1"


class Ports:
    """Ports by name. A name gets its port when first asked for.

    Args:
        path: the JSON file that keeps them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __getitem__(self, name: str) -> int:
        known = self._known()
        if name not in known:
            known[name] = _free(set(known.values()))
            self._write(known)
        return known[name]

    def known(self, name: str) -> int | None:
        """The port of that name, None where it has none yet."""
        return self._known().get(name)

    def renew_taken(self, *names: str) -> None:
        """Give another port to each of these names whose port somebody else has taken. Only while ours are down."""
        known = self._known()
        taken = [name for name in names if name in known and not is_free(known[name])]
        for name in taken:
            known[name] = _free(set(known.values()))
        if taken:
            self._write(known)

    def _known(self) -> dict[str, int]:
        try:
            return {str(name): int(port) for name, port in json.loads(self._path.read_text("utf-8")).items()}
        except (OSError, ValueError):
            return {}

    def _write(self, ports: dict[str, int]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(ports, indent=1) + "\n", "utf-8")
        temporary.replace(self._path)


def is_free(port: int) -> bool:
    """Whether nobody listens on that port of the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _free(but: set[int]) -> int:
    for port in random.sample(_RANGE, len(_RANGE)):
        if port not in but and is_free(port):
            return port
    raise OSError("no port is free on loopback")
