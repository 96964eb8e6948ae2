"""What the code asks of the cluster, who may do what there, and the difference between the two."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hueandcry.control import feed
from hueandcry.control.network import Change, NetworkSpec, load_network
from hueandcry.control.network.acls import Acl, derive
from hueandcry.control.network.difference import compare
from hueandcry.control.network.format import check_folder, formatted
from hueandcry.control.network.load import SECTIONS
from hueandcry.control.network.models import AgencySpec, Sizing
from hueandcry.control.network.state import State, Topic, wanted
from hueandcry.errors import NetworkError
from hueandcry.rights.network import Network

ROOT = Path(__file__).parents[2]
SPEC = load_network(ROOT / "topics")
WANT = wanted(SPEC, with_subjects=True)
EMPTY = State(subjects={}, brokers=3)


def after(have: State, changes: tuple[Change, ...]) -> State:
    """The cluster once these changes are made, written as simply as can be."""
    topics, subjects = dict(have.topics), dict(have.subjects or {})
    quotas = {user: dict(limits) for user, limits in have.quotas.items()}
    users, acls, entries = set(have.users), set(have.acls), dict(have.feed)
    for change in changes:
        name, new = change.name, change.after
        match change.part, change.action:
            case "topic", "create":
                topics[name] = new
            case "topic", "delete":
                del topics[name]
            case "partitions", _:
                topics[name] = replace(topics[name], partitions=new)
            case "config", "delete":
                kept = {k: v for k, v in topics[name].config.items() if k not in change.before}
                topics[name] = replace(topics[name], config=kept)
            case "config", _:
                topics[name] = replace(topics[name], config={**topics[name].config, **new})
            case "user", action:
                users = users | {name} if action == "create" else users - {name}
            case "acl", action:
                acls = acls | {new} if action == "create" else acls - {change.before}
            case "quota", "delete":
                quotas[name] = {k: v for k, v in quotas[name].items() if k not in change.before}
            case "quota", _:
                quotas[name] = {**quotas.get(name, {}), **new}
            case "subject", _:
                subjects[name] = new
            case "feed", "delete":
                del entries[name]
            case "feed", _ if name != feed.MARKER:
                entries[name] = new
    return replace(
        have,
        topics=topics,
        users=frozenset(users),
        acls=frozenset(acls),
        quotas=quotas,
        subjects=subjects,
        feed=entries,
        revision=feed.revision(entries),
    )


def plan(have: State, spec: NetworkSpec = SPEC, want: State = WANT) -> dict[tuple[str, str, str], Change]:
    """The plan by part, action and name."""
    found = compare(spec, want, have, ourselves="operator").changes
    return {(change.part, change.action, change.name): change for change in found}


def cluster() -> State:
    """A cluster that is as the code says."""
    return after(EMPTY, compare(SPEC, WANT, EMPTY).changes)


def without(agency: str) -> tuple[NetworkSpec, State]:
    """The code once an agency has been taken out."""
    network = SPEC.network
    spec = SPEC.model_copy(
        update={
            "agencies": {k: v for k, v in SPEC.agencies.items() if k != agency},
            "network": network.model_copy(
                update={
                    "agencies": {k: v for k, v in network.agencies.items() if k != agency},
                    "subscriptions": {k: v for k, v in network.subscriptions.items() if v.agency != agency},
                }
            ),
        }
    )
    return spec, wanted(spec, with_subjects=True)


def test_a_plan_that_is_carried_out_leaves_nothing() -> None:
    assert compare(SPEC, WANT, cluster()).changes == ()


@given(
    st.lists(st.sampled_from(sorted(WANT.topics))),
    st.lists(st.sampled_from(sorted(WANT.users))),
    st.lists(st.sampled_from(sorted(WANT.acls))),
    st.lists(st.sampled_from(sorted(WANT.feed))),
    st.lists(st.sampled_from(sorted(WANT.quotas))),
)
def test_from_any_part_of_it_one_plan_is_enough(
    topics: list[str], users: list[str], acls: list[Acl], entries: list[str], quotas: list[str]
) -> None:
    whole = cluster()
    have = replace(
        whole,
        topics={k: v for k, v in whole.topics.items() if k not in topics},
        users=whole.users - set(users),
        acls=whole.acls - set(acls),
        feed={k: v for k, v in whole.feed.items() if k not in entries},
        quotas={k: v for k, v in whole.quotas.items() if k not in quotas},
    )
    changes = compare(SPEC, WANT, have).changes
    assert compare(SPEC, WANT, after(have, changes)).changes == ()
    named = {(c.part, c.name) for c in changes if c.name != feed.MARKER}
    missing = {("topic", t) for t in topics} | {("user", u) for u in users} | {("acl", str(a)) for a in acls}
    assert named == missing | {("feed", e) for e in entries} | {("quota", q) for q in quotas}


def test_what_others_made_is_left_alone() -> None:
    have = cluster()
    others = replace(
        have,
        topics={**have.topics, "payments": Topic(1, 1, {"retention.ms": "5"}), "inbox": Topic(1, 1, {})},
        users=have.users | {"operator", "payments", "mirror"},
        quotas={**have.quotas, "payments": {"producer_byte_rate": 1.0}},
        acls=have.acls
        | {
            Acl("payments", "read", "group", "prefixed", "payments-"),
            Acl("payments", "write", "topic", "literal", "payments"),
            Acl("*", "describe", "topic", "literal", "payments"),
        },
    )
    found = compare(SPEC, WANT, others, ourselves="operator")
    assert found.changes == ()
    assert found.notes == ()


def test_wide_rights_of_others_are_noted() -> None:
    wide = Acl("mirror", "read", "topic", "literal", "*")
    found = compare(SPEC, WANT, replace(cluster(), acls=WANT.acls | {wide}))
    assert found.changes == ()
    assert len(found.notes) == 1
    assert "mirror read topic *" in found.notes[0]


@pytest.mark.parametrize(
    "stray",
    [
        Acl("stranger", "read", "topic", "literal", "inbox.fra-police"),
        Acl("*", "read", "topic", "prefixed", "inbox."),
        Acl("fra-police", "read", "topic", "literal", "anything"),
        Acl("fra-police", "read", "group", "literal", "*"),
        Acl("fra-police", "read", "topic", "literal", "inbox.fra-police", "deny"),
        Acl("fra-police", "alter", "broker", "literal", "kafka-cluster"),
    ],
    ids=str,
)
def test_rights_that_the_code_does_not_give_are_drift(stray: Acl) -> None:
    found = plan(replace(cluster(), acls=WANT.acls | {stray}))
    assert list(found) == [("acl", "delete", str(stray))]


def test_an_agency_that_was_taken_out_is_drift_and_goes_only_where_allowed() -> None:
    spec, want = without("fra-police")
    have = cluster()
    found = compare(spec, want, have, ourselves="operator")
    assert {change.action for change in found.changes} == {"delete"}
    assert {change.why for change in found.changes} == {"not in code"}
    names = {(change.part, change.name) for change in found.changes}
    assert {("topic", "inbox.fra-police"), ("topic", "receipts.fra-police"), ("user", "fra-police")} <= names
    assert {("feed", "agency/fra-police"), ("quota", "fra-police")} <= names
    assert found.to_do(allow_delete=False) == ()
    gone = after(have, found.to_do(allow_delete=True))
    assert compare(spec, want, gone).changes == ()
    assert not [acl for acl in gone.acls if acl.user == "fra-police"]


def test_whoever_applies_is_never_deleted() -> None:
    spec, want = without("fra-police")
    found = compare(spec, want, cluster(), ourselves="fra-police")
    assert not [change for change in found.changes if change.part == "user"]


def _with(name: str, topic: Topic) -> State:
    have = cluster()
    return replace(have, topics={**have.topics, name: topic})


@pytest.mark.parametrize(
    ("name", "partitions", "action", "reason"),
    [
        ("inbox.fra-police", 1, "alter", ""),
        ("quarantine.europe", 1, "alter", ""),
        ("inbox.fra-police", 9, "refuse", "can't take partitions away"),
        ("admitted", 3, "refuse", "identity key"),
        ("register", 3, "refuse", "identity key"),
        ("claims", 24, "refuse", "can't take partitions away"),
        ("alerts.europe", 3, "refuse", "in order"),
        ("network", 2, "refuse", "can't take partitions away"),
    ],
)
def test_partitions_grow_only_where_nothing_hangs_on_them(name: str, partitions: int, action: str, reason: str) -> None:
    found = plan(_with(name, replace(WANT.topics[name], partitions=partitions)))
    (change,) = found.values()
    assert (change.part, change.action, change.name) == ("partitions", action, name)
    assert (change.before, change.after) == (partitions, WANT.topics[name].partitions)
    assert reason in change.why


def test_settings_of_a_topic() -> None:
    topic = WANT.topics["inbox.fra-police"]
    config = {**topic.config, "retention.ms": "1", "segment.ms": "60000"}
    have = _with("inbox.fra-police", replace(topic, config=config))
    found = plan(have)
    altered = found["config", "alter", "inbox.fra-police"]
    assert (altered.before, altered.after) == ({"retention.ms": "1"}, {"retention.ms": str(30 * 86_400_000)})
    assert found["config", "delete", "inbox.fra-police"].before == {"segment.ms": "60000"}
    assert plan(after(have, tuple(found.values()))) == {}


def test_too_few_brokers_are_refused_before_anything_is_made() -> None:
    found = plan(replace(EMPTY, brokers=1))
    refusals = {change.name for change in found.values() if change.action == "refuse"}
    assert refusals == set(WANT.topics)
    assert "sizing.yaml" in found["topic", "refuse", "admitted"].why
    small = SPEC.model_copy(
        update={"sizing": Sizing(max_replication_factor=1, max_min_insync_replicas=1, max_partitions=3)}
    )
    want = wanted(small, with_subjects=True)
    assert {action for _, action, _ in plan(replace(EMPTY, brokers=1), small, want)} == {"create"}
    assert want.topics["admitted"].partitions == want.topics["register"].partitions == 3


def test_a_broken_feed_is_mended() -> None:
    have = replace(cluster(), revision="0" * 64)
    found = plan(have)
    assert list(found) == [("feed", "alter", feed.MARKER)]
    assert plan(after(have, tuple(found.values()))) == {}


def test_delivered_schemas_are_fully_compatible() -> None:
    subjects = WANT.subjects or {}
    full = {name for name, subject in subjects.items() if subject.compatibility == "FULL_TRANSITIVE"}
    assert full == {"hueandcry.Alert", "hueandcry.Delivery"}
    assert {subject.compatibility for subject in subjects.values()} == {"FULL_TRANSITIVE", "BACKWARD_TRANSITIVE"}
    assert wanted(SPEC, with_subjects=False).subjects is None


# ── who may do what ──

slugs = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,5}[a-z0-9])?", fullmatch=True)
#: Ids that are the beginnings of each other more often than not.
nested = (
    st.lists(st.sampled_from(["a", "b", "-", "ab"]), min_size=1, max_size=4)
    .map("".join)
    .filter(lambda text: not text.startswith("-") and not text.endswith("-"))
)


def agency(name: str, region: str, publishes: bool) -> AgencySpec:
    return AgencySpec.model_validate(
        {
            "id": name,
            "name": name,
            "state": "FRA",
            "region": region,
            "jurisdictions": ["world"],
            "clearance": "secret",
            "kinds": ["cyber"],
            "publishes": ["cyber"] if publishes else [],
            "quotas": "standard",
        }
    )


def may(acls: frozenset[Acl], user: str, operation: str, resource: str, name: str) -> bool:
    """Kafka's rule: some entry allows it; READ and WRITE imply DESCRIBE (AclOperation)."""
    return any(
        acl.permission == "allow"
        and acl.user == user
        and acl.resource == resource
        and (acl.operation == operation or (operation == "describe" and acl.operation in ("read", "write")))
        and (name == acl.name if acl.pattern == "literal" else name.startswith(acl.name))
        for acl in acls
    )


