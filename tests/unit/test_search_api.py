"""Search over HTTP: in what order it refuses, that nothing is told which is not logged, and what it costs others."""

from __future__ import annotations

import asyncio
import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from factories import NOW_MS, sound_vehicle
from hueandcry.search.api import STALE_MS, Api
from hueandcry.search.consultations import NotLogged, Place
from hueandcry.search.peers import CLAIMANTS_PATH, ENTRIES_PATH, FITTING_PATH
from hueandcry.search.settings import SearchSettings
from hueandcry.wire.codec import decode, encode
from hueandcry.wire.requests import SEARCH_TAG, RequestVerifier, sign_request
from shelf import SECRET, Shelf
from simulator import small_network, with_key

HOST, TOKEN = "localhost:8082", "a token"
KEY, GONE = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
VIN = "VF3LCYHZPFS000042"
QUESTION = {"purpose": "a test", "vin": VIN}


def _raw(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


NETWORK = with_key(with_key(small_network(), "ken-police", "k1", _raw(KEY)), "left-us", "k2", _raw(GONE))


class Consulted:
    """Takes what is logged, or fails to."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.fails = False

    async def log(self, record: dict[str, Any], state: str) -> Place:
        if self.fails:
            raise NotLogged("the search can't be logged")
        # As it goes through Kafka.
        self.records.append(decode("Consultation", encode("Consultation", record)))
        return Place(0, len(self.records))

    async def show(self, record: dict[str, Any], state: str) -> None:
        assert record["consultation_id"] == self.records[-1]["consultation_id"]


class Remembered:
    """What other processes have answered."""

    def __init__(self) -> None:
        self.is_open = True
        self.first = True

    async def is_first(self, record: dict[str, Any], place: Place) -> bool:
        return self.first


class Service:
    """The API over a register in memory, with a car in it."""

    def __init__(self) -> None:
        self.shelf = Shelf(1)
        self.shelf.enter(sound_vehicle(issuer="fra-police"))
        self.consulted = Consulted()
        self.replica = SimpleNamespace(age_ms=1_500, remaining=0, partitions=[0], size_bytes=lambda: 0)
        self.nonces = Remembered()
        verifier = RequestVerifier(NETWORK.keys.get, tag=SEARCH_TAG)
        own: Any = self.shelf.shelves._holders[0]
        given: dict[str, Any] = {"replica": self.replica, "consultations": self.consulted, "nonces": self.nonces}
        self.app = Api(
            **given,
            own=own,
            searcher=self.shelf.searcher,
            verifier=verifier,
            network=lambda: NETWORK,
            secret=SECRET,
            token=TOKEN,
            now_ms=lambda: NOW_MS,
        ).app()

    def send(
        self, path: str, body: bytes, headers: dict[str, str], method: str = "POST", query: str = ""
    ) -> tuple[int, Any]:
        """Status and JSON (or text) of an answer."""
        sent: list[dict[str, Any]] = []
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in {"Host": HOST, **headers}.items()],
            "server": ("localhost", 8082),
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))  # type: ignore[arg-type]
        text = b"".join(each.get("body", b"") for each in sent)
        try:
            return sent[0]["status"], json.loads(text)
        except ValueError:
            return sent[0]["status"], text.decode()

    def ask(self, question: Any = QUESTION, key: Ed25519PrivateKey = KEY, key_id: str = "k1") -> tuple[int, Any]:
        """Ask as an agency."""
        body = question if isinstance(question, bytes) else json.dumps(question).encode()
        return self.send("/search", body, signed(body, key, key_id))


def signed(body: bytes, key: Ed25519PrivateKey = KEY, key_id: str = "k1") -> dict[str, str]:
    url = f"https://{HOST}/search"
    return sign_request(key, key_id, "POST", url, body, tag=SEARCH_TAG, content_type="application/json")


@pytest.fixture
def service() -> Service:
    return Service()


def test_an_answer_and_its_record(service: Service) -> None:
    status, found = service.ask({**QUESTION, "officer": "KE-4711"})
    assert status == 200
    (match,) = found["exact"]
    assert match["alert"]["subject"]["vin"]["raw"] == VIN
    assert (found["age_ms"], found["as_of"]) == (1_500, "2026-03-01T11:59:58.500Z")
    (record,) = service.consulted.records
    assert (record["consultation_id"], record["exact"]) == (found["consultation_id"], [match["alert_id"]])
    assert (record["agency"], record["key_id"], record["officer"]) == ("ken-police", "k1", "KE-4711")
    assert VIN not in json.dumps({name: str(value) for name, value in record.items()})


def test_what_is_not_logged_is_not_told(service: Service) -> None:
    service.consulted.fails = True
    status, told = service.ask()
    assert (status, told["rule"]) == (503, "consultation")
    assert VIN not in json.dumps(told)
    assert "alert" not in json.dumps(told)


def test_what_another_process_has_answered_is_not_answered_again(service: Service) -> None:
    service.nonces.first = False
    status, told = service.ask()
    assert (status, told["rule"]) == (401, "request.replayed")
    assert VIN not in json.dumps(told)
    service.nonces.is_open = False
    assert service.ask()[0] == service.send("/ready", b"", {}, "GET")[0] == 503


@pytest.mark.parametrize("age", [None, STALE_MS + 1])
def test_old_data_are_not_shown(service: Service, age: int | None) -> None:
    service.replica.age_ms = age
    status, told = service.ask()
    assert (status, told["rule"]) == (503, "replica")
    assert service.consulted.records == []
    assert service.send("/ready", b"", {}, "GET")[0] == 503


def test_a_replica_that_lags_is_not_ready_and_still_answers(service: Service) -> None:
    assert service.send("/ready", b"", {}, "GET") == (200, "ready\n")
    service.replica.age_ms = 20_000
    assert service.send("/ready", b"", {}, "GET")[0] == 503
    assert service.ask()[0] == 200


def test_forged_and_repeated_requests(service: Service) -> None:
    body = json.dumps(QUESTION).encode()
    assert service.send("/search", body, {"Content-Type": "application/json"})[0] == 401
    headers = signed(body)
    assert service.send("/search", body.replace(b"42", b"43"), headers)[0] == 401
    assert service.send("/search", body, headers)[0] == 200
    status, told = service.send("/search", body, headers)
    assert (status, told["rule"]) == (401, "request.replayed")
    assert service.ask(key=GONE)[0] == 401
    # A key that the network still lists, of an agency that it does not.
    assert service.ask(key=GONE, key_id="k2")[0] == 403
    assert len(service.consulted.records) == 1


@pytest.mark.parametrize(
    ("question", "status", "rule"),
    [
        (b"no JSON", 400, "question"),
        ({"purpose": "a test"}, 400, "question"),
        ({"purpose": "a test", "person": {"name": "Jonas Musterfeld"}}, 400, "question.too_little"),
        ({"purpose": "a test", "plate": {"raw": "A?*"}}, 400, "question.too_wide"),
        ({"purpose": "a test", "plate": {"raw": "AB1*"}, "possible": False}, 400, "question.too_little"),
        (b"x" * 17_000, 413, "question"),
    ],
)
def test_what_is_no_question(service: Service, question: Any, status: int, rule: str) -> None:
    answered, told = service.ask(question)
    assert (answered, told["rule"]) == (status, rule)
    assert service.consulted.records == []


def test_nothing_is_asked_in_a_url(service: Service) -> None:
    body = json.dumps(QUESTION).encode()
    assert service.send("/search", body, signed(body), query="vin=1")[0] == 400
    assert service.send("/search", b"", {}, "GET")[0] == 405
    assert service.send("/else", b"", {}, "GET")[0] == 404


@pytest.mark.parametrize("path", [CLAIMANTS_PATH, ENTRIES_PATH, FITTING_PATH])
def test_only_peers_read_the_register_itself(service: Service, path: str) -> None:
    for header in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {TOKEN}"}, signed(b"[]")):
        assert service.send(path, b"[]", header)[0] == 401
    peer = {"Authorization": f"Bearer {TOKEN}"}
    none = b'["ABC*", "", "actual", 9]' if path == FITTING_PATH else b"[]"
    assert service.send(path, none, peer) == (200, [])
    for odd in (b"x", b"[1]", b'{"a":1}', b'[["zz",null]]', b"[[1,2,3]]"):
        assert service.send(path, odd, peer)[0] == 400, odd


def test_the_metrics_name_no_agency(service: Service) -> None:
    service.ask()
    status, text = service.send("/metrics", b"", {}, "GET")
    assert status == 200
    assert 'hueandcry_search_requests_total{answer="found",by="vin"} 1.0' in text
    assert "hueandcry_search_age_seconds 1.5" in text
    assert "ken-police" not in text


def test_partitions_and_peers_as_they_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CERTIFICATE", "KEY"):
        monkeypatch.setenv(f"HUEANDCRY_SEARCH_{name}", "x.pem")
    assert SearchSettings().held(3) == [0, 1, 2]  # type: ignore[call-arg]
    monkeypatch.setenv("HUEANDCRY_SEARCH_PARTITIONS", "0-2,7")
    monkeypatch.setenv("HUEANDCRY_SEARCH_PEERS", "https://a:1=3-4 https://b:2/=4-6")
    settings = SearchSettings()  # type: ignore[call-arg]
    assert settings.held(12) == [0, 1, 2, 7]
    assert settings.held_by_peers() == {3: "https://a:1", 4: "https://a:1", 5: "https://b:2", 6: "https://b:2"}
    for name, value in (("PARTITIONS", "a-b"), ("PEERS", "http://a:1=2"), ("PEERS", "https://a:1")):
        with monkeypatch.context() as wrong:
            wrong.setenv(f"HUEANDCRY_SEARCH_{name}", value)
            with pytest.raises(ValueError):
                SearchSettings()  # type: ignore[call-arg]
