"""One process of search: the register followed, HTTPS served until it is told to stop."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
import time

import uvicorn
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from hueandcry.control.feed import NetworkFeed
from hueandcry.errors import NetworkError, SettingsError
from hueandcry.listening import https_server, listening, note_stops
from hueandcry.rights.network import Network
from hueandcry.rights.standing import standings
from hueandcry.search.answer import Searcher
from hueandcry.search.api import Api
from hueandcry.search.consultations import Consultations
from hueandcry.search.nonces import Nonces
from hueandcry.search.peers import Peer, peer_token
from hueandcry.search.reading import Reading
from hueandcry.search.replica import TOPIC, Replica
from hueandcry.search.settings import PREFIX, SearchSettings
from hueandcry.search.shelves import Holder, Own, Shelves
from hueandcry.settings import Settings
from hueandcry.wire.codec import SchemaIds
from hueandcry.wire.kafka import client_config, consumer_config, producer_config, registry_client
from hueandcry.wire.requests import SEARCH_TAG, RequestVerifier

NAME = "hc-search"
_CALL_SECONDS = 30.0
_LOOK_SECONDS = 1.0
#: How long a thread that works keeps the interpreter from others. An answer waits for it each time it comes back from
#: Kafka or the network; with Python's 5 ms, beside the thread that follows the register, that is most of its time.
_SWITCH_SECONDS = 0.0005


def serve(settings: SearchSettings, common: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        settings: address, certificate, partitions and peers.
        common: the broker and our login there, the registry, the identity secret, the state's folder.

    Raises:
        HueAndCryError: a setting, the registry, the network or the topic is not there; or the state can't be used.
    """
    common.require("registry_url", "identity_secret")
    for path, name in ((settings.certificate, "CERTIFICATE"), (settings.key, "KEY")):
        if not path.is_file():
            raise SettingsError(f"{PREFIX}{name} names {path}, which is no file", hint="Name the file")
    secret = bytes.fromhex(common.identity_secret.get_secret_value())
    partitions = _partitions(common)
    held = settings.held(partitions)
    if not set(held) <= set(range(partitions)):
        raise SettingsError(f"{PREFIX}PARTITIONS names one that {TOPIC} has not: it has {partitions}")
    schemas = SchemaIds(registry_client(common))
    reading = Reading(schemas)
    feed = NetworkFeed(client_config(common), on_change=_work_out)
    feed.start()
    with (
        listening(settings.host, settings.port, f"{PREFIX}PORT") as listener,
        contextlib.closing(Consultations(producer_config(common), schemas)) as consultations,
        contextlib.closing(Nonces(consumer_config(common, f"{NAME}.nonces", log_level=0), schemas)) as nonces,
        contextlib.closing(
            Replica(
                consumer_config(common, f"{NAME}.replica", log_level=0),
                common.state_dir / f"{NAME}-{common.instance}",
                held,
                _now_ms,
                reading,
            )
        ) as replica,
    ):
        own = Own(replica.store, partitions, replica.plates)
        api = Api(
            replica=replica,
            own=own,
            searcher=Searcher(Shelves(_holders(settings, own, held, partitions, secret)), reading, _now_ms),
            consultations=consultations,
            nonces=nonces,
            verifier=RequestVerifier(lambda key_id: feed.current.keys.get(key_id), tag=SEARCH_TAG),
            network=lambda: feed.current,
            secret=secret,
            token=peer_token(secret),
            now_ms=_now_ms,
        )
        replica.start()
        note_stops()
        sys.setswitchinterval(_SWITCH_SECONDS)
        server = https_server(api.app(), settings.certificate, settings.key, idle_seconds=60, most=500)
        # What lives as long as the process need not be looked through for garbage: that takes longer than an answer.
        gc.collect()
        gc.freeze()
        threading.Thread(target=_watch, args=(replica, server), name="watch", daemon=True).start()
        server.run([listener])
    if replica.failure is not None:
        raise replica.failure


def _watch(replica: Replica, server: uvicorn.Server) -> None:
    """End the server when the replica can't go on."""
    while not server.should_exit:
        if replica.failure is not None:
            server.should_exit = True
        time.sleep(_LOOK_SECONDS)


def _holders(settings: SearchSettings, own: Own, held: list[int], partitions: int, secret: bytes) -> dict[int, Holder]:
    urls = settings.held_by_peers()
    peers = {url: Peer(url, peer_token(secret), settings.ca) for url in set(urls.values())}
    holders: dict[int, Holder] = {partition: peers[url] for partition, url in urls.items()}
    holders |= dict.fromkeys(held, own)
    missing = set(range(partitions)) - holders.keys()
    if missing:
        raise SettingsError(
            f"nobody holds partition {min(missing)} of {TOPIC}: name who does in {PREFIX}PEERS",
            hint=f"Or leave {PREFIX}PARTITIONS away, to hold all of them",
        )
    return {partition: holders[partition] for partition in range(partitions)}


def _partitions(settings: Settings) -> int:
    try:
        topic = AdminClient(client_config(settings)).list_topics(TOPIC, timeout=_CALL_SECONDS).topics[TOPIC]
    except KafkaException as error:
        raise NetworkError(f"Kafka does not answer: {error.args[0].str()}") from error
    if topic.error is not None or not topic.partitions:
        raise NetworkError(f"topic {TOPIC} can't be read", hint="Run `hueandcry network apply`")
    return len(topic.partitions)


def _work_out(network: Network) -> None:
    """What a network means is worked out when it comes, not when somebody waits for an answer."""
    of = standings(network).of
    for agency in network.agencies.values():
        of(agency)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
