"""Who is joined and who is proposed, on a labelled set: precision, recall, cost; the cost of a value that many share.

Alerts meet as the platform lets them meet: in the order of arrival, by keys, and of each key with its latest `LATEST`
alone. An alert that admit would refuse for its VIN goes no further.

* joined: one leading strong key, and for vehicles nothing that contradicts the first of the cluster.
* linked: another strong key in common (a claim), and nothing that contradicts.
* proposed: neither, and a possible match.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.labelled import Alert, Labelled, labelled
from hueandcry.distribute.claimants import FEW
from hueandcry.identity import contradictions, identify, possible_match, proposal_keys, refusals

#: Of the alerts that share a key, how many are looked at.
LATEST = FEW
_BANDS = (0.5, 0.75, 0.9, 0.99)
KINDS = ("wanted_person", "stolen_vehicle", "cyber")
Pair = tuple[int, int]


class Meeting:
    """Who met whom under one sort of key, the latest first to be forgotten last."""

    def __init__(self) -> None:
        self._latest: dict[str, deque[int]] = defaultdict(lambda: deque(maxlen=LATEST))

    def meet(self, place: int, keys: Iterable[str]) -> list[int]:
        """The alerts that share a key with this one, each once; this one is then met by later ones."""
        met: dict[int, None] = {}
        for key in keys:
            waiting = self._latest[key]
            met.update(dict.fromkeys(waiting))
            waiting.append(place)
        return list(met)


def identity(records: int, seed: int = 1) -> dict[str, Any]:
    """All that is measured, as it goes into the JSON file."""
    rows = list(labelled(records, seed))
    admitted = [not refusals(row.alert) for row in rows]
    joined, linked, false_joins = strong_pairs(rows, admitted)
    proposed, compared = proposals(rows, admitted, joined | linked)
    outcome = {
        **dict.fromkeys(joined, "joined"), **dict.fromkeys(linked, "linked"), **dict.fromkeys(proposed, "proposed"),
    }  # fmt: skip
    return {
        "records": len(rows),
        "refused": admitted.count(False),
        "false_joins": false_joins,
        "kinds": {kind: _precision(rows, kind, joined, linked, proposed) for kind in KINDS},
        "noise": _by_noise(rows, admitted, outcome, same=True),
        "neighbours": _by_noise(rows, admitted, outcome, same=False),
        "us": _costs(rows, compared),
        "hub": _hub(records // 20, seed),
    }


def strong_pairs(rows: Sequence[Labelled], admitted: Sequence[bool]) -> tuple[set[Pair], set[Pair], dict[str, int]]:
    """Pairs joined, pairs linked, and by kind how many pairs of two subjects were joined."""
    joined: set[Pair] = set()
    linked: set[Pair] = set()
    clusters: dict[str, list[int]] = defaultdict(list)
    claims = Meeting()
    false_joins: dict[str, int] = dict.fromkeys(KINDS, 0)
    for place, row in enumerate(rows):
        if not admitted[place]:
            continue
        key = identify(row.alert)
        if key.strong:
            cluster = clusters[key.key]
            if not cluster or not _contradict(row.alert, rows[cluster[0]].alert):
                joined.update((other, place) for other in cluster)
                false_joins[row.alert["kind"]] += sum(rows[other].subject != row.subject for other in cluster)
                cluster.append(place)
        strong = [key.key, *key.claims] if key.strong else key.claims
        linked.update(
            (other, place) for other in claims.meet(place, strong) if not _contradict(row.alert, rows[other].alert)
        )
    return joined, linked - joined, false_joins


def _contradict(one: Alert, other: Alert) -> bool:
    return one["kind"] == "stolen_vehicle" and bool(contradictions(one["subject"], other["subject"]))


def proposals(
    rows: Sequence[Labelled], admitted: Sequence[bool], known: set[Pair]
) -> tuple[dict[Pair, float], list[Pair]]:
    """The score of each pair proposed, and all pairs that were compared."""
    meeting = Meeting()
    proposed: dict[Pair, float] = {}
    compared: list[Pair] = []
    for place, row in enumerate(rows):
        if not admitted[place]:
            continue
        for other in meeting.meet(place, proposal_keys(row.alert)):
            if (other, place) in known:
                continue
            compared.append((other, place))
            found = possible_match(rows[other].alert, row.alert)
            if found is not None:
                proposed[other, place] = found.score
    return proposed, compared


def _precision(
    rows: Sequence[Labelled], kind: str, joined: set[Pair], linked: set[Pair], proposed: dict[Pair, float]
) -> dict[str, Any]:
    subjects = Counter(row.subject for row in rows if row.alert["kind"] == kind)
    pairs = sum(count * (count - 1) // 2 for count in subjects.values())

    def count(found: Iterable[Pair]) -> tuple[int, int]:
        mine = [pair for pair in found if rows[pair[0]].alert["kind"] == kind]
        return len(mine), sum(rows[one].subject == rows[other].subject for one, other in mine)

    result: dict[str, Any] = {"alerts": sum(subjects.values()), "pairs": pairs}
    true_so_far = 0
    for name, found in (("join", joined), ("link", linked), ("propose", proposed)):
        all_, true = count(found)
        true_so_far += true
        result[name] = {"pairs": all_, "precision": _ratio(true, all_), "recall": _ratio(true, pairs)}
    result["recall"] = _ratio(true_so_far, pairs)
    result["bands"] = {}
    for low, high in zip(_BANDS, (*_BANDS[1:], 2.0), strict=True):
        all_, true = count(pair for pair, score in proposed.items() if low <= score < high)
        result["bands"][f"{low}"] = {"pairs": all_, "precision": _ratio(true, all_)}
    return result


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _by_noise(
    rows: Sequence[Labelled], admitted: Sequence[bool], outcome: dict[Pair, str], *, same: bool
) -> dict[str, dict[str, dict[str, int]]]:
    """By kind and noise: of the pairs of a spoiled alert and the clean one that it was made of, how many ended how."""
    found: dict[str, dict[str, Counter[str]]] = {kind: defaultdict(Counter) for kind in KINDS}
    for place, row in enumerate(rows):
        if row.of < 0 or (rows[row.of].subject == row.subject) != same:
            continue
        ended = outcome.get((row.of, place), "missed") if admitted[place] and admitted[row.of] else "refused"
        found[row.alert["kind"]][row.noise][ended] += 1
    return {kind: {noise: dict(ends) for noise, ends in sorted(noises.items())} for kind, noises in found.items()}


def _costs(rows: Sequence[Labelled], compared: Sequence[Pair]) -> dict[str, dict[str, float]]:
    """By kind, microseconds a call and comparisons an alert."""
    costs: dict[str, dict[str, float]] = {}
    for kind in KINDS:
        alerts = [row.alert for row in rows if row.alert["kind"] == kind]
        pairs = [(rows[one].alert, rows[other].alert) for one, other in compared if rows[one].alert["kind"] == kind]
        costs[kind] = {
            "identify": _micros(lambda alert: identify(alert), alerts),
            "proposal_keys": _micros(lambda alert: proposal_keys(alert), alerts),
            "possible_match": _micros(lambda pair: possible_match(*pair), pairs[:50_000]),
            "comparisons an alert": len(pairs) / len(alerts),
        }
    return costs


def _micros(step: Callable[[Any], object], items: Sequence[Any]) -> float:
    started = time.process_time()
    for item in items:
        step(item)
    return (time.process_time() - started) / max(len(items), 1) * 1e6


def _hub(records: int, seed: int) -> list[dict[str, float]]:
    """For N, 2N and 4N alerts, half of each kind with one value in common (a proxy, a day, a part): what they cost."""
    found: list[dict[str, float]] = []
    for count in (records, 2 * records, 4 * records):
        rows = list(labelled(count, seed + 1))
        for row in rows[::2]:
            _share(row.alert)
        started = time.process_time()
        strong_pairs(rows, [True] * len(rows))
        _, compared = proposals(rows, [True] * len(rows), set())
        seconds = time.process_time() - started
        found.append({"records": count, "seconds": seconds, "comparisons an alert": len(compared) / count})
    return found


def _share(alert: Alert) -> None:
    subject = alert["subject"]
    if alert["kind"] == "cyber":
        subject["indicators"] = [*subject["indicators"], {"type": "ipv4", "value": "45.33.32.156"}]
    elif alert["kind"] == "wanted_person":
        subject |= {"born": {"year": 1990, "month": 7, "day": 14, "estimated": False}, "nationalities": ["SYR"]}
    else:
        subject["components"] = [{"part": "engine", "serial": "0123456789"}]


def show(result: dict[str, Any], console: Console) -> None:
    """Print the result as tables."""
    table = Table("kind", "alerts", "true pairs", "join", "link", "propose", "all", "µs identify", "keys", "match",
                  title=f"Identity: precision / recall on {result['records']:,} labelled alerts")  # fmt: skip
    for kind, row in result["kinds"].items():
        cells = [f"{_percent(row[name]['precision'])} / {_percent(row[name]['recall'])}" for name in
                 ("join", "link", "propose")]  # fmt: skip
        costs = result["us"][kind]
        micros = [f"{costs[name]:.0f}" for name in ("identify", "proposal_keys", "possible_match")]
        table.add_row(kind, f"{row['alerts']:,}", f"{row['pairs']:,}", *cells, _percent(row["recall"]), *micros)
    console.print(table)
    table = Table("kind", *(f"from {band}" for band in _BANDS), title="Proposals by score: how many are right")
    for kind, row in result["kinds"].items():
        table.add_row(kind, *(f"{_percent(band['precision'])} of {band['pairs']:,}" for band in row["bands"].values()))
    console.print(table)
    ends = ("joined", "linked", "proposed", "missed", "refused")
    for title, name in (("One subject, spoiled", "noise"), ("Two subjects that look like one", "neighbours")):
        heads = [head if name == "noise" or head != "missed" else "kept apart" for head in ends]
        table = Table("kind", "how", "pairs", *heads, title=f"{title}: of each hundred pairs")
        for kind, noises in result[name].items():
            for noise, counts in noises.items():
                total = sum(counts.values())
                table.add_row(kind, noise, f"{total:,}", *(f"{counts.get(end, 0) / total * 100:.1f}" for end in ends))
        console.print(table)
    table = Table("alerts", "seconds", "of half as many", "comparisons an alert", title="A value in half of the alerts")
    before = None
    for row in result["hub"]:
        ratio = f"{row['seconds'] / before:.2f}" if before else ""
        table.add_row(f"{row['records']:,}", f"{row['seconds']:.2f}", ratio, f"{row['comparisons an alert']:.1f}")
        before = row["seconds"]
    console.print(table)
    persons = result["false_joins"]["wanted_person"]
    console.print(f"False joins of distinct persons: {persons}", style="bold red" if persons else "green")
    console.print(f"False joins of vehicles: {result['false_joins']['stolen_vehicle']}, of threats: "
                  f"{result['false_joins']['cyber']}")  # fmt: skip


def _percent(part: float | None) -> str:
    return "-" if part is None else f"{part * 100:.1f} %"


def verdict(result: dict[str, Any]) -> None:
    """Nothing where no two persons were joined.

    Raises:
        SystemExit: two persons were joined, with how many pairs.
    """
    if result["false_joins"]["wanted_person"]:
        raise SystemExit(f"{result['false_joins']['wanted_person']} pairs of distinct persons were joined")
