"""The scenario: what is published, by whom, in which order; read from `data/`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from hueandcry.errors import HueAndCryError
from hueandcry.sdk.files import csv_rows, json_lines, read_mapping

DATA = Path(__file__).parent / "data"

#: A time relative to the demonstration, as its files have it: @now, @now-90m, @now+30d.
_RELATIVE = re.compile(r"@now(?:([+-]\d+)([smhd]))?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Fault = Literal["unsigned", "wrong_signer", "truncated"]


class Forged(NamedTuple):
    """A message that goes out as it should not.

    Attributes:
        fault: what is wrong with it.
        sent_by: agency that sends it, and signs it where it is signed.
        alert: as its issuer would have written it.
    """

    fault: Fault
    sent_by: str
    alert: dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A part of the scenario: what is published at once.

    Attributes:
        title, says: for people.
        alerts: by agency, what it publishes, in order.
        forged: what is sent besides.
    """

    title: str
    says: str
    alerts: Mapping[str, list[dict[str, Any]]]
    forged: tuple[Forged, ...] = ()

    @property
    def size(self) -> int:
        """How many messages it sends."""
        return sum(map(len, self.alerts.values())) + len(self.forged)


class Question(NamedTuple):
    """What `hueandcry why` is asked at the end; the alert by its national reference."""

    alert: str
    agency: str


@dataclass(frozen=True)
class Scenario:
    """The whole of it."""

    steps: tuple[Step, ...]
    questions: tuple[Question, ...]

    @property
    def size(self) -> int:
        """How many messages it sends."""
        return sum(step.size for step in self.steps)


def load(now: datetime, folder: Path = DATA) -> Scenario:
    """Read the scenario, with its times counted from `now`.

    Raises:
        HueAndCryError: a file of it is not sound.
    """
    plan = yaml.safe_load((folder / "scenario.yaml").read_text("utf-8"))
    steps = tuple(
        Step(
            title=step["title"],
            says=step["says"],
            alerts={
                agency: [alert for name in files for alert in _alerts(folder / name, now)]
                for agency, files in step["publish"].items()
            },
            forged=_forged(folder / step["forge"], now) if "forge" in step else (),
        )
        for step in plan["steps"]
    )
    return Scenario(steps, tuple(Question(each["alert"], each["agency"]) for each in plan["why"]))


def _alerts(file: Path, now: datetime) -> list[dict[str, Any]]:
    stream = BytesIO(_timed(file, now).encode())
    if file.suffix == ".csv":
        items = csv_rows(stream, file.name, read_mapping(file.with_suffix(".mapping.yaml")))
    else:
        items = json_lines(stream, file.name)
    alerts: list[dict[str, Any]] = []
    for item in items:
        if item.alert is None:
            raise HueAndCryError(f"{item.place}: {'; '.join(map(str, item.remarks))}")
        alerts.append(item.alert)
    return alerts


def _forged(file: Path, now: datetime) -> tuple[Forged, ...]:
    return tuple(Forged(**json.loads(line)) for line in _timed(file, now).splitlines())


def _timed(file: Path, now: datetime) -> str:
    """Text of a file, its relative times made absolute."""

    def absolute(found: re.Match[str]) -> str:
        count, unit = found.groups()
        at = now + timedelta(**{_UNITS[unit]: int(count)}) if unit else now
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return _RELATIVE.sub(absolute, file.read_text("utf-8"))
