"""Types of MISP attributes as indicators. Source: MISP core format, the list of attribute types (misp-standard.org)."""

from __future__ import annotations

from typing import NamedTuple


class Part(NamedTuple):
    """An indicator of an attribute."""

    type: str
    value: str


_SIMPLE = {
    "domain": "domain", "hostname": "domain", "url": "url", "email": "email", "email-src": "email",
    "email-dst": "email", "email-reply-to": "email", "md5": "md5", "sha1": "sha1", "sha256": "sha256",
    "sha512": "sha512", "AS": "asn", "mutex": "mutex", "regkey": "registry_key", "filename": "filename",
    "email-attachment": "filename", "btc": "wallet", "xmr": "wallet", "dash": "wallet",
}  # fmt: skip
#: Observables without a type of their own here. Fingerprints in hexadecimal are none of these: read as `other`, one of
#: 32 digits would be taken for the MD5 of a file.
_OTHER = frozenset({
    "user-agent", "pdb", "named pipe", "windows-service-name", "windows-service-displayname",
    "windows-scheduled-task", "email-subject", "mac-address", "uri", "cookie",
})  # fmt: skip
_ADDRESSES = frozenset({"ip-src", "ip-dst"})
#: In a pair, what of it is taken, and the name of what is not.
_PAIRS: dict[str, tuple[tuple[int, ...], str]] = {
    "domain|ip": ((0, 1), ""), "ip-src|port": ((0,), "port"), "ip-dst|port": ((0,), "port"),
    "hostname|port": ((0,), "port"), "regkey|value": ((0,), "value of the key"),
    "filename|md5": ((1,), "file name"), "filename|sha1": ((1,), "file name"),
    "filename|sha256": ((1,), "file name"), "filename|sha512": ((1,), "file name"),
}  # fmt: skip

ACTOR_GALAXIES = frozenset({
    "threat-actor", "mitre-intrusion-set", "mitre-enterprise-attack-intrusion-set", "microsoft-activity-group",
})  # fmt: skip
MALWARE_GALAXIES = frozenset({
    "malpedia", "mitre-malware", "mitre-enterprise-attack-malware", "mitre-mobile-attack-malware", "ransomware",
    "rat", "botnet", "banker", "stealer", "backdoor", "android", "exploit-kit", "cryptominers",
})  # fmt: skip


def parts(kind: str, value: str) -> tuple[list[Part], str]:
    """The indicators that an attribute is, and the name of a part that is left out; none for other types."""
    if not value:
        return [], ""
    if kind in _PAIRS and "|" in value:
        chosen, rest = _PAIRS[kind]
        names, values = kind.split("|"), value.split("|", 1)
        return [part for at in chosen for part in _one(names[at], values[at].strip())], rest
    return _one(kind, value), ""


def _one(kind: str, value: str) -> list[Part]:
    if not value:
        return []
    if kind in _ADDRESSES or kind == "ip":
        return [Part("ipv6" if ":" in value else "ipv4", value)]
    if kind in _SIMPLE:
        return [Part(_SIMPLE[kind], value)]
    return [Part("other", value)] if kind in _OTHER else []
