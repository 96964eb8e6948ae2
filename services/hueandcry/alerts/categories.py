"""Kinds, the categories that each may have, what may be asked under them, and how long they may last.

The categories of persons and objects are those of the Schengen Information System. Validity is counted in calendar
years from the entry, as the regulations do. The two categories of cyber alerts are our own: an address changes hands
sooner than a car, so an order to block must be renewed after 90 days, a call to look out after a year.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["stolen_vehicle", "wanted_person", "cyber"]
MessageType = Literal["issue", "update", "extend", "withdraw", "expire"]
Status = Literal["actual", "exercise", "test"]
Category = Literal[
    "arrest",
    "refusal_of_entry",
    "protection",
    "whereabouts",
    "discreet_check",
    "inquiry_check",
    "specific_check",
    "seizure",
    "evidence",
    "identification",
    "detect",
    "block",
]
Action = Literal[
    "arrest",
    "refuse_entry",
    "protect",
    "locate",
    "check_discreetly",
    "question",
    "check_specifically",
    "seize",
    "preserve",
    "identify",
    "monitor",
    "block",
]
Classification = Literal["unclassified", "restricted", "confidential", "secret"]
HandlingCode = Literal["H0", "H1", "H2", "H3"]
Tlp = Literal["clear", "green", "amber", "amber_strict", "red"]


class Ground(NamedTuple):
    """One row of the table: a category of a kind.

    Attributes:
        actions: what may be asked; the first is what is usually asked.
        years: longest validity in calendar years; 0 where it is counted in days.
        days: longest validity in days; 0 where it is counted in years.
        source: where the rule comes from.
    """

    kind: Kind
    category: Category
    actions: tuple[Action, ...]
    years: int
    days: int
    source: str


_PERSONS = "Regulation (EU) 2018/1862"
_BORDERS = "Regulation (EU) 2018/1861"
_OURS = "platform's own choice"

GROUNDS: tuple[Ground, ...] = (
    Ground("wanted_person", "arrest", ("arrest", "locate"), 5, 0, f"{_PERSONS} art. 25, 26 and 53(2)"),
    Ground("wanted_person", "refusal_of_entry", ("refuse_entry",), 3, 0, f"{_BORDERS} art. 24 and 39(2)"),
    Ground("wanted_person", "protection", ("protect", "locate"), 5, 0, f"{_PERSONS} art. 32, 33 and 53(2)"),
    Ground("wanted_person", "whereabouts", ("locate",), 3, 0, f"{_PERSONS} art. 34, 35 and 53(3)"),
    Ground("wanted_person", "discreet_check", ("check_discreetly",), 1, 0, f"{_PERSONS} art. 36, 37 and 53(4)"),
    Ground("wanted_person", "inquiry_check", ("question",), 1, 0, f"{_PERSONS} art. 36, 37 and 53(4)"),
    Ground("wanted_person", "specific_check", ("check_specifically",), 1, 0, f"{_PERSONS} art. 36, 37 and 53(4)"),
    Ground("wanted_person", "identification", ("identify",), 3, 0, f"{_PERSONS} art. 40, 41 and 53(3)"),
    Ground("stolen_vehicle", "seizure", ("seize", "preserve"), 10, 0, f"{_PERSONS} art. 38, 39 and 54(2)"),
    Ground("stolen_vehicle", "evidence", ("preserve", "seize"), 10, 0, f"{_PERSONS} art. 38, 39 and 54(2)"),
    Ground("stolen_vehicle", "discreet_check", ("check_discreetly",), 10, 0, f"{_PERSONS} art. 36, 37 and 54(2)"),
    Ground("stolen_vehicle", "inquiry_check", ("question",), 10, 0, f"{_PERSONS} art. 36, 37 and 54(2)"),
    Ground("stolen_vehicle", "specific_check", ("check_specifically",), 10, 0, f"{_PERSONS} art. 36, 37 and 54(2)"),
    Ground("cyber", "detect", ("monitor", "identify", "preserve"), 1, 0, _OURS),
    Ground("cyber", "block", ("block", "monitor"), 0, 90, _OURS),
)

#: The row by kind and category.
GROUND: dict[tuple[str, str], Ground] = {(row.kind, row.category): row for row in GROUNDS}
