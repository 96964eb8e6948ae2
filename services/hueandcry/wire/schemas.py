"""The schemas of avro/, loaded once, and the safe reading of schemas that others wrote.

In a wheel the files are in hueandcry/_avro, in a checkout in avro/ beside services/.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form

import hueandcry
from hueandcry.errors import UnknownSchema

NAMESPACE = "hueandcry"

#: Records that are values of a topic or a header, so have a subject of their own in the registry.
SUBJECTS = (
    *("Alert", "Delivery", "Receipt", "Refusal", "Report", "Notice", "Consultation"),
    *(
        "Admitted",
        "RegisterEntry",
        "ClusterEntry",
        "Holders",
        "AlertLink",
        "Claim",
        "OpenHit",
        "ReportEntry",
        "Consultation",
        "LedgerBatch",
    ),
)

#: Bounds on a schema that someone else registered.
MAX_FOREIGN_BYTES = 256 * 1024
MAX_FOREIGN_DEPTH = 32

_NAMED = ("record", "enum", "fixed")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


@dataclass(frozen=True)
class ParsedSchema:
    """One of our schemas.

    Attributes:
        name: full name, for example hueandcry.Alert.
        json: the schema as one text with every named type inlined at its first use; what a registry is given. Keys are
            sorted: registries tell texts apart by the order of properties that are not Avro's.
        parsed: for fastavro, with logical types: times decode to datetime, uuids to UUID.
        hot: for fastavro, logical types and docs stripped: times decode to int milliseconds, uuids to str.
        fingerprint: SHA-256 of the Avro parsing canonical form, hex. The same for json, parsed and hot.
    """

    name: str
    json: str
    parsed: Any = field(repr=False)
    hot: Any = field(repr=False)
    fingerprint: str


class WriterSchema(NamedTuple):
    """A schema in which someone wrote a body. `hot` as in ParsedSchema."""

    name: str
    hot: Any
    fingerprint: str


def full_name(name: str) -> str:
    """hueandcry.Alert for Alert and for hueandcry.Alert."""
    return name if "." in name else f"{NAMESPACE}.{name}"


@cache
def folder() -> Path:
    """Folder of the .avsc files.

    Raises:
        UnknownSchema: neither a wheel's nor a checkout's folder is there.
    """
    package = Path(hueandcry.__file__).parent
    for candidate in (package / "_avro", package.parents[1] / "avro"):
        if candidate.is_dir():
            return candidate
    raise UnknownSchema("the folder avro/ is missing", hint="Install hueandcry again, or run it from a whole checkout")


@cache
def schema(name: str) -> ParsedSchema:
    """One of our schemas, by its name with or without namespace.

    Raises:
        UnknownSchema: no such file in avro/.
    """
    name = full_name(name)
    tree = _inlined(name, set())
    bare = _stripped(tree)
    return ParsedSchema(
        name=name,
        json=json.dumps(tree, ensure_ascii=False, separators=(",", ":"), sort_keys=True),
        parsed=parse_schema(json.loads(json.dumps(tree))),
        hot=parse_schema(bare),
        fingerprint=fingerprint(to_parsing_canonical_form(bare), "SHA-256"),
    )


def all_subjects() -> list[str]:
    """Full names of the records that have a subject in the registry; subject and record name are the same."""
    return [full_name(name) for name in SUBJECTS]


class Field(NamedTuple):
    """A field of a record, or of one inside it.

    Attributes:
        path: as in a remark, for example subject.biometrics; the branches of a union share their path.
        definition: as in avro/, with doc, default, sensitivity and right.
        inner: the fields of the records that it holds.
    """

    path: str
    definition: dict[str, Any]
    inner: list[Field]


def fields_of(name: str = "Alert") -> list[Field]:
    """The fields of a record and, within them, of all records below it."""
    return _fields(full_name(name), "")


def fields_with(key: str, name: str = "Alert") -> dict[str, str]:
    """Path of every field of a record, and below it, that has the property `key`, with its value."""
    found: dict[str, str] = {}
    waiting = fields_of(name)
    for field_ in waiting:
        if key in field_.definition:
            found[field_.path] = field_.definition[key]
        waiting += field_.inner
    return found


def _fields(node: Any, path: str) -> list[Field]:
    if isinstance(node, list):
        return [found for branch in node for found in _fields(branch, path)]
    if isinstance(node, str):
        return [] if node in _PRIMITIVES else _fields(_file(node), path)
    if node["type"] in ("array", "map"):
        return _fields(node.get("items") or node.get("values"), path)
    found: list[Field] = []
    for item in node.get("fields", ()):
        below = f"{path}.{item['name']}" if path else item["name"]
        found.append(Field(below, item, _fields(item["type"], below)))
    return found


def writer_schema(text: str) -> WriterSchema:
    """Read a schema that someone else registered.

    Refused is what could make a decoder run away: recursive types, types that take no byte (a null outside a
    union, an empty record), too deep or too large a schema. So a body never decodes to more values than it has
    bytes, times the depth.

    Raises:
        UnknownSchema: not Avro, not a record of this platform, or beyond those bounds.
    """
    if len(text) > MAX_FOREIGN_BYTES:
        raise UnknownSchema(f"the schema has {len(text)} characters; at most {MAX_FOREIGN_BYTES} are read")
    try:
        tree = json.loads(text)
        name = _record_name(tree)
        bare = _stripped(tree)
        _bounded(bare, tree.get("namespace", ""), {}, 0)
        hot = parse_schema(bare)
        print_ = fingerprint(to_parsing_canonical_form(bare), "SHA-256")
    except UnknownSchema:
        raise
    except Exception as error:  # whatever the library meets in a hostile schema, it is one refusal
        raise UnknownSchema(f"the schema is not sound Avro ({type(error).__name__})") from error
    return WriterSchema(name, hot, print_)


def _record_name(tree: Any) -> str:
    if not isinstance(tree, dict) or tree.get("type") != "record" or not isinstance(tree.get("name"), str):
        raise UnknownSchema("the schema is not a record")
    name: str = tree["name"]
    if "." not in name:
        name = f"{tree.get('namespace', '')}.{name}"
    if name not in all_subjects():
        raise UnknownSchema(
            "the schema is not of a record of this platform", hint=f"Write one of {', '.join(SUBJECTS)}"
        )
    return name


def _bounded(node: Any, namespace: str, done: dict[str, bool], depth: int) -> None:
    """Refuse recursion, depth and types without bytes; `done` says of each name whether its definition is closed."""
    if depth > MAX_FOREIGN_DEPTH:
        raise UnknownSchema(f"the schema is nested deeper than {MAX_FOREIGN_DEPTH}")
    if isinstance(node, str):
        if node == "null":
            raise UnknownSchema("the schema has a null outside a union")
        if node not in _PRIMITIVES and not done[_named(node, namespace)]:
            raise UnknownSchema("the schema has a type that contains itself")
        return
    if isinstance(node, list):
        for branch in node:
            if branch != "null":
                _bounded(branch, namespace, done, depth + 1)
        return
    kind = node["type"]
    if kind in _NAMED:
        name = _named(node["name"], node.get("namespace", namespace))
        namespace = name.rpartition(".")[0]
        done[name] = False
        if kind == "record":
            if not node["fields"]:
                raise UnknownSchema("the schema has a record without fields")
            for item in node["fields"]:
                if not _NAME.fullmatch(item["name"]):
                    raise UnknownSchema("the schema has a field whose name Avro does not allow")
                _bounded(item["type"], namespace, done, depth + 1)
        elif kind == "fixed" and not 0 < node["size"] <= MAX_FOREIGN_BYTES:
            raise UnknownSchema("the schema has a fixed type of no, or too many, bytes")
        done[name] = True
    else:
        inner = node["items"] if kind == "array" else node["values"] if kind == "map" else kind
        _bounded(inner, namespace, done, depth + 1)


def _named(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


@cache
def _file(name: str) -> Any:
    path = folder() / f"{name}.avsc"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnknownSchema(f"there is no schema {name}", hint="Names are those of the files in avro/") from None


def _inlined(node: Any, seen: set[str]) -> Any:
    """The schema with every named type written out where it is first used, and named after that."""
    if isinstance(node, str):
        if node in _PRIMITIVES or node in seen:
            return node
        return _inlined(_file(node), seen)
    if isinstance(node, list):
        return [_inlined(branch, seen) for branch in node]
    copy = dict(node)
    if node["type"] in _NAMED:
        seen.add(_named(node["name"], node.get("namespace", NAMESPACE)))
    if node["type"] == "record":
        copy["fields"] = [{**item, "type": _inlined(item["type"], seen)} for item in node["fields"]]
    elif node["type"] == "array":
        copy["items"] = _inlined(node["items"], seen)
    elif node["type"] == "map":
        copy["values"] = _inlined(node["values"], seen)
    return copy


_KEPT = frozenset({"type", "name", "namespace", "fields", "symbols", "items", "values", "size", "default", "aliases"})


def _stripped(node: Any) -> Any:
    """The schema without docs, logical types and properties of our own."""
    if isinstance(node, list):
        return [_stripped(branch) for branch in node]
    if not isinstance(node, dict):
        return node
    kind = node["type"]
    if isinstance(kind, (dict, list)):
        return _stripped(kind)
    if kind in _PRIMITIVES:
        return kind
    copy = {key: value for key, value in node.items() if key in _KEPT}
    if kind == "record":
        copy["fields"] = [
            {**{k: v for k, v in item.items() if k in _KEPT}, "type": _stripped(item["type"])}
            for item in node["fields"]
        ]
    elif kind == "array":
        copy["items"] = _stripped(node["items"])
    elif kind == "map":
        copy["values"] = _stripped(node["values"])
    return copy
