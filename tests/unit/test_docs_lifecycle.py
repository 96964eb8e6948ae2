"""docs/lifecycle.md says what the code does: the same events, who may, who hears."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from factories import NOW_MS
from hueandcry.alerts.categories import MessageType
from hueandcry.alerts.ids import report_id
from hueandcry.alerts.reports import BUREAUS, CONFIRM_WITHIN_MS, HOLDERS, ISSUERS, ReportType
from hueandcry.distribute.schedule import What
from reporting import ReportWorld, network_with_bureaus, report
from simulator import alert

PAGE = (Path(__file__).parents[2] / "docs/lifecycle.md").read_text("utf-8")
NETWORK = network_with_bureaus()
ALERT = alert()["alert_id"]
WHO = {"ken-police": "a holder", "ken-bureau": "a bureau", "fra-police": "the issuer"}
MAY = {
    kind: who
    for who, kinds in (("ken-police", HOLDERS), ("ken-bureau", BUREAUS), ("fra-police", ISSUERS))
    for kind in kinds
}
#: As the table calls those who hear of a report.
NAMES = {
    frozenset({"fra-police"}): "the issuer",
    frozenset({"fra-police", "ken-police", "ken-bureau"}): "the issuer, holders in the bureau's state",
    frozenset({"ken-police"}): "the reporter of the hit",
    frozenset(
        {"fra-police", "fra-bureau", "ken-police"}
    ): "the issuer, the bureaus of its state that may see the alert, the reporter of the hit",
}


def rows(heading: str) -> list[list[str]]:
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in part.splitlines() if line.startswith("| `")
    ]


REPORTS = {row[0].strip("` "): row for row in rows("What agencies report")}


def test_every_event_has_its_row_and_no_other() -> None:
    sent = [row[0].strip("` ") for row in rows("What issuers send")]
    due = {row[0].strip("` ") for row in rows("What time does")}
    assert sorted(sent) == sorted(get_args(MessageType))
    assert sorted(REPORTS) == sorted(get_args(ReportType))
    assert due | {"expire"} == set(get_args(What))


@pytest.mark.parametrize("kind", sorted(get_args(ReportType)))
def test_who_may_report_and_who_hears_of_it(kind: str) -> None:
    assert REPORTS[kind][1].startswith(WHO[MAY[kind]])
    for reporter in WHO:
        w = ReportWorld(NETWORK, 3)
        w.send(alert(), "vin:1")
        w.report(report("ken-police", ALERT, "locate" if kind == "clear" else "hit", "before"))
        if kind == "unflag":
            w.report(report("ken-bureau", ALERT, "flag", "before"))
        w.heard.clear()
        w.told.clear()
        answers = report_id("ken-police", "before") if kind in ISSUERS else None
        w.report(report(reporter, ALERT, kind, "now", answers=answers))
        heard = frozenset({*w.heard, *w.told})
        # A bureau holds the alert too.
        if reporter == MAY[kind] or (reporter == "ken-bureau" and kind in HOLDERS):
            assert REPORTS[kind][2].startswith(NAMES[heard])
        else:
            assert heard == set()


def test_who_hears_of_a_hit_that_is_not_answered() -> None:
    w = ReportWorld(NETWORK, 3)
    w.send(alert(), "vin:1")
    w.report(report("ken-police", ALERT))
    for step, row in enumerate((row for row in rows("What time does") if "answer" in row[0]), 1):
        w.heard.clear()
        w.tick(NOW_MS + step * CONFIRM_WITHIN_MS["routine"])
        assert row[2].startswith(NAMES[frozenset(w.heard)])


def test_the_page_tells_the_times() -> None:
    minutes = {urgency: within // 60_000 for urgency, within in CONFIRM_WITHIN_MS.items()}
    assert minutes == {"urgent": 10, "routine": 60}
    assert re.search(r"urgent 10 minutes, routine 1 hour", PAGE)
