"""A small world in memory: partitions of distribute, the messages between them, and what each agency holds.

It runs the real decisions (`distribute.decide`) and the real rights over a state of plain dictionaries. Each world
keeps its own book of what agencies were told, from which a test says what must be true.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from factories import NOW_MS, sound_vehicle
from hueandcry.admit.head import distinct_from, head_of
from hueandcry.alerts.remarks import Remark
from hueandcry.distribute import announce, conflicts, schedule
from hueandcry.distribute.decide import Decider
from hueandcry.distribute.decision import Decision, Send
from hueandcry.distribute.entries import RECORDS, Register
from hueandcry.distribute.links import Judge
from hueandcry.lanes.state import Overlay
from hueandcry.rights.index import RoutingIndex
from hueandcry.rights.may_receive import may_receive
from hueandcry.rights.network import Agency, Network, Region, SigningKey, Subscription
from hueandcry.rights.routes import route
from hueandcry.wire.codec import decode, encode
from hueandcry.wire.framing import unframe

KINDS = ("stolen_vehicle", "wanted_person", "cyber")
IDS = {name: number for number, name in enumerate(RECORDS, 1)}


class Memory:
    """State of a partition, as bytes by key."""

    def __init__(self) -> None:
        self.pairs: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.pairs.get(key)

    def scan(self, prefix: bytes, after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        for key in sorted(self.pairs):
            if key.startswith(prefix) and key > after:
                yield key, self.pairs[key]

    def scan_back(self, prefix: bytes, before: bytes) -> Iterator[tuple[bytes, bytes]]:
        for key in sorted(self.pairs, reverse=True):
            if key.startswith(prefix) and key < before:
                yield key, self.pairs[key]

    def take(self, overlay: Overlay) -> None:
        for key, value in overlay.writes.items():
            if value is None:
                self.pairs.pop(key, None)
            else:
                self.pairs[key] = value


def agency(name: str, state: str, region: str, clearance: str, **fields: Any) -> Agency:
    """An agency of one state that may have every kind."""
    given: dict[str, Any] = {"id": name, "name": name, "state": state, "region": region, "clearance": clearance}
    return Agency(**{**given, "jurisdictions": (state,), "kinds": KINDS, **fields})


def small_network() -> Network:
    """Five agencies in three regions; each subscribes to everything."""
    regions = {
        "europe": Region(id="europe", name="Europe", states=("FRA", "DEU")),
        "americas": Region(id="americas", name="Americas", states=("BRA", "USA")),
        "africa": Region(id="africa", name="Africa", states=("KEN",)),
    }
    rows = [
        ("fra-police", "FRA", "europe", "secret", ("biometrics", "sources", "attribution")),
        ("deu-vehicles", "DEU", "europe", "confidential", ()),
        ("bra-federal", "BRA", "americas", "restricted", ()),
        ("usa-cyber", "USA", "americas", "unclassified", ()),
        ("ken-police", "KEN", "africa", "secret", ("sources",)),
    ]
    agencies = {
        name: agency(name, state, region, clearance, rights=rights, publishes=KINDS)
        for name, state, region, clearance, rights in rows
    }
    subscriptions = {f"{name}-all": Subscription(id=f"{name}-all", agency=name) for name in agencies}
    return Network(regions=regions, agencies=agencies, subscriptions=subscriptions)


def with_key(network: Network, agency: str, key_id: str, public_key: str) -> Network:
    """The network with one signing key more, valid from 2020."""
    key = SigningKey(agency=agency, key_id=key_id, public_key=public_key, valid_from=datetime(2020, 1, 1, tzinfo=UTC))
    return network.model_copy(update={"keys": {**network.keys, key_id: key}})


def digest(text: str) -> bytes:
    """Stands for the HMAC of a key."""
    return hashlib.sha256(text.encode()).digest()


@dataclass
class World:
    """Partitions, the mail between them, and the book.

    Attributes:
        holds: by agency and alert id, the last delivery: (action, version).
        told: by agency, all deliveries in order: (alert id, action, version).
        sends: all deliveries to anybody, in order.
        claims_sent: how many messages the partitions have sent each other.
        linked: by agency, the deliveries `linked` in order: (alert id, the other's id, reason).
        noticed: by agency, notices on links in order: (alert id, remark).
        notices: what issuers were told of their alerts without having sent anything: (alert id, rule).
        now_ms: the clock; messages are received at that time.
        said: of each conflict, in order: who was told, "receipt" or "notice", of which of its alerts, the message.
    """

    network: Network
    partitions: int = 3
    memories: list[Any] = field(default_factory=list)
    mail: dict[int, deque[dict[str, Any]]] = field(default_factory=lambda: defaultdict(deque))
    holds: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    told: dict[str, list[tuple[str, str, int]]] = field(default_factory=lambda: defaultdict(list))
    linked: dict[str, list[tuple[str, str, str]]] = field(default_factory=lambda: defaultdict(list))
    noticed: dict[str, list[tuple[str, Remark]]] = field(default_factory=lambda: defaultdict(list))
    sends: list[Send] = field(default_factory=list)
    claims_sent: int = 0
    notices: list[tuple[str, str]] = field(default_factory=list)
    said: list[tuple[str, str, str, str]] = field(default_factory=list)
    offset: int = 0
    now_ms: int = NOW_MS
    contradict: Callable[[Any, Any], bool] = lambda _one, _other: False
    likeness: Callable[[Any, Any], Any] = lambda _one, _other: None

    def __post_init__(self) -> None:
        self.memories = [Memory() for _ in range(self.partitions)]
        self.index = RoutingIndex(self.network)

    def partition_of(self, key: bytes) -> int:
        """Partition that a key belongs to."""
        return key[0] % self.partitions

    def send(
        self,
        alert: Mapping[str, Any],
        identity: str,
        *,
        strong: bool = True,
        claims: Sequence[str] = (),
        proposals: Sequence[str] = (),
        received_at: int | None = None,
    ) -> Decision:
        """Admit a decoded alert under an identity and let its partition decide."""
        key = digest(identity)
        partition = self.partition_of(key)
        body = encode("hueandcry.Alert", dict(alert))
        self.offset += 1
        region = self.network.agencies[alert["issuer"]].region
        message = {
            "head": head_of(alert, region),
            "source": {"topic": f"alerts.{region}", "partition": 0, "offset": self.offset},
            "received_at": self.now_ms if received_at is None else received_at,
            "identity_key": key,
            "strong": strong,
            "digest": hashlib.sha256(body).digest(),
            "enrichment": {"state_name": None, "offences": [], "facts": None, "remarks": []},
            "schema_id": 1,
            "body": body,
            "claims": [digest(each) for each in claims],
            "proposals": [digest(each) for each in proposals],
            "distinct": distinct_from(alert),
        }
        decision = self._decide(partition, lambda decider: decider.admitted(message, {}))
        self._say(decision, message["head"])
        return decision

    def deliver_mail(self, partition: int) -> bool:
        """Let a partition take the next claim that was sent to it; False where there is none."""
        if not self.mail[partition]:
            return False
        claim = self.mail[partition].popleft()
        self._decide(partition, lambda decider: decider.claim(claim))
        return True

    def tick(self, to_ms: int) -> None:
        """Let time pass up to there and have every partition do what is due, though no message comes."""
        self.now_ms = to_ms
        for partition, memory in enumerate(self.memories):
            for due in list(schedule.due_by(Overlay(memory), to_ms)):
                decision = self._decide(partition, lambda decider, due=due: decider.due(due))
                self.notices += [(due.alert_id, remark.rule) for remark in decision.remarks]

    def waiting(self) -> list[schedule.Due]:
        """What will be due, of all partitions."""
        return [due for memory in self.memories for due in schedule.due_by(Overlay(memory), 1 << 62)]

    def states(self) -> dict[str, str]:
        """The state of each alert by its id, ended ones included while they are remembered."""
        found: dict[str, str] = {}
        for memory in self.memories:
            register = Register(Overlay(memory), IDS)
            for key, _ in memory.scan(b"a"):
                entry = register.alert(key[1:].decode())
                if entry is not None:
                    found[entry["head"]["alert_id"]] = entry["state"]
        return found

    def settle(self) -> None:
        """Deliver all mail."""
        for _ in range(10_000):
            if not any(self.deliver_mail(partition) for partition in range(self.partitions)):
                return
        raise AssertionError("the partitions never stop writing to each other")

    def _decide(self, partition: int, act: Any) -> Decision:
        overlay = Overlay(self.memories[partition])
        routes = lambda head: route(head, self.index, self.network).granted  # noqa: E731
        judge = Judge(self.partition_of, self.contradict, self.likeness, _differs)
        decision: Decision = act(Decider(Register(overlay, IDS), routes, self.may_see, judge, partition, self.now_ms))
        self.memories[partition].take(overlay)
        for claim in decision.claims:
            others = [each for each in range(self.partitions) if each != partition]
            for to in others if claim.to is None else [claim.to]:
                self.claims_sent += 1
                # As it comes through Kafka: a copy, and only what the schema has.
                self.mail[to].append(decode("hueandcry.Claim", encode("hueandcry.Claim", claim.record)))
        for found in decision.linked:
            for send in announce.sends(found, self.may_see, self.rights):
                self.linked[send.agency].append((send.entry["head"]["alert_id"], send.related[0], send.reason))
            for notice in announce.notices(found, self.may_see, self.rights):
                head = notice.standing["head"]
                self.noticed[head["issuer"]].append((head["alert_id"], notice.remark))
        self.sends += decision.sends
        for send in decision.sends:
            head = send.entry["head"]
            self.told[send.agency].append((head["alert_id"], send.action, head["version"]))
            last = self.holds.get((send.agency, head["alert_id"]))
            # As subscribers are told to: an older version never replaces a newer one.
            if last is None or last[1] <= head["version"]:
                self.holds[send.agency, head["alert_id"]] = (send.action, head["version"])
        return decision

    def _say(self, decision: Decision, head: dict[str, Any]) -> None:
        for remark in conflicts.remarks(decision.met, head, self.may_see):
            self.said.append((head["issuer"], "receipt", head["alert_id"], remark.message))
        for notice in conflicts.notices(decision.met, head, self.may_see):
            own = notice.standing["head"]
            self.said.append((own["issuer"], "notice", own["alert_id"], notice.remark.message))

    def may_see(self, agency_id: str, head: Mapping[str, Any]) -> bool:
        """As the stage asks the rights rules."""
        agency = self.network.agencies[agency_id]
        return head["issuer"] == agency_id or may_receive(agency, head, self.network).allowed

    def rights(self, agency_id: str) -> frozenset[str]:
        """The agency's rights to guarded fields."""
        return frozenset(self.network.agencies[agency_id].rights)

    def heads(self) -> dict[str, dict[str, Any]]:
        """By alert id, the newest head that a register has."""
        found: dict[str, dict[str, Any]] = {}
        for memory in self.memories:
            for _, value in memory.scan(b"a"):
                head: dict[str, Any] = decode("hueandcry.RegisterEntry", unframe(value)[1])["head"]
                known = found.get(head["alert_id"])
                if known is None or head["version"] >= known["version"]:
                    found[head["alert_id"]] = head
        return found

    def links(self) -> set[tuple[str, str]]:
        """All links as the registers have them, from one alert to the other."""
        found: set[tuple[str, str]] = set()
        for memory in self.memories:
            found |= {(key[1:37].decode(), key[37:].decode()) for key, _ in memory.scan(b"l")}
        return found

    def holding(self, agency: str) -> set[str]:
        """Alerts that an agency has and was not told to drop."""
        return {
            alert_id
            for (who, alert_id), (action, _) in self.holds.items()
            if who == agency and action in ("issued", "updated")
        }


def _differs(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    first, second = (decode("hueandcry.Alert", each["body"])["subject"] for each in (one, other))
    return bool(first != second)


def alert(issuer: str = "fra-police", reference: str = "1", version: int = 1, **changes: Any) -> dict[str, Any]:
    """A sound vehicle alert of an agency of the small network."""
    state = {"fra-police": "FRA", "deu-vehicles": "DEU", "bra-federal": "BRA", "usa-cyber": "USA", "ken-police": "KEN"}
    first = "issue" if version == 1 else "update"
    given = {
        "issuer": issuer,
        "issuing_state": state[issuer],
        "national_reference": reference,
        "version": version,
        "message_type": first,
        **changes,
    }
    return sound_vehicle(**given)
