"""The cyber threat, as a publisher writes it. Fields as in avro/hueandcry.CyberThreat."""

from __future__ import annotations

from typing import Literal

from hueandcry.alerts.base import AlertPart, Instant, Int32

IndicatorType = Literal[
    "ipv4",
    "ipv6",
    "domain",
    "url",
    "email",
    "md5",
    "sha1",
    "sha256",
    "sha512",
    "asn",
    "mutex",
    "registry_key",
    "filename",
    "wallet",
    "other",
]


class Indicator(AlertPart):
    """One observable value that tells of the threat."""

    type: IndicatorType
    value: str


class KillChainPhase(AlertPart):
    """A phase of a kill chain."""

    chain: str
    phase: str


class Sighting(AlertPart):
    """The threat seen in the wild."""

    seen_at: Instant
    count: Int32 = 1
    state: str | None = None


class CyberThreat(AlertPart):
    """A threat in the information systems of others. Has a STIX pattern or at least one indicator."""

    pattern: str | None = None
    indicators: tuple[Indicator, ...] = ()
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    confidence: Int32 = -1
    kill_chain: tuple[KillChainPhase, ...] = ()
    techniques: tuple[str, ...] = ()
    malware: tuple[str, ...] = ()
    actor: str | None = None
    sightings: tuple[Sighting, ...] = ()
