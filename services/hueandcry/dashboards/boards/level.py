"""The service level."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from hueandcry.dashboards.panels import RATE, Query, board, graph, number


def service_level() -> Dashboard:
    """The service level: 99.9 % of alerts in the inbox within one second."""
    burnt = "hueandcry:delivery_late:ratio_rate"
    windows = ("5m", "1h", "6h", "3d")
    return (
        board(
            "hueandcry-slo",
            "Service level",
            "99.9 % of alerts are in their inboxes within one second of Kafka's receipt, over 30 days.",
        )
        .with_panel(
            number(
                "Kept, 30 days",
                "Share of alerts that were in time.",
                Query(f"1 - {burnt}30d"),
                unit="percentunit",
                wide=8,
                bad_below=0.999,
            )
        )
        .with_panel(
            number(
                "Budget left",
                "Share of the late alerts that 30 days allow for which is left.",
                Query(f"1 - {burnt}30d / 0.001"),
                unit="percentunit",
                wide=8,
                bad_below=0,
            )
        )
        .with_panel(
            number(
                "Burning",
                "Times as fast as the budget allows, over the last hour. 1 uses it up in 30 days.",
                Query(f"{burnt}1h / 0.001"),
                wide=8,
                bad_from=14.4,
            )
        )
        .with_panel(
            graph(
                "Late alerts",
                "Share by window.",
                *(Query(f"{burnt}{window}", window) for window in windows),
                unit="percentunit",
                wide=12,
            )
        )
        .with_panel(
            graph(
                "Rate of burning",
                "14.4 over 1 h and 5 min, or 6 over 6 h and 30 min, wakes somebody.",
                *(Query(f"{burnt}{window} / 0.001", window) for window in windows),
                wide=12,
            )
        )
        .with_panel(
            graph(
                "Time to the inbox",
                "By bound: share of alerts that were in their inboxes by then.",
                *(
                    Query(
                        f'sum(rate(hueandcry_delivery_seconds_bucket{{le="{bound}"}}[{RATE}])) / sum(rate(hueandcry_delivery_seconds_count[{RATE}]))',
                        f"{bound} s",
                    )
                    for bound in ("0.1", "0.25", "0.5", "1.0", "2.5")
                ),
                unit="percentunit",
                wide=12,
            )
        )
        .with_panel(
            graph(
                "By region",
                "p99 of the time to the inbox.",
                Query(
                    f"histogram_quantile(0.99, sum by (le, region) (rate(hueandcry_delivery_seconds_bucket[{RATE}])))",
                    "{{region}}",
                ),
                unit="s",
                wide=12,
            )
        )
    )
