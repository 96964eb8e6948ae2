"""What search tells Prometheus, in a collection of its own, so that several can run in one process. No agencies."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hueandcry.search.replica import Replica


class Metrics:
    """Searches counted as they are answered; the rest read from the replica when asked."""

    def __init__(self, replica: Replica) -> None:
        self.registry = CollectorRegistry()
        self.searches = Counter(
            "hueandcry_search_requests_total", "Searches, by how they were answered.", ["by", "answer"],
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "hueandcry_search_seconds",
            "From the whole request to its answer, with the record of the consultation.",
            ["by"],
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
            registry=self.registry,
        )
        self.logged = Histogram(
            "hueandcry_search_log_seconds",
            "Of that, until Kafka had the record of the consultation.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=self.registry,
        )
        self.refused = Counter(
            "hueandcry_search_refused_total", "Requests that were not searched, by rule.", ["rule"],
            registry=self.registry,
        )  # fmt: skip
        self.registry.register(_Replicated(replica))


class _Replicated(Collector):
    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def collect(self) -> Iterable[Metric]:
        replica, age = self._replica, self._replica.age_ms
        seconds = float("inf") if age is None else age / 1000
        yield GaugeMetricFamily("hueandcry_search_age_seconds", "How old the replica's data are.", seconds)
        yield GaugeMetricFamily(
            "hueandcry_search_restore_remaining", "Records of a partition still to restore.", replica.remaining
        )
        yield GaugeMetricFamily("hueandcry_search_partitions", "Partitions held.", len(replica.partitions))
        yield GaugeMetricFamily("hueandcry_search_state_bytes", "Size of the replica.", replica.size_bytes())
