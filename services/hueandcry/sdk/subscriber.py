"""Receiving alerts in Python.

```python
from hueandcry import Subscriber

with Subscriber.for_agency("deu-vehicles") as deliveries:
    for delivery in deliveries:
        print(delivery.action, delivery.alert_id)
        deliveries.processed()
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from confluent_kafka import Message

from hueandcry.errors import SettingsError, WireError
from hueandcry.sdk.delivery import (
    Delivery,
    Headers,
    Notice,
    Place,
    Receipt,
    Repeats,
    read_delivery,
    read_notice,
    read_receipt,
)
from hueandcry.sdk.profile import Profile, agency_profile
from hueandcry.sdk.reader import Reader, timestamp
from hueandcry.wire.codec import SchemaIds
from hueandcry.wire.kafka import registry_client

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
Topic = Literal["inbox", "receipts", "notices"]


class Unreadable(WireError):
    """A message that can't be decoded; `rule` says why. Reading goes on after it with the next call."""

    def __init__(self, error: WireError, place: Place) -> None:
        where = f"{place.topic} partition {place.partition} offset {place.offset}"
        super().__init__(f"the message can't be read: {error}", hint=error.hint, place=where)
        self.rule = error.rule


class _Stream:
    """Common to all: a group with a stable name, a start, at least once."""

    topic: Topic

    def __init__(
        self,
        profile: Profile,
        *,
        name: str | None = "default",
        from_: Literal["beginning", "latest"] | datetime | None = None,
        until_end: bool = False,
        timeout: float | None = None,
    ) -> None:
        if name is not None and not _NAME.fullmatch(name):
            raise SettingsError("the name of a subscriber has letters, digits, '.', '_' and '-', at most 100")
        self.group = None if name is None else f"{profile.agency}.{name}"
        self.until_end = until_end
        self._timeout = timeout
        self._ids = SchemaIds(registry_client(profile.settings))
        topics = {
            "inbox": profile.inbox_topic,
            "receipts": profile.receipts_topic,
            "notices": profile.notices_topic,
        }
        self._reader = Reader(profile, [topics[self.topic]], group=self.group, start=from_)

    @classmethod
    def for_agency(
        cls,
        agency: str,
        *,
        home: Path | str | None = None,
        name: str | None = "default",
        from_: Literal["beginning", "latest"] | datetime | None = None,
        until_end: bool = False,
        timeout: float | None = None,
    ) -> Self:
        """Reader for an agency, by its profile in `home` (HUEANDCRY_HOME, else ./.hueandcry).

        Args:
            agency: its id.
            home: folder of the profiles.
            name: what the consumer group is called after the agency's id; processes with one name share the work. None
                reads everything alone and keeps no place.
            from_: where to begin; None goes on where the group was, from the beginning where it has never been.
            until_end: iteration ends when all there was has been read; else it waits for more.
            timeout: iteration ends when nothing came for so many seconds.

        Raises:
            SettingsError: the profile is missing or wrong; the message says what to write.
        """
        return cls(agency_profile(agency, home), name=name, from_=from_, until_end=until_end, timeout=timeout)

    def processed(self) -> None:
        """All that was handed out has been dealt with: never again to this group.

        Asks Kafka, about a millisecond; with many messages call it once for some hundred of them.

        Raises:
            HueAndCryError: Kafka refuses, or the subscriber has no name.
        """
        self._reader.commit()

    @property
    def at_end(self) -> bool:
        """Whether all there was when last looked at has been handed out."""
        return self._reader.at_end

    def close(self) -> None:
        """Leave the group. What was not `processed` comes again. Harmless a second time."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _message(self, timeout: float | None) -> Message | None:
        while True:
            message = self._reader.take(1.0 if timeout is None else timeout, until_end=self.until_end)
            if message is not None or timeout is not None or (self.until_end and self._reader.at_end):
                return message


class Subscriber(_Stream):
    """Deliveries of an agency's inbox, at least once each; a repeat has the delivery_id of the first.

    Iterating yields Delivery objects. Kafka keeps the group's place where `processed` says so.
    """

    topic = "inbox"

    def take(self, timeout: float | None = None) -> Delivery | None:
        """The next delivery; None where there is none within `timeout` seconds.

        Raises:
            Unreadable: the next message can't be decoded; the one after it comes with the next call.
            HueAndCryError: broker or registry refuse, or do not answer.
        """
        message = self._message(timeout)
        if message is None:
            return None
        place = _place(message)
        try:
            return read_delivery(message.value(), _headers(message), place, self._ids)
        except WireError as error:
            raise Unreadable(error, place) from error

    def __iter__(self) -> Iterator[Delivery]:
        while (delivery := self.take(self._timeout)) is not None:
            yield delivery

    def without_repeats(self, remember: int = 100_000) -> Iterator[Delivery]:
        """As iterating, but leaves out what has come before among the last `remember` deliveries of this process."""
        repeats = Repeats(remember)
        return (delivery for delivery in self if not repeats.is_repeat(delivery.delivery_id))


class Receipts(_Stream):
    """What became of the messages that an agency has published, and notices. Iterating yields Receipt objects."""

    topic = "receipts"

    def take(self, timeout: float | None = None) -> Receipt | None:
        """The next receipt; None where there is none within `timeout` seconds. Raises as `Subscriber.take`."""
        message = self._message(timeout)
        if message is None:
            return None
        place = _place(message)
        try:
            return read_receipt(message.value(), place, self._ids)
        except WireError as error:
            raise Unreadable(error, place) from error

    def __iter__(self) -> Iterator[Receipt]:
        while (receipt := self.take(self._timeout)) is not None:
            yield receipt


class Notices(_Stream):
    """News of reports that concern an agency: on its alerts, and answers to its own. Iterating yields Notices."""

    topic = "notices"

    def take(self, timeout: float | None = None) -> Notice | None:
        """The next notice; None where there is none within `timeout` seconds. Raises as `Subscriber.take`."""
        message = self._message(timeout)
        if message is None:
            return None
        place = _place(message)
        try:
            return read_notice(message.value(), _headers(message), place, self._ids)
        except WireError as error:
            raise Unreadable(error, place) from error

    def __iter__(self) -> Iterator[Notice]:
        while (notice := self.take(self._timeout)) is not None:
            yield notice


def _place(message: Message) -> Place:
    return Place(message.topic() or "", message.partition() or 0, message.offset() or 0, timestamp(message))


def _headers(message: Message) -> Headers:
    pairs = message.headers() or []
    return tuple((name, value if isinstance(value, bytes) else b"") for name, value in pairs)
