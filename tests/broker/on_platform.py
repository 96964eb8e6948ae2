"""The whole platform on this machine, for tests: what is written to it, what came of it, and whether the sums agree."""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from broker.lane_process import until
from factories import MINUTE_MS, SOUND
from hueandcry.control.local import LocalCluster
from hueandcry.receipts import REFUSAL_HEADER
from hueandcry.sdk.profile import Profile, agency_profile, operator_profile
from hueandcry.wire.codec import SchemaIds, decode, encode
from hueandcry.wire.framing import frame, unframe
from hueandcry.wire.kafka import consumer_config, producer_config, registry_client
from hueandcry.wire.proof import sign_batch
from hueandcry.wire.schemas import schema

TOPICS = Path(__file__).parents[2] / "topics"
OPERATOR = "operator"
#: Who receives an unmarked alert on a stolen vehicle that is to be seized, by its issuer (see topics/).
TAKERS = {
    "deu-vehicles": {"are-police", "bra-federal", "fra-police", "ken-police", "nor-border"},
    "fra-police": {"are-police", "bra-federal", "deu-vehicles", "ken-police", "nor-border"},
    "ken-police": {"are-police", "bra-federal", "deu-vehicles", "fra-police", "nor-border"},
    "bra-federal": {"are-police", "can-roads", "deu-vehicles", "fra-police", "ken-police", "nor-border"},
}
_STATES = {
    **{"are-police": "ARE", "bra-federal": "BRA", "deu-vehicles": "DEU", "fra-police": "FRA", "jpn-cyber": "JPN"},
    **{"ken-police": "KEN", "nzl-police": "NZL", "usa-cyber": "USA"},
}
_FOLLOWED = ("alerts.", "inbox.", "receipts.", "quarantine.")
_numbers = itertools.count(1)


class Place(NamedTuple):
    """A record in Kafka."""

    topic: str
    partition: int
    offset: int


class Wire(NamedTuple):
    """A record to be written."""

    topic: str
    value: bytes | None
    key: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


class Quarantined(NamedTuple):
    """A refused message, as it was kept, and why."""

    message: Message
    refusal: dict[str, Any]

    @property
    def rules(self) -> set[str]:
        return {remark["rule"] for remark in self.refusal["remarks"]}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def new_vin() -> str:
    """A VIN that no other alert of these tests bears: a European one, whose maker uses no check digit."""
    return f"WVWZZZ1KZ7W{next(_numbers):06d}"


def _invented(number: int) -> str:
    """A name that is like no other."""
    digest = hashlib.sha256(b"name %d" % number).digest()
    return "".join(f"{'BDFGKLMNPRSTVZ'[byte % 14]}{'AEIOU'[byte % 5]}" for byte in digest[:5]).title()


def alert(issuer: str, kind: str = "stolen_vehicle", **changes: Any) -> dict[str, Any]:
    """A sound alert of an agency in topics/, on something that no other alert is about."""
    number = next(_numbers)
    fields: dict[str, Any] = {
        "issuer": issuer,
        "issuing_state": _STATES[issuer],
        "national_reference": f"R-{number}",
        "issued_at": now_ms() - MINUTE_MS,
    }
    if kind == "stolen_vehicle":
        fields |= {"subject__vin__raw": new_vin(), "subject__plate": None, "subject__make": None, "subject__year": None}
        fields |= {"subject__stolen_from": None, "subject__stolen_until": None, "subject__components": []}
    elif kind == "wanted_person":
        # Nobody who could be taken for another one of these.
        fields |= {
            "subject__documents__0__number": f"X{number:08d}",
            "subject__identities__0__family": _invented(number),
            "subject__identities__0__given": _invented(number * 7919),
            "subject__identities__1__original": None,
            "subject__identities__1__family": _invented(number * 104_729),
            "subject__born": {
                "year": 1930 + number % 75,
                "month": 2 + number % 11,
                "day": 2 + number % 27,
                "estimated": False,
            },
            "subject__birthplace": _invented(number * 1_299_709),
            "subject__biometrics__0__sha256": hashlib.sha256(b"%d" % number).digest(),
            "subject__biometrics__0__reference": f"FP-{number}",
            "subject__warrant__reference": f"{number} Gs {number}/26",
        }
    else:
        value = f"host{number}.invented{number}.example.net"
        fields |= {"subject__indicators": [{"type": "domain", "value": value}], "subject__valid_until": None}
        fields |= {"subject__pattern": None, "subject__valid_from": None, "subject__sightings": []}
    return SOUND[kind](**(fields | changes))


