"""`hueandcry network`: what topics/ says against what the cluster holds.

Exit codes: 0 no difference (or all applied), 1 error, 2 wrong usage, 3 there are differences (or some are left).
"""

from __future__ import annotations

import os
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.markup import escape
from rich.table import Table

from hueandcry.cli.console import Bar, clean_exit, json_line, progress, say, stdout
from hueandcry.control.local.profiles import passwords as local_passwords
from hueandcry.control.network import Change, Cluster, NetworkSpec, Plan, load_network
from hueandcry.control.network import apply as apply_network
from hueandcry.control.network import plan as plan_network
from hueandcry.control.network.strimzi import resources
from hueandcry.errors import NetworkError
from hueandcry.settings import Settings, home_dir, load
from hueandcry.wire.kafka import client_config, registry_client

app = typer.Typer(help="The network as code: topics/ against the cluster.", no_args_is_help=True)

DRIFT = 3
_SIGNS = {"create": "+", "alter": "~", "delete": "-", "refuse": "!"}
_COLOURS = {"create": "green", "alter": "yellow", "delete": "red", "refuse": "bold red"}


class Form(StrEnum):
    """Form of the differences on stdout."""

    table = "table"
    json = "json"
    yaml = "yaml"


class Part(StrEnum):
    """What can be left to others."""

    users = "users"
    quotas = "quotas"
    schemas = "schemas"


Folders = Annotated[
    list[Path] | None,
    typer.Option(
        "--dir",
        help="Folder that describes the network; more than one add up. "
        "Default: the setting network_dir, and the local set-up's network/ where there is one.",
        show_default=False,
    ),
]
OutputOption = Annotated[Form, typer.Option("--output", "-o", help="Form of the differences on stdout.")]
WithoutOption = Annotated[
    list[Part] | None, typer.Option("--without", help="Leave these to others; can be given more than once.")
]
DeleteOption = Annotated[
    bool, typer.Option("--allow-delete", help="Also delete what is ours on the cluster and not in the code.")
]


@app.command()
def lint(folders: Folders = None) -> None:
    """Check the files only; no cluster is asked."""
    with clean_exit():
        spec = _spec(folders, home_dir(), Path(os.environ.get("HUEANDCRY_NETWORK_DIR") or "topics"))
        network = spec.network
        say(
            f"Sound: {len(network.regions)} regions, {len(network.agencies)} agencies, "
            f"{len(network.subscriptions)} subscriptions, {len(network.keys)} keys."
        )


@app.command()
def plan(
    folders: Folders = None,
    allow_delete: DeleteOption = False,
    without: WithoutOption = None,
    output: OutputOption = Form.table,
) -> None:
    """Show what differs between the code and the cluster. Changes nothing."""
    with clean_exit():
        settings = load()
        spec = _spec(folders, settings.home, settings.network_dir)
        with progress("asking the cluster"):
            found = plan_network(spec, _cluster(settings, without or []))
        _show(found.changes, output)
        _summary(found, allow_delete)
        if found.of("refuse"):
            raise typer.Exit(1)
        if found.changes:
            raise typer.Exit(DRIFT)


@app.command()
def apply(
    folders: Folders = None,
    allow_delete: DeleteOption = False,
    without: WithoutOption = None,
    passwords: Annotated[
        Path | None,
        typer.Option(help="TOML file with lines of user = password, for users new on the broker.", show_default=False),
    ] = None,
    output: OutputOption = Form.table,
) -> None:
    """Make the cluster what the code says. A second time changes nothing."""
    with clean_exit():
        settings = load()
        spec = _spec(folders, settings.home, settings.network_dir)
        cluster = _cluster(settings, without or [])
        known = _passwords(settings.home, passwords)
        bar: Bar
        with progress("changing the cluster") as bar:
            told = 0

            def step(done: int, total: int, what: str) -> None:
                nonlocal told
                bar.advance(done - told)
                told = done

            made = apply_network(spec, cluster, passwords=known, allow_delete=allow_delete, progress=step)
        _show(made, output)
        say(f"{_count(len(made), 'change')} made." if made else "Nothing to change.")
        left = plan_network(spec, cluster)
        for note in left.notes:
            say(f"Note: {note}", "yellow")
        if left.changes:
            say(f"{_count(len(left.changes), 'thing')} on the cluster not in the code; --allow-delete takes them away.")
            raise typer.Exit(DRIFT)


