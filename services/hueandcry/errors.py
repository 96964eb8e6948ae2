"""The one tree of errors.

HueAndCryError
├── SettingsError          a setting is missing or wrong; the process does not start
├── NetworkError           topics/ is wrong, or does not fit the cluster
├── WireError
│   ├── FramingError       not in the Confluent wire format
│   ├── UnknownSchema      the schema id is not in the registry
│   ├── DecodeError        the bytes do not fit their schema
│   ├── EncodeError        the record does not fit its schema
│   └── ProofError         signature or Merkle path do not hold
├── LaneError
│   ├── Fenced             another instance has taken over; this one must stop
│   └── StateError         the local state can't be used
├── RegistryError          the schema registry refused or did not answer
├── SearchError            a search was refused or not answered
├── LedgerError            the ledger did not answer, or is not what it was
├── AlertInvalid           an alert is not sound; nothing of what came with it was sent
└── PublishError           Kafka did not acknowledge all that was sent
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hueandcry.alerts.remarks import Remark


class HueAndCryError(Exception):
    """Base of every error that the platform raises on purpose.

    Attributes:
        hint: what to write or do instead, one sentence; empty where nothing helps.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def diagnostics(self) -> str:
        """One line for a person: what is wrong and what to do."""
        return f"{self}. {self.hint}" if self.hint else str(self)


class SettingsError(HueAndCryError):
    """A setting is missing or wrong."""


class NetworkError(HueAndCryError):
    """The network described in topics/ is wrong, or does not fit the cluster."""


class WireError(HueAndCryError):
    """A message can't be read. `rule` is the short name that a refusal carries, `place` a byte offset or index."""

    rule = "wire"

    def __init__(self, message: str, *, hint: str = "", place: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.place = place


class FramingError(WireError):
    """Not in the Confluent wire format (magic byte 0, schema id, body)."""

    rule = "wire.framing"


class UnknownSchema(WireError):
    """The schema id is not in the registry."""

    rule = "wire.unknown_schema"


class DecodeError(WireError):
    """The bytes do not fit their schema."""

    rule = "wire.decode"


class EncodeError(WireError):
    """The record does not fit its schema."""

    rule = "wire.encode"


class ProofError(WireError):
    """Signature or Merkle path do not hold."""

    rule = "proof"

    def __init__(self, message: str, *, rule: str = "proof", hint: str = "", place: str | None = None) -> None:
        super().__init__(message, hint=hint, place=place)
        self.rule = rule


class LaneError(HueAndCryError):
    """A lane can't go on."""


class Fenced(LaneError):
    """Another instance has taken over this one's transactions or partitions."""


class StateError(LaneError):
    """The local state of a partition can't be used."""


class RegistryError(HueAndCryError):
    """The schema registry refused or did not answer."""


class SearchError(HueAndCryError):
    """A search was refused or not answered. `rule` is the short name of what was not met; empty where none is told."""

    def __init__(self, message: str, *, rule: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.rule = rule


class LedgerError(HueAndCryError):
    """The ledger refused or did not answer, or is not what it was. `rule` as of SearchError."""

    def __init__(self, message: str, *, rule: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.rule = rule


class AlertInvalid(HueAndCryError):
    """Alerts that were to be published are not sound.

    Attributes:
        remarks: every problem, with the field, the rule and the place among what was given.
    """

    def __init__(self, remarks: Sequence[Remark]) -> None:
        self.remarks = tuple(remarks)
        first = self.remarks[0]
        more = f" (and {len(self.remarks) - 1} more)" if len(self.remarks) > 1 else ""
        where = ", ".join(part for part in (first.place, first.field) if part)
        super().__init__(f"{where}: {first.message} [{first.rule}]{more}")


class PublishError(HueAndCryError):
    """Kafka did not acknowledge all that was sent.

    Attributes:
        published: what it did acknowledge; not to be sent again.
        failed: what it did not: places in what was given, from 0, with the reason. Sending it again is safe, since the
            platform takes a version of an alert once.
    """

    def __init__(self, published: Sequence[Any], failed: Sequence[tuple[int, str]]) -> None:
        self.published = tuple(published)
        self.failed = tuple(failed)
        reason = self.failed[0][1]
        total = len(self.published) + len(self.failed)
        super().__init__(
            f"{len(self.failed)} of {total} alerts were not acknowledged by Kafka: {reason}",
            hint="Those acknowledged are in .published, the others in .failed, which can be sent again",
        )
