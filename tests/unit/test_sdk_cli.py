"""The commands publish, tail and why without a broker: usage, dry runs, answers and exit codes."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from factories import NOW_MS, sound_vehicle
from hueandcry.alerts.reports import ReportType
from hueandcry.cli import main
from hueandcry.cli.distinguish import next_version
from hueandcry.cli.publish import _await as await_receipts  # pyright: ignore[reportPrivateUsage]
from hueandcry.cli.publish import _Tally as Tally  # pyright: ignore[reportPrivateUsage]
from hueandcry.cli.report import Kind
from hueandcry.cli.tail import notice_row
from hueandcry.cli.why import judge
from hueandcry.rights.network import Agency, Network, Region, Subscription
from hueandcry.sdk.delivery import Notice, Place, Receipt
from hueandcry.sdk.jsonable import jsonable
from hueandcry.sdk.register import Registered

ID = "67339fbc-6f29-418e-9e10-fd72281835b8"


def run(*arguments: str) -> int:
    """Exit code of a command."""
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    code = caught.value.code
    return code if isinstance(code, int) else 0


def vehicle(**changes: Any) -> dict[str, Any]:
    """A stolen car in the publisher's form, issued a moment ago."""
    alert = jsonable("hueandcry.Alert", sound_vehicle(**changes))
    del alert["issued_at"]
    return alert


