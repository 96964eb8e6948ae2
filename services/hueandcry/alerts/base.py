"""What the models share: how times, digests and text are read and written.

A model is read in one of two forms. The publisher's form is JSON or a dict of it: ISO 8601 times with a time zone,
digests in hex. The record's form is what the codec decodes: epoch milliseconds, days since 1970-01-01, bytes. It is
asked for by RECORD as validation context.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

#: Validation context under which a decoded record is read.
RECORD = {"form": "record"}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _is_record(info: ValidationInfo) -> bool:
    context = info.context
    return isinstance(context, dict) and cast("dict[str, Any]", context).get("form") == "record"


def _read_instant(value: Any, info: ValidationInfo) -> Any:
    if _is_record(info) and type(value) is int:
        try:
            return _EPOCH + timedelta(milliseconds=value)
        except OverflowError:
            raise PydanticCustomError("time.range", "lies outside the years 1900 to 2199") from None
    if isinstance(value, datetime) or (isinstance(value, str) and _ISO.match(value)):
        return value
    raise PydanticCustomError("time.form", "is no time; write ISO 8601 with a time zone, 2026-03-01T12:00:00Z")


def _to_utc(value: datetime) -> datetime:
    """The same moment in UTC, cut to milliseconds: what a record can hold."""
    try:
        value = value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("time.range", "lies outside the years 1900 to 2199") from None
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def _read_day(value: Any, info: ValidationInfo) -> Any:
    if _is_record(info) and type(value) is int:
        try:
            return date(1970, 1, 1) + timedelta(days=value)
        except OverflowError:
            raise PydanticCustomError("time.range", "lies outside the years 1900 to 2199") from None
    if (isinstance(value, date) and not isinstance(value, datetime)) or (
        isinstance(value, str) and _ISO_DATE.fullmatch(value)
    ):
        return value
    raise PydanticCustomError("time.form", "is no date; write year, month and day, 2026-03-01")


def _read_digest(value: Any) -> Any:
    digest = value
    if isinstance(value, str):
        try:
            digest = bytes.fromhex(value)
        except ValueError:
            digest = b""
    if isinstance(digest, bytes) and len(digest) == 32:
        return digest
    raise PydanticCustomError("digest.form", "is no SHA-256 digest; write 64 hexadecimal digits")


#: A moment, kept in UTC and to the millisecond.
Instant = Annotated[AwareDatetime, BeforeValidator(_read_instant), AfterValidator(_to_utc)]
#: A day without a time.
Day = Annotated[date, BeforeValidator(_read_day)]
#: A SHA-256 digest; hex in JSON.
Digest = Annotated[
    bytes,
    BeforeValidator(_read_digest),
    PlainSerializer(bytes.hex, return_type=str, when_used="json"),
]
#: What Avro's int holds.
Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
Degrees = Annotated[float, Field(allow_inf_nan=False)]


class AlertPart(BaseModel):
    """Base of the models. Unknown fields are refused, values don't change, and errors never show what was written."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def to_record(self) -> dict[str, Any]:
        """The record for the codec: plain dicts and lists, epoch milliseconds, days since 1970-01-01, bytes."""
        return {name: _plain(getattr(self, name)) for name in type(self).model_fields}


def with_id(data: Any, name: str, parts: tuple[str, str], made: Callable[[str, str], str]) -> Any:
    """What is given for a model, with its id where that is missing and follows from two other fields.

    Args:
        data: as the model was given it, which may be anything.
        name: field of the id.
        parts: fields that it follows from.
        made: the id that follows.
    """
    if not isinstance(data, Mapping):
        return data
    given = cast("Mapping[str, Any]", data)
    one, two = (given.get(part) for part in parts)
    if given.get(name) is None and isinstance(one, str) and isinstance(two, str):
        return {**given, name: made(one, two)}
    return given


def _plain(value: Any) -> Any:
    if isinstance(value, AlertPart):
        return value.to_record()
    if isinstance(value, tuple):
        return [_plain(item) for item in cast("tuple[Any, ...]", value)]
    if isinstance(value, datetime):
        return (value - _EPOCH) // _MILLISECOND
    if isinstance(value, date):
        return (value - date(1970, 1, 1)) // _DAY
    return value