@app.command()
def strimzi(
    cluster: Annotated[str, typer.Option(help="Name of Strimzi's Kafka resource.")],
    folders: Folders = None,
) -> None:
    """Print topics and users as Strimzi's KafkaTopic and KafkaUser, in YAML; no cluster is asked.

    Where Strimzi looks after them, `apply --without users --without quotas` does the rest: the feed and the schemas.
    """
    with clean_exit():
        spec = _spec(folders, home_dir(), Path(os.environ.get("HUEANDCRY_NETWORK_DIR") or "topics"))
        text = yaml.safe_dump_all(resources(spec, cluster), sort_keys=False, allow_unicode=True)
        typer.echo(text, nl=False)


def _spec(folders: list[Path] | None, home: Path, network_dir: Path) -> NetworkSpec:
    overlay = home / "network"
    return load_network(*(folders or [network_dir, *([overlay] if overlay.is_dir() else [])]))


def _cluster(settings: Settings, without: list[Part]) -> Cluster:
    with_registry = bool(settings.registry_url) and Part.schemas not in without
    return Cluster(
        client_config(settings),
        registry_client(settings) if with_registry else None,
        users=Part.users not in without,
        quotas=Part.quotas not in without,
    )


def _passwords(home: Path, file: Path | None) -> dict[str, str]:
    """Those of the local set-up, where there is one, and those of the file."""
    known = local_passwords(home) if (home / "operator" / "secrets.json").is_file() else {}
    if file is None:
        return known
    try:
        given = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise NetworkError(f"{file} can't be read as TOML", hint='Write lines such as fra-police = "…"') from None
    for user, password in given.items():
        if not isinstance(password, str) or not password:
            raise NetworkError(f"{file}: {user} has no text as its password", hint=f'Write {user} = "…"')
    return known | given


def _show(changes: tuple[Change, ...], output: Form) -> None:
    records = [change.as_record() for change in changes]
    if output is Form.json:
        typer.echo(json_line({"changes": records}))
    elif output is Form.yaml:
        typer.echo(yaml.safe_dump({"changes": records}, sort_keys=False, allow_unicode=True, width=120), nl=False)
    elif changes:
        table = Table(box=None, pad_edge=False)
        for heading in ("", "part", "name", "change"):
            table.add_column(heading, overflow="fold")
        for change in changes:
            table.add_row(
                _SIGNS[change.action],
                change.part,
                escape(change.name),
                escape(_detail(change)),
                style=_COLOURS[change.action],
            )
        stdout().print(table)


def _detail(change: Change) -> str:
    if change.why:
        return change.why
    record = change.as_record()
    match change.part, record["before"], record["after"]:
        case (("acl" | "user" | "feed"), _, _):
            return change.action
        case "topic", _, dict() as after:
            return f"{_count(after['partitions'], 'partition')}, {_count(after['replication_factor'], 'replica')}"
        case "subject", _, dict() as after:
            return f"{after['compatibility']}"
        case _, dict() as before, dict() as after:
            return ", ".join(f"{key} {before.get(key, 'unset')} → {value}" for key, value in after.items())
        case _, None, dict() as after:
            return ", ".join(f"{key} {value}" for key, value in after.items())
        case _, before, after:
            return f"{before} → {after}"


def _summary(found: Plan, allow_delete: bool) -> None:
    if not found.changes:
        say("No difference.")
    else:
        counts = {action: len(found.of(action)) for action in ("create", "alter", "delete", "refuse")}
        gone = "to delete" if allow_delete else "not in code (kept without --allow-delete)"
        say(
            f"{counts['create']} to create, {counts['alter']} to alter, {counts['delete']} {gone}, "
            f"{counts['refuse']} that can't be made."
        )
    for note in found.notes:
        say(f"Note: {note}", "yellow")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
