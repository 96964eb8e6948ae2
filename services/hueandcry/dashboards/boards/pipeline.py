"""The stages."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from hueandcry.dashboards.panels import RATE, Query, board, choice, graph, row


def pipeline_stages() -> Dashboard:
    """What each stage does with its time."""
    return (
        board("hueandcry-pipeline", "Pipeline stages", "admit, distribute, search: load, errors, time and backlog.")
        .with_variable(choice("lane", "Lane", "hueandcry_lane_messages_total"))
        .with_row(row("Lanes"))
        .with_panel(
            graph(
                "Messages",
                "Read and settled.",
                Query(
                    f'sum by (lane, topic) (rate(hueandcry_lane_messages_total{{lane=~"$lane"}}[{RATE}]))',
                    "{{lane}} {{topic}}",
                ),
                unit="cps",
            )
        )
        .with_panel(
            graph(
                "Records",
                "Produced and committed.",
                Query(f'sum by (lane) (rate(hueandcry_lane_records_total{{lane=~"$lane"}}[{RATE}]))', "{{lane}}"),
                unit="cps",
            )
        )
        .with_panel(
            graph(
                "Oldest message in hand",
                "Near 0; grows where a batch is tried again and again.",
                Query(
                    'max by (lane, instance) (hueandcry_lane_oldest_seconds{lane=~"$lane"})', "{{lane}} {{instance}}"
                ),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "Time of a batch",
                "95 of 100 batches are worked on within this time.",
                Query(
                    f'histogram_quantile(0.95, sum by (le, lane) (rate(hueandcry_lane_process_seconds_bucket{{lane=~"$lane"}}[{RATE}])))',
                    "{{lane}} work",
                ),
                Query(
                    f'histogram_quantile(0.95, sum by (le, lane) (rate(hueandcry_lane_commit_seconds_bucket{{lane=~"$lane"}}[{RATE}])))',
                    "{{lane}} commit",
                ),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "Busy",
                "Share of the time in which a lane works or commits; near 1 it is at its limit.",
                Query(
                    f'sum by (lane, instance) (rate(hueandcry_lane_process_seconds_sum{{lane=~"$lane"}}[{RATE}]) + rate(hueandcry_lane_commit_seconds_sum{{lane=~"$lane"}}[{RATE}]))',
                    "{{lane}} {{instance}}",
                ),
                unit="percentunit",
            )
        )
        .with_panel(
            graph(
                "Roll-backs",
                "Transactions rolled back, and times a lane went back to what is committed. Both near 0.",
                Query(
                    f'sum by (lane) (rate(hueandcry_lane_aborts_total{{lane=~"$lane"}}[{RATE}]))',
                    "{{lane}} rolled back",
                ),
                Query(
                    f'sum by (lane) (rate(hueandcry_lane_reopened_total{{lane=~"$lane"}}[{RATE}]))',
                    "{{lane}} reopened",
                ),
                unit="cps",
            )
        )
        .with_row(row("State"))
        .with_panel(
            graph(
                "Partitions held",
                "By process; together as many as the changelog has.",
                Query('sum by (lane, instance) (hueandcry_lane_partitions{lane=~"$lane"})', "{{lane}} {{instance}}"),
            )
        )
        .with_panel(
            graph(
                "Still to restore",
                "Records of the changelog; not ready while above 0.",
                Query(
                    'sum by (lane, instance) (hueandcry_lane_restore_remaining{lane=~"$lane"})', "{{lane}} {{instance}}"
                ),
            )
        )
        .with_panel(
            graph(
                "State on disk",
                "Size of the databases.",
                Query('sum by (lane, instance) (hueandcry_lane_state_bytes{lane=~"$lane"})', "{{lane}} {{instance}}"),
                unit="bytes",
            )
        )
        .with_panel(
            graph(
                "Done because it was time",
                "Expiries, reviews, reminders.",
                Query(f"sum by (what) (rate(hueandcry_due_done_total[{RATE}])) or vector(0)", "{{what}}"),
                unit="cps",
                wide=12,
            )
        )
        .with_panel(
            graph(
                "Put off",
                "What was due and failed; comes again. Always 0.",
                Query(f"sum(rate(hueandcry_due_postponed_total[{RATE}])) or vector(0)", "put off"),
                unit="cps",
                wide=12,
            )
        )
        .with_row(row("Search"))
        .with_panel(
            graph(
                "Searches",
                "By what they were asked by, and how answered.",
                Query(
                    f"sum by (by, answer) (rate(hueandcry_search_requests_total[{RATE}])) or vector(0)",
                    "{{by}} {{answer}}",
                ),
                unit="cps",
            )
        )
        .with_panel(
            graph(
                "Time of a search",
                "With the record of the consultation.",
                Query(
                    f"histogram_quantile(0.99, sum by (le) (rate(hueandcry_search_seconds_bucket[{RATE}]))) >= 0 or vector(0)",
                    "p99",
                ),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "Age of the replica",
                "How old the data are that searches see.",
                Query("max by (instance) (hueandcry_search_age_seconds)", "{{instance}}"),
                unit="s",
            )
        )
    )
