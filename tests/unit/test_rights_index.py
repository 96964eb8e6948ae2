"""The index where properties say little: statuses, strangers, large networks and what it remembers."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hueandcry.rights.index import RoutingIndex
from hueandcry.rights.network import Agency, Network, Region, Subscription
from hueandcry.rights.routes import Granted, route
from oracle import oracle_asks
from worlds import CATEGORIES, KINDS

STATES = ("DEU", "FRA", "ESP")


def _agency(name: str, **changes: Any) -> Agency:
    fields: dict[str, Any] = {"state": "DEU", "region": "europe", "jurisdictions": ("world",), "clearance": "secret"}
    return Agency(**({"id": name, "name": name, "kinds": tuple(KINDS)} | fields | changes))


def _network(agencies: list[Agency], subscriptions: list[Subscription]) -> Network:
    return Network(
        regions={"europe": Region(id="europe", name="Europe", states=STATES)},
        agencies={agency.id: agency for agency in agencies},
        subscriptions={subscription.id: subscription for subscription in subscriptions},
    )


def _head(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "message_type": "issue",
        "status": "actual",
        "issuer": "elsewhere",
        "issuing_state": "DEU",
        "issuing_region": "europe",
        "kind": "cyber",
        "category": "detect",
        "circulation": ["world"],
        "classification": "unclassified",
        "handling_code": "H0",
        "tlp": "clear",
        "releasable_to": [],
        "excluded": [],
        "rights": [],
    }
    return fields | changes


@pytest.mark.parametrize(
    ("statuses", "reached_by"),
    [
        (("actual",), {"actual"}),
        ((), {"actual"}),
        (("test",), {"test"}),
        (("actual", "exercise"), {"actual", "exercise"}),
    ],
)
def test_exercises_and_tests_reach_only_who_names_them(statuses: tuple[str, ...], reached_by: set[str]) -> None:
    subscription = Subscription(id="s", agency="bka", statuses=statuses)  # pyright: ignore[reportArgumentType]
    index = RoutingIndex(_network([_agency("bka")], [subscription]))
    for status in ("actual", "exercise", "test", "unknown"):
        assert bool(index.candidates(_head(status=status))) == (status in reached_by)


def test_nobody_asks_in_an_empty_network() -> None:
    network = _network([], [])
    index = RoutingIndex(network)
    assert index.candidates(_head()) == {}
    assert route(_head(), index, network) == ([], {})


def test_an_agency_without_subscriptions_gets_nothing() -> None:
    network = _network([_agency("bka"), _agency("lka")], [Subscription(id="s", agency="lka")])
    assert [granted.agency for granted in route(_head(), RoutingIndex(network), network).granted] == ["lka"]


def test_a_subscription_without_agency_is_left_out() -> None:
    index = RoutingIndex(_network([_agency("bka")], [Subscription(id="s", agency="gone")]))
    assert index.candidates(_head()) == {}


def test_an_index_of_another_network_is_refused() -> None:
    one, other = _network([_agency("bka")], []), _network([_agency("bka")], [])
    with pytest.raises(ValueError, match="another network"):
        route(_head(), RoutingIndex(one), other)


def test_a_candidate_is_granted_with_all_its_subscriptions_and_without_what_it_may_not_see() -> None:
    network = _network(
        [_agency("bka", rights=("sources",)), _agency("lka", clearance="unclassified"), _agency("zka")],
        [Subscription(id=f"s{number}", agency="bka") for number in range(11)]
        + [Subscription(id="t", agency="lka"), Subscription(id="u", agency="zka", kinds=("stolen_vehicle",))],
    )
    routes = route(_head(tlp="amber", rights=["sources", "attribution"]), RoutingIndex(network), network)
    every = tuple(sorted(f"s{number}" for number in range(11)))
    assert routes.granted == [Granted("bka", every, frozenset({"attribution"}))]
    assert routes.refused == {"tlp": 1}


def test_many_subscriptions_match_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Agencies with none to hundreds of subscriptions, in an index that forgets all the time."""
    monkeypatch.setattr(RoutingIndex, "REMEMBERED", 4_000)
    chance = random.Random(7)
    agencies = [_agency(f"a{number:03}") for number in range(60)]
    subscriptions = [
        Subscription(
            id=f"s{number:04}",
            agency=chance.choice(agencies[: chance.choice([2, 8, 60])]).id,
            kinds=tuple(chance.sample(KINDS, chance.choice([0, 1, 2]))),  # pyright: ignore[reportArgumentType]
            categories=tuple(chance.sample(CATEGORIES, chance.choice([0, 1]))),
            issuing_states=tuple(chance.sample(STATES, chance.choice([0, 1, 2]))),
        )
        for number in range(1_500)
    ]
    network = _network(agencies, subscriptions)
    index = RoutingIndex(network)
    for _ in range(60):
        head = _head(
            kind=chance.choice(KINDS), category=chance.choice(CATEGORIES), issuing_state=chance.choice([*STATES, "KEN"])
        )
        expected: dict[str, list[str]] = {}
        for subscription in subscriptions:
            if oracle_asks(subscription, head):
                expected.setdefault(subscription.agency, []).append(subscription.id)
        assert index.candidates(head) == {agency: tuple(sorted(ids)) for agency, ids in expected.items()}


def test_who_is_refused_twice_is_counted_for_the_first_rule() -> None:
    """The masks know a misspelt exclusion as the rules do, so that a later rule does not take the count."""
    network = _network([_agency("bka", clearance="unclassified")], [Subscription(id="s", agency="bka")])
    index = RoutingIndex(network)
    assert route(_head(excluded=[" deu"], classification="secret"), index, network) == ([], {"excluded": 1})
    assert route(_head(excluded=["DE"], classification="secret"), index, network) == ([], {"clearance": 1})
