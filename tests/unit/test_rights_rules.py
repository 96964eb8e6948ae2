"""The rules one by one, their tables against avro/, and what their words may say."""

from __future__ import annotations

import gc
import json
import weakref
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from hueandcry.rights import standing as standing_module
from hueandcry.rights.jurisdiction import Places
from hueandcry.rights.may_receive import explain, may_receive
from hueandcry.rights.network import Agency, Network, Region
from hueandcry.rights.rules import LISTS, MARKINGS, RIGHTS, RULES
from worlds import heads, networks

AVRO = Path(__file__).parents[2] / "avro"
REGIONS = {
    "europe": Region(id="europe", name="Europe", states=("DEU", "FRA", "XKX")),
    "africa": Region(id="africa", name="Africa", states=("KEN",)),
}


def agency(**changes: Any) -> Agency:
    fields: dict[str, Any] = {
        "id": "bka",
        "name": "BKA",
        "state": "DEU",
        "region": "europe",
        "jurisdictions": ("DEU",),
        "clearance": "secret",
        "kinds": ("stolen_vehicle", "wanted_person", "cyber"),
        "coalitions": ("harbour",),
    }
    return Agency(**(fields | changes))


def network(*agencies: Agency, regions: dict[str, Region] = REGIONS) -> Network:
    return Network(regions=regions, agencies={one.id: one for one in agencies})


def head(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "alert_id": "5e0b3f0a-0000-5000-8000-000000000000",
        "version": 1,
        "message_type": "issue",
        "status": "actual",
        "issuer": "gendarmerie",
        "issuing_state": "FRA",
        "issuing_region": "europe",
        "kind": "wanted_person",
        "category": "arrest",
        "action": "arrest",
        "circulation": ["world"],
        "classification": "unclassified",
        "handling_code": "H0",
        "tlp": "green",
        "releasable_to": [],
        "excluded": [],
        "offences": [],
        "rights": [],
    }
    return fields | changes


def rule(who: Agency, what: dict[str, Any], where: Network | None = None) -> str:
    return may_receive(who, what, where or network(who)).rule


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("kind", "Kind"),
        ("status", "Status"),
        ("classification", "Classification"),
        ("handling_code", "HandlingCode"),
        ("tlp", "Tlp"),
        ("category", "Category"),
        ("message_type", "MessageType"),
    ],
)
def test_the_markings_are_those_of_the_schemas(name: str, record: str) -> None:
    symbols = json.loads((AVRO / f"hueandcry.{record}.avsc").read_text())["symbols"]
    assert MARKINGS[name] == set(symbols) - {"unknown"}
    assert "unknown" in symbols


def test_the_head_carries_every_marking() -> None:
    fields = {field["name"] for field in json.loads((AVRO / "hueandcry.Head.avsc").read_text())["fields"]}
    assert set(head()) <= fields
    assert set(MARKINGS) <= fields


MALFORMED: list[tuple[str, dict[str, Any]]] = [
    *(
        (f"no {name}", {name: ...})
        for name in (*MARKINGS, "circulation", "releasable_to", "excluded", "rights", "issuer")
    ),
    *((f"null {name}", {name: None}) for name in (*MARKINGS, *LISTS)),
    ("text for a list of names", {"releasable_to": "DEU"}),
    ("a mapping for a list", {"excluded": {}}),
    ("text for the circulation", {"circulation": "world"}),
    ("a list for a marking", {"tlp": ["green"]}),
    ("a right that we don't know", {"rights": ["dna"]}),
    ("a right in another case", {"rights": ["Biometrics"]}),
    ("a marking in another case", {"tlp": "Green"}),
    ("a marking with a blank", {"classification": "unclassified "}),
    ("the symbol for unknown", {"handling_code": "unknown"}),
]


