"""Runs the cases in the YAML files beside it. README.md here says how to write one.

Each case is decided three times: by routing, by the rules alone, and by the naive model. All must say what is written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hueandcry.rights.index import RoutingIndex
from hueandcry.rights.may_receive import may_receive
from hueandcry.rights.network import Agency, Clearance, FieldRight, Kind, Network, Region, Status, Subscription
from hueandcry.rights.routes import route
from hueandcry.rights.rules import RULES
from oracle import oracle_may_receive

HERE = Path(__file__).parent


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Asks(_Given):
    """A subscription; what is not said is any, and actual alerts only."""

    kinds: list[Kind] = []
    categories: list[str] = []
    issuing_states: list[str] = []
    issuing_regions: list[str] = []
    statuses: list[Status] = ["actual"]


class GivenAgency(_Given):
    """An agency; by default it acts in its own state, needs to know of all kinds and asks for everything."""

    state: str
    clearance: Clearance
    region: str | None = None
    jurisdictions: list[str] | None = None
    kinds: list[Kind] = ["stolen_vehicle", "wanted_person", "cyber"]
    rights: list[FieldRight] = []
    coalitions: list[str] = []
    asks: list[Asks] = [Asks()]


class GivenAlert(_Given):
    """The markings of an alert. The defaults let everybody have it."""

    issuer: str = "elsewhere"
    issuing_state: str = "NZL"
    issuing_region: str = "asia-pacific"
    kind: str = "stolen_vehicle"
    category: str = "seizure"
    message_type: str = "issue"
    status: str = "actual"
    circulation: list[str] = ["world"]
    classification: str = "unclassified"
    handling_code: str = "H0"
    tlp: str = "clear"
    releasable_to: list[str] = []
    excluded: list[str] = []
    rights: list[str] = []


class Case(_Given):
    """What happens to one alert: each agency of the file is in exactly one of the three lists."""

    name: str
    alert: dict[str, Any]
    receives: list[str] = []
    refused: dict[str, str] = {}
    not_asked: list[str] = []
    withheld: dict[str, list[FieldRight]] = {}


class Behaviour(_Given):
    """One file."""

    about: str
    regions: dict[str, list[str]]
    agencies: dict[str, GivenAgency]
    alert: GivenAlert = GivenAlert()
    cases: list[Case] = Field(min_length=1)

    def network(self) -> Network:
        region_of = {state: region for region, states in self.regions.items() for state in states}
        agencies: dict[str, Agency] = {}
        subscriptions: dict[str, Subscription] = {}
        for name, given in self.agencies.items():
            fields = given.model_dump(exclude={"asks"}, exclude_none=True)
            home = {"region": region_of.get(given.state, ""), "jurisdictions": [given.state]}
            agencies[name] = Agency.model_validate({"id": name, "name": name} | home | fields)
            for number, asked in enumerate(given.asks):
                subscription = Subscription.model_validate(
                    {"id": f"{name}-{number}", "agency": name} | asked.model_dump()
                )
                subscriptions[subscription.id] = subscription
        regions = {name: Region(id=name, name=name, states=tuple(states)) for name, states in self.regions.items()}
        return Network(regions=regions, agencies=agencies, subscriptions=subscriptions)


class _NoRepeats(yaml.SafeLoader):
    """Refuses a key that stands twice, which YAML would silently take the last of."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if len(set(keys)) != len(keys):
            raise yaml.constructor.ConstructorError(None, None, "a key stands twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


def read(text: str, name: str) -> Behaviour:
    """Reads a file of cases.

    Raises:
        ValueError: file, case and field of the first mistakes.
    """
    try:
        given = yaml.load(text, Loader=_NoRepeats)
        behaviour = Behaviour.model_validate(given)
    except yaml.YAMLError as error:
        raise ValueError(f"{name}: {error}") from error
    except ValidationError as error:
        lines = [f"{name}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise ValueError("\n".join(lines)) from error
    behaviour.network()
    seen: set[str] = set()
    for case in behaviour.cases:
        where = f"{name}: case {case.name!r}"
        if case.name in seen:
            raise ValueError(f"{where}: another case has that name")
        seen.add(case.name)
        unknown = case.alert.keys() - GivenAlert.model_fields.keys()
        if unknown:
            raise ValueError(f"{where}: alert has no field {', '.join(sorted(unknown))}")
        try:
            GivenAlert.model_validate(case.alert)
        except ValidationError as error:
            raise ValueError(f"{where}: alert.{error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}") from error
        told = [*case.receives, *case.refused, *case.not_asked]
        for agency in behaviour.agencies:
            if told.count(agency) != 1:
                raise ValueError(f"{where}: say once of {agency} whether it receives, is refused or has not asked")
        if strangers := set(told) - behaviour.agencies.keys():
            raise ValueError(f"{where}: no such agency in this file: {', '.join(sorted(strangers))}")
        if no_rules := set(case.refused.values()) - {rule.name for rule in RULES}:
            raise ValueError(f"{where}: no such rule: {', '.join(sorted(no_rules))}")
        if others := case.withheld.keys() - set(case.receives):
            raise ValueError(f"{where}: withheld from an agency that does not receive: {', '.join(sorted(others))}")
    return behaviour


FILES = sorted(HERE.glob("*.yaml"))
BEHAVIOURS = {path.name: read(path.read_text(encoding="utf-8"), path.name) for path in FILES}
CASES = [
    pytest.param(name, behaviour, case, id=f"{name}: {case.name}")
    for name, behaviour in BEHAVIOURS.items()
    for case in behaviour.cases
]


@pytest.mark.parametrize(("name", "behaviour", "case"), CASES)
def test_case(name: str, behaviour: Behaviour, case: Case) -> None:
    network = behaviour.network()
    index = RoutingIndex(network)
    head = behaviour.alert.model_dump() | case.alert
    asked = index.candidates(head)
    routes = route(head, index, network)
    granted = {one.agency: one for one in routes.granted}
    wrong: list[str] = []
    for agency_id, agency in network.agencies.items():
        verdict = may_receive(agency, head, network)
        if agency_id not in asked:
            happens = "not_asked"
        elif agency_id in granted:
            happens = "receives"
        else:
            happens = f"refused: {verdict.rule}"
        if agency_id in case.receives:
            expected = "receives"
        elif agency_id in case.refused:
            expected = f"refused: {case.refused[agency_id]}"
        else:
            expected = "not_asked"
        if happens != expected:
            wrong.append(f"{agency_id}: expected {expected}, but {happens} ({verdict.reason})")
        if agency_id in asked and verdict.allowed != (agency_id in granted):
            wrong.append(f"{agency_id}: routing and may_receive disagree")
        if verdict.allowed != oracle_may_receive(agency, head, network):
            wrong.append(f"{agency_id}: the naive model disagrees with may_receive ({verdict.rule})")
        if agency_id in granted and granted[agency_id].withheld != set(case.withheld.get(agency_id, [])):
            wrong.append(f"{agency_id}: withheld are {sorted(granted[agency_id].withheld)}")
    assert not wrong, "\n".join([f"{name}: {case.name}", *wrong])


def test_there_are_enough_cases_and_each_rule_refuses_in_one() -> None:
    cases = [case for behaviour in BEHAVIOURS.values() for case in behaviour.cases]
    assert len(cases) >= 40
    assert {rule for case in cases for rule in case.refused.values()} == {rule.name for rule in RULES}


SOUND = """
about: Nothing
regions: {europe: [DEU]}
agencies:
  bka: {state: DEU, clearance: secret}
cases:
  - name: one
    alert: {tlp: green}
    receives: [bka]
"""
MISTAKES = [
    ("a key that we don't know", "receives:", "recieves:", "cases.0.recieves"),
    ("a field that alerts don't have", "tlp: green", "tpl: green", "case 'one': alert has no field tpl"),
    ("a list that is text", "tlp: green", "excluded: DEU", "case 'one': alert.excluded"),
    ("an agency left out", "receives: [bka]", "receives: []", "case 'one': say once of bka"),
    ("an agency told of twice", "receives: [bka]", "receives: [bka]\n    not_asked: [bka]", "say once of bka"),
    ("a stranger", "receives: [bka]", "receives: [bka, lka]", "no such agency in this file: lka"),
    ("a rule that there is not", "receives: [bka]", "refused: {bka: colour}", "no such rule: colour"),
    ("a clearance that there is not", "clearance: secret", "clearance: top", "agencies.bka.clearance"),
    ("a key twice", "about: Nothing", "about: Nothing\nabout: More", "a key stands twice"),
    ("not YAML", "about: Nothing", "about: [", "bad.yaml"),
    ("no cases", SOUND[SOUND.index("cases:") :], "cases: []", "cases"),
    ("withheld from who has nothing", "receives: [bka]", "receives: [bka]\n    withheld: {x: [sources]}", "withheld"),
]


@pytest.mark.parametrize(("old", "new", "message"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_a_mistake_in_a_file_is_named(old: str, new: str, message: str) -> None:
    assert read(SOUND, "good.yaml").cases[0].name == "one"
    assert old in SOUND
    with pytest.raises(ValueError) as caught:
        read(SOUND.replace(old, new), "bad.yaml")
    assert message in str(caught.value)
    assert "bad.yaml" in str(caught.value)
