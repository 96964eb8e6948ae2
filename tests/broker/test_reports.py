"""From a hit to its confirmation over the real platform, by the commands and the SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from broker.lane_process import until
from broker.on_platform import OPERATOR, TOPICS, Platform, Wire, alert, next_version
from factories import MINUTE_MS
from hueandcry import Notices, Reports, Subscriber
from hueandcry.alerts.ids import report_id
from hueandcry.control.doctor.balance import balance
from hueandcry.control.network import load_network
from hueandcry.receipts import REFUSAL_HEADER
from hueandcry.sdk.delivery import Delivery
from hueandcry.wire.codec import decode, encode
from hueandcry.wire.framing import frame, unframe
from hueandcry.wire.proof import Verifier, leaf_hash, proof_of
from hueandcry.wire.schemas import schema

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


def command(platform: Platform, *arguments: str, expect: int = 0) -> list[dict[str, Any]]:
    """Run `hueandcry …`; its JSON lines."""
    line = [sys.executable, "-m", "hueandcry.cli", *arguments, "--home", str(platform.home), "--output", "json"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == expect, (arguments, done.stdout, done.stderr)
    return [json.loads(each) for each in done.stdout.splitlines()]


def notices(platform: Platform) -> dict[str, list[dict[str, Any]]]:
    """By agency, all notices that there are."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for topic in (name for name in platform.partitions if name.startswith("notices.")):
        for message in platform.read(topic):
            found[topic.partition(".")[2]].append(decode("hueandcry.Notice", unframe(message.value())[1]))
    return found


def about(platform: Platform, alert_id: str) -> dict[str, list[str]]:
    """By agency, the types of its notices on an alert."""
    found: dict[str, list[str]] = defaultdict(list)
    for agency, all_of_it in notices(platform).items():
        for each in all_of_it:
            if each["alert_id"] == alert_id:
                found[agency].append(each["type"])
    return dict(found)


def delivery_to(platform: Platform, agency: str, alert_id: str) -> Delivery:
    with Subscriber.for_agency(agency, home=platform.home, name=None, from_="beginning", timeout=30) as inbox:
        return next(each for each in inbox if each.alert_id == alert_id)


def receipts_of(platform: Platform, agency: str) -> list[dict[str, Any]]:
    read = [decode("hueandcry.Receipt", unframe(each.value())[1]) for each in platform.read(f"receipts.{agency}")]
    return [each for each in read if each["source"]["topic"].startswith("hits.")]


def test_from_a_hit_to_its_confirmation_by_the_commands(platform: Platform) -> None:
    record = alert("deu-vehicles")
    platform.settled(record)
    place = ["--place-state", "KEN", "--place-locality", "an invented road"]
    options = ["--as", "ken-police", "--type", "hit", "--urgent", "--words", "stopped", *place, "--wait-receipt"]
    (hit,) = command(platform, "report", record["alert_id"], *options)
    assert (hit["receipt"]["outcome"], hit["receipt"]["report_id"]) == ("delivered", hit["report_id"])
    follow = ["--notices", "--from", "beginning", "--until-eos"]
    (asked,) = [
        each
        for each in command(platform, "tail", "--as", "deu-vehicles", *follow)
        if each["report_id"] == hit["report_id"]
    ]
    assert (asked["type"], asked["report"]["reporter"], asked["report"]["words"]) == ("report", "ken-police", "stopped")
    assert asked["report"]["place"]["locality"] == "an invented road"
    assert asked["due_at"] is not None
    answer = ["--as", "deu-vehicles", "--answer", hit["report_id"], "--type", "confirm", "--wait-receipt"]
    command(platform, "report", *answer)
    (answered,) = [
        each
        for each in command(platform, "tail", "--as", "ken-police", *follow)
        if each["report_id"] == hit["report_id"]
    ]
    assert (answered["type"], answered["report"]["type"]) == ("answer", "confirm")
    (again,) = command(platform, "report", *answer, expect=1)
    assert [each["rule"] for each in again["receipt"]["remarks"]] == ["report.nothing_open"]
    command(platform, "report", *answer[:3], hit["report_id"], "--type", "clear", "--wait-receipt")
    assert about(platform, record["alert_id"]) == {"deu-vehicles": ["report"], "ken-police": ["answer", "answer"]}


