"""The platform on a cluster: its network, its processors, and whether they keep up."""

# confluent_kafka exports its documented names without saying so to type checkers.
# pyright: reportPrivateImportUsage=false
from __future__ import annotations

import http.client
import re
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from confluent_kafka import ConsumerGroupState, IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from hueandcry.control.doctor import balance as balances
from hueandcry.control.doctor.counting import waiting as waiting_for
from hueandcry.control.doctor.examine import Answer, ok, skipped, warning, wrong
from hueandcry.control.local import LocalCluster
from hueandcry.control.network import Cluster, load_network
from hueandcry.control.network import plan as plan_network
from hueandcry.settings import Settings
from hueandcry.wire.kafka import client_config, registry_client

GROUPS = {"admit": balances.ADMIT_GROUP, "distribute": balances.DISTRIBUTE_GROUP}
#: Topics in which transactions of ours write.
_WRITTEN = (balances.ADMITTED, "claims", balances.ADMIT_CHANGELOG, balances.REGISTER)
_ASK_S = 5.0
#: Messages that may wait before somebody should look.
_MANY = 1_000
#: How long one transaction may be seen open, in seconds; a lane's take milliseconds.
_LOOK_AGAIN_S = 1.5
#: A checkpoint should come within seconds.
_STALE_S = 60.0
_METRIC = re.compile(rb"^(hueandcry_(?:lane|ledger)_[a-z_]+)(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)


def network(settings: Settings) -> Answer:
    """Whether the cluster is what topics/ says."""
    overlay = settings.home / "network"
    spec = load_network(settings.network_dir, *([overlay] if overlay.is_dir() else []))
    cluster = Cluster(client_config(settings), registry_client(settings) if settings.registry_url else None)
    found = plan_network(spec, cluster)
    counts = {action: len(found.of(action)) for action in ("create", "alter", "refuse", "delete")}
    said = ", ".join(f"{count} to {action}" for action, count in counts.items() if count)
    if counts["create"] or counts["alter"] or counts["refuse"]:
        return wrong(
            f"the cluster differs from {settings.network_dir}: {said}", "See `hueandcry network plan`", **counts
        )
    if said or found.notes:
        says = f"the cluster has more than {settings.network_dir} names: {said or found.notes[0]}"
        return warning(says, "See `hueandcry network plan`", **counts)
    return ok(f"{len(spec.network.agencies)} agencies; the cluster is what {settings.network_dir} says", **counts)


def processor(settings: Settings, name: str, local: LocalCluster | None) -> Answer:
    """Whether a processor is at work on all partitions."""
    group = GROUPS[name]
    do = f"Start it: hueandcry serve {name}"
    if local is not None:
        status = next(each for each in local.status() if each.name == name)
        do = f"Run `make up`; its log is {status.log}"
        if status.pid is None:
            return wrong("it does not run", do)
        if not status.ready:
            return warning("it runs, and is not ready: it waits for its partitions, or restores their state", do)
    admin = AdminClient({"log_level": 0, **client_config(settings)})
    found = admin.describe_consumer_groups([group], request_timeout=_ASK_S)[group].result(_ASK_S)
    if not found.members:
        return wrong(f"nobody is in its group {group}", do)
    held = sum(len(member.assignment.topic_partitions) for member in found.members)
    metadata = admin.list_topics(timeout=_ASK_S).topics
    wanted = sum(len(metadata[topic].partitions) for topic in metadata if _reads(name, topic))
    says = f"{_count(len(found.members), 'process', 'es')} on {held} of {wanted} partitions"
    if found.state is not ConsumerGroupState.STABLE:
        return warning(f"{says}; its group is in motion ({found.state.name.lower()})", "Ask again in a few seconds")
    return ok(says) if held >= wanted else wrong(says, f"See `make status` and the logs; more processes: {do}")


def lag(settings: Settings, name: str) -> Answer:
    """How many messages wait for a processor."""
    config = client_config(settings)
    admin = AdminClient({"log_level": 0, **config})
    topics = sorted(topic for topic in admin.list_topics(timeout=_ASK_S).topics if _reads(name, topic))
    waiting, exact = waiting_for(config, GROUPS[name], topics, timeout=_ASK_S)
    total = sum(waiting.values())
    said = ", ".join(f"{count:,} in {topic}" for topic, count in waiting.items() if count)
    says = f"{'' if exact else 'at most '}{total:,} wait" + (f": {said}" if said else "")
    if total <= _MANY:
        return ok(says, waiting=waiting)
    return warning(says, f"See whether {name} is at work; if it is, start more of it", waiting=waiting)


def lanes(local: LocalCluster | None) -> Answer:
    """Whether the lanes have restored their state, and have not had to begin anew."""
    if local is None:
        return skipped("asked of local processes only; see hueandcry_lane_* in /metrics of yours")
    troubles: list[str] = []
    for status in local.status():
        if status.name not in GROUPS or status.pid is None:
            continue
        numbers = _metrics(status.address)
        if left := numbers.get("hueandcry_lane_restore_remaining", 0):
            troubles.append(f"{status.name} restores its state, {left:,.0f} records left at the most")
        if reopened := numbers.get("hueandcry_lane_reopened_total", 0):
            times = _count(int(reopened), "time", "s")
            troubles.append(f"{status.name} has gone back to what is committed {times}; see {status.log}")
    if troubles:
        return warning("; ".join(troubles), "Once after a restart of Kafka is nothing; see to it where it goes on")
    return ok("state is restored, and none had to begin anew")


def search(local: LocalCluster | None) -> Answer:
    """Whether search answers, with data that are not old."""
    if local is None:
        return skipped("asked of a local process only; see hueandcry_search_age_seconds in /metrics of yours")
    status = next(each for each in local.status() if each.name == "search")
    if status.pid is None:
        return wrong("it does not run", f"Run `make up`; its log is {status.log}")
    if not status.ready:
        return warning("it runs, and is not ready: it restores the register, or lags behind it", f"See {status.log}")
    return ok(f"it is up to date with the register, at {status.address}")


def gateway(local: LocalCluster | None) -> Answer:
    """Whether the gateway is open, and reaches Kafka."""
    if local is None:
        return skipped("asked of a local process only; see hueandcry_gateway_requests_total in /metrics of yours")
    status = next(each for each in local.status() if each.name == "gateway")
    if status.pid is None:
        return wrong("it does not run", f"Run `make up`; its log is {status.log}")
    if not status.ready:
        return warning("it runs, and is not ready: it reads the network, or Kafka is away", f"See {status.log}")
    return ok(f"it takes and gives, at {status.address}")


def ledger(local: LocalCluster | None) -> Answer:
    """Whether the ledger is signed as it grows."""
    if local is None:
        return skipped("asked of a local process only; see hueandcry_ledger_* in /metrics of yours")
    status = next(each for each in local.status() if each.name == "ledger")
    if status.pid is None:
        return wrong("it does not run", f"Its log {status.log} may say that the ledger is not what was signed")
    if not status.ready:
        return warning("it runs, and is not ready: it reads the log from its beginning", f"See {status.log}")
    numbers = _metrics(status.address, local.certificates.ca)
    age = numbers.get("hueandcry_ledger_checkpoint_age_seconds", 0.0)
    says = f"{numbers.get('hueandcry_ledger_size', 0):,.0f} records, the newest checkpoint covers "
    says += f"{numbers.get('hueandcry_ledger_signed_size', 0):,.0f}"
    if age > _STALE_S:
        return warning(f"{says}; others have waited {age:.0f} s for one", f"See {status.log}")
    return ok(says)


def transactions(settings: Settings) -> Answer:
    """Whether a transaction that nobody ends holds up the readers."""
    admin = AdminClient({"log_level": 0, **client_config(settings)})
    metadata = admin.list_topics(timeout=_ASK_S).topics
    where = [(topic, each) for topic in _WRITTEN if topic in metadata for each in metadata[topic].partitions]
    before = _open(admin, where)
    if before:
        time.sleep(_LOOK_AGAIN_S)
        before = {at: stable for at, stable in _open(admin, where).items() if before.get(at) == stable}
    if not before:
        return ok("none hangs")
    places = ", ".join(f"{topic}[{partition}]@{stable}" for (topic, partition), stable in sorted(before.items()))
    return warning(
        f"one has been open for some time: {places}", "Kafka ends it in time; else kafka-transactions.sh abort"
    )


def accounted(settings: Settings, seconds: float) -> Answer:
    """Whether every message that came in has come out somewhere."""
    config = client_config(settings)
    topics = AdminClient({"log_level": 0, **config}).list_topics(timeout=_ASK_S).topics
    regions = sorted(name.removeprefix("alerts.") for name in topics if name.startswith("alerts."))
    taken = balances.balance(config, regions, timeout=seconds)
    data: dict[str, Any] = {"balance": taken.to_json()}
    if not taken.faults:
        if taken.counted:
            return ok(taken.sentence, **data)
        return warning(f"{taken.sentence}; there was no time to count all that lies in the alerts topics", "", **data)
    if taken.moving:
        return warning(
            f"in motion, so that the numbers do not fit: {taken.faults[0]}", "Ask again when it is calmer", **data
        )
    more = f" (and {len(taken.faults) - 1} more)" if len(taken.faults) > 1 else ""
    return wrong(f"{taken.faults[0]}{more}; {taken.sentence}", "Messages are missing: see the processors' logs", **data)


def _reads(name: str, topic: str) -> bool:
    return topic.startswith(("alerts.", "hits.")) if name == "admit" else topic in (balances.ADMITTED, "claims")


def _open(admin: AdminClient, where: list[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Last stable offset of the partitions in which a transaction is open."""
    ends = {level: _ends(admin, where, level) for level in IsolationLevel}
    stable, written = ends[IsolationLevel.READ_COMMITTED], ends[IsolationLevel.READ_UNCOMMITTED]
    return {at: stable[at] for at in where if stable[at] < written[at]}


def _ends(admin: AdminClient, where: list[tuple[str, int]], level: IsolationLevel) -> dict[tuple[str, int], int]:
    newest: Any = OffsetSpec.latest()
    asked = {TopicPartition(*at): newest for at in where}
    answers = admin.list_offsets(asked, isolation_level=level, request_timeout=_ASK_S)
    return {(each.topic, each.partition): future.result(_ASK_S).offset for each, future in answers.items()}


def _metrics(url: str, ca: Path | None = None) -> Mapping[str, float]:
    parts = urlsplit(url)
    if ca is None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2.0)
    else:
        context = ssl.create_default_context(cafile=str(ca))
        connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=2.0, context=context)
    try:
        connection.request("GET", "/metrics")
        found: dict[str, float] = {}
        for name, value in _METRIC.findall(connection.getresponse().read()):
            found[name.decode()] = found.get(name.decode(), 0.0) + float(value)
        return found
    except (OSError, http.client.HTTPException):
        return {}
    finally:
        connection.close()


def _count(number: int, noun: str, plural: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else plural)