@given(
    st.dictionaries(
        slugs | nested, st.tuples(st.sampled_from(["europe", "africa", "euro"]), st.booleans()), min_size=1, max_size=5
    )
)
def test_an_agency_has_its_own_and_nothing_else(drawn: Mapping[str, tuple[str, bool]]) -> None:
    agencies = {name: agency(name, *rest) for name, rest in drawn.items()}
    acls = derive(SPEC.model_copy(update={"agencies": agencies}))
    regions = ("europe", "africa", "euro")
    topics = [
        *(f"{kind}.{name}" for kind, name in product(("inbox", "receipts", "notices"), agencies)),
        *(f"{kind}.{region}" for kind, region in product(("alerts", "hits", "quarantine"), regions)),
        *("admitted", "claims", "register", "admit-changelog", "network", "_schemas", "inbox", "inbox."),
    ]
    for name, (region, publishes) in drawn.items():
        readable = {topic for topic in topics if may(acls, name, "read", "topic", topic)}
        writable = {topic for topic in topics if may(acls, name, "write", "topic", topic)}
        described = {topic for topic in topics if may(acls, name, "describe", "topic", topic)}
        assert readable == {f"inbox.{name}", f"receipts.{name}", f"notices.{name}"}
        assert writable == {f"hits.{region}"} | ({f"alerts.{region}"} if publishes else set())
        assert described == readable | writable
        for other in agencies:
            for resource, own in (("group", True), ("transactional_id", publishes)):
                operation = "read" if resource == "group" else "write"
                assert may(acls, name, operation, resource, f"{other}.x") == (other == name and own)
                assert not may(acls, name, operation, resource, other)
        operations = {acl.operation for acl in acls if acl.user == name}
        assert operations <= {"read", "write"}
        assert not [acl for acl in acls if acl.user == name and acl.resource == "broker"]