def test_the_issuer_can_verify_what_was_reported(platform: Platform) -> None:
    record = alert("deu-vehicles")
    platform.settled(record)
    delivery = delivery_to(platform, "ken-police", record["alert_id"])
    assert delivery.home >= 0
    with (
        Notices.for_agency("deu-vehicles", home=platform.home, name=None, from_="latest", timeout=30) as stream,
        Reports.for_agency("ken-police", platform.home) as reports,
    ):
        sent = reports.hit(delivery, words="found")
        notice = next(each for each in stream if each.report_id == sent.report_id)
    assert notice.report is not None
    keys = load_network(TOPICS, platform.home / "network").network.keys
    leaf = leaf_hash(schema("Report").fingerprint, encode("hueandcry.Report", notice.report))
    assert Verifier(keys.get).verify(proof_of(notice.headers), leaf, notice.place.timestamp).agency == "ken-police"


def test_a_hit_on_a_covert_alert_leaves_no_trace_but_with_its_issuer(platform: Platform) -> None:
    record = alert("deu-vehicles", category="discreet_check", action="check_discreetly")
    platform.settled(record)
    before = platform.told(record)
    with Reports.for_agency("ken-police", platform.home) as reports:
        sent = reports.report({"type": "hit", "alert_id": record["alert_id"], "urgency": "urgent"})
    until(lambda: about(platform, record["alert_id"]), 30, "the issuer is told")
    assert about(platform, record["alert_id"]) == {"deu-vehicles": ["report"]}
    platform.catch_up()
    assert platform.told(record) == before
    for name in platform.partitions:
        if name.startswith(("inbox.", "receipts.", "notices.")) and name not in (
            "notices.deu-vehicles",
            "receipts.ken-police",
        ):
            assert all(sent.report_id.encode() not in (each.value() or b"") for each in platform.read(name)), name


def test_who_does_not_hold_it_is_refused_in_the_same_words_as_for_one_that_is_not_there(platform: Platform) -> None:
    record = alert("deu-vehicles", excluded=["KEN"])
    platform.settled(record)
    with Reports.for_agency("ken-police", platform.home) as reports:
        ids = [
            reports.report({"type": "hit", "alert_id": which}).report_id
            for which in (record["alert_id"], alert("deu-vehicles")["alert_id"])
        ]

    def ended() -> list[dict[str, Any]]:
        return [each for each in receipts_of(platform, "ken-police") if each["report_id"] in ids]

    until(lambda: len(ended()) == 2, 30, "both have a receipt")
    one, other = ({**each["remarks"][0], "outcome": each["outcome"], "to": each["delivered_to"]} for each in ended())
    assert one == other
    assert (one["rule"], one["outcome"]) == ("report.not_held", "refused")
    assert about(platform, record["alert_id"]) == {}


def test_what_is_not_a_sound_report_of_its_signer_is_refused_and_kept(platform: Platform) -> None:
    record = alert("deu-vehicles")
    platform.settled(record)
    sound = {
        **{"report_id": report_id("ken-police", "R-1"), "type": "hit", "reporter": "ken-police", "reference": "R-1"},
        **{"reporter_state": "KEN", "alert_id": record["alert_id"], "at": record["issued_at"]},
    }
    ids = platform.ids.id_of("hueandcry.Report")

    def signed(said: dict[str, Any], signer: str = "ken-police") -> Wire:
        body = encode("hueandcry.Report", said)
        return Wire("hits.africa", frame(ids, body), b"x", platform.sign(signer, [body], "Report")[0])

    as_alert = platform.wires(record)[0]
    cases = {
        "reporter.signer": signed(sound, "nor-border"),
        "proof.missing": signed(sound)._replace(headers=[]),
        "proof.path": signed(sound)._replace(value=signed({**sound, "words": "changed"}).value),
        "time.clock": signed({**sound, "at": record["issued_at"] + 60 * MINUTE_MS}),
        "report_id.derived": signed({**sound, "reference": "R-2"}),
        "wire.decode": Wire("hits.africa", as_alert.value, b"x", as_alert.headers),
        "reporter.region": signed(sound)._replace(topic="hits.europe"),
    }
    places = platform.write(OPERATOR, cases.values())

    def kept() -> dict[Any, set[str]]:
        found: dict[Any, set[str]] = {}
        for message in platform.read("quarantine.africa", "quarantine.europe"):
            (header,) = (value for name, value in message.headers() or () if name == REFUSAL_HEADER)
            refusal = decode("Refusal", unframe(header)[1])  # type: ignore[arg-type]
            source = refusal["source"]
            found[source["topic"], source["partition"], source["offset"]] = {r["rule"] for r in refusal["remarks"]}
        return found

    until(lambda: set(places) <= kept().keys(), 30, "all are refused")
    for (rule, _), place in zip(cases.items(), places, strict=True):
        assert any(each.startswith(rule) for each in kept()[place]), (rule, kept()[place])
    assert about(platform, record["alert_id"]) == {}