@pytest.mark.parametrize("changes", [changes for _, changes in MALFORMED], ids=[name for name, _ in MALFORMED])
def test_what_is_not_understood_goes_to_nobody(changes: dict[str, Any]) -> None:
    malformed = {name: value for name, value in (head() | changes).items() if value is not ...}
    (name,) = changes
    verdict = may_receive(agency(), malformed, network(agency()))
    assert (verdict.allowed, verdict.rule) == (False, "markings.known")
    assert name in verdict.reason
    assert not any(one.passed for one in explain(agency(), malformed, network(agency())))


def test_the_plain_case_is_granted() -> None:
    assert rule(agency(), head()) == "granted"


@pytest.mark.parametrize("name", ["bka", "DEU", "europe", "harbour"])
def test_each_name_of_an_agency_releases_and_excludes(name: str) -> None:
    assert rule(agency(), head(releasable_to=["KEN", name])) == "granted"
    assert rule(agency(), head(excluded=["KEN", name])) == "excluded"
    assert rule(agency(), head(releasable_to=[name], excluded=[name])) == "excluded"


@pytest.mark.parametrize(
    "name", ["", "b", "bk", "bka-2", "bka ", "BKA", "deu", " DEU", "DE", "Europe", "eur", "DE-BY", "world", "KEN"]
)
def test_no_other_name_releases(name: str) -> None:
    assert rule(agency(), head(releasable_to=[name])) == "releasable_to"
    assert rule(agency(), head(releasable_to=[name, name])) == "releasable_to"


@pytest.mark.parametrize("name", ["world", "deu", " DEU", "ＤＥＵ", "BKA", "Europe", "bka\n", "WORLD"])
def test_an_exclusion_is_read_generously(name: str) -> None:
    assert rule(agency(), head(excluded=[name])) == "excluded"


@pytest.mark.parametrize("name", ["", "b", "bka-2", "DE", "DE-BY", "KEN", "eur"])
def test_another_name_does_not_exclude(name: str) -> None:
    assert rule(agency(), head(excluded=[name])) == "granted"


def test_a_state_does_not_exclude_an_agency_that_is_called_like_it() -> None:
    ken = agency(id="ken")
    assert rule(ken, head(excluded=["KEN"])) == "granted"
    assert rule(ken, head(excluded=["ken"])) == "excluded"


def test_a_name_with_two_meanings_releases_to_nobody_and_excludes_all() -> None:
    impostor = agency(id="europe", state="KEN", region="africa", jurisdictions=("world",), coalitions=())
    member = agency()
    world = network(impostor, member)
    for one in (impostor, member):
        assert rule(one, head(releasable_to=["europe"]), world) == "releasable_to"
        assert rule(one, head(excluded=["europe"]), world) == "excluded"
    assert rule(impostor, head(tlp="red", releasable_to=["europe", "KEN"]), world) == "tlp"
    assert rule(impostor, head(handling_code="H3", releasable_to=["europe", "KEN"]), world) == "handling"


def test_a_coalition_called_like_an_agency_lets_nobody_in() -> None:
    member = agency(coalitions=("gendarmerie",))
    world = network(member, agency(id="gendarmerie", state="FRA"))
    assert rule(member, head(issuer="x", releasable_to=["gendarmerie"]), world) == "releasable_to"


