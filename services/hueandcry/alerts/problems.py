"""Validation errors in words that help: which field, which rule, what to write; never the value."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from hueandcry.alerts.remarks import Remark

#: Type of the error that carries the remarks of alerts.checks.
RULES_BROKEN = "alert.rules"
_LONGEST_NAME = 64

#: Rule and message by Pydantic's type of error; {names} are of the error's context.
_BY_TYPE: dict[str, tuple[str, str]] = {
    "missing": ("field.missing", "must be given"),
    "extra_forbidden": ("field.unknown", "is no field of an alert; leave it out or correct its name"),
    "literal_error": ("enum.unknown", "is not known; write {expected}"),
    "timezone_aware": ("time.zone", "has no time zone; write one, for example 2026-03-01T12:00:00Z"),
    "datetime_parsing": ("time.form", "is no time; write ISO 8601 with a time zone, 2026-03-01T12:00:00Z"),
    "datetime_from_date_parsing": ("time.form", "is no time; write ISO 8601 with a time zone, 2026-03-01T12:00:00Z"),
    "datetime_type": ("time.form", "is no time; write ISO 8601 with a time zone, 2026-03-01T12:00:00Z"),
    "date_parsing": ("time.form", "is no date; write year, month and day, 2026-03-01"),
    "date_from_datetime_parsing": ("time.form", "is no date; write year, month and day, 2026-03-01"),
    "string_type": ("field.type", "must be a text"),
    "string_unicode": ("text.bounds", "holds half a character; write sound Unicode"),
    "int_type": ("field.type", "must be a whole number"),
    "int_parsing": ("field.type", "must be a whole number"),
    "int_parsing_size": ("field.range", "is too large a number"),
    "int_from_float": ("field.type", "must be a whole number"),
    "float_type": ("field.type", "must be a number"),
    "float_parsing": ("field.type", "must be a number"),
    "finite_number": ("field.type", "must be a finite number"),
    "bool_type": ("field.type", "must be true or false"),
    "bool_parsing": ("field.type", "must be true or false"),
    "tuple_type": ("field.type", "must be a list"),
    "model_type": ("field.type", "must be an object"),
    "model_attributes_type": ("field.type", "must be an object"),
    "dict_type": ("field.type", "must be an object"),
    "less_than_equal": ("field.range", "must be at most {le}"),
    "greater_than_equal": ("field.range", "must be at least {ge}"),
    "json_invalid": ("json.form", "is no JSON; write one object a line"),
}
#: Our own types of error: their messages hold no values.
_OURS = frozenset({"time.form", "time.range", "digest.form", "subject.kind", "table.mapping"})


def problems(error: ValidationError, *, place: str | None = None) -> list[Remark]:
    """Remarks for what a model refuses.

    Args:
        error: of Alert or one of its parts.
        place: where in the input, for example line 12; an index in a list is added to it.
    """
    remarks: list[Remark] = []
    for line in error.errors(include_url=False, include_input=False):
        context: dict[str, Any] = line.get("ctx", {})
        if line["type"] == RULES_BROKEN:
            for remark in context["remarks"]:
                remarks.append(remark._replace(place=_join(place, remark.place)))
            continue
        field, index = _path(line["loc"])
        if line["type"] in _OURS:
            rule, message = line["type"], line["msg"]
        else:
            rule, message = _BY_TYPE.get(line["type"], ("field.type", "is not of the form that the field asks for"))
            message = message.format_map(context)
        remarks.append(Remark(field, rule, message, _join(place, index)))
    return remarks


def _path(loc: tuple[int | str, ...]) -> tuple[str, str | None]:
    names = [_name(part) for part in loc if isinstance(part, str)]
    indexes = [str(part) for part in loc if isinstance(part, int)]
    return ".".join(names), f"index {', '.join(indexes)}" if indexes else None


def _name(name: str) -> str:
    """The name of a field; one that is not ours may hold anything, so only a plain one is repeated."""
    return (
        name if len(name) <= _LONGEST_NAME and name.isidentifier() and name.isascii() else "(a name that is not plain)"
    )


def _join(place: str | None, index: str | None) -> str | None:
    return ", ".join(part for part in (place, index) if part) or None
