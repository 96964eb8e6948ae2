"""The difference between what the cluster should hold and what it holds. Pure.

Rules:
1. Nothing that the code names is ever deleted; what it doesn't name, only where that is allowed, and only in our name
   space.
2. A number of partitions never shrinks, and grows only where no order or state hangs on it.
3. A change that can't be made is `refuse`, and then nothing is applied.
4. A user's password is never changed here: Kafka doesn't give it back, so there is nothing to compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hueandcry.control import feed
from hueandcry.control.network.acls import Acl
from hueandcry.control.network.models import NetworkSpec, TopicTemplate
from hueandcry.control.network.state import State, Subject, Topic

Part = Literal["topic", "partitions", "config", "user", "acl", "quota", "subject", "feed"]
Action = Literal["create", "alter", "delete", "refuse"]
NOT_IN_CODE = "not in code"


@dataclass(frozen=True)
class Change:
    """One difference. `delete` is carried out only where that is allowed, `refuse` never.

    Attributes:
        before, after: what is there and what should be; None for nothing.
        why: for `refuse`, why it can't be; for `delete`, that the code doesn't name it.
    """

    part: Part
    action: Action
    name: str
    before: Any = None
    after: Any = None
    why: str = ""

    def as_record(self) -> dict[str, Any]:
        """For JSON and YAML."""
        return {
            "part": self.part,
            "action": self.action,
            "name": self.name,
            "before": _plain(self.before),
            "after": _plain(self.after),
            "why": self.why,
        }


@dataclass(frozen=True)
class Plan:
    """All differences, in the order in which they are carried out.

    Attributes:
        notes: what a person should know and the plan does not change.
    """

    changes: tuple[Change, ...]
    notes: tuple[str, ...] = ()

    def of(self, *actions: Action) -> tuple[Change, ...]:
        """The changes with one of these actions."""
        return tuple(change for change in self.changes if change.action in actions)

    def to_do(self, *, allow_delete: bool) -> tuple[Change, ...]:
        """What an apply carries out."""
        return self.of("create", "alter", "delete") if allow_delete else self.of("create", "alter")


def compare(spec: NetworkSpec, want: State, have: State, *, ourselves: str = "") -> Plan:
    """The plan that takes the cluster from `have` to `want`. `ourselves`: the user that applies; never deleted."""
    ours = _NameSpace(spec, want, have, ourselves)
    changes = [
        *_topics(spec, want, have, ours),
        *(Change("user", "create", user, None, user) for user in sorted(want.users - have.users)),
        *(Change("acl", "create", str(acl), None, acl) for acl in sorted(want.acls - have.acls)),
        *_quotas(want, have, ours),
        *_subjects(want.subjects, have.subjects),
        *_feed(want, have),
        *(_gone("user", user, user) for user in sorted((have.users - want.users) & ours.former_users)),
        *(_gone("acl", str(acl), acl) for acl in sorted(have.acls - want.acls) if ours.acl(acl)),
        *(
            _gone("topic", name, have.topics[name])
            for name in sorted(set(have.topics) - set(want.topics))
            if ours.topic(name)
        ),
    ]
    notes = [
        f"{acl}: gives others access to our topics; it is wider than our name space, so it is left alone"
        for acl in sorted(have.acls - want.acls)
        if acl.resource == "topic" and not ours.acl(acl) and any(_matches(acl, name) for name in want.topics)
    ]
    return Plan(tuple(changes), tuple(notes))


def _gone(part: Part, name: str, before: object) -> Change:
    return Change(part, "delete", name, before, None, NOT_IN_CODE)


def _plain(value: Any) -> Any:
    if isinstance(value, Topic):
        config = dict(value.config)
        return {"partitions": value.partitions, "replication_factor": value.replication_factor, "config": config}
    if isinstance(value, Subject):
        return {"compatibility": value.compatibility, "schema": value.schema}
    return str(value) if isinstance(value, Acl) else dict(value) if isinstance(value, Mapping) else value


def _matches(acl: Acl, topic: str) -> bool:
    return acl.name in ("*", topic) or (acl.pattern == "prefixed" and topic.startswith(acl.name))


class _NameSpace:
    """What on the cluster is ours although the code doesn't name it.

    Ours are the topics that a template covers, and what belongs to a user that we once made. Such a user is known by
    its entry for groups, `<id>.`, and its name is the id, or a topic inbox.<id> is there. Users that others made are
    never ours.
    """

    def __init__(self, spec: NetworkSpec, want: State, have: State, ourselves: str) -> None:
        self._templates = list(spec.topics.values())
        self._wanted_users = want.users
        self.former_users = {
            acl.user
            for acl in have.acls
            if acl.resource == "group"
            and acl.pattern == "prefixed"
            and acl.name.endswith(".")
            and (acl.name == f"{acl.user}." or f"inbox.{acl.name[:-1]}" in have.topics)
            and acl.user not in want.users
        } - {ourselves, ""}

    def topic(self, name: str) -> bool:
        return any(template.covers(name) for template in self._templates)

    def user(self, name: str) -> bool:
        return name in self._wanted_users or name in self.former_users

    def acl(self, acl: Acl) -> bool:
        return self.user(acl.user) or (
            acl.resource == "topic"
            and (self.topic(acl.name) or any(t.each and acl.name == t.prefix for t in self._templates))
        )


def _topics(spec: NetworkSpec, want: State, have: State, ours: _NameSpace) -> Iterator[Change]:
    for name, topic in sorted(want.topics.items()):
        present = have.topics.get(name)
        if present is None:
            if 0 < have.brokers < topic.replication_factor:
                yield Change(
                    "topic",
                    "refuse",
                    name,
                    None,
                    topic,
                    f"replication factor {topic.replication_factor} with {_count(have.brokers, 'broker')}: for a small "
                    "cluster put `max_replication_factor` and `max_min_insync_replicas` into an overlay's sizing.yaml",
                )
            else:
                yield Change("topic", "create", name, None, topic)
            continue
        template = next(template for template in spec.topics.values() if template.covers(name))
        yield from _topic(name, template, topic, present)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _topic(name: str, template: TopicTemplate, want: Topic, have: Topic) -> Iterator[Change]:
    if want.partitions != have.partitions:
        why = ""
        if want.partitions < have.partitions:
            why = "Kafka can't take partitions away: make another topic and move to it"
        elif template.partitions_fixed:
            why = f"{template.partitions_fixed}. Make another topic and move to it"
        yield Change("partitions", "refuse" if why else "alter", name, have.partitions, want.partitions, why)
    if want.replication_factor != have.replication_factor:
        why = "replicas are moved by a reassignment (kafka-reassign-partitions), not here"
        yield Change(
            "topic", "refuse", name, have.replication_factor, want.replication_factor, f"replication factor: {why}"
        )
    differs = {key: value for key, value in want.config.items() if have.config.get(key) != value}
    if differs:
        yield Change("config", "alter", name, {key: have.config.get(key) for key in differs}, differs)
    extra = {key: value for key, value in have.config.items() if key not in want.config}
    if extra:
        yield Change("config", "delete", name, extra, None, NOT_IN_CODE)


def _quotas(want: State, have: State, ours: _NameSpace) -> Iterator[Change]:
    for user, limits in sorted(want.quotas.items()):
        present = have.quotas.get(user, {})
        differs = {key: value for key, value in limits.items() if present.get(key) != value}
        if differs:
            before = {key: present[key] for key in differs if key in present}
            yield Change("quota", "alter" if present else "create", user, before or None, differs)
    for user, present in sorted(have.quotas.items()):
        extra = {key: value for key, value in present.items() if key not in want.quotas.get(user, {})}
        if extra and ours.user(user):
            yield _gone("quota", user, extra)


def _subjects(want: Mapping[str, Subject] | None, have: Mapping[str, Subject] | None) -> Iterator[Change]:
    for name, subject in sorted((want or {}).items()):
        present = (have or {}).get(name)
        if present != subject:
            yield Change("subject", "alter" if present and present.schema else "create", name, present, subject)


def _feed(want: State, have: State) -> Iterator[Change]:
    yield from _entries(want.feed, have.feed)
    if have.revision != feed.revision(have.feed) and have.feed:
        yield Change("feed", "alter", feed.MARKER, have.revision or None, feed.revision(want.feed))


def _entries(want: Mapping[str, str], have: Mapping[str, str]) -> Iterable[Change]:
    for key, value in sorted(want.items()):
        if have.get(key) != value:
            yield Change("feed", "alter" if key in have else "create", key, have.get(key), value)
    for key in sorted(set(have) - set(want)):
        yield _gone("feed", key, have[key])
