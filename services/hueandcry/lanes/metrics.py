"""What a lane tells Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("hueandcry_lane_messages_total", "Messages read and settled.", ["lane", "topic"])
RECORDS = Counter("hueandcry_lane_records_total", "Records produced and committed.", ["lane"])
ABORTS = Counter("hueandcry_lane_aborts_total", "Transactions rolled back.", ["lane"])
REOPENED = Counter("hueandcry_lane_reopened_total", "Times the lane went back to what is committed.", ["lane"])
PROCESS_SECONDS = Histogram(
    "hueandcry_lane_process_seconds",
    "Time in which the stage works on a batch.",
    ["lane"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
COMMIT_SECONDS = Histogram(
    "hueandcry_lane_commit_seconds",
    "Time from the first record of a transaction to the end of its commit.",
    ["lane"],
    buckets=(0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
OLDEST_SECONDS = Gauge(
    "hueandcry_lane_oldest_seconds", "Age of the oldest message that was taken and is not settled yet.", ["lane"]
)
PARTITIONS = Gauge("hueandcry_lane_partitions", "State partitions held.", ["lane"])
RESTORING = Gauge("hueandcry_lane_restore_remaining", "Changelog records still to be restored, at the most.", ["lane"])
STATE_BYTES = Gauge("hueandcry_lane_state_bytes", "Size of the state on this instance.", ["lane"])
