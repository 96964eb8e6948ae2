"""STIX 2.1 ids of indicators: the same for everybody who has seen the same value.

STIX 2.1, section 2.9: the id of a cyber observable is a UUIDv5 in STIX's own namespace, of its id contributing
properties (section 6, type by type) as canonical JSON (RFC 8785). The value is our normal form, so that two spellings
have one id; of a value that we fold and others do not (a registry key in capitals) theirs is another.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid5

from hueandcry.identity.cyber import Indicator

NAMESPACE = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")

_VALUES = {
    "ipv4": "ipv4-addr", "ipv6": "ipv6-addr", "domain": "domain-name", "url": "url", "email": "email-addr",
}  # fmt: skip
_HASHES = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512"}


def observable_id(indicator: Indicator) -> str | None:
    """The id of a normalised indicator as a STIX cyber observable, for example "domain-name--" and a UUID.

    None for what STIX has no observable type for (a wallet, an untyped value), for an empty value, and for one that is
    no Unicode text.
    """
    kind, value = indicator
    if not value:
        return None
    contributing: dict[str, Any]
    if kind in _VALUES:
        name, contributing = _VALUES[kind], {"value": value}
    elif kind in _HASHES:
        name, contributing = "file", {"hashes": {_HASHES[kind]: value}}
    elif kind == "filename":
        name, contributing = "file", {"name": value}
    elif kind == "mutex":
        name, contributing = "mutex", {"name": value}
    elif kind == "registry_key":
        name, contributing = "windows-registry-key", {"key": value}
    elif kind == "asn":
        name, contributing = "autonomous-system", {"number": int(value.removeprefix("AS"))}
    else:
        return None
    canonical = json.dumps(contributing, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    try:
        return f"{name}--{uuid5(NAMESPACE, canonical)}"
    except UnicodeEncodeError:
        return None
