"""Who asks. In this order, by what the request shows; what it shows must hold, nothing else is tried then:

1. a signature over the request, by a signing key of the agency (RFC 9421; `wire.requests`, tag hueandcry-gateway);
2. `Authorization: Bearer`, a token of the issuer that the settings name, an OAuth 2.0 access token as JWT (RFC 9068);
3. `Authorization: Basic`, the agency's user on the platform and its password;
4. a client certificate whose common name is the agency's user: of this connection, or as a proxy that the settings name
   passes it on (Client-Cert, RFC 9440).

The agency must be in the network, always. A refusal says which of them failed, and no more.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from cryptography import x509
from cryptography.x509.oid import NameOID
from starlette.requests import Request

from hueandcry.errors import ProofError
from hueandcry.gateway.problems import Problem
from hueandcry.gateway.settings import networks
from hueandcry.registry.users import User
from hueandcry.rights.network import Agency, Network
from hueandcry.wire.requests import SKEW, RequestVerifier

#: Where a request's scope has the subject's common name of the connection's certificate.
CERTIFICATE = "hueandcry.certificate"


_CREATED = re.compile(r";\s*created=(\d{1,12})")


class Caller(NamedTuple):
    """Who asks.

    Attributes:
        by: signature, token, password or certificate.
    """

    agency: Agency
    network: Network
    by: str


class Tokens(Protocol):
    """Says of which agency a token is."""

    async def agency_of(self, token: str) -> str:
        """Its id. Raises ValueError where the token does not hold."""
        ...


class Authenticator:
    """Finds out who asks.

    Args:
        network: gives the network as it is now.
        users: by name; empty: no passwords are taken.
        proxies: networks from which Client-Cert is believed, as the setting has them.
    """

    def __init__(
        self,
        *,
        network: Callable[[], Network],
        verifier: RequestVerifier,
        users: Mapping[str, User],
        tokens: Tokens | None,
        proxies: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._network = network
        self._verifier = verifier
        self._users = users
        self._tokens = tokens
        self._proxies = networks(proxies)
        self._clock = clock
        # Who signed before may have been ahead of us by as much.
        self._since = int(clock() + SKEW.total_seconds())
        self._by_user: tuple[Network | None, dict[str, Agency]] = (None, {})
        schemes = ['Basic realm="Hue and Cry", charset="UTF-8"'] if users else []
        schemes += ['Bearer realm="Hue and Cry"'] if tokens else []
        self._challenge = {"WWW-Authenticate": ", ".join(schemes)} if schemes else {}

    @property
    def is_open(self) -> bool:
        """Whether what is signed now is taken: a few seconds after the start.

        A process that starts knows no nonces of before, so it takes no signature that may be older.
        """
        return self._clock() >= self._since + 1

    async def who(self, request: Request, body: bytes) -> Caller:
        """Who asks.

        Raises:
            Problem: 401 where nobody shows, or what is shown does not hold; 403 where the agency is not in the network.
        """
        network = self._network()
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if is_signed(request):
            return Caller(self._signed(request, body, network), network, "signature")
        if scheme.lower() == "bearer" and self._tokens is not None:
            return Caller(await self._by_token(self._tokens, credentials.strip(), network), network, "token")
        if scheme.lower() == "basic" and self._users:
            return Caller(self._by_password(credentials.strip(), network), network, "password")
        if scheme:
            raise self._refused("auth.scheme", "this kind of Authorization is not taken here")
        if name := self._certificate(request):
            return Caller(self._of_user(name, network), network, "certificate")
        raise self._refused("auth.missing", "sign the request, or show a token, a password or a certificate")

    def _signed(self, request: Request, body: bytes, network: Network) -> Agency:
        query = f"?{request.url.query}" if request.url.query else ""
        url = f"https://{request.headers.get('host', '')}{request.url.path}{query}"
        headers: dict[str, str] = {}
        for name, value in request.headers.items():
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        try:
            signed = self._verifier.verify(request.method, url, headers, body)
        except ProofError as error:
            if error.rule == "request.flood":
                raise Problem(503, error.rule, error.diagnostics(), retry_after=60) from None
            raise self._refused(error.rule, error.diagnostics()) from None
        created = [int(number) for number in _CREATED.findall(request.headers["signature-input"])]
        if not created or min(created) <= self._since:
            raise self._refused("request.replayed", "the request was signed before this gateway started; sign it anew")
        return self._known(network.agencies.get(signed.key.agency))

    async def _by_token(self, tokens: Tokens, token: str, network: Network) -> Agency:
        try:
            agency = await tokens.agency_of(token)
        except ValueError:
            headers = {"WWW-Authenticate": 'Bearer realm="Hue and Cry", error="invalid_token"'}
            raise Problem(401, "auth.token", "the token does not hold, or has ended", headers=headers) from None
        return self._known(network.agencies.get(agency))

    def _by_password(self, credentials: str, network: Network) -> Agency:
        try:
            name, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
        except ValueError:
            name, password = "", ""
        user = self._users.get(name)
        expected = user.password_sha256 if user else bytes(32)
        if not hmac.compare_digest(hashlib.sha256(password.encode()).digest(), expected) or user is None:
            raise self._refused("auth.password", "user or password are wrong")
        return self._of_user(name, network)

    def _certificate(self, request: Request) -> str:
        shown = request.scope.get("extensions", {}).get(CERTIFICATE, "")
        if shown or "client-cert" not in request.headers or not self._from_proxy(request):
            return shown
        try:
            value = request.headers["client-cert"].strip()
            if not (value.startswith(":") and value.endswith(":")):
                raise ValueError
            return common_name(base64.b64decode(value[1:-1], validate=True))
        except ValueError:
            raise self._refused("auth.certificate", "Client-Cert holds no certificate (RFC 9440)") from None

    def _from_proxy(self, request: Request) -> bool:
        if request.client is None:
            return False
        address = ipaddress.ip_address(request.client.host)
        return any(address in network for network in self._proxies)

    def _of_user(self, user: str, network: Network) -> Agency:
        if self._by_user[0] is not network:
            self._by_user = (network, {agency.user: agency for agency in network.agencies.values()})
        return self._known(self._by_user[1].get(user))

    def _known(self, agency: Agency | None) -> Agency:
        if agency is None:
            raise Problem(403, "auth.agency", "this is no agency of the network; ask the operator")
        return agency

    def _refused(self, rule: str, detail: str) -> Problem:
        return Problem(401, rule, detail, headers=self._challenge)


def is_signed(request: Request) -> bool:
    """Whether a request shows a signature, which is over its body too."""
    return "signature-input" in request.headers


def common_name(der: bytes) -> str:
    """The subject's common name of a certificate; empty where it has none or several.

    Raises:
        ValueError: it is no certificate.
    """
    found: Any = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if len(found) == 1 else ""
