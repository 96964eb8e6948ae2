"""Strimzi's resources say what `network apply` would make, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hueandcry.cli import main
from hueandcry.control.network import load_network
from hueandcry.control.network.acls import Acl
from hueandcry.control.network.state import Topic, wanted
from hueandcry.control.network.strimzi import resources

TOPICS = Path(__file__).parents[2] / "topics"
SPEC = load_network(TOPICS)
WANT = wanted(SPEC, with_subjects=False)
MADE = list(resources(SPEC, "police"))
#: RFC 1123, as Kubernetes asks of a name.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


def of(kind: str) -> list[dict[str, Any]]:
    return [part for part in MADE if part["kind"] == kind]


def test_names_are_kubernetes_and_no_two_are_the_same() -> None:
    names = [(part["kind"], part["metadata"]["name"]) for part in MADE]
    assert len(set(names)) == len(names)
    assert all(_NAME.fullmatch(name) and len(name) <= 253 for _, name in names)
    assert {part["metadata"]["labels"]["strimzi.io/cluster"] for part in MADE} == {"police"}


def test_topics_are_those_of_the_network() -> None:
    found = {
        part["spec"]["topicName"]: Topic(
            part["spec"]["partitions"],
            part["spec"]["replicas"],
            {name: str(value) for name, value in part["spec"]["config"].items()},
        )
        for part in of("KafkaTopic")
    }
    assert found == WANT.topics


def test_users_have_the_same_rights() -> None:
    words = {"Read": "read", "Write": "write", "Describe": "describe", "DescribeConfigs": "describe_configs"}
    kinds: dict[str, Any] = {"topic": "topic", "group": "group", "transactionalId": "transactional_id"}
    found = {
        Acl(
            part["metadata"]["name"],
            words[operation],
            kinds[rule["resource"]["type"]],
            "prefixed" if rule["resource"]["patternType"] == "prefix" else "literal",
            rule["resource"]["name"],
            rule["type"],
            rule["host"],
        )
        for part in of("KafkaUser")
        for rule in part["spec"]["authorization"]["acls"]
        for operation in rule["operations"]
    }
    assert found == WANT.acls
    assert {part["metadata"]["name"] for part in of("KafkaUser")} == WANT.users
    assert {part["spec"]["authentication"]["type"] for part in of("KafkaUser")} == {"scram-sha-512"}


def test_the_command_prints_them(capsys: Any, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.setenv("HUEANDCRY_HOME", str(tmp_path))
    with pytest.raises(SystemExit) as stopped:
        main(["network", "strimzi", "--cluster", "police", "--dir", str(TOPICS)])
    assert not stopped.value.code
    assert list(yaml.safe_load_all(capsys.readouterr().out)) == MADE
