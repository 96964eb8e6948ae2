"""HTTP alone: odd requests, who may do what, codes. The log is the real one, with no broker behind it to read from."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hueandcry.errors import SettingsError
from hueandcry.registry import settings as registry_settings
from hueandcry.registry.api import Api
from hueandcry.registry.errors import ApiError
from hueandcry.registry.log import Decision
from hueandcry.registry.records import Record
from hueandcry.registry.state import State, fold
from hueandcry.registry.users import Door, User, load_users

PASSWORD = "a long one"
USERS = {
    "operator": User("operator", "write", hashlib.sha256(PASSWORD.encode()).digest()),
    "agency": User("agency", "read", hashlib.sha256(b"reader").digest()),
}
OPERATOR = "Basic " + base64.b64encode(f"operator:{PASSWORD}".encode()).decode()
TYPE = "application/vnd.schemaregistry.v1+json"


class MemoryLog:
    """The part of the log that the API uses, over a list instead of a topic."""

    topic = "_schemas"
    skipped = pens_taken = 0
    failure: str | None = None

    def __init__(self) -> None:
        self.written: list[Record] = []
        self.state = State()
        self.ready = True

    @property
    def next_offset(self) -> int:
        return len(self.written)

    def catch_up(self) -> State:
        return self.state

    def write(self, decide: Decision[Any]) -> Any:
        entries: Sequence[Record]
        entries, answer = decide(self.state)
        self.written += entries
        self.state = fold(self.state, entries)
        return answer


class Client:
    """Speaks ASGI to the API, in this process."""

    def __init__(self, *, open_reads: bool = True, level: str = "BACKWARD") -> None:
        self.log = MemoryLog()
        self._app = Api(self.log, Door(USERS, open_reads=open_reads), level).app()  # type: ignore[arg-type]

    async def _speak(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)

    def ask(
        self, method: str, path: str, body: Any = b"", login: str | None = OPERATOR, query: str = ""
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, body (JSON where it is), headers."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        chunks = [data[i : i + 65_536] for i in range(0, len(data), 65_536)] or [b""]
        incoming = [{"type": "http.request", "body": c, "more_body": i + 1 < len(chunks)} for i, c in enumerate(chunks)]
        sent: list[Any] = []

        async def receive() -> Any:
            return incoming.pop(0) if incoming else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode("latin-1", "replace"),
            "query_string": query.encode("latin-1", "replace"),
            "headers": [(b"authorization", login.encode("latin-1"))] if login is not None else [],
            "server": ("127.0.0.1", 8081),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }
        asyncio.run(self._speak(scope, receive, send))
        text = b"".join(message.get("body", b"") for message in sent)
        headers = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
        try:
            return sent[0]["status"], json.loads(text), headers
        except ValueError:
            return sent[0]["status"], text.decode(), headers


SCHEMA = {"schema": '{"type":"fixed","name":"F","size":1}'}
AT = "/subjects/s/versions"


@pytest.fixture
def client() -> Client:
    made = Client()
    assert made.ask("POST", AT, SCHEMA)[:2] == (200, {"id": 1})
    return made


ANSWERS: list[tuple[str, str, Any, int, Any]] = [
    ("GET", "/", b"", 200, {}),
    ("GET", "/subjects", b"", 200, ["s"]),
    ("GET", "/subjects?subjectPrefix=t", b"", 200, []),
    ("GET", "/subjects?offset=1", b"", 200, []),
    ("GET", "/subjects/s/versions", b"", 200, [1]),
    ("GET", "/subjects/s/versions/1", b"", 200, {"subject": "s", "version": 1, "id": 1, **SCHEMA}),
    ("GET", "/subjects/s/versions/-1", b"", 200, {"subject": "s", "version": 1, "id": 1, **SCHEMA}),
    ("GET", "/subjects/s/versions/latest/schema", b"", 200, json.loads(SCHEMA["schema"])),
    ("GET", "/subjects/s/versions/1/referencedby", b"", 200, []),
    ("GET", "/schemas/types", b"", 200, ["AVRO"]),
    ("GET", "/schemas/ids/1", b"", 200, SCHEMA),
    ("GET", "/schemas/ids/1?fetchMaxId=true", b"", 200, {**SCHEMA, "maxId": 1}),
    ("GET", "/schemas/ids/1/schema", b"", 200, json.loads(SCHEMA["schema"])),
    ("GET", "/schemas/ids/1/versions", b"", 200, [{"subject": "s", "version": 1}]),
    ("GET", "/schemas/ids/1/subjects", b"", 200, ["s"]),
    ("POST", "/subjects/s", SCHEMA, 200, {"subject": "s", "version": 1, "id": 1, **SCHEMA}),
    ("POST", "/compatibility/subjects/s/versions/latest", SCHEMA, 200, {"is_compatible": True}),
    ("POST", "/compatibility/subjects/s/versions?verbose=true", SCHEMA, 200, {"is_compatible": True, "messages": []}),
    ("POST", "/compatibility/subjects/new/versions", SCHEMA, 200, {"is_compatible": True}),
    ("GET", "/config", b"", 200, {"compatibilityLevel": "BACKWARD"}),
    ("GET", "/config/s?defaultToGlobal=true", b"", 200, {"compatibilityLevel": "BACKWARD"}),
    ("PUT", "/config", {"compatibility": "FULL"}, 200, {"compatibility": "FULL"}),
    ("PUT", "/config/s", {"compatibility": "none"}, 200, {"compatibility": "NONE"}),
    ("GET", "/mode", b"", 200, {"mode": "READWRITE"}),
    ("PUT", "/mode/s", {"mode": "READONLY"}, 200, {"mode": "READONLY"}),
    ("DELETE", "/subjects/s/versions/1", b"", 200, 1),
    ("DELETE", "/subjects/s", b"", 200, [1]),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "expected"), ANSWERS, ids=[f"{a[0]} {a[1]}" for a in ANSWERS]
)
def test_answers(client: Client, method: str, path: str, body: Any, status: int, expected: Any) -> None:
    path, _, query = path.partition("?")
    got = client.ask(method, path, body, query=query)
    assert got[:2] == (status, expected)
    assert got[2]["content-type"] == TYPE


DEEP = b'{"schema":' + b"[" * 100_000
REFUSED: list[tuple[str, str, Any, int, int]] = [
    ("GET", "/nowhere", b"", 404, 404),
    ("PATCH", "/subjects", b"", 405, 405),
    ("GET", "/subjects?limit=many", b"", 422, 422),
    ("GET", "/subjects/none/versions", b"", 404, 40401),
    ("GET", "/subjects/none/versions/1", b"", 404, 40401),
    ("GET", "/subjects/s/versions/2", b"", 404, 40402),
    ("GET", "/subjects/s/versions/0", b"", 422, 42202),
    ("GET", "/subjects/s/versions/-2", b"", 422, 42202),
    ("GET", "/subjects/s/versions/one", b"", 422, 42202),
    ("GET", "/subjects/s/versions/99999999999999999999999", b"", 422, 42202),
    ("GET", "/subjects/s/versions/%D9%A1", b"", 422, 42202),
    ("GET", "/schemas/ids/2", b"", 404, 40403),
    ("GET", "/schemas/ids/2/versions", b"", 404, 40403),
    ("GET", "/schemas/ids/one", b"", 404, 404),
    ("GET", "/config/s", b"", 404, 40408),
    ("GET", "/mode/s", b"", 404, 40409),
    ("DELETE", "/config/s", b"", 404, 40401),
    ("DELETE", "/subjects/none", b"", 404, 40401),
    ("DELETE", "/subjects/s?permanent=true", b"", 404, 40405),
    ("PUT", "/config", {"compatibility": "SIDEWARD"}, 422, 42203),
    ("PUT", "/config", {"compatibility": 7}, 422, 42203),
    ("PUT", "/config", {}, 422, 42203),
    ("PUT", "/config", {"compatibility": "FULL", "alias": "t"}, 422, 422),
    ("PUT", "/mode", {"mode": "IMPORT"}, 422, 42204),
    ("PUT", "/mode", {"mode": None}, 422, 42204),
    ("POST", AT, b"", 422, 422),
    ("POST", AT, b"{", 422, 422),
    ("POST", AT, b"\xff\xfe", 422, 422),
    ("POST", AT, DEEP, 422, 422),
    ("POST", AT, [], 422, 422),
    ("POST", AT, {}, 422, 42201),
    ("POST", AT, {"schema": None}, 422, 42201),
    ("POST", AT, {"schema": {"type": "int"}}, 422, 42201),
    ("POST", AT, {"schema": " "}, 422, 42201),
    ("POST", AT, {"schema": "{"}, 422, 42201),
    ("POST", AT, {"schema": '"x"', "schemaType": "JSON"}, 422, 42201),
    ("POST", AT, {"schema": '"x"', "schemaType": "PROTOBUF"}, 422, 42201),
    ("POST", AT, {"schema": '"x"', "schemaType": ["AVRO"]}, 422, 42201),
    ("POST", AT, {"schema": '"int"', "metadata": {"properties": {}}}, 422, 422),
    ("POST", AT, {"schema": '"int"', "references": {}}, 422, 42201),
    ("POST", AT, {"schema": '"int"', "references": [{}] * 101}, 422, 42201),
    ("POST", AT, {"schema": '"int"', "references": [{"name": "x", "subject": "s", "version": True}]}, 422, 42201),
    ("POST", AT, {"schema": '"int"', "references": [{"name": "x", "subject": "t", "version": 1}]}, 422, 42201),
    ("POST", AT, {"schema": '"int"'}, 409, 409),
    ("POST", AT, b" " * (1024 * 1024 + 1), 413, 413),
    ("POST", "/subjects/s", {"schema": '"int"'}, 404, 40403),
    ("POST", "/subjects/none", SCHEMA, 404, 40401),
    ("POST", "/compatibility/subjects/s/versions/9", SCHEMA, 404, 40402),
    ("POST", "/compatibility/subjects/s/versions/x", SCHEMA, 422, 42202),
    ("POST", "/subjects/%00/versions", SCHEMA, 422, 42208),
    ("POST", "/subjects/%ff/versions", SCHEMA, 422, 42208),
    ("POST", f"/subjects/{'x' * 256}/versions", SCHEMA, 422, 42208),
    ("POST", "/subjects/:.context:s/versions", SCHEMA, 422, 42208),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), REFUSED, ids=range(len(REFUSED)))
def test_refusals(client: Client, method: str, path: str, body: Any, status: int, code: int) -> None:
    path, _, query = path.partition("?")
    before = list(client.log.written)
    got = client.ask(method, path, body, query=query)
    assert (got[0], got[1]["error_code"]) == (status, code)
    assert got[1]["message"]
    assert got[2]["content-type"] == TYPE
    assert client.log.written == before


def test_incompatible_says_what_and_where(client: Client) -> None:
    wider = {"schema": '{"type":"fixed","name":"F","size":2}'}
    message = client.ask("POST", AT, wider)[1]["message"]
    assert "FIXED_SIZE_MISMATCH at F: 2 bytes to read, 1 written" in message
    verdict = client.ask("POST", "/compatibility" + AT + "/1", wider, query="verbose=true")[1]
    assert verdict["is_compatible"] is False
    assert len(verdict["messages"]) == 1


def test_a_subject_may_hold_a_slash(client: Client) -> None:
    assert client.ask("POST", "/subjects/a%2Fb/versions", SCHEMA)[0] == 200
    assert client.ask("GET", "/subjects")[1] == ["a/b", "s"]
    assert client.ask("GET", "/subjects/a%2Fb/versions/1")[1]["subject"] == "a/b"


LOGINS = [
    None,
    "",
    "Basic",
    "Basic !!!",
    "Basic " + base64.b64encode(b"operator").decode(),
    "Basic " + base64.b64encode(b"operator:").decode(),
    "Basic " + base64.b64encode(b"operator:wrong").decode(),
    "Basic " + base64.b64encode(b"nobody:" + bytes(32)).decode(),
    "Basic " + base64.b64encode(b"\xff:\xff").decode(),
    "Bearer " + OPERATOR.removeprefix("Basic "),
    "Basic é",
]
WRITES = [
    ("POST", AT, SCHEMA),
    ("DELETE", "/subjects/s", b""),
    ("DELETE", "/subjects/s/versions/1", b""),
    ("PUT", "/config", {"compatibility": "NONE"}),
    ("PUT", "/config/s", {"compatibility": "NONE"}),
    ("DELETE", "/config", b""),
    ("DELETE", "/config/s", b""),
    ("PUT", "/mode", {"mode": "READONLY"}),
    ("PUT", "/mode/s", {"mode": "READONLY"}),
    ("DELETE", "/mode/s", b""),
]


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize(("method", "path", "body"), WRITES)
def test_no_write_without_the_right_login(client: Client, login: str | None, method: str, path: str, body: Any) -> None:
    before = list(client.log.written)
    status, answer, headers = client.ask(method, path, body, login=login)
    assert (status, answer["error_code"]) == (401, 40101)
    assert headers["www-authenticate"].startswith("Basic ")
    assert client.log.written == before


def test_a_reader_reads_and_does_not_write() -> None:
    client = Client(open_reads=False)
    reader = "Basic " + base64.b64encode(b"agency:reader").decode()
    assert client.ask("GET", "/subjects", login=None)[0] == 401
    assert client.ask("GET", "/subjects", login=reader)[0] == 200
    assert client.ask("POST", "/subjects/s", SCHEMA, login=reader)[0] == 404
    for method, path, body in WRITES:
        assert client.ask(method, path, body, login=reader)[1]["error_code"] == 40301


def test_not_ready_until_the_topic_is_read(client: Client) -> None:
    client.log.ready = False
    assert client.ask("GET", "/ready", login=None)[0] == 503
    assert client.ask("GET", "/subjects")[0] == 503
    client.log.ready = True
    assert client.ask("GET", "/ready", login=None)[0] == 200


def test_metrics_name_requests_by_route_not_by_subject(client: Client) -> None:
    client.ask("GET", "/subjects/secret-name/versions")
    status, text, _ = client.ask("GET", "/metrics", login=None)
    assert status == 200
    line = 'hueandcry_registry_requests_total{method="GET",route="/subjects/{subject}/versions",status="404"} 1.0'
    assert line in text
    assert "secret-name" not in text
    assert "hueandcry_registry_ready 1.0" in text


PATHS = st.sampled_from(
    [
        "subjects",
        "versions",
        "schemas",
        "ids",
        "config",
        "mode",
        "compatibility",
        "s",
        "1",
        "latest",
        "-1",
        "schema",
        "types",
    ]
)
SEGMENT = PATHS | st.text("abc/%25:.?#é\x00 ", max_size=4)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
WORD = st.sampled_from(
    ["type", "name", "fields", "items", "values", "symbols", "default", "record", "enum", "array", "x"]
)
AVROISH = st.recursive(
    WORD | st.sampled_from(["int", "string", "fixed", "map", "null"]) | st.none() | st.integers(-1, 2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=4),
    max_leaves=10,
)
BODY = st.one_of(
    st.binary(max_size=20),
    VALUE,
    st.fixed_dictionaries({"schema": AVROISH.map(json.dumps)}, optional={"references": VALUE, "schemaType": VALUE}),
    st.fixed_dictionaries({"compatibility": VALUE}),
    st.fixed_dictionaries({"mode": VALUE}),
)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]),
    st.lists(SEGMENT, max_size=6).map(lambda parts: "/" + "/".join(parts)),
    st.sampled_from(
        ["", "permanent=true", "verbose=true&normalize=true", "deleted=true", "offset=-1&limit=x", "%zz=&&="]
    ),
    BODY,
)
def test_no_request_makes_it_fail(method: str, path: str, query: str, body: Any) -> None:
    client = Client()
    client.ask("POST", AT, SCHEMA)
    status, answer, _ = client.ask(method, path, body, query=query)
    assert status < 500
    if status >= 400 and method != "HEAD":
        assert answer["error_code"] // 10 ** (len(str(answer["error_code"])) - 3) == status


def test_users_file(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text(f"# who may ask\n\noperator:write:{'0' * 64}\nagency:read:{'f' * 64}\n")
    assert {(u.name, u.role) for u in load_users(path).values()} == {("operator", "write"), ("agency", "read")}
    path.write_text("operator:write:secret in the clear\n")
    with pytest.raises(SettingsError, match=r"users:1: not a user") as wrong:
        load_users(path)
    assert "clear" not in wrong.value.diagnostics()
    with pytest.raises(SettingsError, match="can't be read"):
        load_users(tmp_path / "none")


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUEANDCRY_REGISTRY_LEVEL", "SIDEWARD")
    with pytest.raises(SettingsError, match="HUEANDCRY_REGISTRY_LEVEL is wrong"):
        registry_settings.load()


def test_an_error_has_the_status_of_its_code() -> None:
    assert [(ApiError(code, "x").status) for code in (409, 40401, 42201, 50001)] == [409, 404, 422, 500]
