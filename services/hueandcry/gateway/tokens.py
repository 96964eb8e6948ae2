"""Access tokens of an outside issuer: JWT (RFC 9068), verified by the issuer's JWK set (RFC 7517)."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any

import aiohttp
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hueandcry.errors import SettingsError
from hueandcry.gateway.settings import PREFIX, GatewaySettings

log = logging.getLogger(__name__)

#: Signatures that are taken: none that the holder of a public key could make.
ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"]
#: Clocks may differ by so much, in seconds.
_LEEWAY = 5
#: The set is read again after so many seconds, and for a key that it lacks no sooner than after the second.
_FRESH, _AGAIN = 300.0, 10.0
_LONGEST = 8192


class JwtTokens:
    """Verifies tokens. Belongs to one event loop.

    Args:
        settings: issuer, audience, keys and claim.

    Raises:
        SettingsError: one of them is missing, or the file of the keys can't be read.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        for name in ("token_audience", "token_keys"):
            if not getattr(settings, name):
                raise SettingsError(f"{PREFIX}{name.upper()} is missing", hint=f"{PREFIX}TOKEN_ISSUER needs it")
        self._claim = settings.token_claim
        self._source = settings.token_keys
        self._registry = jwt.JWTClaimsRegistry(
            leeway=_LEEWAY,
            iss={"essential": True, "value": settings.token_issuer},
            aud={"essential": True, "value": settings.token_audience},
            exp={"essential": True},
        )
        self._keys: KeySet | None = None
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        if not self._is_url:
            self._keys = _key_set(_read_file(Path(self._source)))
        elif not self._source.startswith("https://"):
            raise SettingsError(f"{PREFIX}TOKEN_KEYS must begin with https://, or be a file")

    @property
    def _is_url(self) -> bool:
        return "://" in self._source

    async def agency_of(self, token: str) -> str:
        """The id of the agency that a token is of.

        Raises:
            ValueError: it does not hold, or the issuer's keys can't be had.
        """
        if len(token) > _LONGEST:
            raise ValueError("too long")
        keys = await self._fresh(_FRESH)
        try:
            found = self._verified(token, keys)
        except ValueError:
            if not self._is_url:
                raise
            # The issuer may have a new key.
            found = self._verified(token, await self._fresh(_AGAIN))
        if not isinstance(found, str):
            raise ValueError("no agency")
        return found

    def _verified(self, token: str, keys: KeySet) -> Any:
        try:
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            self._registry.validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ValueError(type(error).__name__) from None
        return claims.get(self._claim)

    async def _fresh(self, seconds: float) -> KeySet:
        async with self._reading:
            if self._is_url and time.monotonic() - self._read_at > seconds:
                self._read_at = time.monotonic()
                try:
                    self._keys = _key_set(await self._fetch())
                except (aiohttp.ClientError, TimeoutError, ValueError, SettingsError) as error:
                    log.warning("the token issuer's keys can't be read: %s", type(error).__name__)
        if self._keys is None:
            raise ValueError("no keys")
        return self._keys

    async def _fetch(self) -> Any:
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(self._source) as response:
            response.raise_for_status()
            return json.loads(await response.content.read(1024 * 1024))


def _read_file(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} can't be read as a JWK set: {type(error).__name__}") from None


def _key_set(value: Any) -> KeySet:
    try:
        keys = KeySet.import_key_set(value)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(f"this is no JWK set: {type(error).__name__}") from None
    # A shared secret in a public set would let anybody sign.
    keys.keys = [key for key in keys.keys if key.key_type in ("RSA", "EC", "OKP")]
    return keys
