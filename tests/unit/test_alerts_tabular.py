"""Tables to alerts: each cell lands in its field or is told by line and column."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from hueandcry.alerts.model import Alert, complete, problems
from hueandcry.alerts.tabular import Mapping, Row, map_rows

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
VEHICLES = """
constants:
  kind: stolen_vehicle
  category: seizure
  circulation: [NZL, AUS]
  classification: unclassified
  handling_code: H0
  tlp: clear
  subject.place.state: NZL
time_zone: Pacific/Auckland
columns:
  Colour: {to: subject.colours, as: list, separator: "/"}
  Make: {to: subject.make}
  Model: {to: subject.model}
  Year: {to: subject.year, as: number, blank: ["0"]}
  Type: {to: subject.category, values: {Saloon: car, Boat Trailer: trailer}, otherwise: other}
  Stolen: {to: subject.stolen_from, until: subject.stolen_until, as: day, formats: ["%d/%m/%y", "%d/%m/%Y"]}
  District: {to: subject.place.locality, required: true}
ignore: [Remarks]
reference: {prefix: NZ-, columns: [Colour, Make, Model, Year, Type, Stolen, District]}
"""
HEADER = "Colour,Make,Model,Year,Type,Stolen,District,Remarks\n"


def mapping(**changes: Any) -> Mapping:
    return Mapping.model_validate(yaml.safe_load(VEHICLES) | changes)


def rows(text: str, by: Mapping | None = None, header: str = HEADER) -> list[Row]:
    reader = csv.DictReader(io.StringIO(header + text))
    return list(map_rows(((reader.line_num, cells) for cells in reader), by or mapping()))


def test_rows_become_alerts_that_the_model_takes():
    (row,) = rows("Silver/Blue,Example,Roadster,1999,SALOON,5/11/21,Northland,none\n")
    assert row.alert is not None
    alert = Alert.model_validate(complete(row.alert, issuer="nz-police", issuing_state="NZL", now=NOW))
    record = alert.to_record()
    subject = record["subject"]
    assert (subject["make"], subject["model"], subject["year"], subject["category"]) == (
        "Example",
        "Roadster",
        1999,
        "car",
    )
    assert subject["colours"] == ["Silver", "Blue"]
    assert subject["place"]["state"] == "NZL"
    assert subject["place"]["locality"] == "Northland"
    assert record["circulation"] == ["NZL", "AUS"]


@pytest.mark.parametrize("written", ["5/11/21", "05/11/2021", "5/11/2021", " 5/11/21 "])
def test_a_day_is_its_first_to_its_last_moment_where_it_was_written(written: str):
    (row,) = rows(f"Red,Example,Roadster,1999,Saloon,{written},Northland,\n")
    assert row.alert is not None
    assert row.alert["subject"]["stolen_from"] == "2021-11-04T11:00:00.000Z"
    assert row.alert["subject"]["stolen_until"] == "2021-11-05T10:59:59.999Z"


def test_what_is_blank_is_left_out_and_what_is_not_named_is_other():
    (row,) = rows("Red,Example,Roadster,0,Hovercraft,,Northland,\n")
    assert row.alert is not None
    assert "year" not in row.alert["subject"]
    assert "stolen_from" not in row.alert["subject"]
    assert row.alert["subject"]["category"] == "other"


def test_references_are_stable_and_equal_rows_are_told_apart():
    text = (
        "Red,Example,Roadster,1999,Saloon,5/11/21,Northland,a\n" * 2
        + "Red,Example,Coupe,1999,Saloon,5/11/21,Northland,\n"
    )
    first, again = ([row.alert["national_reference"] for row in rows(text) if row.alert] for _ in range(2))
    assert first == again
    assert first[1] == f"{first[0]}-2"
    assert len(set(first)) == 3
    assert all(reference.startswith("NZ-") for reference in first)


def test_rows_share_nothing_that_can_change():
    first, second = rows("Red,A,B,1999,Saloon,5/11/21,Northland,\nRed,A,C,1999,Saloon,5/11/21,Southland,\n")
    assert first.alert is not None
    assert second.alert is not None
    first.alert["circulation"].append("USA")
    assert second.alert["circulation"] == ["NZL", "AUS"]


BAD_ROWS = {
    "a date of no form": (
        "Red,A,B,1999,Saloon,2021-11-05,Northland,\n",
        ("subject.stolen_from", "table.form", "line 2, column Stolen"),
    ),
    "31 February": (
        "Red,A,B,1999,Saloon,31/2/21,Northland,\n",
        ("subject.stolen_from", "table.form", "line 2, column Stolen"),
    ),
    "the last day of the calendar": (
        "Red,A,B,1999,Saloon,31/12/9999,Northland,\n",
        ("subject.stolen_from", "table.form", "line 2, column Stolen"),
    ),
    "a year in words": (
        "Red,A,B,new,Saloon,5/11/21,Northland,\n",
        ("subject.year", "table.form", "line 2, column Year"),
    ),
    "a required cell that is empty": (
        "Red,A,B,1999,Saloon,5/11/21,,\n",
        ("subject.place.locality", "table.blank", "line 2, column District"),
    ),
    "a cell too many": ("Red,A,B,1999,Saloon,5/11/21,Northland,,more\n", ("", "table.cells", "line 2")),
    "a cell too few": ("Red,A,B\n", ("", "table.cells", "line 2")),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_is_told_by_line_and_column_without_its_value(name: str):
    text, expected = BAD_ROWS[name]
    (row,) = rows(text)
    assert row.alert is None
    assert expected in [(remark.field, remark.rule, remark.place) for remark in row.remarks]
    assert not any(cell in remark.message for remark in row.remarks for cell in ("2021-11-05", "31/2", "9999", "new"))


def test_a_value_that_no_one_named_is_told_where_nothing_else_is_said():
    columns = yaml.safe_load(VEHICLES)["columns"]
    del columns["Type"]["otherwise"]
    (row,) = rows("Red,A,B,1999,Hovercraft,5/11/21,Northland,\n", mapping(columns=columns))
    assert [(remark.rule, remark.place) for remark in row.remarks] == [("table.value", "line 2, column Type")]


def test_a_column_of_the_table_that_is_not_mapped_is_told():
    (row,) = rows("x\n", header=HEADER.strip() + ",Owner\n" + "Red,A,B,1999,Saloon,5/11/21,Northland,,")
    assert [(remark.rule, remark.place) for remark in row.remarks] == [("table.unmapped", "line 2, column Owner")]


def test_a_column_of_the_mapping_that_the_table_lacks_is_told():
    (row,) = rows("Red\n", header="Colour\n")
    assert {remark.rule for remark in row.remarks} == {"table.column"}
    assert "line 2, column Stolen" in [remark.place for remark in row.remarks]


def test_lists_of_objects_have_no_gaps():
    people = mapping(
        constants={
            "kind": "wanted_person",
            "circulation": ["world"],
            "classification": "restricted",
            "handling_code": "H1",
            "tlp": "amber",
            "subject.identities.0.type": "confirmed",
        },
        columns={
            "Ref": {"to": "national_reference"},
            "Family": {"to": "subject.identities.0.family"},
            "Passport": {"to": "subject.documents.0.number"},
            "Card": {"to": "subject.documents.1.number"},
            "Warrant": {"to": "subject.warrant.issued_on", "as": "date", "formats": ["%d.%m.%Y"]},
            "Entered": {"to": "issued_at", "as": "time"},
        },
        ignore=[],
        reference=None,
    )
    (row,) = rows(
        "R1,Musterfeld,,X9,24.12.2025,2026-01-05T09:30\n", people, "Ref,Family,Passport,Card,Warrant,Entered\n"
    )
    assert row.alert is not None
    assert row.alert["subject"] == {
        "identities": [{"type": "confirmed", "family": "Musterfeld"}],
        "documents": [{"number": "X9"}],
        "warrant": {"issued_on": "2025-12-24"},
    }
    assert row.alert["issued_at"] == "2026-01-04T20:30:00.000Z"


CONSTANTS = yaml.safe_load(VEHICLES)["constants"]
COLUMNS = yaml.safe_load(VEHICLES)["columns"]
BAD_MAPPINGS: dict[str, tuple[dict[str, Any], str]] = {
    "no TLP": ({"constants": {key: value for key, value in CONSTANTS.items() if key != "tlp"}}, "tlp"),
    "a field that is none": ({"columns": {**COLUMNS, "Extra": {"to": "subject.wheels"}}}, "subject.wheels"),
    "a list without index": ({"columns": {**COLUMNS, "Extra": {"to": "subject.components.serial"}}}, "is no field"),
    "a field written twice": ({"columns": {**COLUMNS, "Extra": {"to": "subject.make"}}}, "twice"),
    "a field inside another": ({"constants": {**CONSTANTS, "subject.place": {}}}, "inside another"),
    "until without day": ({"columns": {**COLUMNS, "Extra": {"to": "review_due", "until": "expires_at"}}}, "as: day"),
    "neither reference nor rule": ({"reference": None}, "national_reference"),
    "a reference of no column": ({"reference": {"columns": ["Owner"]}}, "Owner"),
    "no time zone": ({"time_zone": "Auckland"}, "Europe/Paris"),
}


@pytest.mark.parametrize("name", BAD_MAPPINGS)
def test_a_bad_mapping_is_told_when_it_is_read(name: str):
    changes, said = BAD_MAPPINGS[name]
    with pytest.raises(ValidationError) as caught:
        mapping(**changes)
    (remark,) = problems(caught.value)
    assert remark.rule == "table.mapping"
    assert said in remark.message
