"""An Avro schema's text read and *expanded*: checked against the specification, every name a full name.

Expanded, primitives are plain strings unless they carry properties, a named type is defined where it is first met and
named after that, and nothing depends on where it stands.

Source of the rules: Apache Avro 1.12 specification, "Schema Declaration" and "Names".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from hueandcry.registry.defaults import PRIMITIVES
from hueandcry.registry.errors import invalid_schema

DEPTH: Final = 64
"""Levels of nesting accepted. Real schemas have under 20; deeper ones only exhaust the stack of whoever parses them."""
FIELDS: Final = 2_000
"""Fields of one record. A bound, like that on branches, since comparing costs their square."""
BRANCHES: Final = 256
"""Branches of one union."""
RECORDS: Final = ("record", "error")
NAMED: Final = (*RECORDS, "enum", "fixed")
OWN: Final = {
    "record": ("type", "name", "namespace", "doc", "fields", "aliases"),
    "error": ("type", "name", "namespace", "doc", "fields", "aliases"),
    "enum": ("type", "name", "namespace", "doc", "symbols", "default", "aliases"),
    "fixed": ("type", "name", "namespace", "doc", "size", "aliases"),
    "array": ("type", "items"),
    "map": ("type", "values"),
}
"""Attributes that the specification gives each type; all others are properties."""
FIELD: Final = ("name", "type", "doc", "default", "order", "aliases")
"""Attributes of a field."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Definitions = dict[str, dict[str, Any]]
"""Full name to expanded definition."""


