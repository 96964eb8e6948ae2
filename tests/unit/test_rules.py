"""Each alert is raised by its fault and by nothing else, as Prometheus itself says."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest
import yaml

from hueandcry.dashboards.rules import alert_names, rules, runbook

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool: `make prometheus` gets one")


class Case(NamedTuple):
    """An alert, series with its fault and without, in promtool's notation with a sample a minute, and when to look."""

    alert: str
    bad: dict[str, str]
    good: dict[str, str]
    at: str
    labels: Mapping[str, str] = MappingProxyType({})


def _deliveries(within: str, all_of_them: str) -> dict[str, str]:
    of = 'kind="cyber", region="europe"'
    return {
        f'hueandcry_delivery_seconds_bucket{{{of}, le="1.0"}}': within,
        f"hueandcry_delivery_seconds_count{{{of}}}": all_of_them,
    }


#: A hundred alerts a minute; none late, 1 in 100, 1 in 50.
_FINE = _deliveries("0+100x10000", "0+100x10000")
_ONE = _deliveries("0+99x10000", "0+100x10000")
_TWO = _deliveries("0+98x10000", "0+100x10000")
#: Was bad for an hour; has been good for a while.
_OVER = _deliveries("0+90x60 5500+100x60", "0+100x60 6100+100x60")

CASES = (
    Case("DeliveriesLateFast1h", _TWO, _OVER, "90m"),
    Case("DeliveriesLateFast6h", _ONE, _FINE, "400m"),
    Case("DeliveriesLateSlowly1d", _ONE, _FINE, "1500m"),
    Case("DeliveriesLateSlowly3d", _ONE, _FINE, "4400m"),
    Case(
        "ProcessDown",
        {'up{job="hueandcry-admit", instance="a"}': "1 0x10"},
        {'up{job="hueandcry-admit", instance="a"}': "1 0 1x10", 'up{job="other", instance="a"}': "0x10"},
        "5m",
        {"job": "hueandcry-admit", "instance": "a"},
    ),
    Case(
        "LaneStuck",
        {'hueandcry_lane_oldest_seconds{lane="hc-admit"}': "0 60 120 180 240 300"},
        {'hueandcry_lane_oldest_seconds{lane="hc-admit"}': "0 50 0 50 0 59"},
        "5m",
        {"lane": "hc-admit"},
    ),
    Case(
        "LaneBehind",
        {'hueandcry_group_lag_seconds{group="hc-admit.lane", topic="alerts.europe"}': "0+60x10"},
        {
            'hueandcry_group_lag_seconds{group="hc-admit.lane", topic="alerts.europe"}': "0 30 0 50 0 90 10 0",
            'hueandcry_group_lag_seconds{group="hc-watch.network", topic="network"}': "0+60x10",
        },
        "6m",
        {"group": "hc-admit.lane", "topic": "alerts.europe"},
    ),
    Case(
        "LaneRollsBack",
        {'hueandcry_lane_aborts_total{lane="hc-admit", instance="a"}': "0+1x20"},
        {'hueandcry_lane_aborts_total{lane="hc-admit", instance="a"}': "0 1 2 2x20"},
        "15m",
        {"lane": "hc-admit"},
    ),
    Case(
        "RestoreSlow",
        {'hueandcry_lane_restore_remaining{lane="hc-admit"}': "9000-10x30"},
        {'hueandcry_lane_restore_remaining{lane="hc-admit"}': "9000 5000 0x30"},
        "20m",
        {"lane": "hc-admit"},
    ),
    Case(
        "DuePutOff",
        {'hueandcry_due_postponed_total{what="expire"}': "0 0 1x10"},
        {'hueandcry_due_postponed_total{what="expire"}': "3x10"},
        "5m",
        {"what": "expire"},
    ),
    Case(
        "FaultOfOurs",
        {'hueandcry_faults_total{stage="admit"}': "0 0 1x10"},
        {'hueandcry_faults_total{stage="admit"}': "1x10"},
        "5m",
        {"stage": "admit"},
    ),
    Case(
        "SearchOld",
        {'hueandcry_search_age_seconds{instance="s"}': "1 61 121 181"},
        {'hueandcry_search_age_seconds{instance="s"}': "1 14 2 14"},
        "3m",
        {"instance": "s"},
    ),
    Case(
        "AgencyBehind",
        {'hueandcry_agency_lag_seconds{agency="fra-police"}': "0+60x40"},
        {'hueandcry_agency_lag_seconds{agency="fra-police"}': "0+60x12 0x30"},
        "25m",
        {"agency": "fra-police"},
    ),
    Case(
        "RegionSilent",
        {'hueandcry_region_alert_timestamp_seconds{region="europe"}': "0x500"},
        {'hueandcry_region_alert_timestamp_seconds{region="europe"}': "0+60x500"},
        "400m",
        {"region": "europe"},
    ),
    Case(
        "PublisherSilent",
        {'hueandcry_agency_receipt_timestamp_seconds{agency="fra-police"}': "0x5000"},
        {'hueandcry_agency_receipt_timestamp_seconds{agency="fra-police"}': "0+60x5000"},
        "4400m",
        {"agency": "fra-police"},
    ),
    Case(
        "QuarantineGrows",
        {
            'hueandcry_quarantine_offsets{region="europe"}': "0+10x20",
            'hueandcry_outcomes_total{kind="cyber", region="europe", outcome="delivered"}': "0+20x20",
        },
        {
            'hueandcry_quarantine_offsets{region="europe"}': "0+10x20",
            'hueandcry_outcomes_total{kind="cyber", region="europe", outcome="delivered"}': "0+200x20",
            'hueandcry_quarantine_offsets{region="africa"}': "0+1x20",
            'hueandcry_outcomes_total{kind="cyber", region="africa", outcome="delivered"}': "0+1x20",
        },
        "15m",
        {"region": "europe"},
    ),
    Case(
        "HitsUnanswered",
        {'hueandcry_notices_total{type="escalated"}': "0 0 1x10"},
        {'hueandcry_notices_total{type="hit"}': "0+1x10", 'hueandcry_notices_total{type="escalated"}': "1x10"},
        "5m",
    ),
    Case(
        "PartitionOffline",
        {"hueandcry_kafka_offline_partitions": "0 2x5"},
        {"hueandcry_kafka_offline_partitions": "0x5"},
        "4m",
    ),
    Case(
        "PartitionUnderReplicated",
        {"hueandcry_kafka_under_replicated_partitions": "0 2x20"},
        {"hueandcry_kafka_under_replicated_partitions": "0 2x10 0x10"},
        "20m",
    ),
    Case(
        "WatchBlind",
        {"hueandcry_watch_timestamp_seconds": "0x10"},
        {"hueandcry_watch_timestamp_seconds": "0+60x10"},
        "5m",
    ),
    Case(
        "CertificateEnds",
        {'hueandcry_certificate_expiry_timestamp_seconds{server="registry"}': f"{13 * 86400}x10"},
        {'hueandcry_certificate_expiry_timestamp_seconds{server="registry"}': f"{15 * 86400}x10"},
        "1m",
        {"server": "registry"},
    ),
    Case(
        "CertificateEndsNow",
        {'hueandcry_certificate_expiry_timestamp_seconds{server="registry"}': f"{1 * 86400}x10"},
        {'hueandcry_certificate_expiry_timestamp_seconds{server="registry"}': f"{3 * 86400}x10"},
        "1m",
        {"server": "registry"},
    ),
)


