"""What the registry tells Prometheus, in a collection of its own, so that several can run in one process."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hueandcry.registry.log import SchemaLog


class Metrics:
    """Requests counted as they are answered; the rest read from the log when asked."""

    def __init__(self, log: SchemaLog) -> None:
        self.collection = CollectorRegistry()
        self.requests = Counter(
            "hueandcry_registry_requests_total",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self.collection,
        )
        self.seconds = Histogram(
            "hueandcry_registry_request_seconds",
            "From a request's head to its answer.",
            ["method", "route"],
            buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5),
            registry=self.collection,
        )
        self.collection.register(_FromLog(log))


class _FromLog(Collector):
    def __init__(self, log: SchemaLog) -> None:
        self._log = log

    def collect(self) -> Iterable[Metric]:
        log, state = self._log, self._log.state
        yield GaugeMetricFamily("hueandcry_registry_ready", "1 while the topic is followed.", value=log.ready)
        yield GaugeMetricFamily("hueandcry_registry_schemas", "Schema ids known.", value=len(state.by_id))
        yield GaugeMetricFamily("hueandcry_registry_subjects", "Subjects known.", value=len(state.subjects))
        yield GaugeMetricFamily("hueandcry_registry_offset", "The topic is read up to here.", value=log.next_offset)
        yield CounterMetricFamily(
            "hueandcry_registry_pens_taken", "How often this instance became the writer.", value=log.pens_taken
        )
        yield CounterMetricFamily(
            "hueandcry_registry_records_skipped",
            "Records of the topic that are none of a registry's, or give a known id another text.",
            value=log.skipped + state.left_out,
        )
