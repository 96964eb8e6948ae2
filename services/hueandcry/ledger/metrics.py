"""What the ledger tells Prometheus. No agencies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Followed(Protocol):
    """What is told of the log."""

    size: int
    signed_size: int

    @property
    def checkpoint_age_ms(self) -> int | None:
        """Milliseconds that the oldest record which no checkpoint covers has waited; None where it is unknown."""
        ...


class Metrics:
    """Records and requests counted; the rest read when asked."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.records = Counter(
            "hueandcry_ledger_records_total", "Records of the ledger, by type.", ["type"], registry=self.registry
        )
        self.checkpoints = Counter(
            "hueandcry_ledger_checkpoints_total", "Checkpoints that were signed.", registry=self.registry
        )
        self.requests = Counter(
            "hueandcry_ledger_requests_total", "Requests, by route and answer.", ["route", "answer"],
            registry=self.registry,
        )  # fmt: skip

    def follow(self, followed: Followed) -> None:
        """Tell of this log from now on."""
        self.registry.register(_Log(followed))


class _Log(Collector):
    def __init__(self, followed: Followed) -> None:
        self._followed = followed

    def collect(self) -> Iterable[Metric]:
        followed, age = self._followed, self._followed.checkpoint_age_ms
        yield GaugeMetricFamily("hueandcry_ledger_size", "Records in the log, as it was read.", followed.size)
        yield GaugeMetricFamily(
            "hueandcry_ledger_signed_size", "Records that the last checkpoint covers.", followed.signed_size
        )
        yield GaugeMetricFamily(
            "hueandcry_ledger_checkpoint_age_seconds",
            "How long the oldest record that no checkpoint covers has waited; 0 where all are covered.",
            float("inf") if age is None else age / 1000,
        )
