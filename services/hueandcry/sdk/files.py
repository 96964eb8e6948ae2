"""Alerts out of files: JSON lines, or CSV by a mapping. Each with its place (file:line), bad ones with the reason."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import yaml
from pydantic import ValidationError

from hueandcry.alerts.model import problems
from hueandcry.alerts.remarks import Remark
from hueandcry.alerts.tabular import Mapping, map_rows
from hueandcry.errors import SettingsError

#: Longest line that is read, in bytes; an alert that Kafka takes is smaller.
LONGEST_LINE = 8 * 1024 * 1024


class Item(NamedTuple):
    """One alert of a file: its fields, or why there are none.

    Attributes:
        place: file:line, or file:row of a CSV file, from 1.
    """

    place: str
    alert: dict[str, Any] | None
    remarks: tuple[Remark, ...] = ()


class _Repeated(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def json_lines(stream: BinaryIO, name: str) -> Iterator[Item]:
    """Alerts of JSON lines: UTF-8, one object a line; empty lines are passed over.

    Args:
        stream: opened for bytes.
        name: of the file, for the places.
    """
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        place = f"{name}:{number}"
        if len(line) > LONGEST_LINE:
            while line and not line.endswith(b"\n"):
                line = stream.readline(LONGEST_LINE)
            yield _bad(place, "size.limit", f"the line has more than {LONGEST_LINE:,} bytes; write one alert a line")
            continue
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line.strip():
            yield json_object(line, place)


def read_mapping(file: Path) -> Mapping:
    """The mapping of a CSV file, in YAML or (file name ending in .toml) TOML; `alerts.tabular` has its form.

    Raises:
        SettingsError: it can't be read or is wrong; says where.
    """
    try:
        text = file.read_text(encoding="utf-8")
        value = tomllib.loads(text) if file.suffix == ".toml" else yaml.safe_load(text)
    except OSError as error:
        raise SettingsError(f"{file} can't be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise SettingsError(f"{file} is not a mapping: it can't be parsed{where}") from None
    try:
        return Mapping.model_validate(value)
    except ValidationError as error:
        raise SettingsError(f"{file}: {'; '.join(map(str, problems(error)))}") from None


def csv_rows(stream: BinaryIO, name: str, mapping: Mapping) -> Iterator[Item]:
    """Alerts of a CSV file with a header, in UTF-8.

    Args:
        stream: opened for bytes.
        name: of the file, for the places.
        mapping: which column is which field.
    """
    reader = csv.DictReader(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""))
    rows = ((reader.line_num, row) for row in reader)
    try:
        for line, alert, remarks in map_rows(rows, mapping):
            place = f"{name}:{line}"
            named = [
                remark._replace(place=(remark.place or "").replace(f"line {line}", place, 1)) for remark in remarks
            ]
            yield Item(place, alert, tuple(named))
    except UnicodeDecodeError:
        yield _bad(f"{name}:{reader.line_num + 1}", "csv.utf8", "not UTF-8 from about here; the rest was not read")
    except csv.Error as error:
        yield _bad(f"{name}:{reader.line_num + 1}", "csv.syntax", f"not CSV: {error}; the rest was not read")


def json_object(line: bytes, place: str) -> Item:
    """One alert: UTF-8, an object, no key twice, no NaN, not nested beyond reason; else the reason why not."""
    try:
        value = json.loads(line.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        return _bad(place, "json.utf8", f"byte {error.start + 1} is not UTF-8; save the file as UTF-8")
    except json.JSONDecodeError as error:
        hint = "; write one alert a line, not a list" if line.lstrip().startswith(b"[") else ""
        return _bad(place, "json.syntax", f"not JSON at column {error.colno}: {error.msg}{hint}")
    except _Repeated as error:
        return _bad(place, "json.repeated_key", "the key is there twice; write it once", error.key)
    except (ValueError, RecursionError):
        return _bad(place, "json.syntax", "not JSON: a number or a nesting that has no meaning here")
    if not isinstance(value, dict):
        return _bad(place, "json.object", "not an object; write one alert a line, as {…}")
    return Item(place, value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Repeated(next(key for key in keys if keys.count(key) > 1)[:80])
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _bad(place: str, rule: str, message: str, field: str = "") -> Item:
    return Item(place, None, (Remark(field, rule, message, place),))
