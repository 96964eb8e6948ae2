"""`hueandcry tail`: what an agency receives, as it comes."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from hueandcry.cli.console import (
    INCOMPLETE,
    OK,
    USAGE,
    Home,
    Output,
    clean_exit,
    fail,
    json_line,
    printable,
    say,
    stdout,
)
from hueandcry.sdk.delivery import Delivery, Notice, Receipt
from hueandcry.sdk.profile import agency_profile
from hueandcry.sdk.subscriber import Notices, Receipts, Subscriber, Unreadable
from hueandcry.sdk.times import Start, parse_start

_ACTION = {
    "issued": "green",
    "updated": "cyan",
    "withdrawn": "yellow",
    "expired": "yellow",
    "recalled": "red",
    "linked": "magenta",
}
_OUTCOME = {"delivered": "green", "merged": "cyan", "nobody_entitled": "yellow", "refused": "red", "notice": "magenta"}
_NOTICE = {"report": "green", "answer": "cyan", "second_request": "yellow", "escalated": "red", "same_subject": "green"}
_FORM = {"original": "", "redacted": "magenta", "none": "dim"}


def tail(
    agency: Annotated[str, typer.Option("--as", metavar="AGENCY", help="Agency that receives.")],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="START",
            help="beginning, latest, an ISO 8601 time, or how long ago (10m, 2h, 3d). Default: latest; with "
            "--until-eos the beginning; with --group where the group was.",
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="End after so many.")] = None,
    timeout: Annotated[float | None, typer.Option(min=0.1, metavar="S", help="End after so many seconds.")] = None,
    output: Annotated[Output, typer.Option(help="json has everything, one line each.")] = Output.table,
    follow: Annotated[
        bool, typer.Option("--follow/--until-eos", help="Wait for more, or end when all there was has been shown.")
    ] = True,
    receipts: Annotated[
        bool, typer.Option("--receipts", help="Receipts of what the agency published, instead of its inbox.")
    ] = False,
    notices: Annotated[
        bool,
        typer.Option("--notices", help="Hits, sightings and answers that concern the agency, instead of its inbox."),
    ] = False,
    group: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Keep the place under this name, and go on from it."),
    ] = None,
    home: Home = None,
) -> None:
    """Show what an agency receives, as it comes: alerts of its inbox, receipts, or notices.

    Exit codes: 0 ended as asked (limit, end, timeout, Ctrl-C); 1 error; 2 wrong usage; 4 --limit was given and not
    reached before --timeout or Ctrl-C.
    """
    if receipts and notices:
        fail("--receipts and --notices are two topics: ask for one", USAGE)
    start = _start(from_, group, follow)
    ends = None if timeout is None else time.monotonic() + timeout
    with clean_exit():
        profile = agency_profile(agency, home)
        kind = Receipts if receipts else Notices if notices else Subscriber
        with kind(profile, name=group, from_=start, until_end=not follow) as stream:
            if output is Output.table:
                stdout().print(_HEADERS[kind], style="bold")
            try:
                complete = _show(stream, output, limit, ends, keep=group is not None)
            except KeyboardInterrupt:
                complete = limit is None
    raise typer.Exit(OK if complete else INCOMPLETE)


def _start(from_: str | None, group: str | None, follow: bool) -> Start | None:
    if from_ is None:
        if group:
            return None
        return "latest" if follow else "beginning"
    try:
        return parse_start(from_, datetime.now(UTC))
    except ValueError as error:
        fail(f"--from: {error}", USAGE)


def _show(
    stream: Subscriber | Receipts | Notices, output: Output, limit: int | None, ends: float | None, *, keep: bool
) -> bool:
    """Show messages; whether as many as were asked for."""
    shown = 0
    while limit is None or shown < limit:
        left = None if ends is None else ends - time.monotonic()
        if left is not None and left <= 0:
            return limit is None
        try:
            message = stream.take(left)
        except Unreadable as error:
            say(error.diagnostics(), "yellow")
            continue
        if message is None:
            return limit is None or (stream.until_end and stream.at_end)
        if output is Output.json:
            print(json_line(message.to_json()), flush=True)
        else:
            stdout().print(_row(message))
        shown += 1
        if keep:
            stream.processed()
    return True


_HEADERS: dict[type, str] = {
    Subscriber: "time      action     kind            ver  issuer            form      alert",
    Receipts: "time      outcome          ver  to   alert                                 remarks",
    Notices: f"time      notice          what         from               answer by  {'report':<36}  alert",
}


def _row(message: Delivery | Receipt | Notice) -> Text:
    if isinstance(message, Delivery):
        return delivery_row(message)
    return receipt_row(message) if isinstance(message, Receipt) else notice_row(message)


def delivery_row(delivery: Delivery) -> Text:
    """One row for people; says what the alert is about as far as the agency may know."""
    row = Text()
    row.append(f"{delivery.delivered_at.astimezone():%H:%M:%S}  ")
    row.append(f"{delivery.action:<10} ", _ACTION.get(delivery.action, "red"))
    row.append(f"{delivery.kind:<15} {delivery.version:>3}  ")
    row.append(f"{printable((delivery.alert or {}).get('issuer', '–')):<17} ")
    row.append(f"{delivery.form:<9} ", _FORM.get(delivery.form, "red"))
    row.append(f"{delivery.alert_id}  ", "dim")
    if delivery.suspended:
        row.append("SUSPENDED ", "bold red")
    if delivery.action == "linked":
        row.append(f"with {', '.join(map(printable, delivery.related))}: {printable(delivery.reason)}", "dim")
    elif delivery.alert is None:
        row.append(printable(delivery.reason) or "without the alert", "dim")
    else:
        row.append(subject_line(delivery.alert))
    return row


def receipt_row(receipt: Receipt) -> Text:
    """One row for people; remarks by field and rule."""
    row = Text()
    at = datetime.fromtimestamp(receipt.record["at"] / 1000, UTC).astimezone()
    row.append(f"{at:%H:%M:%S}  ")
    row.append(f"{receipt.outcome:<15} ", _OUTCOME.get(receipt.outcome, "red"))
    row.append(f"{receipt.version or '–':>4} {receipt.delivered_to:>3}   ")
    row.append(f"{receipt.alert_id or '–':<36}  ", "dim")
    notes = [f"{remark['field'] or 'message'} [{remark['rule']}]" for remark in receipt.remarks]
    if receipt.merged_into:
        notes.insert(0, f"merged into {receipt.merged_into}")
    row.append(", ".join(notes))
    return row


def notice_row(notice: Notice) -> Text:
    """One row for people; the words of the report at the end."""
    report = notice.report or {}
    row = Text()
    row.append(f"{notice.at.astimezone():%H:%M:%S}  ")
    row.append(f"{notice.type:<15} ", _NOTICE.get(notice.type, "red"))
    row.append(f"{report.get('type', '–'):<12} {printable(report.get('reporter', '–')):<18} ")
    due = f"{notice.due_at.astimezone():%H:%M:%S}" if notice.due_at else "–"
    row.append(f"{due:<10} ", "bold" if notice.due_at else "dim")
    row.append(f"{notice.report_id}  {notice.alert_id}  ", "dim")
    row.append(printable(report.get("words") or report.get("reason") or notice.reason))
    return row


def subject_line(alert: dict[str, Any]) -> str:
    """What an alert is about, in a few words."""
    subject = alert["subject"]
    match alert["kind"]:
        case "stolen_vehicle":
            plate = subject["plate"] or {}
            vin = subject["vin"] or {}
            words = [subject["make"], subject["model"], plate.get("state"), plate.get("raw"), vin.get("raw")]
        case "wanted_person":
            identity = (subject["identities"] or [{}])[0]
            words = [identity.get("family"), identity.get("given"), alert["category"]]
        case "cyber":
            count = len(subject["indicators"])
            words = [*subject["malware"][:2], f"{count} indicator{'' if count == 1 else 's'}"]
        case _:
            words = []
    return printable(" ".join(str(word) for word in words if word))
