"""Publishes the scenario as its agencies, and reads what comes of it as those who may."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from confluent_kafka import Message

from hueandcry.demo import forge
from hueandcry.demo.compare import Sent, Told
from hueandcry.demo.expected import NOBODY
from hueandcry.demo.scenario import Step
from hueandcry.errors import HueAndCryError
from hueandcry.sdk.delivery import Delivery, Place, read_receipt
from hueandcry.sdk.profile import Profile, agency_profile, operator_profile
from hueandcry.sdk.publisher import Publisher
from hueandcry.sdk.reader import Reader, timestamp, topics_like
from hueandcry.sdk.register import REFUSAL_HEADER
from hueandcry.sdk.subscriber import Subscriber
from hueandcry.wire.codec import SchemaIds, decode, decode_as
from hueandcry.wire.framing import unframe
from hueandcry.wire.kafka import registry_client

Source = tuple[str, int, int]

_PUBLISHING_AT_ONCE = 4
_READING_AT_ONCE = 5
_LOOK_S = 0.2


class Player:
    """Publishes steps, each agency with a publisher of its own.

    Args:
        home: folder of the profiles.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._publishers: dict[str, Publisher] = {}
        self.sent: list[Sent] = []

    def play(self, step: Step) -> list[Sent]:
        """Publish a step; agencies at the same time, the alerts of one in order.

        Raises:
            HueAndCryError: Kafka did not take everything, or an alert is not sound.
        """
        with ThreadPoolExecutor(_PUBLISHING_AT_ONCE) as pool:
            done = [
                found for part in pool.map(lambda item: self._publish(*item), step.alerts.items()) for found in part
            ]
        for each in step.forged:
            done.append(self._forge(each))
        self.sent += done
        return done

    def close(self) -> None:
        """Close the publishers."""
        for publisher in self._publishers.values():
            publisher.close()
        self._publishers.clear()

    def _publish(self, agency: str, alerts: list[dict[str, Any]]) -> list[Sent]:
        if agency not in self._publishers:
            self._publishers[agency] = Publisher.for_agency(agency, self._home)
        publisher = self._publishers[agency]
        prepared = publisher.preparer.prepare_all(alerts)
        published = publisher.publish_prepared(prepared)
        return [
            Sent(
                agency,
                alert["national_reference"],
                place.version,
                place.alert_id,
                (place.topic, place.partition, place.offset),
                decode("hueandcry.Alert", ready.body),
            )
            for alert, ready, place in zip(alerts, prepared, published, strict=True)
        ]

    def _forge(self, forged: forge.Forged) -> Sent:
        sender = agency_profile(forged.sent_by, self._home)
        place = forge.send(forged, sender, agency_profile(forged.alert["issuer"], self._home))
        source = (place.topic, place.partition, place.offset)
        return Sent(forged.sent_by, forged.alert["national_reference"], place.version, place.alert_id, source, None)


