"""May this agency receive this alert? The one decision that every delivery goes through.

Default deny. The rules and their order are in `rules`; nothing else grants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hueandcry.rights.network import Agency, Network
from hueandcry.rights.rules import RULES, refusing
from hueandcry.rights.standing import standings


class Verdict(NamedTuple):
    """The decision. `rule` is the first rule that refuses, or "granted"; `reason` says why in words."""

    allowed: bool
    rule: str
    reason: str


class RuleVerdict(NamedTuple):
    """What one rule says."""

    rule: str
    passed: bool
    reason: str


GRANTED = Verdict(True, "granted", "every rule lets it through")


def may_receive(agency: Agency, head: Mapping[str, Any], network: Network) -> Verdict:
    """Decide whether an agency may receive an alert.

    Args:
        agency: of the network.
        head: hueandcry.Head record of the alert.
        network: says what names and places mean.
    """
    standing = standings(network).of(agency)
    rule = refusing(standing, head)
    if rule is None:
        return GRANTED
    return Verdict(False, rule.name, rule.says(standing, head, False))


def explain(agency: Agency, head: Mapping[str, Any], network: Network) -> list[RuleVerdict]:
    """What each rule says, in the order in which they are asked.

    The agency may receive the alert exactly where all pass. Where a marking is not known, no further rule can judge,
    and each says so.
    """
    standing = standings(network).of(agency)
    first, *others = RULES
    known = first.passes(standing, head)
    verdicts = [RuleVerdict(first.name, known, first.says(standing, head, known))]
    for rule in others:
        if known:
            passed = rule.passes(standing, head)
            verdicts.append(RuleVerdict(rule.name, passed, rule.says(standing, head, passed)))
        else:
            verdicts.append(RuleVerdict(rule.name, False, "not judged, because a marking is not known"))
    return verdicts
