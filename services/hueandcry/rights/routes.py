"""Who gets an alert: the candidates of the index that the rules let have it, and what each must not see of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hueandcry.rights.index import RoutingIndex
from hueandcry.rights.may_receive import may_receive
from hueandcry.rights.network import Network
from hueandcry.rights.redact import withheld
from hueandcry.rights.rules import unknown_markings


class Granted(NamedTuple):
    """An agency that gets the alert.

    Attributes:
        agency: its id.
        subscriptions: ids of its subscriptions that ask for the alert, sorted.
        withheld: rights that the alert asks for and the agency lacks.
    """

    agency: str
    subscriptions: tuple[str, ...]
    withheld: frozenset[str]


class Routes(NamedTuple):
    """Where an alert goes.

    Attributes:
        granted: sorted by agency id.
        refused: how many candidates each rule refused, by rule; a candidate counts once, for the first rule.
    """

    granted: list[Granted]
    refused: dict[str, int]


def route(head: Mapping[str, Any], index: RoutingIndex, network: Network) -> Routes:
    """Find who gets an alert.

    Args:
        head: hueandcry.Head record.
        index: of this network.
        network: as it now stands.

    Raises:
        ValueError: the index was made from another network, so that its candidates mean nothing here.
    """
    if index.network is not network:
        raise ValueError("the routing index was made from another network")
    matches = index.matches(head)
    if not matches.agencies:
        return Routes([], {})
    if unknown_markings(head):
        return Routes([], {"markings.known": matches.agencies.bit_count()})
    left, refused = index.masks.sift(head, matches.agencies)
    granted: list[Granted] = []
    for standing in index.masks.agencies(left):
        verdict = may_receive(standing.agency, head, network)
        if verdict.allowed:
            subscriptions = index.subscriptions(standing.id, matches)
            granted.append(Granted(standing.id, subscriptions, withheld(standing.agency, head)))
        else:
            refused[verdict.rule] = refused.get(verdict.rule, 0) + 1
    return Routes(granted, refused)