@pytest.fixture
def alerts(tmp_path: Path) -> Path:
    """Three lines, the second of them bad in two ways."""
    lines = [
        vehicle(national_reference="A-1"),
        vehicle(national_reference="A-2") | {"tlp": "purple", "colour": "red"},
        vehicle(national_reference="A-3"),
    ]
    file = tmp_path / "alerts.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines) + "{\n")
    return file


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["publish", "none.jsonl", "--as", "fr-pn"], "is not a file"),
        (["publish", "-", "-", "--as", "fr-pn"], "give - once"),
        (["publish", "-", "--as", "fr-pn", "--format", "csv"], "give --mapping FILE"),
        (["publish", "-", "--as", "fr-pn", "--timeout", "0"], "--timeout"),
        (["publish", "-"], "--as"),
        (["report", "--as", "fr-pn", "--type", "hit"], "say which alert"),
        (["report", "x", "--as", "fr-pn", "--type", "confirm"], "--answer REPORT_ID goes with"),
        (["report", "x", "--as", "fr-pn", "--type", "hit", "--answer", "y"], "--answer REPORT_ID goes with"),
        (["report", "x", "--as", "fr-pn", "--type", "found"], "--type"),
        (["tail", "--as", "fr-pn", "--receipts", "--notices"], "ask for one"),
        (["tail"], "--as"),
        (["tail", "--as", "fr-pn", "--from", "yesterday"], "write beginning, latest"),
        (["tail", "--as", "fr-pn", "--limit", "0"], "--limit"),
        (["tail", "--as", "fr-pn", "--output", "xml"], "--output"),
        (["why", "42", "--agency", "fr-pn"], "not a UUID"),
        (["distinguish", "42", ID, "--as", "fr-pn", "--from", __file__], "ALERT is not a UUID"),
        (["distinguish", ID, ID, "--as", "fr-pn", "--from", __file__], "the same"),
        (["distinguish", ID, ID, "--as", "fr-pn", "--from", "none.jsonl"], "none.jsonl"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("command", [["publish", "FILE"], ["tail"], ["why", "67339fbc-6f29-418e-9e10-fd72281835b8"]])
def test_without_a_profile_the_error_says_what_to_do(
    command: list[str], alerts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    who = "--agency" if command[0] == "why" else "--as"
    arguments = [str(alerts) if each == "FILE" else each for each in command]
    assert run(*arguments, who, "fr-pn", "--home", str(tmp_path / "none")) == 1
    assert "make up" in capsys.readouterr().err


def test_a_dry_run_names_every_problem_with_its_line(
    alerts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("publish", str(alerts), "--as", "fr-pn", "--dry-run", "--output", "json", "--home", str(tmp_path)) == 1
    captured = capsys.readouterr()
    results = [json.loads(line) for line in captured.out.splitlines()]
    assert [each["place"] for each in results] == [f"{alerts}:2", f"{alerts}:4"]
    assert {(each["field"], each["rule"]) for each in results[0]["remarks"]} == {
        ("tlp", "enum.unknown"),
        ("colour", "field.unknown"),
    }
    assert f"{alerts}:2: tlp: " in captured.err
    assert "read 4" in captured.err
    assert "sound 2" in captured.err
    assert "purple" not in captured.err


def test_a_dry_run_of_sound_alerts_on_standard_input_ends_with_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.dumps(vehicle()).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert run("publish", "-", "--as", "fr-pn", "--dry-run", "--home", str(tmp_path)) == 0
    out = capsys.readouterr().out
    assert "not sound" in out
    assert out.split()[:2] == ["read", "1"]


def test_a_dry_run_finds_what_has_expired(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "old.jsonl"
    times = {"issued_at": "2020-01-01T00:00:00Z", "expires_at": "2020-02-01T00:00:00Z"}
    place = {"subject": vehicle()["subject"] | {"stolen_from": None, "stolen_until": None}}
    file.write_text(json.dumps(vehicle() | times | place | {"provenance": {"system": "X"}}))
    assert run("publish", str(file), "--as", "fr-pn", "--dry-run", "--home", str(tmp_path)) == 1
    assert f"{file}:1: expires_at" in capsys.readouterr().err


class Answers:
    """What lies in a receipts topic, by outcome; all on the message at one place."""

    def __init__(self, source: tuple[str, int, int], outcomes: list[str]) -> None:
        self.left = [
            Receipt("r", "a", 1, outcome, None, 0, [], source, None, Place("receipts.fr-pn", 0, number, 0), {})
            for number, outcome in enumerate(outcomes)
        ]

    def take(self, _timeout: float) -> Receipt | None:
        return self.left.pop(0) if self.left else None


@pytest.mark.parametrize(
    ("outcomes", "counted", "code"),
    [(["notice", "delivered"], {"delivered": 1}, 0), (["notice"], {}, 4), (["refused", "notice"], {"refused": 1}, 1)],
)
def test_a_notice_does_not_answer_a_message_that_waits_for_its_receipt(
    outcomes: list[str], counted: dict[str, int], code: int
) -> None:
    source = ("alerts.europe", 0, 7)
    tally = Tally(as_json=False, dry_run=False, awaited={source: "file:1"})
    await_receipts(Answers(source, outcomes), tally, 0.2)  # type: ignore[arg-type]
    assert (tally.outcomes, tally.exit_code()) == (counted, code)


# -- distinguish --------------------------------------------------------------------------------------------------


def test_an_update_says_that_an_alert_is_distinct_and_another_takes_it_back() -> None:
    first = vehicle(references=[{"alert_id": ID, "relation": "related"}])
    said = next_version(first, ID, distinct=True)
    assert (said["version"], said["message_type"]) == (2, "update")
    assert said["references"] == [*first["references"], {"alert_id": ID, "relation": "distinct_from"}]
    assert said["subject"] == first["subject"]
    assert next_version(said, ID, distinct=True)["references"] == said["references"]
    back = next_version(said, ID, distinct=False)
    assert (back["version"], back["references"]) == (3, first["references"])


def test_an_alert_that_is_not_in_the_file_is_not_distinguished(
    alerts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["distinguish", ID, ID.replace("6", "7"), "--as", "fr-pn", "--from", str(alerts)]
    assert run(*arguments, "--home", str(tmp_path)) == 1
    assert f"no alert {ID} of fr-pn" in capsys.readouterr().err


# -- why ----------------------------------------------------------------------------------------------------------


def _agency(name: str, state: str, **fields: Any) -> Agency:
    defaults: dict[str, Any] = {"jurisdictions": (state,), "clearance": "restricted", "kinds": ("stolen_vehicle",)}
    return Agency(id=name, name=name, state=state, region="europe", **(defaults | fields))


NETWORK = Network(
    regions={"europe": Region(id="europe", name="Europe", states=("FRA", "DEU", "NOR", "ITA"))},
    agencies={
        "fr-pn": _agency("fr-pn", "FRA"),
        "de-bka": _agency("de-bka", "DEU"),
        "no-kripos": _agency("no-kripos", "NOR"),
        "it-ps": _agency("it-ps", "ITA", kinds=("cyber",)),
    },
    subscriptions={f"{name}-all": Subscription(id=f"{name}-all", agency=name) for name in ("fr-pn", "de-bka", "it-ps")},
)


def _registered(**changes: Any) -> Registered:
    alert = sound_vehicle()
    names = ("alert_id", "version", "message_type", "status", "issuer", "issuing_state", "kind", "category", "action")
    names += ("issued_at", "circulation", "classification", "handling_code", "tlp", "releasable_to", "excluded")
    head = {name: alert[name] for name in names}
    head |= {"issuing_region": "europe", "effective_from": NOW_MS, "expires_at": NOW_MS, "offences": [], "rights": []}
    entry = {"head": head | changes.pop("head", {}), "state": "active", "cluster_id": alert["alert_id"], "sent": []}
    return Registered(entry | changes.pop("entry", {}), changes.pop("represented_by", {}))


@pytest.mark.parametrize(
    ("agency", "registered", "answer", "exit_code"),
    [
        ("de-bka", _registered(entry={"sent": [{"agency": "de-bka", "version": 1}]}), "received", 0),
        ("de-bka", _registered(represented_by={"de-bka": "another"}), "represented", 0),
        ("de-bka", _registered(), "entitled", 0),
        ("no-kripos", _registered(), "not_subscribed", 3),
        ("it-ps", _registered(), "not_entitled", 3),
        ("fr-pn", _registered(), "not_entitled", 3),
        ("de-bka", _registered(head={"excluded": ["DEU"]}), "not_entitled", 3),
        ("de-bka", _registered(head={"tlp": "red"}), "not_entitled", 3),
        ("de-bka", _registered(head={"tlp": "unknown"}), "not_entitled", 3),
    ],
)
def test_why_answers_by_what_was_sent_then_rights_then_subscriptions(
    agency: str, registered: Registered, answer: str, exit_code: int
) -> None:
    judged = judge(registered, agency, NETWORK)
    assert (judged.answer, judged.exit_code) == (answer, exit_code)
    assert all(verdict.passed for verdict in judged.rules) == (answer != "not_entitled")
    assert json.loads(json.dumps(judged.to_json()))["answer"] == answer


def test_the_command_knows_every_type_of_report() -> None:
    assert {kind.value for kind in Kind} == set(get_args(ReportType))


def test_a_notice_is_one_row_that_steers_no_terminal() -> None:
    words = "stopped \x1b[2J\nhere"
    record = {"type": "hit", "reporter": "ke-np", "words": words, "reason": None}
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    place = Place("notices.fr-pn", 0, 0, 0)
    row = notice_row(Notice("n", "report", "a", 1, "r", record, at, "confirm it", at, place, (), {})).plain
    assert row.isprintable()
    assert "ke-np" in row
    assert "stopped" in row


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "give exactly one of"),
        (["--vin", "V", "--plate", "P"], "give exactly one of"),
        (["--vin", "V", "--state", "FRA"], "--state says nothing"),
        (["--name", "N", "--type", "visa"], "--type says nothing"),
        (["--plate", "P", "--dob", "1984"], "--dob says nothing"),
    ],
)
def test_a_search_that_is_not_meant_so_is_wrong_usage(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("search", "--as", "fra-police", "--purpose", "a test", *arguments) == 2
    assert says in capsys.readouterr().err
