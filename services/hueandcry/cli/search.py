"""`hueandcry search`: which active alerts an agency may see on a vehicle, a person or a threat."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from hueandcry.cli.console import NO, OK, USAGE, Home, Output, clean_exit, fail, json_line, printable, say, stdout
from hueandcry.errors import SearchError
from hueandcry.sdk.profile import agency_profile
from hueandcry.sdk.search import Found, Search

#: Rules under which a search is refused because of how it was asked.
_ASKED_WRONGLY = ("question", "question.too_little", "question.too_wide")


def search(
    agency: Annotated[str, typer.Option("--as", metavar="AGENCY", help="Agency that asks.")],
    purpose: Annotated[str, typer.Option(metavar="TEXT", help="Why, in words or a code; it is logged.")],
    vin: Annotated[str | None, typer.Option(metavar="VIN", help="VIN; or its last eight, which propose only.")] = None,
    plate: Annotated[
        str | None,
        typer.Option(metavar="PLATE", help="Registration plate; give --state too. ? and * for what was not seen."),
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Name of a person; give --dob too.")] = None,
    dob: Annotated[str | None, typer.Option(metavar="DATE", help="Date of birth: 1984-05-17, 1984-05 or 1984.")] = None,
    nationality: Annotated[
        list[str] | None, typer.Option(metavar="STATE", help="Nationality, ISO 3166-1 alpha-3; may be repeated.")
    ] = None,
    document: Annotated[str | None, typer.Option(metavar="NUMBER", help="Number of an identity document.")] = None,
    indicator: Annotated[str | None, typer.Option(metavar="VALUE", help="Address, domain, URL, hash …")] = None,
    state: Annotated[
        str | None, typer.Option(metavar="STATE", help="State of the plate or document, ISO 3166-1 alpha-3.")
    ] = None,
    subdivision: Annotated[str | None, typer.Option(metavar="CODE", help="Of the plate, ISO 3166-2: US-CA.")] = None,
    kind: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Type of the plate, document or indicator.")
    ] = None,
    status: Annotated[str, typer.Option(metavar="STATUS", help="actual, exercise or test.")] = "actual",
    exact: Annotated[bool, typer.Option("--exact", help="Exact matches only.")] = False,
    officer: Annotated[
        str | None, typer.Option(metavar="REF", help="Who asks, as the agency names that person; it is logged.")
    ] = None,
    output: Annotated[Output, typer.Option(help="json has everything.")] = Output.table,
    home: Home = None,
) -> None:
    """Ask which active alerts an agency may see, by one of --vin, --plate, --name, --document and --indicator.

    Exact matches and possible ones are apart. Where a state lets others know that it has an alert, that state is named.

    Exit codes: 0 found, be it only a state to ask; 3 nothing found; 1 error; 2 wrong usage.
    """
    by: dict[str, Any] = {
        "vin": vin,
        "plate": plate and _given(raw=plate, state=state, subdivision=subdivision, type=kind),
        "person": name and _given(name=name, born=dob, nationalities=nationality),
        "document": document and _given(number=document, state=state, type=kind),
        "indicator": indicator and _given(value=indicator, type=kind),
    }
    asked = {key: value for key, value in by.items() if value}
    if len(asked) != 1:
        fail("give exactly one of --vin, --plate, --name, --document and --indicator", USAGE)
    _fitting(next(iter(asked)), state=state, subdivision=subdivision, kind=kind, dob=dob, nationality=nationality)
    with clean_exit():
        with Search(agency_profile(agency, home)) as client:
            try:
                found = client.ask(purpose, status=status, officer=officer, possible=not exact, **asked)
            except SearchError as error:
                if error.rule in _ASKED_WRONGLY:
                    fail(error.diagnostics(), USAGE)
                raise
        if output is Output.json:
            print(json_line(found.record))
        else:
            _show(found)
    raise typer.Exit(OK if found else NO)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


#: What may be said beside each, by the option's name.
_BESIDE = {
    "vin": set[str](),
    "plate": {"state", "subdivision", "kind"},
    "person": {"dob", "nationality"},
    "document": {"state", "kind"},
    "indicator": {"kind"},
}


def _fitting(by: str, **beside: Any) -> None:
    """An option that would be passed over is wrong usage: who gives it believes that it counts."""
    for name, value in beside.items():
        if value and name not in _BESIDE[by]:
            fail(f"--{'type' if name == 'kind' else name} says nothing of what is asked for; leave it out", USAGE)


def _show(found: Found) -> None:
    out = stdout()
    for remark in found.remarks:
        say(f"{remark['field']}: {remark['message']}", "yellow")
    if found.exact:
        out.print("[bold]Exact[/bold]")
        out.print(_table(found.exact))
        if found.more:
            out.print("There are more: narrow the question.", style="yellow")
    if found.proposed:
        out.print("[bold]Possible[/bold], to be looked at closer: nothing says that they are the same")
        out.print(_table(found.proposed))
    for each in found.elsewhere:
        out.print(
            f"[bold]{each['issuing_state']}[/bold] has a {each['kind']} alert on this that is not shown: ask there"
        )
    if not found:
        out.print("Nothing that this agency may know of.")
    as_of = datetime.fromisoformat(found.as_of).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    say(f"Registered up to {as_of} UTC; logged as {found.consultation_id}", "dim")


def _table(matches: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("alert", "issuer", "category", "action", "until", "about", "why"):
        table.add_column(column, overflow="fold")
    for match in matches:
        why = "; ".join(reason["message"] for reason in match.get("reasons", []))
        score = f"{match['score']:.2f}: " if "score" in match else ""
        table.add_row(
            match["alert_id"],
            f"{match['issuer']} ({match['issuing_state']})",
            match["category"],
            match["action"],
            match["expires_at"][:10],
            Text(printable(_about(match["kind"], match["alert"]["subject"])) + _redacted(match)),
            Text(score + why),
        )
    return table


def _redacted(match: dict[str, Any]) -> str:
    return " (redacted)" if match["form"] == "redacted" else ""


def _about(kind: str, subject: dict[str, Any]) -> str:
    """What an alert is about, in a few words."""
    if kind == "stolen_vehicle":
        vin, plate = subject["vin"], subject["plate"]
        words = [
            vin and vin["raw"],
            plate and plate["raw"],
            plate and plate["state"],
            subject["make"],
            subject["model"],
        ]
    elif kind == "wanted_person":
        identity, born = (subject["identities"] or [{}])[0], subject["born"] or {}
        date = "-".join(f"{born[part]:02}" for part in ("year", "month", "day") if born.get(part))
        words = [identity.get("family"), identity.get("given"), date, *subject["warnings"]]
    else:
        words = [each["value"] for each in subject["indicators"][:3]] or [subject["pattern"]]
    return " ".join(word for word in words if word)
