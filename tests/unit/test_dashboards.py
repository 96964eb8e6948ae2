"""The dashboards ask for metrics that exist, and each panel says what it shows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hueandcry.dashboards.__main__ import made
from hueandcry.dashboards.catalogue import LABELS, metrics
from hueandcry.dashboards.rules import rules

ROOT = Path(__file__).parents[2]
BOARDS = sorted((ROOT / "helm/dashboards").glob("*.json"))
METRICS = {metric.name: metric for metric in metrics(ROOT / "services/hueandcry")}
RECORDED = {rule["record"] for group in rules()["groups"] for rule in group["rules"] if "record" in rule}


def known(expr: str) -> None:
    """Every metric of the expression is one that the code makes, with labels that it has."""
    assert set(re.findall(r"hueandcry:[a-z_:]+\w*", expr)) <= RECORDED
    for name, selector in re.findall(r"\b(hueandcry_\w+)(\{[^}]*\})?", re.sub(r"hueandcry:\S+", "", expr)):
        metric = METRICS.get(name) or METRICS[re.sub(r"_(bucket|sum|count)$", "", name)]
        of_histogram = {"le"} if name.endswith("_bucket") else set()
        asked = set(re.findall(r"(\w+)\s*(?:=|!)", selector or ""))
        assert asked <= {*metric.labels, "instance", "job"} | of_histogram, name


def test_what_is_written_is_what_the_code_says() -> None:
    for path, text in made().items():
        assert (ROOT / path).read_text("utf-8") == text, f"{path}: run `make format`"


def test_every_label_is_explained_and_has_bounds() -> None:
    assert {label for metric in METRICS.values() for label in metric.labels} <= set(LABELS)
    assert {metric.package for metric in METRICS.values() if "agency" in metric.labels} == {"watch"}


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_names_follow_the_conventions(metric: Any) -> None:
    """Prometheus' own: base units, _total on counters and on nothing else."""
    assert metric.name.endswith("_total") == (metric.type == "counter")
    assert not re.search(r"_(ms|millis|minutes|hours|kb|mb)(_|$)", metric.name)
    assert metric.text.endswith(".")


@pytest.mark.parametrize("file", BOARDS, ids=lambda file: file.stem)
def test_a_dashboard_is_in_the_house_form(file: Path) -> None:
    board = json.loads(file.read_text("utf-8"))
    assert board["uid"].startswith("hueandcry-")
    assert board["tags"][0] == "hueandcry"
    source, *choices = board["templating"]["list"]
    assert (source["name"], source["type"]) == ("datasource", "datasource")
    assert all(choice["datasource"]["uid"] == "${datasource}" for choice in choices)
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert panels
    assert len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["targets"]
        for target in panel["targets"]:
            known(target["expr"])
            # A rate over a fixed time shows nothing where scrapes are further apart.
            assert not re.search(r"rate\([^\[]*\[(?!\$__rate_interval|1h)", target["expr"])


def test_rules_ask_for_what_there_is() -> None:
    for group in rules()["groups"]:
        for rule in group["rules"]:
            known(rule["expr"])
