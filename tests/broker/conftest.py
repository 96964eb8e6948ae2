"""The whole platform, started once for all tests that use it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.on_platform import TOPICS, Platform
from hueandcry.control.local import LocalCluster


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """Kafka, registry, the network of topics/, admit and distribute, for the session."""
    home = Path(tempfile.mkdtemp(prefix="hueandcry-platform-"))
    running = LocalCluster(home, network_dir=TOPICS, tied=True)
    try:
        running.up()
        whole = Platform(running)
        yield whole
        whole.close()
    finally:
        running.down()
        if os.environ.get("HUEANDCRY_KEEP_TEST_HOME") is None:
            shutil.rmtree(home, ignore_errors=True)
