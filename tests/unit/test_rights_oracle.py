"""The rules agree with a naive model of them that was written apart, and explain says what they decide."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from hueandcry.rights.index import RoutingIndex
from hueandcry.rights.may_receive import explain, may_receive
from hueandcry.rights.network import Network
from hueandcry.rights.redact import withheld
from hueandcry.rights.routes import route
from oracle import oracle_asks, oracle_may_receive
from worlds import heads, networks, odd_heads

MANY = settings(max_examples=150, deadline=None)
HEADS = st.lists(heads(), min_size=4, max_size=12)


@MANY
@given(networks(), HEADS)
def test_no_leak_and_none_missed(network: Network, heads: list[dict[str, Any]]) -> None:
    for agency, head in product(network.agencies.values(), heads):
        verdict = may_receive(agency, head, network)
        event(verdict.rule)
        assert verdict.allowed == oracle_may_receive(agency, head, network), (agency, verdict)
        assert verdict.allowed == (verdict.rule == "granted")
        assert verdict.reason


@MANY
@given(networks(), HEADS)
def test_explain_says_what_is_decided(network: Network, heads: list[dict[str, Any]]) -> None:
    for agency, head in product(network.agencies.values(), heads):
        verdict = may_receive(agency, head, network)
        rules = explain(agency, head, network)
        assert verdict.allowed == all(rule.passed for rule in rules)
        assert all(rule.reason for rule in rules)
        refusing = next((rule for rule in rules if not rule.passed), None)
        if refusing is not None:
            assert (verdict.rule, verdict.reason) == (refusing.rule, refusing.reason)


@MANY
@given(networks(), HEADS)
def test_the_index_finds_exactly_the_subscriptions_that_ask(network: Network, heads: list[dict[str, Any]]) -> None:
    index = RoutingIndex(network)
    for head in [*heads, *heads]:
        asking: dict[str, list[str]] = {}
        for subscription in network.subscriptions.values():
            if subscription.agency in network.agencies and oracle_asks(subscription, head):
                asking.setdefault(subscription.agency, []).append(subscription.id)
        expected = [(agency, tuple(sorted(asking[agency]))) for agency in sorted(asking)]
        assert list(index.candidates(head).items()) == expected


@MANY
@given(networks(), HEADS)
def test_routes_are_the_candidates_that_may_receive(network: Network, heads: list[dict[str, Any]]) -> None:
    index = RoutingIndex(network)
    for head in heads:
        routes = route(head, index, network)
        candidates = index.candidates(head)
        entitled = [name for name in candidates if oracle_may_receive(network.agencies[name], head, network)]
        assert [granted.agency for granted in routes.granted] == entitled
        verdicts = [may_receive(network.agencies[name], head, network) for name in candidates]
        assert routes.refused == Counter(verdict.rule for verdict in verdicts if not verdict.allowed)
        for granted in routes.granted:
            assert granted.subscriptions == candidates[granted.agency]
            assert granted.withheld == withheld(network.agencies[granted.agency], head)


@MANY
@given(networks(), odd_heads())
def test_an_unknown_marking_goes_to_nobody_and_is_counted(network: Network, head: dict[str, Any]) -> None:
    index = RoutingIndex(network)
    candidates = index.candidates(head)
    refused = {"markings.known": len(candidates)} if candidates else {}
    assert route(head, index, network) == ([], refused)
    for agency in network.agencies.values():
        assert may_receive(agency, head, network).rule == "markings.known"
        assert not oracle_may_receive(agency, head, network)
        assert not any(rule.passed for rule in explain(agency, head, network))
