"""The list of metrics, read out of the code that makes them: whatever is called with a name that begins with ours."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PREFIX = "hueandcry_"
#: By the call that makes it.
_TYPES = {
    "Counter": "counter",
    "CounterMetricFamily": "counter",
    "Gauge": "gauge",
    "GaugeMetricFamily": "gauge",
    "_labelled": "gauge",
    "Histogram": "histogram",
}
#: What each label may be, and so how many values it has.
LABELS = {
    "action": "of a delivery, as in avro/: 7",
    "agency": "agencies of the network: as many as there are; on `watch` only",
    "answer": "found, elsewhere, nothing; of the ledger: answered, or the rule that refuses: about 12",
    "by": "what was asked by, or how an agency showed who it is: 11",
    "form": "original, redacted, none",
    "group": "consumer groups of our own processes: about 5",
    "kind": "kinds of alert: 3",
    "lane": "our lanes: about 3",
    "method": "HTTP's: 4",
    "outcome": "as in avro/: 5; of a webhook: 4",
    "reason": "why a stream has ended: 4",
    "region": "regions of the network: 5",
    "route": "paths that are served, without what is in them: about 35",
    "rule": "rules that messages, searches and requests are refused by: about 120",
    "server": "brokers, registry, and what HUEANDCRY_WATCH_TLS names",
    "signed": "by_agency, in_custody",
    "source": "inbox, receipts, notices",
    "stage": "admit, distribute",
    "status": "HTTP's: about 10",
    "topic": "topics that a lane or group of ours reads: 2 for each region, and 2",
    "type": "of a report, notice or record of the ledger, as in avro/: 9",
    "what": "things that become due: 4; alert, report",
}


class MetricInfo(NamedTuple):
    """One metric.

    Attributes:
        package: folder of the process that has it.
        name: as Prometheus shows it; of a histogram without _bucket, _sum and _count.
    """

    package: str
    name: str
    type: str
    labels: tuple[str, ...]
    text: str


def metrics(root: Path) -> list[MetricInfo]:
    """All metrics of the code below `root`, by package and name."""
    found: set[MetricInfo] = set()
    for file in sorted(root.rglob("*.py")):
        parts = file.relative_to(root).parts
        package = parts[0] if len(parts) > 1 else "stages"
        found.update(_of_file(package, ast.parse(file.read_text("utf-8"))))
    return sorted(found)


def page(root: Path) -> str:
    """docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "Written by `python -m hueandcry.dashboards` from the code; don't edit. Every process serves them at `/metrics`, in Prometheus' text",
        "format. A histogram has `_bucket`, `_sum` and `_count`. docs/runbooks/ says what to do when one of them wakes you.",
        "",
        "No label holds anything out of an alert, and agencies are a label of `watch` only, so the number of series is bounded:",
        "",
        "| label | values |",
        "|---|---|",
    ]
    all_of_them = metrics(root)
    used = {label for metric in all_of_them for label in metric.labels}
    unexplained = sorted(used - LABELS.keys())
    if unexplained:
        raise SystemExit(f"a metric has the label {unexplained[0]}: say in catalogue.LABELS what values it may have")
    lines += [f"| `{label}` | {LABELS[label]} |" for label in sorted(used)]
    package = None
    for metric in all_of_them:
        if metric.package != package:
            package = metric.package
            title = "admit and distribute" if package == "stages" else package
            lines += ["", f"## {title}", "", "| metric | type | labels | meaning |", "|---|---|---|---|"]
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        lines.append(f"| `{metric.name}` | {metric.type} | {labels} | {metric.text} |")
    return "\n".join(lines) + "\n"


def _of_file(package: str, tree: ast.AST) -> Iterator[MetricInfo]:
    lists = {
        target.id: value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and (value := _strings(node.value)) is not None
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        name, text = (each.value if isinstance(each, ast.Constant) else None for each in node.args[:2])
        if called not in _TYPES or not isinstance(name, str) or not name.startswith(PREFIX):
            continue
        given = next((each.value for each in node.keywords if each.arg in ("labels", "labelnames")), None)
        if given is None and len(node.args) > 2 and called in ("Counter", "Gauge", "Histogram", "_labelled"):
            given = node.args[2]
        labels = lists.get(given.id, ()) if isinstance(given, ast.Name) else _strings(given) or ()
        kind = _TYPES[called]
        if kind == "counter" and not name.endswith("_total"):
            name += "_total"
        yield MetricInfo(package, name, kind, tuple(labels), str(text))


def _strings(node: ast.AST | None) -> tuple[str, ...] | None:
    """A list of strings that stands in the code, or one string."""
    parts = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    values = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return tuple(values) if len(values) == len(parts) else None
