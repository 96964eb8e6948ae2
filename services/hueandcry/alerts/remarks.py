"""Remarks: what is wrong or doubtful with a message, field by field."""

from __future__ import annotations

from typing import Any, NamedTuple


class Remark(NamedTuple):
    """A reason of a refusal, or a doubt about quality. Never holds the value itself.

    Attributes:
        field: path of the field, for example subject.vin.raw; empty where the whole message is meant.
        rule: short name of the rule, for example vin.check_digit.
        message: what is wrong and what to write instead, without the value.
        place: where in the input (byte offset, line or array index); None where it does not apply.
    """

    field: str
    rule: str
    message: str
    place: str | None = None

    def as_record(self) -> dict[str, Any]:
        """The record hueandcry.Remark."""
        return {"field": self.field, "rule": self.rule, "message": self.message, "place": self.place}

    def __str__(self) -> str:
        where = " at ".join(part for part in (self.field, self.place) if part)
        return f"{where}: {self.message} ({self.rule})" if where else f"{self.message} ({self.rule})"
