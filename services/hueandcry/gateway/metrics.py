"""What the gateway tells Prometheus, in a collection of its own. No agencies, and routes as they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Metrics:
    """Counted as it happens."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "hueandcry_gateway_requests_total", "Requests, by route and status.", ["route", "status"],
            registry=self.registry,
        )  # fmt: skip
        self.refused = Counter(
            "hueandcry_gateway_refused_total", "Requests that were refused, by rule.", ["rule"],
            registry=self.registry,
        )  # fmt: skip
        self.callers = Counter(
            "hueandcry_gateway_callers_total", "Requests of known agencies, by how they showed who they are.", ["by"],
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "hueandcry_gateway_seconds", "From a request's head to its answer; of streams, to their beginning.",
            ["route"], buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10), registry=self.registry,
        )  # fmt: skip
        self.taken = Counter(
            "hueandcry_gateway_taken_total", "Messages that Kafka has acknowledged, by what and whose signature.",
            ["what", "signed"], registry=self.registry,
        )  # fmt: skip
        self.streams = Gauge(
            "hueandcry_gateway_streams", "Streams that are open.", ["source"], registry=self.registry
        )  # fmt: skip
        self.ended = Counter(
            "hueandcry_gateway_streams_ended_total", "Streams that have ended, by why.", ["reason"],
            registry=self.registry,
        )  # fmt: skip
        self.webhooks = Counter(
            "hueandcry_gateway_webhooks_total", "Attempts to send to webhooks, by what came of them.", ["outcome"],
            registry=self.registry,
        )  # fmt: skip
        self.dead = Counter(
            "hueandcry_gateway_dead_letters_total", "Messages that a webhook has not taken and that were put aside.",
            registry=self.registry,
        )  # fmt: skip

    def watch(self, under_way: Callable[[], tuple[int, int]], is_away: Callable[[], bool]) -> None:
        """Read these when asked."""
        self.registry.register(_Looked(under_way, is_away))


class _Looked(Collector):
    def __init__(self, under_way: Callable[[], tuple[int, int]], is_away: Callable[[], bool]) -> None:
        self._under_way = under_way
        self._is_away = is_away

    def collect(self) -> Iterable[Metric]:
        messages, size = self._under_way()
        yield GaugeMetricFamily(
            "hueandcry_gateway_under_way", "Messages that Kafka has not acknowledged yet.", messages
        )
        yield GaugeMetricFamily("hueandcry_gateway_under_way_bytes", "Their size.", size)
        yield GaugeMetricFamily("hueandcry_gateway_kafka_away", "1 while Kafka does not answer.", int(self._is_away()))
