"""The distribute process."""

from __future__ import annotations

import time

from hueandcry.control.feed import NetworkFeed
from hueandcry.distribute.post import CLAIMS
from hueandcry.distribute.stage import ADMITTED, Distribute
from hueandcry.errors import NetworkError
from hueandcry.lanes.app import lane_app
from hueandcry.lanes.lane import Lane
from hueandcry.lanes.worker import run
from hueandcry.ledger.records import TOPIC as LEDGER
from hueandcry.settings import Settings
from hueandcry.wire.codec import SchemaIds
from hueandcry.wire.kafka import client_config, partitions_of, producer_config, registry_client

NAME = "hc-distribute"
REGISTER = "register"


def serve(settings: Settings) -> None:
    """Run distribute until it is told to stop; does not return.

    Raises:
        HueAndCryError: a setting, the registry, the network or a topic is not there.
    """
    settings.require("registry_url")
    partitions = _partitions(settings)
    feed = NetworkFeed(client_config(settings))
    feed.start()
    stage = Distribute(
        network=lambda: feed.current,
        schemas=SchemaIds(registry_client(settings)),
        partitions=partitions,
        now_ms=lambda: time.time_ns() // 1_000_000,
        confirm_within_ms={
            "urgent": settings.confirm_urgent_seconds * 1000,
            "routine": settings.confirm_routine_seconds * 1000,
        },
    )
    app = lane_app("distribute", settings)
    lane = Lane(
        app,
        name=NAME,
        topics=[ADMITTED, CLAIMS],
        changelog=REGISTER,
        stage=stage,
        timed=stage,
        consumer=client_config(settings),
        producer=producer_config(settings),
        state_dir=settings.state_dir,
        instance=settings.instance,
    )
    run(app, lane)


def _partitions(settings: Settings) -> int:
    """Number of partitions that the three topics share. The ledger is another matter, but must be there, too."""
    partitions_of(settings, LEDGER)
    counts = partitions_of(settings, ADMITTED, CLAIMS, REGISTER)
    if len(set(counts.values())) != 1:
        said = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise NetworkError(
            f"admitted, claims and register must have the same number of partitions: {said}",
            hint="Run `hueandcry network apply`",
        )
    return next(iter(counts.values()))
