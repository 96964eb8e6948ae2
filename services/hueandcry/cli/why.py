"""`hueandcry why`: why an agency did, or did not, get an alert."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from hueandcry.cli.console import ERROR, NO, OK, USAGE, Home, Output, clean_exit, fail, json_line, progress, stdout
from hueandcry.control import feed
from hueandcry.rights.index import RoutingIndex
from hueandcry.rights.may_receive import RuleVerdict, explain
from hueandcry.rights.network import Network
from hueandcry.sdk.profile import operator_profile
from hueandcry.sdk.register import Refused, Registered, RegisterReader
from hueandcry.sdk.times import iso
from hueandcry.wire.kafka import consumer_config


@dataclass(frozen=True)
class Answer:
    """Why an agency did, or did not, get an alert.

    Attributes:
        answer: received; represented (it was sent another alert on the same identity); entitled (it may have it, and
            asks for it, but was not sent it); not_subscribed; not_entitled.
        sent_version: the version that it was sent last; None where none.
        rules: what each rule says, by the network as it is now.
        subscriptions: those of the agency that match.
    """

    alert_id: str
    agency: str
    answer: str
    sent_version: int | None
    represented_by: str | None
    head: dict[str, Any]
    state: str
    cluster_id: str
    rules: list[RuleVerdict]
    subscriptions: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 where it has it or may have it, 3 where not."""
        return OK if self.answer in ("received", "represented", "entitled") else NO

    def to_json(self) -> dict[str, Any]:
        """Values that JSON has."""
        return {
            "alert_id": self.alert_id,
            "agency": self.agency,
            "answer": self.answer,
            "sent_version": self.sent_version,
            "represented_by": self.represented_by,
            "version": self.head["version"],
            "state": self.state,
            "issuer": self.head["issuer"],
            "kind": self.head["kind"],
            "cluster_id": self.cluster_id,
            "rules": [verdict._asdict() for verdict in self.rules],
            "subscriptions": list(self.subscriptions),
        }


def judge(registered: Registered, agency: str, network: Network) -> Answer:
    """The answer for an alert of the register, by the network as it is now."""
    entry = registered.entry
    head = entry["head"]
    rules = explain(network.agencies[agency], head, network)
    subscriptions = RoutingIndex(network).candidates(head).get(agency, ())
    sent = next((each["version"] for each in entry["sent"] if each["agency"] == agency), None)
    if sent is not None:
        answer = "received"
    elif not all(verdict.passed for verdict in rules):
        answer = "not_entitled"
    elif not subscriptions:
        answer = "not_subscribed"
    else:
        answer = "represented" if agency in registered.represented_by else "entitled"
    return Answer(
        alert_id=head["alert_id"],
        agency=agency,
        answer=answer,
        sent_version=sent,
        represented_by=registered.represented_by.get(agency) if answer == "represented" else None,
        head=head,
        state=entry["state"],
        cluster_id=entry["cluster_id"],
        rules=rules,
        subscriptions=subscriptions,
    )


def why(
    alert_id: Annotated[str, typer.Argument(metavar="ALERT_ID", help="Id of the alert.")],
    agency: Annotated[str, typer.Option("--agency", metavar="AGENCY", help="Agency that got it, or did not.")],
    output: Annotated[Output, typer.Option(help="Form of the answer on stdout.")] = Output.table,
    home: Home = None,
) -> None:
    """Say why an agency did, or did not, get an alert: every rule with its verdict, and what was really sent.

    For the operator: reads the register. Rules and subscriptions are judged by the network as it is now.

    Exit codes: 0 it has it, or may have it; 3 it is not entitled, or has not asked for it; 1 the alert is not known or
    was refused, or an error; 2 wrong usage.
    """
    try:
        wanted = str(uuid.UUID(alert_id))
    except ValueError:
        fail("ALERT_ID is not a UUID: take alert_id of `hueandcry publish --output json` or of a receipt", USAGE)
    with clean_exit():
        profile = operator_profile(home)
        network = feed.read(consumer_config(profile.settings, "operator.why"))
        if agency not in network.agencies:
            fail(f"the network has no agency {agency}; it has {', '.join(sorted(network.agencies)) or 'none'}")
        reader = RegisterReader(profile, progress)
        registered = reader.alert(wanted)
        if registered is None:
            _not_registered(wanted, agency, reader.refusals(wanted), output)
            raise typer.Exit(ERROR)
        answer = judge(registered, agency, network)
        if output is Output.json:
            print(json_line(answer.to_json()))
        else:
            _show(answer)
    raise typer.Exit(answer.exit_code)


def _not_registered(alert_id: str, agency: str, refusals: list[Refused], output: Output) -> None:
    if output is Output.json:
        value = {
            "alert_id": alert_id,
            "agency": agency,
            "answer": "refused" if refusals else "unknown",
            "refusals": [{"source": each.source, "at": iso(each.at), "remarks": each.remarks} for each in refusals],
        }
        print(json_line(value))
        return
    out = stdout()
    if not refusals:
        out.print(f"{alert_id} is unknown: it is not in the register, and nothing with its id was refused.")
        return
    out.print(f"[red]✗[/red] {alert_id} is not in the register: it was refused, so no agency has it.")
    for each in refusals:
        source = each.source
        out.print(f"  {iso(each.at)}  {source['topic']} partition {source['partition']} offset {source['offset']}")
        for remark in each.remarks:
            out.print(f"    {escape(remark['field'] or 'message')}: {escape(remark['message'])} \\[{remark['rule']}]")


def _show(answer: Answer) -> None:
    out = stdout()
    head = answer.head
    out.print(
        f"[bold]{answer.alert_id}[/bold] version {head['version']}, {head['kind']} / {head['category']}, "
        f"{answer.state}, of {head['issuer']}",
        highlight=False,
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    table.add_column("rule")
    table.add_column(f"for {answer.agency}")
    for verdict in answer.rules:
        table.add_row(_mark(verdict.passed), verdict.rule, escape(verdict.reason))
    asked = ", ".join(answer.subscriptions) or "none of its subscriptions asks for such an alert"
    table.add_row(_mark(bool(answer.subscriptions)), "subscription", asked)
    table.add_row(_mark(answer.answer == "received"), "sent", _sent(answer))
    out.print(table)
    out.print(_sentence(answer), style="green" if answer.exit_code == OK else "red", highlight=False)


def _mark(passed: bool) -> str:
    return "[green]✓[/green]" if passed else "[red]✗[/red]"


def _sent(answer: Answer) -> str:
    if answer.sent_version is None:
        return "not sent"
    return f"version {answer.sent_version}"


def _sentence(answer: Answer) -> str:
    match answer.answer:
        case "received":
            tail = (
                "" if all(verdict.passed for verdict in answer.rules) else "; by the network as it is now it would not"
            )
            return f"{answer.agency} has received it{tail}."
        case "represented":
            return f"{answer.agency} was sent {answer.represented_by} instead: same identity, same category."
        case "entitled":
            return f"{answer.agency} may have it and asks for it by the network as it is now, but was not sent it."
        case "not_subscribed":
            return f"{answer.agency} may have it, but has not asked for it."
        case _:
            refusing = next(verdict.rule for verdict in answer.rules if not verdict.passed)
            return f"{answer.agency} is not entitled to it: {refusing}."