@pytest.mark.parametrize(
    ("jurisdiction", "meets", "meets_not"),
    [
        ("DEU", ["DEU", "DE-BY", "europe", "world"], ["FRA", "FR-IDF", "africa", "DE", "deu", "", "DE-XX"]),
        ("DE-BY", ["DE-BY", "DEU", "europe", "world"], ["DE-BE", "FRA", "africa", "DE-", "DE-B"]),
        ("europe", ["DEU", "FRA", "FR-75C", "XKX", "world"], ["KEN", "KE-30", "africa", "Europe"]),
        ("world", ["DEU", "KEN", "USA", "US-CA", "europe", "world"], ["ZZZ", "", "WORLD", "DE-XX"]),
        ("FR-IDF", ["FR-IDF", "FR-75C", "FRA", "europe"], ["FR-13", "DEU"]),
        ("FR-75C", ["FR-75C", "FR-IDF", "FRA"], ["FR-92", "FR-ARA"]),
        ("XKX", ["XKX", "europe", "world"], ["SRB", "DEU"]),
        ("USA", ["USA", "US-CA", "world"], ["europe", "africa"]),
        ("ZZZ", [], ["ZZZ", "world", "europe"]),
        ("DE-XX", [], ["DE-XX", "DEU", "world"]),
        ("atlantis", [], ["atlantis", "world"]),
    ],
)
def test_places_meet_where_one_lies_in_the_other(jurisdiction: str, meets: list[str], meets_not: list[str]) -> None:
    who = agency(jurisdictions=(jurisdiction,))
    for place in meets:
        assert rule(who, head(circulation=[place])) == "granted", place
        assert rule(who, head(circulation=["KEN-", place, place])) == "granted", place
    for place in meets_not:
        assert rule(who, head(circulation=[place])) == "circulation", place
    assert rule(who, head(circulation=[])) == "circulation"


def test_meeting_is_mutual() -> None:
    places = Places(REGIONS.values())
    known = sorted(places.reach(("world",)))
    assert len(known) > 5000
    for one in ["world", "europe", "DEU", "DE-BY", "FR-IDF", "FR-75C", "USA"]:
        reach = places.reach((one,))
        assert reach == {other for other in known if one in places.reach((other,))}


def test_a_region_called_world_is_not_the_world() -> None:
    odd = {**REGIONS, "world": Region(id="world", name="World", states=("USA",))}
    usa = agency(id="fbi", state="USA", region="world", jurisdictions=("USA",), coalitions=())
    assert rule(usa, head(releasable_to=["world"]), network(usa, regions=odd)) == "releasable_to"
    assert rule(usa, head(circulation=["world"]), network(usa, regions=odd)) == "granted"


LEVELS = ["unclassified", "restricted", "confidential", "secret"]


@pytest.mark.parametrize("clearance", LEVELS)
@pytest.mark.parametrize("classification", LEVELS)
def test_clearance_covers_what_is_not_above_it(clearance: str, classification: str) -> None:
    enough = LEVELS.index(clearance) >= LEVELS.index(classification)
    who = agency(clearance=clearance)
    assert rule(who, head(classification=classification)) == ("granted" if enough else "clearance")


@pytest.mark.parametrize(
    ("tlp", "names", "clearance", "expected"),
    [
        ("clear", [], "unclassified", "granted"),
        ("green", [], "unclassified", "granted"),
        ("amber", [], "unclassified", "tlp"),
        ("amber", ["bka"], "unclassified", "tlp"),
        ("amber", [], "restricted", "granted"),
        ("amber_strict", [], "secret", "tlp"),
        ("amber_strict", ["europe"], "secret", "tlp"),
        ("amber_strict", ["harbour"], "secret", "tlp"),
        ("amber_strict", ["DEU"], "unclassified", "granted"),
        ("amber_strict", ["bka"], "unclassified", "granted"),
        ("red", [], "secret", "tlp"),
        ("red", ["DEU", "europe", "harbour"], "secret", "tlp"),
        ("red", ["bka"], "unclassified", "granted"),
        ("red", ["KEN", "bka", "bka"], "unclassified", "granted"),
    ],
)
def test_tlp(tlp: str, names: list[str], clearance: str, expected: str) -> None:
    assert rule(agency(clearance=clearance), head(tlp=tlp, releasable_to=names)) == expected


@pytest.mark.parametrize(
    ("code", "names", "expected"),
    [
        ("H0", [], "granted"),
        ("H1", [], "granted"),
        ("H2", [], "handling"),
        ("H2", ["harbour"], "granted"),
        ("H2", ["KEN"], "releasable_to"),
        ("H3", [], "handling"),
        ("H3", ["DEU", "europe", "harbour"], "handling"),
        ("H3", ["bka"], "granted"),
    ],
)
def test_handling_codes(code: str, names: list[str], expected: str) -> None:
    assert rule(agency(), head(handling_code=code, releasable_to=names)) == expected


