"""An Avro schema as the registry keeps it: checked, written in one form, ready to be compared.

From the expanded form (`expand`) come

- the canonical text, by which two schemas are the same one. It keeps docs, defaults, aliases and properties, drops
  white space, and orders attributes as Avro's Java implementation prints them, so that a topic moved from or to
  another registry keeps its ids;
- the inlined form, complete in itself, that `avro` parses for compatibility.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import avro.errors
import avro.schema
from avro.name import Names

from hueandcry.registry.defaults import PRIMITIVES, fits
from hueandcry.registry.errors import invalid_schema
from hueandcry.registry.expand import FIELD, NAMED, OWN, RECORDS, Definitions, Expander, load, properties

_ROOT: Final = "_"  # stands for the null namespace where `avro` would take the enclosing one


@dataclass(frozen=True)
class ParsedSchema:
    """A checked schema.

    Attributes:
        text: the canonical text.
        normal: the text with properties and aliases sorted, asked for by `normalize=true`.
        definitions: full name to expanded definition, of the named types in this text alone.
        avro: the schema with all that it refers to, as the `avro` library has it, without logical types.
    """

    text: str
    normal: str
    definitions: Definitions
    avro: avro.schema.Schema


def parse(text: str, referenced: Sequence[str] = ()) -> ParsedSchema:
    """Check a schema. `referenced`: the texts it refers to, each after those that it needs itself.

    Raises:
        ApiError: 42201, saying what is wrong.
    """
    return _parse(text, tuple(referenced))


@lru_cache(maxsize=512)
def _parse(text: str, referenced: tuple[str, ...]) -> ParsedSchema:
    known: Definitions = {}
    for other in referenced:
        known |= _parse_alone(other, known)
    expander = Expander(known, complete=True)
    tree = expander.expand(load(text), "")
    definitions = known | expander.definitions
    for place, kind, default in expander.defaults:
        if not fits(default, kind, definitions):
            raise invalid_schema(f"{place}: the default does not fit the type")
    whole = _inline(tree, definitions, set())
    try:
        parsed = avro.schema.make_avsc_object(whole, Names())
    except (avro.errors.AvroException, ValueError, TypeError, KeyError, AttributeError) as error:
        raise invalid_schema(str(error)[:300]) from error
    return ParsedSchema(_write(tree), _write(_sorted(tree)), expander.definitions, parsed)


def _parse_alone(text: str, known: Definitions) -> Definitions:
    expander = Expander(known, complete=True)
    expander.expand(load(text), "")
    return expander.definitions


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """The canonical text of a schema whose references are not at hand. Raises ApiError 42201."""
    return _write(Expander({}, complete=False).expand(load(text), ""))


def _write(tree: Any) -> str:
    return json.dumps(_shorten(tree, ""), separators=(",", ":"), ensure_ascii=False)


def _shorten(node: Any, space: str) -> Any:
    """Full names back to names and namespaces, as Avro's Java implementation prints them."""
    if isinstance(node, str):
        own, _, simple = node.rpartition(".")
        return simple if own == space else node
    if isinstance(node, list):
        return [_shorten(branch, space) for branch in node]
    kind = node["type"]
    if kind == "array" or kind == "map":
        child = "items" if kind == "array" else "values"
        return {**node, child: _shorten(node[child], space)}
    if kind not in NAMED:
        return node
    own, _, simple = node["name"].rpartition(".")
    out: dict[str, Any] = {"type": kind, "name": simple}
    if own != space:
        out["namespace"] = own
    for key in ("doc", "fields", "symbols", "size", "default"):
        if key == "fields" and "fields" in node:
            out["fields"] = [{**field, "type": _shorten(field["type"], own)} for field in node["fields"]]
        elif key in node:
            out[key] = node[key]
    out |= properties(node, kind)
    if "aliases" in node:
        out["aliases"] = [_shorten(alias, own) for alias in node["aliases"]]
    return out


def _sorted(node: Any) -> Any:
    """The same expanded schema with properties, aliases and the keys inside properties in order."""
    if isinstance(node, list):
        return [_sorted(branch) for branch in node]
    if not isinstance(node, dict):
        return node
    kind = node["type"]
    own = OWN.get(kind, ("type",))
    out = {key: node[key] for key in own if key in node}
    for child in ("items", "values"):
        if child in out:
            out[child] = _sorted(out[child])
    if "fields" in out:
        out["fields"] = [_sorted_field(field) for field in out["fields"]]
    if "aliases" in out:
        out["aliases"] = sorted(out["aliases"])
    return out | _ordered(node, own)


def _sorted_field(field: Mapping[str, Any]) -> dict[str, Any]:
    out = {key: field[key] for key in FIELD if key in field}
    out["type"] = _sorted(field["type"])
    if "aliases" in out:
        out["aliases"] = sorted(out["aliases"])
    return out | _ordered(field, FIELD)


def _ordered(node: Mapping[str, Any], own: Iterable[str]) -> dict[str, Any]:
    return {key: json.loads(json.dumps(node[key], sort_keys=True)) for key in sorted(node) if key not in own}


def _inline(node: Any, definitions: Definitions, emitted: set[str]) -> Any:
    """A self-contained form for `avro`: each named type defined where it is first met, no logical types.

    Decimals keep precision and scale, as the property `decimal`, for they decide about compatibility.
    """
    if isinstance(node, str):
        if node in PRIMITIVES:
            return node
        return _rooted(node) if node in emitted else _inline(definitions[node], definitions, emitted)
    if isinstance(node, list):
        return [_inline(branch, definitions, emitted) for branch in node]
    kind = node["type"]
    decimal = {"decimal": [node.get("precision"), node.get("scale", 0)]} if node.get("logicalType") == "decimal" else {}
    if kind == "array" or kind == "map":
        child = "items" if kind == "array" else "values"
        return {"type": kind, child: _inline(node[child], definitions, emitted)}
    if kind not in NAMED:
        return {"type": kind, **decimal} if decimal else kind
    if node["name"] in emitted:
        return _rooted(node["name"])
    emitted.add(node["name"])
    out: dict[str, Any] = {"type": "record" if kind in RECORDS else kind, "name": _rooted(node["name"]), **decimal}
    if "aliases" in node:
        out["aliases"] = [_rooted(alias) for alias in node["aliases"]]
    if "fields" in node:
        out["fields"] = [
            {k: _inline(v, definitions, emitted) if k == "type" else v for k, v in f.items() if k in FIELD}
            for f in node["fields"]
        ]
    return out | {key: node[key] for key in ("symbols", "default", "size") if key in node}


def _rooted(full: str) -> str:
    return full if "." in full else f"{_ROOT}.{full}"


def shown(full: str) -> str:
    """A full name of the `avro` form as people know it."""
    return full.removeprefix(f"{_ROOT}.")
