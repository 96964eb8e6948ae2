"""What must come of the scenario, as its author states it in `data/expected.yaml`.

Nothing here asks the platform's rules: a fault in them shows as a difference.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from hueandcry.demo.scenario import DATA
from hueandcry.errors import HueAndCryError

#: The only one who is told where nobody can be identified.
NOBODY = "nobody"

_RANGE = re.compile(r"(.*-)(\d+)\.\.(\d+)")
_KEYS = {"alerts", "version", "because", "outcome", "into", "rules", "told", "again", "to"}


class Delivered(NamedTuple):
    """One message of an inbox.

    Attributes:
        reference: national reference of the alert.
        what: action, and what is withheld: `issued`, `updated without biometrics, sources`, `recalled`; of a link
            `linked with` the other's reference, of which that of the first in the alphabet is `reference`.
    """

    reference: str
    version: int
    what: str


class Outcome(NamedTuple):
    """What became of one message that was sent.

    Attributes:
        outcome: delivered, merged, nobody_entitled or refused.
        into: for merged, national reference of the alert that it was merged into.
        rules: for refused, the rules that it broke, sorted.
        told: for refused, the agency that got the receipt, or NOBODY.
    """

    outcome: str
    into: str = ""
    rules: tuple[str, ...] = ()
    told: str = ""

    def __str__(self) -> str:
        said = self.outcome.replace("_", " ")
        if self.into:
            said += f" into {self.into}"
        if self.rules:
            said += f" by {', '.join(self.rules)}"
        return said + (f", {self.told} told" if self.told else "")


@dataclass
class Expected:
    """What must come of the scenario.

    Attributes:
        deliveries: by agency.
        outcomes: by reference and version, of each time that it is sent, in order.
        because: why, by reference and version.
    """

    deliveries: dict[str, Counter[Delivered]] = field(default_factory=dict)
    outcomes: dict[tuple[str, int], list[Outcome]] = field(default_factory=dict)
    because: dict[tuple[str, int], str] = field(default_factory=dict)


def load(folder: Path = DATA) -> Expected:
    """Read what is expected.

    Raises:
        HueAndCryError: an entry has a key that means nothing, or ranges of different length.
    """
    expected = Expected()
    for entry in yaml.safe_load((folder / "expected.yaml").read_text("utf-8"))["entries"]:
        if strange := entry.keys() - _KEYS:
            raise HueAndCryError(f"expected.yaml, {entry.get('alerts')}: {', '.join(sorted(strange))} means nothing")
        _add(expected, entry)
    return expected


def references(text: str) -> list[str]:
    """The references of A-001..003, or the one reference."""
    found = _RANGE.fullmatch(text)
    if found is None:
        return [text]
    stem, first, last = found.groups()
    return [f"{stem}{number:0{len(first)}}" for number in range(int(first), int(last) + 1)]


def _add(expected: Expected, entry: dict[str, Any]) -> None:
    alerts = references(entry["alerts"])
    into = references(entry["into"]) if "into" in entry else [""] * len(alerts)
    if len(into) != len(alerts):
        raise HueAndCryError(f"expected.yaml, {entry['alerts']}: `into` names another number of alerts")
    version = entry.get("version", 1)
    for reference, first in zip(alerts, into, strict=True):
        if "outcome" in entry:
            rules, told = tuple(sorted(entry.get("rules", ()))), entry.get("told", "")
            known = expected.outcomes.setdefault((reference, version), [])
            if bool(known) != entry.get("again", False):
                raise HueAndCryError(
                    f"expected.yaml, {reference}: `again` goes with a second outcome, and only with it"
                )
            known.append(Outcome(entry["outcome"], first, rules, told))
        expected.because.setdefault((reference, version), entry["because"])
        for agency, what in entry.get("to", {}).items():
            expected.deliveries.setdefault(agency, Counter())[Delivered(reference, version, what)] += 1
