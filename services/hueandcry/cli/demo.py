"""`hueandcry demo`: everything from the start to the end on this machine, checked."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from hueandcry.cli.console import ERROR, USAGE, Output, clean_exit, fail, json_line, say
from hueandcry.cli.why import why
from hueandcry.control.local import LocalCluster
from hueandcry.control.network import load_network
from hueandcry.demo import expected, scenario
from hueandcry.demo.expected import NOBODY
from hueandcry.demo.stage import Result, now, own_cluster, run
from hueandcry.demo.view import LEGEND, LiveView, PlainView
from hueandcry.settings import PREFIX, home_dir

_WIDTH = 100
_OUTCOMES = ("delivered", "merged", "nobody_entitled", "refused")
_INTERRUPTED = 130
_MOST_DIFFERENCES = 40


def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running, to look around.")] = False,
    network: Annotated[
        Path | None,
        typer.Option(
            help="Folder that describes the network; else HUEANDCRY_NETWORK_DIR, else topics.", show_default=False
        ),
    ] = None,
    output: Annotated[Output, typer.Option("--output", "-o", help="Form of the summary on stdout.")] = Output.table,
) -> None:
    """Start Kafka and the platform, publish synthetic alerts as eight agencies, check who received what, stop.

    Has a cluster of its own in .hueandcry/demo (or under HUEANDCRY_HOME) and touches no other, whatever runs.

    Exit codes: 0 all is as its author states it; 1 something is not, or an error; 2 wrong usage; 130 interrupted.
    """
    as_json = output is Output.json
    console = Console(stderr=as_json)
    console = Console(stderr=as_json, width=min(console.width, 120) if console.is_terminal else _WIDTH)
    home = (home_dir() / "demo").resolve()
    network_dir = (network or Path(os.environ.get(PREFIX + "NETWORK_DIR") or "topics")).resolve()
    try:
        with clean_exit(), _ended_as_interrupted():
            good = _play(console, home, network_dir, keep=keep, as_json=as_json)
    except KeyboardInterrupt:
        say("Interrupted; everything is stopped.", "yellow")
        raise typer.Exit(_INTERRUPTED) from None
    if not good:
        raise typer.Exit(ERROR)


def _play(console: Console, home: Path, network_dir: Path, *, keep: bool, as_json: bool) -> bool:
    began = monotonic()
    if not network_dir.is_dir():
        fail(f"there is no network in {network_dir}. Run this where topics/ is, or name it with --network", USAGE)
    agencies = sorted(load_network(network_dir).network.agencies.values(), key=lambda agency: agency.id)
    console.rule("[bold]Hue and Cry[/bold]: police alerts, to exactly those who may have them")
    console.print(escape(LEGEND), highlight=False, style="dim")
    console.rule()
    live = LiveView(console, agencies) if console.is_terminal else PlainView(console, agencies, deliveries=not as_json)
    good = False
    with own_cluster(home, network_dir, live.doing, keep=keep, well=lambda: good) as cluster:
        with live as view:
            view.doing("starting Kafka")
            cluster.up()
            known = load_network(network_dir, cluster.home / "network").network
            up = monotonic() - began
            plan = scenario.load(now())
            result = run(cluster.home, known, cluster.client_config(), plan, view)
        good = not result.differences
        if not as_json:
            _tell(console, result)
            _say_desk(console, result)
            _ask(console, plan.questions, result, cluster.home)
        _summary(console, result, up, monotonic() - began)
        if as_json:
            print(json_line(_as_json(result, monotonic() - began)))
        if keep:
            _look_around(console, cluster, result)
    if not good:
        console.print(f"Logs are in {home / 'logs'}", highlight=False, soft_wrap=True)
    return good


def _tell(console: Console, result: Result) -> None:
    """Receipts by issuer, and every refusal with its reasons."""
    told = [each for list_ in result.told.values() for each in list_]
    table = _table("Receipts: what the issuers were told", "agency", *(name.replace("_", " ") for name in _OUTCOMES))
    for agency in sorted({each.agency for each in told} - {NOBODY}):
        counts = Counter(each.outcome for each in told if each.agency == agency)
        table.add_row(agency, *(str(counts[name] or "·") for name in _OUTCOMES))
    console.print(table, "")
    because = expected.load().because
    console.print("Refused, the bytes kept in quarantine", style="italic")
    for sent in result.sent:
        refusals = [each for each in result.told.get(sent.source, ()) if each.outcome == "refused"]
        if not refusals:
            continue
        to = next((each.agency for each in refusals if each.agency != NOBODY), NOBODY)
        reason = because.get((sent.reference, sent.version), "")
        console.print(f"[red]✗[/red] [bold]{sent.reference}[/bold] of {sent.agency}: {escape(reason)}; told: {to}")
        for remark in refusals[0].remarks:
            where = f"{remark['field'] or 'message'}: {remark['message']}"
            console.print(Padding(escape(f"[{remark['rule']}] {where}"), (0, 0, 0, 4)), highlight=False, style="dim")
    console.print()


def _say_desk(console: Console, result: Result) -> None:
    """The hit and the searches."""
    console.print("A hit, and searches", style="italic")
    for line in result.desk.said:
        console.print(Padding(escape(line), (0, 0, 0, 2)), highlight=False)
    console.print()


def _ask(console: Console, questions: Sequence[scenario.Question], result: Result, home: Path) -> None:
    """`hueandcry why`, as an operator would ask."""
    for question in questions:
        alert_id = result.id_of[question.alert]
        console.print(f"[bold]$ hueandcry why {alert_id} --agency {question.agency}[/bold]", highlight=False)
        # The command ends by an exit code that says yes or no; both are an answer.
        with suppress(typer.Exit):
            why(alert_id, question.agency, Output.table, home)
        console.print()


def _summary(console: Console, result: Result, up: float, took: float) -> None:
    if result.differences:
        table = _table("Not as expected", "agency", "alert", "expected", "found")
        for each in result.differences[:_MOST_DIFFERENCES]:
            table.add_row(*map(escape, each))
        console.print(table)
        if len(result.differences) > _MOST_DIFFERENCES:
            console.print(f"and {len(result.differences) - _MOST_DIFFERENCES} more")
    delivered = sum(map(len, result.inboxes.values()))
    redacted = sum(each.form == "redacted" for inbox in result.inboxes.values() for each in inbox)
    lines = {
        "Published": f"{len(result.sent)} messages of {len({each.agency for each in result.sent})} agencies",
        "Received": f"{delivered} deliveries in {len(result.inboxes)} inboxes; {redacted} redacted, "
        f"{result.verified} verified under their issuers' keys",
        "Desk": f"{result.desk.hits} hit confirmed, told to whom it concerns; {result.desk.searches} searches answered",
        "Balance": result.balance.sentence,
        "Time": f"{took:.0f} s, of which {up:.0f} s to start",
    }
    console.rule()
    for name, text in lines.items():
        console.print(f" {name:<10} {text}", highlight=False)
    if result.differences:
        console.print(f" [bold red]✗ {len(result.differences)} differences from what was expected[/bold red]")
    else:
        console.print(" [bold green]✓ Everyone received exactly what the scenario's author states, and nothing else.")
    console.rule()


def _as_json(result: Result, took: float) -> dict[str, Any]:
    refused = [
        {
            "alert": sent.reference,
            "sent_by": sent.agency,
            "receipt_to": [each.agency for each in told if each.agency != NOBODY],
            "rules": sorted({remark["rule"] for each in told for remark in each.remarks}),
        }
        for sent in result.sent
        if (told := [each for each in result.told.get(sent.source, ()) if each.outcome == "refused"])
    ]
    return {
        "as_expected": not result.differences,
        "published": len(result.sent),
        "received": {agency: len(inbox) for agency, inbox in sorted(result.inboxes.items())},
        "verified": result.verified,
        "desk": {"hits": result.desk.hits, "searches": result.desk.searches, "said": result.desk.said},
        "refused": refused,
        "balance": result.balance.to_json(),
        "differences": [each._asdict() for each in result.differences],
        "seconds": round(took, 1),
    }


def _look_around(console: Console, cluster: LocalCluster, result: Result) -> None:
    console.print(f"It is left running in {cluster.home}. To look around:", highlight=False, soft_wrap=True)
    alert_id = result.sent[0].alert_id
    for line in (
        f"export HUEANDCRY_HOME={cluster.home}",
        "hueandcry tail --as fra-police --from beginning --until-eos",
        "hueandcry tail --as ken-police --receipts --until-eos",
        f"hueandcry why {alert_id} --agency nor-border",
        "hueandcry doctor",
        "hueandcry local down",
    ):
        console.print(f"  {line}", highlight=False, soft_wrap=True)


def _table(title: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


@contextmanager
def _ended_as_interrupted() -> Iterator[None]:
    """SIGTERM ends the demonstration as Ctrl-C does, so that everything is stopped."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
