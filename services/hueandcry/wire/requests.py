"""Requests that an agency signs: HTTP Message Signatures (RFC 9421) with the Ed25519 key that it signs alerts with.

Signed are method, authority, path, query (where there is one), media type and the digest of the body (RFC 9530), with
the time, a nonce, the key's id, and a tag that says what the signature is for: a request to one service is none to
another.

Rules: a signature counts only under a key that the network lists and that is valid now; it is at most `MAX_AGE` old;
its nonce is taken once by a verifier. What other processes have taken, or this one before its start, a service has to
know by itself (`search.nonces`).
"""

from __future__ import annotations

import datetime as dt
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures.algorithms import ED25519  # pyright: ignore[reportPrivateImportUsage]
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_message_signatures.resolvers import HTTPSignatureKeyResolver, MappingKeyResolver
from http_message_signatures.signatures import HTTPMessageSigner, HTTPMessageVerifier

from hueandcry.errors import ProofError
from hueandcry.rights.network import SigningKey
from hueandcry.wire.proof import is_valid_at, public_key

SEARCH_TAG = "hueandcry-search"
GATEWAY_TAG = "hueandcry-gateway"
LEDGER_TAG = "hueandcry-ledger"
MAX_AGE = dt.timedelta(minutes=5)
#: How far the clocks may differ.
SKEW = dt.timedelta(seconds=5)
#: Most nonces that are remembered; beyond, requests are refused until some are old.
MOST_NONCES = 1_000_000
_COVERED = ("@method", "@authority", "@path", "content-type", "content-digest")
_LONGEST_NONCE = 64


class Signed(NamedTuple):
    """Who has signed a request, and its nonce."""

    key: SigningKey
    nonce: str


@dataclass
class _Message:
    """A request as the library reads it."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


class _Verifier(HTTPMessageVerifier):
    max_clock_skew = SKEW


def sign_request(
    private_key: Ed25519PrivateKey, key_id: str, method: str, url: str, body: bytes, *, tag: str, content_type: str
) -> dict[str, str]:
    """The headers of a request, signed now with a nonce of its own.

    Args:
        private_key: key of the agency.
        key_id: its id in the network.
        url: with scheme, host and port, as the request will name them.
        tag: what the signature is for.
    """
    message = _Message(method, url, {"Content-Type": content_type})
    signer = HTTPMessageSigner(
        signature_algorithm=ED25519,
        key_resolver=MappingKeyResolver(public_keys={}, private_keys={key_id: private_key}),
    )
    signer.sign(
        message,
        key_id=key_id,
        created=dt.datetime.now(dt.UTC),
        nonce=secrets.token_urlsafe(18),
        label="agency",
        tag=tag,
        covered_component_ids=_covered(url)[:-1],
        body=body,
    )
    return message.headers


def _covered(url: str) -> tuple[str, ...]:
    return ("@query", *_COVERED) if "?" in url else _COVERED


class RequestVerifier:
    """Verifies signed requests, each once. Not for several threads at once.

    Args:
        keys: finds a key by its id, None where the network lists none.
        tag: what signatures must be for.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        keys: Callable[[str], SigningKey | None],
        *,
        tag: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._tag = tag
        self._clock = clock
        #: When each nonce may be forgotten, oldest first.
        self._nonces: OrderedDict[str, float] = OrderedDict()
        self._verifier = _Verifier(signature_algorithm=ED25519, key_resolver=_Resolver(self._public_key))

    def verify(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Signed:
        """Who has signed this request.

        Raises:
            ProofError: rule request.signature (none, or one that does not hold, is too old or of an unknown key),
                request.replayed, or request.flood.
        """
        try:
            (result,) = self._verifier.verify(
                _Message(method, url, dict(headers)),
                max_age=MAX_AGE,
                expect_tag=self._tag,
                require_components=_covered(url),
                body=body,
            )
        except (HTTPMessageSignaturesException, ValueError):
            raise _unsigned() from None
        created, nonce = result.parameters["created"], result.nonce
        key = self._keys(str(result.parameters["keyid"]))
        if key is None or not nonce or len(nonce) > _LONGEST_NONCE or not isinstance(created, int):
            raise _unsigned()
        self._take(f"{key.key_id}/{nonce}")
        return Signed(key, nonce)

    def _public_key(self, key_id: str) -> Ed25519PublicKey | None:
        key = self._keys(key_id)
        if key is None or not is_valid_at(key, int(self._clock() * 1000)):
            return None
        return public_key(key)

    def _take(self, nonce: str) -> None:
        now = self._clock()
        while self._nonces and next(iter(self._nonces.values())) < now:
            self._nonces.popitem(last=False)
        if nonce in self._nonces:
            raise ProofError("this request has been answered already", rule="request.replayed", hint="Sign each anew")
        if len(self._nonces) >= MOST_NONCES:
            raise ProofError("too many requests", rule="request.flood", hint="Send it again in a few minutes")
        self._nonces[nonce] = now + (MAX_AGE + 2 * SKEW).total_seconds()


class _Resolver(HTTPSignatureKeyResolver):
    def __init__(self, find: Callable[[str], Ed25519PublicKey | None]) -> None:
        self._find = find

    def resolve_public_key(self, key_id: str) -> Any:
        return self._find(key_id)


def _unsigned() -> ProofError:
    return ProofError(
        "the request has no signature of an agency that holds",
        rule="request.signature",
        hint="Sign it with the key that is valid now, and set the clock",
    )
