"""How alike two alerts are, in bits of evidence.

The model is that of Fellegi and Sunter (A Theory for Record Linkage, 1969): each field that agrees or differs adds
log2(m/u), where m is how often that is seen of two records of one subject and u of two records of different ones. The
sum, with the odds before any field was looked at, is a probability. Fields are taken as independent; where they are
not (a name and its own transliteration), the best of them counts alone.

The figures of the tables are our own choice, set so that on the generated records of `make bench` proposals are right
at least as often as their score says. They are no measurement of any real register.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hueandcry.alerts.remarks import Remark

# Below even odds a proposal costs its reader more than it gives.
THRESHOLD = 0.5
# However much is alike, it is a proposal.
MOST = 0.999


class Weight(NamedTuple):
    """What one finding weighs.

    Attributes:
        field: path of the field that was compared.
        bits: log2 of how much likelier the finding is of one subject than of two; None where it excludes one.
        message: the finding in words, without any value.
    """

    field: str
    bits: float | None
    message: str


class Likeness(NamedTuple):
    """Why two alerts may be on one subject.

    Attributes:
        score: 0.5 to 0.999, a probability after the table of weights; not a proof, and nothing joins by it.
        reasons: what is alike and what differs, the weightiest first. Never holds a value. The field tells which
            right a reader needs: a finding on subject.biometrics is for those only who may see biometrics.
    """

    score: float
    reasons: tuple[Remark, ...]


class Finding(NamedTuple):
    """A row of a table of weights that was found true, and how many times it counts."""

    rule: str
    times: int = 1


def weigh(
    table: Mapping[str, Weight], prior: float, findings: Iterable[Finding], least: float = THRESHOLD
) -> Likeness | None:
    """The likeness that the findings amount to; None where one excludes it or the sum is below the threshold.

    Args:
        table: weights by rule.
        prior: bits before any field is looked at; negative, as most pairs are two subjects.
        findings: in any order.
        least: the threshold.
    """
    total = prior
    rows: list[tuple[float, Finding, Weight]] = []
    for finding in findings:
        weight = table[finding.rule]
        if weight.bits is None:
            return None
        total += weight.bits * finding.times
        rows.append((-abs(weight.bits * finding.times), finding, weight))
    score = min(round(1 / (1 + 2**-total), 3), MOST) if total > -60 else 0.0
    if score < least:
        return None
    reasons = [
        Remark(weight.field, f"likeness.{rule}", weight.message, f"{times} values" if times > 1 else None)
        for _, (rule, times), weight in sorted(rows)
    ]
    return Likeness(score, tuple(reasons))
