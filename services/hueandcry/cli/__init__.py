"""The command `hueandcry`.

To add one: write `cli/<name>.py` and a line in COMMANDS. A single command is a function of the command's name; a group
is a `typer.Typer` called `app`. The module is imported only when its command runs, and the help shown for all of them
comes from COMMANDS, so that `hueandcry --help` stays fast: nothing that costs time belongs at the top of this file.

Data go to stdout, messages to stderr. A `HueAndCryError` that leaves a command is shown by its `diagnostics()`, with
exit code 1; wrong usage has exit code 2.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from hueandcry.errors import HueAndCryError


class _Entry(NamedTuple):
    help: str
    group: bool = False
    #: Words that, written first after the command, mean another command: its module and function.
    instead: tuple[str, ...] = ()


#: In the order in which the help shows them.
COMMANDS = {
    "publish": _Entry("Publish alerts from files as an agency."),
    "distinguish": _Entry("Say that an alert of yours is about another subject than another."),
    "tail": _Entry("Show what an agency receives."),
    "report": _Entry(
        "Report a hit, a sighting or a flag on an alert, or answer a hit; or `report accountability`.",
        instead=("accountability",),
    ),
    "search": _Entry("Ask which active alerts an agency may see on a vehicle, person or threat."),
    "why": _Entry("Say why an agency did or did not get an alert."),
    "ledger": _Entry("Verify the log of what was done with alerts, and prove what is in it.", group=True),
    "doctor": _Entry("Say what is wrong with the set-up."),
    "network": _Entry("Compare the network with the cluster, and make the cluster like it.", group=True),
    "serve": _Entry("Run one of the platform's processes.", group=True),
    "local": _Entry("A real Kafka and the platform on this machine.", group=True),
    "demo": _Entry("Start everything, publish synthetic alerts, and check who received what."),
}


class _Commands(TyperGroup):
    """Commands that are imported when they run."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Name and help of a command; the command itself comes by `resolve_command`."""
        entry = COMMANDS.get(cmd_name)
        return TyperCommand(cmd_name, help=entry.help) if entry else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, found, rest = super().resolve_command(ctx, args)
        if name and found and rest and rest[0] in COMMANDS[name].instead:
            return f"{name} {rest[0]}", _single(rest[0]), rest[1:]
        return name, _load(name) if name and found else found, rest


def _load(name: str) -> Any:
    module = import_module(f"hueandcry.cli.{name}")
    if COMMANDS[name].group:
        return typer.main.get_group(module.app)
    return _single(name)


def _single(name: str) -> Any:
    single = typer.Typer(add_completion=False)
    single.command(name)(getattr(import_module(f"hueandcry.cli.{name}"), name))
    return typer.main.get_command(single)


app = typer.Typer(
    cls=_Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root() -> None:
    """Police alerts, to exactly those who may have them."""


def main(arguments: list[str] | None = None) -> Any:
    """Run one command and exit."""
    try:
        return app(arguments, prog_name="hueandcry")
    except HueAndCryError as error:
        print(f"hueandcry: {error.diagnostics()}", file=sys.stderr)
        sys.exit(1)


__all__ = ["COMMANDS", "app", "main"]