class Watch:
    """Reads inboxes as their agencies, receipts and quarantine as the operator, each in a thread of its own.

    Args:
        home: folder of the profiles.
        agencies: whose inboxes.
        on_delivery: told of each delivery as it comes, in the thread of its agency.
    """

    def __init__(self, home: Path, agencies: Iterable[str], on_delivery: Callable[[str, Delivery], None]) -> None:
        self._home = home
        self._agencies = list(agencies)
        self._on_delivery = on_delivery
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._failure: BaseException | None = None
        self._threads: list[threading.Thread] = []
        self._delivered = 0
        self.told: dict[Source, list[Told]] = {}

    def __enter__(self) -> Watch:
        self._start(self._follow_outcomes)
        for agency in self._agencies:
            self._start(self._follow_inbox, agency)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(10.0)

    def wait_for(self, sources: Iterable[Source], timeout: float) -> bool:
        """Wait until each of these messages has an outcome, and about as many deliveries have come as they caused.

        Returns:
            Whether all have an outcome.

        Raises:
            HueAndCryError: something can't be read any more.
        """
        wanted = set(sources)
        ends = time.monotonic() + timeout
        with self._changed:
            if not self._wait(lambda: wanted <= self.told.keys(), ends):
                return False
            reached = sum(max(each.reached for each in told) for told in self.told.values())
            self._wait(lambda: self._delivered >= reached, min(ends, time.monotonic() + 5.0))
        return True

    def _wait(self, done: Callable[[], bool], ends: float) -> bool:
        self._changed.wait_for(lambda: done() or self._failure is not None, max(0.0, ends - time.monotonic()))
        if self._failure is not None:
            raise HueAndCryError(f"reading has failed: {self._failure}") from self._failure
        return done()

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        def run() -> None:
            try:
                work(*arguments)
            except Exception as error:
                with self._changed:
                    self._failure = self._failure or error
                    self._changed.notify_all()

        thread = threading.Thread(target=run, name=f"demo-{'-'.join(arguments) or 'outcomes'}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _follow_inbox(self, agency: str) -> None:
        with Subscriber.for_agency(agency, home=self._home, name=None, from_="beginning") as inbox:
            while not self._stopping.is_set():
                delivery = inbox.take(_LOOK_S)
                if delivery is not None:
                    self._on_delivery(agency, delivery)
                    with self._changed:
                        self._delivered += 1
                        self._changed.notify_all()

    def _follow_outcomes(self) -> None:
        operator = operator_profile(self._home)
        ids = SchemaIds(registry_client(operator.settings))
        with Reader(operator, _outcome_topics(operator), start="beginning") as reader:
            while not self._stopping.is_set():
                message = reader.take(_LOOK_S)
                if message is not None:
                    told = _told(message, ids)
                    with self._changed:
                        self.told.setdefault(told.source, []).append(told)
                        self._changed.notify_all()


def read_everything(home: Path, agencies: Iterable[str]) -> tuple[dict[Source, list[Told]], dict[str, list[Delivery]]]:
    """Everything that lies in receipts and quarantine, and in the inboxes of these agencies, each read to its end.

    Raises:
        HueAndCryError: something can't be read.
    """

    def inbox(agency: str) -> tuple[str, list[Delivery]]:
        with Subscriber.for_agency(agency, home=home, name=None, from_="beginning", until_end=True) as deliveries:
            return agency, list(deliveries)

    with ThreadPoolExecutor(_READING_AT_ONCE) as pool:
        inboxes = dict(pool.map(inbox, agencies))
    operator = operator_profile(home)
    ids = SchemaIds(registry_client(operator.settings))
    told: dict[Source, list[Told]] = {}
    with Reader(operator, _outcome_topics(operator), start="beginning") as reader:
        while not reader.at_end:
            message = reader.take(_LOOK_S, until_end=True)
            if message is not None:
                one = _told(message, ids)
                told.setdefault(one.source, []).append(one)
    return told, inboxes


def _outcome_topics(operator: Profile) -> list[str]:
    return [*topics_like(operator, "receipts."), *topics_like(operator, "quarantine.")]


def _told(message: Message, ids: SchemaIds) -> Told:
    topic = message.topic() or ""
    if topic.startswith("receipts."):
        place = Place(topic, message.partition() or 0, message.offset() or 0, timestamp(message))
        receipt = read_receipt(message.value(), place, ids)
        return Told(
            topic.removeprefix("receipts."),
            receipt.source,
            receipt.outcome,
            receipt.merged_into,
            tuple(receipt.remarks),
            receipt.delivered_to,
        )
    refusal = _refusal(dict(message.headers() or []), ids)
    source = refusal["source"]
    return Told(
        NOBODY, (source["topic"], source["partition"], source["offset"]), "refused", None, tuple(refusal["remarks"]), 0
    )


def _refusal(headers: Mapping[str, Any], ids: SchemaIds) -> dict[str, Any]:
    schema_id, body = unframe(headers[REFUSAL_HEADER])
    return decode_as("hueandcry.Refusal", body, ids.writer(schema_id))
