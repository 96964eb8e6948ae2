"""What the stages tell Prometheus of alerts. Labels are bounded: agencies are not among them."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

REFUSALS = Counter("hueandcry_refusals_total", "Reasons for which messages were refused.", ["stage", "rule"])
OUTCOMES = Counter("hueandcry_outcomes_total", "Messages by what became of them.", ["kind", "outcome"])
DELIVERIES = Counter("hueandcry_deliveries_total", "Deliveries to inboxes.", ["kind", "action", "form"])
DENIED = Counter("hueandcry_denied_total", "Subscriptions that asked for an alert but had no right to it.", ["rule"])
DUE_DONE = Counter("hueandcry_due_done_total", "Things done because their time had come.", ["what"])
POSTPONED = Counter("hueandcry_due_postponed_total", "Things that were due and had to be put off.", ["what"])
REPORTS = Counter("hueandcry_reports_total", "Reports on alerts by what became of them.", ["type", "outcome"])
NOTICES = Counter("hueandcry_notices_total", "Notices of reports, to whom they concern.", ["type"])
THROUGH_SECONDS = Histogram(
    "hueandcry_through_seconds",
    "From the broker's receipt of a message to its decision in distribute.",
    ["kind"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
