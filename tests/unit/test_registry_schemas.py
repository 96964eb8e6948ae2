"""What is taken for a schema, what for the same one, and what may follow another."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import avro.schema
import fastavro.schema
import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from hypothesis import given
from hypothesis import strategies as st

from hueandcry.registry import compatibility, schemas
from hueandcry.registry.compatibility import Earlier, check, incompatibilities
from hueandcry.registry.errors import ApiError

AVRO = Path(__file__).parents[2] / "avro"


def rec(*fields: Any, name: str = "R", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def f(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def enum(*symbols: str, **more: Any) -> dict[str, Any]:
    return {"type": "enum", "name": "E", "symbols": list(symbols), **more}


def decimal(precision: int, scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def parse(tree: Any) -> schemas.ParsedSchema:
    return schemas.parse(json.dumps(tree))


NESTED = rec(f("inner", rec(f("deep", rec(f("x", "int"), name="Deep")), name="Inner")))
NESTED_WRONG = rec(f("inner", rec(f("deep", rec(f("x", "string"), name="Deep")), name="Inner")))
LIST = rec(f("value", "int"), f("next", ["null", "R"], default=None))
LIST_WRONG = rec(f("value", "boolean"), f("next", ["null", "R"], default=None))

FIXED_1, FIXED_2 = {"type": "fixed", "name": "F", "size": 1}, {"type": "fixed", "name": "F", "size": 2}
INTS, TEXTS = {"type": "array", "items": "int"}, {"type": "array", "items": "string"}
INT_MAP, TEXT_MAP = {"type": "map", "values": "int"}, {"type": "map", "values": "string"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
ROOTLESS = rec(f("a", rec(name="In", namespace="")), namespace="x")
NO_DEFAULT, MISMATCH = "READER_FIELD_MISSING_DEFAULT_VALUE", "TYPE_MISMATCH"

# name, reader, writer, kind and place of each reason
TABLE: list[tuple[str, Any, Any, list[tuple[str, str]]]] = [
    ("same", rec(f("a", "int")), rec(f("a", "int")), []),
    ("field added with default", rec(f("a", "int", default=0)), rec(), []),
    ("field added without", rec(f("a", "int")), rec(), [(NO_DEFAULT, "R.a")]),
    ("null is a default", rec(f("a", ["null", "int"], default=None)), rec(), []),
    ("a union with null is no default", rec(f("a", ["null", "int"])), rec(), [(NO_DEFAULT, "R.a")]),
    ("an enum's default symbol is no field default", rec(f("e", enum("A", default="A"))), rec(), [(NO_DEFAULT, "R.e")]),
    ("field removed", rec(), rec(f("a", "int")), []),
    ("field renamed with alias", rec(f("b", "int", aliases=["a"])), rec(f("a", "int")), []),
    ("int to long", "long", "int", []),
    ("long to int", "int", "long", [(MISMATCH, "int")]),
    ("long to float", "float", "long", []),
    ("float to double", "double", "float", []),
    ("double to float", "float", "double", [(MISMATCH, "float")]),
    ("string to bytes", "bytes", "string", []),
    ("bytes to string", "string", "bytes", []),
    ("symbol added, reader old", enum("A"), enum("A", "B"), [("MISSING_ENUM_SYMBOLS", "E")]),
    ("symbol added, reader old with default", enum("A", default="A"), enum("A", "B"), []),
    ("symbols reordered", enum("B", "A"), enum("A", "B"), []),
    ("fixed of another size", FIXED_2, FIXED_1, [("FIXED_SIZE_MISMATCH", "F")]),
    ("another name", rec(name="S"), rec(name="R"), [("NAME_MISMATCH", "S")]),
    ("another namespace, same simple name", rec(namespace="x"), rec(namespace="y"), []),
    ("alias with namespace", rec(name="S", namespace="x", aliases=["x.R"]), rec(namespace="x"), []),
    ("alias without namespace means its own", rec(name="S", namespace="x", aliases=["R"]), rec(namespace="x"), []),
    (
        "alias in another namespace",
        rec(name="S", namespace="x", aliases=["y.R"]),
        rec(namespace="x"),
        [("NAME_MISMATCH", "x.S")],
    ),
    ("null namespace within one", ROOTLESS, ROOTLESS, []),
    ("nested path", NESTED, NESTED_WRONG, [(MISMATCH, "R.inner.deep.x")]),
    ("recursive", LIST, LIST, []),
    ("recursive and wrong", LIST, LIST_WRONG, [(MISMATCH, "R.value")]),
    ("branch added", ["null", "int", "string"], ["null", "int"], []),
    ("branch removed", ["null"], ["null", "int"], [("MISSING_UNION_BRANCH", "union")]),
    ("into a union", ["null", "int"], "int", []),
    ("out of a union", "int", ["null", "int"], [(MISMATCH, "int")]),
    ("promotion into a union", ["null", "long"], "int", []),
    (
        "inside a branch",
        rec(f("u", ["null", rec(f("x", "int"), name="B")])),
        rec(f("u", ["null", rec(name="B")])),
        [("MISSING_UNION_BRANCH", "R.u"), (NO_DEFAULT, "R.u[B].x")],
    ),
    ("items", INTS, TEXTS, [(MISMATCH, "array[]")]),
    ("values", INT_MAP, TEXT_MAP, [(MISMATCH, "map{}")]),
    ("an array for a map", INTS, INT_MAP, [(MISMATCH, "array")]),
    ("error is a record", rec() | {"type": "error"}, rec() | {"type": "error"}, []),
    ("decimal of another scale", decimal(9, 3), decimal(9, 2), [("DECIMAL_MISMATCH", "bytes")]),
    ("same decimal", decimal(9, 2), decimal(9, 2), []),
    ("decimal from plain bytes", decimal(9, 2), "bytes", []),
    ("other logical types are not looked at", MICROS, MILLIS, []),
]  # fmt: skip
IDS = [row[0] for row in TABLE]
CORRECTED = {
    "alias without namespace means its own",  # the library compares the bare alias with a full name
    "decimal of another scale",  # it does not look at logical types
    "error is a record",  # it raises
}


@pytest.mark.parametrize(("reader", "writer", "expected"), [row[1:] for row in TABLE], ids=IDS)
def test_compatibility_with_reasons_and_places(reader: Any, writer: Any, expected: list[tuple[str, str]]) -> None:
    found = incompatibilities(parse(reader), parse(writer))
    assert [(one.kind, one.place) for one in found] == expected
    assert all(one.message for one in found)


@pytest.mark.parametrize(("name", "reader", "writer", "expected"), TABLE, ids=IDS)
def test_where_the_library_says_otherwise(name: str, reader: Any, writer: Any, expected: list[Any]) -> None:
    """The corrections are needed: a row whose verdict the library shares by now must leave CORRECTED."""
    try:
        theirs = library_says(reader, writer)
    except Exception:
        theirs = None
    assert (theirs == (not expected)) is (name not in CORRECTED)


def library_says(reader: Any, writer: Any) -> bool:
    read, written = (avro.schema.make_avsc_object(json.loads(json.dumps(tree))) for tree in (reader, writer))
    verdict = ReaderWriterCompatibilityChecker().get_compatibility(read, written)
    return verdict.compatibility is SchemaCompatibilityType.compatible


PRIMITIVE = st.sampled_from(["null", "boolean", "int", "long", "float", "double", "bytes", "string"])


def tree(seed: int) -> Any:
    """A random schema whose named types are numbered as they come."""
    chance = random.Random(seed)
    count = 0

    def one(depth: int, *, union: bool = True) -> Any:
        nonlocal count
        kind = chance.choice(["primitive"] * 3 + ([] if depth > 3 else ["array", "map", "record", "enum", "union"]))
        if kind == "array":
            return {"type": "array", "items": one(depth + 1)}
        if kind == "map":
            return {"type": "map", "values": one(depth + 1)}
        if kind == "union" and union:
            return chance.sample(["null", "int", "long", "string", "bytes", "double"], 2)
        count += 1
        if kind == "enum":
            return {"type": "enum", "name": f"E{count}", "symbols": chance.sample(["A", "B", "C"], 2)}
        if kind == "record":
            name = f"R{count}"
            fields = [f(x, one(depth + 1)) for x in chance.sample("abc", 2)]
            return rec(*fields, name=name)
        return chance.choice(["int", "long", "float", "string", "bytes", "boolean"])

    return one(0)


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_walk_agrees_with_the_library(a: int, b: int) -> None:
    reader, writer = tree(a), tree(b)
    assert (not incompatibilities(parse(reader), parse(writer))) is library_says(reader, writer)
    assert not incompatibilities(parse(reader), parse(reader))


WIDE, NARROW = rec(f("a", "int"), f("b", "int", default=0)), rec(f("a", "int"))
GROWN = rec(f("a", "int"), f("b", "int"))


@pytest.mark.parametrize(
    ("level", "earlier", "new", "fine"),
    [
        ("NONE", ["int"], "string", True),
        ("BACKWARD", [NARROW], GROWN, False),
        ("BACKWARD", [GROWN], NARROW, True),
        ("FORWARD", [NARROW], GROWN, True),
        ("FORWARD", [GROWN], NARROW, False),
        ("FULL", [NARROW], WIDE, True),
        ("FULL", [NARROW], GROWN, False),
        ("FULL", [GROWN], NARROW, False),
        ("BACKWARD", [NARROW, WIDE], GROWN, True),
        ("BACKWARD_TRANSITIVE", [NARROW, WIDE], GROWN, False),
        ("FORWARD", [GROWN, WIDE], NARROW, True),
        ("FORWARD_TRANSITIVE", [GROWN, WIDE], NARROW, False),
        ("FULL", [GROWN, WIDE], NARROW, True),
        ("FULL_TRANSITIVE", [GROWN, WIDE], NARROW, False),
        ("FULL_TRANSITIVE", [], "int", True),
    ],
)
def test_levels(level: str, earlier: list[Any], new: Any, fine: bool) -> None:
    versions = [Earlier(i, parse(tree)) for i, tree in enumerate(earlier, 1)]
    reasons = check(parse(new), versions, level)
    assert (not reasons) is fine
    assert all("version" in reason for reason in reasons)


SAME = [
    ("white space", '{"type":"fixed","name":"F","size":1}', '{ "type" : "fixed",\n"name":"F", "size":1 }'),
    ("order of attributes", '{"type":"fixed","name":"F","size":1}', '{"size":1,"name":"F","type":"fixed"}'),
    ("wrapped primitive", '"string"', '{"type":"string"}'),
    ("full name", '{"type":"fixed","name":"F","namespace":"x","size":1}', '{"type":"fixed","name":"x.F","size":1}'),
    ("default order", json.dumps(rec(f("a", "int"))), json.dumps(rec(f("a", "int", order="ascending")))),
    ("double wrapping", '{"type":"array","items":"int"}', '{"type":{"type":"array","items":{"type":"int"}}}'),
]  # fmt: skip
OTHER = [
    ("doc", '{"type":"fixed","name":"F","size":1}', '{"type":"fixed","name":"F","size":1,"doc":"what"}'),
    ("property", '"string"', '{"type":"string","right":"biometrics"}'),
    ("default", json.dumps(rec(f("a", "int"))), json.dumps(rec(f("a", "int", default=1)))),
    ("order of fields", json.dumps(rec(f("a", "int"), f("b", "int"))), json.dumps(rec(f("b", "int"), f("a", "int")))),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_the_same_schema(one: str, other: str) -> None:
    assert schemas.parse(one).text == schemas.parse(other).text


@pytest.mark.parametrize(("one", "other"), [row[1:] for row in OTHER], ids=[row[0] for row in OTHER])
def test_another_schema(one: str, other: str) -> None:
    assert schemas.parse(one).text != schemas.parse(other).text


def test_normalising_puts_properties_in_order() -> None:
    one = schemas.parse('{"type":"string","b":{"y":1,"x":2},"a":1}')
    other = schemas.parse('{"a":1,"type":"string","b":{"x":2,"y":1}}')
    assert one.text != other.text
    assert one.normal == other.normal == '{"type":"string","a":1,"b":{"x":2,"y":1}}'


def test_attributes_are_written_as_avros_java_implementation_prints_them() -> None:
    given_ = {
        "fields": [
            {"default": None, "type": ["null", "x.E"], "x": 1, "doc": "d", "name": "e2", "aliases": ["old"]},
        ],
        "aliases": ["Old"], "doc": "doc", "p": 1, "namespace": "x", "name": "R", "type": "record",
    }  # fmt: skip
    given_["fields"].insert(0, f("e", {"symbols": ["A"], "default": "A", "name": "E", "type": "enum"}))
    assert schemas.parse(json.dumps(given_)).text == (
        '{"type":"record","name":"R","namespace":"x","doc":"doc","fields":['
        '{"name":"e","type":{"type":"enum","name":"E","symbols":["A"],"default":"A"}},'
        '{"name":"e2","type":["null","E"],"doc":"d","default":null,"aliases":["old"],"x":1}],"p":1,"aliases":["Old"]}'
    )


@pytest.mark.parametrize("path", sorted(AVRO.glob("*.avsc")), ids=lambda path: path.stem)
def test_our_own_schemas_stay_what_they_are(path: Path) -> None:
    whole = json.dumps(fastavro.schema.load_schema(str(path), _write_hint=False))
    parsed = schemas.parse(whole)
    assert schemas.canonical(parsed.text) == parsed.text == schemas.parse(parsed.text).text
    ours, theirs = json.loads(parsed.text), json.loads(whole)
    assert fastavro.schema.to_parsing_canonical_form(ours) == fastavro.schema.to_parsing_canonical_form(theirs)
    assert not incompatibilities(parsed, parsed)


def many(kind: str, number: int) -> str:
    if kind == "fields":
        return json.dumps(rec(*(f(f"f{i}", "int") for i in range(number))))
    return json.dumps([{"type": "fixed", "name": f"F{i}", "size": 1} for i in range(number)])


BAD = [
    ("empty object", "{}"),
    ("a bare name", "string"),
    ("null", "null"),
    ("a number", "7"),
    ("a text that is no JSON", "{"),
    ("NaN", '{"type":"int","x":NaN}'),
    ("a number out of range", '{"type":"int","x":1e999}'),
    ("half a surrogate pair", '{"type":"int","x":"\\ud800"}'),
    ("half a surrogate pair, raw", '{"type":"int","x":"\ud800"}'),
    ("a number of 5,000 digits", '{"type":"int","x":' + "9" * 5_000 + "}"),
    ("too deep", "[" * 1_000 + "]" * 1_000),
    ("deep enough for the stack", "[" * 100_000),
    ("deep types", '{"type":"array","items":' * 70 + '"int"' + "}" * 70),
    ("undefined name", '"Nobody"'),
    ("undefined in a field", json.dumps(rec(f("a", "x.Nobody")))),
    ("defined twice", json.dumps(rec(f("a", {"type": "fixed", "name": "R", "size": 1})))),
    ("a primitive's name", '{"type":"fixed","name":"int","size":1}'),
    ("no name", '{"type":"fixed","size":1}'),
    ("bad name", '{"type":"fixed","name":"a-b","size":1}'),
    ("bad namespace", '{"type":"fixed","name":"a","namespace":"x..y","size":1}'),
    ("namespace of another type", '{"type":"fixed","name":"a","namespace":7,"size":1}'),
    ("no size", '{"type":"fixed","name":"a"}'),
    ("negative size", '{"type":"fixed","name":"a","size":-1}'),
    ("size true", '{"type":"fixed","name":"a","size":true}'),
    ("no symbols", '{"type":"enum","name":"a"}'),
    ("symbol twice", '{"type":"enum","name":"a","symbols":["A","A"]}'),
    ("bad symbol", '{"type":"enum","name":"a","symbols":["1"]}'),
    ("default is no symbol", '{"type":"enum","name":"a","symbols":["A"],"default":"B"}'),
    ("no fields", '{"type":"record","name":"a"}'),
    ("field no object", '{"type":"record","name":"a","fields":[7]}'),
    ("field without type", '{"type":"record","name":"a","fields":[{"name":"f"}]}'),
    ("field twice", json.dumps(rec(f("a", "int"), f("a", "int")))),
    ("bad field name", json.dumps(rec(f("a b", "int")))),
    ("bad order", json.dumps(rec(f("a", "int", order="random")))),
    ("unhashable order", json.dumps(rec(f("a", "int", order=[1])))),
    ("aliases no list", json.dumps(rec(aliases="x"))),
    ("no items", '{"type":"array"}'),
    ("no values", '{"type":"map"}'),
    ("union in a union", '["int",["string"]]'),
    ("twice in a union", '["int",{"type":"int","x":1}]'),
    ("two arrays in a union", '[{"type":"array","items":"int"},{"type":"array","items":"long"}]'),
    ("too many fields", many("fields", 2_001)),
    ("too many branches", many("branches", 257)),
    ("default: text for int", json.dumps(rec(f("a", "int", default="1")))),
    ("default: true for int", json.dumps(rec(f("a", "int", default=True)))),
    ("default: too large for int", json.dumps(rec(f("a", "int", default=2**31)))),
    ("default: too large for long", json.dumps(rec(f("a", "long", default=2**63)))),
    ("default: text for float", json.dumps(rec(f("a", "float", default="1")))),
    ("default: null for string", json.dumps(rec(f("a", "string", default=None)))),
    ("default: no branch of the union", json.dumps(rec(f("a", ["null", "int"], default="x")))),
    ("default: no symbol", json.dumps(rec(f("a", enum("A"), default="B")))),
    ("default: unhashable for an enum", json.dumps(rec(f("a", enum("A"), default=[])))),
    ("default: fixed of another size", json.dumps(rec(f("a", {"type": "fixed", "name": "F", "size": 2}, default="x")))),
    ("default: bytes beyond 255", json.dumps(rec(f("a", "bytes", default="\u0100")))),
    ("default: array of others", json.dumps(rec(f("a", {"type": "array", "items": "int"}, default=["x"])))),
    ("default: map of others", json.dumps(rec(f("a", {"type": "map", "values": "int"}, default={"x": "x"})))),
    ("default: record lacks a field", json.dumps(rec(f("a", rec(f("x", "int"), name="In"), default={})))),
]  # fmt: skip


@pytest.mark.parametrize("text", [row[1] for row in BAD], ids=[row[0] for row in BAD])
def test_bad_schemas_are_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ApiError) as refused:
        schemas.parse(text)
    assert refused.value.code == 42201
    assert len(str(refused.value)) < 1_000


def test_a_unions_default_may_be_of_any_branch() -> None:
    schemas.parse(json.dumps(rec(f("a", ["null", "int"], default=1), f("b", ["int", "null"], default=None))))


def test_defaults_of_unions_of_records_of_unions_take_no_time() -> None:
    """Tried in every combination this would take 2 to the power of 25 steps."""
    inner = rec(f("f", ["int", "A", "B"]), name="B")
    branches: Any = ["int", rec(f("f", ["int", "A", inner]), name="A"), "B"]
    default: Any = "no int"
    for _ in range(25):
        default = {"f": default}
    with pytest.raises(ApiError, match="default"):
        schemas.parse(json.dumps(rec(f("u", branches, default=default))))


def test_a_type_used_everywhere_does_not_multiply_its_reasons() -> None:
    def chain(leaf: str) -> Any:
        inner: Any = rec(f("x", leaf), name="R0")
        for i in range(1, 12):
            inner = rec(f("a", inner), *(f(name, f"R{i - 1}") for name in "bcdef"), name=f"R{i}")
        return inner

    assert 0 < len(incompatibilities(parse(chain("int")), parse(chain("string")))) <= 50


def test_references_bring_their_types() -> None:
    vin = '{"type":"record","name":"Vin","namespace":"x","fields":[{"name":"raw","type":"string"}]}'
    car = json.dumps(rec(f("vin", "Vin"), f("v2", "x.Vin"), name="Car", namespace="x"))
    parsed = schemas.parse(car, [vin])
    assert "raw" not in parsed.text
    number = vin.replace('"string"', '"int"')
    found = incompatibilities(parsed, schemas.parse(car, [number]))
    assert [one.place for one in found] == ["x.Car.vin.raw", "x.Car.vin.raw"]
    with pytest.raises(ApiError, match="defined twice"):
        schemas.parse(vin, [vin])


def test_levels_are_those_of_the_settings() -> None:
    from typing import get_args

    from hueandcry.registry.settings import RegistrySettings

    assert get_args(RegistrySettings.model_fields["level"].annotation) == compatibility.LEVELS
