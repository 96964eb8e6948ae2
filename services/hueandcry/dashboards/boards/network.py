"""The network on one page."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from hueandcry.dashboards.panels import RATE, Query, board, choice, graph, listing, number, row

#: Of the kinds and regions that the dashboard's user has chosen.
_CHOSEN = 'kind=~"$kind", region=~"$region"'


def network_overview() -> Dashboard:
    """Whether the network does its work, on one page."""
    return (
        board("hueandcry-network", "Network overview", "Whether alerts come, and reach who shall have them.")
        .with_variable(choice("kind", "Kind", "hueandcry_outcomes_total"))
        .with_variable(choice("region", "Region", "hueandcry_outcomes_total"))
        .with_panel(
            number(
                "Alerts",
                "Messages settled a second.",
                Query(f"sum(rate(hueandcry_outcomes_total{{{_CHOSEN}}}[{RATE}]))"),
                unit="cps",
            )
        )
        .with_panel(
            number(
                "Deliveries",
                "Records written to inboxes a second.",
                Query(f"sum(rate(hueandcry_deliveries_total[{RATE}]))"),
                unit="cps",
            )
        )
        .with_panel(
            number(
                "In the inbox within 1 s",
                "Of the last hour. The service level asks for 99.9 %.",
                Query(
                    f'sum(rate(hueandcry_delivery_seconds_bucket{{{_CHOSEN}, le="1.0"}}[1h])) / sum(rate(hueandcry_delivery_seconds_count{{{_CHOSEN}}}[1h]))'
                ),
                unit="percentunit",
                bad_below=0.999,
            )
        )
        .with_panel(
            number(
                "Refused",
                "Share of the messages of the last hour that were refused.",
                Query(
                    'sum(rate(hueandcry_refusals_total{region=~"$region"}[1h])) / clamp_min(sum(rate(hueandcry_lane_messages_total{lane="hc-admit"}[1h])), 1e-9)'
                ),
                unit="percentunit",
                bad_from=0.1,
            )
        )
        .with_panel(
            number(
                "Agencies behind",
                "Agencies that have not read a delivery for 15 minutes or longer.",
                Query("count(hueandcry_agency_lag_seconds > 900) or vector(0)"),
                bad_from=1,
            )
        )
        .with_panel(
            number(
                "Processes down",
                "Processes of ours that Prometheus can't reach.",
                Query('count(up{job=~"hueandcry.*"} == 0) or vector(0)'),
                bad_from=1,
            )
        )
        .with_row(row("Alerts"))
        .with_panel(
            graph(
                "By kind",
                "Messages settled.",
                Query(f"sum by (kind) (rate(hueandcry_outcomes_total{{{_CHOSEN}}}[{RATE}]))", "{{kind}}"),
                unit="cps",
                stacked=True,
            )
        )
        .with_panel(
            graph(
                "By region",
                "Messages settled, by the region that published.",
                Query(f"sum by (region) (rate(hueandcry_outcomes_total{{{_CHOSEN}}}[{RATE}]))", "{{region}}"),
                unit="cps",
                stacked=True,
            )
        )
        .with_panel(
            graph(
                "What became of them",
                "nobody_entitled: accepted, but no agency both may have it and asks for it. merged: on a thing that is known already.",
                Query(f"sum by (outcome) (rate(hueandcry_outcomes_total{{{_CHOSEN}}}[{RATE}]))", "{{outcome}}"),
                unit="cps",
                stacked=True,
            )
        )
        .with_panel(
            graph(
                "Time to the inbox",
                "From Kafka's receipt of the alert to the commit of its deliveries.",
                *(
                    Query(
                        f"histogram_quantile({of}, sum by (le) (rate(hueandcry_delivery_seconds_bucket{{{_CHOSEN}}}[{RATE}])))",
                        f"p{of * 100:g}",
                    )
                    for of in (0.5, 0.9, 0.99)
                ),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "Merged",
                "Share of messages on a thing that was known already.",
                Query(
                    f'(sum(rate(hueandcry_outcomes_total{{{_CHOSEN}, outcome="merged"}}[{RATE}])) or vector(0)) / clamp_min(sum(rate(hueandcry_outcomes_total{{{_CHOSEN}}}[{RATE}])), 1e-9)',
                    "merged",
                ),
                unit="percentunit",
            )
        )
        .with_panel(
            graph(
                "Hits, sightings and answers",
                "Reports of agencies on alerts.",
                Query(f"sum by (type) (rate(hueandcry_reports_total[{RATE}])) or vector(0)", "{{type}}"),
                unit="cps",
            )
        )
        .with_row(row("Silence"))
        .with_panel(
            graph(
                "Since a region's last alert",
                "A region that has always published and falls silent has lost its connection.",
                Query("time() - hueandcry_region_alert_timestamp_seconds", "{{region}}"),
                unit="s",
                wide=12,
            )
        )
        .with_panel(
            listing(
                "Since an agency last had a receipt",
                "Agencies that publish, longest silence first.",
                Query("sort_desc(time() - hueandcry_agency_receipt_timestamp_seconds)"),
                unit="s",
            )
        )
    )
