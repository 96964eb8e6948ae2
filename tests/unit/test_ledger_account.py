"""What oversight is told of a span of time."""

from __future__ import annotations

from typing import Any

from hueandcry.ledger.account import account
from hueandcry.ledger.records import Act, bodies
from hueandcry.wire.codec import decode

DAY = 86_400_000
ONE, OTHER = "67d51283-0897-56dd-babc-5d7802f6a043", "67d51283-0897-56dd-babc-5d7802f6a044"


def records(*acts: Act) -> list[dict[str, Any]]:
    return [decode("hueandcry.LedgerRecord", body) for body in bodies(acts)]


def test_disclosures_refusals_and_searches() -> None:
    seen = Act(
        "disclosed", "issued", "fra-police", 5, "ken-police", "KEN", ONE, 1, "subscription: cars", "d", "original"
    )
    rule = "subscription: cars"
    log = records(
        seen._replace(at=1),
        seen,
        seen._replace(at=9, to="deu-vehicles", state="DEU"),
        seen._replace(at=10),
        Act("refused", "issue", "fra-police", 6, rule="vin.form"),
        Act("consulted", "vin", "ken-police", 7, ref="c-1", seal=b"s1"),
        Act("consulted", "plate", "ken-police", 7, ref="c-2", seal=b"s2"),
        Act("combined", "link", "platform", 8, alert_id=ONE, ref=OTHER),
    )
    searched = {"c-1": ("a theft", b"s1"), "c-2": ("a stop", b"another"), "c-3": ("never logged", b"s3")}
    found = account(log, searched, 5, 10, DAY)
    assert found.disclosures == {
        ("ken-police", "KEN", rule, "issued", "original"): 1,
        ("deu-vehicles", "DEU", rule, "issued", "original"): 1,
    }
    assert found.refused == {("fra-police", "vin.form"): 1}
    assert found.searches == {("ken-police", "vin", "a theft"): 1, ("ken-police", "plate", "a stop"): 1}
    assert found.unaccounted == 2, "one was changed since, one is in no record"
    assert found.other == {("combined", "link"): 1}
    assert ("disclosed", "ken-police", "KEN", rule, "issued", "original", 1) in found.rows()


def test_erasures() -> None:
    ended = Act("altered", "withdraw", "fra-police", 0, alert_id=ONE)
    log = records(
        ended,
        ended._replace(what="expired", alert_id=OTHER, by="platform", at=DAY),
        Act("erased", "register", "platform", DAY + 5, alert_id=ONE),
    )
    found = account(log, {}, DAY, 3 * DAY, DAY)
    assert (found.erasures_due, found.erasures_done, found.erasures_overdue) == (2, 1, 1)
    # Before its time nothing is overdue; and what lives again is not due.
    assert account(log, {}, DAY, 2 * DAY, DAY).erasures_overdue == 0
    again = records(ended, Act("altered", "extend", "fra-police", 1, alert_id=ONE))
    assert account(again, {}, DAY, 3 * DAY, DAY).erasures_due == 0
