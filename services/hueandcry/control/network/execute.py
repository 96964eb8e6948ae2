"""Carry out a plan.

Order: topics before the users and rights that name them, the feed after all that the processors will meet; then, if
allowed, what goes: users first, so that nobody logs in any more, then rights, then topics.
"""

# confluent_kafka exports its documented names without saying so to type checkers.
# pyright: reportPrivateImportUsage=false
from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from confluent_kafka.schema_registry import Schema
from confluent_kafka.schema_registry.error import SchemaRegistryError

from hueandcry.control import feed
from hueandcry.control.network import quotas
from hueandcry.control.network.cluster import TIMEOUT_S, Cluster, binding, binding_filter, observe, refused
from hueandcry.control.network.difference import Change, Plan, compare
from hueandcry.control.network.models import NetworkSpec
from hueandcry.control.network.state import State, wanted
from hueandcry.errors import NetworkError

#: Told of each step: how many changes are made, of how many, and what is next.
Progress = Callable[[int, int, str], None]
#: Rounds of PBKDF2 for a new password; RFC 5802 asks for 4096 at least.
_SCRAM_ROUNDS = 8192
#: How long the cluster may take to show what has been changed, in seconds.
_SETTLE_S = 30.0


def plan(spec: NetworkSpec, cluster: Cluster) -> Plan:
    """The difference between the code and the cluster. Changes nothing.

    Raises:
        NetworkError: the cluster does not answer, or refuses to say.
    """
    want = wanted(spec, with_subjects=cluster.registry is not None)
    return compare(spec, want, observe(cluster, want), ourselves=cluster.user)


def apply(
    spec: NetworkSpec,
    cluster: Cluster,
    *,
    passwords: Mapping[str, str],
    allow_delete: bool = False,
    progress: Progress = lambda done, total, what: None,
) -> tuple[Change, ...]:
    """Make the cluster what the code says, and wait until it shows it.

    Args:
        passwords: by user; needed for users that the cluster doesn't know yet, others are left as they are.
        allow_delete: also delete what lies in our name space and the code doesn't name.

    Returns:
        The changes that were made, in order; empty where nothing was to do.

    Raises:
        NetworkError: a change can't be made or a password is missing (nothing has been done), or the cluster refuses.
    """
    want = wanted(spec, with_subjects=cluster.registry is not None)
    have = observe(cluster, want)
    found = compare(spec, want, have, ourselves=cluster.user)
    _refuse_early(found, passwords)
    changes = found.to_do(allow_delete=allow_delete)
    if not changes:
        return ()
    done = 0
    for part, action, batch in _batches(changes):
        progress(done, len(changes), f"{action} {part}")
        try:
            _carry_out(part, action, batch, cluster, want, have, passwords, allow_delete)
        except KafkaException as error:
            raise refused(f"{action} {part}", error) from None
        done += len(batch)
    progress(done, len(changes), "waiting until the cluster shows it")
    _settle(spec, cluster, want, allow_delete)
    return changes


def _refuse_early(found: Plan, passwords: Mapping[str, str]) -> None:
    if refusals := found.of("refuse"):
        lines = [f"{change.part} {change.name}: {change.why}" for change in refusals]
        raise NetworkError("can't be applied, and nothing has been: " + "\n".join(lines))
    missing = [change.name for change in found.of("create") if change.part == "user" and not passwords.get(change.name)]
    if missing:
        raise NetworkError(
            f"no password for {', '.join(missing)}, new on the broker; nothing has been applied",
            hint=f'Write a TOML file with lines such as {missing[0]} = "…" and name it with --passwords',
        )


def _batches(changes: Sequence[Change]) -> Iterator[tuple[str, str, list[Change]]]:
    """Changes of one part and kind together, in the plan's order; the feed's all at once, what goes for good last."""
    order: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        action = "write" if change.part == "feed" else "delete" if change.action == "delete" else "make"
        order.setdefault((change.part, action), []).append(change)
    late = [key for key in order if key[1] == "delete" and key[0] in ("user", "acl", "topic")]
    for key in [key for key in order if key not in late] + late:
        yield *key, order[key]


