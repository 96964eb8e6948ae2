"""Rules over the whole of topics/: what one file says of another must hold.

Each rule is a function over the entries; `RULES` lists them. A rule looks only at entries that are sound in themselves.
Where an entry of a kind could not be read, rules that look for that kind are left out: what they would miss may be just
that entry.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Set
from datetime import datetime
from itertools import chain
from typing import Any

import pycountry

from hueandcry.control.network.entries import Entry, meant, state_hint
from hueandcry.control.network.models import AgencySpec, ServiceSpec, TopicTemplate
from hueandcry.control.network.places import Place, Problem
from hueandcry.rights.network import Region, SigningKey, Subscription

Entries = Mapping[str, Mapping[str, Entry[Any]]]

#: Symbols of avro/hueandcry.Category but `unknown`, which no agency can ask for.
CATEGORIES = (
    "arrest",
    "refusal_of_entry",
    "protection",
    "whereabouts",
    "discreet_check",
    "inquiry_check",
    "specific_check",
    "seizure",
    "evidence",
    "identification",
    "detect",
    "block",
)

#: Users that Kafka or this platform gives a meaning of its own.
_RESERVED_USERS = {"ANONYMOUS", "operator", "admin"}
_SERVICE_PREFIX = "hc-"
#: Kafka: org.apache.kafka.common.internals.Topic.MAX_NAME_LENGTH.
_LONGEST_TOPIC = 249


def check(entries: Entries, problems: list[Problem], incomplete: Set[str]) -> None:
    """Add to `problems` what is wrong between the entries. `incomplete`: kinds of which an entry could not be read."""
    for rule, looks_for in RULES.items():
        if incomplete.isdisjoint(looks_for):
            problems.extend(rule(entries))


def _states(entries: Entries) -> Iterator[Problem]:
    first: dict[str, tuple[str, Place]] = {}
    for entry in entries["region"].values():
        region: Region = entry.value
        for index, state in enumerate(region.states):
            place = entry.place("states", index)
            if pycountry.countries.get(alpha_3=state) is None:
                yield Problem(place, f"`{state}` is no state of ISO 3166-1{state_hint(state)}")
            if state in first:
                other, where = first[state]
                yield Problem(place, f"state {state} is in region `{region.id}` and, at {where}, in `{other}`")
            else:
                first[state] = (region.id, place)


def _region_of_agency(entries: Entries) -> Iterator[Problem]:
    regions = entries["region"]
    home = {state: name for name, entry in regions.items() for state in entry.value.states}
    for entry in entries["agency"].values():
        agency: AgencySpec = entry.value
        if agency.region not in regions:
            yield Problem(entry.place("region"), f"no region `{agency.region}`{meant(agency.region, regions)}")
        elif agency.state not in home:
            yield Problem(entry.place("state"), f"state {agency.state} is in no region{state_hint(agency.state)}")
        elif home[agency.state] != agency.region:
            yield Problem(
                entry.place("region"),
                f"agency `{agency.id}` is in region `{agency.region}`, "
                f"but its state {agency.state} is in `{home[agency.state]}`",
            )


def _jurisdictions(entries: Entries) -> Iterator[Problem]:
    known = {"world", *entries["region"], *chain(*(entry.value.states for entry in entries["region"].values()))}
    for entry in entries["agency"].values():
        for index, name in enumerate(entry.value.jurisdictions):
            if name not in known and pycountry.subdivisions.get(code=name) is None:
                yield Problem(
                    entry.place("jurisdictions", index),
                    f"no jurisdiction `{name}`: not `world`, a region, a state or a subdivision of ISO 3166-2"
                    f"{meant(name, known)}",
                )


def _coalitions(entries: Entries) -> Iterator[Problem]:
    known = entries["coalition"]
    for entry in entries["agency"].values():
        for index, name in enumerate(entry.value.coalitions):
            if name not in known:
                yield Problem(
                    entry.place("coalitions", index), f"no coalition `{name}` in coalitions.yaml{meant(name, known)}"
                )


def _names(entries: Entries) -> Iterator[Problem]:
    """releasable_to and excluded name agencies, coalitions and regions by one list: a name must mean one thing."""
    first: dict[str, tuple[str, Place]] = {}
    for kind in ("region", "coalition", "agency"):
        for name, entry in entries[kind].items():
            place = entry.place("id") if kind != "coalition" else entry.place()
            if name == "world":
                yield Problem(place, f"{kind} `world` would be taken for the whole world; give it another id")
            elif name in first:
                other, where = first[name]
                yield Problem(place, f"{kind} `{name}` has the id of a {other}, at {where}; an alert could mean either")
            else:
                first[name] = (kind, place)


def _quota_classes(entries: Entries) -> Iterator[Problem]:
    known = entries["quota class"]
    for entry in entries["agency"].values():
        if entry.value.quotas not in known:
            yield Problem(
                entry.place("quotas"), f"no quota class `{entry.value.quotas}`{meant(entry.value.quotas, known)}"
            )


def _file_names(entries: Entries) -> Iterator[Problem]:
    for entry in entries["agency"].values():
        if entry.document.file.stem != entry.value.id:
            yield Problem(entry.place("id"), f"agency `{entry.value.id}` belongs in a file {entry.value.id}.yaml")


def _users(entries: Entries) -> Iterator[Problem]:
    first: dict[str, Place] = {}
    for entry, user, name in chain(
        ((entry, entry.value.user, "user") for entry in entries["service"].values()),
        (
            (entry, entry.value.user, "scram_user" if entry.value.scram_user else "id")
            for entry in entries["agency"].values()
        ),
    ):
        place = entry.place(name)
        service = isinstance(entry.value, ServiceSpec)
        if user in _RESERVED_USERS or user.startswith(_SERVICE_PREFIX) != service:
            yield Problem(
                place,
                f"user `{user}`: services are named {_SERVICE_PREFIX}…, agencies are not, and "
                f"{', '.join(sorted(_RESERVED_USERS))} are taken",
            )
        elif user in first:
            yield Problem(place, f"user `{user}` is given twice; first at {first[user]}")
        first.setdefault(user, place)


def _subscriptions(entries: Entries) -> Iterator[Problem]:
    agencies, regions = entries["agency"], entries["region"]
    states = set(chain(*(entry.value.states for entry in regions.values())))
    for entry in entries["subscription"].values():
        subscription: Subscription = entry.value
        if subscription.agency not in agencies:
            yield Problem(
                entry.place("agency"), f"no agency `{subscription.agency}`{meant(subscription.agency, agencies)}"
            )
        else:
            kinds = agencies[subscription.agency].value.kinds
            for index, kind in enumerate(subscription.kinds):
                if kind not in kinds:
                    yield Problem(
                        entry.place("kinds", index),
                        f"agency `{subscription.agency}` receives no {kind}: add it to its kinds or leave it out here",
                    )
        for index, state in enumerate(subscription.issuing_states):
            if state not in states:
                yield Problem(entry.place("issuing_states", index), f"state {state} is in no region{state_hint(state)}")
        for index, region in enumerate(subscription.issuing_regions):
            if region not in regions:
                yield Problem(entry.place("issuing_regions", index), f"no region `{region}`{meant(region, regions)}")


def _webhooks(entries: Entries) -> Iterator[Problem]:
    for entry in entries["agency"].values():
        agency: AgencySpec = entry.value
        if agency.webhooks and "reads" not in agency.gateway:
            yield Problem(entry.place("webhooks"), "the gateway can only send what it may read: `gateway: [reads]`")
        seen: set[str] = set()
        for index, webhook in enumerate(agency.webhooks):
            if webhook.id in seen:
                yield Problem(entry.place("webhooks", index, "id"), f"webhook `{webhook.id}` is there twice")
            seen.add(webhook.id)


def _categories(entries: Entries) -> Iterator[Problem]:
    for entry in entries["subscription"].values():
        for index, category in enumerate(entry.value.categories):
            if category not in CATEGORIES:
                yield Problem(
                    entry.place("categories", index), f"no category `{category}`{meant(category, CATEGORIES)}"
                )


def _keys(entries: Entries) -> Iterator[Problem]:
    owner: dict[bytes, Entry[SigningKey]] = {}
    for entry in entries["key"].values():
        key: SigningKey = entry.value
        for name, time in (("valid_from", key.valid_from), ("valid_until", key.valid_until)):
            if isinstance(time, datetime) and time.tzinfo is None:
                yield Problem(entry.place(name), f"{name}: write the time with its zone, such as 2026-01-01T00:00:00Z")
                break
        else:
            if key.valid_until is not None and key.valid_until <= key.valid_from:
                yield Problem(entry.place("valid_until"), f"key `{key.key_id}` ends before it begins")
        raw = base64.b64decode(key.public_key)
        if raw in owner:
            where = owner[raw].place("public_key")
            yield Problem(entry.place("public_key"), f"the same public key is given twice; first at {where}")
        owner.setdefault(raw, entry)


def _key_owners(entries: Entries) -> Iterator[Problem]:
    agencies = entries["agency"]
    for entry in entries["key"].values():
        if entry.value.agency not in agencies:
            yield Problem(
                entry.place("agency"), f"no agency `{entry.value.agency}`{meant(entry.value.agency, agencies)}"
            )


def _topics(entries: Entries) -> Iterator[Problem]:
    for entry in entries["topic"].values():
        topic: TopicTemplate = entry.value
        if topic.min_insync_replicas > topic.replication_factor:
            yield Problem(
                entry.place("min_insync_replicas"),
                f"topic `{topic.name}` needs {topic.min_insync_replicas} replicas in sync "
                f"and has {topic.replication_factor}",
            )
        if topic.retention is not None and topic.cleanup == "compact":
            yield Problem(
                entry.place("retention"), "a compacted topic has no retention: use `compact,delete` or leave it out"
            )
        if topic.retention is None and topic.cleanup != "compact":
            yield Problem(entry.place(), f"topic `{topic.name}`: field `retention` is missing")
        for name in topic.config:
            if name in _OWN_FIELDS:
                yield Problem(entry.place("config", name), f"`{name}` has a field of its own: {_OWN_FIELDS[name]}")


_OWN_FIELDS = {
    "cleanup.policy": "cleanup",
    "retention.ms": "retention",
    "max.message.bytes": "max_message",
    "min.insync.replicas": "min_insync_replicas",
    "compression.type": "compression",
}


def _topic_references(entries: Entries) -> Iterator[Problem]:
    topics = entries["topic"]
    for entry in topics.values():
        topic: TopicTemplate = entry.value
        other = topic.co_partitioned_with
        if other and other not in topics:
            yield Problem(entry.place("co_partitioned_with"), f"no topic `{other}`{meant(other, topics)}")
        elif other and topics[other].value.partitions != topic.partitions:
            yield Problem(
                entry.place("partitions"),
                f"topic `{topic.name}` has {topic.partitions} partitions, `{other}` has "
                f"{topics[other].value.partitions}: they are co-partitioned and must have as many",
            )
        longest = max((len(name) for name in entries[topic.each]), default=0) if topic.each else 0
        if len(topic.prefix) + longest > _LONGEST_TOPIC:
            yield Problem(
                entry.place("name"), f"names of `{topic.name}` would be longer than {_LONGEST_TOPIC} characters"
            )
    for entry in entries["service"].values():
        for name in ("read", "read_opted", "write", "describe", "describe_configs"):
            for index, topic_name in enumerate(getattr(entry.value, name)):
                if topic_name not in topics:
                    yield Problem(entry.place(name, index), f"no topic `{topic_name}`{meant(topic_name, topics)}")


Rule = Callable[[Entries], Iterator[Problem]]
#: Every rule, and the kinds in which it looks for what another kind names.
RULES: dict[Rule, tuple[str, ...]] = {
    _states: (),
    _region_of_agency: ("region",),
    _jurisdictions: ("region",),
    _coalitions: ("coalition",),
    _names: (),
    _quota_classes: ("quota class",),
    _file_names: (),
    _users: (),
    _subscriptions: ("agency", "region"),
    _webhooks: (),
    _categories: (),
    _keys: (),
    _key_owners: ("agency",),
    _topics: (),
    _topic_references: ("topic", "agency", "region"),
}
