"""`hueandcry local`: a real Kafka, the registry and the processors on this machine.

With HUEANDCRY_BOOTSTRAP set, that cluster is used in place of a local Kafka, with HUEANDCRY_USER, _PASSWORD and _CA as
its operator's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from rich.table import Table

from hueandcry.cli.console import NO, Output, json_line, say, stderr, stdout
from hueandcry.control.local import LocalCluster, Status
from hueandcry.settings import PREFIX, home_dir, load

app = typer.Typer(no_args_is_help=True, help="A real Kafka and the platform on this machine.")

HomeOption = Annotated[
    Path | None, typer.Option(help="Folder of the set-up; else HUEANDCRY_HOME, else .hueandcry.", show_default=False)
]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Form of the result on stdout.")]


@app.command()
def up(
    home: HomeOption = None,
    processors: Annotated[
        bool, typer.Option("--processors/--no-processors", help="Also start admit, distribute, search, gateway.")
    ] = True,
) -> None:
    """Start what does not run yet, and wait until it is ready."""
    console = stderr()
    began = monotonic()
    with console.status("looking at what runs") as status:

        def show(message: str) -> None:
            if console.is_terminal:
                status.update(message)
            else:
                say(message)

        cluster = _cluster(home, show)
        cluster.up(processors=processors)
    say(f"Up after {monotonic() - began:.1f} s: Kafka at {cluster.bootstrap}, profiles in {cluster.home}", "green")


@app.command()
def down(home: HomeOption = None) -> None:
    """Stop what `up` started, and nothing else. Data and profiles stay."""
    cluster = _cluster(home)
    running = [one.name for one in cluster.status() if one.pid]
    with stderr().status(f"stopping {', '.join(running) or 'nothing'}"):
        cluster.down()
    say(f"Stopped {', '.join(running)}" if running else "Nothing was running")


@app.command()
def status(home: HomeOption = None, output: OutputOption = Output.table) -> None:
    """Show what runs and where. Exit code 3 where something does not."""
    found = _cluster(home).status()
    if output is Output.json:
        for one in found:
            record = {"name": one.name, "pid": one.pid, "address": one.address, "ready": one.ready, "log": str(one.log)}
            typer.echo(json_line(record))
    else:
        stdout().print(_table(found))
    if not all(one.ready for one in found):
        raise typer.Exit(NO)


def _cluster(home: Path | None, say: Callable[[str], None] = lambda _: None) -> LocalCluster:
    external = load("user", "password") if os.environ.get(PREFIX + "BOOTSTRAP") else None
    network_dir = Path(os.environ.get(PREFIX + "NETWORK_DIR") or "topics")
    return LocalCluster(home or home_dir(), network_dir=network_dir, external=external, say=say)


def _table(found: list[Status]) -> Table:
    table = Table("process", "state", "pid", "address", "log", box=None)
    for one in found:
        state = "[green]ready" if one.ready else "[yellow]starting" if one.pid else "[red]down"
        table.add_row(one.name, state, str(one.pid or ""), one.address, str(one.log))
    return table
