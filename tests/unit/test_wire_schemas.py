"""avro/ is whole, and schemas that others register can't harm."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fastavro
import pytest
from confluent_kafka.schema_registry import SchemaRegistryClient
from fastavro.schema import fingerprint, to_parsing_canonical_form

from hueandcry.control.network.state import canonical
from hueandcry.errors import RegistryError, UnknownSchema
from hueandcry.rights.redact import SENSITIVITIES
from hueandcry.wire import schemas
from hueandcry.wire.ids import FORGET_UNKNOWN_AFTER, SchemaIds
from hueandcry.wire.schemas import Field, all_subjects, fields_of, fields_with, schema, writer_schema

AVRO = Path(__file__).parents[2] / "avro"


@pytest.mark.parametrize("name", sorted(path.stem for path in AVRO.glob("*.avsc")))
def test_every_file_is_a_schema_and_every_form_of_it_has_one_fingerprint(name: str) -> None:
    ours = schema(name)
    assert ours is schema(name)
    assert ours.name == name
    full = fastavro.parse_schema(json.loads(ours.json))
    for form in (full, ours.parsed, ours.hot):
        assert fingerprint(to_parsing_canonical_form(form), "SHA-256") == ours.fingerprint
    assert "logicalType" not in json.dumps(ours.hot)


def test_short_and_full_names_are_the_same_schema() -> None:
    assert schema("Alert") == schema("hueandcry.Alert")
    assert set(all_subjects()) >= {f"hueandcry.{name}" for name in ("Alert", "Delivery", "Receipt", "Admitted")}
    with pytest.raises(UnknownSchema):
        schema("Nothing")


def test_the_text_for_the_registry_keeps_docs_and_logical_types() -> None:
    tree = json.loads(schema("Alert").json)
    assert tree["fields"][0]["type"] == {"type": "string", "logicalType": "uuid"}
    assert all(field["doc"] for field in tree["fields"])


@pytest.mark.parametrize("name", all_subjects())
def test_what_is_looked_up_in_the_registry_is_what_network_apply_registers(name: str) -> None:
    assert canonical(schema(name).json) == schema(name).json


def test_the_alert_is_the_last_field_of_a_delivery() -> None:
    assert schema("Delivery").hot["fields"][-1]["name"] == "alert"


def test_fields_with_a_right() -> None:
    assert fields_with("right") == {
        "provenance.source": "sources",
        "subject.biometrics": "biometrics",
        "subject.actor": "attribution",
    }
    assert fields_with("right", "Delivery")["alert.subject.actor"] == "attribution"


#: What an agency, or an issuer, is sent.
DELIVERED = ("Alert", "Delivery", "Receipt", "Notice", "Report")


def _all(fields: list[Field]) -> list[Field]:
    return [found for each in fields for found in (each, *_all(each.inner))]


@pytest.mark.parametrize("name", DELIVERED)
def test_every_field_that_is_delivered_has_a_sensitivity_and_none_holds_what_is_more_sensitive(name: str) -> None:
    fields = _all(fields_of(name))
    assert [each.path for each in fields if each.definition.get("sensitivity") not in SENSITIVITIES] == []
    rank = {each: place for place, each in enumerate(SENSITIVITIES)}
    for each in fields:
        for inner in each.inner:
            assert rank[inner.definition["sensitivity"]] <= rank[each.definition["sensitivity"]], inner.path


def test_sources_and_special_categories_need_a_right_but_for_what_protects_lives() -> None:
    open_ = [
        each.path
        for each in _leaves(fields_of("Alert"))
        if each.definition["sensitivity"] in ("source", "special") and "right" not in each.definition
    ]
    assert open_ == ["subject.warnings"]


def _leaves(fields: list[Field]) -> list[Field]:
    """Fields that hold no others, or that need a right as a whole."""
    found: list[Field] = []
    for each in fields:
        found += _leaves(each.inner) if each.inner and "right" not in each.definition else [each]
    return found


def test_schemas_are_found_in_a_wheel_and_in_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "hueandcry"
    (package / "_avro").mkdir(parents=True)
    monkeypatch.setattr(schemas.hueandcry, "__file__", str(package / "__init__.py"))
    assert schemas.folder.__wrapped__() == package / "_avro"
    (package / "_avro").rmdir()
    (tmp_path / "avro").mkdir()
    assert schemas.folder.__wrapped__() == tmp_path / "avro"
    (tmp_path / "avro").rmdir()
    with pytest.raises(UnknownSchema):
        schemas.folder.__wrapped__()


@pytest.mark.parametrize("name", all_subjects())
def test_our_own_schemas_are_read_back_from_a_registry(name: str) -> None:
    ours = schema(name)
    assert writer_schema(ours.json) == (name, ours.hot, ours.fingerprint)


def record(fields: Any, **extra: Any) -> str:
    return json.dumps({"type": "record", "name": "Alert", "namespace": "hueandcry", "fields": fields, **extra})


def one(type_: Any) -> str:
    return record([{"name": "x", "type": type_}])


def nested(depth: int) -> Any:
    return "int" if depth == 0 else {"type": "array", "items": nested(depth - 1)}


EMPTY = {"type": "record", "name": "Empty", "fields": []}
FOREIGN: dict[str, str] = {
    "not JSON": "{",
    "not an object": "[]",
    "a plain type": '"string"',
    "an enum of ours": json.dumps({"type": "enum", "name": "Alert", "namespace": "hueandcry", "symbols": ["a"]}),
    "a record without name": json.dumps({"type": "record", "fields": []}),
    "a record of somebody else": json.dumps({"type": "record", "name": "com.example.Alert", "fields": []}),
    "a record without namespace": json.dumps({"type": "record", "name": "Alert", "fields": []}),
    "a part of ours": json.dumps({"type": "record", "name": "hueandcry.Vin", "fields": []}),
    "no fields": record([]),
    "fields that are none": record(5),
    "a field without type": record([{"name": "x"}]),
    "an unknown type": one("hueandcry.Nothing"),
    "itself": one(["null", "hueandcry.Alert"]),
    "itself in an array": one({"type": "array", "items": "Alert"}),
    "an array of nulls": one({"type": "array", "items": "null"}),
    "an array of empty records": one({"type": "array", "items": EMPTY}),
    "a null": one("null"),
    "a fixed of no bytes": one({"type": "fixed", "name": "F", "size": 0}),
    "a fixed of 2^60 bytes": one({"type": "fixed", "name": "F", "size": 2**60}),
    "a nested array": one(nested(40)),
    "a very deeply nested array": "[" * 100_000,
    "two types of one name": record([{"name": n, "type": {"type": "enum", "name": "E", "symbols": [n]}} for n in "ab"]),
    "a name that is code": record([{"name": "x'}; import os #", "type": "int"}]),
    "a text beyond the bound": one("int") + " " * schemas.MAX_FOREIGN_BYTES,
}


@pytest.mark.parametrize("name", FOREIGN)
def test_harmful_or_foreign_schemas_are_refused(name: str) -> None:
    with pytest.raises(UnknownSchema):
        writer_schema(FOREIGN[name])


class _Registry(BaseHTTPRequestHandler):
    """Just enough of a registry's HTTP: answers by path, and a count of what was asked."""

    answers: dict[str, tuple[int, Any]]
    asked: list[str]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.asked.append(path)
        status, body = self.answers.get(path, (404, {"error_code": 40403, "message": "Schema not found"}))
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[tuple[type[_Registry], SchemaRegistryClient]]:
    class Handler(_Registry):
        answers: dict[str, tuple[int, Any]] = {}  # noqa: RUF012
        asked: list[str] = []  # noqa: RUF012

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        yield Handler, SchemaRegistryClient({"url": url, "max.retries": 0, "timeout": 5})
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def version_of(text: str, schema_id: int) -> tuple[int, Any]:
    return 200, {"subject": "hueandcry.Alert", "version": 1, "id": schema_id, "schema": text, "schemaType": "AVRO"}


