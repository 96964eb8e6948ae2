"""`hueandcry report accountability`: what was done in a span of time, for who oversees the platform."""

from __future__ import annotations

import csv
import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from hueandcry.cli.console import OK, USAGE, Home, clean_exit, fail, json_line, progress, stdout
from hueandcry.distribute.schedule import KEPT_MS
from hueandcry.ledger.account import Account, account
from hueandcry.sdk.ledger import batches, consultations, entries
from hueandcry.sdk.profile import operator_profile
from hueandcry.sdk.times import iso

_COLUMNS = ("section", "agency", "state", "rule", "what", "form or purpose", "count")


class Form(StrEnum):
    """Form of what goes to stdout."""

    table = "table"
    json = "json"
    csv = "csv"


def accountability(
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="Begin: a day, or ISO 8601 with a zone.")],
    until: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="End, which does not belong to it. Default: now.")
    ] = None,
    output: Annotated[Form, typer.Option(help="Form of the result on stdout.")] = Form.table,
    home: Home = None,
) -> None:
    """Tell what was done with alerts in a span of time, out of the ledger: for the operator, and who oversees it.

    Disclosures by agency, its state, and rule; what was refused; searches by purpose; erasures that were due, done and
    overdue. A day without a time begins at midnight UTC. Run `hueandcry ledger verify` first: this reads, and believes.

    Exit codes: 0 done; 1 error; 2 wrong usage.
    """
    begin = _milliseconds("--from", since)
    end = _milliseconds("--to", until) if until else int(datetime.now(UTC).timestamp() * 1000)
    if begin >= end:
        fail("--from must be before --to", USAGE)
    with clean_exit():
        profile = operator_profile(home)
        searched = consultations(profile, progress, begin, end)
        log = (entry.record for entry in entries(batches(profile, progress)) if entry.record is not None)
        _show(account(log, searched, begin, end, KEPT_MS), output)
    raise typer.Exit(OK)


def _show(found: Account, output: Form) -> None:
    rows = found.rows()
    if output is Form.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(_COLUMNS)
        # What an agency has written may be a formula to a spreadsheet.
        writer.writerows(
            [f"'{cell}" if str(cell)[:1] in ("=", "+", "-", "@") else cell for cell in row] for row in rows
        )
    elif output is Form.json:
        span = {"from": iso(found.since), "to": iso(found.until)}
        names = [column.replace(" ", "_") for column in _COLUMNS]
        print(json_line({**span, "rows": [dict(zip(names, row, strict=True)) for row in rows]}))
    else:
        table = Table(*_COLUMNS, box=None, title=f"{iso(found.since)} to {iso(found.until)}")
        for row in rows:
            table.add_row(*(escape(str(cell)) for cell in row))
        stdout().print(table)


def _milliseconds(option: str, text: str) -> int:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{option} is no time; write 2026-03-01 or 2026-03-01T12:00:00Z", USAGE)
    if found.tzinfo is None:
        if len(text) > len("2026-03-01"):
            fail(f"{option} has no time zone; write one, for example 2026-03-01T12:00:00Z", USAGE)
        found = found.replace(tzinfo=UTC)
    return int(found.timestamp() * 1000)
