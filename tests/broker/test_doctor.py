"""The doctor on a whole platform: it finds nothing where nothing is wrong, and what is broken where it is."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # pyright: ignore[reportPrivateImportUsage]
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hueandcry.cli import main
from hueandcry.control.doctor import Finding, agency_checks, examine, operator_checks
from hueandcry.control.doctor.balance import balance
from hueandcry.control.local import LocalCluster

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
TOPICS = Path(__file__).parents[2] / "topics"
#: So much that a busy machine does not make a check late; what takes how long is not the matter here.
_TOTAL_S = 120.0


@pytest.fixture(scope="module")
def whole() -> Iterator[LocalCluster]:
    """A platform of these tests' own, since they break it."""
    home = Path(tempfile.mkdtemp(prefix="hueandcry-doctor-"))
    cluster = LocalCluster(home, network_dir=TOPICS, tied=True)
    try:
        cluster.up()
        yield cluster
    finally:
        cluster.down()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(autouse=True)
def _settings(whole: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUEANDCRY_HOME", str(whole.home))
    monkeypatch.setenv("HUEANDCRY_NETWORK_DIR", str(TOPICS))


def found(agency: str | None = None, home: Path | None = None) -> dict[str, Finding]:
    checks = operator_checks() if agency is None else agency_checks(agency, home)
    patient = [check._replace(seconds=60.0) for check in checks]
    return {each.name: each for each in examine(patient, total=_TOTAL_S)}


def troubles(findings: dict[str, Finding]) -> dict[str, str]:
    return {name: each.state for name, each in findings.items() if each.state != "ok"}


def produce(cluster: LocalCluster, topic: str, value: bytes, key: bytes) -> None:
    producer = Producer(cluster.client_config())
    producer.produce(topic, value, key, partition=0)
    assert producer.flush(30) == 0


def test_nothing_is_wrong_with_a_new_platform(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--output", "json"])
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    wrong = [each for each in answer["checks"] if each["state"] == "wrong"]
    assert (wrong, answer["well"], ended.value.code) == ([], True, 0)
    names = {each["name"] for each in answer["checks"]}
    assert {"java", "tls", "login", "authorizer", "registry", "network", "admit", "distribute", "balance"} <= names


@pytest.mark.parametrize("agency", ["ken-police", "nor-border"])
def test_nothing_is_wrong_with_an_agency(agency: str) -> None:
    assert troubles(found(agency)) == {}


def test_a_refused_message_is_accounted_for(whole: LocalCluster) -> None:
    before = balance(whole.client_config(), ["africa"]).came_in
    produce(whole, "alerts.africa", b"not Avro", b"key")
    ends = time.monotonic() + 60
    while (taken := balance(whole.client_config(), ["africa"])).waiting and time.monotonic() < ends:
        pass  # each look asks Kafka, which takes its time
    assert (taken.faults, taken.came_in, taken.accounted) == ([], before + 1, before + 1)


def test_a_processor_that_is_down_and_what_waits_for_it(whole: LocalCluster) -> None:
    whole.stop_service("admit")
    try:
        produce(whole, "alerts.mena", b"waits", b"key")
        findings = found()
        assert findings["admit"].state == "wrong"
        assert findings["admit lag"].data["waiting"]["alerts.mena"] == 1
        assert findings["balance"].state == "ok"
        assert findings["balance"].data["balance"]["waiting"]["admit"] == 1
    finally:
        whole.start_service("admit")
    assert "admit" not in troubles(found())


def test_a_wrong_password(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("HUEANDCRY_PASSWORD", "guess-4711")
    with pytest.raises(SystemExit) as ended:
        main(["doctor"])
    shown = capsys.readouterr().out
    assert ended.value.code == 1
    assert "✗ login" in shown
    assert "not asked, because of login" in shown
    assert "guess-4711" not in shown


def test_a_certificate_of_another_authority(
    whole: LocalCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    LocalCluster(tmp_path).certificates.ensure()
    monkeypatch.setenv("HUEANDCRY_CA", str(tmp_path / "tls" / "ca.pem"))
    findings = found()
    assert findings["tls"].state == "wrong"
    assert findings["balance"].says == "not asked, because of tls"


def test_kafka_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUEANDCRY_REGISTRY_URL", "https://127.0.0.1:9")
    monkeypatch.setenv("HUEANDCRY_BOOTSTRAP", "127.0.0.1:9")
    findings = found()
    assert findings["broker"].state == "wrong"
    assert findings["network"].says == "not asked, because of broker"


def test_the_cluster_is_not_what_the_network_says(whole: LocalCluster) -> None:
    admin = AdminClient(whole.client_config())
    admin.create_topics([NewTopic("inbox.left-over", 1, 1)])["inbox.left-over"].result(timeout=20)
    try:
        assert found()["network"].state == "warning"
    finally:
        admin.delete_topics(["inbox.left-over"])["inbox.left-over"].result(timeout=20)


def test_a_key_that_the_network_does_not_know(whole: LocalCluster, tmp_path: Path) -> None:
    shutil.copytree(whole.home / "agencies" / "ken-police", tmp_path / "agencies" / "ken-police")
    shutil.copytree(whole.home / "network", tmp_path / "network")
    own = tmp_path / "agencies" / "ken-police"
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (own / "signing.pem").write_bytes(pem)
    config = own / "config.toml"
    config.write_text(
        config.read_text("utf-8").replace(str(whole.home / "agencies"), str(tmp_path / "agencies")), "utf-8"
    )
    assert found("ken-police", tmp_path)["signing key"].says.endswith("is another key in the network")

    config.write_text(config.read_text("utf-8").replace('key_id = "ken-police.', 'key_id = "unknown.'), "utf-8")
    assert found("ken-police", tmp_path)["signing key"].state == "wrong"


def test_an_agency_with_the_login_of_another_can_not_read(whole: LocalCluster, tmp_path: Path) -> None:
    shutil.copytree(whole.home / "agencies" / "ken-police", tmp_path / "agencies" / "ken-police")
    other = (whole.home / "agencies" / "nor-border" / "auth.toml").read_text("utf-8")
    (tmp_path / "agencies" / "ken-police" / "auth.toml").write_text(other, "utf-8")
    assert found("ken-police", tmp_path)["topics"].state == "wrong"


def test_a_message_that_was_lost_is_missed(whole: LocalCluster) -> None:
    """Last of all: it spoils the count. Distribute says that it has taken one more than it was given."""
    assert found()["balance"].state == "ok"
    produce(whole, "register", b'{"read": 1, "delivered": 1}', b"tadmitted")
    missed = found()["balance"]
    assert missed.state == "wrong"
    assert "distribute read 1" in missed.says
