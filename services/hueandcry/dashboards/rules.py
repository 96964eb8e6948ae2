"""What is worked out in advance, and who is woken by what.

The service level: 99.9 % of alerts are in their inboxes within one second of Kafka's receipt, over 30 days. It is
alerted on by how fast its budget burns, over a long window that says it matters and a short one that says it goes on
(Google, The Site Reliability Workbook, chapter 5: 14.4 over 1 h, 6 over 6 h, 3 over 1 day, 1 over 3 days).

`severity: page` wakes somebody, `severity: ticket` waits for the morning. Each alert has a page in docs/runbooks/ of its
name. Times are written for a network in use; `quick` divides them, so that tests can make each fault for real.
"""

from __future__ import annotations

import re
from typing import Any

#: Share of alerts that may be late.
BUDGET = 0.001
_LATE = "hueandcry:delivery_late:ratio_rate"
_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
#: Times as fast as the budget allows, long and short window, severity.
_BURNS = ((14.4, "1h", "5m", "page"), (6, "6h", "30m", "page"), (3, "1d", "2h", "ticket"), (1, "3d", "6h", "ticket"))
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def rules(quick: int = 1) -> dict[str, Any]:
    """Prometheus' rule file, as it is written to YAML.

    Args:
        quick: divides windows, waits and limits in seconds; 1 for a network in use.
    """

    def time(text: str) -> str:
        return f"{max(1, int(text[:-1]) * _UNITS[text[-1]] // quick)}s" if quick > 1 else text

    def seconds(number: float) -> float:
        return number / quick

    recorded = [
        {
            "record": f"{_LATE}{window}",
            "expr": (
                f'1 - sum(rate(hueandcry_delivery_seconds_bucket{{le="1.0"}}[{time(window)}]))'
                f" / sum(rate(hueandcry_delivery_seconds_count[{time(window)}]) > 0)"
            ),
        }
        for window in _WINDOWS
    ]
    burning = [
        _alert(
            f"DeliveriesLate{'Fast' if severity == 'page' else 'Slowly'}{long}",
            f"{_LATE}{long} > {factor * BUDGET:g} and {_LATE}{short} > {factor * BUDGET:g}",
            severity,
            f"Alerts reach their inboxes late: {factor:g} times as many as the service level allows",
            "{{ $value | humanizePercentage }} of the alerts of the last " + long + " took longer than a second.",
        )
        for factor, long, short, severity in _BURNS
    ]
    works = [
        _alert(
            "ProcessDown",
            'up{job=~"hueandcry.*"} == 0',
            "page",
            "A process does not answer Prometheus",
            "{{ $labels.job }} at {{ $labels.instance }} can't be reached.",
            time("2m"),
        ),
        _alert(
            "LaneStuck",
            f"hueandcry_lane_oldest_seconds > {seconds(60):g}",
            "page",
            "A lane does not get a message done",
            "{{ $labels.lane }} at {{ $labels.instance }} has had a message in hand for {{ $value | humanizeDuration }}.",
            time("1m"),
        ),
        _alert(
            "LaneBehind",
            f'hueandcry_group_lag_seconds{{group=~".*\\\\.lane"}} > {seconds(60):g}',
            "page",
            "Alerts wait for a lane",
            "{{ $labels.group }} has been behind on {{ $labels.topic }} for {{ $value | humanizeDuration }}.",
            time("2m"),
        ),
        _alert(
            "LaneRollsBack",
            f"sum by (lane) (increase(hueandcry_lane_aborts_total[{time('10m')}])) > 5",
            "ticket",
            "A lane rolls transactions back",
            "{{ $labels.lane }}: {{ $value | humanize }} within 10 minutes.",
        ),
        _alert(
            "RestoreSlow",
            "hueandcry_lane_restore_remaining > 0",
            "ticket",
            "A process is still restoring its state",
            "{{ $labels.lane }} at {{ $labels.instance }} has {{ $value | humanize }} records left.",
            time("15m"),
        ),
        _alert(
            "DuePutOff",
            f"sum by (what) (increase(hueandcry_due_postponed_total[{time('10m')}])) > 0",
            "page",
            "What was due could not be done",
            "{{ $labels.what }}: an alert may outlive its validity, or a reminder not be sent.",
        ),
        _alert(
            "FaultOfOurs",
            f"sum by (stage) (increase(hueandcry_faults_total[{time('10m')}])) > 0",
            "page",
            "Messages were refused for a fault of ours",
            "{{ $labels.stage }}: {{ $value | humanize }} messages lie in quarantine with the rule internal.",
        ),
        _alert(
            "SearchOld",
            f"hueandcry_search_age_seconds > {seconds(60):g}",
            "page",
            "Search does not follow the register",
            "Searches at {{ $labels.instance }} see data that are {{ $value | humanizeDuration }} old.",
            time("1m"),
        ),
    ]
    people = [
        _alert(
            "AgencyBehind",
            f"hueandcry_agency_lag_seconds > {seconds(900):g}",
            "ticket",
            "An agency does not read what it is sent",
            "{{ $labels.agency }} has not read its oldest delivery for {{ $value | humanizeDuration }}.",
            time("5m"),
        ),
        _alert(
            "RegionSilent",
            f"time() - hueandcry_region_alert_timestamp_seconds > {seconds(6 * 3600):g}",
            "ticket",
            "A region has fallen silent",
            "Nothing was published in {{ $labels.region }} for {{ $value | humanizeDuration }}.",
        ),
        _alert(
            "PublisherSilent",
            f"time() - hueandcry_agency_receipt_timestamp_seconds > {seconds(3 * 86400):g}",
            "ticket",
            "An agency that published has fallen silent",
            "{{ $labels.agency }} had no receipt for {{ $value | humanizeDuration }}.",
        ),
        _alert(
            "QuarantineGrows",
            # Not by hueandcry_refusals_total: a rule that refuses for the first time shows itself with all it has refused.
            f"sum by (region) (delta(hueandcry_quarantine_offsets[{time('15m')}])) > 20 and "
            f"sum by (region) (delta(hueandcry_quarantine_offsets[{time('15m')}])) > "
            f"0.1 * sum by (region) (increase(hueandcry_outcomes_total[{time('15m')}]))",
            "ticket",
            "Many messages of a region are refused",
            "{{ $labels.region }}: {{ $value | humanize }} refusals in 15 minutes, more than a tenth of what came.",
        ),
        _alert(
            "HitsUnanswered",
            f'sum(increase(hueandcry_notices_total{{type="escalated"}}[{time("1h")}])) > 0',
            "ticket",
            "Issuers do not confirm hits in time",
            "{{ $value | humanize }} hits went to a bureau within the hour.",
        ),
    ]
    kafka = [
        _alert(
            "PartitionOffline",
            "hueandcry_kafka_offline_partitions > 0",
            "page",
            "Partitions have no leader",
            "{{ $value }} partitions can be neither written nor read.",
            time("1m"),
        ),
        _alert(
            "PartitionUnderReplicated",
            "hueandcry_kafka_under_replicated_partitions > 0",
            "ticket",
            "Partitions lack a replica",
            "{{ $value }} partitions have fewer replicas in sync than they should.",
            time("15m"),
        ),
        _alert(
            "WatchBlind",
            f"time() - hueandcry_watch_timestamp_seconds > {max(8, seconds(120)):g}",
            "page",
            "Nobody watches the cluster",
            "The last look at Kafka was {{ $value | humanizeDuration }} ago: it does not answer, or watch is stuck.",
        ),
        _alert(
            "CertificateEnds",
            "hueandcry_certificate_expiry_timestamp_seconds - time() < 14 * 86400",
            "ticket",
            "A certificate ends within 14 days",
            "That of {{ $labels.server }} ends in {{ $value | humanizeDuration }}.",
        ),
        _alert(
            "CertificateEndsNow",
            "hueandcry_certificate_expiry_timestamp_seconds - time() < 2 * 86400",
            "page",
            "A certificate ends within two days",
            "That of {{ $labels.server }} ends in {{ $value | humanizeDuration }}; then nobody can connect.",
        ),
    ]
    return {
        "groups": [
            {"name": "hueandcry-service-level", "rules": [*recorded, *burning]},
            {"name": "hueandcry-processes", "rules": works},
            {"name": "hueandcry-agencies", "rules": people},
            {"name": "hueandcry-kafka", "rules": kafka},
        ]
    }


def alert_names() -> list[str]:
    """Of all alerts, in their order."""
    return [rule["alert"] for group in rules()["groups"] for rule in group["rules"] if "alert" in rule]


def runbook(name: str) -> str:
    """Name of the file of an alert's runbook."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower() + ".md"


def _alert(name: str, expr: str, severity: str, summary: str, description: str, wait: str = "") -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expr,
        **({"for": wait} if wait else {}),
        "labels": {"severity": severity},
        "annotations": {
            "summary": summary,
            "description": description,
            "runbook": f"docs/runbooks/{runbook(name)}",
        },
    }
