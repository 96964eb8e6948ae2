"""The demonstration's files are sound, and what its author states fits a naive model of the rules."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hueandcry.admit.head import head_of
from hueandcry.alerts.checks import check
from hueandcry.alerts.model import Alert, complete
from hueandcry.control.network import load_network
from hueandcry.demo import desk, expected, scenario
from hueandcry.errors import HueAndCryError
from hueandcry.rights.network import Network
from oracle import oracle_asks, oracle_may_receive

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOPICS = Path(__file__).parents[2] / "topics"


@pytest.fixture(scope="module")
def plan() -> scenario.Scenario:
    return scenario.load(NOW)


@pytest.fixture(scope="module")
def wanted() -> expected.Expected:
    return expected.load()


@pytest.fixture(scope="module")
def network() -> Network:
    return load_network(TOPICS).network


def _records(step: scenario.Step, network: Network) -> list[dict[str, Any]]:
    return [
        Alert.model_validate(
            complete(alert, issuer=agency, issuing_state=network.agencies[agency].state, now=NOW)
        ).to_record()
        for agency, alerts in step.alerts.items()
        for alert in alerts
    ]


def test_it_is_as_large_and_as_wide_as_promised(plan: scenario.Scenario, network: Network) -> None:
    assert plan.size >= 300
    publishers = {agency for step in plan.steps for agency in step.alerts}
    assert len(publishers) >= 5
    assert len({network.agencies[agency].region for agency in publishers}) >= 3
    kinds = {alert["kind"] for step in plan.steps for alerts in step.alerts.values() for alert in alerts}
    assert kinds == {"stolen_vehicle", "wanted_person", "cyber"}
    assert {each.fault for step in plan.steps for each in step.forged} == {"unsigned", "wrong_signer", "truncated"}


def test_every_message_has_its_expected_outcome_and_no_outcome_lacks_its_message(
    plan: scenario.Scenario, wanted: expected.Expected
) -> None:
    sent: Counter[tuple[str, int]] = Counter()
    for step in plan.steps:
        for alert in [*(one for alerts in step.alerts.values() for one in alerts), *(f.alert for f in step.forged)]:
            sent[alert["national_reference"], alert.get("version", 1)] += 1
    assert sent == {key: len(outcomes) for key, outcomes in wanted.outcomes.items()}


def test_what_is_delivered_or_recalled_was_published(plan: scenario.Scenario, wanted: expected.Expected) -> None:
    for deliveries in wanted.deliveries.values():
        assert {each[:2] for each in deliveries} <= wanted.outcomes.keys()


def test_who_receives_first_reports_is_what_a_naive_model_says(
    plan: scenario.Scenario, wanted: expected.Expected, network: Network
) -> None:
    """Only of the first two steps: in them nothing is known before, so rights and subscriptions alone decide."""
    for step in plan.steps[:2]:
        for record in _records(step, network):
            issuer = network.agencies[record["issuer"]]
            head = head_of(record, issuer.region)
            by_model = {
                agency.id
                for agency in network.agencies.values()
                if oracle_may_receive(agency, head, network)
                and any(oracle_asks(each, head) for each in network.subscriptions.values() if each.agency == agency.id)
            }
            reference = record["national_reference"]
            # The first version only; that an alert is issued again to somebody belongs to a later step.
            stated = {
                agency
                for agency, deliveries in wanted.deliveries.items()
                if any(each[:2] == (reference, 1) for each in deliveries)
            }
            assert stated == by_model, reference


def test_times_move_with_the_demonstration_so_that_nothing_expires(network: Network) -> None:
    for now in (NOW, NOW + timedelta(days=5000)):
        moment = int(now.timestamp() * 1000)
        for step in scenario.load(now).steps:
            for agency, alerts in step.alerts.items():
                for alert in alerts:
                    if alert["national_reference"] == "KEN-V-911":
                        continue  # whose clock is an hour ahead
                    given = complete(alert, issuer=agency, issuing_state=network.agencies[agency].state, now=now)
                    assert check(Alert.model_validate(given).to_record(), now_ms=moment) == []


def test_a_range_is_read_to_its_end() -> None:
    assert expected.references("A-1-008..011") == ["A-1-008", "A-1-009", "A-1-010", "A-1-011"]
    assert expected.references("A-1") == ["A-1"]


@pytest.mark.parametrize(
    "entry",
    [
        "{alerts: A-1, because: x, outcome: delivered, two: {}}",
        "{alerts: A-1..3, because: x, outcome: merged, into: B-1..2}",
        "{alerts: A-1, because: x, outcome: delivered, again: true}",
    ],
    ids=["unknown key", "ranges of different length", "a second outcome without a first"],
)
def test_a_statement_that_can_not_be_meant_is_refused(tmp_path: Path, entry: str) -> None:
    (tmp_path / "expected.yaml").write_text(f"entries:\n  - {entry}\n", "utf-8")
    with pytest.raises(HueAndCryError):
        expected.load(tmp_path)


def test_what_is_done_at_the_desk_is_about_alerts_that_are_there(plan: scenario.Scenario, network: Network) -> None:
    hits, searches = desk.load()
    issuers = {
        alert["national_reference"]: agency
        for step in plan.steps
        for agency, alerts in step.alerts.items()
        for alert in alerts
    }
    for hit in hits:
        assert {hit.by, *hit.notices} <= network.agencies.keys()
        assert hit.notices[issuers[hit.alert]] == ["report"]
        assert hit.notices[hit.by] == ["answer"]
    named = [reference for asked in searches for reference in (*asked.exact, *asked.proposed)]
    assert set(named) <= issuers.keys()
    assert {asked.by for asked in searches} <= network.agencies.keys()
    # One finds the very alert, one a possible one, one whom to ask, and one nothing.
    assert {asked.wanted.partition(" ")[0] for asked in searches} == {"exact", "possible", "ask", "nothing"}
