"""A real Prometheus for tests."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from broker.lane_process import until
from hueandcry.control.local.ports import LOOPBACK, Ports


class Prometheus:
    """One that runs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, expr: str) -> list[dict[str, Any]]:
        """The series of an instant query that have a value."""
        found = self._get("query", query=expr)["result"]
        return [each for each in found if each["value"][1] != "NaN"]

    def firing(self) -> set[str]:
        """Names of the alerts that are raised."""
        return {each["labels"]["alertname"] for each in self._get("alerts")["alerts"] if each["state"] == "firing"}

    def targets(self) -> dict[str, str]:
        """Health of what is scraped, by job."""
        return {each["labels"]["job"]: each["health"] for each in self._get("targets")["activeTargets"]}

    def _get(self, what: str, **parameters: str) -> Any:
        url = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]


@contextmanager
def scraping(home: Path, folder: Path, rules: Mapping[str, Any]) -> Iterator[Prometheus]:
    """A Prometheus with the configuration that the local set-up has written, every second, and these rules."""
    config = yaml.safe_load((home / "prometheus/prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    (folder / "rules.yaml").write_text(yaml.safe_dump(dict(rules)), "utf-8")
    config["rule_files"] = [str(folder / "rules.yaml")]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
    address = f"{LOOPBACK}:{Ports(folder / 'ports.json')['prometheus']}"
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            running = Prometheus(f"http://{address}")

            def ready() -> bool:
                assert process.poll() is None, (folder / "prometheus.log").read_text()
                try:
                    return bool(running.targets())
                except OSError:
                    return False

            until(ready, 60, "Prometheus")
            yield running
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(20)
