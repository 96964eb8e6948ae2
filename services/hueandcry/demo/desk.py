"""What agencies do with what they have received: a hit reported and confirmed, and searches; checked as all else."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from hueandcry.demo.compare import Difference
from hueandcry.demo.scenario import DATA
from hueandcry.sdk.profile import agency_profile
from hueandcry.sdk.reports import Reports
from hueandcry.sdk.search import Found, Search
from hueandcry.sdk.subscriber import Notices

_AT_ONCE = 5
#: Within which what was asked for must show.
_SOON_S = 30.0
_LOOK_S = 0.2


class Hit(NamedTuple):
    """A hit, and who must hear of it.

    Attributes:
        alert: national reference of the alert that is held.
        by: agency that has found.
        answer: confirm or reject, by the issuer.
        notices: by agency, the types of its notices, in order.
    """

    alert: str
    by: str
    answer: str
    because: str
    notices: Mapping[str, list[str]]


class Asked(NamedTuple):
    """A search, and what must be found; alerts by their national references.

    Attributes:
        question: by what `Search.ask` is asked.
        elsewhere: state and kind, with a blank between.
    """

    by: str
    because: str
    question: Mapping[str, Any]
    exact: Sequence[str] = ()
    proposed: Sequence[str] = ()
    elsewhere: Sequence[str] = ()

    @property
    def wanted(self) -> str:
        """What must be found, in words."""
        return _found_words(self.exact, self.proposed, self.elsewhere)


class Done(NamedTuple):
    """What came of it.

    Attributes:
        said: lines for people.
        hits, searches: how many.
    """

    said: list[str]
    hits: int
    searches: int
    differences: list[Difference]


def load(folder: Path = DATA) -> tuple[list[Hit], list[Asked]]:
    """What is done, from `desk.yaml`."""
    plan = yaml.safe_load((folder / "desk.yaml").read_text("utf-8"))
    return [Hit(**each) for each in plan["hits"]], [Asked(**each) for each in plan["searches"]]


def work(home: Path, agencies: Iterable[str], id_of: Mapping[str, str], issuer_of: Mapping[str, str]) -> Done:
    """Do all of it on a platform that has settled the scenario.

    Args:
        home: folder of the profiles.
        id_of, issuer_of: alert id and issuer by national reference.
    """
    hits, searches = load()
    reference_of = {alert_id: reference for reference, alert_id in id_of.items()}
    said: list[str] = []
    differences: list[Difference] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = pool.map(lambda asked: _search(home, asked, reference_of), searches)
        for hit in hits:
            differences += _play(home, hit, id_of[hit.alert], issuer_of[hit.alert], list(agencies), pool)
            heard = ", ".join(f"{agency} {' and '.join(types)}" for agency, types in hit.notices.items())
            said.append(f"{hit.by} has a hit on {hit.alert}: {hit.because}. Notices: {heard}")
        for asked, found in zip(searches, answers, strict=True):
            said.append(f"{asked.by} searches by {next(iter(asked.question))}: {asked.because}. Found: {found}")
            if found != asked.wanted:
                differences.append(Difference(asked.by, "a search", asked.wanted, found))
    return Done(said, len(hits), len(searches), differences)


def _play(
    home: Path, hit: Hit, alert_id: str, issuer: str, agencies: list[str], pool: ThreadPoolExecutor
) -> list[Difference]:
    """Report a hit and answer it; what is not as expected."""
    with Reports.for_agency(hit.by, home) as reports:
        sent = reports.report({"type": "hit", "alert_id": alert_id, "urgency": "urgent"})
    with Notices.for_agency(issuer, home=home, name=None, from_="beginning") as notices:
        _until(lambda: (each := notices.take(_LOOK_S)) is not None and each.report_id == sent.report_id)
    with Reports.for_agency(issuer, home) as reports:
        reports.report({"type": hit.answer, "alert_id": alert_id, "answers": sent.report_id})
    with Notices.for_agency(hit.by, home=home, name=None, from_="beginning") as notices:
        _until(lambda: (each := notices.take(_LOOK_S)) is not None and each.report_id == sent.report_id)

    def heard(agency: str) -> list[str]:
        with Notices.for_agency(agency, home=home, name=None, from_="beginning", until_end=True) as notices:
            return [each.type for each in notices if each.report_id == sent.report_id]

    found: list[Difference] = []
    for agency, got in zip(agencies, pool.map(heard, agencies), strict=True):
        want = hit.notices.get(agency, [])
        if got != want:
            found.append(Difference(agency, hit.alert, f"notices: {want}", f"notices: {got}"))
    return found


def _search(home: Path, asked: Asked, reference_of: Mapping[str, str]) -> str:
    """What a search finds, in words; asked again while what was registered last may not have come to it."""
    said = ""

    def as_wanted() -> bool:
        nonlocal said
        found = search.ask("demonstration", **asked.question)
        said = _found_words(
            _references(found, "exact", reference_of),
            _references(found, "proposed", reference_of),
            [f"{each['issuing_state']} {each['kind']}" for each in found.elsewhere],
        )
        return said == asked.wanted

    with Search(agency_profile(asked.by, home)) as search:
        _until(as_wanted)
    return said


def _until(done: Callable[[], bool]) -> None:
    ends = time.monotonic() + _SOON_S
    while not done() and time.monotonic() < ends:
        time.sleep(_LOOK_S)


def _references(found: Found, where: str, reference_of: Mapping[str, str]) -> list[str]:
    ids = Counter(match["alert_id"] for match in getattr(found, where))
    return sorted(reference_of.get(alert_id, alert_id) for alert_id in ids.elements())


def _found_words(exact: Sequence[str], proposed: Sequence[str], elsewhere: Sequence[str]) -> str:
    parts = [
        f"{name} {', '.join(sorted(which))}"
        for name, which in (("exact", exact), ("possible", proposed), ("ask", elsewhere))
        if which
    ]
    return "; ".join(parts) or "nothing"
