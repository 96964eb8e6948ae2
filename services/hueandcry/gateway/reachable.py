"""Where webhooks may lead: public addresses, and networks that the operator names. Nowhere else, whatever a name says.

A name is looked up once, its addresses are judged, and the connection goes to one of those that passed: a name that
answers otherwise the second time gains nothing. Redirects are not followed.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
#: IPv6 addresses that hold an IPv4 address in their last 32 bits: NAT64 (RFC 6052, RFC 8215).
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


class NotPublic(OSError):
    """A webhook leads to an address that is not public."""


def may_reach(address: str, allowed: Sequence[_Network]) -> bool:
    """Whether a webhook may lead to this address.

    Args:
        allowed: networks that are not public and that the operator allows.
    """
    plain = _embedded(ipaddress.ip_address(address.partition("%")[0]))
    if any(plain in network for network in allowed):
        return True
    return plain.is_global and not plain.is_multicast


def _embedded(address: _Address) -> _Address:
    """The IPv4 address inside an IPv6 address, where there is one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def check_url(url: str, allowed: Sequence[_Network]) -> None:
    """Judge a URL whose host is an address; a name is judged when it is looked up.

    Raises:
        NotPublic: it leads where it may not, or is not https.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise NotPublic("not an https URL")
    try:
        ipaddress.ip_address(parts.hostname)
    except ValueError:
        return
    if not may_reach(parts.hostname, allowed):
        raise NotPublic("not a public address")


class Guarded(AbstractResolver):
    """Looks names up, and leaves out addresses that may not be reached.

    Args:
        allowed: as of `may_reach`.
        inner: looks up; the system's where None.
    """

    def __init__(self, allowed: Sequence[_Network], inner: AbstractResolver | None = None) -> None:
        self._allowed = allowed
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Addresses of a name that may be reached.

        Raises:
            NotPublic: it has none.
            OSError: it can't be looked up.
        """
        found = await self._inner.resolve(host, port, family)
        passed = [each for each in found if may_reach(each["host"], self._allowed)]
        if not passed:
            raise NotPublic("the name has no public address")
        return passed

    async def close(self) -> None:
        """Nothing is held."""
        await self._inner.close()
