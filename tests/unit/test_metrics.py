"""Counts are told once Kafka has the batch, and never of one that was rolled back."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

from hueandcry.metrics import Uncommitted


def test_what_was_rolled_back_is_not_told() -> None:
    registry = CollectorRegistry()
    counter = Counter("alerts", "Alerts.", ["kind"], registry=registry)
    seconds = Histogram("seconds", "Seconds.", ["kind"], buckets=(1, 2), registry=registry)
    told = Uncommitted()

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    told.count(counter, "cyber")
    told.observe(seconds, 1.5, "cyber")
    told.forget()
    told.tell()
    assert value("alerts_total", kind="cyber") is None

    told.count(counter, "cyber", by=2)
    told.count(counter, "cyber")
    told.observe(seconds, 1.5, "cyber")
    assert value("alerts_total", kind="cyber") is None
    told.tell()
    told.tell()
    assert value("alerts_total", kind="cyber") == 3
    assert value("seconds_bucket", kind="cyber", le="1.0") == 0
    assert value("seconds_bucket", kind="cyber", le="2.0") == 1
