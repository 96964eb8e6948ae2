"""avro/ is in the house form, and each way out of it is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hueandcry.wire.format import canonical, main

AVRO = Path(__file__).parents[2] / "avro"
SOUND: dict[str, Any] = {
    "type": "record",
    "name": "A",
    "namespace": "hueandcry",
    "doc": "A thing.",
    "fields": [
        {"name": "b", "type": "hueandcry.B", "doc": "Which."},
        {"name": "c", "type": ["null", "string"], "doc": "What.", "default": None, "right": "sources"},
    ],
}
ENUM: dict[str, Any] = {
    "type": "enum",
    "name": "B",
    "namespace": "hueandcry",
    "doc": "Sorts.",
    "symbols": ["x", "unknown"],
    "default": "unknown",
}


def write(folder: Path, record: Any = SOUND, enum: Any = ENUM) -> Path:
    (folder / "hueandcry.A.avsc").write_text(record if isinstance(record, str) else canonical(record))
    (folder / "hueandcry.B.avsc").write_text(enum if isinstance(enum, str) else canonical(enum))
    return folder


def test_our_own_schemas_are_in_the_house_form() -> None:
    assert main(["--check", str(AVRO)]) == 0


def test_another_form_is_a_fault_with_check_and_is_rewritten_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, json.dumps(dict(reversed(SOUND.items()))))
    before = (tmp_path / "hueandcry.A.avsc").read_text()
    assert main(["--check", str(tmp_path)]) == 1
    assert "not in the house form" in capsys.readouterr().err
    assert (tmp_path / "hueandcry.A.avsc").read_text() == before
    assert main([str(tmp_path)]) == 0
    assert (tmp_path / "hueandcry.A.avsc").read_text() == canonical(SOUND)
    assert main(["--check", str(tmp_path)]) == 0


def field(at: int = 0, **change: Any) -> dict[str, Any]:
    fields = [dict(item) for item in SOUND["fields"]]
    fields[at].update(change)
    return {**SOUND, "fields": fields}


def without(node: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name != key}


FAULTS: dict[str, tuple[Any, Any, str]] = {
    "not JSON": ("{", ENUM, "A.avsc: line 1: not JSON"),
    "a list": ("[]", ENUM, "must define a record"),
    "another file name": ({**SOUND, "name": "C"}, ENUM, "defines hueandcry.C"),
    "another namespace": ({**SOUND, "namespace": "x"}, ENUM, "defines x.A"),
    "a record without doc": (without(SOUND, "doc"), ENUM, "A.avsc: has no doc"),
    "an enum without doc": (SOUND, without(ENUM, "doc"), "B.avsc: has no doc"),
    "a field without doc": (field(doc=" "), ENUM, "field b: has no doc"),
    "an enum that can't grow": (SOUND, without(ENUM, "default"), "can't grow"),
    "an enum with a default that is no symbol": (SOUND, {**ENUM, "default": "z"}, "can't grow"),
    "a type inside": (field(type={"type": "enum", "name": "E", "symbols": ["a"]}), ENUM, "E, which needs a file"),
    "a type inside an array": (field(type={"type": "array", "items": ENUM}), ENUM, "B, which needs a file"),
    "a type without file": (field(type=["null", "hueandcry.Z"]), ENUM, "hueandcry.Z, which has no file"),
    "an unknown key": (field(rigth="sources"), ENUM, "field b: has the key rigth"),
    "an unknown right": (field(1, right="all"), ENUM, "there is no right all"),
    "an unknown sensitivity": (field(sensitivity="secret"), ENUM, "there is no sensitivity secret"),
    "a right without default": (field(0, right="sources"), ENUM, "field b: needs a default"),
    "a default of the second branch": (field(1, default="x"), ENUM, "field c: the default must be of the first branch"),
    "a default of another type": (field(1, type="int", default="x"), ENUM, "not sound Avro"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_is_said(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record, enum, message = FAULTS[name]
    write(tmp_path, record, enum)
    assert main(["--check", str(tmp_path)]) == 1
    assert message in capsys.readouterr().err


def test_an_empty_folder_is_not_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", str(tmp_path)]) == 1
    assert "no .avsc files" in capsys.readouterr().err
