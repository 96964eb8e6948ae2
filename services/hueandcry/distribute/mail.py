"""What partitions of distribute tell each other, and which partition a key belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from aiokafka.partitioner import murmur2


class Claim(NamedTuple):
    """A message to another partition; `to` is None for all of them. `record` is a hueandcry.Claim."""

    to: int | None
    record: dict[str, Any]


def claim(kind: str, alert_id: str, version: int, home: int, **fields: Any) -> dict[str, Any]:
    """A hueandcry.Claim record; what is not given is empty."""
    record: dict[str, Any] = {
        "type": kind,
        "alert_id": alert_id,
        "version": version,
        "home": home,
        "sent": [],
        "expires_at": None,
        "state": "active",
        "registered_at": None,
        "keys": [],
        "weak_keys": [],
        "others": [],
        "entry": None,
        "link": None,
        "several": [],
    }
    return record | fields


def named(key: bytes, weak: bool) -> dict[str, list[bytes]]:
    """The fields of a claim on one key."""
    return {"keys": [] if weak else [key], "weak_keys": [key] if weak else []}


def keys_of(record: dict[str, Any]) -> Iterator[tuple[bytes, bool]]:
    """The keys that a claim names, and whether they are weak."""
    yield from ((key, False) for key in record["keys"])
    yield from ((key, True) for key in record["weak_keys"])


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Kafka's own partitioner gives to a key.

    It is what librdkafka calls murmur2_random, with which lanes write: the sign bit is cleared, not the number negated.
    """
    return (murmur2(key) & 0x7FFFFFFF) % partitions