def test_a_writer_is_asked_for_once(registry: Any) -> None:
    server, client = registry
    server.answers["/schemas/ids/7"] = (200, {"schema": schema("Alert").json})
    ids = SchemaIds(client)
    assert ids.writer(7) is ids.writer(7)
    assert ids.writer(7).fingerprint == schema("Alert").fingerprint
    assert len(server.asked) == 1


def test_an_unknown_id_is_not_asked_for_again_for_a_while_and_then_is(registry: Any) -> None:
    server, client = registry
    now = [100.0]
    ids = SchemaIds(client, clock=lambda: now[0])
    for _ in range(5):
        with pytest.raises(UnknownSchema, match="schema id 9 is not in the registry"):
            ids.writer(9)
    assert len(server.asked) == 1
    server.answers["/schemas/ids/9"] = (200, {"schema": schema("Alert").json})
    now[0] += FORGET_UNKNOWN_AFTER
    assert ids.writer(9).name == "hueandcry.Alert"


def test_a_foreign_schema_is_an_unknown_one(registry: Any) -> None:
    server, client = registry
    server.answers["/schemas/ids/3"] = (200, {"schema": FOREIGN["a record of somebody else"]})
    server.answers["/schemas/ids/4"] = (200, {"schema": "{}", "schemaType": "JSON"})
    ids = SchemaIds(client)
    for schema_id in (3, 3, 4, 4):
        with pytest.raises(UnknownSchema):
            ids.writer(schema_id)
    assert len(server.asked) == 2


