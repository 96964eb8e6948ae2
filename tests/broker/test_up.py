"""`hueandcry local up`, `status` and `down`, as a user runs them, with everything that they start."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient

from hueandcry.control.local import LocalCluster

pytestmark = [pytest.mark.broker, pytest.mark.timeout(420)]
TOPICS = Path(__file__).parents[2] / "topics"
NAMES = ["broker", "registry", "admit", "distribute", "search", "gateway", "ledger", "watch"]


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`hueandcry local …` in a shell of its own."""
    return subprocess.run(
        [sys.executable, "-m", "hueandcry.cli", "local", *arguments, "--home", str(home)],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
        env={**os.environ, "HUEANDCRY_NETWORK_DIR": str(TOPICS)},
    )


def status(home: Path) -> dict[str, dict[str, Any]]:
    done = command(home, "status", "--output", "json")
    return {one["name"]: one for one in map(json.loads, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("up") / "home"
    try:
        done = command(folder, "up")
        assert done.returncode == 0, done.stderr
        yield folder
    finally:
        LocalCluster(folder).down()


def test_everything_runs_and_is_ready(home: Path) -> None:
    assert {name: one["ready"] for name, one in status(home).items()} == dict.fromkeys(NAMES, True)


def test_an_agency_sees_its_own_topics_only(home: Path) -> None:
    config = LocalCluster(home).client_config("fra-police")
    topics = set(AdminClient(config).list_topics(timeout=20).topics)
    mine = {"inbox.fra-police", "receipts.fra-police", "notices.fra-police", "checkpoints"}
    assert topics == {"alerts.europe", "hits.europe", *mine}


def test_every_agency_has_its_profile_and_its_secrets_for_itself(home: Path) -> None:
    agencies = sorted(path.stem for path in (TOPICS / "agencies").glob("*.yaml"))
    assert sorted(path.name for path in (home / "agencies").iterdir()) == agencies
    for agency in agencies:
        folder = home / "agencies" / agency
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) & 0o077 for path in folder.iterdir()}
        assert set(modes) == {"config.toml", "auth.toml", "signing.pem", "kcat.conf", "client.properties"}
        assert {name for name, open_to_others in modes.items() if open_to_others} <= {"config.toml"}
    keys = [(home / "agencies" / agency / "signing.pem").read_bytes() for agency in agencies]
    assert len(set(keys)) == len(agencies)


def test_a_second_up_changes_nothing_and_starts_only_what_is_missing(home: Path) -> None:
    before = status(home)
    key = (home / "agencies" / "fra-police" / "signing.pem").read_bytes()
    auth = (home / "agencies" / "fra-police" / "auth.toml").read_bytes()
    LocalCluster(home).stop_service("distribute")
    assert status(home)["distribute"]["pid"] is None

    assert command(home, "up").returncode == 0
    after = status(home)
    assert {name for name in NAMES if before[name]["pid"] != after[name]["pid"]} == {"distribute"}
    assert all(one["ready"] for one in after.values())
    assert [one["address"] for one in after.values()] == [one["address"] for one in before.values()]
    assert (home / "agencies" / "fra-police" / "signing.pem").read_bytes() == key
    assert (home / "agencies" / "fra-police" / "auth.toml").read_bytes() == auth


def test_down_stops_all_of_it_in_good_order_and_a_second_down_is_harmless(home: Path) -> None:
    assert command(home, "down").returncode == 0
    after = command(home, "status", "--output", "json")
    assert [json.loads(line)["pid"] for line in after.stdout.splitlines()] == [None] * len(NAMES)
    assert after.returncode == 3
    assert command(home, "down").returncode == 0


def test_what_does_not_come_up_is_told_and_leaves_nothing_behind(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = subprocess.run(
        [sys.executable, "-m", "hueandcry.cli", "local", "up", "--home", str(home)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PATH": str(tmp_path), "JAVA_HOME": ""},
    )
    assert done.returncode == 1
    assert "Java is missing" in done.stderr
    assert "Install a JDK of 17 or later" in done.stderr
    assert not list((home / "run").glob("*.pid"))
