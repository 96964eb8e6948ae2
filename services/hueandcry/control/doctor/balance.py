"""The balance: what came into the alerts topics against what became of it.

Every message ends in exactly one of delivered, merged, nobody_entitled and refused. The processors count what they read
and what became of it in the same transaction in which they do it (`lanes.tally`). These counts must fit each other, and
what lies in the topics:

    in the alerts topics = read by admit + waiting
    read by admit        = admitted + refused
    admitted             = read by distribute + waiting
    read by distribute   = delivered + merged + nobody_entitled + refused

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

#: Groups of the lanes, the changelogs that hold their tallies, and the topic between them.
ADMIT_GROUP, DISTRIBUTE_GROUP = "hc-admit.lane", "hc-distribute.lane"
ADMIT_CHANGELOG, REGISTER, ADMITTED = "admit-changelog", "register", "admitted"
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
    """

    inflow: Mapping[Partition, Inflow]
    admit: Mapping[str, int]
    distribute: Mapping[str, int]
    waiting_distribute: int
    moving: bool = False
    counted: bool = True

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
        return found

    @property
    def sentence(self) -> str:
        """The balance in one line."""
        outcomes = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in self.outcomes.items())
        under_way = f", {self.waiting:,} under way" if self.waiting else ""
        return f"{self.came_in:,} in, {self.accounted:,} accounted for: {outcomes}{under_way}"

    def to_json(self) -> dict[str, Any]:
        """Values that JSON has."""
        regions: Counter[str] = Counter()
        for (topic, _), each in self.inflow.items():
            regions[topic.removeprefix("alerts.")] += each.before + each.waiting
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
        }


def balance(config: Mapping[str, Any], regions: Iterable[str], *, timeout: float = 20.0) -> Balance:
    """Take the balance of a cluster.

    Where work goes on meanwhile it is taken again, a few times, until the numbers are of one moment.

    Args:
        config: librdkafka's configuration of a user who may read the alerts topics and the changelogs.
        regions: ids of the regions.
        timeout: seconds after which counting ends; `counted` is False then.

    Raises:
        HueAndCryError: Kafka refuses, or does not answer.
    """
    ends = time.monotonic() + timeout
    topics = sorted(f"alerts.{region}" for region in regions)
    try:
        with Counting(config, ends) as counting:
            found = _take(counting, topics)
            for _ in range(_TRIES - 1):
                if not found.faults or time.monotonic() + _PAUSE_S > ends:
                    break
                time.sleep(_PAUSE_S)
                found = _take(counting, topics)
            return found
    except KafkaException as error:
        raise HueAndCryError(f"the balance can't be taken: {error.args[0].str()}") from error


def _take(counting: Counting, topics: list[str]) -> Balance:
    """The balance as of about now."""
    places = _places(counting)
    admit = counting.tallies(ADMIT_CHANGELOG, {_TALLY + topic.encode() for topic in topics})
    distribute = counting.tallies(REGISTER, {_TALLY + ADMITTED.encode()})
    now = _places(counting)
    held, counted = counting.records(topics, now)
    behind, all_behind = counting.behind([ADMITTED], now)
    inflow = {
        (topic, partition): Inflow(
            before=each.before,
            waiting=each.after,
            read=admit.get((_TALLY + topic.encode(), partition), {}).get("read", 0),
            dropped=each.low,
        )
        for (topic, partition), each in held.items()
    }
    return Balance(
        inflow=inflow,
        admit=_sum(admit.values()),
        distribute=_sum(distribute.values()),
        waiting_distribute=behind[ADMITTED],
        moving=places != now,
        counted=counted and all_behind,
    )


def _places(counting: Counting) -> dict[Partition, int]:
    return committed(counting.admin, ADMIT_GROUP) | committed(counting.admin, DISTRIBUTE_GROUP)


def _sum(tallies: Iterable[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update(tally)
    return total
