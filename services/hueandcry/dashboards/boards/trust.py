"""Trust."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from hueandcry.dashboards.panels import RATE, Query, board, choice, graph, listing


def trust() -> Dashboard:
    """Refusals, denials, and what may be an attack."""
    return (
        board("hueandcry-trust", "Trust", "What was refused and denied, and why.")
        .with_variable(choice("region", "Region", "hueandcry_refusals_total"))
        .with_panel(
            graph(
                "Refusals by rule",
                "docs/publish.md explains the rules. proof.*: a signature does not hold.",
                Query(f'sum by (rule) (rate(hueandcry_refusals_total{{region=~"$region"}}[{RATE}]))', "{{rule}}"),
                unit="cps",
                wide=12,
            )
        )
        .with_panel(
            graph(
                "Refusals by region",
                "Region whose topic the message came in.",
                Query(f'sum by (region) (rate(hueandcry_refusals_total{{region=~"$region"}}[{RATE}]))', "{{region}}"),
                unit="cps",
                wide=12,
            )
        )
        .with_panel(
            graph(
                "Denied by rule",
                "Subscriptions that asked for an alert and had no right to it. Normal; a sudden change is not.",
                Query(f"sum by (rule) (rate(hueandcry_denied_total[{RATE}]))", "{{rule}}"),
                unit="cps",
            )
        )
        .with_panel(
            graph(
                "In quarantine",
                "Offsets held; falls by retention only.",
                Query("sum by (region) (hueandcry_quarantine_offsets)", "{{region}}"),
            )
        )
        .with_panel(
            graph(
                "Deliveries by form",
                "original, redacted, or none (recalls and ends).",
                Query(f"sum by (form) (rate(hueandcry_deliveries_total[{RATE}]))", "{{form}}"),
                unit="cps",
            )
        )
        .with_panel(
            graph(
                "Recalls",
                "Deliveries that take back what an agency had.",
                Query(f'sum(rate(hueandcry_deliveries_total{{action="recalled"}}[{RATE}])) or vector(0)', "recalled"),
                unit="cps",
            )
        )
        .with_panel(
            graph(
                "Refused searches",
                "By rule: signature.* and time are about who asks.",
                Query(f"sum by (rule) (rate(hueandcry_search_refused_total[{RATE}])) or vector(0)", "{{rule}}"),
                unit="cps",
            )
        )
        .with_panel(
            graph(
                "Notices",
                "escalated: an issuer has not confirmed a hit in time.",
                Query(f"sum by (type) (rate(hueandcry_notices_total[{RATE}])) or vector(0)", "{{type}}"),
                unit="cps",
            )
        )
        .with_panel(
            listing(
                "Certificates",
                "Time that is left.",
                Query("sort(hueandcry_certificate_expiry_timestamp_seconds - time())"),
                unit="s",
                wide=24,
            )
        )
    )
