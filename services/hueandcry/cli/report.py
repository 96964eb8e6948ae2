"""`hueandcry report`: what an agency says of an alert that it holds, or how it answers a hit on its own."""

from __future__ import annotations

import time
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from hueandcry.alerts.reports import ISSUERS
from hueandcry.cli.console import ERROR, INCOMPLETE, OK, USAGE, Home, Output, clean_exit, fail, json_line, say, stdout
from hueandcry.errors import AlertInvalid, PublishError
from hueandcry.sdk.delivery import Receipt
from hueandcry.sdk.profile import Profile, agency_profile
from hueandcry.sdk.reports import Reports, Sent
from hueandcry.sdk.subscriber import Notices, Receipts, Unreadable


class Kind(StrEnum):
    """What is reported: the types of hueandcry.alerts.reports."""

    hit = "hit"
    sighting = "sighting"
    locate = "locate"
    acknowledge = "acknowledge"
    flag = "flag"
    unflag = "unflag"
    confirm = "confirm"
    reject = "reject"
    clear = "clear"


def report(
    alert_id: Annotated[
        str | None, typer.Argument(metavar="ALERT_ID", help="The alert; with --answer it may be left out.")
    ] = None,
    *,
    agency: Annotated[str, typer.Option("--as", metavar="AGENCY", help="Agency that reports.")],
    kind: Annotated[Kind, typer.Option("--type", help="What is reported.")],
    answer: Annotated[
        str | None,
        typer.Option("--answer", metavar="REPORT_ID", help="The report that is confirmed, rejected, cleared."),
    ] = None,
    urgent: Annotated[
        bool, typer.Option("--urgent", help="A hit to be confirmed in 10 minutes, not in 1 hour.")
    ] = False,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="When it happened, ISO 8601 with a zone. Default: now.")
    ] = None,
    words: Annotated[str | None, typer.Option("--words", help="What was done, and how.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="With flag: why the action is suspended.")] = None,
    reference: Annotated[
        str | None,
        typer.Option("--reference", help="Your own reference: sent again with it, the report is known to be a repeat."),
    ] = None,
    version: Annotated[int, typer.Option("--version", min=0, help="Version of the alert; 0 is not stated.")] = 0,
    place_state: Annotated[str | None, typer.Option("--place-state", help="ISO 3166-1 alpha-3 code.")] = None,
    place_subdivision: Annotated[str | None, typer.Option("--place-subdivision", help="ISO 3166-2 code.")] = None,
    place_locality: Annotated[str | None, typer.Option("--place-locality", help="Town, district or road.")] = None,
    place_latitude: Annotated[float | None, typer.Option("--place-latitude", help="Degrees north.")] = None,
    place_longitude: Annotated[float | None, typer.Option("--place-longitude", help="Degrees east.")] = None,
    wait_receipt: Annotated[
        bool, typer.Option("--wait-receipt", help="Wait until the platform says what became of it.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="S", help="Seconds for Kafka, and for the receipt.")
    ] = 30.0,
    output: Annotated[Output, typer.Option(help="Form of the result on stdout.")] = Output.table,
    home: Home = None,
) -> None:
    """Report on an alert that the agency holds, or answer a hit on an alert of its own.

    hit asks the issuer to confirm; sighting, locate and acknowledge tell it. flag and unflag suspend the action in the
    agency's state, where it is the state's bureau. confirm, reject and clear are the issuer's, with --answer.

    Exit codes: 0 sent (with --wait-receipt: and accepted); 1 error, not sound, or refused; 2 wrong usage; 4 no receipt
    before --timeout.
    """
    if (answer is not None) != (kind.value in ISSUERS):
        fail("--answer REPORT_ID goes with --type confirm, reject and clear, and with no other", USAGE)
    if alert_id is None and answer is None:
        fail("say which alert: hueandcry report ALERT_ID --as AGENCY --type hit", USAGE)
    places = {"state": place_state, "subdivision": place_subdivision, "locality": place_locality}
    place = {**places, "latitude": place_latitude, "longitude": place_longitude}
    with clean_exit():
        profile = agency_profile(agency, home)
        fields: dict[str, Any] = {
            "type": kind.value,
            "alert_id": alert_id or _alert_of(profile, answer or "", timeout),
            "version": version,
            "urgency": "urgent" if urgent else "routine",
            "words": words,
            "reason": reason,
            "answers": answer,
            "reference": reference,
            "place": place if any(value is not None for value in place.values()) else None,
            **({"at": _time(at)} if at else {}),
        }
        code = _send(profile, fields, wait=wait_receipt, timeout=timeout, output=output)
    raise typer.Exit(code)


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        fail("--at is no time; write ISO 8601 with a time zone, 2026-03-01T12:00:00Z", USAGE)
    if found.tzinfo is None:
        fail("--at has no time zone; write one, for example 2026-03-01T12:00:00Z", USAGE)
    return found


def _alert_of(profile: Profile, report_id: str, timeout: float) -> str:
    """The alert of a report that the agency was told of."""
    ends = time.monotonic() + timeout
    with Notices(profile, name=None, from_="beginning", until_end=True) as notices:
        while (left := ends - time.monotonic()) > 0:
            try:
                notice = notices.take(left)
            except Unreadable:
                continue
            if notice is None:
                break
            if notice.report_id == report_id:
                return notice.alert_id
    return fail("the agency was told of no report with this id; look it up with: hueandcry tail --notices")


def _send(profile: Profile, fields: dict[str, Any], *, wait: bool, timeout: float, output: Output) -> int:
    # Opened before the report is sent, so that its receipt is not missed.
    receipts = Receipts(profile, name=None, from_="latest") if wait else None
    try:
        with Reports(profile, timeout=timeout) as reports:
            sent = reports.report(fields)
        receipt = _receipt(receipts, sent, timeout) if receipts is not None else None
    except AlertInvalid as error:
        for remark in error.remarks:
            say(f"{remark.field}: {remark.message} [{remark.rule}]")
        return ERROR
    except PublishError as error:
        say(error.diagnostics(), "red")
        return ERROR
    finally:
        if receipts is not None:
            receipts.close()
    _show(sent, receipt, output)
    if receipt is None:
        return INCOMPLETE if wait else OK
    for remark in receipt.remarks:
        say(f"{remark['field'] or 'message'}: {remark['message']} [{remark['rule']}]")
    return ERROR if receipt.outcome == "refused" else OK


def _receipt(receipts: Receipts, sent: Sent, timeout: float) -> Receipt | None:
    place = (sent.published.topic, sent.published.partition, sent.published.offset)
    ends = time.monotonic() + timeout
    while (left := ends - time.monotonic()) > 0:
        try:
            receipt = receipts.take(left)
        except Unreadable as error:
            say(error.diagnostics(), "yellow")
            continue
        if receipt is not None and not receipt.is_notice and receipt.source == place:
            return receipt
    return None


def _show(sent: Sent, receipt: Receipt | None, output: Output) -> None:
    if output is Output.json:
        result = {"report_id": sent.report_id, **sent.published._asdict()}
        print(json_line({**result, "receipt": receipt.to_json() if receipt else None}))
        return
    stdout().print(f"{sent.report_id}  {receipt.outcome if receipt else f'sent to {sent.published.topic}'}")
