"""Possible matches: where alerts meet that may be on one subject, and how alike two of them are.

Nothing joins by what stands here. The keys are weak: many subjects share one, so whoever looks up a key looks at a
bounded number of its latest alerts and no more. Like identity keys they hold personal data and leave the process as an
HMAC alone (`hueandcry.identity.hmac_key`); they begin with "possible:", which no identity key does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hueandcry.identity.blocks import person_blocks, threat_blocks, vehicle_blocks
from hueandcry.identity.likeness import THRESHOLD, Likeness, weigh
from hueandcry.identity.likeness_person import PERSON, person_findings
from hueandcry.identity.likeness_person import PRIOR as PERSON_PRIOR
from hueandcry.identity.likeness_threat import PRIOR as THREAT_PRIOR
from hueandcry.identity.likeness_threat import THREAT, threat_findings
from hueandcry.identity.likeness_vehicle import PRIOR as VEHICLE_PRIOR
from hueandcry.identity.likeness_vehicle import VEHICLE, vehicle_findings

#: Most keys of one alert.
KEYS = 12
PREFIX = "possible:"

_BLOCKS = {"stolen_vehicle": vehicle_blocks, "wanted_person": person_blocks, "cyber": threat_blocks}
_FINDINGS = {
    "stolen_vehicle": (VEHICLE, VEHICLE_PRIOR, vehicle_findings),
    "wanted_person": (PERSON, PERSON_PRIOR, person_findings),
    "cyber": (THREAT, THREAT_PRIOR, threat_findings),
}


def proposal_keys(alert: Mapping[str, Any]) -> tuple[str, ...]:
    """The weak keys, at most `KEYS`, of a decoded hueandcry.Alert: candidates for `possible_match` share one.

    Never raises; fields of a wrong type count as absent. The status of the alert (actual, exercise, test) is no part of
    a key.
    """
    kind = alert.get("kind")
    blocks = _BLOCKS.get(kind) if isinstance(kind, str) else None
    if blocks is None:
        return ()
    # Several lists, the best sort of key first; each gives its first before any gives its second.
    ranked = [(place, row, key) for row, keys in enumerate(blocks(alert)) for place, key in enumerate(keys)]
    found = dict.fromkeys(f"{PREFIX}{kind}:{key}" for _, _, key in sorted(ranked))
    return tuple(found)[:KEYS]


def possible_match(one: Mapping[str, Any], other: Mapping[str, Any], least: float = THRESHOLD) -> Likeness | None:
    """How alike two decoded hueandcry.Alert of one kind and status are; the same both ways.

    Never raises. None where they are of two kinds or statuses, where something excludes a match, or where the score is
    below `least`.
    """
    kind = one.get("kind")
    known = _FINDINGS.get(kind) if isinstance(kind, str) else None
    if known is None or kind != other.get("kind") or one.get("status") != other.get("status"):
        return None
    table, prior, findings = known
    return weigh(table, prior, findings(one, other), least)
