"""The chart renders, fits the API's schemas for every Kubernetes that it names, and keeps its promises."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from hueandcry.dashboards.rules import rules

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm"
VALUES = sorted((CHART / "ci").glob("*.yaml"))
#: The oldest that Chart.yaml allows, and a new one.
VERSIONS = ("1.27", "1.34")
#: Kinds of operators' own, which Kubernetes has no schema for.
FOREIGN = {"ServiceMonitor", "PrometheusRule", "ScaledObject"}
pytestmark = pytest.mark.skipif(shutil.which("helm") is None, reason="no helm: `make helm` gets one")


def helm(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["helm", *words], capture_output=True, text=True, timeout=120)


def rendered(values: Path, version: str = "1.31") -> list[dict[str, Any]]:
    told = helm("template", "try", str(CHART), "-f", str(values), "--kube-version", version)
    assert told.returncode == 0, told.stderr
    return [part for part in yaml.safe_load_all(told.stdout) if part]


def pods(parts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Pod specifications by component."""
    return {
        part["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]: part["spec"]["template"]["spec"]
        for part in parts
        if part["kind"] in ("Deployment", "StatefulSet")
    }


@pytest.mark.parametrize("values", VALUES, ids=lambda file: file.stem)
def test_it_lints(values: Path) -> None:
    told = helm("lint", str(CHART), "-f", str(values), "--strict")
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("values", VALUES, ids=lambda file: file.stem)
def test_what_is_rendered_fits_the_schemas(values: Path, version: str) -> None:
    parts = rendered(values, version)
    for part in parts:
        assert part["kind"] in FOREIGN or kubernetes_validate.validate(part, version, strict=True)
    names = [(part["kind"], part["metadata"]["name"]) for part in parts]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("values", VALUES, ids=lambda file: file.stem)
def test_every_pod_is_confined_and_says_how_it_is(values: Path) -> None:
    for component, pod in pods(rendered(values)).items():
        assert pod["automountServiceAccountToken"] is False, component
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"]["drop"] == ["ALL"]
            assert container["readinessProbe"]
            assert container["livenessProbe"]
            assert container["resources"]["limits"]["memory"]
            # A password is read from a secret, never written into the pod.
            for variable in container["env"]:
                secret = any(word in variable["name"] for word in ("PASSWORD", "SECRET"))
                assert not secret or "secretKeyRef" in variable["valueFrom"]


def test_a_pod_of_a_stage_keeps_its_name_its_state_and_its_place_apart() -> None:
    parts = rendered(CHART / "ci/all.yaml")
    for part in parts:
        if part["kind"] == "StatefulSet":
            assert part["spec"]["volumeClaimTemplates"]
            pod = part["spec"]["template"]["spec"]
            instance = next(e for e in pod["containers"][0]["env"] if e["name"] == "HUEANDCRY_INSTANCE")
            assert instance["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
            where = {each["topologyKey"] for each in pod["topologySpreadConstraints"]}
            assert where == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    budgets = {part["metadata"]["name"] for part in parts if part["kind"] == "PodDisruptionBudget"}
    assert {f"try-hueandcry-{name}" for name in ("admit", "distribute", "registry", "search")} <= budgets


def test_search_is_there_where_it_is_asked_for() -> None:
    assert "search" not in pods(rendered(CHART / "ci/values.yaml"))
    parts = rendered(CHART / "ci/all.yaml")
    (container,) = pods(parts)["search"]["containers"]
    given = {each["name"]: each.get("value") for each in container["env"]}
    assert container["command"] == ["hueandcry", "serve", "search"]
    (port,) = container["ports"]
    assert given["HUEANDCRY_SEARCH_PORT"] == str(port["containerPort"])
    (service,) = [p for p in parts if p["kind"] == "Service" and p["metadata"]["name"] == "try-hueandcry-search"]
    assert [each["targetPort"] for each in service["spec"]["ports"]] == [port["name"]]
    mounts = {each["mountPath"] for each in container["volumeMounts"]}
    files = [
        given[f"HUEANDCRY_{name}"] for name in ("SEARCH_CERTIFICATE", "SEARCH_KEY", "CA", "REGISTRY_CA", "STATE_DIR")
    ]
    assert all(any(file == mount or file.startswith(f"{mount}/") for mount in mounts) for file in files if file)
    told = helm("template", "try", str(CHART), "-f", str(CHART / "ci/values.yaml"), "--set", "search.enabled=true")
    assert told.returncode != 0


def test_dashboards_and_rules_are_those_that_are_tested() -> None:
    parts = rendered(CHART / "ci/all.yaml")
    boards = [
        part for part in parts if part["kind"] == "ConfigMap" and "grafana_dashboard" in part["metadata"]["labels"]
    ]
    found = {name: json.loads(text) for part in boards for name, text in part["data"].items()}
    assert found == {file.name: json.loads(file.read_text("utf-8")) for file in (CHART / "dashboards").glob("*.json")}
    (rule,) = [part for part in parts if part["kind"] == "PrometheusRule"]
    assert rule["spec"] == rules()


def test_jobs_are_called_as_the_rules_expect() -> None:
    parts = rendered(CHART / "ci/all.yaml")
    (monitor,) = [part for part in parts if part["kind"] == "ServiceMonitor"]
    for endpoint in monitor["spec"]["endpoints"]:
        (relabeling,) = endpoint["relabelings"]
        assert relabeling["replacement"] == "hueandcry-$1"
    ports = {port["name"] for part in parts if part["kind"] == "Service" for port in part["spec"]["ports"]}
    assert ports == {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]}


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("kafka.bootstrap=nowhere", "/kafka/bootstrap"),
        ("admit.replicas=0", "/admit/replicas"),
        ("registry.level=SOME", "/registry/level"),
        ("admit.relpicas=2", "relpicas"),
        ("watch.tls=here", "/watch/tls"),
    ],
)
def test_a_wrong_value_is_named(setting: str, named: str) -> None:
    told = helm("template", "try", str(CHART), "-f", str(CHART / "ci/values.yaml"), "--set", setting)
    assert told.returncode != 0
    assert named in told.stderr


def test_the_image_is_built_with_the_uv_that_the_makefile_names() -> None:
    (version,) = re.findall(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text("utf-8"), re.M)
    text = (CHART / "Dockerfile").read_text("utf-8")
    assert f"uv=={version}" in text
    # It runs as the user that the chart's pods run as.
    (user,) = {pod["securityContext"]["runAsUser"] for pod in pods(rendered(CHART / "ci/all.yaml")).values()}
    assert f"USER {user}:{user}" in text
