"""The network on its way to the processors: the compacted topic `network`.

One message for each region, agency, key and subscription: key `agency/<id>`, value its JSON; a tombstone for what is
gone. A revision is written in one transaction and ends with its marker: key `revision`, value {"revision": hash over
all entries}.

1. Nobody ever sees a part of a revision: a reader applies what it has read at the marker, and only if the hash holds.
2. Where it doesn't hold (compaction took a tombstone while the reader slept), it reads again from the beginning.
3. Only what differs is written.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from pydantic import BaseModel, ValidationError

from hueandcry.errors import NetworkError
from hueandcry.rights.network import Agency, Network, Region, SigningKey, Subscription

TOPIC = "network"
MARKER = "revision"
TRANSACTIONAL_ID = "hueandcry.network"

_LOG = logging.getLogger(__name__)
_PARTITION = 0
_ASK_S = 10.0
_MODELS: dict[str, tuple[str, type[BaseModel]]] = {
    "region": ("regions", Region),
    "agency": ("agencies", Agency),
    "key": ("keys", SigningKey),
    "subscription": ("subscriptions", Subscription),
}
#: Properties of a producer, by their beginnings; a consumer would warn of them.
_PRODUCER_ONLY = (
    "enable.idempotence",
    "acks",
    "linger.ms",
    "batch.",
    "queue.buffering.",
    "delivery.timeout",
    "partitioner",
)
_PRODUCER_ONLY += (
    "transactional.id",
    "transaction.",
    "compression.",
    "message.timeout",
    "request.required",
    "retries",
    "max.in.",
)
_LET_THROUGH = {KafkaError._PARTITION_EOF, KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE}
_HOPELESS = {
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError._SSL,
}


def entries(network: Network) -> dict[str, str]:
    """Value by key: what the topic must hold for this network, without the marker."""
    return {
        f"{kind}/{name}": value.model_dump_json()
        for kind, (field, _) in _MODELS.items()
        for name, value in sorted(getattr(network, field).items())
    }


def revision(content: Mapping[str, str]) -> str:
    """Name of a content: SHA-256 in hex over its entries in order of their keys."""
    lines = json.dumps(sorted(content.items()), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(lines.encode()).hexdigest()


def network_of(content: Mapping[str, str]) -> Network:
    """The network that these entries describe.

    Raises:
        NetworkError: an entry is not one that this version understands.
    """
    fields: dict[str, dict[str, BaseModel]] = {field: {} for field, _ in _MODELS.values()}
    for key, value in content.items():
        kind, _, name = key.partition("/")
        if kind not in _MODELS:
            raise NetworkError(f"topic {TOPIC}: an entry of unknown kind {kind!r}", hint="Update this process")
        field, model = _MODELS[kind]
        try:
            fields[field][name] = model.model_validate_json(value)
        except ValidationError as error:
            place = ".".join(map(str, error.errors(include_url=False, include_input=False)[0]["loc"]))
            raise NetworkError(
                f"topic {TOPIC}: {key} does not fit this version, at {place or 'its value'}", hint="Update this process"
            ) from None
    return Network.model_validate(fields)


class Reader:
    """Follows the topic from its beginning and says at each marker what the network is.

    Not for several threads. `raw` has the latest value of every key, `marker` the revision of the last marker.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        user = str(config.get("sasl.username") or "hueandcry")
        kept = {key: value for key, value in config.items() if not key.startswith(_PRODUCER_ONLY)}
        self._consumer = Consumer(
            {
                "group.id": f"{user}.network",
                "log_level": 0,
                **kept,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                # The end is only told by an empty answer, which the broker holds back for so long.
                "fetch.wait.max.ms": 100,
                "auto.offset.reset": "earliest",
            }
        )
        self.raw: dict[str, str] = {}
        self.marker = ""
        self._restarted_at = -1
        self._asked = False

    def _ask(self) -> None:
        """Look whether we may read at all: to a consumer without a group librdkafka never says that it may not."""
        try:
            topic = self._consumer.list_topics(TOPIC, timeout=_ASK_S).topics[TOPIC]
        except KafkaException as error:
            raise NetworkError(f"topic {TOPIC} can't be read: {error.args[0].str()}") from None
        if topic.error is not None:
            self._error(topic.error)
        self._asked = True
        self._begin()

    def _begin(self) -> None:
        self.raw, self.marker = {}, ""
        self._consumer.assign([TopicPartition(TOPIC, _PARTITION, OFFSET_BEGINNING)])

    @property
    def whole(self) -> bool:
        """Whether what has been read is exactly the revision that the last marker names."""
        return self.marker != "" and revision(self.raw) == self.marker

    def step(self, timeout: float) -> tuple[bool, bool]:
        """Take one message. Returns whether a whole revision ended with it, and whether the topic's end is reached.

        Raises:
            NetworkError: the topic can't be read, and waiting does not help.
        """
        if not self._asked:
            self._ask()
        message = self._consumer.poll(timeout)
        if message is None:
            return False, False
        error = message.error()
        if error is not None:
            return False, self._error(error)
        return self._take(message), False

    def _error(self, error: KafkaError) -> bool:
        code = error.code()
        if code == KafkaError._PARTITION_EOF:
            return True
        if code in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION):
            raise NetworkError(f"there is no topic {TOPIC} yet", hint="Run `hueandcry network apply`")
        if code in _HOPELESS or error.fatal():
            raise NetworkError(f"topic {TOPIC} can't be read: {error.str()}")
        if code not in _LET_THROUGH:
            _LOG.warning("topic %s: %s", TOPIC, error.name())
        return False

    def _take(self, message: Message) -> bool:
        key = (message.key() or b"").decode(errors="replace")
        value = message.value()
        if key != MARKER:
            if value is None:
                self.raw.pop(key, None)
            else:
                self.raw[key] = value.decode(errors="replace")
            return False
        try:
            self.marker = str(json.loads(value or b"{}")[MARKER])
        except (ValueError, KeyError, TypeError):
            self.marker = ""
        offset = message.offset() or 0
        if self.whole:
            return True
        if offset > self._restarted_at:
            # Once for each marker; a feed that is broken itself is waited out until its next revision.
            self._restarted_at = offset
            _LOG.warning("topic %s: the revision at offset %d is not whole; reading again", TOPIC, offset)
            self._begin()
        return False

    def close(self) -> None:
        """Leave the topic."""
        self._consumer.close()


