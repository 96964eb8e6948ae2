"""What all commands share: data on stdout, messages and progress on stderr, one exit code for one meaning.

Exit codes: 0 done, 1 error or some refused, 2 wrong usage, 3 the answer is no, 4 not complete in time.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

OK, ERROR, USAGE, NO, INCOMPLETE = 0, 1, 2, 3, 4
#: Seconds after which work shows its progress.
PATIENCE = 1.0

Home = Annotated[Path | None, typer.Option(help="Folder of the profiles; else HUEANDCRY_HOME, else ./.hueandcry.")]
#: What JSON leaves as it is, but a terminal may obey, or show in another order, or take for the end of a line.
_CONTROLS = re.compile(r"[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class Output(StrEnum):
    """Form of what goes to stdout."""

    table = "table"
    json = "json"


def stdout() -> Console:
    """Where data go."""
    return Console(soft_wrap=True)


def stderr() -> Console:
    """Where messages and progress go."""
    return Console(stderr=True, soft_wrap=True)


def say(message: str, style: str = "") -> None:
    """A message, on stderr."""
    stderr().print(escape(message), style=style or None, highlight=False)


def fail(message: str, code: int = ERROR) -> NoReturn:
    """Say what is wrong and what to do, and end."""
    say(f"hueandcry: {message}")
    raise typer.Exit(code)


def json_line(value: Any) -> str:
    """One line of JSON; text in any script stays readable."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def printable(text: str) -> str:
    """Text without what would steer a terminal or hide in it; for words that come out of an alert."""
    return "".join(character for character in text if character.isprintable())


class Bar:
    """Progress that shows itself on a terminal once the work has taken a second."""

    def __init__(self, label: str, total: int | None) -> None:
        self._label = label
        self._total = total
        self._done = 0
        self._began = monotonic()
        self._progress: Progress | None = None
        self._task: Any = None

    def advance(self, by: int = 1) -> None:
        """So much more is done."""
        self._done += by
        if self._progress is None:
            if monotonic() - self._began < PATIENCE:
                return
            console = stderr()
            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=console,
                transient=True,
                disable=not console.is_terminal,
            )
            self._progress.start()
            self._task = self._progress.add_task(self._label, total=self._total)
        self._progress.update(self._task, completed=self._done)

    def stop(self) -> None:
        """Take it away."""
        if self._progress is not None:
            self._progress.stop()


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Bar]:
    """Progress over `total` steps; a spinner with a count where it is not known."""
    bar = Bar(label, total)
    try:
        yield bar
    finally:
        bar.stop()


@contextmanager
def clean_exit() -> Iterator[None]:
    """A reader of stdout that has gone (`| head`) ends a command without a fault."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would try to flush stdout once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(OK) from None
