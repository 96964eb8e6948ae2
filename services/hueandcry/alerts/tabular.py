"""Rows of a table, such as a CSV file, to alerts by a mapping that an agency writes once for its file.

A mapping is YAML or TOML that the caller has parsed:

    constants:                          # the same for every row
      kind: stolen_vehicle
      category: seizure
      circulation: [NZL, AUS]
      classification: unclassified
      handling_code: H0
      tlp: clear
    time_zone: Pacific/Auckland         # of times without one
    columns:
      Color: {to: subject.colours, as: list}
      ModelYear: {to: subject.year, as: number, blank: ["0"]}
      VehicleType: {to: subject.category, values: {Saloon: car, Trail Bike: motorcycle}, otherwise: other}
      DateStolen: {to: subject.stolen_from, until: subject.stolen_until, as: day, formats: ["%d/%m/%y", "%d/%m/%Y"]}
    ignore: [Region]                    # columns that are left out on purpose
    reference: {prefix: NZ-, columns: [Color, ModelYear, VehicleType, DateStolen]}   # where the file has none

Markings and circulation must be stated. A column that the mapping doesn't name is an error: nothing gets lost unseen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Table
from copy import deepcopy
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal, NamedTuple, Self, cast
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from hueandcry.alerts.paths import is_field, put
from hueandcry.alerts.remarks import Remark

MARKINGS = ("circulation", "classification", "handling_code", "tlp")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Column(_Part):
    """What becomes of one column.

    Attributes:
        to: path of the field, for example subject.plate.raw or subject.identities.0.family.
        until: for `day`, the path of the field that takes the end of the day.
        form: (written `as`) text; number; list (parts between `separator`); date (a day without time); time; day (a day
            as the span from its first to its last moment).
        formats: forms of dates and times as strptime takes them, tried in order; ISO 8601 where there is none.
        values: what to write for each value, whatever its case.
        otherwise: what to write for a value that `values` does not name; without it such a value is an error.
        blank: values that mean that nothing is known, besides the empty one.
        required: whether an empty value is an error.
    """

    to: str
    until: str | None = None
    form: Literal["text", "number", "list", "date", "time", "day"] = Field(default="text", alias="as")
    formats: tuple[str, ...] = ()
    values: dict[str, str] = {}
    otherwise: str | None = None
    blank: tuple[str, ...] = ()
    separator: str = Field(default=";", min_length=1)
    required: bool = False

    @field_validator("values")
    @classmethod
    def _fold_values(cls, values: dict[str, str]) -> dict[str, str]:
        return {key.strip().casefold(): value for key, value in values.items()}

    @cached_property
    def blanks(self) -> frozenset[str]:
        """What counts as empty, folded."""
        return frozenset(("", *(value.strip().casefold() for value in self.blank)))


class ReferenceRule(_Part):
    """How to make a national reference where the file has none: prefix and a hash of these columns.

    Equal rows get -2, -3 and so on in their order, so the same file gives the same references again.
    """

    prefix: str = ""
    columns: tuple[str, ...] = Field(min_length=1)


class Mapping(_Part):
    """A mapping of a table's columns to the fields of an alert; see the module for its form."""

    constants: dict[str, Any] = {}
    columns: dict[str, Column]
    ignore: tuple[str, ...] = ()
    reference: ReferenceRule | None = None
    time_zone: str = "UTC"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError):
            raise PydanticCustomError("table.mapping", "is no time zone; write an IANA name, Europe/Paris") from None
        return name

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """Every path exists and is written once, markings are stated, and the reference comes from one place."""
        paths = [
            *self.constants,
            *(path for column in self.columns.values() for path in (column.to, column.until) if path),
        ]
        for path in paths:
            if not is_field(path):
                raise PydanticCustomError("table.mapping", "{path} is no field of an alert", {"path": path})
        if len(set(paths)) < len(paths):
            twice = next(path for path, count in Counter(paths).items() if count > 1)
            raise PydanticCustomError("table.mapping", "{path} is written twice", {"path": twice})
        if inner := [path for path in paths if any(path.startswith(f"{other}.") for other in paths)]:
            raise PydanticCustomError(
                "table.mapping", "{path} lies inside another path; write one of them", {"path": inner[0]}
            )
        for name, column in self.columns.items():
            if (column.until is not None) != (column.form == "day"):
                raise PydanticCustomError(
                    "table.mapping", "column {name}: until goes with `as: day`, and only with it", {"name": name}
                )
        if missing := [name for name in MARKINGS if name not in paths]:
            raise PydanticCustomError(
                "table.mapping",
                "does not state {names}; write them under constants, or map a column to each",
                {"names": ", ".join(missing)},
            )
        if ("national_reference" in paths) == (self.reference is not None):
            raise PydanticCustomError(
                "table.mapping", "needs either a column to national_reference or the rule reference, not both"
            )
        if self.reference and (strange := set(self.reference.columns) - self.columns.keys() - set(self.ignore)):
            raise PydanticCustomError(
                "table.mapping", "reference.columns names {name}, which is no column", {"name": min(strange)}
            )
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone of times without one."""
        return ZoneInfo(self.time_zone)

    @cached_property
    def known(self) -> frozenset[str]:
        """Names of the columns that the mapping speaks of."""
        return frozenset((*self.columns, *self.ignore))


class Row(NamedTuple):
    """What became of one row: an alert in the publisher's form, or the reasons why there is none."""

    line: int
    alert: dict[str, Any] | None
    remarks: list[Remark]


