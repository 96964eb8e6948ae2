"""The cluster as it is, read through the admin client, the registry and the feed, as the values of `state`."""

# confluent_kafka exports its documented names without saying so to type checkers, and types ACL entries too narrowly
# (a filter takes None) or too widely (an answer has enums only).
# pyright: reportPrivateImportUsage=false, reportArgumentType=false, reportAttributeAccessIssue=false
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    ConfigSource,
    ResourcePatternType,
    ResourceType,
    ScramMechanism,
)
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from hueandcry.control import feed
from hueandcry.control.network import quotas
from hueandcry.control.network.acls import Acl, Resource
from hueandcry.control.network.state import State, Subject, Topic, canonical
from hueandcry.errors import NetworkError

#: Longest wait for one answer of the cluster, in seconds.
TIMEOUT_S = 20.0
_RESOURCES: dict[ResourceType, Resource] = {
    ResourceType.TOPIC: "topic",
    ResourceType.GROUP: "group",
    ResourceType.TRANSACTIONAL_ID: "transactional_id",
    ResourceType.BROKER: "broker",
}
_NOT_FOUND = 404
_PRINCIPAL = "User:"


@dataclass(frozen=True)
class Cluster:
    """A Kafka cluster and its registry.

    Args:
        config: librdkafka's configuration of a user who may administer the cluster.
        registry: None where no registry is in use; subjects are then neither planned nor applied.
        users, quotas: False leaves them to others, where a cluster has no SCRAM users or no quotas.
    """

    config: Mapping[str, Any] = field(repr=False)
    registry: SchemaRegistryClient | None = None
    users: bool = True
    quotas: bool = True
    admin: AdminClient = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "admin", AdminClient({"log_level": 0, **self.config}))

    @property
    def user(self) -> str:
        """Who we are on the broker."""
        return str(self.config.get("sasl.username") or "")


def observe(cluster: Cluster, want: State) -> State:
    """What the cluster holds now. `want` says of which topics and subjects the details are needed.

    Raises:
        NetworkError: it does not answer, or refuses to say.
    """
    admin = cluster.admin
    try:
        metadata = admin.list_topics(timeout=TIMEOUT_S)
        names = sorted(name for name in metadata.topics if not name.startswith("__"))
        config = _configs(admin, [name for name in names if name in want.topics])
        topics = {
            name: Topic(
                partitions=len(metadata.topics[name].partitions),
                replication_factor=len(metadata.topics[name].partitions[0].replicas),
                config=config.get(name, {}),
            )
            for name in names
            if metadata.topics[name].error is None
        }
        acls = frozenset(_acls(admin))
        users = _users(admin) if cluster.users else want.users
    except KafkaException as error:
        raise refused("the cluster can't be read", error) from None
    content, marker = feed.read_raw(cluster.config, TIMEOUT_S) if feed.TOPIC in topics else ({}, "")
    return State(
        topics=topics,
        acls=acls,
        users=users,
        quotas=quotas.describe(cluster.config) if cluster.quotas else want.quotas,
        subjects=None if cluster.registry is None else _subjects(cluster.registry, want.subjects or {}),
        feed=content,
        revision=marker,
        brokers=len(metadata.brokers),
    )


def refused(what: str, error: KafkaException) -> NetworkError:
    """Our error for one of Kafka's, in one line."""
    reason: KafkaError = error.args[0]
    hint = ""
    if reason.code() == KafkaError.CLUSTER_AUTHORIZATION_FAILED:
        hint = "Use a user who may administer the cluster"
    elif reason.code() in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN):
        hint = "Is the cluster up, and are bootstrap, ca, user and password right? `hueandcry doctor` looks closer"
    return NetworkError(f"{what}: {reason.str()}", hint=hint)


def _configs(admin: AdminClient, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """What is set on each topic itself; defaults are left out."""
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    if not resources:
        return {}
    answers = admin.describe_configs(resources, request_timeout=TIMEOUT_S)
    return {
        resource.name: {
            entry.name: entry.value
            for entry in answer.result(TIMEOUT_S).values()
            if entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value and entry.value is not None
        }
        for resource, answer in answers.items()
    }


def _acls(admin: AdminClient) -> Iterator[Acl]:
    anything = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    for binding in admin.describe_acls(anything, request_timeout=TIMEOUT_S).result(TIMEOUT_S):
        if binding.restype in _RESOURCES and binding.principal.startswith(_PRINCIPAL):
            yield _acl(binding)


def _acl(binding: AclBinding) -> Acl:
    return Acl(
        user=binding.principal.removeprefix(_PRINCIPAL),
        operation=binding.operation.name.lower(),
        resource=_RESOURCES[binding.restype],
        pattern="prefixed" if binding.resource_pattern_type == ResourcePatternType.PREFIXED else "literal",
        name=binding.name,
        permission=binding.permission_type.name.lower(),
        host=binding.host,
    )


def binding(acl: Acl) -> AclBinding:
    """The entry in the form that the admin client takes."""
    return AclBinding(*_parts(acl))


def binding_filter(acl: Acl) -> AclBindingFilter:
    """A filter that this entry, and no other, passes."""
    return AclBindingFilter(*_parts(acl))


def _parts(acl: Acl) -> tuple[ResourceType, str, ResourcePatternType, str, str, AclOperation, AclPermissionType]:
    return (
        next(kind for kind, name in _RESOURCES.items() if name == acl.resource),
        acl.name,
        ResourcePatternType[acl.pattern.upper()],
        f"{_PRINCIPAL}{acl.user}",
        acl.host,
        AclOperation[acl.operation.upper()],
        AclPermissionType[acl.permission.upper()],
    )


def _users(admin: AdminClient) -> frozenset[str]:
    """Users with a SCRAM-SHA-512 credential."""
    answer = admin.describe_user_scram_credentials(None, request_timeout=TIMEOUT_S)
    described = answer.result(TIMEOUT_S)  # type: ignore[union-attr]
    return frozenset(
        name
        for name, user in described.items()
        if any(info.mechanism == ScramMechanism.SCRAM_SHA_512 for info in user.scram_credential_infos)
    )


def _subjects(registry: SchemaRegistryClient, want: Mapping[str, Subject]) -> dict[str, Subject]:
    """The wanted subjects as they are. A subject that holds the wanted schema in any version counts as holding it."""
    registry.clear_caches()
    try:
        return {
            name: Subject(_schema(registry, name, subject), _found(registry.get_compatibility, name) or "")
            for name, subject in want.items()
        }
    except SchemaRegistryError as error:
        raise NetworkError(f"the registry can't be read: {error.error_message}") from None
    except Exception as error:  # the client lets out those of its HTTP library, whichever that is
        raise NetworkError(f"the registry does not answer: {type(error).__name__}") from None


def _schema(registry: SchemaRegistryClient, name: str, want: Subject) -> str:
    if _found(registry.lookup_schema, name, Schema(want.schema, "AVRO")) is not None:
        return want.schema
    latest = _found(registry.get_latest_version, name)
    return "" if latest is None else canonical(latest.schema.schema_str)


def _found(ask: Any, *arguments: Any) -> Any:
    """The registry's answer; None where it has no such thing."""
    try:
        return ask(*arguments)
    except SchemaRegistryError as error:
        if error.http_status_code == _NOT_FOUND:
            return None
        raise
