"""Search over the real platform: what an agency finds, as it changes, and who is told what."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from ssl import create_default_context
from typing import Any
from urllib.parse import urlsplit

import pytest

from broker.lane_process import until
from broker.on_platform import Platform, alert, new_vin, next_version
from hueandcry.control.local.ports import Ports
from hueandcry.control.local.process import Process
from hueandcry.control.local.readiness import wait_ready
from hueandcry.errors import SearchError
from hueandcry.sdk.search import Found, Search
from hueandcry.wire.codec import decode
from hueandcry.wire.framing import unframe
from hueandcry.wire.requests import SEARCH_TAG, sign_request

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]
#: Seconds within which a change must show.
SOON = 30.0


@pytest.fixture(scope="module")
def ask(platform: Platform) -> Iterator[Callable[..., Found]]:
    """Searches as an agency."""
    with ExitStack() as stack:
        clients: dict[str, Search] = {}

        def search(agency: str, **by: Any) -> Found:
            if agency not in clients:
                clients[agency] = stack.enter_context(Search(platform.profile(agency)))
            return clients[agency].ask("test of the platform", **by)

        yield search


def ids(matches: list[dict[str, Any]]) -> list[str]:
    return [match["alert_id"] for match in matches]


def plate_of(number: str) -> dict[str, Any]:
    return {"raw": number, "normalised": None, "state": "FRA", "subdivision": None, "type": "ordinary"}


def test_an_alert_is_found_by_each_of_its_identifiers(platform: Platform, ask: Callable[..., Found]) -> None:
    vin = new_vin()
    plate = plate_of(f"Z{vin[-7:]}")
    car = alert("fra-police", subject__vin__raw=vin, subject__plate=plate)
    person, threat = alert("fra-police", "wanted_person"), alert("usa-cyber", "cyber", category="block", action="block")
    platform.settled(car, person, threat)
    name, born = person["subject"]["identities"][0], person["subject"]["born"]
    number = person["subject"]["documents"][0]["number"]
    domain = threat["subject"]["indicators"][0]["value"]
    who = {
        "name": f"{name['given']} {name['family']}",
        "born": f"{born['year']}-{born['month']:02}-{born['day']:02}",
        "nationalities": ["DEU"],
    }
    asked: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
        ("ken-police", {"vin": vin.lower()}, car, "exact"),
        ("ken-police", {"vin": vin[-8:]}, car, "proposed"),
        ("ken-police", {"plate": {"raw": plate["raw"], "state": "FRA"}}, car, "exact"),
        ("ken-police", {"plate": {"raw": plate["raw"]}}, car, "proposed"),
        ("ken-police", {"person": who}, person, "exact"),
        ("ken-police", {"person": who | {"nationalities": []}}, person, "proposed"),
        ("ken-police", {"document": {"number": number, "state": "DEU"}}, person, "exact"),
        ("jpn-cyber", {"indicator": {"value": domain.replace(".", "[.]")}}, threat, "exact"),
    ]
    for agency, by, record, where in asked:
        until(lambda agency=agency, by=by: bool(ask(agency, **by)), SOON, f"an answer to {list(by)}")
        found = ask(agency, **by)
        assert record["alert_id"] in ids(getattr(found, where)), (by, where)
        assert 0 <= found.age_ms < 15_000
    (match,) = ask("ken-police", document={"number": number, "state": "DEU"}).exact
    assert (match["form"], match["issuer"], match["enrichment"]["state_name"]) == ("original", "fra-police", "France")
    (match,) = ask("are-police", document={"number": number, "state": "DEU"}).exact
    assert (match["form"], match["alert"]["subject"]["biometrics"]) == ("redacted", [])


def test_updates_and_withdrawals_show_soon(platform: Platform, ask: Callable[..., Found]) -> None:
    old, new = new_vin(), new_vin()
    record = alert("fra-police", subject__vin__raw=old)
    moved = next_version(record, subject=record["subject"] | {"vin": record["subject"]["vin"] | {"raw": new}})
    platform.settled(record)
    until(lambda: ids(ask("ken-police", vin=old).exact) == [record["alert_id"]], SOON, "the alert")
    platform.settled(moved)
    until(lambda: [each["version"] for each in ask("ken-police", vin=new).exact] == [2], SOON, "its new version")
    until(lambda: not ask("ken-police", vin=old).exact, SOON, "the end of the old key")
    platform.settled(next_version(moved, "withdraw"))
    until(lambda: not ask("ken-police", vin=new), SOON, "its end")


def test_who_may_not_have_it_sees_nothing_or_only_whom_to_ask(platform: Platform, ask: Callable[..., Found]) -> None:
    hidden, known = (
        alert("fra-police", subject__vin__raw=new_vin(), classification="secret", discoverable=discoverable)
        for discoverable in (False, True)
    )
    for record in (hidden, known):
        platform.settled(record)
        vin = record["subject"]["vin"]["raw"]
        until(lambda vin=vin: bool(ask("fra-police", vin=vin).exact), SOON, "its issuer sees it")
    vins = [record["subject"]["vin"]["raw"] for record in (hidden, known)]
    nothing = ask("ken-police", vin=new_vin()).record
    told = ask("ken-police", vin=vins[0]).record
    of_this_answer = {"consultation_id", "as_of", "age_ms"}
    assert {**told, **dict.fromkeys(of_this_answer)} == {**nothing, **dict.fromkeys(of_this_answer)}
    found = ask("ken-police", vin=vins[1])
    assert (found.exact, found.proposed) == ([], [])
    assert found.elsewhere == [{"issuing_state": "FRA", "kind": "stolen_vehicle"}]
    assert not ask("ken-police", vin=vins[1][-8:])
    # Who has no need to know of vehicles does not hear of them.
    assert not ask("usa-cyber", vin=vins[1])


def test_an_exercise_shows_only_where_it_is_asked_for(platform: Platform, ask: Callable[..., Found]) -> None:
    record = alert("fra-police", subject__vin__raw=new_vin(), status="exercise")
    platform.settled(record)
    vin = record["subject"]["vin"]["raw"]
    until(lambda: bool(ask("ken-police", vin=vin, status="exercise").exact), SOON, "the exercise")
    assert not ask("ken-police", vin=vin)


def test_every_search_is_logged_and_never_what_was_searched_for(platform: Platform, ask: Callable[..., Found]) -> None:
    record = alert("fra-police", subject__vin__raw=new_vin())
    platform.settled(record)
    vin = record["subject"]["vin"]["raw"]
    until(lambda: bool(ask("ken-police", vin=vin).exact), SOON, "the alert")
    found = ask("ken-police", vin=vin, officer="KE-4711")
    values = [message.value() or b"" for message in platform.read("consultations")]
    assert not any(vin.encode() in value for value in values)
    logged = {each["consultation_id"]: each for each in (decode("Consultation", unframe(value)[1]) for value in values)}
    mine = logged[found.consultation_id]
    assert (mine["agency"], mine["officer"], mine["by"]) == ("ken-police", "KE-4711", "vin")
    assert mine["purpose"] == "test of the platform"
    assert (mine["exact"], mine["proposed"], mine["elsewhere"]) == ([record["alert_id"]], [], [])
    entry = {key for each in (mine["keys"], mine["weak_keys"]) for key in each}
    assert entry
    assert all(len(key) == 32 for key in entry)


def test_nobody_unknown_is_answered(platform: Platform) -> None:
    profile = platform.profile("ken-police")
    context = create_default_context(cafile=str(profile.search_ca))
    body = json.dumps({"purpose": "a test", "vin": new_vin()}).encode()
    request = urllib.request.Request(profile.search_url + "/search", body, {"Content-Type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=20, context=context)
    with caught.value as refused:
        assert (refused.code, json.load(refused)["rule"]) == (401, "request.signature")
    for path in ("/partitions/claimants", "/partitions/entries"):
        request = urllib.request.Request(profile.search_url + path, b"[]", {"Authorization": "Bearer x"})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=20, context=context)
        with caught.value as refused:
            assert refused.code == 401


def test_a_head_without_end_is_not_read(platform: Platform) -> None:
    profile = platform.profile("ken-police")
    where = urlsplit(profile.search_url)
    context = create_default_context(cafile=str(profile.search_ca))
    with (
        socket.create_connection((where.hostname or "", where.port or 0), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=where.hostname) as secure,
    ):
        secure.sendall(b"POST /search HTTP/1.1\r\nHost: x\r\nX-Long: ")
        with pytest.raises(OSError):
            secure.sendall(b"a" * 64 * 1024 * 1024)


def test_the_command_tells_and_its_exit_code_says_whether_anything_was_found(platform: Platform) -> None:
    record = alert("fra-police", subject__vin__raw=new_vin())
    platform.settled(record)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hueandcry.cli", "search", "--as", "ken-police", "--purpose", "a test"]
        env = {**os.environ, "HUEANDCRY_HOME": str(platform.home)}
        return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False, env=env)

    vin = record["subject"]["vin"]["raw"]
    until(lambda: run("--vin", vin).returncode == 0, SOON, "the alert")
    done = run("--vin", vin, "--output", "json")
    assert ids(json.loads(done.stdout)["exact"]) == [record["alert_id"]]
    assert run("--vin", new_vin()).returncode == 3
    assert run("--vin", "11").returncode == 2


def test_a_part_of_a_plate_proposes(platform: Platform, ask: Callable[..., Found]) -> None:
    number = f"Q{new_vin()[-7:]}"
    record = alert("fra-police", subject__vin__raw=new_vin(), subject__plate=plate_of(number))
    platform.settled(record)
    part = f"{number[:2]}?{number[3:-1]}*"
    until(lambda: ids(ask("ken-police", plate={"raw": part}).proposed) == [record["alert_id"]], SOON, "the alert")
    found = ask("ken-police", plate={"raw": part, "state": "FRA"})
    assert (found.exact, found.proposed[0]["reasons"][0]["rule"]) == ([], "plate.partial")
    assert not ask("ken-police", plate={"raw": part, "state": "DEU"})
    platform.settled(next_version(record, subject=record["subject"] | {"plate": None}))
    until(lambda: not ask("ken-police", plate={"raw": part}), SOON, "its end")
    with pytest.raises(SearchError) as caught:
        ask("ken-police", plate={"raw": "Q?*"})
    assert caught.value.rule == "question.too_wide"


def test_a_request_is_answered_once_by_all_processes_together(platform: Platform) -> None:
    profile, body = platform.profile("ken-police"), json.dumps({"purpose": "a test", "vin": new_vin()}).encode()
    context = create_default_context(cafile=str(profile.search_ca))
    headers = sign_request(
        profile.load_signing_key(),
        profile.key_id,
        "POST",
        profile.search_url + "/search",
        body,
        tag=SEARCH_TAG,
        content_type="application/json",
    ) | {"Host": urlsplit(profile.search_url).netloc}

    def sent_to(url: str) -> tuple[int, str]:
        where = urlsplit(url)
        with closing(HTTPSConnection(where.hostname or "", where.port, timeout=20, context=context)) as connection:
            connection.request("POST", "/search", body, headers)
            answer = connection.getresponse()
            return answer.status, json.load(answer).get("rule", "")

    with served(platform, "search-d") as other:
        assert sent_to(profile.search_url) == (200, "")
        assert sent_to(other) == (401, "request.replayed")
    # A process that starts knows what was answered before.
    with served(platform, "search-d") as other:
        assert sent_to(other) == (401, "request.replayed")


@contextmanager
def served(platform: Platform, name: str, **settings: str) -> Iterator[str]:
    """Another process of search, with settings of its own."""
    port = Ports(platform.home / "ports.json")[name]
    url, process = f"https://127.0.0.1:{port}", Process(platform.home, name, tied=True)
    given = {"HUEANDCRY_INSTANCE": name, "HUEANDCRY_SEARCH_PORT": str(port), **settings}
    command = [sys.executable, "-m", "hueandcry.cli", "serve", "search"]
    process.start(command, platform.cluster.env_for("search") | given, cwd=platform.home)
    try:
        wait_ready(process, url, platform.cluster.certificates.ca, seconds=90)
        yield url
    finally:
        process.stop()


def test_a_process_asks_the_one_that_has_the_partition(platform: Platform) -> None:
    records = [
        alert("fra-police", subject__vin__raw=new_vin(), subject__plate=plate_of(f"P{new_vin()[-7:]}"))
        for _ in range(8)
    ]
    platform.settled(*records)
    ca = str(platform.cluster.certificates.ca)
    last = len(platform.partitions["register"]) - 1
    ports = Ports(platform.home / "ports.json")
    urls = {name: f"https://127.0.0.1:{ports[name]}" for name in ("search-a", "search-b")}
    shares = {"search-a": "0", "search-b": f"1-{last}"}

    def settings(name: str, peer: str) -> dict[str, str]:
        return {
            "HUEANDCRY_SEARCH_PARTITIONS": shares[name],
            "HUEANDCRY_SEARCH_PEERS": f"{urls[peer]}={shares[peer]}",
            "HUEANDCRY_SEARCH_CA": ca,
        }

    with served(platform, "search-a", **settings("search-a", "search-b")):
        with served(platform, "search-b", **settings("search-b", "search-a")):
            for name in urls:
                profile = _at(platform, urls[name])
                with Search(profile) as search:
                    for record in records:
                        found = _patient(search, vin=record["subject"]["vin"]["raw"])
                        assert ids(found.exact) == [record["alert_id"]]
                    plates = [f"*{each['subject']['plate']['raw'][1:]}" for each in records]
                    proposed = [ids(_patient(search, plate={"raw": each}).proposed) for each in plates]
                    assert all(record["alert_id"] in found for record, found in zip(records, proposed, strict=True)), (
                        name
                    )
        # Without the peer there is no answer rather than half of one.
        with Search(_at(platform, urls["search-a"])) as search:
            refused = [_refused(search, record) for record in records]
    assert set(refused) <= {"replica", ""}
    assert "replica" in refused


def _patient(search: Search, **by: Any) -> Found:
    """An answer; a process that has just started, or its peer, may have none yet, and says so."""
    answers: list[Found] = []

    def answered() -> bool:
        with contextlib.suppress(SearchError):
            answers.append(search.ask("test of the platform", **by))
        return bool(answers)

    until(answered, SOON, f"an answer by {list(by)}", 0.5)
    return answers[0]


def _at(platform: Platform, url: str) -> Any:
    from dataclasses import replace

    return replace(platform.profile("ken-police"), search_url=url)


def _refused(search: Search, record: dict[str, Any]) -> str:
    try:
        search.ask("test of the platform", vin=record["subject"]["vin"]["raw"])
    except SearchError as error:
        return error.rule
    return ""


def test_without_kafka_nobody_is_answered(tmp_path: Path, platform: Platform) -> None:
    """Fail closed: what can't be logged is not told."""
    with served(platform, "search-c", HUEANDCRY_STATE_DIR=str(tmp_path)) as url, Search(_at(platform, url)) as search:
        assert search.ask("test of the platform", vin=new_vin()).exact == []
        platform.cluster.stop_broker()
        try:
            with pytest.raises(SearchError) as caught:
                search.ask("test of the platform", vin=new_vin())
            assert caught.value.rule in ("consultation", "replica")
        finally:
            platform.cluster.start_broker()
        until(lambda: _refused(search, alert("fra-police")) == "", 60, "an answer again")
