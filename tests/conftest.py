"""What all tests share: one real Kafka a session, closed to strangers as in use, and topics of one's own.

Nothing here touches a cluster that the environment names: the tests have their own.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic  # pyright: ignore[reportPrivateImportUsage]

from hueandcry.control.local import LocalCluster


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """The developer's own HUEANDCRY_* settings don't reach the tests; where fetched jars are kept, may."""
    taken = {name: os.environ.pop(name) for name in list(os.environ) if _is_ours(name)}
    yield
    os.environ.update(taken)


def _is_ours(name: str) -> bool:
    return name.startswith("HUEANDCRY_") and name != "HUEANDCRY_CACHE"


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """A Kafka alone (TLS, SCRAM, ACLs; no registry, no processors), for the session; each xdist worker has its own."""
    home = Path(tempfile.mkdtemp(prefix="hueandcry-test-"))
    running = LocalCluster(home, tied=True, quick_start=True)
    try:
        running.start_broker()
        yield running
    finally:
        running.down()
        if os.environ.get("HUEANDCRY_KEEP_TEST_HOME") is None:
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def operator_config(cluster: LocalCluster) -> dict[str, Any]:
    """librdkafka's configuration of the operator; a copy, to be changed at will."""
    return dict(cluster.client_config())


@pytest.fixture
def fresh_topic(cluster: LocalCluster) -> Iterator[Callable[..., str]]:
    """Makes topics with names of their own: `fresh_topic(partitions=3, name="alerts", **config)` -> name.

    They are deleted after the test. Keys of `config` are Kafka's topic settings with _ for a dot.
    """
    admin = AdminClient(cluster.client_config())
    made: list[str] = []
    numbers = itertools.count()

    def make(partitions: int = 1, name: str = "test", **config: str | int) -> str:
        topic = f"{name}-{uuid.uuid4().hex[:10]}-{next(numbers)}"
        settings = {key.replace("_", "."): str(value) for key, value in config.items()}
        wanted = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=settings)
        admin.create_topics([wanted])[topic].result(timeout=20)
        made.append(topic)
        return topic

    yield make
    if made and cluster.broker.process.pid is not None:
        for done in admin.delete_topics(made).values():
            done.exception(timeout=20)
