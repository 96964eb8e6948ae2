"""The demonstration's check sees whatever is not as it should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hueandcry.demo.compare import Difference, Sent, Told, differences
from hueandcry.demo.expected import NOBODY, Delivered, Expected, Outcome
from hueandcry.sdk.delivery import Delivery, Place

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SOURCE = ("alerts.europe", 0, 7)
BAD = ("alerts.europe", 0, 8)
ALERT = {
    "issuer": "a",
    "provenance": {"source": "told by x", "system": "s"},
    "subject": {"biometrics": [{"reference": "r"}], "marks": "scar"},
}
REDACTED = {**ALERT, "provenance": {"source": None, "system": "s"}}
SENT = [Sent("a", "A-1", 1, "id-1", SOURCE, ALERT), Sent("a", "A-2", 1, "id-2", BAD, None)]
EXPECTED = Expected(
    {"b": Counter([Delivered("A-1", 1, "issued")]), "c": Counter([Delivered("A-1", 1, "issued without sources")])},
    {("A-1", 1): [Outcome("delivered")], ("A-2", 1): [Outcome("refused", rules=("proof.missing",), told="a")]},
)
REFUSED = ({"rule": "proof.missing", "field": "", "message": "", "place": None},)

Told_ = dict[tuple[str, int, int], list[Told]]
Inboxes = dict[str, list[Delivery]]


def delivery(alert: dict[str, Any] | None, form: str, action: str = "issued", alert_id: str = "id-1") -> Delivery:
    return Delivery(
        *("d", action, alert_id, 1, "wanted_person", "id-1", NOW, NOW, form, "", (), False, -1, {}, 1, alert),
        *(Place("inbox.b", 0, 0, 0), (), b"", {}),
    )


def told() -> Told_:
    return {
        SOURCE: [Told("a", SOURCE, "delivered", None, (), 2)],
        BAD: [Told("a", BAD, "refused", None, REFUSED, 0), Told(NOBODY, BAD, "refused", None, REFUSED, 0)],
    }


def inboxes() -> Inboxes:
    return {"b": [delivery(ALERT, "original")], "c": [delivery(REDACTED, "redacted")], "d": []}


def test_what_is_as_expected_has_no_difference() -> None:
    assert differences(EXPECTED, SENT, told(), inboxes()) == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda t, i: i["b"].clear(), Difference("b", "A-1", "issued", "nothing")),
        (lambda t, i: i["b"].append(i["b"][0]), Difference("b", "A-1", "issued", "issued (2 times)")),
        (lambda t, i: i["d"].append(i["b"][0]), Difference("d", "A-1", "nothing", "issued")),
        (
            lambda t, i: i["c"].__setitem__(0, delivery(ALERT, "original")),
            Difference("c", "A-1", "issued without sources", "issued"),
        ),
        (
            lambda t, i: i["c"].__setitem__(0, delivery(ALERT, "redacted")),
            Difference("c", "A-1", "issued without sources", "issued, marked as redacted"),
        ),
        (
            lambda t, i: i["b"].__setitem__(0, delivery({**ALERT, "issuer": "z"}, "original")),
            Difference("b", "A-1", "issued", "issued, with other content"),
        ),
        (
            lambda t, i: i["b"].__setitem__(0, delivery(None, "none", "recalled")),
            Difference("b", "A-1", "issued", "recalled"),
        ),
        (
            lambda t, i: i["d"].append(delivery(ALERT, "original", alert_id="id-9")),
            Difference("d", "id-9", "nothing", "issued, which nobody has published"),
        ),
        (
            lambda t, i: i["d"].append(replace(delivery(None, "none", "linked"), related=("id-2",))),
            Difference("d", "A-1", "nothing", "linked with A-2"),
        ),
        (lambda t, i: t.pop(SOURCE), Difference("a", "A-1", "delivered", "no outcome")),
        (
            lambda t, i: t[SOURCE].append(t[SOURCE][0]),
            Difference("a", "A-1", "delivered", "2 receipts, 0 quarantined"),
        ),
        (
            lambda t, i: t.__setitem__(SOURCE, [Told("a", SOURCE, "merged", "id-2", (), 0)]),
            Difference("a", "A-1", "delivered", "merged into A-2"),
        ),
        (
            lambda t, i: t.__setitem__(SOURCE, [Told("z", SOURCE, "delivered", None, (), 2)]),
            Difference("a", "A-1", "delivered", "delivered, but z was told"),
        ),
        (
            lambda t, i: t[BAD].pop(),
            Difference("a", "A-2", "refused by proof.missing, a told", "refused, but not quarantined"),
        ),
        (
            lambda t, i: t[BAD].pop(0),
            Difference("a", "A-2", "refused by proof.missing, a told", "refused by proof.missing, nobody told"),
        ),
        (
            lambda t, i: t.__setitem__(("alerts.europe", 0, 9), t[SOURCE]),
            Difference("", "alerts.europe[0]@9", "not sent", "delivered"),
        ),
    ],
    ids=[
        "missing",
        "twice",
        "to one who may not",
        "not redacted",
        "marked as redacted, but not",
        "altered",
        "another action",
        "an unknown alert",
        "a link",
        "no outcome",
        "two outcomes",
        "another outcome",
        "the wrong one told",
        "not kept",
        "nobody told",
        "an outcome of nothing",
    ],
)
def test_each_fault_is_seen(change: Callable[[Told_, Inboxes], object], difference: Difference) -> None:
    receipts, received = told(), inboxes()
    change(receipts, received)
    assert differences(EXPECTED, SENT, receipts, received) == [difference]


def test_a_notice_is_no_outcome() -> None:
    receipts = told()
    receipts[SOURCE].append(Told("a", SOURCE, "notice", None, (), 0))
    assert differences(EXPECTED, SENT, receipts, inboxes()) == []
    receipts[SOURCE].pop(0)
    assert differences(EXPECTED, SENT, receipts, inboxes()) == [Difference("a", "A-1", "delivered", "no outcome")]


def test_what_was_expected_and_never_sent_is_seen() -> None:
    found = differences(EXPECTED, SENT[:1], {SOURCE: told()[SOURCE]}, inboxes())
    assert found == [Difference("", "A-2", "refused by proof.missing, a told", "not sent")]
