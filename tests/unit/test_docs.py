"""The documentation says what is there: commands, settings, topics, links, code."""

from __future__ import annotations

import ast
import functools
import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
import yaml

from hueandcry.alerts.model import Alert, complete
from hueandcry.cli import COMMANDS
from hueandcry.gateway.settings import PREFIX as GATEWAY_PREFIX
from hueandcry.gateway.settings import GatewaySettings
from hueandcry.ledger.settings import PREFIX as LEDGER_PREFIX
from hueandcry.ledger.settings import LedgerSettings
from hueandcry.registry.settings import PREFIX as REGISTRY_PREFIX
from hueandcry.registry.settings import RegistrySettings
from hueandcry.search.settings import PREFIX as SEARCH_PREFIX
from hueandcry.search.settings import SearchSettings
from hueandcry.settings import PREFIX, Settings
from hueandcry.watch.settings import PREFIX as WATCH_PREFIX
from hueandcry.watch.settings import WatchSettings

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *(ROOT / page for page in ("README.md", "CHANGELOG.md", "avro/README.md", "helm/README.md")),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "tests").rglob("*.md"),
    ]
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
_VARIABLE = re.compile(r"HUEANDCRY_[A-Z][A-Z_]*[A-Z]")
_MAKE = re.compile(r"`make ([a-z]+)|^make ([a-z]+)", re.M)


