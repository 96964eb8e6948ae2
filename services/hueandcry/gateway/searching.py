"""Searches: passed on to search, signed with the agency's key in custody, so that they are logged there as its own."""

from __future__ import annotations

import ssl
from pathlib import Path

import aiohttp

from hueandcry.gateway.custody import Signer
from hueandcry.gateway.problems import Problem
from hueandcry.search.api import SEARCH_PATH
from hueandcry.wire.requests import SEARCH_TAG, sign_request

_SECONDS = 10.0


class Searching:
    """Asks search. Belongs to one event loop.

    Args:
        url: where it answers.
        ca: PEM file of whom to trust for it; None for the system's authorities.
    """

    def __init__(self, url: str, ca: Path | None) -> None:
        self._url = url.rstrip("/") + SEARCH_PATH
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=_SECONDS), connector=aiohttp.TCPConnector(ssl=context, limit=64)
        )

    async def ask(self, body: bytes, signer: Signer) -> tuple[int, bytes]:
        """Status and body of the answer to a question.

        Raises:
            Problem: search refuses it (its rule and status), or does not answer.
        """
        headers = sign_request(
            signer.private_key, signer.key_id, "POST", self._url, body, tag=SEARCH_TAG, content_type="application/json"
        )
        try:
            async with self._session.post(self._url, data=body, headers=headers) as response:
                text = await response.read()
                if response.status == 200:
                    return 200, text
                told = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError):
            raise Problem(503, "search.away", "search does not answer; ask again", retry_after=5) from None
        rule, message = str(told.get("rule", "search")), str(told.get("message", "search refuses"))
        if response.status in (401, 403):
            # The signature is ours: what is wrong with it is nothing that the client can mend.
            raise Problem(502, f"search.{rule}", message)
        raise Problem(response.status, f"search.{rule}", message, retry_after=5 if response.status == 503 else None)

    async def close(self) -> None:
        """End its connections."""
        await self._session.close()
