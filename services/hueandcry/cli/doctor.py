"""`hueandcry doctor`: what is wrong with the set-up, and what to do about it."""

from __future__ import annotations

import os
from collections import Counter
from typing import Annotated

import typer
from rich.markup import escape

from hueandcry.cli.console import ERROR, OK, Home, Output, clean_exit, json_line, stderr, stdout
from hueandcry.control.doctor import Finding, agency_checks, examine, operator_checks
from hueandcry.settings import PREFIX

_MARKS = {"ok": "[green]✓[/green]", "warning": "[yellow]![/yellow]", "wrong": "[red]✗[/red]", "skipped": "[dim]–[/dim]"}
_NAME_WIDTH = 14


def doctor(
    agency: Annotated[
        str | None,
        typer.Option("--as", metavar="AGENCY", help="Check as this agency; else as the operator.", show_default=False),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the findings on stdout.")] = Output.table,
    home: Home = None,
) -> None:
    """Say what is wrong with the set-up, and what to do about it. Changes nothing.

    As the operator: this machine, Kafka, registry, network, processors, and the balance: whether every message that
    came in has come out somewhere. As an agency: what it can see. ✓ well, ! see to it, ✗ wrong, – not asked.

    Exit codes: 0 nothing is wrong; 1 something is; 2 wrong usage.
    """
    if home is not None:
        os.environ[PREFIX + "HOME"] = str(home)
    checks = operator_checks() if agency is None else agency_checks(agency, home)
    found: list[Finding] = []
    out, waits = stdout(), stderr()
    with clean_exit(), waits.status("") as status:
        for finding in examine(checks, begins=lambda name: status.update(f"checking {name}")):
            found.append(finding)
            if output is Output.table:
                status.stop()
                out.print(
                    f"{_MARKS[finding.state]} {finding.name:<{_NAME_WIDTH}} {escape(finding.says)}", highlight=False
                )
                if finding.do:
                    out.print(f"{'':{_NAME_WIDTH + 2}} → {escape(finding.do)}", highlight=False)
                status.start()
    counts = Counter(each.state for each in found)
    if output is Output.json:
        print(json_line({"well": not counts["wrong"], "checks": [each.to_json() for each in found]}))
    else:
        out.print(_sentence(counts), highlight=False)
    raise typer.Exit(ERROR if counts["wrong"] else OK)


def _sentence(counts: Counter[str]) -> str:
    if counts["wrong"]:
        return f"[red]{counts['wrong']} wrong[/red], {counts['warning']} to see to, {counts['ok']} well."
    if counts["warning"]:
        return f"[yellow]Nothing is wrong; {counts['warning']} to see to.[/yellow]"
    return "[green]All is well.[/green]"
