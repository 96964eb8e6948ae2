"""STIX 2.1 patterns: one spelling of one pattern, and the indicator that a simple one is."""

from __future__ import annotations

import re

from hueandcry.identity.cyber import Indicator, normalise_indicator

_BLANKS = re.compile(r"('(?:\\.|[^'\\])*')|\s+", re.DOTALL)
_SIMPLE = re.compile(
    r"\[ ?(?P<object>[a-z0-9-]+):(?P<path>[A-Za-z0-9_.'-]+) ?= ?'(?P<value>(?:\\.|[^'\\])*)' ?\]", re.DOTALL
)
_TYPES = {
    "ipv4-addr:value": "ipv4", "ipv6-addr:value": "ipv6", "domain-name:value": "domain", "url:value": "url",
    "email-addr:value": "email", "mutex:name": "mutex", "windows-registry-key:key": "registry_key",
    "file:name": "filename", "file:hashes.md5": "md5", "file:hashes.sha-1": "sha1", "file:hashes.sha-256": "sha256",
    "file:hashes.sha-512": "sha512",
}  # fmt: skip


def normalise_pattern(pattern: str) -> str:
    """The pattern with every run of blanks outside its strings as one blank. Strings are kept as they are."""
    return _BLANKS.sub(lambda match: match[1] or " ", pattern).strip()


def indicator_type(path: str) -> str | None:
    """The type of indicator that an object path of a pattern (file:hashes.'SHA-256') compares, or None."""
    return _TYPES.get(path.replace("'", "").lower())


def simple_comparison(pattern: str) -> tuple[str, str] | None:
    """Type and value, as written, where a pattern is one comparison for equality with an indicator; else None."""
    match = _SIMPLE.fullmatch(normalise_pattern(pattern))
    kind = match and indicator_type(f"{match['object']}:{match['path']}")
    return (kind, re.sub(r"\\(.)", r"\1", match["value"], flags=re.DOTALL)) if match and kind else None


def simple_indicator(pattern: str) -> Indicator | None:
    """The one indicator that a pattern of a single comparison for equality is, or None."""
    found = simple_comparison(pattern)
    return normalise_indicator(*found) if found else None
