"""A small world in memory: partitions of distribute, the messages between them, and what each agency holds.

It runs the real decisions (`distribute.decide`) and the real rights over a state of plain dictionaries. Each world
keeps its own book of what agencies were told, from which a test says what must be true.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from factories import NOW_MS, sound_vehicle
from hueandcry.admit.head import head_of
from hueandcry.distribute import conflicts, schedule
from hueandcry.distribute.decide import Decider, Decision
from hueandcry.distribute.entries import RECORDS, Register
from hueandcry.lanes.state import Overlay
from hueandcry.rights.index import RoutingIndex
from hueandcry.rights.may_receive import may_receive
from hueandcry.rights.network import Agency, Network, Region, SigningKey, Subscription
from hueandcry.rights.routes import route
from hueandcry.wire.codec import encode

IDS = {name: number for number, name in enumerate(RECORDS, 1)}


class Memory:
    """State of a partition, as bytes by key."""

    def __init__(self) -> None:
        self.pairs: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.pairs.get(key)

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        for key in sorted(self.pairs):
            if key.startswith(prefix):
                yield key, self.pairs[key]

    def take(self, overlay: Overlay) -> None:
        for key, value in overlay.writes.items():
            if value is None:
                self.pairs.pop(key, None)
            else:
                self.pairs[key] = value


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
    kinds = ("stolen_vehicle", "wanted_person", "cyber")
    agencies = {
        name: Agency(
            id=name,
            name=name,
            state=state,
            region=region,
            jurisdictions=(state,),
            clearance=clearance,  # type: ignore[arg-type]
            kinds=kinds,
            rights=rights,  # type: ignore[arg-type]
            publishes=kinds,
        )
        for name, state, region, clearance, rights in rows
    }
    subscriptions = {f"{name}-all": Subscription(id=f"{name}-all", agency=name) for name in agencies}
    return Network(regions=regions, agencies=agencies, subscriptions=subscriptions)


def with_key(network: Network, agency: str, key_id: str, public_key: str) -> Network:
    """The network with one signing key more, valid from 2020."""
    key = SigningKey(agency=agency, key_id=key_id, public_key=public_key, valid_from=datetime(2020, 1, 1, tzinfo=UTC))
    return network.model_copy(update={"keys": {**network.keys, key_id: key}})


@dataclass
class World:
    """Partitions, the mail between them, and the book.

    Attributes:
        holds: by agency and alert id, the last delivery: (action, version).
        told: by agency, all deliveries in order: (alert id, action, version).
        notices: what issuers were told of their alerts without having sent anything: (alert id, rule).
        now_ms: the clock; messages are received at that time.
        said: of each conflict, in order: who was told, "receipt" or "notice", of which of its alerts, the message.
        active: by alert id, the head of the newest version that was accepted, while it is active.
    """

    network: Network
    partitions: int = 3
    memories: list[Memory] = field(default_factory=list)
    mail: dict[int, deque[dict[str, Any]]] = field(default_factory=lambda: defaultdict(deque))
    holds: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    told: dict[str, list[tuple[str, str, int]]] = field(default_factory=lambda: defaultdict(list))
    notices: list[tuple[str, str]] = field(default_factory=list)
    said: list[tuple[str, str, str, str]] = field(default_factory=list)
    offset: int = 0
    now_ms: int = NOW_MS
    contradict: Callable[[Any, Any], bool] = lambda _one, _other: False

    def __post_init__(self) -> None:
        self.memories = [Memory() for _ in range(self.partitions)]
        self.index = RoutingIndex(self.network)

    def send(
        self, alert: Mapping[str, Any], identity: str, *, strong: bool = True, received_at: int | None = None
    ) -> Decision:
        """Admit a decoded alert under an identity and let its partition decide."""
        key = hashlib.sha256(identity.encode()).digest()
        partition = key[0] % self.partitions
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
        register = Register(overlay, IDS)
        decision: Decision = act(Decider(register, routes, self.contradict, self.may_see, partition, self.now_ms))
        self.memories[partition].take(overlay)
        for claim in decision.claims:
            others = [each for each in range(self.partitions) if each != partition]
            for to in others if claim.to is None else [claim.to]:
                self.mail[to].append(claim.record)
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

    def may_see(self, agency: str, head: Mapping[str, Any]) -> bool:
        """Whether an agency may know of an alert."""
        return head["issuer"] == agency or may_receive(self.network.agencies[agency], head, self.network).allowed

    def holding(self, agency: str) -> set[str]:
        """Alerts that an agency has and was not told to drop."""
        return {
            alert_id
            for (who, alert_id), (action, _) in self.holds.items()
            if who == agency and action in ("issued", "updated")
        }


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