def load(text: str) -> Any:
    """The JSON of a schema text. Raises ApiError 42201 for what is no JSON, too deep, or not UTF-8."""
    try:
        tree = json.loads(text, parse_constant=_no_constant)
        json.dumps(tree, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        raise invalid_schema("the text holds half of a surrogate pair") from error
    except ValueError as error:
        raise invalid_schema(f"not JSON: {error}") from error
    except RecursionError as error:
        raise invalid_schema(f"nested deeper than {DEPTH} levels") from error
    if _depth(tree) > DEPTH:
        raise invalid_schema(f"nested deeper than {DEPTH} levels")
    return tree


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _depth(tree: Any) -> int:
    depth, level = 0, [tree]
    while level:
        depth += 1
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                below.extend(node.values())
            elif isinstance(node, list):
                below.extend(node)
        level = below
    return depth


class Expander:
    """One pass over a schema: full names, duplicates, undefined names, shapes.

    Args:
        known: definitions of referenced schemas.
        complete: whether a name that is not defined is refused.

    Attributes:
        definitions: the named types of the schemas expanded here.
        defaults: place, type and default of each field that has one.
    """

    def __init__(self, known: Definitions, *, complete: bool) -> None:
        self.known = known
        self.complete = complete
        self.definitions: Definitions = {}
        self.defaults: list[tuple[str, Any, Any]] = []

    def expand(self, node: Any, space: str, place: str = "schema") -> Any:
        """The expanded form of a type that stands in namespace `space`. Raises ApiError 42201, naming the place."""
        if isinstance(node, str):
            return self._reference(node, space, place)
        if isinstance(node, list):
            return self._union(node, space, place)
        if not isinstance(node, dict):
            raise invalid_schema(f"{place}: a type is a name, an object or a list, not {type(node).__name__}")
        kind = node.get("type")
        if isinstance(kind, dict | list):  # {"type": {"type": …}} is written by some tools; the inner one counts
            return self.expand(kind, space, place)
        if not isinstance(kind, str):
            raise invalid_schema(f"{place}: no 'type'")
        if kind in NAMED:
            return self._named(node, kind, space, place)
        if kind == "array" or kind == "map":
            child = "items" if kind == "array" else "values"
            if child not in node:
                raise invalid_schema(f"{place}: {kind} without '{child}'")
            return {"type": kind, child: self.expand(node[child], space, f"{place}.{child}"), **properties(node, kind)}
        extra = {key: value for key, value in node.items() if key != "type"}
        if kind in PRIMITIVES:
            return {"type": kind, **extra} if extra else kind
        return self._reference(kind, space, place)  # {"type": "ns.Name"}

    def _reference(self, name: str, space: str, place: str) -> str:
        if name in PRIMITIVES:
            return name
        full = name if "." in name or not space else f"{space}.{name}"
        _check_full_name(full.lstrip("."), place)
        for candidate in (full, name):
            if candidate in self.definitions or candidate in self.known:
                return candidate
        if self.complete:
            raise invalid_schema(f"{place}: undefined name '{full}'")
        return full

    def _union(self, node: list[Any], space: str, place: str) -> list[Any]:
        if len(node) > BRANCHES:
            raise invalid_schema(f"{place}: more than {BRANCHES} branches")
        branches = [self.expand(branch, space, f"{place}[{i}]") for i, branch in enumerate(node)]
        seen: set[str] = set()
        for branch in branches:
            if isinstance(branch, list):
                raise invalid_schema(f"{place}: a union directly in a union")
            label = branch_name(branch)
            if label in seen:
                raise invalid_schema(f"{place}: '{label}' twice in a union")
            seen.add(label)
        return branches

    def _named(self, node: dict[str, Any], kind: str, space: str, place: str) -> dict[str, Any]:
        name, own_space = node.get("name"), node.get("namespace")
        if not isinstance(name, str) or not name:
            raise invalid_schema(f"{place}: {kind} without a name")
        if own_space is not None and not isinstance(own_space, str):
            raise invalid_schema(f"{place}: 'namespace' is not a string")
        enclosing = space if own_space is None else own_space
        full = name.lstrip(".") if "." in name else f"{enclosing}.{name}" if enclosing else name
        _check_full_name(full, place)
        if full in PRIMITIVES:
            raise invalid_schema(f"{place}: '{full}' is the name of a primitive type")
        if full in self.definitions or full in self.known:
            raise invalid_schema(f"{place}: '{full}' is defined twice")
        inner = full.rpartition(".")[0]
        out: dict[str, Any] = {"type": kind, "name": full}
        self.definitions[full] = out
        if "doc" in node and isinstance(node["doc"], str):
            out["doc"] = node["doc"]
        if kind in RECORDS:
            out["fields"] = self._fields(node.get("fields"), inner, full)
        elif kind == "enum":
            out |= _enum(node, full)
        else:
            out["size"] = _size(node, full)
        if aliases := _aliases(node, full):
            out["aliases"] = [a if "." in a or not inner else f"{inner}.{a}" for a in aliases]
        return out | properties(node, kind)

    def _fields(self, fields: Any, space: str, record: str) -> list[dict[str, Any]]:
        if not isinstance(fields, list):
            raise invalid_schema(f"{record}: 'fields' is not a list")
        if len(fields) > FIELDS:
            raise invalid_schema(f"{record}: more than {FIELDS} fields")
        out: list[dict[str, Any]] = []
        for i, field in enumerate(fields):
            if not isinstance(field, dict) or not isinstance(field.get("name"), str) or "type" not in field:
                raise invalid_schema(f"{record}: field {i} is not an object with a name and a type")
            name, place = field["name"], f"{record}.{field['name']}"
            if not _NAME.fullmatch(name):
                raise invalid_schema(f"{record}: '{name}' is no name for a field")
            if any(name == other["name"] for other in out):
                raise invalid_schema(f"{place}: defined twice")
            own: dict[str, Any] = {"name": name, "type": self.expand(field["type"], space, place)}
            if isinstance(field.get("doc"), str):
                own["doc"] = field["doc"]
            if "default" in field:
                own["default"] = field["default"]
                self.defaults.append((place, own["type"], field["default"]))
            order = field.get("order", "ascending")
            if order not in ("ascending", "descending", "ignore"):
                raise invalid_schema(f"{place}: order must be ascending, descending or ignore")
            if order != "ascending":
                own["order"] = order
            if aliases := _aliases(field, place):
                own["aliases"] = aliases
            out.append(own | {key: value for key, value in field.items() if key not in FIELD})
        return out


def branch_name(branch: Any) -> str:
    """What tells a union's branches apart: the full name, or the type."""
    if isinstance(branch, str):
        return branch
    return branch["name"] if branch["type"] in NAMED else branch["type"]


def _check_full_name(full: str, place: str) -> None:
    if not all(_NAME.fullmatch(part) for part in full.split(".")):
        raise invalid_schema(f"{place}: '{full}' is no name")


def _enum(node: Mapping[str, Any], full: str) -> dict[str, Any]:
    symbols = node.get("symbols")
    if not isinstance(symbols, list) or not all(isinstance(s, str) and _NAME.fullmatch(s) for s in symbols):
        raise invalid_schema(f"{full}: 'symbols' is not a list of names")
    if len(set(symbols)) != len(symbols):
        raise invalid_schema(f"{full}: a symbol twice")
    if "default" not in node:
        return {"symbols": symbols}
    if node["default"] not in symbols:
        raise invalid_schema(f"{full}: the default is not one of the symbols")
    return {"symbols": symbols, "default": node["default"]}


def _size(node: Mapping[str, Any], full: str) -> int:
    size = node.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**31:
        raise invalid_schema(f"{full}: 'size' is not a number of bytes")
    return size


def _aliases(node: Mapping[str, Any], place: str) -> list[str]:
    aliases = node.get("aliases")
    if aliases is None:
        return []
    if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
        raise invalid_schema(f"{place}: 'aliases' is not a list of names")
    for alias in aliases:
        _check_full_name(alias, place)
    return aliases


def properties(node: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """What a type carries besides its attributes."""
    return {key: value for key, value in node.items() if key not in OWN[kind]}
