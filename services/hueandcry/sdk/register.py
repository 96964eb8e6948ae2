"""The register and the refusals, read by the operator to answer a question on one alert.

Reads whole topics from their beginning: for a question now and then, not for a service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from confluent_kafka import Message

from hueandcry.errors import HueAndCryError, WireError
from hueandcry.sdk.profile import Profile
from hueandcry.sdk.reader import Reader, topics_like
from hueandcry.wire.codec import SchemaIds, decode_as
from hueandcry.wire.framing import unframe
from hueandcry.wire.kafka import registry_client

REGISTER = "register"
#: Header of a quarantined message: the framed hueandcry.Refusal.
REFUSAL_HEADER = "hc-refusal"
#: Seconds without a message after which a scan is given up.
_STUCK = 30.0


class Steps(Protocol):
    """Something that shows progress."""

    def advance(self, by: int = 1) -> None:
        """So many messages more have been read."""


Progress = Callable[[str, int | None], AbstractContextManager[Steps]]


class Registered(NamedTuple):
    """An alert of the register.

    Attributes:
        entry: the hueandcry.RegisterEntry record.
        represented_by: by agency, the other alert on the same identity that it was sent in place of this one.
    """

    entry: dict[str, Any]
    represented_by: dict[str, str]


class Refused(NamedTuple):
    """A message that was refused: where it was, when (epoch milliseconds), and the remarks that say why."""

    source: dict[str, Any]
    at: int
    remarks: list[dict[str, Any]]


class RegisterReader:
    """Answers what the register has.

    Args:
        profile: the operator's.
        progress: makes a progress display out of a label and a count of messages.
    """

    def __init__(self, profile: Profile, progress: Progress) -> None:
        self._profile = profile
        self._progress = progress
        self._ids = SchemaIds(registry_client(profile.settings))

    def alert(self, alert_id: str) -> Registered | None:
        """The alert as the register has it; None where it is not there (any more).

        Raises:
            HueAndCryError: Kafka or the registry refuse, or do not answer.
        """
        found = self._latest(b"a" + alert_id.encode())
        if not found:
            return None
        entries = [self._decode("hueandcry.RegisterEntry", value) for value in found]
        # While it moves to the partition of another identity, two partitions may have it.
        entry = max(entries, key=lambda each: each["head"]["version"])
        represented: dict[str, str] = {}
        category = entry["head"]["category"]
        for value in self._latest(b"h" + entry["identity_key"]):
            for slot, holder in self._decode("hueandcry.Holders", value)["by_agency_and_category"].items():
                agency, _, of_category = slot.partition("/")
                if of_category == category and holder != alert_id:
                    represented[agency] = holder
        return Registered(entry, represented)

    def refusals(self, alert_id: str) -> list[Refused]:
        """Versions of this alert that were refused, oldest first; not reports on it.

        Raises:
            HueAndCryError: Kafka or the registry refuse, or do not answer.
        """
        found: dict[tuple[str, int, int], Refused] = {}
        topics = [*topics_like(self._profile, "receipts."), *topics_like(self._profile, "quarantine.")]
        key = alert_id.encode()
        for message in self._scan(topics, "receipts and quarantine"):
            if message.key() != key or (refused := self._refusal(message)) is None:
                continue
            if refused.source["topic"].startswith("alerts."):
                found[tuple(refused.source.values())] = refused
        return sorted(found.values(), key=lambda each: each.at)

    def _refusal(self, message: Message) -> Refused | None:
        if (message.topic() or "").startswith("receipts."):
            receipt = self._decode("hueandcry.Receipt", message.value())
            if receipt["outcome"] != "refused":
                return None
            return Refused(receipt["source"], receipt["at"], receipt["remarks"])
        for name, value in message.headers() or []:
            if name == REFUSAL_HEADER and isinstance(value, bytes):
                refusal = self._decode("hueandcry.Refusal", value)
                return Refused(refusal["source"], refusal["at"], refusal["remarks"])
        return None

    def _latest(self, key: bytes) -> list[bytes]:
        """Last value of a key in each partition that has it; a tombstone takes it away."""
        values: dict[int, bytes | None] = {}
        for message in self._scan([REGISTER], "register"):
            if message.key() == key:
                values[message.partition() or 0] = message.value()
        return [value for value in values.values() if value is not None]

    def _scan(self, topics: list[str], label: str) -> Iterator[Message]:
        if not topics:
            return
        with (
            Reader(self._profile, topics, start="beginning") as reader,
            self._progress(label, reader.length()) as steps,
        ):
            while not reader.at_end:
                message = reader.take(_STUCK, until_end=True)
                if message is not None:
                    steps.advance()
                    yield message
                elif not reader.at_end:
                    raise HueAndCryError(f"Kafka sent nothing of the {label} for {_STUCK:.0f} s")

    def _decode(self, name: str, value: bytes | None) -> dict[str, Any]:
        schema_id, body = unframe(value)
        try:
            return decode_as(name, body, self._ids.writer(schema_id))
        except WireError as error:
            raise HueAndCryError(f"a {name} can't be read: {error}", hint=error.hint) from error
