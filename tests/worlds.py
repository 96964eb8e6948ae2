"""Hypothesis strategies for small networks and routing heads, dense in everything that can go wrong between them.

Names come from one small pool, so that agencies, regions and coalitions now and then share one.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from hueandcry.rights.network import Agency, Network, Region, Subscription

KINDS = ["stolen_vehicle", "wanted_person", "cyber"]
STATUSES = ["actual", "exercise", "test"]
CLEARANCES = ["unclassified", "restricted", "confidential", "secret"]
CATEGORIES = ["arrest", "seizure", "detect"]
RIGHTS = ["biometrics", "sources", "attribution"]
#: States: three neighbours, one elsewhere, one that ISO does not know, one that nothing knows.
STATES = ["DEU", "FRA", "ESP", "KEN", "XKX", "ZZZ"]
REGIONS = ["europe", "africa", "world"]
AGENCIES = ["bka", "bka-2", "gendarmerie", "europe", "circle", "deu"]
COALITIONS = ["circle", "harbour", "africa"]
#: FR-75C lies in FR-IDF, which lies in FRA.
SUBDIVISIONS = ["DE-BY", "DE-BE", "FR-IDF", "FR-75C", "ES-CT", "KE-30", "DE-XX"]
PLACES = ["world", "europe", "africa", *STATES, *SUBDIVISIONS]
NAMES = [*STATES, *REGIONS, *AGENCIES, *COALITIONS]
#: What looks like one of them and is none.
ODD_NAMES = ["", " DEU", "ＤＥＵ", "Bka", "europe ", "eur", "b", "DE-BY", "nobody", "ken"]


def some(values: list[str], most: int = 3, least: int = 0, *, unique: bool = True) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=least, max_size=most, unique=unique)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """A network of up to five agencies and eight subscriptions."""
    home = {state: draw(st.sampled_from([*REGIONS, ""])) for state in STATES[:5]}
    regions = {
        name: Region(id=name, name=name, states=tuple(state for state in home if home[state] == name))
        for name in draw(some(REGIONS, least=1))
    }
    agencies = {name: draw(agencies_called(name)) for name in draw(some(AGENCIES, most=5, least=1))}
    subscriptions: dict[str, Subscription] = {}
    for number in range(draw(st.integers(0, 8))):
        subscription = draw(subscriptions_called(f"s{number}"))
        subscriptions[subscription.id] = subscription
    return Network(regions=regions, agencies=agencies, subscriptions=subscriptions)


def agencies_called(name: str) -> st.SearchStrategy[Agency]:
    return st.builds(
        Agency,
        id=st.just(name),
        name=st.just(name),
        state=st.sampled_from(STATES[:5]),
        region=st.sampled_from(REGIONS),
        jurisdictions=(st.just(["world"]) | some(PLACES, least=1)).map(tuple),
        clearance=st.sampled_from([*CLEARANCES, "secret"]),
        kinds=(st.just(KINDS) | some(KINDS)).map(tuple),
        rights=some(RIGHTS).map(tuple),
        coalitions=some(COALITIONS, most=2).map(tuple),
    )  # pyright: ignore[reportReturnType]


def subscriptions_called(name: str) -> st.SearchStrategy[Subscription]:
    return st.builds(
        Subscription,
        id=st.just(name),
        agency=st.sampled_from([*AGENCIES, "gone"]),
        kinds=some(KINDS, most=2).map(tuple),
        categories=some(CATEGORIES, most=2).map(tuple),
        issuing_states=some(STATES, most=2).map(tuple),
        issuing_regions=some(REGIONS[:2], most=1).map(tuple),
        statuses=st.sampled_from([("actual",), ("actual", "test"), ("exercise",), ()]),
    )  # pyright: ignore[reportReturnType]


def heads() -> st.SearchStrategy[dict[str, Any]]:
    """A routing head whose markings are known; `odd_heads` has the others."""
    return st.fixed_dictionaries(
        {
            "alert_id": st.just("5e0b3f0a-0000-5000-8000-000000000000"),
            "version": st.just(1),
            "message_type": st.sampled_from(["issue", "update", "withdraw"]),
            "status": st.sampled_from(["actual", "actual", *STATUSES]),
            "issuer": st.sampled_from([*["elsewhere"] * 6, *AGENCIES]),
            "issuing_state": st.sampled_from(STATES),
            "issuing_region": st.sampled_from(REGIONS[:2]),
            "kind": st.sampled_from(KINDS),
            "category": st.sampled_from(CATEGORIES),
            "action": st.just("arrest"),
            "issued_at": st.just(0),
            "effective_from": st.just(0),
            "expires_at": st.just(1),
            "circulation": st.just(["world"]) | some([*PLACES, "", "de-by", "DE"], least=1, unique=False),
            "classification": st.sampled_from(["unclassified", "unclassified", *CLEARANCES]),
            "handling_code": st.sampled_from(["H0", "H1", "H2", "H3"]),
            "tlp": st.sampled_from(["clear", "green", "amber", "amber_strict", "red"]),
            "releasable_to": st.just([]) | some([*NAMES, *NAMES, *ODD_NAMES], most=6, least=1, unique=False),
            "excluded": st.just([]) | some([*NAMES, *ODD_NAMES, *ODD_NAMES], most=2, least=1, unique=False),
            "offences": st.just([]),
            "rights": some(RIGHTS, most=2, unique=False),
        }
    )


@st.composite
def odd_heads(draw: st.DrawFn) -> dict[str, Any]:
    """A routing head in which a marking is unknown."""
    head = draw(heads())
    name, value = draw(st.sampled_from(ODD_MARKINGS))
    return head | {name: value}


ODD_MARKINGS: list[tuple[str, Any]] = [
    *((name, "unknown") for name in ("kind", "status", "classification", "handling_code", "tlp", "category")),
    ("message_type", "unknown"),
    ("message_type", "cancel"),
    ("kind", "Cyber"),
    ("classification", ""),
    ("classification", "top_secret"),
    ("handling_code", "H4"),
    ("handling_code", "h0"),
    ("tlp", "white"),
    ("tlp", "RED"),
    ("category", " arrest"),
    ("rights", ["dna"]),
    ("rights", ["biometrics", ""]),
]
