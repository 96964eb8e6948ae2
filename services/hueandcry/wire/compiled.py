"""Readers and writers of Avro bodies as Python functions made from a schema, one function a record type.

Why not fastavro on the hot path: docs/decisions/compiled-avro.md. In short, these write three times and read one and a
half times as fast here, and are strict where fastavro is not: indices below zero, integers out of range,
block sizes that lie.

What is read is a plain dict, logical types left as their numbers and strings. Every type takes at least one byte
(`schemas.writer_schema` sees to that for schemas of others), so a count that claims more items than there are bytes
ends at the end of the bytes, with no memory taken for it.

The sources hold no text of a schema but as a Python literal (`repr`), so a schema can't bring code of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple

from hueandcry.wire.primitives import SUPPORT, branch_of

#: What the made functions raise on bytes or records that do not fit.
FAULTS = (IndexError, KeyError, ValueError, TypeError, AttributeError, struct.error, OverflowError)

Read = Callable[[bytes, int], tuple[dict[str, Any], int]]
Write = Callable[[Mapping[str, Any], bytearray], None]
ToldBy = Mapping[tuple[str, str], tuple[str, Mapping[str, str]]]


class Place(NamedTuple):
    """Where a fault came up: path of the field, and the byte offset when reading (-1 when writing)."""

    field: str
    offset: int


class Compiled:
    """Functions for one record schema.

    Attributes:
        read: (bytes, offset) → (record, offset behind it). The end may lie beyond the bytes where they are cut short:
            the caller compares. Raises one of FAULTS.
        write: (record, bytearray) appends the record's bytes. Raises one of FAULTS.

    Args:
        schema: a parsed fastavro schema without logical types.
        told_by: for a field that is a union of several records, by (record, field): the field beside it that
            tells the branch, and the branch by its value.
    """

    def __init__(self, schema: Any, told_by: ToldBy | None = None) -> None:
        maker = _Maker(told_by or {})
        maker.define(schema)
        space = maker.run()
        top = maker.ids[_type_name(schema)]
        self.read: Read = space[f"read_{top}"]
        self.write: Write = space[f"write_{top}"]
        self._field_at = maker.field_at

    def place(self, trace: TracebackType | None) -> Place:
        """Where the fault came up, from its traceback."""
        path: list[str] = []
        offset = -1
        while trace is not None:
            code = trace.tb_frame.f_code
            if code.co_filename == _FILE:
                field = self._field_at.get(trace.tb_lineno)
                if field:
                    path.append(field)
                offset = trace.tb_frame.f_locals.get("p", -1)
            trace = trace.tb_next
        return Place(".".join(path), offset)


_FILE = "<avro>"


class _Maker:
    """Writes the source, line by line; `field_at` keeps which field a line is about."""

    def __init__(self, told_by: ToldBy) -> None:
        self.ids: dict[str, int] = {}
        self.named: dict[str, Any] = {}
        self.field_at: dict[int, str] = {}
        self._told_by = told_by
        self._lines: list[str] = []
        self._space: dict[str, Any] = dict(SUPPORT)
        self._field = ""
        self._depth = 0
        self._count = 0

    def run(self) -> dict[str, Any]:
        source = "\n".join(self._lines)
        exec(compile(source, _FILE, "exec"), self._space)  # noqa: S102  # only our own statements and repr'd literals
        return self._space

    def define(self, node: Any) -> None:
        """Define functions for every record in the schema, inner ones first."""
        if isinstance(node, list):
            for branch in node:
                self.define(branch)
        elif isinstance(node, dict):
            kind = node["type"]
            if kind in ("record", "enum", "fixed"):
                self.ids[node["name"]] = len(self.ids)
                self.named[node["name"]] = node
            if kind == "record":
                for field in node["fields"]:
                    self.define(field["type"])
                self._reader(node)
                self._writer(node)
            elif kind == "enum":
                ident = self.ids[node["name"]]
                symbols = node["symbols"]
                self._space[f"symbol_{ident}"] = {_index(at): symbol for at, symbol in enumerate(symbols)}
                self._space[f"index_{ident}"] = {symbol: _index(at) for at, symbol in enumerate(symbols)}
            elif kind == "array":
                self.define(node["items"])
            elif kind == "map":
                self.define(node["values"])

    def _kind(self, node: Any) -> str:
        if isinstance(node, list):
            return "union"
        if isinstance(node, str):
            return self.named[node]["type"] if node in self.named else node
        return node["type"] if isinstance(node["type"], str) else self._kind(node["type"])

    def _add(self, line: str) -> None:
        self._lines.append("\t" * self._depth + line)
        if self._field:
            self.field_at[len(self._lines)] = self._field

    def _new(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def _constant(self, value: Any) -> str:
        name = self._new("const_")
        self._space[name] = value
        return name

    # Reading

    def _reader(self, record: Any) -> None:
        self._field = ""
        self._depth = 0
        self._add(f"def read_{self.ids[record['name']]}(b, p):")
        self._depth = 1
        parts: list[str] = []
        for at, field in enumerate(record["fields"]):
            self._field = field["name"]
            self._read(field["type"], f"f{at}")
            parts.append(f"{field['name']!r}: f{at}")
        self._field = ""
        self._add(f"return {{{', '.join(parts)}}}, p")

    def _read(self, node: Any, to: str) -> None:
        kind = self._kind(node)
        if kind in ("int", "long"):
            self._add("n = b[p]")
            self._add(f"if n > 127: n, p = {kind}_(b, p)")
            self._add("else: p += 1")
            self._add(f"{to} = n >> 1 ^ -(n & 1)")
        elif kind in ("string", "bytes"):
            self._read_size()
            self._add("q = p + (n >> 1)")
            self._add(f"{to} = b[p:q]" + (".decode()" if kind == "string" else ""))
            self._add("p = q")
        elif kind == "boolean":
            self._add(f"{to} = boolean[b[p]]")
            self._add("p += 1")
        elif kind in ("float", "double"):
            self._add(f"{to} = {kind}_from(b, p)[0]")
            self._add(f"p += {4 if kind == 'float' else 8}")
        elif kind == "null":
            self._add(f"{to} = None")
        elif kind == "enum":
            self._add("n = b[p]")
            self._add("if n > 127: n, p = long_(b, p)")
            self._add("else: p += 1")
            self._add(f"{to} = symbol_{self.ids[_type_name(node)]}[n]")
        elif kind == "fixed":
            size = self.named[_type_name(node)]["size"]
            self._add(f"{to} = b[p:p + {int(size)}]")
            self._add(f"p += {int(size)}")
        elif kind == "record":
            self._add(f"{to}, p = read_{self.ids[_type_name(node)]}(b, p)")
        elif kind == "union":
            self._read_union(node, to)
        elif kind in ("array", "map"):
            self._read_blocks(node, kind, to)
        else:
            raise ValueError("no such type")

    def _read_size(self) -> None:
        self._add("n = b[p]")
        self._add("if n & 129: n, p = size_(b, p)")
        self._add("else: p += 1")

    def _read_union(self, branches: list[Any], to: str) -> None:
        self._add("n = b[p]")
        self._add("p += 1")
        for at, branch in enumerate(branches):
            self._add(f"{'elif' if at else 'if'} n == {_index(at)}:")
            self._depth += 1
            self._read(branch, to)
            self._depth -= 1
        self._add("else: no_branch()")

    def _read_blocks(self, node: Any, kind: str, to: str) -> None:
        end, item = self._new("e"), self._new("i")
        self._add(f"{to} = {'[]' if kind == 'array' else '{}'}")
        self._add("while n := b[p]:")
        self._depth += 1
        self._add(f"if n & 129: n, p, {end} = block_(b, p)")
        self._add(f"else: n >>= 1; p += 1; {end} = 0")
        self._add("for _ in range(n):")
        self._depth += 1
        if kind == "array":
            self._read(node["items"], item)
            self._add(f"{to}.append({item})")
        else:
            key = self._new("k")
            self._read("string", key)
            self._read(node["values"], item)
            self._add(f"{to}[{key}] = {item}")
        self._depth -= 1
        self._add(f"if {end} and p != {end}: lying_block()")
        self._depth -= 1
        self._add("p += 1")

    # Writing

    def _writer(self, record: Any) -> None:
        self._field = ""
        self._depth = 0
        self._add(f"def write_{self.ids[record['name']]}(r, o):")
        self._depth = 1
        self._add("a = o.append; g = r.get")
        for field in record["fields"]:
            self._field = name = field["name"]
            if "default" not in field:
                self._add(f"v = r[{name!r}]")
            elif field["default"] is None:
                self._add(f"v = g({name!r})")
            else:
                self._add(f"v = g({name!r}, {self._constant(field['default'])})")
            self._write(field["type"], "v", (record["name"], name))
        self._field = ""

    def _write(self, node: Any, v: str, at: tuple[str, str]) -> None:
        kind = self._kind(node)
        if kind in ("int", "long"):
            self._add(f"if -64 <= {v} < 64: a({v} << 1 ^ {v} >> 63)")
            self._add(f"else: write_{kind}({v}, o)")
        elif kind in ("string", "bytes"):
            self._add(f"s = {v}.encode()" if kind == "string" else f"s = bytes_of({v})")
            self._write_count("s")
            self._add("o += s")
        elif kind == "boolean":
            self._add(f"a(boolean_of({v}))")
        elif kind in ("float", "double"):
            self._add(f"o += {kind}_to({v})")
        elif kind == "enum":
            self._add(f"n = index_{self.ids[_type_name(node)]}[{v}]")
            self._add("if n < 128: a(n)")
            self._add("else: write_long(n >> 1, o)")
        elif kind == "fixed":
            self._add(f"o += fixed_of({v}, {int(self.named[_type_name(node)]['size'])})")
        elif kind == "record":
            self._add(f"write_{self.ids[_type_name(node)]}({v}, o)")
        elif kind == "union":
            self._write_union(node, v, at)
        elif kind in ("array", "map"):
            self._write_blocks(node, kind, v, at)

    def _write_count(self, of: str) -> None:
        self._add(f"n = len({of})")
        self._add("if n < 64: a(n << 1)")
        self._add("else: write_long(n, o)")

    def _write_union(self, branches: list[Any], v: str, at: tuple[str, str]) -> None:
        others = [(index, branch) for index, branch in enumerate(branches) if self._kind(branch) != "null"]
        if len(others) < len(branches):
            self._add(f"if {v} is None: a({_index(branches.index('null'))})")
            self._add("else:")
        else:
            self._add("if True:")
        self._depth += 1
        if len(others) == 1:
            index, branch = others[0]
            if self._kind(branch) == "record":
                self._add(f"if {v}.__class__ is tuple: {v} = untupled({v}, {_type_name(branch)!r})")
            self._add(f"a({_index(index)})")
            self._write(branch, v, at)
        else:
            self._write_choice(others, v, at)
        self._depth -= 1

    def _write_choice(self, others: list[tuple[int, Any]], v: str, at: tuple[str, str]) -> None:
        fields = {
            _type_name(branch): frozenset(f["name"] for f in self.named[_type_name(branch)]["fields"])
            for _, branch in others
            if self._kind(branch) == "record"
        }
        beside, by_value = self._told_by.get(at, ("", {}))
        choose = self._constant(partial(branch_of, fields, dict(by_value)))
        self._add(f"c, {v} = {choose}({v}, {f'g({beside!r})' if beside else 'None'})")
        for place, (index, branch) in enumerate(others):
            self._add(f"{'elif' if place else 'if'} c == {_type_name(branch)!r}:")
            self._depth += 1
            self._add(f"a({_index(index)})")
            self._write(branch, v, at)
            self._depth -= 1

    def _write_blocks(self, node: Any, kind: str, v: str, at: tuple[str, str]) -> None:
        self._add(f"if {v}.__class__ is not {'list' if kind == 'array' else 'dict'}: {v} = {kind}_of({v})")
        self._add(f"if {v}:")
        self._depth += 1
        self._write_count(v)
        item = self._new("x")
        if kind == "array":
            self._add(f"for {item} in {v}:")
            self._depth += 1
            self._write(node["items"], item, at)
        else:
            key = self._new("k")
            self._add(f"for {key}, {item} in {v}.items():")
            self._depth += 1
            self._write("string", key, at)
            self._write(node["values"], item, at)
        self._depth -= 2
        self._add("a(0)")


def _type_name(node: Any) -> str:
    """Name of a type as a union branch and a tuple name it."""
    if isinstance(node, str):
        return node
    return node["name"] if node["type"] in ("record", "enum", "fixed") else node["type"]


def _index(at: int) -> int:
    """Zig-zag form of an index."""
    return at << 1
