"""Panels in the house form: every one has words that say what is good, and asks the dashboard's data source."""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.models.common import GraphDrawStyle, LegendDisplayMode, StackingMode, TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableHide,
    VariableRefresh,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
#: The step of a rate, as Grafana works it out from the scrape interval.
RATE = "$__rate_interval"
_HEIGHT = 8


@dataclass(frozen=True)
class Query:
    """A PromQL expression, and how its series are called: labels as {{label}}."""

    expr: str
    legend: str = ""


def board(uid: str, title: str, text: str, *tags: str) -> dashboard.Dashboard:
    """An empty dashboard with the choice of a data source, and links to the others of ours."""
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(text)
        .tags(["hueandcry", *tags])
        .editable()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-1h", "now")
        .refresh("30s")
        .timezone("browser")
        .link(
            dashboard.DashboardLink("Hue and Cry")
            .type(DashboardLinkType.DASHBOARDS)
            .tags(["hueandcry"])
            .as_dropdown(True)
        )
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )


def choice(name: str, label: str, metric: str, *, many: bool = True) -> dashboard.QueryVariable:
    """A choice among the values of a label of a metric; of all where `many`."""
    variable = (
        dashboard.QueryVariable(name)
        .label(label)
        .query(f"label_values({metric}, {name})")
        .datasource(SOURCE)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .hide(VariableHide.DONT_HIDE)
    )
    return variable.include_all(True).multi(True).all_value(".*") if many else variable


def row(title: str) -> dashboard.Row:
    """A heading."""
    return dashboard.Row(title)


def graph(
    title: str, text: str, *queries: Query, unit: str = "short", wide: int = 8, stacked: bool = False
) -> timeseries.Panel:
    """Lines over time."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(text)
        .unit(unit)
        .min(0)
        .span(wide)
        .height(_HEIGHT)
        .datasource(SOURCE)
        .draw_style(GraphDrawStyle.LINE)
        .fill_opacity(20 if stacked else 0)
        .legend(common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).show_legend(True))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    for query in queries:
        panel = panel.with_target(_target(query))
    return panel


def number(
    title: str,
    text: str,
    query: Query,
    *,
    unit: str = "short",
    wide: int = 4,
    bad_from: float | None = None,
    bad_below: float | None = None,
) -> stat.Panel:
    """One number with its recent course, red from `bad_from` on, or below `bad_below`."""
    steps = [Threshold(value=None, color="red" if bad_below is not None else "green")]
    if bad_from is not None:
        steps.append(Threshold(value=bad_from, color="red"))
    if bad_below is not None:
        steps.append(Threshold(value=bad_below, color="green"))
    return (
        stat.Panel()
        .title(title)
        .description(text)
        .unit(unit)
        .span(wide)
        .height(4)
        .datasource(SOURCE)
        .thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .with_target(_target(query))
    )


def listing(title: str, text: str, query: Query, *, unit: str = "short", wide: int = 12) -> table.Panel:
    """A table of the series as they are now."""
    return (
        table.Panel()
        .title(title)
        .description(text)
        .unit(unit)
        .span(wide)
        .height(_HEIGHT)
        .datasource(SOURCE)
        .with_target(_target(query).format(PromQueryFormat.TABLE).instant())
    )


def _target(query: Query) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query.expr).legend_format(query.legend).datasource(SOURCE)
