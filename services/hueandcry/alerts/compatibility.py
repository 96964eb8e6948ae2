"""Which alerts on one subject may stand side by side, and which goes first where they may not.

Rules:
1. A state enters one alert on a person or an object: Regulation (EU) 2018/1862 art. 23(2). A second one waits with its
   issuer until the first has ended. Cyber alerts are the exception, and our own: one address belongs to many cases.
2. Several states may enter alerts on one subject where the categories are compatible: art. 23(3). Which are not says
   section 2.2.1 of the SIRENE Manual (Decisions 2008/333/EC and 2008/334/JHA, repeated in 2013/115/EU).
3. Where they are not, the states consult each other. `PRIORITY` says which goes first unless they agree otherwise.

The Manual is older than inquiry checks and alerts on unknown persons, and knows nothing of cyber alerts; what holds for
those is our own choice, and `source` says so. Categories of different kinds never meet on one subject.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from hueandcry.alerts.categories import Category

_MANUAL = "SIRENE Manual, section 2.2.1"
_CHECKS = "SIRENE Manual, sections 2.2.1 and 7.2"
_ONE_A_STATE = "Regulation (EU) 2018/1862 art. 23(2)"
_OURS = "platform's own choice"

PRIORITY: tuple[Category, ...] = (
    "arrest",
    "refusal_of_entry",
    "protection",
    "evidence",
    "seizure",
    "specific_check",
    "inquiry_check",
    "discreet_check",
    "whereabouts",
    "identification",
    "block",
    "detect",
)
"""What goes first, for persons, objects and threats at once: no two kinds dispute a place.

Persons and objects as in the Manual, section 2.2.1. Our own: an inquiry check stands between the check that searches
and the one that nobody notices; who is yet to be identified comes last; to stop a threat goes before watching it.
"""

#: Categories that work only while nobody knows of them: discreet checks (2018/1862 art. 37(3)); `detect` is our choice.
COVERT: frozenset[Category] = frozenset({"discreet_check", "detect"})

#: Categories of which one state may have several alerts on one subject.
SEVERAL_A_STATE: frozenset[Category] = frozenset({"detect", "block"})

Rule = Literal["incompatible", "one_a_state"]


class Incompatible(NamedTuple):
    """Two categories that may not stand side by side on one subject, and where that is said."""

    one: Category
    other: Category
    source: str


INCOMPATIBLE: tuple[Incompatible, ...] = (
    Incompatible("arrest", "specific_check", _CHECKS),
    Incompatible("arrest", "inquiry_check", _OURS),
    Incompatible("arrest", "discreet_check", _CHECKS),
    Incompatible("refusal_of_entry", "protection", _MANUAL),
    Incompatible("refusal_of_entry", "specific_check", _CHECKS),
    Incompatible("refusal_of_entry", "inquiry_check", _OURS),
    Incompatible("refusal_of_entry", "discreet_check", _CHECKS),
    Incompatible("refusal_of_entry", "whereabouts", _MANUAL),
    Incompatible("protection", "specific_check", _CHECKS),
    Incompatible("protection", "inquiry_check", _OURS),
    Incompatible("protection", "discreet_check", _CHECKS),
    Incompatible("evidence", "specific_check", _CHECKS),
    Incompatible("evidence", "inquiry_check", _OURS),
    Incompatible("evidence", "discreet_check", _CHECKS),
    Incompatible("seizure", "specific_check", _CHECKS),
    Incompatible("seizure", "inquiry_check", _OURS),
    Incompatible("seizure", "discreet_check", _CHECKS),
    Incompatible("specific_check", "inquiry_check", _OURS),
    Incompatible("specific_check", "discreet_check", _CHECKS),
    Incompatible("specific_check", "whereabouts", _CHECKS),
    Incompatible("inquiry_check", "discreet_check", _OURS),
    Incompatible("inquiry_check", "whereabouts", _OURS),
    Incompatible("discreet_check", "whereabouts", _CHECKS),
    # To take the prints of somebody who is watched unseen tells them that they are watched.
    Incompatible("discreet_check", "identification", _OURS),
    # Who blocks an address ends what others watch, and warns those behind it.
    Incompatible("block", "detect", _OURS),
)
"""All pairs that are not compatible, the first of each going before the second; every other pair is compatible.

Seizure and use as evidence are: both are alerts under art. 38 of Regulation (EU) 2018/1862.
"""

_SOURCE = {frozenset((row.one, row.other)): row.source for row in INCOMPATIBLE}
_RANK: dict[str, int] = {category: rank for rank, category in enumerate(PRIORITY)}


class Stance(NamedTuple):
    """An alert on a subject, as far as compatibility asks.

    Attributes:
        state: that issued it, ISO 3166-1 alpha-3.
        issuer: id of the agency.
    """

    state: str
    category: Category
    alert_id: str
    issuer: str


class Conflict(NamedTuple):
    """Two alerts that may not stand side by side.

    Attributes:
        standing: the alert that was there before.
        rule: incompatible, or one_a_state.
        first: the category that goes before the other; None where both are the same.
        source: where the rule comes from.
    """

    standing: Stance
    rule: Rule
    first: Category | None
    source: str


def compatible(one: Category, other: Category) -> bool:
    """Whether two states may have alerts of these categories on one subject; the same both ways round."""
    return frozenset((one, other)) not in _SOURCE


def rank(category: str) -> int:
    """Place in the order of priority, 0 first; a category that is not known comes after all."""
    return _RANK.get(category, len(PRIORITY))


def conflicts(stances: Iterable[Stance], new: Stance) -> list[Conflict]:
    """The alerts on a subject that may not stand beside a new one, by priority of their category.

    Args:
        stances: all on one subject; the new alert itself may be among them.
    """
    found: list[Conflict] = []
    for standing in stances:
        if standing.alert_id == new.alert_id:
            continue
        pair = frozenset((standing.category, new.category))
        first = None if len(pair) == 1 else min(pair, key=rank)
        if standing.state == new.state and not pair <= SEVERAL_A_STATE:
            found.append(Conflict(standing, "one_a_state", first, _ONE_A_STATE))
        elif pair in _SOURCE:
            found.append(Conflict(standing, "incompatible", first, _SOURCE[pair]))
    return sorted(found, key=lambda conflict: (rank(conflict.standing.category), conflict.standing))
