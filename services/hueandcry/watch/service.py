"""One process of watch: a look every few seconds, /metrics and /ready over HTTP, until it is told to stop."""

from __future__ import annotations

import logging
import threading
import time
from urllib.parse import urlsplit

import uvicorn
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hueandcry.control.feed import NetworkFeed
from hueandcry.listening import listening, note_stops
from hueandcry.settings import PREFIX, Settings
from hueandcry.watch.certificates import expiries
from hueandcry.watch.cluster import look
from hueandcry.watch.measures import DATED, SIZED, Measures
from hueandcry.watch.settings import WatchSettings
from hueandcry.wire.kafka import client_config

log = logging.getLogger(__name__)

_STOP_SECONDS = 3


def serve(settings: WatchSettings, common: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        HueAndCryError: a setting or the network is not there.
    """
    feed = NetworkFeed(client_config(common))
    feed.start()
    measures = Measures()
    stop = threading.Event()
    looking = threading.Thread(target=_look_on, args=(settings, common, feed, measures, stop), name="look", daemon=True)
    with listening(common.web_host, common.web_port, f"{PREFIX}WEB_PORT") as listener:
        looking.start()
        note_stops()
        config = uvicorn.Config(
            _app(measures),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        uvicorn.Server(config).run([listener])
    stop.set()


def _app(measures: Measures) -> Starlette:
    async def ready(_request: Request) -> Response:
        return PlainTextResponse("ready\n" if measures.ready else "not ready\n", 200 if measures.ready else 503)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(measures.registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/ready", ready), Route("/metrics", metrics)])


def _look_on(
    settings: WatchSettings, common: Settings, feed: NetworkFeed, measures: Measures, stop: threading.Event
) -> None:
    servers = settings.servers()
    registry = urlsplit(common.registry_url)
    if registry.scheme == "https" and registry.hostname:
        servers["registry"] = (registry.hostname, registry.port or 443)
    secure = common.security_protocol.endswith("SSL")
    while not stop.is_set():
        began, tick = time.time(), time.monotonic()
        try:
            # A new client for each look: after a broker was away, librdkafka (2.16) no longer hears from a group's
            # coordinator on an old one.
            seen = look(AdminClient({**client_config(common), "log_level": 0}), DATED, SIZED)
            brokers = {f"broker-{number}": where for number, where in seen.brokers.items()} if secure else {}
            ends = expiries(servers | brokers)
            measures.took(seen, feed.current, ends, began, time.monotonic() - tick)
        except KafkaException as error:
            measures.failed()
            log.warning("could not look at the cluster: %s", error.args[0].str())
        except TimeoutError:
            measures.failed()
            log.warning("could not look at the cluster: no answer in time")
        except Exception:
            # What can't be told now must not end what tells the rest.
            measures.failed()
            log.exception("a look failed")
        stop.wait(max(0.0, settings.seconds - (time.monotonic() - tick)))
