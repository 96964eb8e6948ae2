"""What an adapter is given and what it gives back.

An adapter is a pure function `read(data, context) -> Reading`: bytes in, alerts out, with every part of the source that
is not carried named as a loss and every part that can't be an alert as a refusal. It never raises for what is in the
bytes, looks at no clock and opens nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from hueandcry.alerts.categories import GROUND, Category, Kind
from hueandcry.alerts.model import Alert, problems
from hueandcry.alerts.paths import is_field
from hueandcry.alerts.remarks import Remark
from hueandcry.errors import SettingsError

#: Largest document that an adapter reads whole, in bytes. What takes more memory than that is refused unread.
LARGEST = 64 * 1024 * 1024
#: Most alerts, losses and refusals that one document gives; more end its reading with a refusal that says so.
MOST = 100_000

Why = Literal["no_field", "lossy", "not_an_alert", "not_for_detection", "not_shared", "unknown", "broken", "repeated"]


class Loss(NamedTuple):
    """A part of the source that is in no alert, or not as it was.

    Attributes:
        pointer: where it stands: a JSON pointer, an XML path with line, or a line.
        what: its type or the name of its field; never a value.
        why: no_field (an alert has no place for it), lossy (carried in part), not_an_alert (context only),
            not_for_detection, not_shared (marked as not to be passed on), unknown (a code or type that is not known),
            broken (not of the form that its format asks for), repeated.
        message: the same in words.
    """

    pointer: str
    what: str
    why: Why
    message: str

    def as_json(self) -> dict[str, str]:
        """For a report."""
        return self._asdict()


class Drawn(NamedTuple):
    """A sound alert and where in the source it came from."""

    place: str
    alert: Alert


class Refusal(NamedTuple):
    """A part of the source, or all of it (place empty), that gives no alert, and why."""

    place: str
    remarks: tuple[Remark, ...]


@dataclass(frozen=True)
class Reading:
    """All that came of one document."""

    alerts: tuple[Drawn, ...] = ()
    losses: tuple[Loss, ...] = ()
    refusals: tuple[Refusal, ...] = ()

    def losses_by_reason(self) -> dict[str, int]:
        """How many losses there are of each kind, the most frequent first."""
        return dict(Counter(f"{loss.what}: {loss.why}" for loss in self.losses).most_common())


class Defaults(BaseModel):
    """What an agency says once for all that it publishes from other formats.

    Attributes:
        constants: fields of the alert by path, written where the source does not state them. Markings and circulation
            stand here, since most formats know none: they have no default of ours.
        categories: the category by kind, where the source leaves it open.
        issued_at: `source`: an alert is issued when the source says so, so that the same file gives the same alert
            again. `now`: it is issued now; the time of the source is kept as provenance.collected_at.
        to_ids: of MISP: `required` takes what is marked for detection, `any` all observables (never to be blocked).
        sharing_groups: of MISP: agencies, regions or states that a sharing group stands for, by its UUID or name.
        person_vehicles: category under which the vehicle of a wanted person becomes an alert of its own.
        certificates: PEM certificates that a signed CAP message may be signed with.
        require_signature: refuse CAP messages without a signature that one of these certificates has made.
        statement_markings: of STIX: `refuse` what has a marking that we can't keep, or take it and report the `loss`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    constants: dict[str, Any] = {}
    categories: dict[Kind, Category] = {}
    issued_at: Literal["source", "now"] = "source"
    to_ids: Literal["required", "any"] = "required"
    sharing_groups: dict[str, tuple[str, ...]] = {}
    person_vehicles: Literal["discreet_check", "inquiry_check", "specific_check"] | None = None
    certificates: tuple[str, ...] = ()
    require_signature: bool = False
    statement_markings: Literal["loss", "refuse"] = "loss"
    time_zone: str = Field(default="UTC")

    @field_validator("constants")
    @classmethod
    def _fields(cls, constants: dict[str, Any]) -> dict[str, Any]:
        for path in constants:
            if "." in path or not is_field(path) or path in ("kind", "category", "subject", "alert_id"):
                raise PydanticCustomError(
                    "table.mapping", "{path} is no field of the envelope of an alert that can be set", {"path": path}
                )
        return constants

    @model_validator(mode="after")
    def _grounds(self) -> Defaults:
        for kind, category in self.categories.items():
            if (kind, category) not in GROUND:
                raise PydanticCustomError(
                    "table.mapping",
                    "categories: {kind} has no category {category}",
                    {"kind": kind, "category": category},
                )
        return self


def defaults_of(value: Mapping[str, Any], source: str = "defaults") -> Defaults:
    """Defaults out of what a YAML or TOML file holds.

    Raises:
        SettingsError: says what is wrong in it.
    """
    try:
        return Defaults.model_validate(value)
    except ValidationError as error:
        raise SettingsError(f"{source}: {'; '.join(map(str, problems(error)))}") from None


@dataclass(frozen=True)
class Context:
    """Who reads, and when.

    Attributes:
        issuer: id of the agency that publishes.
        issuing_state: its state, ISO 3166-1 alpha-3.
        now: time of reading, with a time zone.
        defaults: what the agency says once for all its files.
    """

    issuer: str
    issuing_state: str
    now: datetime
    defaults: Defaults = field(default_factory=Defaults)


def refused(rule: str, message: str, *, place: str = "", name: str = "") -> Reading:
    """A reading that is one refusal of the whole document."""
    return Reading(refusals=(Refusal(place, (Remark(name, rule, message, place or None),)),))


def joined(readings: Iterable[Reading]) -> Reading:
    """Several readings as one."""
    parts = list(readings)
    return Reading(
        tuple(each for part in parts for each in part.alerts),
        tuple(each for part in parts for each in part.losses),
        tuple(each for part in parts for each in part.refusals),
    )
