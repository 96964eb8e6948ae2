"""Indicators of cyber threats: one normal form a value, and the type that the value shows.

Rules: defanged values are restored; names by UTS 46 (library idna); IPv6 by RFC 5952; IPv4 by RFC 6943 section 3.1.1 in
its strict form (four decimal numbers without leading zeros: others are read as octal by some, decimal by others); URLs
by RFC 3986 section 6.2 (scheme and host in lower case, default port and fragment dropped, escapes of unreserved
characters undone; path and query kept); a hash is known by its length. An indicator given with a type that its value
can't have is given the type that it shows; one that shows none becomes `other`.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

import idna

HASHES = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
# Types whose value names one thing in the world; the others (file names, registry keys, whole networks) only add to it.
CORRELATING = frozenset(
    {"ipv4", "ipv6", "domain", "url", "email", "md5", "sha1", "sha256", "sha512", "wallet", "mutex"}
)
_NETWORK = frozenset({"ipv4", "ipv6", "domain", "url", "email", *HASHES.values()})
_UNTYPED = frozenset({"other", "unknown", ""})

_HEX = re.compile(r"[0-9a-fA-F]+")
_IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)", re.ASCII)
_LIKE_IPV4 = re.compile(r"[\d.]+", re.ASCII)
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
_FANGS = re.compile(
    r"\[(?P<a>://|[.@:/])\]|\((?P<b>[.@])\)|\{(?P<c>[.@])\}"
    r"|[\[({](?:(?P<dot>dot|punkt|point)|(?P<at>at))[\])}]|\\(?P<d>\.)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(?:h[xt*]{2}p(?P<s>s?)|(?P<ftp>f[x*]p))(?=\[?:)", re.IGNORECASE)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PORTS = {"http": 80, "https": 443, "ftp": 21, "ws": 80, "wss": 443}
_ASN = re.compile(r"(?:ASN?)?\s*(\d{1,10})(?:\.(\d{1,5}))?", re.IGNORECASE | re.ASCII)
_HIVES = {
    "hklm": "hkey_local_machine", "hkcu": "hkey_current_user", "hkcr": "hkey_classes_root", "hku": "hkey_users",
    "hkcc": "hkey_current_config",
}  # fmt: skip


class Indicator(NamedTuple):
    """An indicator in its normal form: `type` is a symbol of IndicatorType."""

    type: str
    value: str


def refang(value: str) -> str:
    """A defanged value as it was: hxxp, [.], (dot), [at], [:] and their like undone."""
    while True:
        restored = _FANGS.sub(_restore, value)
        restored = _SCHEME.sub(lambda match: "ftp" if match["ftp"] else f"http{match['s'].lower()}", restored, count=1)
        if restored == value:
            return value
        value = restored


def _restore(match: re.Match[str]) -> str:
    if match["dot"]:
        return "."
    if match["at"]:
        return "@"
    return match["a"] or match["b"] or match["c"] or match["d"]


@lru_cache(maxsize=16384)
def normalise_indicator(kind: str, value: str) -> Indicator:
    """The type that the value shows and its normal form. Never raises; normalising twice changes nothing.

    Args:
        kind: symbol of IndicatorType, as the issuer gave it.
        value: as the issuer wrote it.
    """
    value = value.strip()
    if kind == "asn":
        number = _asn(value)
        if number is not None:
            return number
        kind = "other"
    if kind in _NETWORK or kind in _UNTYPED:
        if _HEX.fullmatch(value) and len(value) in HASHES:
            return Indicator(HASHES[len(value)], value.lower())
        return _network(kind, value)
    if kind == "registry_key":
        return Indicator(kind, _registry_key(value))
    if kind == "wallet":
        return Indicator(kind, _wallet(value))
    return Indicator(kind, unicodedata.normalize("NFC", value).strip())


def _network(kind: str, value: str) -> Indicator:
    real = refang(value).strip() if not value.isalnum() else value
    if "://" in real:
        return _stable_url(real) or Indicator("other", real)
    if _IPV4.fullmatch(real):
        return Indicator("ipv4", real)
    if ":" in real:
        address = _ipv6(real.removeprefix("[").removesuffix("]"))
        if address:
            return address
    if "/" in real and (network := _ip_network(real)):
        return network
    if "@" in real and "/" not in real:
        return _email(real) or Indicator("other", real)
    if kind in _UNTYPED and real == value:
        # A bare word with dots may be a file as well as a host: only a defanged one shows what it is.
        return Indicator("other", unicodedata.normalize("NFC", real).strip())
    if kind == "url" and ("/" in real or ":" in real):
        return _stable_url(f"//{real}") or Indicator("other", real)
    if "/" in real and kind != "email":
        return _stable_url(f"//{real}") or Indicator("other", real)
    if not _LIKE_IPV4.fullmatch(real) and (name := _host(real)) and "." in name:
        return Indicator("domain", name)
    return Indicator("other", real)


def _stable_url(text: str) -> Indicator | None:
    """A URL whose normal form is read as the same again: a path may have what looks like a scheme's end in it."""
    found = _url(text)
    return found if found is None or "://" not in found.value or _url(found.value) == found else None


