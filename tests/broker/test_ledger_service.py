"""The ledger over the real platform: what is in it, who gets a proof of what, and what an operator can't do unseen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from broker.lane_process import until
from broker.on_platform import TOPICS, Platform, alert, new_vin, next_version
from hueandcry.control.local import LocalCluster
from hueandcry.errors import ProofError
from hueandcry.ledger.checkpoints import Checkpoint
from hueandcry.sdk.ledger import Entry, Ledger, Proofs, batches, entries, ledger_key
from hueandcry.sdk.search import Search

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
SOON = 60.0


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """A platform of its own, in whose log is only what these tests do."""
    with tempfile.TemporaryDirectory(prefix="hueandcry-ledger-") as home:
        running = LocalCluster(Path(home), network_dir=TOPICS, tied=True)
        try:
            running.up()
            whole = Platform(running)
            yield whole
            whole.close()
        finally:
            running.down()


def run(platform: Platform, *arguments: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hueandcry.cli", *arguments]
    env = {**os.environ, "HUEANDCRY_HOME": str(home or platform.home)}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=env)


class _Quiet:
    def __call__(self, label: str, total: int | None = None) -> _Quiet:
        return self

    def __enter__(self) -> _Quiet:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def advance(self, by: int = 1) -> None:
        pass


def log_of(platform: Platform, *ids: str) -> list[Entry]:
    """The records on these alerts, searches or receipts, in the order of the log."""
    found = entries(batches(platform.operator, _Quiet()))
    return [each for each in found if each.record and {each.record["alert_id"], each.record["ref"]} & set(ids)]


def said(entry: Entry) -> tuple[Any, ...]:
    record = entry.record or {}
    return tuple(record[name] for name in ("type", "what", "by", "to", "version", "form"))


def proofs(platform: Platform, agency: str, wanted: str, count: int) -> Proofs:
    """Proofs, once there are so many."""
    with Ledger(platform.profile(agency)) as ledger:
        got: list[Proofs] = []

        def there() -> bool:
            got[:] = [ledger.proofs(wanted)]
            return len(got[0].proofs) >= count and not got[0].pending

        until(there, SOON, f"{count} proofs for {agency}")
        return got[0]


def test_the_life_of_an_alert_is_in_the_log(platform: Platform) -> None:
    record = alert("fra-police", releasable_to=["ken-police", "deu-vehicles"])
    platform.settled(record)
    again = next_version(record, releasable_to=["ken-police"])
    platform.settled(again)
    platform.settled(next_version(again, "withdraw"))
    platform.settled(next_version(again, version=2))
    found = [said(each) for each in log_of(platform, record["alert_id"])]
    assert sorted(found, key=str) == sorted(
        [
            ("collected", "issue", "fra-police", None, 1, ""),
            ("disclosed", "issued", "fra-police", "deu-vehicles", 1, "original"),
            ("disclosed", "issued", "fra-police", "ken-police", 1, "original"),
            ("altered", "update", "fra-police", None, 2, ""),
            ("disclosed", "recalled", "fra-police", "deu-vehicles", 2, "none"),
            ("disclosed", "updated", "fra-police", "ken-police", 2, "original"),
            ("altered", "withdraw", "fra-police", None, 3, ""),
            ("disclosed", "withdrawn", "fra-police", "ken-police", 3, "original"),
            ("refused", "update", "fra-police", None, 2, ""),
        ],
        key=str,
    )
    # Each delivery is in the log, and each record on a delivery is of one that was made.
    for agency, delivery in platform.deliveries(record["alert_id"]):
        assert any(
            each.record and (each.record["ref"], each.record["to"]) == (delivery["delivery_id"], agency)
            for each in log_of(platform, record["alert_id"])
        )


def test_no_personal_data_is_in_the_log(platform: Platform) -> None:
    vin = new_vin()
    record = alert("fra-police", subject__vin__raw=vin)
    person = alert("fra-police", "wanted_person")
    platform.settled(record, person)
    whole = b"".join(message.value() or b"" for message in platform.read("ledger"))
    name = person["subject"]["identities"][0]["family"]
    for text in (vin, name, record["national_reference"], person["subject"]["documents"][0]["number"]):
        assert text.encode() not in whole
    assert record["alert_id"].encode() in whole


def test_each_gets_proofs_of_its_own(platform: Platform, tmp_path: Path) -> None:
    record = alert("fra-police", releasable_to=["ken-police", "deu-vehicles"])
    platform.settled(record)
    mine = proofs(platform, "ken-police", record["alert_id"], 1)
    key = ledger_key(platform.profile("ken-police"))
    shown = [proof.check([key])[1] or {} for proof in mine.proofs]
    assert {each["to"] for each in shown} == {"ken-police"}
    # The issuer proves what it did, not who got it.
    issuers = proofs(platform, "fra-police", record["alert_id"], 1)
    assert {(each.check([key])[1] or {})["type"] for each in issuers.proofs} == {"collected"}
    # Who had nothing to do with it gets nothing.
    assert proofs(platform, "bra-federal", record["alert_id"], 0).proofs == []
    # On the command line, verified without a connection, and not by another key.
    file = tmp_path / "mine.tlog-proof"
    done = run(platform, "ledger", "prove", record["alert_id"], "--agency", "ken-police", "--out", str(file))
    assert done.returncode == 0, done.stderr
    assert run(platform, "ledger", "check", str(file), "--key", str(key), home=tmp_path).returncode == 0
    text = file.read_text()
    file.write_text(text.replace("\nindex ", "\nindex 1"))
    assert run(platform, "ledger", "check", str(file), "--key", str(key), home=tmp_path).returncode == 3
    assert run(platform, "ledger", "prove", record["alert_id"], "--agency", "nzl-police").returncode == 3


def test_a_search_is_in_the_log(platform: Platform) -> None:
    record = alert("fra-police", subject__vin__raw=new_vin())
    platform.settled(record)
    with Search(platform.profile("ken-police")) as search:
        got: list[Any] = []

        def found() -> bool:
            got[:] = [search.ask("a test of the ledger", vin=record["subject"]["vin"]["raw"])]
            return bool(got[0].exact)

        until(found, SOON, "the alert in search")
    consultation = got[0].consultation_id
    kinds = [(each.record or {})["type"] for each in log_of(platform, consultation)]
    assert kinds == ["consulted", "disclosed"]
    proof = proofs(platform, "ken-police", consultation, 1)
    assert len(proof.proofs) == 1


def test_what_nobody_signed_is_refused_and_logged(platform: Platform) -> None:
    record = alert("fra-police")
    (wire,) = platform.wires(record)
    (place,) = platform.write("fra-police", [wire._replace(headers=())])
    platform.wait_ended([place])
    refused = [
        each.record
        for each in entries(batches(platform.operator, _Quiet()))
        if each.record and each.record["rule"] == "proof.missing"
    ]
    assert refused
    assert refused[-1]["by"] == "unverified"
    assert refused[-1]["alert_id"] is None


def test_all_verifies_and_a_copy_that_was_changed_does_not(platform: Platform, tmp_path: Path) -> None:
    platform.settled(*(alert("fra-police") for _ in range(20)))
    proofs(platform, "fra-police", platform_last(platform), 1)
    dump, kept = tmp_path / "log.hex", tmp_path / "kept"
    assert run(platform, "ledger", "dump", str(dump)).returncode == 0
    done = run(platform, "ledger", "verify", "--output", "json", "--save", str(kept))
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert result["faults"] == []
    assert result["verified"] > 0
    assert run(platform, "ledger", "verify", "--as", "ken-police", "--checkpoint", str(kept)).returncode == 0
    lines = dump.read_text().splitlines()
    changed = tmp_path / "changed.hex"
    middle = bytearray.fromhex(lines[1])
    middle[-2] ^= 1
    changed.write_text("\n".join([lines[0], middle.hex(), *lines[2:]]) + "\n")
    done = run(platform, "ledger", "verify", "--dump", str(changed), "--against", str(dump), "--output", "json")
    assert done.returncode == 3
    (fault,) = json.loads(done.stdout)["faults"]
    assert fault["what"] == "changed"
    assert fault["first"] == fault["last"]
    for tampered in ([*lines[1:]], [lines[1], lines[0], *lines[2:]], [lines[0], *lines]):
        changed.write_text("\n".join(tampered) + "\n")
        assert run(platform, "ledger", "verify", "--dump", str(changed)).returncode == 3


def platform_last(platform: Platform) -> str:
    """Id of the alert of the last record that has one."""
    found = [each.record["alert_id"] for each in entries(batches(platform.operator, _Quiet())) if each.record]
    return next(each for each in reversed(found) if each)


def test_who_may_read_what(platform: Platform) -> None:
    """Every agency reads the checkpoints; of the log itself an agency does not even hear."""
    topics = AdminClient(platform.cluster.client_config("ken-police")).list_topics(timeout=20).topics
    assert "checkpoints" in topics
    assert "ledger" not in topics


def test_the_log_of_today_goes_on_from_what_was_kept(platform: Platform) -> None:
    record = alert("fra-police", releasable_to=["ken-police"])
    platform.settled(record)
    (proof, *_) = proofs(platform, "ken-police", record["alert_id"], 1).proofs
    profile = platform.profile("ken-police")
    before, _ = proof.check([ledger_key(profile)])
    with Ledger(profile) as ledger:
        assert ledger.goes_on_from(before)[0].size >= before.size
        with pytest.raises(ProofError):
            ledger.goes_on_from(Checkpoint(before.origin, before.size, b"\x00" * 32))
