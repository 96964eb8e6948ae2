"""May data written with one schema be read with another, and if not, where and why.

The rules for names, fixed sizes, enum symbols, fields and promotion are those of `avro.compatibility`. The walk is
ours, because the library's gives places and messages as two unordered sets, numbers fields instead of naming them,
starts again at "/" below a union and drops what it found inside one. Corrected besides (the table is in
docs/decisions/registry.md):

- an alias may be written without its namespace (`schemas.parse` has made it a full name before the library sees it);
- `error` is compared as a record, where the library raises;
- two decimals must agree in precision and scale (Avro 1.12 specification, "Decimal").

Levels: https://docs.confluent.io/platform/current/schema-registry/fundamentals/schema-evolution.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from avro.compatibility import (
    PRIMITIVE_TYPES,
    ReaderWriterCompatibilityChecker,
    SchemaCompatibilityResult,
    SchemaCompatibilityType,
    check_fixed_size,
    check_reader_enum_contains_writer_enum,
    check_schema_names,
    lookup_writer_field,
)
from avro.schema import NamedSchema, Schema, UnionSchema

from hueandcry.registry.schemas import ParsedSchema, shown

LEVELS: Final = (
    "NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE",
)  # fmt: skip
_SHOWN: Final = 50  # a type used in many places would say the same over and over
_INCOMPATIBLE: Final = SchemaCompatibilityType.incompatible


class Incompatibility(NamedTuple):
    """One reason why a reader can't read what a writer writes.

    Attributes:
        kind: the name that Avro gives it, as READER_FIELD_MISSING_DEFAULT_VALUE.
        place: the reader's path: `ns.Record.field`, `[branch]` of a union, `[]` items, `{}` values.
        message: a sentence.
    """

    kind: str
    place: str
    message: str


class Earlier(NamedTuple):
    """A registered version to compare with."""

    version: int
    schema: ParsedSchema


def check(new: ParsedSchema, earlier: Sequence[Earlier], level: str) -> list[str]:
    """Why `new` may not follow `earlier` (oldest first) at that level. Empty: it may."""
    if level == "NONE" or not earlier:
        return []
    against = earlier if level.endswith("_TRANSITIVE") else earlier[-1:]
    back, forward = "BACKWARD" in level or "FULL" in level, "FORWARD" in level or "FULL" in level
    messages: list[str] = []
    for version, old in reversed(against):
        if back:
            way = f"the new schema can't read what version {version} writes"
            messages += _sentences(incompatibilities(new, old), way)
        if forward:
            way = f"version {version} can't read what the new schema writes"
            messages += _sentences(incompatibilities(old, new), way)
    return messages


def _sentences(found: Iterable[Incompatibility], way: str) -> list[str]:
    return [f"{one.kind} at {one.place}: {one.message} ({way})" for one in found]


def incompatibilities(reader: ParsedSchema, writer: ParsedSchema) -> list[Incompatibility]:
    """Every reason why `reader` can't read all that `writer` may write."""
    return _Walk().compare(reader.avro, writer.avro, _label(reader.avro))


def _label(schema: Schema) -> str:
    return shown(str(schema.fullname)) if isinstance(schema, NamedSchema) else schema.type


class _Walk:
    def __init__(self) -> None:
        self._done: dict[tuple[int, int], list[Incompatibility]] = {}

    def compare(self, reader: Schema, writer: Schema, place: str) -> list[Incompatibility]:
        pair = (id(reader), id(writer))
        if pair not in self._done:
            self._done[pair] = []  # a recursive type is compatible unless something else in it is not
            self._done[pair] = self._compare(reader, writer, place)[:_SHOWN]
        return self._done[pair]

    def _compare(self, reader: Schema, writer: Schema, place: str) -> list[Incompatibility]:
        if isinstance(writer, UnionSchema):
            return self._writer_union(reader, writer, place)
        if isinstance(reader, UnionSchema):
            return self._reader_union(reader, writer, place)
        if reader.type != writer.type or reader.type in PRIMITIVE_TYPES:
            return self._scalar(reader, writer, place)
        return self._nested(reader, writer, place)

    def _scalar(self, reader: Schema, writer: Schema, place: str) -> list[Incompatibility]:
        result = ReaderWriterCompatibilityChecker().get_compatibility(reader, writer)
        if result.compatibility is _INCOMPATIBLE:
            message = f"a reader of {_label(reader)} can't take {_label(writer)}"
            return [Incompatibility("TYPE_MISMATCH", place, message)]
        return _decimals(reader, writer, place)

    def _nested(self, reader: Any, writer: Any, place: str) -> list[Incompatibility]:
        """Two arrays, maps, records, enums or fixed."""
        if reader.type == "array":
            return self.compare(reader.items, writer.items, f"{place}[]")
        if reader.type == "map":
            return self.compare(reader.values, writer.values, f"{place}{{}}")
        message = f"the reader is named {_label(reader)}, the writer {_label(writer)}, and no alias says so"
        found = _found(check_schema_names(reader, writer, []), place, message)
        if reader.type == "fixed":
            message = f"{reader.size} bytes to read, {writer.size} written"
            found += _found(check_fixed_size(reader, writer, []), place, message)
            return found + _decimals(reader, writer, place)
        if reader.type == "enum":
            lacking = ", ".join(sorted(set(writer.symbols) - set(reader.symbols))[:_SHOWN])
            message = f"the reader has no {lacking} and no default symbol"
            return found + _found(check_reader_enum_contains_writer_enum(reader, writer, []), place, message)
        return found + self._fields(reader, writer, place)

    def _fields(self, reader: Any, writer: Any, place: str) -> list[Incompatibility]:
        found: list[Incompatibility] = []
        for field in reader.fields:
            here = f"{place}.{field.name}"
            written = lookup_writer_field(writer_schema=writer, reader_field=field)
            if written is not None:
                found += self.compare(field.type, written.type, here)
            elif not field.has_default:
                message = f"the reader's field '{field.name}' has no default and the writer has no such field"
                found.append(Incompatibility("READER_FIELD_MISSING_DEFAULT_VALUE", here, message))
        return found

    def _writer_union(self, reader: Schema, writer: UnionSchema, place: str) -> list[Incompatibility]:
        found: list[Incompatibility] = []
        for branch in writer.schemas:
            found += self.compare(reader, branch, place)
        return found

    def _reader_union(self, reader: UnionSchema, writer: Schema, place: str) -> list[Incompatibility]:
        nearest: list[Incompatibility] = []
        for branch in reader.schemas:
            found = self.compare(branch, writer, f"{place}[{_label(branch)}]")
            if not found:
                return []
            if branch.type == writer.type and _label(branch) == _label(writer):
                nearest = found
        message = f"no branch of the reader's union takes the writer's {_label(writer)}"
        return [Incompatibility("MISSING_UNION_BRANCH", place, message), *nearest]


def _found(result: SchemaCompatibilityResult, place: str, message: str) -> list[Incompatibility]:
    if result.compatibility is not _INCOMPATIBLE:
        return []
    return [Incompatibility(kind.name.upper(), place, message) for kind in result.incompatibilities]


def _decimals(reader: Schema, writer: Schema, place: str) -> list[Incompatibility]:
    read: Any = reader.props.get("decimal")
    written: Any = writer.props.get("decimal")
    if read is None or written is None or read == written:
        return []
    message = "the reader's decimal has precision {} and scale {}, the writer's {} and {}".format(*read, *written)
    return [Incompatibility("DECIMAL_MISMATCH", place, message)]
