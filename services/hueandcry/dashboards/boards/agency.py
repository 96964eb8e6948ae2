"""One agency."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from hueandcry.dashboards.panels import Query, board, choice, graph, listing, number, row


def one_agency() -> Dashboard:
    """What an operator wants to know when an agency calls."""
    of = 'agency=~"$agency"'
    return (
        board("hueandcry-agency", "One agency", "What an operator wants to know when an agency calls.")
        .with_variable(choice("agency", "Agency", "hueandcry_agency_groups", many=False))
        .with_panel(
            number(
                "Unread",
                "Deliveries that it has not read, by its furthest group.",
                Query(f"hueandcry_agency_lag{{{of}}}"),
                wide=6,
            )
        )
        .with_panel(
            number(
                "Behind",
                "For how long at least its oldest unread delivery has been there.",
                Query(f"hueandcry_agency_lag_seconds{{{of}}}"),
                unit="s",
                wide=6,
                bad_from=900,
            )
        )
        .with_panel(
            number(
                "Groups",
                "0: it has never read its inbox.",
                Query(f"hueandcry_agency_groups{{{of}}}"),
                wide=6,
                bad_below=1,
            )
        )
        .with_panel(
            number(
                "Since its last receipt",
                "It published, or an alert of its changed.",
                Query(f"time() - hueandcry_agency_receipt_timestamp_seconds{{{of}}}"),
                unit="s",
                wide=6,
            )
        )
        .with_panel(
            graph(
                "Unread deliveries",
                "Falls where it reads.",
                Query(f"hueandcry_agency_lag{{{of}}}", "{{agency}}"),
                wide=12,
            )
        )
        .with_panel(
            graph(
                "Behind over time",
                "Grows with time while it does not read.",
                Query(f"hueandcry_agency_lag_seconds{{{of}}}", "{{agency}}"),
                unit="s",
                wide=12,
            )
        )
        .with_row(row("All agencies"))
        .with_panel(
            listing("Furthest behind", "Longest first.", Query("topk(20, hueandcry_agency_lag_seconds)"), unit="s")
        )
        .with_panel(
            listing("Reading groups", "0: the agency has never read its inbox.", Query("sort(hueandcry_agency_groups)"))
        )
    )
