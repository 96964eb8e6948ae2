"""The network on a real Kafka: applied once, twice, partly, and who is then refused what."""

# confluent_kafka exports its documented names without saying so to type checkers.
# pyright: reportPrivateImportUsage=false
from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from hueandcry.control import feed
from hueandcry.control.local import LocalCluster
from hueandcry.control.network import Cluster, NetworkSpec, apply, load_network, plan, quotas
from hueandcry.control.network.acls import Acl
from hueandcry.control.network.cluster import binding, binding_filter
from hueandcry.control.network.models import Sizing
from hueandcry.errors import NetworkError
from hueandcry.rights.network import Agency, Network

pytestmark = pytest.mark.broker

ROOT = Path(__file__).parents[2]
SIZING = Sizing(max_partitions=3, max_replication_factor=1, max_min_insync_replicas=1)


def password(user: str) -> str:
    return f"{user}: a password for tests"


@pytest.fixture(scope="module")
def spec() -> NetworkSpec:
    loaded = load_network(ROOT / "topics").model_copy(update={"sizing": SIZING})
    # A neighbour whose id begins with another's.
    return with_agency(loaded, "usa-cyber", "usa-cyber2")


def with_agency(spec: NetworkSpec, like: str, name: str) -> NetworkSpec:
    """The network and one more agency, `name`, like one that it has."""
    more = spec.agencies[like].model_copy(update={"id": name})
    return spec.model_copy(
        update={
            "agencies": {**spec.agencies, name: more},
            "network": changed(spec.network, {**spec.network.agencies, name: more.agency()}),
        }
    )


def changed(network: Network, agencies: dict[str, Agency]) -> Network:
    kept = {name: sub for name, sub in network.subscriptions.items() if sub.agency in agencies}
    return Network(regions=network.regions, agencies=agencies, keys=network.keys, subscriptions=kept)


def without(spec: NetworkSpec, name: str) -> NetworkSpec:
    agencies = {key: value for key, value in spec.agencies.items() if key != name}
    network = changed(spec.network, {key: value.agency() for key, value in agencies.items()})
    return spec.model_copy(update={"agencies": agencies, "network": network})


def passwords(spec: NetworkSpec) -> dict[str, str]:
    return {user: password(user) for user in (*spec.services, *(agency.user for agency in spec.agencies.values()))}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A Kafka of this module's own: what is changed here is the whole cluster, with its users."""
    running = LocalCluster(tmp_path_factory.mktemp("network"), tied=True)
    try:
        running.start_broker()
        yield running
    finally:
        running.down()


@pytest.fixture(scope="module")
def kafka(own: LocalCluster) -> Cluster:
    return Cluster(dict(own.client_config()))


@pytest.fixture
def applied(kafka: Cluster, spec: NetworkSpec) -> Iterator[Cluster]:
    """The cluster as the code says; whatever a test leaves is taken away again."""
    apply(spec, kafka, passwords=passwords(spec), allow_delete=True)
    yield kafka
    apply(spec, kafka, passwords=passwords(spec), allow_delete=True)


def as_agency(kafka: Cluster, agency: str, **extra: Any) -> dict[str, Any]:
    """The agency's own configuration; underscores stand for dots."""
    own = {"sasl.username": agency, "sasl.password": password(agency), "log_level": 0}
    return {**kafka.config, **own, **{key.replace("_", "."): value for key, value in extra.items()}}


def produce(config: dict[str, Any], topic: str) -> KafkaError | None:
    """What became of one message."""
    heard: list[KafkaError | None] = []
    producer = Producer({**config, "message.timeout.ms": 8000})
    producer.produce(topic, b"value", b"key", on_delivery=lambda error, _: heard.append(error))
    producer.flush(15)
    return heard[0]


