"""Kafka."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from hueandcry.dashboards.panels import RATE, Query, board, graph, number


def kafka_and_lanes() -> Dashboard:
    """Kafka as the platform sees it."""
    return (
        board("hueandcry-kafka", "Kafka and lanes", "Kafka as the platform sees it, and how far its groups are.")
        .with_panel(number("Brokers", "That are there.", Query("hueandcry_kafka_brokers"), wide=6, bad_below=1))
        .with_panel(
            number(
                "Without leader",
                "Partitions that can't be written or read.",
                Query("hueandcry_kafka_offline_partitions"),
                wide=6,
                bad_from=1,
            )
        )
        .with_panel(
            number(
                "Under-replicated",
                "Partitions with fewer replicas in sync than they have.",
                Query("hueandcry_kafka_under_replicated_partitions"),
                wide=6,
                bad_from=1,
            )
        )
        .with_panel(
            number(
                "Since the last look",
                "Of watch at the cluster. Beyond a minute, what is shown here is old.",
                Query("time() - hueandcry_watch_timestamp_seconds"),
                unit="s",
                wide=6,
                bad_from=60,
            )
        )
        .with_panel(
            graph(
                "Unread by our processes",
                "Messages that a group of ours has not read.",
                Query("sum by (group, topic) (hueandcry_group_lag)", "{{group}} {{topic}}"),
                wide=12,
            )
        )
        .with_panel(
            graph(
                "For how long",
                "At least.",
                Query("max by (group, topic) (hueandcry_group_lag_seconds)", "{{group}} {{topic}}"),
                unit="s",
                wide=12,
            )
        )
        .with_panel(
            graph(
                "Commits",
                "Half of the transactions are committed within this time.",
                Query(
                    f"histogram_quantile(0.5, sum by (le, lane) (rate(hueandcry_lane_commit_seconds_bucket[{RATE}])))",
                    "{{lane}} p50",
                ),
                Query(
                    f"histogram_quantile(0.99, sum by (le, lane) (rate(hueandcry_lane_commit_seconds_bucket[{RATE}])))",
                    "{{lane}} p99",
                ),
                unit="s",
            )
        )
        .with_panel(
            graph("Looks of watch", "What one takes.", Query("hueandcry_watch_look_seconds", "{{instance}}"), unit="s")
        )
        .with_panel(
            graph(
                "Requests to the registry",
                "By what was asked and the status of the answer.",
                Query(f"sum by (status) (rate(hueandcry_registry_requests_total[{RATE}]))", "{{status}}"),
                unit="cps",
            )
        )
    )
