"""What a Prometheus of the user's own is told, so that it scrapes the local set-up."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from hueandcry.control.local.services import Service


def write_scrape(home: Path, services: Iterable[Service], rules: Path) -> Path:
    """Write `prometheus/prometheus.yml` below the home, with the rules beside it where they are there.

    Args:
        services: whose /metrics are scraped, as jobs hueandcry-NAME.
        rules: the rule file; an installed package has none.
    """
    folder = home / "prometheus"
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
        "scrape_configs": [_job(service) for service in services],
    }
    if rules.is_file():
        config["rule_files"] = [str(rules)]
    path = folder / "prometheus.yml"
    path.write_text("# Written by `hueandcry local up`.\n" + yaml.safe_dump(config, sort_keys=False), "utf-8")
    return path


def _job(service: Service) -> dict[str, Any]:
    url = urlsplit(service.url)
    job: dict[str, Any] = {
        "job_name": f"hueandcry-{service.name}",
        "scheme": url.scheme,
        "static_configs": [{"targets": [url.netloc]}],
    }
    if service.ca is not None:
        job["tls_config"] = {"ca_file": str(service.ca)}
    return job
