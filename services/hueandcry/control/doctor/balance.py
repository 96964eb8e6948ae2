"""The balance: what came into the alerts and hits topics against what became of it.

Every message ends in exactly one of delivered, merged, nobody_entitled and refused. The processors count what they read
and what became of it in the same transaction in which they do it (`lanes.tally`). These counts must fit each other, and
what lies in the topics:

    in the alerts topics = read by admit + waiting
    read by admit        = admitted + refused
    admitted             = read by distribute + waiting
    read by distribute   = delivered + merged + nobody_entitled + refused

Reports on alerts have a balance of their own, by the same rules. They come in by the hits topics; between the stages
they are in `claims`, where one that looks for its alert is passed on from partition to partition.

Records are counted by reading them: Kafka's offsets also number the markers of transactions.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException

from hueandcry.control.doctor.counting import Counting, Partition, committed
from hueandcry.errors import HueAndCryError
from hueandcry.receipts import REPORT_HEADER

#: Groups of the lanes, the changelogs that hold their tallies, and the topic between them.
ADMIT_GROUP, DISTRIBUTE_GROUP = "hc-admit.lane", "hc-distribute.lane"
ADMIT_CHANGELOG, REGISTER, ADMITTED, CLAIMS = "admit-changelog", "register", "admitted", "claims"
#: Before the names of distribute's counts of reports.
REPORTS = "reports."
OUTCOMES = ("delivered", "merged", "nobody_entitled", "refused")

_TALLY = b"t"
_TRIES = 4
_PAUSE_S = 0.5


@dataclass(frozen=True)
class Inflow:
    """One partition of an alerts topic.

    Attributes:
        before: records before the offset that admit has committed.
        waiting: records from there on.
        read: how many admit says it has read.
        dropped: offsets below the first record; retention has taken what was there.
    """

    before: int
    waiting: int
    read: int
    dropped: int

    @property
    def fits(self) -> bool:
        """Whether what admit says can be true. Of what retention has taken, only the upper bound is known."""
        return 0 <= self.read - self.before <= self.dropped


@dataclass(frozen=True)
class Balance:
    """What came in and what became of it.

    Attributes:
        inflow: by topic and partition.
        admit: admit's tally: read, admitted, refused.
        distribute: distribute's tally: read and the outcomes.
        waiting_distribute: admitted alerts that distribute has not read yet.
        moving: work went on while it was looked at, so that the numbers may be of different moments.
        counted: whether all records could be counted in time.
        reports: the balance of the reports; None in that one itself.
    """

    inflow: Mapping[Partition, Inflow]
    admit: Mapping[str, int]
    distribute: Mapping[str, int]
    waiting_distribute: int
    moving: bool = False
    counted: bool = True
    reports: Balance | None = None

    @property
    def came_in(self) -> int:
        """Messages that came in: those that admit has read and those that wait for it."""
        return self.admit.get("read", 0) + self.waiting_admit

    @property
    def waiting_admit(self) -> int:
        """Messages that admit has not read yet."""
        return sum(each.waiting for each in self.inflow.values())

    @property
    def waiting(self) -> int:
        """Messages under way, before either stage."""
        return self.waiting_admit + self.waiting_distribute

    @property
    def outcomes(self) -> dict[str, int]:
        """How many messages ended in each way, over both stages."""
        found = {name: self.distribute.get(name, 0) for name in OUTCOMES}
        found["refused"] += self.admit.get("refused", 0)
        return found

    @property
    def accounted(self) -> int:
        """Messages that have an outcome."""
        return sum(self.outcomes.values())

    @property
    def faults(self) -> list[str]:
        """What does not fit; empty where everything is accounted for."""
        found = [
            f"{topic}[{partition}]: {each.before} messages were before admit's place, it has counted {each.read}"
            for (topic, partition), each in sorted(self.inflow.items())
            if self.counted and not each.fits
        ]
        read, admitted, refused = (self.admit.get(name, 0) for name in ("read", "admitted", "refused"))
        if read != admitted + refused:
            found.append(f"admit has read {read}, admitted {admitted} and refused {refused}")
        taken = self.distribute.get("read", 0)
        if admitted != taken + self.waiting_distribute:
            found.append(f"admit has admitted {admitted}, distribute read {taken}, and {self.waiting_distribute} wait")
        ended = sum(self.distribute.get(name, 0) for name in OUTCOMES)
        if taken != ended:
            found.append(f"distribute has read {taken}, and {ended} have an outcome")
        return found + ([f"reports: {fault}" for fault in self.reports.faults] if self.reports else [])

    @property
    def sentence(self) -> str:
        """The balance in one line."""
        outcomes = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in self.outcomes.items())
        under_way = f", {self.waiting:,} under way" if self.waiting else ""
        reports = f"; reports: {self.reports.sentence}" if self.reports and self.reports.came_in else ""
        return f"{self.came_in:,} in, {self.accounted:,} accounted for: {outcomes}{under_way}{reports}"

    def to_json(self) -> dict[str, Any]:
        """Values that JSON has."""
        regions: Counter[str] = Counter()
        for (topic, _), each in self.inflow.items():
            regions[topic.partition(".")[2]] += each.before + each.waiting
        return {
            "in": self.came_in,
            "accounted": self.accounted,
            "outcomes": self.outcomes,
            "admit": dict(self.admit),
            "distribute": dict(self.distribute),
            "waiting": {"admit": self.waiting_admit, "distribute": self.waiting_distribute},
            "present_by_region": dict(sorted(regions.items())),
            "moving": self.moving,
            "counted": self.counted,
            "faults": self.faults,
            **({"reports": self.reports.to_json()} if self.reports else {}),
        }


def balance(config: Mapping[str, Any], regions: Iterable[str], *, timeout: float = 20.0) -> Balance:
    """Take the balance of a cluster.

    Where work goes on meanwhile it is taken again, a few times, until the numbers are of one moment.

    Args:
        config: librdkafka's configuration of a user who may read alerts, hits, claims and the changelogs.
        regions: ids of the regions.
        timeout: seconds after which counting ends; `counted` is False then.

    Raises:
        HueAndCryError: Kafka refuses, or does not answer.
    """
    ends = time.monotonic() + timeout
    named = sorted(regions)
    try:
        with Counting(config, ends) as counting:
            found = _take(counting, named)
            for _ in range(_TRIES - 1):
                if not found.faults or time.monotonic() + _PAUSE_S > ends:
                    break
                time.sleep(_PAUSE_S)
                found = _take(counting, named)
            return found
    except KafkaException as error:
        raise HueAndCryError(f"the balance can't be taken: {error.args[0].str()}") from error


def _take(counting: Counting, regions: list[str]) -> Balance:
    """The balance as of about now."""
    places = _places(counting)
    kinds = {kind: [f"{kind}.{region}" for region in regions] for kind in ("alerts", "hits")}
    both = [topic for topics in kinds.values() for topic in topics]
    admit = counting.tallies(ADMIT_CHANGELOG, {_TALLY + topic.encode() for topic in both})
    distribute = _sum(counting.tallies(REGISTER, {_TALLY + ADMITTED.encode()}).values())
    of_reports = {name.removeprefix(REPORTS): count for name, count in distribute.items() if name.startswith(REPORTS)}
    of_alerts = {name: count for name, count in distribute.items() if not name.startswith(REPORTS)}
    now = _places(counting)
    held, counted = counting.records(both, now)
    behind, all_behind = counting.behind([ADMITTED], now)
    asked, all_asked = counting.behind([CLAIMS], now, REPORT_HEADER)

    def of(kind: str, ended: Mapping[str, int], waiting: int, reports: Balance | None = None) -> Balance:
        inflow = {
            (topic, partition): Inflow(
                before=each.before,
                waiting=each.after,
                read=admit.get((_TALLY + topic.encode(), partition), {}).get("read", 0),
                dropped=each.low,
            )
            for (topic, partition), each in held.items()
            if topic in kinds[kind]
        }
        return Balance(
            inflow=inflow,
            admit=_sum(each for (key, _), each in admit.items() if key[1:].decode() in kinds[kind]),
            distribute=ended,
            waiting_distribute=waiting,
            moving=places != now,
            counted=counted and all_behind and all_asked,
            reports=reports,
        )

    return of("alerts", of_alerts, behind[ADMITTED], of("hits", of_reports, asked[CLAIMS]))


def _places(counting: Counting) -> dict[Partition, int]:
    return committed(counting.admin, ADMIT_GROUP) | committed(counting.admin, DISTRIBUTE_GROUP)


def _sum(tallies: Iterable[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update(tally)
    return total
