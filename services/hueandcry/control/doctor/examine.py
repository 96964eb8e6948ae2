"""Checks, run in order, each within its time.

A check returns what it finds. One that raises, or takes too long, has found something wrong; one that rests on another
that went wrong is not asked.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple

from confluent_kafka import KafkaException

from hueandcry.errors import HueAndCryError

State = Literal["ok", "warning", "wrong", "skipped"]

#: Longest time for all checks together, in seconds.
TOTAL_S = 28.0


@dataclass(frozen=True)
class Finding:
    """What a check has found.

    Attributes:
        name: of the check.
        state: ok; warning (it works, but see to it); wrong; skipped (not asked).
        says: one line.
        do: what to do about it; empty where nothing is to be done.
        data: numbers for programs; empty where there are none.
    """

    name: str
    state: State
    says: str
    do: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Values that JSON has."""
        return asdict(self)


class Answer(NamedTuple):
    """What a check returns: a finding without the name."""

    state: State
    says: str
    do: str = ""
    data: Mapping[str, Any] = {}


class Check(NamedTuple):
    """One check.

    Attributes:
        name: a word or two, for people.
        ask: does it; may raise HueAndCryError or KafkaException.
        needs: names of checks without which this one can't be asked.
        seconds: longest time that it may take.
    """

    name: str
    ask: Callable[[], Answer]
    needs: tuple[str, ...] = ()
    seconds: float = 8.0


def ok(says: str, **data: Any) -> Answer:
    """All is well."""
    return Answer("ok", says, "", data)


def warning(says: str, do: str = "", **data: Any) -> Answer:
    """It works, but somebody should see to it."""
    return Answer("warning", says, do, data)


def wrong(says: str, do: str = "", **data: Any) -> Answer:
    """It does not work."""
    return Answer("wrong", says, do, data)


def skipped(says: str) -> Answer:
    """There is nothing to ask here."""
    return Answer("skipped", says)


def examine(
    checks: Iterable[Check], *, total: float = TOTAL_S, begins: Callable[[str], None] = lambda _: None
) -> Iterator[Finding]:
    """Run the checks; each finding as soon as it is there.

    Args:
        total: seconds for all of them; what has no time left is not asked.
        begins: told the name of each check before it is asked.
    """
    ends = time.monotonic() + total
    #: By check that could not do its work, the one that is to blame.
    to_blame: dict[str, str] = {}
    for check in checks:
        lacking = [to_blame[name] for name in check.needs if name in to_blame]
        left = ends - time.monotonic()
        if lacking:
            to_blame[check.name] = lacking[0]
            yield Finding(check.name, "skipped", f"not asked, because of {lacking[0]}")
        elif left <= 0:
            yield Finding(check.name, "skipped", f"not asked: {total:.0f} s were over")
        else:
            begins(check.name)
            finding = Finding(check.name, *_bounded(check, min(check.seconds, left)))
            if finding.state == "wrong":
                to_blame[check.name] = check.name
            yield finding


def _bounded(check: Check, seconds: float) -> Answer:
    """The answer of a check; what hangs is left behind in its thread."""
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    thread = threading.Thread(target=lambda: answers.put(_safe(check)), name=f"doctor-{check.name}", daemon=True)
    thread.start()
    try:
        return answers.get(timeout=seconds)
    except queue.Empty:
        return wrong(
            f"no answer within {seconds:.0f} s", "See whether the other side hangs, or the network drops packets"
        )


def _safe(check: Check) -> Answer:
    try:
        return check.ask()
    except HueAndCryError as error:
        return wrong(_one_line(str(error)), error.hint)
    except KafkaException as error:
        return wrong(f"Kafka: {error.args[0].str()}")
    except Exception as error:
        return wrong(f"the check itself failed ({type(error).__name__}: {_one_line(str(error))})", "Report this")


def _one_line(text: str) -> str:
    return " ".join(text.split())
