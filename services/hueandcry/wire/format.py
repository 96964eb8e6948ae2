"""The house form of avro/: `python -m hueandcry.wire.format [--check] avro`.

Writes each file in one form (two spaces, keys in one order) and says what only a person can put right: a missing
doc, a named type inside another's file, an enum that can't grow. With --check nothing is written, and a file in
another form is a fault too. Exit code 0 where all is well, 1 where it is not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from fastavro.schema import load_schema

from hueandcry.rights.network import FieldRight
from hueandcry.rights.redact import SENSITIVITIES

#: Order of keys; one that is not here has no meaning for us and is a fault.
_TYPE_KEYS = ("type", "name", "namespace", "doc", "aliases", "fields", "symbols", "size", "default")
_INNER_KEYS = ("type", "items", "values", "logicalType")
_FIELD_KEYS = ("name", "type", "doc", "default", "aliases", "sensitivity", "right")
_ORDER = tuple(dict.fromkeys(_TYPE_KEYS + _INNER_KEYS))


def canonical(node: Any) -> str:
    """Text of a schema file in the house form."""
    return json.dumps(_ordered(node), ensure_ascii=False, indent=2) + "\n"


def faults(path: Path) -> list[str]:
    """What is wrong with the schema in a file, but for its form; each with the field it is about."""
    try:
        node = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        return [f"line {error.lineno}: not JSON: {error.msg}"]
    except UnicodeDecodeError:
        return ["not UTF-8"]
    found = list(_faults_of_file(node, path))
    if found:
        return found
    try:
        load_schema(str(path))
    except Exception as error:  # the library's errors have no common base
        return [f"not sound Avro: {error}"]
    return []


def main(arguments: list[str] | None = None) -> int:
    """Check or rewrite a folder. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hueandcry.wire.format", description="The house form of avro/.")
    parser.add_argument("folder", type=Path, help="folder of .avsc files")
    parser.add_argument("--check", action="store_true", help="write nothing; another form is a fault")
    options = parser.parse_args(arguments)
    paths = sorted(options.folder.glob("*.avsc"))
    if not paths:
        print(f"{options.folder}: no .avsc files", file=sys.stderr)
        return 1
    wrong = 0
    for path in paths:
        found = faults(path)
        if not any("not JSON" in fault or "not UTF-8" in fault for fault in found):
            text = path.read_text(encoding="utf-8")
            form = canonical(json.loads(text))
            if text != form and options.check:
                found.append(f"not in the house form; run python -m hueandcry.wire.format {options.folder}")
            elif text != form:
                path.write_text(form, encoding="utf-8")
                print(path)
        for fault in found:
            print(f"{path}: {fault}", file=sys.stderr)
        wrong += len(found)
    return 1 if wrong else 0


def _faults_of_file(node: Any, path: Path) -> Iterator[str]:
    if not isinstance(node, dict) or node.get("type") not in ("record", "enum", "fixed"):
        yield "the file must define a record, an enum or a fixed type"
        return
    name = f"{node.get('namespace', '')}.{node.get('name', '')}"
    if path.name != f"{name}.avsc":
        yield f"defines {name}, so its name must be {name}.avsc"
    yield from _unknown_keys(node, _TYPE_KEYS, "")
    if not _documented(node):
        yield "has no doc"
    if node["type"] == "enum" and node.get("default") not in node.get("symbols", ()):
        yield "has no default among its symbols, so it can't grow"
    for field in node.get("fields", ()):
        yield from _faults_of_field(field, path.parent)


def _faults_of_field(field: Any, folder: Path) -> Iterator[str]:
    name = field.get("name", "?")
    yield from _unknown_keys(field, _FIELD_KEYS, f"field {name}: ")
    if not _documented(field):
        yield f"field {name}: has no doc"
    if "sensitivity" in field and field["sensitivity"] not in SENSITIVITIES:
        yield f"field {name}: there is no sensitivity {field['sensitivity']}; there are {', '.join(SENSITIVITIES)}"
    if "right" in field:
        if field["right"] not in get_args(FieldRight):
            yield f"field {name}: there is no right {field['right']}; there are {', '.join(get_args(FieldRight))}"
        if "default" not in field:
            yield f"field {name}: needs a default, which is what an agency without the right gets"
    union = field.get("type")
    if isinstance(union, list) and "default" in field and (field["default"] is None) != (union[:1] == ["null"]):
        yield f"field {name}: the default must be of the first branch of the union"
    yield from (f"field {name}: {fault}" for fault in _faults_of_type(field.get("type"), folder))


def _faults_of_type(node: Any, folder: Path) -> Iterator[str]:
    if isinstance(node, list):
        for branch in node:
            yield from _faults_of_type(branch, folder)
    elif isinstance(node, dict):
        if node.get("type") in ("record", "enum", "fixed"):
            yield f"defines {node.get('name')}, which needs a file of its own"
            return
        yield from _unknown_keys(node, _INNER_KEYS, "")
        for key in ("items", "values"):
            if key in node:
                yield from _faults_of_type(node[key], folder)
    elif isinstance(node, str) and "." in node and not (folder / f"{node}.avsc").is_file():
        yield f"names {node}, which has no file"


def _documented(node: dict[str, Any]) -> bool:
    doc = node.get("doc")
    return isinstance(doc, str) and bool(doc.strip())


def _unknown_keys(node: dict[str, Any], known: tuple[str, ...], where: str) -> Iterator[str]:
    for key in node:
        if key not in known:
            yield f"{where}has the key {key}, which has no meaning here"


def _ordered(node: Any, keys: tuple[str, ...] = _ORDER) -> Any:
    if isinstance(node, list):
        return [_ordered(item) for item in node]
    if not isinstance(node, dict):
        return node
    order = {key: at for at, key in enumerate(keys)}
    copy = {key: node[key] for key in sorted(node, key=lambda key: order.get(key, len(order)))}
    if isinstance(copy.get("fields"), list):
        copy["fields"] = [_ordered(field, _FIELD_KEYS) for field in copy["fields"]]
    for key in ("type", "items", "values"):
        if isinstance(copy.get(key), (dict, list)):
            copy[key] = _ordered(copy[key])
    return copy


if __name__ == "__main__":
    sys.exit(main())