def consume(config: dict[str, Any], topic: str, group: str) -> KafkaError | bytes:
    """The first message, or why there is none."""
    consumer = Consumer({**config, "group.id": group, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    try:
        message = next(filter(None, (consumer.poll(0.5) for _ in range(40))))
        return message.error() or message.value() or b""
    finally:
        consumer.close()


def test_from_nothing_and_again(kafka: Cluster, spec: NetworkSpec) -> None:
    made = apply(spec, kafka, passwords=passwords(spec))
    assert {change.part for change in made} >= {"topic", "user", "acl", "quota", "feed"}
    assert plan(spec, kafka).changes == ()
    assert apply(spec, kafka, passwords={}) == ()
    assert quotas.describe(kafka.config)["usa-cyber"] == {
        "producer_byte_rate": 64 * 1024**2,
        "consumer_byte_rate": 128 * 1024**2,
        "request_percentage": 200,
    }
    assert feed.read(kafka.config) == spec.network


def test_an_agency_publishes_and_receives(applied: Cluster) -> None:
    agency = as_agency(applied, "usa-cyber")
    assert produce(agency, "alerts.americas") is None
    assert produce({**agency, "enable.idempotence": True}, "alerts.americas") is None
    assert produce(dict(applied.config), "inbox.usa-cyber") is None
    assert consume(agency, "inbox.usa-cyber", "usa-cyber.main") == b"value"


@pytest.mark.parametrize(
    "other",
    [
        "inbox.usa-cyber2",
        "receipts.usa-cyber2",
        "notices.fra-police",
        "hits.americas",
        "inbox.fra-police",
        "admitted",
        "network",
    ],
)
def test_an_agency_reads_no_other_topic(applied: Cluster, other: str) -> None:
    answer = consume(as_agency(applied, "usa-cyber"), other, "usa-cyber.main")
    assert isinstance(answer, KafkaError)
    assert answer.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.mark.parametrize(
    "other",
    [
        "alerts.europe",
        "hits.europe",
        "notices.usa-cyber",
        "inbox.usa-cyber",
        "admitted",
        "register",
        "receipts.usa-cyber",
        "network",
    ],
)
def test_an_agency_writes_to_its_region_only(applied: Cluster, other: str) -> None:
    error = produce(as_agency(applied, "usa-cyber"), other)
    assert error is not None
    assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_one_that_only_receives_publishes_nothing(applied: Cluster) -> None:
    error = produce(as_agency(applied, "nor-border"), "alerts.europe")
    assert error is not None
    assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.mark.parametrize("group", ["usa-cyber2.main", "usa-cyber", "main", "hc-distribute.0"])
def test_an_agency_joins_no_other_group(applied: Cluster, group: str) -> None:
    answer = consume(as_agency(applied, "usa-cyber"), "inbox.usa-cyber", group)
    assert isinstance(answer, KafkaError)
    assert answer.code() == KafkaError.GROUP_AUTHORIZATION_FAILED


def test_an_agency_takes_no_other_transactional_id(applied: Cluster) -> None:
    own = Producer(as_agency(applied, "usa-cyber", transactional_id="usa-cyber.1"))
    own.init_transactions(20)
    for taken in ("usa-cyber2.1", "hc-distribute.0", feed.TRANSACTIONAL_ID):
        with pytest.raises(KafkaException) as caught:
            Producer(as_agency(applied, "usa-cyber", transactional_id=taken)).init_transactions(20)
        assert caught.value.args[0].code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED


def test_an_agency_administers_nothing(applied: Cluster) -> None:
    agency = Cluster(as_agency(applied, "usa-cyber"))
    with pytest.raises(KafkaException) as caught:
        agency.admin.create_topics([NewTopic("inbox.usa-cyber3", 1, 1)])["inbox.usa-cyber3"].result(20)
    assert caught.value.args[0].code() in (
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    )
    with pytest.raises(KafkaException):
        agency.admin.delete_topics(["inbox.usa-cyber"])["inbox.usa-cyber"].result(20)
    wish = binding(Acl("usa-cyber", "read", "topic", "prefixed", "inbox."))
    with pytest.raises(KafkaException):
        agency.admin.create_acls([wish])[wish].result(20)
    with pytest.raises(NetworkError):
        quotas.alter(agency.config, {"usa-cyber": {"producer_byte_rate": None}})
    visible = agency.admin.list_topics(timeout=10).topics
    mine = {"inbox.usa-cyber", "receipts.usa-cyber", "notices.usa-cyber"}
    # Checkpoints of the ledger are for everybody.
    assert set(visible) == {"alerts.americas", "hits.americas", "checkpoints", *mine}


def test_what_was_changed_by_hand_is_put_right(applied: Cluster, spec: NetworkSpec) -> None:
    kept = ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET)
    extra = ConfigEntry("segment.ms", "60000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, "inbox.usa-cyber", incremental_configs=[kept, extra])
    applied.admin.incremental_alter_configs([resource])[resource].result(20)
    taken = binding_filter(Acl("usa-cyber", "read", "topic", "literal", "inbox.usa-cyber"))
    applied.admin.delete_acls([taken])[taken].result(20)
    quotas.alter(applied.config, {"usa-cyber": {"producer_byte_rate": 1.0, "request_percentage": None}})
    seen = wait_for(lambda: {(c.part, c.action) for c in plan(spec, applied).changes}, lambda found: len(found) == 4)
    assert seen == {("config", "alter"), ("config", "delete"), ("acl", "create"), ("quota", "alter")}
    apply(spec, applied, passwords={})
    assert [(c.part, c.action, c.before) for c in plan(spec, applied).changes] == [
        ("config", "delete", {"segment.ms": "60000"})
    ]
    apply(spec, applied, passwords={}, allow_delete=True)
    assert plan(spec, applied).changes == ()


def wait_for(ask: Callable[[], Any], good: Callable[[Any], bool], timeout: float = 20.0) -> Any:
    end = time.monotonic() + timeout
    while True:
        answer = ask()
        if good(answer) or time.monotonic() > end:
            return answer
        time.sleep(0.1)


def test_nothing_goes_without_leave(applied: Cluster, spec: NetworkSpec) -> None:
    fewer = without(spec, "ken-police")
    assert {change.action for change in plan(fewer, applied).changes} == {"delete"}
    assert apply(fewer, applied, passwords={}) == ()
    assert "inbox.ken-police" in applied.admin.list_topics(timeout=10).topics
    assert "ken-police" in feed.read(applied.config).agencies
    assert produce(as_agency(applied, "ken-police"), "alerts.africa") is None

    gone = apply(fewer, applied, passwords={}, allow_delete=True)
    assert {change.part for change in gone} == {"topic", "user", "acl", "quota", "feed"}
    assert all("ken-police" in change.name for change in gone)
    assert plan(fewer, applied).changes == ()
    assert "inbox.ken-police" not in applied.admin.list_topics(timeout=10).topics
    assert feed.read(applied.config) == fewer.network
    assert "ken-police" not in quotas.describe(applied.config)
    assert produce(as_agency(applied, "ken-police"), "alerts.africa") is not None


def test_what_others_have_on_the_cluster_stays(applied: Cluster, spec: NetworkSpec) -> None:
    applied.admin.create_topics([NewTopic("payments", 1, 1, config={"segment.ms": "60000"})])["payments"].result(20)
    rule = binding(Acl("payments", "read", "topic", "literal", "payments"))
    applied.admin.create_acls([rule])[rule].result(20)
    assert apply(spec, applied, passwords={}, allow_delete=True) == ()
    assert "payments" in applied.admin.list_topics(timeout=10).topics


def test_a_user_without_a_password_is_told_before_anything_is_done(applied: Cluster, spec: NetworkSpec) -> None:
    more = with_agency(spec, "nor-border", "nor-late")
    with pytest.raises(NetworkError) as caught:
        apply(more, applied, passwords={})
    assert "nor-late" in str(caught.value)
    assert 'nor-late = "' in caught.value.hint
    assert "inbox.nor-late" not in applied.admin.list_topics(timeout=10).topics


def test_partitions_grow_where_they_may_and_nothing_is_done_where_one_may_not(
    applied: Cluster, spec: NetworkSpec
) -> None:
    def sized(name: str, partitions: int) -> NetworkSpec:
        topic = spec.topics[name].model_copy(update={"partitions": partitions})
        return spec.model_copy(
            update={
                "topics": {**spec.topics, name: topic},
                "sizing": SIZING.model_copy(update={"max_partitions": None}),
            }
        )

    with pytest.raises(NetworkError, match="identity key"):
        apply(sized("admitted", 12), applied, passwords={})
    assert plan(spec, applied).changes == ()
    more = with_agency(spec, "nor-border", "nor-grows")
    apply(more, applied, passwords=passwords(more))
    topics = {**more.topics, "receipts.<agency>": more.topics["receipts.<agency>"].model_copy(update={"partitions": 2})}
    bigger = more.model_copy(update={"topics": topics})
    done = apply(bigger, applied, passwords={})
    assert {(change.part, change.before, change.after) for change in done} == {("partitions", 1, 2)}
    topic = applied.admin.list_topics(timeout=10).topics["receipts.nor-grows"]
    assert len(topic.partitions) == 2
    with pytest.raises(NetworkError, match="take partitions away"):
        apply(more, applied, passwords={})
    # Shrinking takes new topics: here they are simply thrown away.
    shrunk = [name for name in applied.admin.list_topics(timeout=10).topics if name.startswith("receipts.")]
    for answer in applied.admin.delete_topics(shrunk).values():
        answer.result(20)
    wait_for(lambda: applied.admin.list_topics(timeout=10).topics, lambda found: not set(shrunk) & set(found))


# ── the command ──


def command(kafka: Cluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("HUEANDCRY_")} | {
        "HUEANDCRY_BOOTSTRAP": kafka.config["bootstrap.servers"],
        "HUEANDCRY_CA": kafka.config["ssl.ca.location"],
        "HUEANDCRY_USER": kafka.config["sasl.username"],
        "HUEANDCRY_PASSWORD": kafka.config["sasl.password"],
        "HUEANDCRY_HOME": "/nonexistent",
    }
    run = [sys.executable, "-m", "hueandcry.cli", "network", *arguments]
    return subprocess.run(run, env=env, capture_output=True, text=True, timeout=90, check=False)


def test_exit_codes_of_the_command(applied: Cluster, tmp_path: Path) -> None:
    (tmp_path / "sizing.yaml").write_text("max_partitions: 3\nmax_replication_factor: 1\nmax_min_insync_replicas: 1\n")
    folders = ("--dir", str(ROOT / "topics"), "--dir", str(tmp_path))
    drift = command(applied, "plan", *folders, "--output", "json")
    assert drift.returncode == 3, drift.stderr
    changes = json.loads(drift.stdout)["changes"]
    assert {change["action"] for change in changes} == {"delete"}
    assert all("usa-cyber2" in change["name"] for change in changes)
    assert "not in code" in drift.stderr

    text = (ROOT / "topics" / "agencies" / "usa-cyber.yaml").read_text()
    (tmp_path / "agencies").mkdir()
    more = tmp_path / "agencies" / "usa-cyber2.yaml"
    more.write_text(text.replace("usa-cyber", "usa-cyber2"))
    clean = command(applied, "plan", *folders)
    assert (clean.returncode, clean.stdout) == (0, ""), clean.stderr

    more.write_text(text)
    wrong = command(applied, "apply", *folders)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert f"{more}:1:5: agency `usa-cyber` is given twice" in wrong.stderr


# ── the feed ──


class Listener:
    """Hears of each revision."""

    def __init__(self) -> None:
        self.heard: list[Network] = []
        self.news = threading.Condition()

    def __call__(self, network: Network) -> None:
        with self.news:
            self.heard.append(network)
            self.news.notify_all()

    def wait(self, count: int) -> bool:
        with self.news:
            return self.news.wait_for(lambda: len(self.heard) >= count, timeout=20)


def test_a_follower_sees_each_revision_whole(own: LocalCluster, applied: Cluster, spec: NetworkSpec) -> None:
    listener = Listener()
    following = feed.NetworkFeed(own.client_config("hc-admit"), listener)
    following.start(20)
    try:
        assert following.current == spec.network
        first = following.revision
        more = with_agency(spec, "nor-border", "nor-new")
        second = feed.publish(more.network, applied.config)
        assert listener.wait(2)
        assert (following.revision, following.current) == (second, more.network)
        assert second != first

        # A revision that is being written, or whose writer died: nobody sees any of it.
        half = Producer({**applied.config, "transactional.id": feed.TRANSACTIONAL_ID, "log_level": 0})
        half.init_transactions(20)
        half.begin_transaction()
        half.produce(feed.TOPIC, None, "agency/fra-police", partition=0)
        half.flush(20)
        assert feed.read(applied.config) == more.network

        third = feed.publish(spec.network, applied.config)
        assert listener.wait(3)
        assert (following.revision, following.current) == (third, spec.network) == (first, spec.network)
        assert all("fra-police" in network.agencies for network in listener.heard)
    finally:
        following.stop()


def test_only_what_differs_is_written(applied: Cluster, spec: NetworkSpec) -> None:
    def end() -> int:
        consumer = Consumer({**applied.config, "group.id": "x", "log_level": 0})
        try:
            return consumer.get_watermark_offsets(TopicPartition(feed.TOPIC, 0), timeout=20)[1]
        finally:
            consumer.close()

    before = end()
    feed.publish(spec.network, applied.config)
    assert end() == before
    more = with_agency(spec, "nor-border", "nor-new")
    feed.publish(more.network, applied.config)
    assert end() == before + 3  # the agency, the marker, and Kafka's own end of the transaction


def test_a_marker_that_lies_is_not_believed(applied: Cluster, spec: NetworkSpec) -> None:
    producer = Producer({**applied.config, "log_level": 0})
    producer.produce(feed.TOPIC, None, "agency/fra-police", partition=0)
    producer.produce(
        feed.TOPIC, b'{"revision": "%s"}' % feed.revision(feed.entries(spec.network)).encode(), feed.MARKER
    )
    assert producer.flush(20) == 0
    assert "fra-police" in feed.read(applied.config).agencies
    assert {change.part for change in plan(spec, applied).changes} == {"feed"}
    apply(spec, applied, passwords={})
    assert feed.read(applied.config) == spec.network


def test_a_feed_that_may_not_be_read_says_so_at_once(applied: Cluster) -> None:
    following = feed.NetworkFeed(as_agency(applied, "usa-cyber"))
    with pytest.raises(NetworkError, match="can't be read"):
        following.start(20)
    with pytest.raises(NetworkError):
        _ = following.current
