"""What the ledger says of a span of time, in numbers: for who oversees the platform (LED art. 25(2) and 47)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: What begins the time after which an alert's data are to be erased, by type and detail of a record.
_ENDS = {("altered", "withdraw"), ("altered", "expire"), ("altered", "expired")}


@dataclass
class Account:
    """Counts of a span.

    Attributes:
        since, until: epoch milliseconds; the span begins at `since` and ends before `until`.
        disclosures: by agency, its state, rule, what, and form.
        refused: by agency and rules.
        searches: by agency, kind of query, and purpose; the purpose is empty where the topic has none.
        unaccounted: searches in the topic of which the ledger has no record, or another one than that.
        other: by type and detail, what else was done.
        erasures_due: alerts whose data were to be erased within the span.
        erasures_done: erased within the span.
        erasures_overdue: to be erased before the span's end, and not erased by then.
    """

    since: int
    until: int
    disclosures: Counter[tuple[str, str, str, str, str]] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    searches: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    unaccounted: int = 0
    other: Counter[tuple[str, str]] = field(default_factory=Counter)
    erasures_due: int = 0
    erasures_done: int = 0
    erasures_overdue: int = 0

    def rows(self) -> list[tuple[str, str, str, str, str, str, int]]:
        """As a table: section, agency, state, rule, what, form or purpose, count."""
        rows = [
            *(("disclosed", agency, state, rule, what, form, n) for (agency, state, rule, what, form), n in
              sorted(self.disclosures.items())),
            *(("refused", agency, "", rules, "", "", n) for (agency, rules), n in sorted(self.refused.items())),
            *(("searched", agency, "", "", by, why, n) for (agency, by, why), n in sorted(self.searches.items())),
            *((kind, "", "", "", what, "", n) for (kind, what), n in sorted(self.other.items())),
        ]  # fmt: skip
        numbers = (
            ("searches unaccounted for", self.unaccounted),
            ("erasures due", self.erasures_due),
            ("erasures done", self.erasures_done),
            ("erasures overdue", self.erasures_overdue),
        )
        return [*rows, *((name, "", "", "", "", "", count) for name, count in numbers)]


def account(
    records: Iterable[Mapping[str, Any]],
    consultations: Mapping[str, tuple[str, bytes]],
    since: int,
    until: int,
    kept_ms: int,
) -> Account:
    """Count what was done from `since` to before `until`, epoch milliseconds.

    Args:
        records: all of the log up to `until`, hueandcry.LedgerRecord.
        consultations: of the searches of that span, by id: purpose, and the seal that its record must have.
        kept_ms: how long an ended alert's data are kept.
    """
    found = Account(since, until)
    due: dict[str, int] = {}
    erased: set[str] = set()
    met: set[str] = set()
    for record in records:
        kind, what, at, alert_id = record["type"], record["what"], record["at"], record["alert_id"]
        if at >= until:
            continue
        if alert_id is not None:
            if (kind, what) in _ENDS:
                due[alert_id] = at + kept_ms
            elif kind in ("collected", "altered") and alert_id in due:
                # It lives again: what its issuer had sent before the end has come after it.
                del due[alert_id]
            if kind == "erased":
                erased.add(alert_id)
        if at < since:
            continue
        if kind == "disclosed":
            key = (record["to"] or "", record["state"] or "", record["rule"], what, record["form"])
            found.disclosures[key] += 1
        elif kind == "refused":
            found.refused[record["by"], record["rule"]] += 1
        elif kind == "consulted":
            purpose, seal = consultations.get(record["ref"], ("", b""))
            if seal == record["seal"]:
                met.add(record["ref"])
            found.searches[record["by"], what, purpose] += 1
        else:
            found.other[kind, what] += 1
            found.erasures_done += kind == "erased"
    found.unaccounted = len(consultations.keys() - met)
    found.erasures_due = sum(since <= at < until for at in due.values())
    found.erasures_overdue = sum(at < until and alert_id not in erased for alert_id, at in due.items())
    return found
