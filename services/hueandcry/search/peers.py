"""The other processes of search: each holds some partitions of the register and answers for them.

They speak HTTPS with each other, and show a token that follows from the identity secret, which they all have and no
agency has. What goes between them is the register's own bytes; who may see it is decided where the question was asked.
"""

from __future__ import annotations

import base64
import hmac
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import aiohttp

from hueandcry.distribute.entries import Claimant
from hueandcry.search.patterns import PlatePattern
from hueandcry.search.shelves import Holder, Lookup, Unavailable, Want

CLAIMANTS_PATH, ENTRIES_PATH, FITTING_PATH = "/partitions/claimants", "/partitions/entries", "/partitions/fitting"
_SECONDS = 5.0
_PURPOSE = b"hueandcry search, between its processes"


def peer_token(secret: bytes) -> str:
    """What a process of search shows to another."""
    return hmac.digest(secret, _PURPOSE, "sha256").hex()


async def answer_claimants(own: Holder, asked: Any) -> Any:
    """What `Peer.claimants` is told. Raises ValueError, KeyError or TypeError for what is no such question."""
    found = await own.claimants([Lookup(bytes.fromhex(key), int(most)) for key, most in asked])
    return [[list(claimant) for claimant in each] for each in found]


async def answer_entries(own: Holder, asked: Any) -> Any:
    """What `Peer.entries` is told. Raises ValueError, KeyError or TypeError for what is no such question."""
    found = await own.entries([Want(str(alert_id), int(home)) for alert_id, home in asked])
    return [base64.b64encode(each).decode() if isinstance(each, bytes) else each for each in found]


async def answer_fitting(own: Holder, asked: Any) -> Any:
    """What `Peer.fitting` is told. Raises ValueError, KeyError or TypeError for what is no such question."""
    text, state, status, most = asked
    found = await own.fitting(PlatePattern(str(text), str(state), str(status)), int(most))
    return [base64.b64encode(each).decode() for each in found]


class Peer:
    """Another process, as a holder of partitions.

    Args:
        url: where it answers.
        token: `peer_token`.
        ca: PEM file of whom to trust for it; None for the system's authorities.
    """

    def __init__(self, url: str, token: str, ca: Path | None) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._context = ssl.create_default_context(cafile=str(ca) if ca else None)
        self._session: aiohttp.ClientSession | None = None

    async def claimants(self, lookups: Sequence[Lookup]) -> list[list[Claimant]]:
        """As `Holder.claimants`."""
        found = await self._ask(CLAIMANTS_PATH, [[key.hex(), most] for key, most in lookups])
        return [[Claimant(*claimant) for claimant in each] for each in found]

    async def entries(self, wants: Sequence[Want]) -> list[bytes | int | None]:
        """As `Holder.entries`."""
        found = await self._ask(ENTRIES_PATH, [list(want) for want in wants])
        return [base64.b64decode(each) if isinstance(each, str) else each for each in found]

    async def fitting(self, pattern: PlatePattern, most: int) -> list[bytes]:
        """As `Holder.fitting`."""
        return [base64.b64decode(each) for each in await self._ask(FITTING_PATH, [*pattern, most])]

    async def _ask(self, path: str, question: Any) -> list[Any]:
        if self._session is None:
            # Made here, since it belongs to the running loop.
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=_SECONDS),
                connector=aiohttp.TCPConnector(ssl=self._context, limit=64),
            )
        try:
            async with self._session.post(self._url + path, json=question) as response:
                if response.status != 200:
                    raise Unavailable(f"a peer of search refuses (status {response.status})", hint="See its log")
                return cast("list[Any]", await response.json())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unavailable(f"a peer of search does not answer ({type(error).__name__})", hint="Start it") from error