@pytest.fixture
def hurried(platform: Platform) -> Iterator[Platform]:
    """The platform with issuers who have two seconds to confirm an urgent hit."""
    process = platform.cluster.process("distribute")
    line = [sys.executable, "-m", "hueandcry.cli", "serve", "distribute"]
    env = platform.cluster.env_for("distribute")
    process.kill()
    process.start(line, {**env, "HUEANDCRY_CONFIRM_URGENT_SECONDS": "2"}, cwd=platform.home)
    until(platform.both_ready, 60, "distribute is back")
    yield platform
    process.kill()
    platform.launch("distribute")
    until(platform.both_ready, 60, "distribute is back")


def test_time_passes_on_an_idle_platform_too(hurried: Platform) -> None:
    record = alert("fra-police")
    hurried.settled(record)
    with Reports.for_agency("ken-police", hurried.home) as reports:
        sent = reports.report({"type": "hit", "alert_id": record["alert_id"], "urgency": "urgent"})
        until(lambda: "ken-police" in about(hurried, record["alert_id"]), 60, "the hit is escalated")
    # fra-police is the bureau of its state itself.
    assert about(hurried, record["alert_id"]) == {
        "fra-police": ["report", "second_request", "escalated"],
        "ken-police": ["escalated"],
    }
    with Reports.for_agency("fra-police", hurried.home) as reports:
        reports.report({"type": "reject", "alert_id": record["alert_id"], "answers": sent.report_id})
    until(lambda: about(hurried, record["alert_id"])["ken-police"] == ["escalated", "answer"], 30, "it is answered")


def test_a_flag_reaches_its_state_and_later_versions_carry_it(platform: Platform) -> None:
    record = alert("deu-vehicles")
    platform.settled(record)
    with Reports.for_agency("ken-police", platform.home) as reports:
        reports.report({"type": "flag", "alert_id": record["alert_id"], "reason": "invented law"})

    def seen() -> dict[str, list[tuple[int, bool]]]:
        platform.catch_up()
        found: dict[str, list[tuple[int, bool]]] = defaultdict(list)
        for agency, delivery in platform.deliveries(record["alert_id"]):
            found[agency].append((delivery["version"], delivery["suspended"]))
        return found

    until(lambda: len(seen()["ken-police"]) == 2, 30, "the flag has arrived")
    platform.settled(next_version(record))
    got = seen()
    assert got.pop("ken-police") == [(1, False), (1, True), (2, True)]
    assert all(each == [(1, False), (2, False)] for each in got.values())
    (last,) = [d for _, d in platform.deliveries(record["alert_id"], "ken-police") if d["version"] == 2]
    assert "invented law" in last["reason"]


def test_reports_are_accounted_for(platform: Platform) -> None:
    regions = [name.partition(".")[2] for name in platform.partitions if name.startswith("hits.")]

    def settled() -> bool:
        taken = balance(platform.cluster.client_config(), regions)
        return taken.reports is not None and not taken.faults and not taken.reports.waiting

    until(settled, 60, "the balance holds")
    taken = balance(platform.cluster.client_config(), regions)
    assert taken.reports is not None
    written = sum(len(platform.read(f"hits.{region}")) for region in regions)
    assert taken.reports.came_in == taken.reports.accounted == written > 0
    platform.assert_balance()
