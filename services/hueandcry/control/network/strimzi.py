"""The network as Strimzi's resources, for clusters whose topics and users an operator on Kubernetes looks after.

KafkaTopic and KafkaUser of API version kafka.strimzi.io/v1beta2 (Strimzi 0.38 and later). The feed of the network and
the schemas are none of Strimzi's: `hueandcry network apply --without users --without quotas` writes those.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from hueandcry.control.network.acls import Acl
from hueandcry.control.network.models import NetworkSpec
from hueandcry.control.network.state import State, wanted

API = "kafka.strimzi.io/v1beta2"
#: Strimzi's words for operations and kinds of resource.
_OPERATIONS = {"read": "Read", "write": "Write", "describe": "Describe", "describe_configs": "DescribeConfigs"}
_RESOURCES = {"topic": "topic", "group": "group", "transactional_id": "transactionalId", "broker": "cluster"}
_LIMITS = {
    "producer_byte_rate": "producerByteRate",
    "consumer_byte_rate": "consumerByteRate",
    "request_percentage": "requestPercentage",
}


def resources(spec: NetworkSpec, cluster: str) -> Iterator[dict[str, Any]]:
    """Every topic and user of the network.

    Args:
        cluster: name of Strimzi's Kafka resource.
    """
    state = wanted(spec, with_subjects=False)
    for name, topic in sorted(state.topics.items()):
        yield {
            **_head("KafkaTopic", name, cluster),
            "spec": {
                "topicName": name,
                "partitions": topic.partitions,
                "replicas": topic.replication_factor,
                "config": {key: _value(value) for key, value in sorted(topic.config.items())},
            },
        }
    yield from _users(state, cluster)


def _users(state: State, cluster: str) -> Iterator[dict[str, Any]]:
    by_user: defaultdict[str, list[Acl]] = defaultdict(list)
    for acl in sorted(state.acls):
        by_user[acl.user].append(acl)
    for user in sorted(state.users):
        spec: dict[str, Any] = {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {"type": "simple", "acls": [_rule(acl) for acl in by_user[user]]},
        }
        limits = state.quotas.get(user)
        if limits:
            spec["quotas"] = {_LIMITS[name]: int(limit) for name, limit in sorted(limits.items())}
        yield {**_head("KafkaUser", user, cluster), "spec": spec}


def _rule(acl: Acl) -> dict[str, Any]:
    resource: dict[str, str] = {"type": _RESOURCES[acl.resource]}
    if acl.resource != "broker":
        resource |= {"name": acl.name, "patternType": "prefix" if acl.pattern == "prefixed" else "literal"}
    return {"type": acl.permission, "resource": resource, "operations": [_OPERATIONS[acl.operation]], "host": acl.host}


def _head(kind: str, name: str, cluster: str) -> dict[str, Any]:
    # A resource's name is a DNS name: `_schemas` is none.
    metadata = {"name": re.sub(r"^[^a-z0-9]+|[^a-z0-9.-]", "", name.lower()), "labels": {"strimzi.io/cluster": cluster}}
    return {"apiVersion": API, "kind": kind, "metadata": metadata}


def _value(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?\d+", text) else text