def next_version(record: Mapping[str, Any], message_type: str = "update", **changes: Any) -> dict[str, Any]:
    """The version after this one."""
    return {**record, "version": record["version"] + 1, "message_type": message_type, **changes}


class Platform:
    """Kafka, registry, admit and distribute in one home; sees everything as the operator."""

    def __init__(self, cluster: LocalCluster) -> None:
        self.cluster = cluster
        self.home = cluster.home
        self.operator = operator_profile(self.home)
        self.ids = SchemaIds(registry_client(self.operator.settings))
        self.schema_id = self.ids.id_of("hueandcry.Alert")
        self.receipts: dict[Place, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
        self.notices: list[tuple[str, dict[str, Any]]] = []
        self.quarantine: dict[Place, list[Quarantined]] = defaultdict(list)
        self.inboxes: dict[str, list[tuple[Message, dict[str, Any]]]] = defaultdict(list)
        self.alerts: dict[Place, Message] = {}
        self._by_alert: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
        self._consumer = Consumer(self._reading())
        topics = self._consumer.list_topics(timeout=20).topics
        self.partitions = {name: sorted(topic.partitions) for name, topic in topics.items()}
        self._next = {
            (name, number): 0
            for name, numbers in self.partitions.items()
            if name.startswith(_FOLLOWED)
            for number in numbers
        }
        self._producers: dict[str, Producer] = {}
        self._profiles: dict[str, Profile] = {OPERATOR: self.operator}
        self._watcher = Consumer(self._reading())

    def close(self) -> None:
        self._consumer.close()
        self._watcher.close()

    # -- writing --------------------------------------------------------------------------------------------------

    def profile(self, user: str) -> Profile:
        if user not in self._profiles:
            self._profiles[user] = agency_profile(user, self.home)
        return self._profiles[user]

    def sign(self, signer: str, bodies: Sequence[bytes], name: str = "Alert") -> list[list[tuple[str, bytes]]]:
        """The headers of bodies that an agency signs together."""
        profile = self.profile(signer)
        fingerprint = schema(name).fingerprint
        return sign_batch(profile.load_signing_key(), profile.key_id, [(fingerprint, body) for body in bodies])

    def wires(self, *records: Mapping[str, Any], signer: str | None = None, region: str | None = None) -> list[Wire]:
        """Alerts as their issuers send them, or another agency as `signer`, or to another region."""
        wires: list[Wire] = []
        for by, group in itertools.groupby(records, key=lambda record: signer or record["issuer"]):
            taken = list(group)
            bodies = [encode("Alert", record) for record in taken]
            topic = f"alerts.{region or self.profile(by).region}"
            for record, body, headers in zip(taken, bodies, self.sign(by, bodies), strict=True):
                wires.append(Wire(topic, frame(self.schema_id, body), record["alert_id"].encode(), headers))
        return wires

    def write(self, user: str, wires: Iterable[Wire], **config: Any) -> list[Place]:
        """Write records as a user, and wait until Kafka has them; where they lie."""
        if config:
            producer = Producer(producer_config(self.profile(user).settings, log_level=0, **config))
        else:
            producer = self._producers.setdefault(
                user, Producer(producer_config(self.profile(user).settings, log_level=0))
            )
        wires = list(wires)
        places: dict[int, Place] = {}

        def noted(number: int) -> Callable[[KafkaError | None, Message], None]:
            def note(error: KafkaError | None, message: Message) -> None:
                assert error is None, error
                places[number] = Place(str(message.topic()), int(message.partition() or 0), int(message.offset() or 0))

            return note

        for number, wire in enumerate(wires):
            headers: Any = list(wire.headers)
            producer.produce(wire.topic, wire.value, wire.key, headers=headers, on_delivery=noted(number))
            producer.poll(0)
        assert producer.flush(60) == 0
        return [places[number] for number in range(len(wires))]

    def publish(self, *records: Mapping[str, Any]) -> list[Place]:
        """Publish alerts, each as its issuer."""
        found: list[Place] = []
        for issuer, group in itertools.groupby(records, key=lambda record: record["issuer"]):
            found += self.write(issuer, self.wires(*group))
        return found

    def settled(self, *records: Mapping[str, Any], seconds: float = 60) -> list[dict[str, Any]]:
        """Publish alerts and wait for their receipts, which are returned."""
        places = self.publish(*records)
        self.wait_ended(places, seconds)
        return [self.receipt(place) for place in places]

    # -- reading --------------------------------------------------------------------------------------------------

    def catch_up(self, seconds: float = 60) -> None:
        """Read alerts, inboxes, receipts and quarantine to what is committed by now."""
        self._consumer.assign([TopicPartition(name, number, at) for (name, number), at in self._next.items()])
        left, end = set(self._next), time.monotonic() + seconds
        while left:
            assert time.monotonic() < end, f"could not be read to the end: {sorted(left)}"
            for message in self._consumer.consume(1000, 0.1):
                place = Place(str(message.topic()), int(message.partition() or 0), int(message.offset() or 0))
                error = message.error()
                if error is None:
                    self._next[place.topic, place.partition] = place.offset + 1
                    self._take(place, message)
                else:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    left.discard((place.topic, place.partition))
        self._consumer.unassign()

    def wait_ended(self, places: Iterable[Place], seconds: float = 60) -> None:
        """Wait until each of these records has ended somewhere."""
        waiting = set(places)

        def ended() -> bool:
            self.catch_up()
            waiting.difference_update(
                [place for place in waiting if place in self.receipts or place in self.quarantine]
            )
            return not waiting

        until(ended, seconds, f"an outcome for each record; {self.cluster.status()}")

    def _untold(self, place: Place) -> bool:
        """Whether a message was refused of which nobody knows whose it is, so that there is no receipt."""
        return all(each.refusal["signer"] is each.refusal["claimed_issuer"] is None for each in self.quarantine[place])

    def receipt(self, place: Place) -> dict[str, Any]:
        """The one receipt of a record."""
        kept = [each.refusal["remarks"] for each in self.quarantine.get(place, [])]
        assert len(self.receipts.get(place, [])) == 1, f"{place} has {self.receipts.get(place)}, quarantine {kept}"
        return self.receipts[place][0][1]

    def outcome(self, place: Place) -> str:
        """What became of a record, whether somebody was told or not."""
        return self.receipt(place)["outcome"] if place in self.receipts else "refused"

    def deliveries(self, alert_id: str, agency: str | None = None) -> list[tuple[str, dict[str, Any]]]:
        """Agency and delivery of an alert, by agency and in order."""
        found = [each for each in self._by_alert.get(alert_id, []) if agency in (None, each[0])]
        return sorted(found, key=lambda each: each[0])

    def told(self, record: Mapping[str, Any]) -> dict[str, list[tuple[str, int, str]]]:
        """By agency what it was told of an alert: action, version, form."""
        found: dict[str, list[tuple[str, int, str]]] = defaultdict(list)
        for agency, delivery in self.deliveries(record["alert_id"]):
            found[agency].append((delivery["action"], delivery["version"], delivery["form"]))
        return dict(found)

    def read(self, *topics: str, seconds: float = 60) -> list[Message]:
        """All that is committed in these topics."""
        consumer = Consumer(self._reading())
        try:
            left = {(topic, number) for topic in topics for number in self.partitions[topic]}
            consumer.assign([TopicPartition(topic, number, 0) for topic, number in left])
            found, end = [], time.monotonic() + seconds
            while left:
                assert time.monotonic() < end, f"could not be read to the end: {sorted(left)}"
                for message in consumer.consume(1000, 0.1):
                    error = message.error()
                    if error is None:
                        found.append(message)
                    else:
                        assert error.code() == KafkaError._PARTITION_EOF, error
                        left.discard((message.topic(), message.partition()))
            return found
        finally:
            consumer.close()

    def written(self, topic: str) -> int:
        """Records and markers in a topic, committed or not."""
        return sum(
            self._watcher.get_watermark_offsets(TopicPartition(topic, number), timeout=10)[1]
            for number in self.partitions[topic]
        )

    def _reading(self) -> dict[str, Any]:
        return consumer_config(self.operator.settings, "operator.watch", enable_partition_eof=True, log_level=0)

    def _take(self, place: Place, message: Message) -> None:
        kind, _, whose = place.topic.partition(".")
        if kind == "alerts":
            self.alerts[place] = message
        elif kind == "inbox":
            delivery = _decoded("Delivery", message.value())
            self.inboxes[whose].append((message, delivery))
            self._by_alert[delivery["alert_id"]].append((whose, delivery))
        elif kind == "receipts":
            receipt = _decoded("Receipt", message.value())
            if receipt["source"]["topic"].startswith("hits."):
                return  # what became of reports, which are not followed here
            if receipt["outcome"] == "notice":
                self.notices.append((whose, receipt))
            else:
                self.receipts[Place(**receipt["source"])].append((whose, receipt))
        else:
            (header,) = (value for name, value in message.headers() or () if name == REFUSAL_HEADER)
            refusal = _decoded("Refusal", header)  # type: ignore[arg-type]
            if refusal["source"]["topic"].startswith("hits."):
                return
            self.quarantine[Place(**refusal["source"])].append(Quarantined(message, refusal))

    # -- processes ------------------------------------------------------------------------------------------------

    def launch(self, name: str) -> None:
        """Start admit or distribute without waiting for it."""
        command = [sys.executable, "-m", "hueandcry.cli", "serve", name]
        self.cluster.process(name).start(command, self.cluster.env_for(name), cwd=self.home)

    def both_ready(self) -> bool:
        return all(each.ready for each in self.cluster.status() if each.name in ("admit", "distribute"))

    # -- sums -----------------------------------------------------------------------------------------------------

    def assert_balance(self) -> None:
        """Each record of alerts.* has ended exactly once, and what the processors have counted says the same."""
        self.wait_ended(self.alerts)
        self.catch_up()
        ended = self.receipts.keys() | self.quarantine.keys()
        assert ended == self.alerts.keys()
        for place in ended:
            receipts, kept = self.receipts.get(place, []), self.quarantine.get(place, [])
            assert len(receipts) <= 1, f"{place} has {len(receipts)} receipts"
            assert len(kept) <= 1, f"{place} was refused {len(kept)} times"
            if receipts:
                assert (receipts[0][1]["outcome"] == "refused") == bool(kept), place
        ids = [delivery["delivery_id"] for inbox in self.inboxes.values() for _, delivery in inbox]
        sent = sum(receipt["delivered_to"] for told in self.receipts.values() for _, receipt in told)
        by_agency = [
            (agency, delivery["delivery_id"]) for agency, inbox in self.inboxes.items() for _, delivery in inbox
        ]
        assert len(set(by_agency)) == len(by_agency), "a delivery came twice"
        assert len(ids) >= sent

        read = Counter(place.topic for place in self.alerts)
        admit = {
            topic: count for topic, count in self._tallies("admit-changelog").items() if topic.startswith("alerts.")
        }
        assert {topic: count["read"] for topic, count in admit.items()} == dict(read)
        for topic, count in admit.items():
            assert count["read"] == count["admitted"] + count["refused"], topic
        distribute = self._tallies("register").get("admitted", Counter())
        distribute = Counter({name: count for name, count in distribute.items() if not name.startswith("reports.")})
        admitted = sum(count["admitted"] for count in admit.values())
        refused = sum(count["refused"] for count in admit.values())
        assert distribute["read"] == admitted == len(self.read("admitted"))
        outcomes = Counter(self.outcome(place) for place in self.alerts)
        outcomes["refused"] -= refused
        assert {name: count for name, count in distribute.items() if name != "read"} == dict(+outcomes)

    def _tallies(self, changelog: str) -> dict[str, Counter[str]]:
        latest: dict[tuple[int, bytes], bytes] = {}
        for message in self.read(changelog):
            key = message.key() or b""
            if key.startswith(b"t"):
                latest[int(message.partition() or 0), key] = message.value() or b"{}"
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for (_, key), value in latest.items():
            found[key[1:].decode()].update(json.loads(value))
        return found


def _decoded(name: str, value: bytes | None) -> dict[str, Any]:
    return decode(name, unframe(value)[1])
