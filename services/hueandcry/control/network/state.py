"""What the cluster holds, or should hold, as plain values that can be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hueandcry.control import feed
from hueandcry.control.network.acls import Acl, derive
from hueandcry.control.network.models import NetworkSpec, TopicTemplate
from hueandcry.wire import schemas

#: Compatibility of what leaves the platform: any reader of any version reads any other version.
_DELIVERED = {"hueandcry.Alert", "hueandcry.Delivery"}


@dataclass(frozen=True)
class Topic:
    """A topic; `config` has what is set on the topic itself, by Kafka's names."""

    partitions: int
    replication_factor: int
    config: Mapping[str, str]


@dataclass(frozen=True)
class Subject:
    """A subject of the registry: its schema as canonical JSON text, and its compatibility level. "" is none."""

    schema: str
    compatibility: str


@dataclass(frozen=True)
class State:
    """A whole cluster, as far as the network is concerned.

    Attributes:
        quotas: limits by user; Kafka's names.
        subjects: None where no registry is in use.
        feed: what the network topic holds: value by key, without the marker.
        revision: of the feed's last marker; "" where there is none.
        brokers: how many brokers there are; 0 in a description.
    """

    topics: Mapping[str, Topic] = field(default_factory=dict)
    acls: frozenset[Acl] = frozenset()
    users: frozenset[str] = frozenset()
    quotas: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    subjects: Mapping[str, Subject] | None = None
    feed: Mapping[str, str] = field(default_factory=dict)
    revision: str = ""
    brokers: int = 0


def wanted(spec: NetworkSpec, *, with_subjects: bool) -> State:
    """What the cluster must hold for this network."""
    entries = feed.entries(spec.network)
    return State(
        topics=_topics(spec),
        acls=derive(spec),
        users=frozenset([*spec.services, *(agency.user for agency in spec.agencies.values())]),
        quotas=_quotas(spec),
        subjects=_subjects() if with_subjects else None,
        feed=entries,
        revision=feed.revision(entries),
    )


def canonical(schema: str) -> str:
    """A schema's JSON text in one form, so that two texts of one schema are equal."""
    return json.dumps(json.loads(schema), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _topics(spec: NetworkSpec) -> dict[str, Topic]:
    names: dict[str, Any] = {"region": spec.network.regions, "agency": spec.agencies, "": [""]}
    return {
        template.prefix + name: _topic(template, spec)
        for template in spec.topics.values()
        for name in names[template.each]
    }


def _topic(template: TopicTemplate, spec: NetworkSpec) -> Topic:
    sizing = spec.sizing
    config = {
        "cleanup.policy": template.cleanup,
        "max.message.bytes": str(template.max_message),
        "min.insync.replicas": str(_cap(template.min_insync_replicas, sizing.max_min_insync_replicas)),
        "compression.type": template.compression,
        **{name: str(value) for name, value in template.config.items()},
    }
    if template.retention is not None:
        config["retention.ms"] = str(template.retention)
    return Topic(
        partitions=_cap(template.partitions, sizing.max_partitions),
        replication_factor=_cap(template.replication_factor, sizing.max_replication_factor),
        config=dict(sorted(config.items())),
    )


def _cap(value: int, most: int | None) -> int:
    return value if most is None else min(value, most)


def _quotas(spec: NetworkSpec) -> dict[str, dict[str, float]]:
    limits = {
        name: {key: float(value) for key, value in quota.model_dump(exclude={"id"}).items() if value is not None}
        for name, quota in spec.quotas.items()
    }
    return {agency.user: limits[agency.quotas] for agency in spec.agencies.values() if limits[agency.quotas]}


def _subjects() -> dict[str, Subject]:
    return {
        name: Subject(
            canonical(schemas.schema(name).json), "FULL_TRANSITIVE" if name in _DELIVERED else "BACKWARD_TRANSITIVE"
        )
        for name in map(_full_name, schemas.all_subjects())
    }


def _full_name(name: str) -> str:
    return name if "." in name else f"hueandcry.{name}"
