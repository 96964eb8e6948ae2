"""A naive model of who may receive what, written apart from the rules that the platform uses.

It reads the network and the head, and answers by going through them. It takes nothing from `hueandcry.rights` but the
values of the network, and is as slow as it is plain. Where it and the platform disagree, one of them is wrong.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

import pycountry

from hueandcry.rights.network import Agency, Network, Subscription

LEVELS = ["unclassified", "restricted", "confidential", "secret"]
CATEGORIES = ["arrest", "refusal_of_entry", "protection", "whereabouts", "discreet_check", "inquiry_check"]
CATEGORIES += ["specific_check", "seizure", "evidence", "identification", "detect", "block"]


def oracle_may_receive(agency: Agency, head: Mapping[str, Any], network: Network) -> bool:
    """Whether the agency may receive the alert."""
    return (
        _understood(head)
        and agency.id != head["issuer"]
        and not _excluded(agency, head["excluded"], network)
        and (head["releasable_to"] == [] or _released(agency, head["releasable_to"], network))
        and _circulates(agency, head["circulation"], network)
        and LEVELS.index(agency.clearance) >= LEVELS.index(head["classification"])
        and head["kind"] in agency.kinds
        and _tlp_allows(agency, head, network)
        and _handling_allows(agency, head, network)
    )


def oracle_asks(subscription: Subscription, head: Mapping[str, Any]) -> bool:
    """Whether the subscription asks for the alert."""

    def takes(wanted: tuple[str, ...], value: str) -> bool:
        return len(wanted) == 0 or value in wanted

    status = head["status"]
    return (
        takes(subscription.kinds, head["kind"])
        and takes(subscription.categories, head["category"])
        and takes(subscription.issuing_states, head["issuing_state"])
        and takes(subscription.issuing_regions, head["issuing_region"])
        and (status in subscription.statuses or (status == "actual" and subscription.statuses == ()))
    )


def _understood(head: Mapping[str, Any]) -> bool:
    return (
        head["kind"] in ["stolen_vehicle", "wanted_person", "cyber"]
        and head["status"] in ["actual", "exercise", "test"]
        and head["classification"] in LEVELS
        and head["handling_code"] in ["H0", "H1", "H2", "H3"]
        and head["tlp"] in ["clear", "green", "amber", "amber_strict", "red"]
        and head["category"] in CATEGORIES
        and head["message_type"] in ["issue", "update", "extend", "withdraw", "expire"]
        and all(right in ["biometrics", "sources", "attribution"] for right in head["rights"])
    )


def _meanings(name: str, agency: Agency, network: Network) -> set[str]:
    """What a name can stand for in this network."""
    found: set[str] = set()
    if name == "world":
        found.add("everybody")
    for other in [agency, *network.agencies.values()]:
        if other.id == name:
            found.add("agency")
        if name in other.coalitions:
            found.add("coalition")
    if name == agency.region or any(region.id == name for region in network.regions.values()):
        found.add("region")
    if name in _all_states(network):
        found.add("state")
    return found


@cache
def _iso() -> list[str]:
    return [country.alpha_3 for country in pycountry.countries]


def _all_states(network: Network) -> list[str]:
    return _iso() + [state for region in network.regions.values() for state in region.states]


def _is_agency(name: str, agency: Agency, network: Network) -> bool:
    return name == agency.id and _meanings(name, agency, network) == {"agency"}


def _released(agency: Agency, names: list[str], network: Network) -> bool:
    for name in names:
        if name == agency.state or _is_agency(name, agency, network):
            return True
        if name == agency.region and _meanings(name, agency, network) == {"region"}:
            return True
        if name in agency.coalitions and _meanings(name, agency, network) == {"coalition"}:
            return True
    return False


def _excluded(agency: Agency, names: list[str], network: Network) -> bool:
    own = ["world", agency.id, agency.state, agency.region, *agency.coalitions]
    for name in names:
        if name in own:
            return True
        if _meanings(name, agency, network) == set():
            plain = unicodedata.normalize("NFKC", name).strip().casefold()
            if plain in [one.casefold() for one in own]:
                return True
    return False


@cache
def _alpha_2_to_3() -> dict[str, str]:
    return {country.alpha_2: country.alpha_3 for country in pycountry.countries}


@cache
def _subdivision(code: str) -> tuple[str, str | None] | None:
    for part in pycountry.subdivisions:
        if part.code == code:  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
            return _alpha_2_to_3()[part.country_code], part.parent_code  # pyright: ignore
    return None


def _path(place: str, network: Network) -> list[str]:
    """The place and everything around it; nothing for a place that does not exist."""
    if place == "world":
        return ["world"]
    if any(region.id == place for region in network.regions.values()):
        return [place, "world"]
    if place in _all_states(network):
        around = [region.id for region in network.regions.values() if place in region.states and region.id != "world"]
        return [place, *around, "world"]
    found = _subdivision(place)
    if found is None:
        return []
    state, parent = found
    return [place, *_path(parent if parent else state, network)]


def _circulates(agency: Agency, circulation: list[str], network: Network) -> bool:
    for jurisdiction in agency.jurisdictions:
        for place in circulation:
            if place in _path(jurisdiction, network) or jurisdiction in _path(place, network):
                return True
    return False


def _tlp_allows(agency: Agency, head: Mapping[str, Any], network: Network) -> bool:
    named = any(_is_agency(name, agency, network) for name in head["releasable_to"])
    match head["tlp"]:
        case "clear" | "green":
            return True
        case "amber":
            return agency.clearance != "unclassified"
        case "amber_strict":
            return named or agency.state in head["releasable_to"]
        case _:
            return named


def _handling_allows(agency: Agency, head: Mapping[str, Any], network: Network) -> bool:
    match head["handling_code"]:
        case "H0" | "H1":
            return True
        case "H2":
            return _released(agency, head["releasable_to"], network)
        case _:
            return any(_is_agency(name, agency, network) for name in head["releasable_to"])