def map_rows(rows: Iterable[tuple[int, Table[Any, Any]]], mapping: Mapping) -> Iterator[Row]:
    """Alerts of the rows of one file.

    Args:
        rows: line number and cells by column name, as csv.DictReader gives them.
        mapping: of this file.

    The alerts still lack what complete() fills in, and are only checked when Alert reads them.
    """
    seen: Counter[str] = Counter()
    for line, cells in rows:
        alert, remarks = map_row(cells, line, mapping)
        if alert is not None and mapping.reference is not None:
            reference = alert["national_reference"]
            seen[reference] += 1
            if seen[reference] > 1:
                alert["national_reference"] = f"{reference}-{seen[reference]}"
        yield Row(line, alert, remarks)


def map_row(cells: Table[Any, Any], line: int, mapping: Mapping) -> tuple[dict[str, Any] | None, list[Remark]]:
    """The alert of one row, or None and the reasons."""
    remarks = _shape(cells, line, mapping)
    if remarks:
        return None, remarks
    alert: dict[str, Any] = {}
    for path, value in mapping.constants.items():
        put(alert, path, deepcopy(value))
    for name, column in mapping.columns.items():
        text = str(cells[name]).strip()
        folded = text.casefold()
        if folded in column.blanks:
            if column.required:
                remarks.append(_remark(column, "table.blank", "is empty; it is required", line, name))
            continue
        if column.values:
            replaced = column.values.get(folded, column.otherwise)
            if replaced is None:
                message = "has a value that the mapping does not name; add it to values, or write otherwise"
                remarks.append(_remark(column, "table.value", message, line, name))
                continue
            text = replaced
        message = _write(alert, column, text, mapping)
        if message:
            remarks.append(_remark(column, "table.form", message, line, name))
    if remarks:
        return None, remarks
    if mapping.reference is not None:
        alert["national_reference"] = _hash(cells, mapping.reference)
    return _without_gaps(alert), []


def _shape(cells: Table[Any, Any], line: int, mapping: Mapping) -> list[Remark]:
    """Whether the row has the columns that the mapping knows, each once, with a cell in each."""
    remarks: list[Remark] = []
    for name, cell in cells.items():
        if name is None:
            remarks.append(Remark("", "table.cells", "has more cells than the header has names", f"line {line}"))
        elif cell is None:
            remarks.append(Remark("", "table.cells", "has fewer cells than the header has names", f"line {line}"))
            break
        elif name not in mapping.known:
            message = "is not in the mapping; map it, or write it under ignore"
            remarks.append(Remark("", "table.unmapped", message, _place(line, str(name))))
    for name in mapping.columns:
        if name not in cells:
            message = "is not in the table; correct the mapping or the table"
            remarks.append(Remark(mapping.columns[name].to, "table.column", message, _place(line, name)))
    return remarks


def _write(alert: dict[str, Any], column: Column, text: str, mapping: Mapping) -> str | None:
    """Writes a value into the alert; returns what is wrong with it, if anything."""
    match column.form:
        case "text":
            put(alert, column.to, text)
        case "list":
            put(alert, column.to, [part for part in map(str.strip, text.split(column.separator)) if part])
        case "number":
            try:
                number = float(text)
            except ValueError:
                return "is no number"
            put(alert, column.to, int(number) if number.is_integer() else number)
        case "date" | "time" | "day":
            moment = _moment(text, column.formats)
            if moment is None:
                return f"is no {column.form} of the form {' or '.join(column.formats) or 'of ISO 8601'}"
            try:
                _write_moment(alert, column, moment, mapping.zone)
            except OverflowError:
                return "lies outside the calendar"
    return None


def _moment(text: str, formats: tuple[str, ...]) -> datetime | None:
    if not formats:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None
    for form in formats:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 (the zone is the mapping's)
        except ValueError:
            continue
    return None


def _write_moment(alert: dict[str, Any], column: Column, moment: datetime, zone: ZoneInfo) -> None:
    if column.form == "date":
        put(alert, column.to, moment.date().isoformat())
    elif column.form == "time":
        put(alert, column.to, _iso(moment if moment.tzinfo else moment.replace(tzinfo=zone)))
    else:
        put(alert, column.to, _iso(_midnight(moment.date(), zone)))
        end = _midnight(moment.date() + timedelta(days=1), zone) - timedelta(milliseconds=1)
        put(alert, cast("str", column.until), _iso(end))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _hash(cells: Table[Any, Any], rule: ReferenceRule) -> str:
    """Prefix and 80 bits of the SHA-256 of names and values. Control characters keep the parts apart."""
    parts = "\x1e".join(f"{name}\x1f{str(cells.get(name, '')).strip()}" for name in rule.columns)
    return rule.prefix + sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:20].upper()


def _without_gaps(value: Any) -> Any:
    """Without the list items that no column of the row has filled."""
    if isinstance(value, dict):
        return {name: _without_gaps(item) for name, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_without_gaps(item) for item in cast("list[Any]", value) if item is not None]
    return value


def _remark(column: Column, rule: str, message: str, line: int, name: str) -> Remark:
    return Remark(column.to, rule, message, _place(line, name))


def _place(line: int, name: str) -> str:
    return f"line {line}, column {name}"
