"""What a person sees of the demonstration while it runs: a table that fills on a terminal, else plain lines."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table

from hueandcry.demo.scenario import Step
from hueandcry.rights.network import Agency
from hueandcry.sdk.delivery import Delivery

#: Most deliveries of a step that plain lines show one by one.
_ONE_BY_ONE = 60
_KINDS = {"stolen_vehicle": "vehicles", "wanted_person": "persons", "cyber": "cyber"}
_ENDED = {"withdrawn", "expired"}
_STYLE = {
    "issued": "green",
    "updated": "cyan",
    "withdrawn": "yellow",
    "expired": "yellow",
    "recalled": "red",
    "linked": "magenta",
}

LEGEND = """\
 agency ─ signs ─▶ alerts.<region> ─▶ admit ─▶ distribute ─▶ inbox.<agency>    original or redacted
                                        │           └──────▶ receipts.<agency> what became of it
                                        └─ refused ────────▶ quarantine.<region>
 issued: sent for the first time · updated: a later version · ended: withdrawn or expired
 recalled: taken back where the right to it is lost · redacted: without what needs a right
 linked: told that it is, or may be, on the same subject as another alert
 All persons, vehicles and threats are invented."""


class View(Protocol):
    """What the demonstration tells while it runs."""

    def doing(self, what: str) -> None:
        """What is going on."""

    def step(self, number: int, step: Step) -> None:
        """A step begins."""

    def received(self, agency: str, delivery: Delivery) -> None:
        """An agency has received something; called from several threads."""

    def step_done(self) -> None:
        """All of the step has its outcome."""


@dataclass
class _Row:
    kinds: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    redacted: int = 0
    last: str = ""


class Board:
    """What each agency has received so far. Safe for several threads."""

    def __init__(self, agencies: list[Agency]) -> None:
        self._lock = threading.Lock()
        self._agencies = agencies
        self._rows = {agency.id: _Row() for agency in agencies}
        self._news: list[tuple[str, Delivery]] = []

    def add(self, agency: str, delivery: Delivery) -> None:
        """One delivery more."""
        with self._lock:
            row = self._rows[agency]
            row.kinds[delivery.kind] += 1
            row.actions["ended" if delivery.action in _ENDED else delivery.action] += 1
            row.redacted += delivery.form == "redacted"
            row.last = f" {delivery.action} {_reference(delivery)}"
            self._news.append((agency, delivery))

    def news(self) -> list[tuple[str, Delivery]]:
        """What has come since this was last asked."""
        with self._lock:
            news, self._news = self._news, []
        return news

    def __rich__(self) -> Table:
        """Who has received what."""
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        table.add_column("agency", no_wrap=True)
        for name in (*_KINDS.values(), "issued", "updated", "ended", "recalled", "linked", "redacted"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column(" last", no_wrap=True, style="dim", overflow="ellipsis")
        with self._lock:
            for agency in self._agencies:
                row = self._rows[agency.id]
                counts = [*(row.kinds[kind] for kind in _KINDS)]
                counts += [row.actions[action] for action in ("issued", "updated", "ended", "recalled", "linked")]
                cells = [str(count or "·") for count in (*counts, row.redacted)]
                table.add_row(agency.id, *cells, row.last)
        return table


class LiveView:
    """The table, kept up to date at the foot of the terminal."""

    def __init__(self, console: Console, agencies: list[Agency]) -> None:
        self._console = console
        self._board = Board(agencies)
        self._spinner = Spinner("dots")
        self._began = False
        self._live = Live(get_renderable=self._picture, console=console, refresh_per_second=6, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()
        if self._began:
            self._console.print(Padding(self._board, (1, 0)))

    def _picture(self) -> RenderableType:
        return Group(*((Padding(self._board, (1, 0)),) if self._began else ()), self._spinner)

    def doing(self, what: str) -> None:
        """What is going on."""
        self._spinner.update(text=escape(what))
        if not self._live.is_started:
            self._console.print(f"… {escape(what)}", style="dim", highlight=False)

    def step(self, number: int, step: Step) -> None:
        """A step begins."""
        self._began = True
        self._console.print(_title(number, step))
        self.doing(f"{step.size} messages on their way")

    def received(self, agency: str, delivery: Delivery) -> None:
        """An agency has received something."""
        self._board.add(agency, delivery)

    def step_done(self) -> None:
        """All of the step has its outcome."""
        self._board.news()


class PlainView:
    """Lines, for a file or a pipe."""

    def __init__(self, console: Console, agencies: list[Agency], *, deliveries: bool = True) -> None:
        self._console = console
        self._board = Board(agencies)
        self._deliveries = deliveries
        self._began = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._began and self._deliveries:
            self._console.print(Padding(self._board, (1, 0)))

    def doing(self, what: str) -> None:
        """What is going on."""
        self._console.print(f"… {escape(what)}", style="dim", highlight=False)

    def step(self, number: int, step: Step) -> None:
        """A step begins."""
        self._began = True
        self._console.print(_title(number, step), highlight=False)

    def received(self, agency: str, delivery: Delivery) -> None:
        """An agency has received something."""
        self._board.add(agency, delivery)

    def step_done(self) -> None:
        """All of the step has its outcome."""
        news = sorted(self._board.news(), key=lambda each: (each[0], _reference(each[1])))
        if not self._deliveries:
            return
        if len(news) <= _ONE_BY_ONE:
            for agency, delivery in news:
                form = "" if delivery.form == "original" else f"({delivery.form})" if delivery.alert else ""
                style = _STYLE.get(delivery.action, "")
                line = f"   {agency:<14} {delivery.action:<10} {_reference(delivery):<12} {form}"
                self._console.print(line.rstrip(), style=style, highlight=False)
            return
        counts: dict[str, Counter[str]] = {}
        for agency, delivery in news:
            counts.setdefault(agency, Counter())[_KINDS.get(delivery.kind, delivery.kind)] += 1
        for agency, kinds in counts.items():
            said = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
            self._console.print(f"   {agency:<14} {said}", highlight=False)


def _title(number: int, step: Step) -> str:
    return f"[bold]{number} {escape(step.title)}[/bold]: {step.size} messages – {escape(step.says)}"


def _reference(delivery: Delivery) -> str:
    version = "" if delivery.version == 1 else f" v{delivery.version}"
    if delivery.alert is None:
        return f"{delivery.alert_id[:8]}…{version}"
    return f"{delivery.alert['national_reference']}{version}"
