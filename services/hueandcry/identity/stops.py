"""Values that name no threat by themselves: an alert that has nothing else correlates with nothing.

Sources: addresses of special purpose, IANA registries (RFC 6890); names of special use, RFC 2606, 6761 and 6762; the
public resolvers by their operators' documentation; hosts so common that their being seen says nothing; digests of the
empty file and of files of one line end, blank or zero byte, computed here.

Addresses and names kept for documentation (192.0.2.0/24, names under .example, and so on) are no stop values: tests and
exercises use them, and must go the way that real alerts go. Only the bare example.com, .net and .org are.
"""

from __future__ import annotations

import hashlib
import ipaddress
from bisect import bisect_right

from hueandcry.identity.reading import words

_IPV4 = words(
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 "
    "192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 224.0.0.0/3"
)
_IPV6 = words("::/128 ::1/128 ::ffff:0:0/96 64:ff9b:1::/48 100::/64 2001:2::/48 fc00::/7 fe80::/10 ff00::/8")
_RESOLVERS = frozenset(
    words(
        "1.1.1.1 1.0.0.1 8.8.8.8 8.8.4.4 9.9.9.9 149.112.112.112 208.67.222.222 208.67.220.220 4.2.2.1 4.2.2.2 "
        "94.140.14.14 94.140.15.15 76.76.2.0 76.76.10.0 64.6.64.6 64.6.65.6 77.88.8.8 77.88.8.1 114.114.114.114 "
        "2001:4860:4860::8888 2001:4860:4860::8844 2606:4700:4700::1111 2606:4700:4700::1001 2620:fe::fe 2620:fe::9 "
        "2620:119:35::35 2620:119:53::53 223.5.5.5"
    )
)
_HOSTS = frozenset(
    words(
        "google.com youtube.com gmail.com facebook.com instagram.com whatsapp.com twitter.com x.com linkedin.com "
        "wikipedia.org amazon.com apple.com icloud.com microsoft.com windows.com windowsupdate.com office.com live.com "
        "outlook.com bing.com yahoo.com github.com githubusercontent.com cloudflare.com akamai.net amazonaws.com "
        "cloudfront.net googleapis.com gstatic.com dropbox.com mozilla.org baidu.com qq.com yandex.ru mail.ru "
        "telegram.org t.me discord.com pastebin.com bit.ly virustotal.com hotmail.com "
        "example.com example.net example.org"
    )
)
_SPECIAL_NAMES = frozenset({"localhost", "local", "internal", "arpa"})
_TRIVIAL_FILES = frozenset(
    hashlib.new(name, content, usedforsecurity=False).hexdigest()
    for name in ("md5", "sha1", "sha256", "sha512")
    for content in (b"", b"\n", b"\r\n", b"\0", b" ")
)


def _ranges(networks: tuple[str, ...]) -> tuple[list[int], list[int]]:
    spans = sorted(
        (int(net.network_address), int(net.broadcast_address)) for net in map(ipaddress.ip_network, networks)
    )
    return [low for low, _ in spans], [high for _, high in spans]


_SPANS = {"ipv4": _ranges(_IPV4), "ipv6": _ranges(_IPV6)}


# Every special IPv4 range starts with one of these numbers, every special IPv6 range with one of these strings: most
# addresses need no look at the ranges.
_FIRST_V4 = frozenset({"0", "10", "100", "127", "169", "172", "192", "198"} | {str(first) for first in range(224, 256)})
_FIRST_V6 = ("::", "64:", "100:", "2001:", "f")


def _special_address(kind: str, value: str) -> bool:
    if kind == "ipv4":
        if value.partition(".")[0] not in _FIRST_V4:
            return False
    elif not value.startswith(_FIRST_V6):
        return False
    try:
        address = int(ipaddress.IPv4Address(value) if kind == "ipv4" else ipaddress.IPv6Address(value))
    except ValueError:
        return False
    lows, highs = _SPANS[kind]
    place = bisect_right(lows, address) - 1
    return place >= 0 and address <= highs[place]


def _known_host(name: str) -> bool:
    bare = name.removeprefix("www.")
    if bare in _HOSTS or "." not in bare:
        return True
    return bare.rpartition(".")[2] in _SPECIAL_NAMES


def is_stop(kind: str, value: str) -> bool:
    """True where a normalised indicator never correlates.

    A URL is one only where it names nothing but such a host: a file on a well-known host can well be the threat. An
    address of mail never is one for its domain.
    """
    if kind in {"ipv4", "ipv6"}:
        return value in _RESOLVERS or _special_address(kind, value.partition("/")[0])
    if kind == "domain":
        return _known_host(value)
    if kind in {"md5", "sha1", "sha256", "sha512"}:
        return value in _TRIVIAL_FILES or len(set(value)) == 1
    if kind == "url":
        host, _, path = value.partition("://")[2].partition("/")
        if host.startswith("["):
            return _special_address("ipv6", host[1:].partition("]")[0])
        host = host.rpartition("@")[2].partition(":")[0]
        return _special_address("ipv4", host) or host in _SPECIAL_NAMES or (not path and _known_host(host))
    return False