def test_every_alert_has_a_case() -> None:
    assert [case.alert for case in CASES] == alert_names()


def test_prometheus_takes_the_rules(tmp_path: Path) -> None:
    for quick in (1, 60):
        file = tmp_path / f"rules-{quick}.yaml"
        file.write_text(yaml.safe_dump(rules(quick)), "utf-8")
        told = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True)
        assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_is_raised_by_its_fault_and_not_without(case: Case, tmp_path: Path) -> None:
    (group,) = [group for group in rules()["groups"] if any(rule.get("alert") == case.alert for rule in group["rules"])]
    rule = next(rule for rule in group["rules"] if rule.get("alert") == case.alert)
    # What it says is filled in by Prometheus, so the labels alone are held against it here.
    for each in group["rules"]:
        each.pop("annotations", None)
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [group]}), "utf-8")
    labels = {"severity": rule["labels"]["severity"], **case.labels}

    def tried(series: dict[str, str], raised: list[dict[str, object]]) -> dict[str, object]:
        return {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "alert_rule_test": [{"eval_time": case.at, "alertname": case.alert, "exp_alerts": raised}],
        }

    test = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m" if len(case.at) < 5 else "20m",
        "tests": [tried(case.bad, [{"exp_labels": labels}]), tried(case.good, [])],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(test), "utf-8")
    told = subprocess.run(["promtool", "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr


def test_every_alert_has_its_runbook_and_no_runbook_is_left_over() -> None:
    written = {page.name for page in (ROOT / "docs/runbooks").glob("*.md")} - {"README.md"}
    assert written == {runbook(name) for name in alert_names()}
    for name in alert_names():
        text = (ROOT / "docs/runbooks" / runbook(name)).read_text("utf-8")
        assert text.startswith(f"# {name}\n")
        assert {"## What it means", "## Look at", "## Do"} <= set(text.splitlines())