class Command(NamedTuple):
    """A `hueandcry …` that a page shows."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {' '.join(self.words)}"


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def fences(page: Path, *languages: str) -> list[str]:
    return [body for language, body in _FENCE.findall(page.read_text("utf-8")) if language in languages]


def shown_commands() -> Iterator[Command]:
    """Those of shell blocks (after `$ `, or whole lines), and those of inline code."""
    for page in PAGES:
        text = page.read_text("utf-8")
        found = [line for block in fences(page, "sh", "console") for line in block.splitlines()]
        found += re.findall(r"`([^`\n]+)`", _FENCE.sub("", text))
        for line in found:
            if line.removeprefix("$ ").startswith("hueandcry "):
                words = shlex.split(line.removeprefix("$ "), comments=True)[1:]
                end = next((at for at, word in enumerate(words) if word.startswith(("<<", "|", ">"))), len(words))
                yield Command(name(page), tuple(words[:end]))


@functools.cache
def command_of(word: str) -> Any:
    """The command or group of that name, as click knows it."""
    module: Any = __import__(f"hueandcry.cli.{word}", fromlist=["*"])
    if word in COMMANDS and COMMANDS[word].group:
        return typer.main.get_command(module.app)
    app = typer.Typer(add_completion=False)
    app.command()(getattr(module, word))
    return typer.main.get_command(app)


@pytest.mark.parametrize("command", sorted(set(shown_commands())), ids=str)
def test_every_command_that_is_shown_exists_with_its_options(command: Command) -> None:
    word, *rest = command.words
    assert word in COMMANDS
    if not rest:
        return
    found = command_of(word)
    if rest[0] in COMMANDS[word].instead:
        found, rest = command_of(rest[0]), rest[1:]
    elif COMMANDS[word].group:
        commands = found.commands
        assert rest[0] in commands
        found, rest = commands[rest[0]], rest[1:]
    known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {part.partition("=")[0] for part in rest if part.startswith("-") and part != "-"} <= known | {"--help"}


def test_commands_are_really_found() -> None:
    assert {command.words[0] for command in shown_commands()} == set(COMMANDS)


def test_every_command_is_explained() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    for word, entry in COMMANDS.items():
        assert f"hueandcry {word}" in text
        assert all(f"hueandcry {word} {sub}" in text for sub in entry.instead)
        if entry.group:
            missing = [sub for sub in command_of(word).commands if f"hueandcry {word} {sub}" not in text]
            assert missing == []


def test_every_setting_is_in_the_table_of_settings_and_nothing_else() -> None:
    table = [line for line in (ROOT / "docs/settings.md").read_text("utf-8").splitlines() if line.startswith("| `H")]
    told = [match[0] for line in table if (match := _VARIABLE.search(line))]
    real = {PREFIX + field.upper() for field in Settings.model_fields}
    real |= {REGISTRY_PREFIX + field.upper() for field in RegistrySettings.model_fields}
    real |= {WATCH_PREFIX + field.upper() for field in WatchSettings.model_fields}
    real |= {SEARCH_PREFIX + field.upper() for field in SearchSettings.model_fields}
    real |= {GATEWAY_PREFIX + field.upper() for field in GatewaySettings.model_fields}
    real |= {LEDGER_PREFIX + field.upper() for field in LedgerSettings.model_fields}
    real |= {PREFIX + "CONFIG", PREFIX + "CACHE", PREFIX + "KEEP_TEST_HOME"}
    assert sorted(told) == sorted(real)


_PREFIXES = {
    Settings: PREFIX,
    RegistrySettings: REGISTRY_PREFIX,
    SearchSettings: SEARCH_PREFIX,
    GatewaySettings: GATEWAY_PREFIX,
    LedgerSettings: LEDGER_PREFIX,
}


@pytest.mark.parametrize("of", _PREFIXES)
def test_the_table_of_settings_tells_the_real_defaults(of: Any) -> None:
    text = (ROOT / "docs/settings.md").read_text("utf-8")
    prefix = _PREFIXES[of]
    for field, info in of.model_fields.items():
        default = info.default
        if isinstance(default, (int, str, Path)) and str(default) and not info.is_required():
            assert f"| `{prefix}{field.upper()}` | `{default}` |" in text


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_variable_that_is_named_is_a_setting(page: Path) -> None:
    known = set(_VARIABLE.findall((ROOT / "docs/settings.md").read_text("utf-8")))
    assert set(_VARIABLE.findall(page.read_text("utf-8"))) <= known


def test_every_variable_of_the_code_is_in_the_table_of_settings() -> None:
    known = (ROOT / "docs/settings.md").read_text("utf-8")
    for file in (ROOT / "services").rglob("*.py"):
        missing = {variable for variable in _VARIABLE.findall(file.read_text("utf-8")) if variable not in known}
        assert missing == set(), file


def test_every_topic_is_explained() -> None:
    topics = {topic["name"] for topic in yaml.safe_load((ROOT / "topics/topics.yaml").read_text("utf-8"))["topics"]}
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    assert set(re.findall(r"^\| `([^`]+)` \|", text.partition("## Topics")[2].partition("\n## ")[0], re.M)) == topics


def test_every_folder_of_the_package_is_explained() -> None:
    folders = {file.parent.name for file in (ROOT / "services/hueandcry").glob("*/__init__.py")}
    text = (ROOT / "docs/architecture.md").read_text("utf-8").partition("## The code")[2].partition("\n## ")[0]
    assert {word for row in re.findall(r"^\| (`.+?`) \|", text, re.M) for word in re.findall(r"(\w+)/", row)} == folders


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", page.read_text("utf-8"))):
        if not link.startswith(("http://", "https://")):
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            assert target.is_relative_to(ROOT), link
            if anchor:
                assert anchor in anchors(target), link


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_can_be_reached() -> None:
    index = {(ROOT / "docs" / link).resolve() for link in _LINK.findall((ROOT / "docs/README.md").read_text("utf-8"))}
    assert set((ROOT / "docs").glob("*.md")) - {ROOT / "docs/README.md"} <= index
    decisions = ROOT / "docs/decisions"
    listed = set(_LINK.findall((decisions / "README.md").read_text("utf-8")))
    assert listed == {page.name for page in decisions.glob("*.md")} - {"README.md"}


def test_every_page_that_the_code_names_exists() -> None:
    for file in (ROOT / "services").rglob("*.py"):
        for page in re.findall(r"docs/[\w/-]+\.md", file.read_text("utf-8")):
            assert (ROOT / page).is_file(), f"{file} names {page}"


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.M))
    named = {one or other for page in PAGES for one, other in _MAKE.findall(page.read_text("utf-8"))}
    assert {"demo", "test", "up", "down"} <= named <= targets


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_python_in_the_documentation_compiles_and_imports_what_exists(page: Path) -> None:
    for block in fences(page, "python"):
        for node in ast.walk(ast.parse(block, name(page))):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = __import__(node.module, fromlist=[alias.name for alias in node.names])
                assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_alerts_in_the_documentation_are_sound(page: Path) -> None:
    lines = [line for block in fences(page, "json", "sh") for line in block.splitlines() if line.startswith("{")]
    now = datetime(2026, 6, 1, tzinfo=UTC)
    for line in lines:
        given = complete(json.loads(line), issuer="deu-vehicles", issuing_state="DEU", now=now)
        Alert.model_validate(given)


def test_publishing_and_subscribing_take_fewer_than_ten_lines() -> None:
    blocks = fences(ROOT / "README.md", "python")
    assert ["Publisher" in blocks[0], "Subscriber" in blocks[1], len(blocks)] == [True, True, 2]
    assert all(len([line for line in block.splitlines() if line.strip()]) < 10 for block in blocks)


def test_the_version_is_the_same_everywhere() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.M)
    assert version is not None
    chart = yaml.safe_load((ROOT / "helm/Chart.yaml").read_text("utf-8"))
    assert chart["appVersion"] == version[1]
    assert f"## {version[1]}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_variable_of_the_chart_is_a_setting() -> None:
    known = (ROOT / "docs/settings.md").read_text("utf-8")
    used = {
        variable
        for file in (ROOT / "helm/templates").iterdir()
        for variable in _VARIABLE.findall(file.read_text("utf-8"))
    }
    assert "HUEANDCRY_BOOTSTRAP" in used
    assert {variable for variable in used if f"`{variable}`" not in known} == set()
