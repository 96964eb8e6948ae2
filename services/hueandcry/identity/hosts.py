"""Hosts that indicators name, and the domains that were registered for them.

The library tldextract reads the public suffix list that it ships; it never fetches one. Suffixes under which anybody
gets a name (github.io, duckdns.org) count as public, so that two tenants are two. Where it knows no suffix it gives no
domain at all; the list's own rule for that (publicsuffix.org: the last label is the suffix) is applied here.
"""

from __future__ import annotations

from functools import lru_cache

from tldextract import TLDExtract

from hueandcry.identity.cyber import Indicator
from hueandcry.identity.stops import is_stop

_SUFFIXES = TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def host_of(indicator: Indicator) -> str:
    """The host of a normalised domain, URL, address of mail or IP address; empty where it has none or a stop value."""
    kind, value = indicator
    if kind == "url":
        host = value.partition("://")[2] or value
        host = host.partition("/")[0].rpartition("@")[2]
        host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    elif kind == "email":
        host = value.rpartition("@")[2]
    elif kind in {"domain", "ipv4", "ipv6"}:
        host = value
    else:
        return ""
    if _is_address(host):
        return "" if is_stop("ipv6" if ":" in host else "ipv4", host) else host
    return "" if is_stop("domain", host) else host


@lru_cache(maxsize=16384)
def registered_domain(host: str) -> str:
    """The name that was registered: a public suffix and one label; empty for an address and for a stop value."""
    if _is_address(host):
        return ""
    found = _SUFFIXES.extract_str(host)
    if found.suffix:
        domain = f"{found.domain}.{found.suffix}" if found.domain else ""
    else:
        labels = host.split(".")
        domain = ".".join(labels[-2:]) if len(labels) > 1 else ""
    return "" if not domain or is_stop("domain", domain) else domain


def _is_address(host: str) -> bool:
    return ":" in host or host.rpartition(".")[2].partition("/")[0].isdigit()