@pytest.mark.parametrize("answer", [(500, {}), (401, {"error_code": 401, "message": "no"}), (404, "no such page")])
def test_a_registry_that_fails_is_to_be_asked_again(registry: Any, answer: tuple[int, Any]) -> None:
    server, client = registry
    server.answers["/schemas/ids/7"] = answer
    ids = SchemaIds(client)
    with pytest.raises(RegistryError):
        ids.writer(7)
    server.answers["/schemas/ids/7"] = (200, {"schema": schema("Alert").json})
    assert ids.writer(7).name == "hueandcry.Alert"


def test_a_registry_that_is_not_there_is_a_registry_error() -> None:
    ids = SchemaIds(SchemaRegistryClient({"url": "http://127.0.0.1:9", "max.retries": 0, "timeout": 2}))
    with pytest.raises(RegistryError, match="did not answer"):
        ids.writer(1)
    with pytest.raises(RegistryError, match="did not answer"):
        ids.id_of("Alert")


def test_the_id_is_that_of_our_schema_whether_latest_or_not(registry: Any) -> None:
    server, client = registry
    path = "/subjects/hueandcry.Alert/versions/latest"
    server.answers[path] = version_of(schema("Alert").json, 11)
    ids = SchemaIds(client)
    assert ids.id_of("Alert") == ids.id_of("hueandcry.Alert") == 11
    assert server.asked == [path]
    newer = json.loads(schema("Alert").json)
    newer["fields"].insert(0, {"name": "urgency", "type": ["null", "string"], "default": None})
    server.answers[path] = version_of(json.dumps(newer), 12)
    server.answers["/subjects/hueandcry.Alert"] = version_of(schema("Alert").json, 11)
    client.clear_latest_caches()
    assert SchemaIds(client).id_of("Alert") == 11


def test_a_schema_that_is_not_registered_is_a_registry_error(registry: Any) -> None:
    server, client = registry
    server.answers["/subjects/hueandcry.Alert/versions/latest"] = (404, {"error_code": 40401, "message": "none"})
    with pytest.raises(RegistryError, match=r"does not have this version of hueandcry\.Alert"):
        SchemaIds(client).id_of("Alert")