def _carry_out(
    part: str,
    action: str,
    batch: list[Change],
    cluster: Cluster,
    want: State,
    have: State,
    passwords: Mapping[str, str],
    allow_delete: bool,
) -> None:
    admin = cluster.admin
    match part, action:
        case "topic", "make":
            _wait(admin.create_topics([_new_topic(change) for change in batch], operation_timeout=TIMEOUT_S), batch)
        case "topic", "delete":
            _wait(admin.delete_topics([change.name for change in batch], operation_timeout=TIMEOUT_S), batch)
        case "partitions", "make":
            _wait(admin.create_partitions([NewPartitions(change.name, change.after) for change in batch]), batch)
        case "config", _:
            _wait(admin.incremental_alter_configs([_config(change) for change in batch]), batch)
        case "user", "make":
            _wait(admin.alter_user_scram_credentials([_credential(change.name, passwords) for change in batch]), batch)
        case "user", "delete":
            _wait(admin.alter_user_scram_credentials([_deletion(change.name) for change in batch]), batch)
        case "acl", "make":
            _wait(admin.create_acls([binding(change.after) for change in batch]), batch)
        case "acl", "delete":
            _wait(admin.delete_acls([binding_filter(change.before) for change in batch]), batch)
        case "quota", "make":
            quotas.alter(cluster.config, {change.name: change.after for change in batch})
        case "quota", "delete":
            quotas.alter(cluster.config, {change.name: dict.fromkeys(change.before) for change in batch})
        case "subject", _:
            _register(cluster, batch)
        case "feed", _:
            content = dict(want.feed) if allow_delete else {**have.feed, **want.feed}
            feed.write(content, have.feed, have.revision, cluster.config, TIMEOUT_S)


def _wait(answers: Mapping[Any, Future[Any]], batch: list[Change]) -> None:
    """Until all are done; what is there already, or gone already, is as good."""
    fine = (KafkaError.TOPIC_ALREADY_EXISTS, KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.RESOURCE_NOT_FOUND)
    allowed = {"create": fine[:1], "delete": fine[1:]}.get(batch[0].action, ())
    for answer in answers.values():
        try:
            answer.result(TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() not in allowed:
                raise
        except TimeoutError:
            raise NetworkError(f"the cluster did not answer in {TIMEOUT_S:.0f} s to: {batch[0].part}") from None


def _new_topic(change: Change) -> NewTopic:
    topic = change.after
    return NewTopic(change.name, topic.partitions, topic.replication_factor, config=dict(topic.config))


def _config(change: Change) -> ConfigResource:
    if change.action == "delete":
        entries = [
            ConfigEntry(key, None, incremental_operation=AlterConfigOpType.DELETE) for key in sorted(change.before)
        ]
    else:
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
            for key, value in sorted(change.after.items())
        ]
    return ConfigResource(ResourceType.TOPIC, change.name, incremental_configs=entries)


def _deletion(user: str) -> UserScramCredentialAlteration:
    return UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512)


def _credential(user: str, passwords: Mapping[str, str]) -> UserScramCredentialAlteration:
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _SCRAM_ROUNDS)
    return UserScramCredentialUpsertion(user, info, passwords[user].encode())


def _register(cluster: Cluster, batch: list[Change]) -> None:
    """Level first, so that already this version is held to it."""
    registry = cluster.registry
    if registry is None:
        return
    for change in batch:
        try:
            if change.before is None or change.before.compatibility != change.after.compatibility:
                registry.set_compatibility(change.name, change.after.compatibility)
            if change.before is None or change.before.schema != change.after.schema:
                registry.register_schema(change.name, Schema(change.after.schema, "AVRO"))
        except SchemaRegistryError as error:
            raise NetworkError(f"subject {change.name}: the registry refuses: {error.error_message}") from None
        except Exception as error:  # the client lets out those of its HTTP library, whichever that is
            raise NetworkError(f"subject {change.name}: the registry does not answer: {type(error).__name__}") from None


def _settle(spec: NetworkSpec, cluster: Cluster, want: State, allow_delete: bool) -> None:
    """Brokers learn of a change a moment after the controller made it: wait until a plan finds nothing more to do."""
    end = time.monotonic() + _SETTLE_S
    while True:
        left = compare(spec, want, observe(cluster, want), ourselves=cluster.user).to_do(allow_delete=allow_delete)
        if not left:
            return
        if time.monotonic() > end:
            names = ", ".join(f"{change.part} {change.name}" for change in left[:5])
            raise NetworkError(f"the cluster still does not show {len(left)} of the changes: {names}")
        time.sleep(0.1)