def test_the_first_rule_that_refuses_is_named() -> None:
    """Each alert breaks one rule and all after it."""
    who = agency(id="gendarmerie", clearance="unclassified", kinds=("cyber",))
    what = head(
        excluded=["DEU"],
        releasable_to=["KEN"],
        circulation=["KEN"],
        classification="secret",
        tlp="red",
        handling_code="H3",
        status="unknown",
    )
    mended: list[tuple[str, dict[str, Any]]] = [
        ("markings.known", {"status": "actual"}),
        ("issuer.self", {"issuer": "another"}),
        ("excluded", {"excluded": []}),
        ("releasable_to", {"releasable_to": ["DEU"]}),
        ("circulation", {"circulation": ["DEU"]}),
        ("clearance", {"classification": "unclassified"}),
        ("need_to_know", {"kind": "cyber"}),
        ("tlp", {"tlp": "amber_strict"}),
        ("handling", {"handling_code": "H2"}),
    ]
    assert [name for name, _ in mended] == [one.name for one in RULES]
    for name, change in mended:
        assert rule(who, what) == name
        what |= change
    assert rule(who, what) == "granted"


@settings(max_examples=100, deadline=None)
@given(networks(), heads())
def test_words_hold_nothing_that_only_the_alert_says(world: Network, what: dict[str, Any]) -> None:
    """Names that an alert carries reach the words only where they are the agency's own or known places."""
    secret = "lies-at-the-mill"
    places = Places(world.regions.values())
    lists = {name: [*what[name], secret] for name in ("circulation", "releasable_to", "excluded")}
    for who in world.agencies.values():
        for verdict in explain(who, what | lists | {"issuer": secret, "alert_id": secret}, world):
            assert secret not in verdict.reason
    assert secret not in places


@pytest.mark.parametrize("name", sorted(MARKINGS))
def test_words_do_not_repeat_an_unknown_marking(name: str) -> None:
    assert "mill" not in may_receive(agency(), head(**{name: "mill"}), network(agency())).reason


def test_the_rights_are_those_of_the_network() -> None:
    assert set(RIGHTS) == {"biometrics", "sources", "attribution"}


def test_an_agency_with_new_rights_is_judged_anew() -> None:
    low, high = agency(clearance="unclassified"), agency(clearance="secret")
    what = head(classification="secret")
    world = network(low)
    assert rule(low, what, world) == "clearance"
    assert rule(high, what, world) == "granted"
    assert rule(low, what, world) == "clearance"
    assert rule(low, what, network(high)) == "clearance"


def test_a_network_is_forgotten_with_its_standings() -> None:
    """Many networks one after another, each with its own answer, and none is kept alive."""
    refs: list[weakref.ref[Network]] = []
    for number in range(40):
        who = agency(jurisdictions=("KEN",))
        home = "europe" if number % 2 else "africa"
        world = network(who, regions={home: Region(id=home, name=home, states=("KEN",))})
        refs.append(weakref.ref(world))
        assert rule(who, head(circulation=["europe"]), world) == ("granted" if number % 2 else "circulation")
        del world
    gc.collect()
    assert not [ref for ref in refs if ref() is not None]
    assert len(standing_module._standings) <= 8  # pyright: ignore[reportPrivateUsage]


def test_a_state_that_only_a_region_called_world_names_is_a_place_in_the_world() -> None:
    odd = {"world": Region(id="world", name="World", states=("XKX",))}
    who = agency(state="XKX", region="world", jurisdictions=("XKX",))
    for place in ("XKX", "world"):
        assert rule(who, head(circulation=[place]), network(who, regions=odd)) == "granted"
    assert rule(who, head(circulation=["DEU"]), network(who, regions=odd)) == "circulation"
