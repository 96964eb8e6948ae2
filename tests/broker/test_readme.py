"""What the README shows is run as it stands, against the whole platform; what it says comes out, comes out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from broker.lane_process import until
from broker.on_platform import Platform, alert
from hueandcry import Receipts

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]
README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_TIME = re.compile(r"\b\d\d:\d\d:\d\d\b")


def section(heading: str) -> list[tuple[str, str]]:
    """Language and text of the blocks under a heading."""
    return _FENCE.findall(README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0])


def shell(script: str, platform: Platform, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it as a reader would, with the platform's home in place of ./.hueandcry."""
    (folder / ".hueandcry").symlink_to(platform.home)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-u", "-c", script],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "100"},
    )


def plain(text: str) -> list[str]:
    """Lines with every run of blanks made one, and times of day left out."""
    return [" ".join(_TIME.sub("T", line).split()) for line in text.splitlines()]


def test_the_first_alert_comes_as_shown(platform: Platform, tmp_path: Path) -> None:
    pairs = [(one, two) for (kind, one), (after, two) in pairwise(section("The first alert in five minutes"))
             if (kind, after) == ("sh", "text")]  # fmt: skip
    assert len(pairs) == 3
    for number, (script, expected) in enumerate(pairs):
        folder = tmp_path / str(number)
        folder.mkdir()
        done = shell(script, platform, folder)
        came = plain(done.stdout)
        missing = [line for line in plain(expected) if line not in came]
        assert missing == [], f"{script}\n{done.stdout}\n{done.stderr}"


def test_python_publishes_and_receives(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUEANDCRY_HOME", str(platform.home))
    publish, subscribe = [block for kind, block in section("From Python") if kind == "python"]
    with Receipts.for_agency("deu-vehicles", name=None, from_="latest") as receipts:
        variables: dict[str, object] = {}
        exec(compile(publish, "README.md", "exec"), variables)
        receipt = receipts.take(60)
    assert receipt is not None
    # A second run of the README's alert in one session is known to be a repeat.
    assert receipt.outcome in ("delivered", "merged")

    def came() -> bool:
        exec(compile(subscribe, "README.md", "exec"), {})
        return f"issued {receipt.alert_id}" in capsys.readouterr().out

    until(came, 60, "the delivery")


def kcat_can_log_in() -> bool:
    """Whether there is one with a librdkafka that Kafka 4 lets in, as `make kcat` gets it."""
    if shutil.which("kcat") is None:
        return False
    told = subprocess.run(["kcat", "-V"], capture_output=True, text=True).stdout
    version = re.search(r"librdkafka (\d+)\.(\d+)\.(\d+)", told)
    return version is not None and tuple(map(int, version.groups())) >= (2, 6, 1)


@pytest.mark.skipif(not kcat_can_log_in(), reason="no kcat that can log in to Kafka 4: `make kcat` gets one")
def test_kcat_shows_ids_and_sizes(platform: Platform, tmp_path: Path) -> None:
    sent = alert("deu-vehicles")
    assert [receipt["outcome"] for receipt in platform.settled(sent)] == ["delivered"]
    (script,) = [block for kind, block in section("With plain kcat") if kind == "sh"]
    script = script.replace("make kcat\n", "").replace(".hueandcry/tools/bin/kcat", "kcat")
    done = shell(script, platform, tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(rf"^{sent['alert_id']} \d+ bytes$", done.stdout, re.M)
