"""`hueandcry distinguish`: say that an alert of one's own is about another subject than another alert."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hueandcry.alerts.forms import is_uuid
from hueandcry.alerts.ids import alert_id
from hueandcry.cli.console import USAGE, Home, Output, clean_exit, fail, json_line, say
from hueandcry.cli.publish import publish_items
from hueandcry.errors import SettingsError
from hueandcry.sdk.files import Item, json_lines

DISTINCT = "distinct_from"


def distinguish(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="Id of the alert of your own.")],
    other: Annotated[str, typer.Argument(metavar="OTHER", help="Id of the alert that it is not the same as.")],
    agency: Annotated[str, typer.Option("--as", metavar="AGENCY", help="Agency that has issued ALERT.")],
    file: Annotated[
        Path, typer.Option("--from", exists=True, dir_okay=False, help="JSON lines that ALERT was published from.")
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Take back that they are distinct.")] = False,
    save: Annotated[bool, typer.Option("--save", help="Append the new version to the file.")] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="S", help="Seconds for Kafka's acknowledgement, and for the receipt.")
    ] = 30.0,
    output: Annotated[Output, typer.Option(help="Form of the result on stdout.")] = Output.table,
    home: Home = None,
) -> None:
    """Publish an update of ALERT which says that it is about another subject than OTHER, and wait for its receipt.

    The file must hold ALERT as it was published last; of several versions the highest counts. The update repeats it
    with the next version and the reference. The two are then no cluster and not linked, and do not become so again.

    Exit codes: 0 published and accepted; 1 not sound, refused, not acknowledged, or not in the file; 2 wrong usage;
    4 no receipt after --timeout.
    """
    for name, given in (("ALERT", alert), ("OTHER", other)):
        if not is_uuid(given):
            fail(f"{name} is not a UUID", USAGE)
    if alert == other:
        fail("ALERT and OTHER are the same", USAGE)
    with clean_exit():
        last = _last_version(file, alert, agency)
        update = next_version(last.alert or {}, other, distinct=not undo)
        code = publish_items(agency, home, [Item(last.place, update)], timeout=timeout, output=output)
        if save and not code:
            with file.open("a", encoding="utf-8") as stream:
                stream.write(f"{json_line(update)}\n")
            say(f"version {update['version']} is appended to {file}")
    raise typer.Exit(code)


def next_version(alert: dict[str, Any], other: str, *, distinct: bool) -> dict[str, Any]:
    """The update of an alert, in the publisher's form, that says or takes back that it is distinct from another."""
    references = [
        each
        for each in alert.get("references") or ()
        if not (isinstance(each, dict) and (each.get("alert_id"), each.get("relation")) == (other, DISTINCT))
    ]
    if distinct:
        references.append({"alert_id": other, "relation": DISTINCT})
    update = {name: value for name, value in alert.items() if name != "issued_at"}
    version = alert.get("version", 1)
    version = version + 1 if isinstance(version, int) else version
    return update | {"version": version, "message_type": "update", "references": references}


def _last_version(file: Path, wanted: str, agency: str) -> Item:
    found: list[Item] = []
    with file.open("rb") as stream:
        for item in json_lines(stream, file.name):
            if item.alert is not None and _id_of(item.alert, agency) == wanted:
                found.append(item)
    if not found:
        raise SettingsError(
            f"{file} has no alert {wanted} of {agency}", hint="Name the file that it was published from"
        )
    return max(found, key=lambda item: _version(item.alert or {}))


def _id_of(alert: dict[str, Any], agency: str) -> str | None:
    reference = alert.get("national_reference")
    return alert.get("alert_id") or (alert_id(agency, reference) if isinstance(reference, str) else None)


def _version(alert: dict[str, Any]) -> int:
    version = alert.get("version", 1)
    return version if isinstance(version, int) else 0