def _ipv6(value: str) -> Indicator | None:
    try:
        address = ipaddress.IPv6Address(value)
    except ValueError:
        return None
    if address.ipv4_mapped is not None:
        return Indicator("ipv4", str(address.ipv4_mapped))
    return Indicator("ipv6", str(address))


def _ip_network(value: str) -> Indicator | None:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None
    whole = network.prefixlen == network.max_prefixlen
    return Indicator(f"ipv{network.version}", str(network.network_address) if whole else str(network))


def _host(name: str) -> str | None:
    """A host name in lower case and A-labels without the final dot, or None where it is none."""
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    name = name.lower().removesuffix(".").removeprefix("*.")
    return name if len(name) <= 253 and _HOST.fullmatch(name) else None


def _email(value: str) -> Indicator | None:
    if value[:7].lower() == "mailto:":
        value = value[7:]
    local, _, domain = value.rpartition("@")
    host = _host(domain)
    local = unicodedata.normalize("NFC", local)
    if not local or host is None or any(char.isspace() or char == "@" for char in local):
        return None
    return Indicator("email", f"{local}@{host}")


def _url(value: str) -> Indicator | None:
    """The normal form of a URL, or of a host and path without a scheme (given here as "//host/path")."""
    try:
        parts = urlsplit(value)
        port, hostname = parts.port, parts.hostname
    except ValueError:
        return None
    if not hostname:
        return None
    scheme = parts.scheme.lower()
    host = f"[{address.value}]" if (address := _ipv6(hostname)) and address.type == "ipv6" else _host(hostname)
    if host is None:
        return None
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    tail = "" if port is None or port == _PORTS.get(scheme) else f":{port}"
    path = _escapes(parts.path) or "/"
    query = f"?{_escapes(parts.query)}" if parts.query else ""
    return Indicator(
        "url", f"{scheme}://{user}{host}{tail}{path}{query}" if scheme else f"{user}{host}{tail}{path}{query}"
    )


def _escapes(part: str) -> str:
    if "%" not in part:
        return part
    return _ESCAPE.sub(_escape, part)


def _escape(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char in _UNRESERVED else match[0].upper()


def _asn(value: str) -> Indicator | None:
    match = _ASN.fullmatch(value)
    if match is None:
        return None
    number = int(match[1]) if match[2] is None else int(match[1]) * 65536 + int(match[2])
    return Indicator("asn", f"AS{number}") if number < 2**32 else None


def _registry_key(value: str) -> str:
    """Windows does not tell capitals from small letters in registry keys, so small ones stand for both."""
    hive, slash, rest = unicodedata.normalize("NFC", unicodedata.normalize("NFC", value).lower()).partition("\\")
    return f"{_HIVES.get(hive, hive)}{slash}{rest}".strip()


def _wallet(value: str) -> str:
    """Ethereum's hexadecimal and Bitcoin's bech32 addresses are the same in capitals; base 58 ones are not."""
    lower = value.lower()
    return lower if lower.startswith(("0x", "bc1", "tb1", "ltc1")) else value
