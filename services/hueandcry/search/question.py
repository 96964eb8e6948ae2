"""What is asked, and the keys under which the register has it.

Rules:
1. A question is turned into an alert that says no more than it does; the keys are those that the core gives to that
   alert (`identify`, `proposal_keys`). So search and distribution can't differ in what is one subject.
2. A question of which the register may know several readings (a document whose type is not given) has the exact keys of
   all of them.
3. A question is about alerts of one status; where it does not say so, actual ones.
4. A part of a plate (`patterns`) has no keys: it is compared with every plate, and only proposes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, NamedTuple, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from hueandcry.alerts.categories import Status
from hueandcry.alerts.cyber import IndicatorType
from hueandcry.alerts.person import DocumentType
from hueandcry.alerts.remarks import Remark
from hueandcry.alerts.vehicle import PlateType
from hueandcry.identity import identify, normalise_indicator, proposal_keys, refusals, status_key
from hueandcry.search.patterns import PlatePattern, is_pattern, read_pattern

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Long = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_048)]
_State = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
_BORN = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
#: Categories of vehicle by which a VIN is read: only road vehicles have the rules of check digits.
_VIN_READINGS = ("unknown", "machine")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlateAsked(_Part):
    """A registration plate; without a type it may be of any, without a state or with a part of it it only proposes."""

    raw: _Text
    state: _State | None = None
    subdivision: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[A-Z0-9]{1,3}$")] | None = None
    type: PlateType | None = None


class PersonAsked(_Part):
    """A person by name; without the full date of birth and a nationality a name only proposes."""

    name: _Text
    born: Annotated[str, StringConstraints(pattern=rf"^{_BORN.pattern}$")] | None = None
    nationalities: Annotated[tuple[_State, ...], Field(max_length=8)] = ()

    @model_validator(mode="after")
    def _is_a_date(self) -> Self:
        year, month, day = self.parts
        if year is not None:
            date(year, month or 1, day or 1)
        return self

    @property
    def parts(self) -> tuple[int | None, int | None, int | None]:
        """Year, month and day of birth, as far as given."""
        match = _BORN.fullmatch(self.born or "")
        if match is None:
            return None, None, None
        year, month, day = (int(part) if part else None for part in match.groups())
        return year, month, day


class DocumentAsked(_Part):
    """A document; without a type it may be of any that names one person, without a state it only proposes."""

    number: _Text
    state: _State | None = None
    type: DocumentType | None = None


class IndicatorAsked(_Part):
    """An observable value; without a type it may be of any that the value can have."""

    value: _Long
    type: IndicatorType | None = None


class Question(_Part):
    """One search: exactly one of vin, plate, person, document and indicator.

    Attributes:
        purpose: why, in words or a code of the agency.
        officer: who asks, as the agency names that person to itself; never a name.
        possible: whether possible matches are asked for too, which takes longer.
    """

    purpose: Annotated[_Text, StringConstraints(min_length=3)]
    officer: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@/-]{1,64}$")] | None = None
    status: Status = "actual"
    possible: bool = True
    vin: _Text | None = None
    plate: PlateAsked | None = None
    person: PersonAsked | None = None
    document: DocumentAsked | None = None
    indicator: IndicatorAsked | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(getattr(self, name) is not None for name in BY) != 1:
            raise ValueError(f"ask by exactly one of {', '.join(BY)}")
        return self

    @property
    def by(self) -> str:
        """By what it asks: one of `BY`."""
        return next(name for name in BY if getattr(self, name) is not None)


#: By what one may ask.
BY = ("vin", "plate", "person", "document", "indicator")


class Asked(NamedTuple):
    """A question as the register understands it.

    Attributes:
        sample: the alert that says what the question says, for `possible_match`.
        exact: HMACs of the keys of the very subject; empty where it says too little.
        weak: HMACs of the keys by which others are proposed; empty where they are not asked for.
        remarks: doubts about the question itself; without its values.
        pattern: the part of a plate that is known; None where all of it is asked for, or something else.
    """

    sample: Mapping[str, Any]
    exact: tuple[bytes, ...]
    weak: tuple[bytes, ...]
    remarks: tuple[Remark, ...]
    pattern: PlatePattern | None = None


def read_question(body: bytes) -> Question:
    """The question of a request's body, JSON.

    Raises:
        ValueError: it is none; the text names the field and never a value.
    """
    try:
        return Question.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the question"
        raise ValueError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from None


def ask(question: Question, secret: bytes) -> Asked:
    """The keys of a question.

    Args:
        secret: the identity secret, with which admit makes the keys.

    Raises:
        TooWide: it is a part of a plate that says too little.
    """
    if question.plate is not None and is_pattern(question.plate.raw):
        return _partly(question, question.plate, secret)
    sample, *others = [
        {"alert_id": "", "status": question.status, "kind": kind, "subject": subject}
        for kind, subject in _readings(question)
    ]
    exact: dict[str, None] = {}
    for reading in [sample, *others]:
        identity = identify(reading)
        exact.update(dict.fromkeys([*([identity.key] if identity.strong else []), *identity.claims]))
    proposing = [sample, *others] if question.possible else []
    weak = dict.fromkeys(key for reading in proposing for key in proposal_keys(reading))

    def hidden(keys: Mapping[str, None]) -> tuple[bytes, ...]:
        return tuple(status_key(secret, question.status, key) for key in keys)

    return Asked(sample, hidden(exact), hidden(weak), tuple(refusals(sample)))


def _partly(question: Question, plate: PlateAsked, secret: bytes) -> Asked:
    sample = {"alert_id": "", "status": question.status, "kind": "stolen_vehicle", "subject": {}}
    if not question.possible:
        return Asked(sample, (), (), ())
    pattern = read_pattern(plate.raw, plate.state, question.status)
    # For the log: so it can be told whether this was asked for.
    key = status_key(secret, question.status, f"plate pattern:{pattern.state}:{pattern.text}")
    return Asked(sample, (), (key,), (_NOT_ALL,), pattern)


def _readings(question: Question) -> list[tuple[str, dict[str, Any]]]:
    """Kind and subject of each reading; the first is the one that says least beyond the question."""
    if question.vin is not None:
        vin = {"raw": question.vin}
        return [("stolen_vehicle", {"vin": vin, "stolen": "both", "category": each}) for each in _VIN_READINGS]
    if (plate := question.plate) is not None:
        types = [plate.type] if plate.type else ["unknown", *get_args(PlateType)]
        shown = [plate.model_dump() | {"type": each} for each in types]
        return [("stolen_vehicle", {"plate": each, "stolen": "both"}) for each in shown]
    if (person := question.person) is not None:
        year, month, day = person.parts
        born = None if year is None else {"year": year, "month": month, "day": day, "estimated": False}
        identity = {"type": "confirmed", "family": person.name}
        subject = {"identities": [identity], "born": born, "nationalities": list(person.nationalities)}
        return [("wanted_person", subject)]
    if (document := question.document) is not None:
        kinds = [document.type] if document.type else list(get_args(DocumentType))
        return [("wanted_person", {"documents": [document.model_dump() | {"type": each}]}) for each in kinds]
    assert question.indicator is not None  # noqa: S101 - one of them is there
    kinds = [question.indicator.type] if question.indicator.type else list(get_args(IndicatorType))
    values = dict.fromkeys(normalise_indicator(each, question.indicator.value) for each in kinds)
    # What shows no type at all comes last: it is a name of something at best.
    named = sorted(values, key=lambda each: each.type == "other")
    return [("cyber", {"indicators": [each._asdict()]}) for each in named]


#: Said always, for whether there are more must not be told: they may be alerts that the agency may not see.
_NOT_ALL = Remark(
    "plate.raw", "plate.partial", "not every alert whose plate may fit is looked at; the more of it is known, the surer"
)
