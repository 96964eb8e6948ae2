"""Keys of cyber alerts.

An alert of one indicator is that indicator; an alert of several is the set of them; an alert of a pattern alone is the
indicator that the pattern is, or the pattern. Stop values are left out before that. Something must be left that names
one thing in the world (cyber.CORRELATING), else the alert is not strong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from hueandcry.identity.cyber import CORRELATING, Indicator, normalise_indicator
from hueandcry.identity.pattern import normalise_pattern, simple_indicator
from hueandcry.identity.reading import records, text
from hueandcry.identity.stops import is_stop

# Of a big set the first in order are claimed: two big sets that share most members then share most claims as well.
CLAIMS = 64
SHORTEST_MUTEX = 8
# Length of prefix from which a network belongs to one holder rather than to a provider and all its customers.
NARROWEST = {"ipv4": 24, "ipv6": 48}


def indicators(threat: Mapping[str, Any]) -> list[Indicator]:
    """The indicators of a decoded hueandcry.CyberThreat in normal form, in their order."""
    return [
        normalise_indicator(text(item.get("type")), text(item.get("value")))
        for item in records(threat.get("indicators"))
    ]


def correlates(indicator: Indicator) -> bool:
    """True where two alerts with this indicator may be taken to speak of one thing."""
    return _names_one_thing(indicator) and not is_stop(indicator.type, indicator.value)


def _names_one_thing(indicator: Indicator) -> bool:
    kind, value = indicator
    if kind not in CORRELATING or not value:
        return False
    if kind == "mutex":
        return len(value) >= SHORTEST_MUTEX
    return kind not in NARROWEST or "/" not in value or int(value.rpartition("/")[2]) >= NARROWEST[kind]


def kept(threat: Mapping[str, Any], most: int | None = None) -> set[Indicator]:
    """The indicators of a decoded hueandcry.CyberThreat, or the one that its pattern is; none that is a stop value.

    Args:
        threat: the record.
        most: how many indicators are looked at, in the order of their values; all where it is None.
    """
    items = records(threat.get("indicators"))
    if most is not None and len(items) > most:
        items = sorted(items, key=lambda item: (text(item.get("value")), text(item.get("type"))))[:most]
    found = {normalise_indicator(text(item.get("type")), text(item.get("value"))) for item in items}
    if not found and (simple := simple_indicator(text(threat.get("pattern")))):
        found = {simple}
    return {one for one in found if one.value and not is_stop(one.type, one.value)}


def threat_keys(threat: Mapping[str, Any]) -> list[str]:
    """Keys, the leading one first, of a decoded hueandcry.CyberThreat; empty where nothing correlates."""
    pattern = text(threat.get("pattern"))
    if pattern and not records(threat.get("indicators")) and simple_indicator(pattern) is None:
        return _pattern_keys(normalise_pattern(pattern))
    ordered = sorted(kept(threat))
    singles = [f"{one.type}:{one.value}" for one in ordered if _names_one_thing(one)]
    if not singles:
        return []
    if len(ordered) == 1:
        return singles
    digest = hashlib.sha256("\n".join(f"{one.type}:{one.value}" for one in ordered).encode("utf-8", "surrogatepass"))
    return [f"set:{digest.hexdigest()}", *singles[:CLAIMS]]


def _pattern_keys(pattern: str) -> list[str]:
    if "=" not in pattern and " IN " not in pattern and " LIKE " not in pattern and " MATCHES " not in pattern:
        return []
    return [f"pattern:{hashlib.sha256(pattern.encode('utf-8', 'surrogatepass')).hexdigest()}"]
