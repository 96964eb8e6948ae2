"""What the stages tell Prometheus of alerts. Labels are bounded: agencies are not among them.

A counter that first shows itself at 1 has not risen, for Prometheus. So those that somebody is woken by are shown at 0
from the start (`shown`).

A batch may be rolled back and processed again, so what it counts is told only once Kafka has it: `Uncommitted`.
"""

from __future__ import annotations

from collections import Counter as Sum
from collections import defaultdict

from prometheus_client import Counter, Histogram

REFUSALS = Counter("hueandcry_refusals_total", "Reasons for which messages were refused.", ["stage", "region", "rule"])
FAULTS = Counter("hueandcry_faults_total", "Messages that were refused for a fault of ours.", ["stage"])
OUTCOMES = Counter("hueandcry_outcomes_total", "Messages by what became of them.", ["kind", "region", "outcome"])
DELIVERIES = Counter("hueandcry_deliveries_total", "Deliveries to inboxes.", ["kind", "action", "form"])
DENIED = Counter("hueandcry_denied_total", "Subscriptions that asked for an alert but had no right to it.", ["rule"])
DUE_DONE = Counter("hueandcry_due_done_total", "Things done because their time had come.", ["what"])
POSTPONED = Counter("hueandcry_due_postponed_total", "Things that were due and had to be put off.", ["what"])
REPORTS = Counter("hueandcry_reports_total", "Reports on alerts by what became of them.", ["type", "outcome"])
NOTICES = Counter("hueandcry_notices_total", "Notices of reports, to whom they concern.", ["type"])
#: Bounds of the time to an inbox, in seconds; 1 is that of the service level, which needs a bound of its own.
DELIVERY_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)
DELIVERY_SECONDS = Histogram(
    "hueandcry_delivery_seconds",
    "From the broker's receipt of an alert to the commit of what became of it: deliveries in their inboxes, receipt.",
    ["kind", "region"],
    buckets=DELIVERY_BOUNDS,
)


def shown(metric: Counter, *values: str) -> None:
    """Show a counter of one label for each of these values of it, before there is anything to count."""
    for value in values:
        metric.labels(value)


class Uncommitted:
    """Counts and observations of a transaction that is not committed yet.

    They are added up here, since to find a metric by its labels costs as much as to make a record.
    """

    def __init__(self) -> None:
        self._counts: Sum[tuple[Counter, tuple[str, ...]]] = Sum()
        self._seen: defaultdict[tuple[Histogram, tuple[str, ...]], list[float]] = defaultdict(list)

    def count(self, metric: Counter, *labels: str, by: int = 1) -> None:
        """Count for these values of the metric's labels."""
        self._counts[metric, labels] += by

    def observe(self, metric: Histogram, value: float, *labels: str) -> None:
        """Note one value for these values of the metric's labels."""
        self._seen[metric, labels].append(value)

    def tell(self) -> None:
        """Kafka has what was counted: tell Prometheus."""
        for (metric, labels), count in self._counts.items():
            metric.labels(*labels).inc(count)
        for (histogram, labels), values in self._seen.items():
            of_labels = histogram.labels(*labels)
            for value in values:
                of_labels.observe(value)
        self.forget()

    def forget(self) -> None:
        """What was counted did not come to be."""
        self._counts.clear()
        self._seen.clear()