def read_raw(config: Mapping[str, Any], timeout: float = 30.0) -> tuple[dict[str, str], str]:
    """The latest value of every key, whole or not, and the revision of the last marker.

    Raises:
        NetworkError: there is no such topic, or its end was not reached in `timeout` seconds.
    """
    reader = Reader(config)
    try:
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            _, at_end = reader.step(0.2)
            if at_end:
                return reader.raw, reader.marker
    finally:
        reader.close()
    raise NetworkError(f"topic {TOPIC} was not read to its end in {timeout:.0f} s")


def read(config: Mapping[str, Any], timeout: float = 30.0) -> Network:
    """The network as of the newest whole revision.

    Raises:
        NetworkError: there is none, or the topic can't be read in `timeout` seconds.
    """
    reader = Reader(config)
    newest: dict[str, str] | None = None
    try:
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            whole, at_end = reader.step(0.2)
            if whole:
                newest = dict(reader.raw)
            if at_end:
                if newest is None:
                    raise NetworkError(f"topic {TOPIC} has no whole revision", hint="Run `hueandcry network apply`")
                return network_of(newest)
    finally:
        reader.close()
    raise NetworkError(f"topic {TOPIC} was not read to its end in {timeout:.0f} s")


def publish(network: Network, config: Mapping[str, Any], timeout: float = 30.0) -> str:
    """Make the topic hold this network and nothing else. Returns the revision; where all is there, writes nothing.

    Raises:
        NetworkError: the topic can't be read or written in time.
    """
    have, marker = read_raw(config, timeout)
    return write(entries(network), have, marker, config, timeout)