def test_services_have_what_the_code_says() -> None:
    acls = derive(SPEC)
    assert may(acls, "hc-admit", "read", "topic", "alerts.europe")
    assert may(acls, "hc-admit", "read", "topic", "hits.europe")
    assert may(acls, "hc-distribute", "write", "topic", "inbox.fra-police")
    assert may(acls, "hc-distribute", "write", "topic", "notices.fra-police")
    assert not may(acls, "hc-distribute", "read", "topic", "hits.europe")
    assert may(acls, "hc-distribute", "write", "transactional_id", "hc-distribute.0")
    assert not may(acls, "hc-distribute", "read", "topic", "alerts.europe")
    assert not may(acls, "hc-distribute", "write", "topic", "admitted")
    assert not may(acls, "hc-admit", "write", "topic", "inbox.fra-police")
    assert not may(acls, "hc-admit", "read", "topic", "inbox.fra-police")
    assert may(acls, "hc-watch", "describe", "topic", "inbox.fra-police")
    for operation in ("read", "write"):
        assert not may(acls, "hc-watch", operation, "topic", "inbox.fra-police")
    # Watch sees how far each group is; nobody else has anything that stands for all.
    of_all = [acl for acl in acls if acl.user in ("*", "") or acl.name == "*"]
    assert of_all == [Acl("hc-watch", "describe", "group", "literal", "*")]


