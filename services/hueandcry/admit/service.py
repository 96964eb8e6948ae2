"""The admit process."""

from __future__ import annotations

import time

from hueandcry.admit.stage import Admit
from hueandcry.control.feed import NetworkFeed
from hueandcry.lanes.app import lane_app
from hueandcry.lanes.lane import Lane
from hueandcry.lanes.worker import run
from hueandcry.ledger.records import TOPIC as LEDGER
from hueandcry.settings import Settings
from hueandcry.wire.codec import SchemaIds
from hueandcry.wire.kafka import client_config, partitions_of, producer_config, registry_client

NAME = "hc-admit"
CHANGELOG = "admit-changelog"
#: Every region's alerts and reports; a region that is added to the network is taken up without a restart.
TOPICS = r"^(alerts|hits)\.[a-z0-9-]+$"


def serve(settings: Settings) -> None:
    """Run admit until it is told to stop; does not return.

    Raises:
        HueAndCryError: a setting, the registry or the network is not there.
    """
    settings.require("registry_url", "identity_secret")
    feed = NetworkFeed(client_config(settings))
    feed.start()
    stage = Admit(
        network=lambda: feed.current,
        schemas=SchemaIds(registry_client(settings)),
        identity_secret=bytes.fromhex(settings.identity_secret.get_secret_value()),
        now_ms=lambda: time.time_ns() // 1_000_000,
        partitions=partitions_of(settings, "claims", LEDGER)["claims"],
    )
    app = lane_app("admit", settings)
    lane = Lane(
        app,
        name=NAME,
        topics=[TOPICS],
        changelog=CHANGELOG,
        stage=stage,
        consumer=client_config(settings),
        producer=producer_config(settings),
        state_dir=settings.state_dir,
        instance=settings.instance,
    )
    run(app, lane)
