"""One process of the ledger: the log followed and signed, HTTPS served until it is told to stop."""

from __future__ import annotations

import contextlib
import threading
import time

import uvicorn

from hueandcry.control.feed import NetworkFeed
from hueandcry.errors import SettingsError
from hueandcry.ledger.api import Api
from hueandcry.ledger.checkpoints import TOPIC as CHECKPOINTS
from hueandcry.ledger.follow import Follower
from hueandcry.ledger.lookup import Lookup
from hueandcry.ledger.metrics import Metrics
from hueandcry.ledger.records import TOPIC as LEDGER
from hueandcry.ledger.settings import PREFIX, LedgerSettings
from hueandcry.listening import listening, note_stops
from hueandcry.settings import Settings
from hueandcry.wire.kafka import client_config, consumer_config, partitions_of, producer_config
from hueandcry.wire.requests import LEDGER_TAG, RequestVerifier

NAME = "hc-ledger"
_STOP_SECONDS = 3
_LOOK_SECONDS = 1.0


def serve(settings: LedgerSettings, common: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        settings: address, certificate, the log's name and key.
        common: the broker and our login there, the state's folder.

    Raises:
        HueAndCryError: a setting, the network or a topic is not there; or the log is not what was signed.
    """
    for path, name in ((settings.certificate, "CERTIFICATE"), (settings.key, "KEY")):
        if not path.is_file():
            raise SettingsError(f"{PREFIX}{name} names {path}, which is no file", hint="Name the file")
    signing_key = settings.load_signing_key()
    for topic, count in partitions_of(common, LEDGER, CHECKPOINTS).items():
        if count != 1:
            raise SettingsError(f"the topic {topic} has {count} partitions; its order is that of one")
    feed = NetworkFeed(client_config(common))
    feed.start()
    metrics = Metrics()
    with (
        listening(settings.host, settings.port, f"{PREFIX}PORT") as listener,
        contextlib.closing(Lookup(consumer_config(common, f"{NAME}.lookup", log_level=0))) as lookup,
        contextlib.closing(
            Follower(
                consumer_config(common, f"{NAME}.follower", log_level=0),
                producer_config(common),
                common.state_dir / f"{NAME}-{common.instance}",
                origin=settings.origin,
                signing_key=signing_key,
                every_seconds=settings.every_seconds,
                now_ms=lambda: time.time_ns() // 1_000_000,
                metrics=metrics,
            )
        ) as follower,
    ):
        metrics.follow(follower)
        api = Api(
            follower=follower,
            lookup=lookup,
            verifier=RequestVerifier(lambda key_id: feed.current.keys.get(key_id), tag=LEDGER_TAG),
            network=lambda: feed.current,
            metrics=metrics,
        )
        follower.start()
        config = uvicorn.Config(
            api.app(),
            ssl_certfile=settings.certificate,
            ssl_keyfile=str(settings.key),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_keep_alive=60,
            timeout_graceful_shutdown=_STOP_SECONDS,
            limit_concurrency=100,
            h11_max_incomplete_event_size=32 * 1024,
        )
        note_stops()
        server = uvicorn.Server(config)
        threading.Thread(target=_watch, args=(follower, server), name="watch", daemon=True).start()
        server.run([listener])
    if follower.failure is not None:
        raise follower.failure


def _watch(follower: Follower, server: uvicorn.Server) -> None:
    """End the server when the log can't be followed any more."""
    while not server.should_exit:
        if follower.failure is not None:
            server.should_exit = True
        time.sleep(_LOOK_SECONDS)