# ── the feed's content ──


def test_the_feed_says_the_whole_network() -> None:
    content = feed.entries(SPEC.network)
    assert feed.network_of(content) == SPEC.network
    assert feed.network_of({}) == Network()
    assert len(feed.revision(content)) == 64


@given(st.sampled_from(sorted(WANT.feed)))
def test_every_entry_counts_for_the_revision(key: str) -> None:
    content = dict(WANT.feed)
    del content[key]
    assert feed.revision(content) != WANT.revision


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("agency/x", '{"id": "x", "later": 1}'),
        ("agency/x", "not json"),
        ("treaty/x", "{}"),
        ("nothing", "{}"),
    ],
)
def test_a_feed_that_this_version_does_not_understand_is_refused(key: str, value: str) -> None:
    with pytest.raises(NetworkError):
        feed.network_of({key: value})


# ── the form of the files ──

AGENCY = next(section for section in SECTIONS if section.kind == "agency")
REGION = next(section for section in SECTIONS if section.kind == "region")


def test_the_files_of_the_repository_are_in_form() -> None:
    assert check_folder(ROOT / "topics", rewrite=False) == []


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_one_form(newline: str) -> None:
    text = "# why\nname:   'One # not a comment'   # said\nid: x\n\nkinds:\n   - cyber\n   - wanted_person\n# last\n"
    form = 'id: x\n# why\nname: "One # not a comment"  # said\nkinds: [cyber, wanted_person]\n# last\n'
    assert formatted(text.replace("\n", newline), AGENCY) == form
    assert formatted(form, AGENCY) == form


def test_entries_keep_their_comments() -> None:
    text = "# top\nregions:\n# of north\n- name: North # cold\n  id: north\n  # these\n  states: [NOR]\n"
    form = "# top\nregions:\n  # of north\n  - id: north\n    name: North  # cold\n    # these\n    states: [NOR]\n"
    assert formatted(text, REGION) == form


def test_a_long_list_is_wrapped_and_stays_the_same() -> None:
    text = "regions:\n  - id: all\n    states: [" + ", ".join(["NOR"] * 60) + "]\n"
    form = formatted(text, REGION)
    assert max(map(len, form.splitlines())) <= 120
    assert formatted(form, REGION) == form


def test_a_comment_is_never_lost() -> None:
    with pytest.raises(NetworkError, match="line 3"):
        formatted("id: x\nkinds: [\n  cyber, # why\n  wanted_person]\n", AGENCY)


def test_the_command_tells_and_puts_right(tmp_path: Path) -> None:
    file = tmp_path / "coalitions.yaml"
    file.write_text("coalitions:\n- name: A\n  id: a\n")
    command = [sys.executable, "-m", "hueandcry.control.network.format"]
    told = subprocess.run([*command, "--check", tmp_path], capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 1
    assert f"{file}:2:1: not in the usual form" in told.stderr
    assert subprocess.run([*command, tmp_path], capture_output=True, timeout=60, check=False).returncode == 0
    assert file.read_text() == "coalitions:\n  - id: a\n    name: A\n"
    assert subprocess.run([*command, "--check", tmp_path], capture_output=True, timeout=60, check=False).returncode == 0
