"""Redaction: the table agrees with the schemas, and takes away what it must and nothing else."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hueandcry.rights.network import Agency
from hueandcry.rights.redact import GUARDED, redact, rights_needed, withheld
from worlds import RIGHTS, agencies_called

AVRO = Path(__file__).parents[2] / "avro"


def _load(name: str) -> Any:
    return json.loads((AVRO / f"{name}.avsc").read_text())


def _guarded(schema: Any, path: tuple[str, ...] = ()) -> list[tuple[str | None, tuple[str, ...], Any]]:
    """Every field below a schema: its right, its path and its default."""
    if isinstance(schema, str):
        return _guarded(_load(schema), path) if schema.startswith("hueandcry.") else []
    if isinstance(schema, list):
        return [found for branch in cast("list[Any]", schema) for found in _guarded(branch, path)]
    if schema["type"] == "array":
        return _guarded(schema["items"], path)
    if schema["type"] == "map":
        return _guarded(schema["values"], path)
    if schema["type"] != "record":
        return []
    found: list[tuple[str | None, tuple[str, ...], Any]] = []
    for field in schema["fields"]:
        found.append((field.get("right"), (*path, field["name"]), field.get("default", ...)))
        found += _guarded(field["type"], (*path, field["name"]))
    return found


FIELDS = _guarded("hueandcry.Alert")


def test_the_table_is_that_of_the_schemas() -> None:
    assert len(FIELDS) > 60
    declared = {(right, path, str(default)) for right, path, default in FIELDS if right is not None}
    assert declared == {(field.right, field.path, str(field.default)) for field in GUARDED}
    assert {right for right, _, _ in declared} == set(RIGHTS)


def test_no_other_field_lies_on_a_guarded_path() -> None:
    """Branches of a union share paths: a field without a right must not have the name of one with it."""
    guarded = {field.path for field in GUARDED}
    assert [path for right, path, _ in FIELDS if path in guarded and right is None] == []


words = st.text(max_size=6)
biometrics = st.lists(
    st.fixed_dictionaries({"type": st.just("face"), "reference": words, "sha256": st.binary(max_size=4)}), max_size=2
)
subjects = st.one_of(
    st.fixed_dictionaries({"identities": st.lists(words, max_size=2), "marks": words, "biometrics": biometrics}),
    st.fixed_dictionaries({"indicators": st.lists(words, max_size=2), "actor": st.none() | words}),
    st.fixed_dictionaries({"make": words, "colours": st.lists(words, max_size=2)}),
)
alerts = st.fixed_dictionaries(
    {
        "alert_id": words,
        "offences": st.lists(st.fixed_dictionaries({"national": words}), max_size=2),
        "provenance": st.fixed_dictionaries({"system": words, "source": st.none() | words}),
        "subject": subjects,
    }
)
some_rights = st.frozensets(st.sampled_from(RIGHTS))


def _flat(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if isinstance(value, dict):
        flat: dict[tuple[str, ...], Any] = {}
        for name, inner in cast("dict[str, Any]", value).items():
            flat |= _flat(inner, (*path, name))
        return flat
    return {path: value}


@settings(max_examples=300, deadline=None)
@given(alerts, some_rights)
def test_redacted_it_needs_nothing_withheld_and_all_else_stays(alert: dict[str, Any], lacking: frozenset[str]) -> None:
    before = copy.deepcopy(alert)
    needed = rights_needed(alert)
    redacted = redact(alert, lacking)
    assert alert == before
    assert set(rights_needed(redacted)) == set(needed) - lacking
    hidden = {field.path: field.default for field in GUARDED if field.right in lacking}
    assert _flat(redacted) == {path: hidden.get(path, value) for path, value in _flat(before).items()}
    assert redact(redacted, lacking) == redacted


@settings(max_examples=100, deadline=None)
@given(alerts)
def test_changing_a_redacted_alert_leaves_the_original_and_the_table(alert: dict[str, Any]) -> None:
    before = copy.deepcopy(alert)
    for _ in range(2):
        redacted = redact(alert, frozenset(RIGHTS))
        assert redacted["subject"].get("biometrics", []) == []
        redacted["subject"].get("biometrics", []).append("x")
        redacted["alert_id"] = "changed"
    assert alert == before


@given(agencies_called("bka"), st.lists(st.sampled_from(RIGHTS)))
def test_withheld_is_what_is_asked_for_and_not_held(agency: Agency, asked: list[str]) -> None:
    assert withheld(agency, {"rights": asked}) == {right for right in asked if right not in agency.rights}


@pytest.mark.parametrize(
    ("subject", "source", "expected"),
    [
        ({"biometrics": [{"type": "dna"}]}, None, ["biometrics"]),
        ({"biometrics": []}, None, []),
        ({"actor": "Sandworm"}, "informant 7", ["attribution", "sources"]),
        ({"actor": ""}, "", ["attribution", "sources"]),
        ({"make": "Skoda"}, None, []),
    ],
)
def test_rights_needed(subject: dict[str, Any], source: str | None, expected: list[str]) -> None:
    assert rights_needed({"subject": subject, "provenance": {"system": "N", "source": source}}) == expected


def test_a_right_that_we_cannot_redact_is_an_error() -> None:
    with pytest.raises(ValueError, match="not in the table"):
        redact({"subject": {}}, frozenset({"dna"}))
