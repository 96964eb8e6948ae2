"""What a look means, as samples for Prometheus.

Agencies are a label here and nowhere else. With A agencies, R regions and G groups of our processes there are about
4 A + 2 R + 3 G series.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hueandcry.rights.network import Network
from hueandcry.watch.cluster import Partition, Seen
from hueandcry.watch.lag import Ends

#: Topics whose newest record is looked at, and whose size is.
DATED = ("alerts.", "receipts.")
SIZED = ("quarantine.",)
#: Users of our own processes begin so.
_OURS = "hc-"


class Measures(Collector):
    """Remembers the last look and how partitions have grown."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self._ends: defaultdict[Partition, Ends] = defaultdict(Ends)
        self._lock = threading.Lock()
        self._families: list[Metric] = []
        self._failures = 0
        self._looked_at = 0.0

    def took(self, seen: Seen, network: Network, expiries: Mapping[str, float], at: float, seconds: float) -> None:
        """A look is done.

        Args:
            expiries: end of certificates by server, epoch seconds.
            at: epoch seconds.
            seconds: that it took.
        """
        for where, end in seen.ends.items():
            self._ends[where].note(end, at)
        for gone in self._ends.keys() - seen.ends.keys():
            del self._ends[gone]
        families = [
            *self._of_groups(seen, at),
            *self._of_agencies(seen, network, at),
            *_of_regions(seen, network),
            *_of_kafka(seen),
            _labelled(
                "hueandcry_certificate_expiry_timestamp_seconds",
                "When a server's certificate ends.",
                "server",
                expiries,
            ),
            GaugeMetricFamily("hueandcry_watch_look_seconds", "What the last look took.", seconds),
        ]
        with self._lock:
            self._families, self._looked_at = families, at

    def failed(self) -> None:
        """A look failed."""
        with self._lock:
            self._failures += 1

    @property
    def ready(self) -> bool:
        """Whether there has been a look."""
        return self._looked_at > 0

    def collect(self) -> Iterable[Metric]:
        """The families of the last look."""
        with self._lock:
            yield from self._families
            yield CounterMetricFamily("hueandcry_watch_failures", "Looks that failed.", self._failures)
            yield GaugeMetricFamily(
                "hueandcry_watch_timestamp_seconds", "When the last look was done; 0: never.", self._looked_at
            )

    def _behind(self, places: Mapping[Partition, int], at: float) -> dict[str, tuple[int, float]]:
        """Messages and seconds, by topic."""
        found: dict[str, tuple[int, float]] = {}
        for where, place in places.items():
            if where in self._ends:
                messages, seconds = self._ends[where].behind(place, at)
                before = found.get(where[0], (0, 0.0))
                found[where[0]] = (before[0] + messages, max(before[1], seconds))
        return found

    def _of_groups(self, seen: Seen, at: float) -> Iterable[Metric]:
        labels = ["group", "topic"]
        lag = GaugeMetricFamily("hueandcry_group_lag", "Messages that a process of ours has not read.", labels=labels)
        seconds = GaugeMetricFamily("hueandcry_group_lag_seconds", "For how long it has not, at least.", labels=labels)
        for group, places in seen.places.items():
            if group.startswith(_OURS):
                for topic, (messages, age) in self._behind(places, at).items():
                    lag.add_metric([group, topic], messages)
                    seconds.add_metric([group, topic], age)
        return lag, seconds

    def _of_agencies(self, seen: Seen, network: Network, at: float) -> Iterable[Metric]:
        groups: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        for group, places in seen.places.items():
            agency = group.partition(".")[0]
            if agency in network.agencies:
                behind = self._behind(places, at).get(f"inbox.{agency}")
                if behind is not None:
                    groups[agency].append(behind)
        # One of its groups that keeps up is enough: the others may be trials that nobody has ended.
        best = {agency: min(each) for agency, each in groups.items()}
        return (
            _labelled(
                "hueandcry_agency_lag",
                "Deliveries that an agency has not read, by that group of it that is furthest.",
                "agency",
                {agency: messages for agency, (messages, _) in best.items()},
            ),
            _labelled(
                "hueandcry_agency_lag_seconds",
                "For how long it has not, at least.",
                "agency",
                {agency: age for agency, (_, age) in best.items()},
            ),
            _labelled(
                "hueandcry_agency_groups",
                "Groups with which an agency reads its inbox; 0: it has never read.",
                "agency",
                {agency: len(groups.get(agency, ())) for agency in network.agencies},
            ),
            _labelled(
                "hueandcry_agency_receipt_timestamp_seconds",
                "When an agency last had a receipt: when it last published, or an alert of its changed.",
                "agency",
                {agency: at for agency in network.agencies if (at := _newest(seen, f"receipts.{agency}"))},
            ),
        )


def _of_regions(seen: Seen, network: Network) -> Iterable[Metric]:
    newest = {region: at for region in network.regions if (at := _newest(seen, f"alerts.{region}"))}
    held: defaultdict[str, int] = defaultdict(int)
    for (topic, number), begin in seen.begins.items():
        held[topic.partition(".")[2]] += seen.ends.get((topic, number), begin) - begin
    return (
        _labelled(
            "hueandcry_region_alert_timestamp_seconds", "When a region's last alert was published.", "region", newest
        ),
        _labelled(
            "hueandcry_quarantine_offsets", "Offsets held in a region's quarantine: refused messages.", "region", held
        ),
    )


def _of_kafka(seen: Seen) -> Iterable[Metric]:
    return (
        GaugeMetricFamily("hueandcry_kafka_brokers", "Brokers that are there.", len(seen.brokers)),
        GaugeMetricFamily("hueandcry_kafka_offline_partitions", "Partitions without a leader.", seen.offline),
        GaugeMetricFamily(
            "hueandcry_kafka_under_replicated_partitions",
            "Partitions with fewer replicas in sync than they have.",
            seen.under_replicated,
        ),
    )


def _newest(seen: Seen, topic: str) -> float:
    return max((at for (name, _), at in seen.newest.items() if name == topic), default=0.0)


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, sample in sorted(values.items()):
        family.add_metric([value], sample)
    return family
