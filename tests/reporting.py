"""A world in which agencies also report on alerts: what each was told, and what became of each report."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from factories import NOW_MS
from hueandcry.alerts.ids import report_id
from hueandcry.distribute import reported, schedule
from hueandcry.distribute.entries import Register
from hueandcry.distribute.report_stage import CLAIM_TYPES, suspended
from hueandcry.distribute.reported import Reported
from hueandcry.distribute.reports import Outcome, ReportDecider, Told
from hueandcry.lanes.state import Overlay
from hueandcry.rights.may_receive import may_receive
from hueandcry.rights.network import Network, Subscription
from hueandcry.rights.routes import route
from hueandcry.wire.codec import decode, encode
from simulator import World, agency, small_network

REPORT_IDS = {name: number for number, name in enumerate(reported.RECORDS, 101)}
STATES = {"fra": "FRA", "deu": "DEU", "bra": "BRA", "usa": "USA", "ken": "KEN"}


def network_with_bureaus() -> Network:
    """The small network, with bureaus in three states: one is cleared for little, one subscribes to nothing."""
    network = small_network()
    rows = [
        ("fra-bureau", "FRA", "europe", "secret"),
        ("deu-bureau", "DEU", "europe", "unclassified"),
        ("ken-bureau", "KEN", "africa", "secret"),
    ]
    bureaus = {row[0]: agency(*row, bureau=True) for row in rows}
    subscriptions = {
        f"{name}-all": Subscription(id=f"{name}-all", agency=name) for name in ("deu-bureau", "ken-bureau")
    }
    return network.model_copy(
        update={
            "agencies": {**network.agencies, **bureaus},
            "subscriptions": {**network.subscriptions, **subscriptions},
        }
    )


def report(reporter: str, alert_id: str, kind: str = "hit", reference: str = "1", **changes: Any) -> dict[str, Any]:
    """A sound report of an agency."""
    return {
        "report_id": report_id(reporter, reference),
        "type": kind,
        "reporter": reporter,
        "reporter_state": STATES[reporter[:3]],
        "reference": reference,
        "alert_id": alert_id,
        "version": 1,
        "at": NOW_MS,
        "place": None,
        "urgency": "routine",
        "words": "invented circumstances",
        "reason": "invented reason" if kind == "flag" else None,
        "answers": None,
        "home": -1,
        **changes,
    }


@dataclass
class ReportWorld(World):
    """As World.

    Attributes:
        heard: by agency, the notices that it got, in order.
        ended: by report id, what became of it: outcome and rules.
        sees_flag: by agency and alert id, whether the last delivery said that the action is suspended.
    """

    heard: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    ended: dict[str, list[tuple[str, tuple[str, ...]]]] = field(default_factory=lambda: defaultdict(list))
    sees_flag: dict[tuple[str, str], bool] = field(default_factory=dict)

    def report(self, record: Mapping[str, Any], start: int | None = None, *, settle: bool = True) -> None:
        """Let a report come in, by a partition, and go where it goes."""
        body = encode("hueandcry.Report", dict(record))
        claim = {
            "type": "report",
            "alert_id": record["alert_id"],
            "version": record["version"],
            "home": -1,
            "submission": {
                "source": {"topic": "hits.somewhere", "partition": 0, "offset": 0},
                "received_at": self.now_ms,
                "digest": hashlib.sha256(body).digest(),
                "proof": {},
                "schema_id": 1,
                "body": body,
            },
        }
        self.offset += 1
        self.mail[self.offset % self.partitions if start is None else start].append(
            decode("hueandcry.Claim", encode("hueandcry.Claim", claim))
        )
        if settle:
            self.settle()

    def deliver_mail(self, partition: int) -> bool:
        if not self.mail[partition] or self.mail[partition][0]["type"] not in CLAIM_TYPES:
            return super().deliver_mail(partition)
        claim = self.mail[partition].popleft()
        if claim["type"] == "reports":
            self._decide_reports(partition, lambda decider: decider.taken_over(claim))
            return True
        said = decode("hueandcry.Report", claim["submission"]["body"])
        outcome = self._decide_reports(partition, lambda decider: decider.report(claim, said))
        if outcome.outcome:
            self.ended[said["report_id"]].append((outcome.outcome, tuple(each.rule for each in outcome.remarks)))
        return True

    def tick(self, to_ms: int) -> None:
        self.now_ms = to_ms
        for partition, memory in enumerate(self.memories):
            for due in list(schedule.due_by(Overlay(memory), to_ms)):
                if due.what == "answer":
                    self._decide_reports(partition, lambda decider, due=due: decider.due(due))
                elif due.what == "forget":
                    overlay = Overlay(memory)
                    reported.forget(overlay, due.alert_id)
                    memory.take(overlay)
        super().tick(to_ms)

    def what(self, agency: str) -> list[str]:
        """The types of the notices that an agency got."""
        return [each.type for each in self.heard[agency]]

    def open_hits(self) -> int:
        return sum(1 for memory in self.memories for _ in memory.scan(reported.OPEN))

    def may_see(self, agency: str, head: Mapping[str, Any]) -> bool:
        found = self.network.agencies.get(agency)
        return head["issuer"] == agency or (found is not None and may_receive(found, head, self.network).allowed)

    def _decide_reports(self, partition: int, act: Any) -> Outcome:
        decided: list[Outcome] = []

        def through(decider: Any) -> Outcome:
            register: Register = decider._register
            mine = ReportDecider(
                register,
                Reported(register.state, REPORT_IDS),
                network=self.network,
                routes=lambda head: route(head, self.index, self.network).granted,
                may_see=self.may_see,
                partition=partition,
                partitions=self.partitions,
                now_ms=self.now_ms,
            )
            decided.append(act(mine))
            return decided[0]

        self._decide(partition, through)
        for told in (*decided[0].notices, *decided[0].elsewhere):
            self.heard[told.agency].append(told)
        return decided[0]

    def _decide(self, partition: int, act: Any) -> Any:
        decision = super()._decide(partition, act)
        for send in decision.sends:
            self.sees_flag[send.agency, send.entry["head"]["alert_id"]] = suspended(send, self.network).suspended
        return decision