def write(
    want: Mapping[str, str], have: Mapping[str, str], marker: str, config: Mapping[str, Any], timeout: float
) -> str:
    """Write in one transaction what differs between `want` and `have`, and the marker. Returns the revision.

    Raises:
        NetworkError: nothing of it was written, or the broker did not say in time.
    """
    name = revision(want)
    changed: dict[str, bytes | None] = {key: value.encode() for key, value in want.items() if have.get(key) != value}
    changed |= {key: None for key in have if key not in want}
    if not changed and marker == name:
        return name
    changed[MARKER] = json.dumps({MARKER: name, "entries": len(want)}).encode()
    producer = Producer(
        {"log_level": 0, **config, "transactional.id": TRANSACTIONAL_ID, "transaction.timeout.ms": int(timeout * 1000)}
    )
    try:
        producer.init_transactions(timeout)
        producer.begin_transaction()
        for key, value in changed.items():
            producer.produce(TOPIC, value, key, partition=_PARTITION)
        producer.commit_transaction(timeout)
    except KafkaException as error:
        reason = error.args[0]
        if reason.txn_requires_abort():
            producer.abort_transaction(timeout)
        raise NetworkError(f"topic {TOPIC} could not be written: {reason.str()}") from None
    return name


class NetworkFeed:
    """Follows the network in a thread of its own.

    Args:
        config: librdkafka's configuration of a consumer. It joins no group; librdkafka wants a group.id all the same.
        on_change: told of each new revision, in that thread; an exception from it is logged.
    """

    def __init__(self, config: Mapping[str, Any], on_change: Callable[[Network], None] = lambda _: None) -> None:
        self._config = dict(config)
        self._on_change = on_change
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen: tuple[Network, str] | None = None
        self.error: NetworkError | None = None

    @property
    def current(self) -> Network:
        """The newest whole revision.

        Raises:
            NetworkError: none has been read yet.
        """
        return self._held()[0]

    @property
    def revision(self) -> str:
        """Name of `current`, a hash over its content; errors as there."""
        return self._held()[1]

    def _held(self) -> tuple[Network, str]:
        if self._seen is None:
            raise self.error or NetworkError(
                f"topic {TOPIC} has no whole revision yet", hint="Run `hueandcry network apply`"
            )
        return self._seen

    def start(self, timeout: float = 30.0) -> None:
        """Begin, and wait until the newest revision is there.

        Raises:
            NetworkError: there is none in `timeout` seconds, or the topic can't be read. The thread is stopped then.
        """
        if self._thread is not None:
            raise NetworkError("this feed has been started already")
        self._thread = threading.Thread(target=self._follow, name="network-feed", daemon=True)
        self._thread.start()
        self._ready.wait(timeout)
        if self._seen is None:
            self.stop()
            self._held()

    def stop(self, timeout: float = 10.0) -> None:
        """End the thread; `current` stays."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                self._read_on()
            except (NetworkError, KafkaException) as error:
                self.error = error if isinstance(error, NetworkError) else NetworkError(f"topic {TOPIC}: {error}")
                _LOG.warning("%s", self.error)
                if self._seen is None:
                    self._ready.set()
                    return
                self._stopping.wait(5.0)

    def _read_on(self) -> None:
        """Read until stopped. Of the revisions up to the topic's end as it is now, only the last is shown."""
        reader = Reader(self._config)
        caught_up = False
        newest: tuple[dict[str, str], str] | None = None
        try:
            while not self._stopping.is_set():
                whole, at_end = reader.step(0.2)
                if whole:
                    newest = (dict(reader.raw), reader.marker)
                caught_up |= at_end
                if caught_up and newest is not None:
                    content, name = newest
                    newest = None
                    self._show(content, name)
        finally:
            reader.close()

    def _show(self, content: Mapping[str, str], name: str) -> None:
        if self._seen is not None and self._seen[1] == name:
            return
        network = network_of(content)
        self._seen = (network, name)
        self.error = None
        self._ready.set()
        try:
            self._on_change(network)
        except Exception:
            _LOG.exception("the feed's listener failed at revision %s", name[:12])
