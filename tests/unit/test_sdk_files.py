"""Files of alerts: each line is an alert with its place, or a reason with its place; the rest is still read."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hueandcry.errors import SettingsError
from hueandcry.sdk.files import LONGEST_LINE, csv_rows, json_lines, read_mapping

MAPPING = """\
constants: {kind: stolen_vehicle, category: seizure, circulation: [world], classification: unclassified,
            handling_code: H0, tlp: green}
columns:
  Ref: {to: national_reference, required: true}
  Plate: {to: subject.plate.raw}
  Year: {to: subject.year, as: number}
"""


def test_lines_have_their_places_and_empty_ones_are_passed_over() -> None:
    items = list(json_lines(io.BytesIO('\ufeff{"a":1}\n\n  \r\n{"b":"ش"}'.encode()), "in"))
    assert [(item.place, item.alert) for item in items] == [("in:1", {"a": 1}), ("in:4", {"b": "ش"})]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b'{"a":', "json.syntax"),
        (b"[1]", "json.object"),
        (b'"x"', "json.object"),
        (b'[{"a": 1},', "json.syntax"),
        (b'{"a": NaN}', "json.syntax"),
        (b'{"a": "\xff"}', "json.utf8"),
        (b'{"a": 1, "a": 2}', "json.repeated_key"),
        (b'{"s": {"a": 1, "a": 2}}', "json.repeated_key"),
        (b'{"a": ' + b"9" * 5000 + b"}", "json.syntax"),
        (b"[" * 100_000, "json.syntax"),
        (b'{"a": "' + b"x" * LONGEST_LINE + b'"}', "size.limit"),
    ],
    ids=lambda each: each[:16] if isinstance(each, bytes) else each,
)
def test_a_bad_line_is_named_and_the_next_is_read(line: bytes, rule: str) -> None:
    bad, good = json_lines(io.BytesIO(line + b'\n{"a": 1}\n'), "in")
    assert (bad.place, bad.alert, [each.rule for each in bad.remarks]) == ("in:1", None, [rule])
    assert good == ("in:2", {"a": 1}, ())


@given(st.binary(max_size=200))
def test_any_bytes_give_alerts_or_reasons(content: bytes) -> None:
    for item in json_lines(io.BytesIO(content), "in"):
        assert (item.alert is None) == bool(item.remarks)


def _mapping(tmp_path: Path, text: str = MAPPING) -> Path:
    file = tmp_path / "mapping.yaml"
    file.write_text(text)
    return file


def test_rows_become_alerts_by_the_mapping(tmp_path: Path) -> None:
    table = "\ufeffRef,Plate,Year\r\nNZ-1,ABC123,2019\r\n,ABC124,2019\r\nNZ-3,ABC125,new\r\nNZ-4,ABC126,\r\n"
    items = list(csv_rows(io.BytesIO(table.encode()), "t.csv", read_mapping(_mapping(tmp_path))))
    assert [item.place for item in items] == ["t.csv:2", "t.csv:3", "t.csv:4", "t.csv:5"]
    assert items[0].alert is not None
    assert items[0].alert["subject"] == {"plate": {"raw": "ABC123"}, "year": 2019}
    assert [(each.field, each.place) for each in items[1].remarks] == [("national_reference", "t.csv:3, column Ref")]
    assert [(each.field, each.rule) for each in items[2].remarks] == [("subject.year", "table.form")]
    assert items[3].alert is not None


def test_a_table_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    table = "Ref,Plate,Year\nNZ-1,ÄBC,2019\n".encode("latin-1")
    *_, last = csv_rows(io.BytesIO(table), "t.csv", read_mapping(_mapping(tmp_path)))
    assert [each.rule for each in last.remarks] == ["csv.utf8"]


@pytest.mark.parametrize(
    ("text", "says"),
    [("columns: [", "can't be parsed at line"), ("columns: {}\n", "does not state"), ("x", "must be an object")],
)
def test_a_wrong_mapping_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read_mapping(_mapping(tmp_path, text))
