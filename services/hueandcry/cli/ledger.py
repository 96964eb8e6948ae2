"""`hueandcry ledger`: the log of what was done with alerts, verified by whoever wants to."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from hueandcry.cli.console import (
    INCOMPLETE,
    NO,
    OK,
    USAGE,
    Home,
    Output,
    clean_exit,
    fail,
    json_line,
    progress,
    say,
    stdout,
)
from hueandcry.errors import HueAndCryError, LedgerError, ProofError
from hueandcry.ledger.checkpoints import open_checkpoint
from hueandcry.ledger.notes import VerifierKey
from hueandcry.ledger.proofs import LedgerProof
from hueandcry.ledger.records import RECORD
from hueandcry.ledger.verify import Fault, Verifier, signed
from hueandcry.sdk.jsonable import jsonable
from hueandcry.sdk.ledger import Ledger, batches, checkpoints, entries, ledger_key
from hueandcry.sdk.profile import Profile, agency_profile, operator_profile
from hueandcry.sdk.times import iso

app = typer.Typer(no_args_is_help=True, help="The log of what was done with alerts: verify it, prove what is in it.")

OutputOption = Annotated[Output, typer.Option(help="Form of the result on stdout.")]
KeyOption = Annotated[
    str | None,
    typer.Option("--key", metavar="KEY", help="The ledger's public key, name+id+key; else that of the profile."),
]
_PENDING_SECONDS = 30.0


@app.command()
def verify(
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", metavar="FILE", help="A checkpoint that was kept; may be given several times."),
    ] = None,
    agency: Annotated[
        str | None,
        typer.Option("--as", metavar="AGENCY", help="As an agency: that the log of today goes on from --checkpoint."),
    ] = None,
    log_file: Annotated[
        Path | None, typer.Option("--dump", metavar="FILE", help="Read a dump of the log, not Kafka's.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="FILE", help="An earlier dump: by it a fault is found to the record."),
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Keep the newest checkpoint that was verified here.")
    ] = None,
    key: KeyOption = None,
    output: OutputOption = Output.table,
    home: Home = None,
) -> None:
    """Read the whole log, make its tree anew, and hold it against every checkpoint that was ever signed.

    For the operator, who may read the log. An agency (--as) verifies without it: all checkpoints on the public topic
    are signed, no two contradict each other, and the log of today goes on from each that it has kept.

    Exit codes: 0 all is as it was signed; 3 something was changed, dropped, moved or forked; 1 error; 2 wrong usage.
    """
    with clean_exit():
        profile = agency_profile(agency, home) if agency else operator_profile(home)
        keys = [VerifierKey.parse(key) if key else ledger_key(profile)]
        kept = [(str(path), _text_of(path)) for path in checkpoint or []]
        published = list(checkpoints(profile, progress))
        found = signed([*published, *kept], keys)
        faults = list(found.faults)
        result: dict[str, Any] = {"checkpoints": len(published) + len(kept)}
        if agency:
            newest = _goes_on(profile, found.roots, kept, keys, faults)
            result["size"] = newest
        else:
            copy = [entry.leaf for entry in entries(_dump(against))] if against else []
            verifier = Verifier(found.roots, lambda index: copy[index] if index < len(copy) else None)
            for value in _dump(log_file) if log_file else batches(profile, progress):
                verifier.take(value)
            faults += verifier.end()
            result |= {"size": verifier.size, "root": verifier.root().root.hex(), "verified": verifier.checked}
        if save is not None and not faults and (published or kept):
            save.write_text(max((_sized(note, keys) for _, note in [*published, *kept]))[1], "utf-8")
        _show_verified(result, faults, output)
    raise typer.Exit(NO if faults else OK)


@app.command()
def prove(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="Alert, receipt or search that records are asked of.")],
    agency: Annotated[str, typer.Option("--agency", metavar="AGENCY", help="Agency that asks, by its own profile.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="File for the proof; with several, a number is put in."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.0, metavar="S", help="Seconds to wait until a checkpoint covers all records.")
    ] = _PENDING_SECONDS,
    output: OutputOption = Output.table,
    home: Home = None,
) -> None:
    """Get proofs that what concerns an agency is in the log: what it was sent of an alert, what it did with it.

    Each goes to a file of its own, which `hueandcry ledger check` verifies without a connection.

    Exit codes: 0 there are proofs; 3 the ledger has nothing of it for this agency; 4 no checkpoint covers it yet; 1
    error; 2 wrong usage.
    """
    try:
        asked = str(uuid.UUID(wanted))
    except ValueError:
        fail("ID is not a UUID: take the alert_id, receipt_id or consultation_id", USAGE)
    with clean_exit():
        profile = agency_profile(agency, home)
        ends = time.monotonic() + timeout
        with Ledger(profile) as ledger:
            found = ledger.proofs(asked)
            while found.pending and time.monotonic() < ends:
                time.sleep(min(1.0, max(0.0, ends - time.monotonic())))
                found = ledger.proofs(asked)
            keys = [ledger.key]
        if not found.proofs:
            say(
                "The ledger has a record of it that no checkpoint covers yet; ask again"
                if found.pending
                else "The ledger has no record of it that concerns this agency"
            )
            raise typer.Exit(INCOMPLETE if found.pending else NO)
        for number, proof in enumerate(found.proofs):
            path = _numbered(out or Path(f"{asked}.tlog-proof"), number, len(found.proofs))
            path.write_text(proof.to_text(), "utf-8")
            _show_proof(proof, keys, output, path)
        if found.more:
            say("There are older records than were sent", "yellow")
    raise typer.Exit(OK)


@app.command()
def check(
    proof: Annotated[list[Path], typer.Argument(metavar="PROOF", help="Files of `hueandcry ledger prove`.")],
    key: KeyOption = None,
    agency: Annotated[
        str | None,
        typer.Option("--as", metavar="AGENCY", help="Whose profile has the key; else the operator's."),
    ] = None,
    output: OutputOption = Output.table,
    home: Home = None,
) -> None:
    """Verify proofs offline: the record is in the log whose checkpoint is in the file, and the log has signed that.

    Exit codes: 0 all hold; 3 one does not; 1 error; 2 wrong usage.
    """
    with clean_exit():
        if key:
            keys = [VerifierKey.parse(key)]
        else:
            keys = [ledger_key(agency_profile(agency, home) if agency else operator_profile(home))]
        code = OK
        for path in proof:
            try:
                _show_proof(LedgerProof.from_text(_text_of(path)), keys, output, path)
            except ProofError as error:
                say(f"{path}: {error.diagnostics()} [{error.rule}]", "red")
                code = NO
    raise typer.Exit(code)


@app.command()
def show(
    wanted: Annotated[
        str | None, typer.Argument(metavar="ID", help="Only what is on this alert, receipt, report or search.")
    ] = None,
    kind: Annotated[str | None, typer.Option("--type", help="Only of this type, for example disclosed.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Only from this time on, ISO 8601.")
    ] = None,
    output: OutputOption = Output.table,
    home: Home = None,
) -> None:
    """Show the records of the log, for the operator.

    Exit codes: 0 there are some; 3 there are none; 1 error; 2 wrong usage.
    """
    start = _milliseconds(since) if since else None
    with clean_exit():
        profile = operator_profile(home)
        table = Table("index", "at", "type", "what", "by", "to", "alert", "rule", "form", "ref", box=None)
        shown = 0
        for entry in entries(batches(profile, progress)):
            record = entry.record
            if record is None or (kind and record["type"] != kind) or (start is not None and record["at"] < start):
                continue
            if wanted and wanted not in (record["alert_id"], record["ref"]):
                continue
            shown += 1
            if output is Output.json:
                print(json_line({"index": entry.index, "leaf": entry.leaf.hex(), **jsonable(RECORD, dict(record))}))
            else:
                cells = (str(entry.index), iso(record["at"]), record["type"], record["what"], record["by"])
                more = (record["to"] or "", _alert(record), record["rule"], record["form"], record["ref"])
                table.add_row(*map(escape, (*cells, *more)))
        if output is Output.table and shown:
            stdout().print(table)
    raise typer.Exit(OK if shown else NO)


def _goes_on(
    profile: Profile,
    roots: dict[int, bytes],
    kept: list[tuple[str, str]],
    keys: list[VerifierKey],
    faults: list[Fault],
) -> int:
    """Size of the log of today, as the agency has verified that it goes on from what was kept."""
    newest = max(roots, default=0)
    with Ledger(profile) as ledger:
        for where, note in kept:
            try:
                before = open_checkpoint(note, keys)
            except ProofError:
                continue
            try:
                newest = max(newest, ledger.goes_on_from(before)[0].size)
            except ProofError as error:
                faults.append(Fault("changed", 0, before.size - 1, f"{where}: {error}"))
            except LedgerError as error:
                if error.rule != "question":
                    raise
                faults.append(Fault("missing", 0, before.size - 1, f"{where}: the log of today is shorter than this"))
    return newest


def _show_verified(result: dict[str, Any], faults: list[Fault], output: Output) -> None:
    if output is Output.json:
        print(json_line({**result, "faults": [fault._asdict() for fault in faults]}))
        return
    for fault in faults:
        stdout().print(f"[red]✗[/red] {escape(fault.message)}", highlight=False)
    if not faults:
        said = f"{result['size']:,} records, {result['checkpoints']:,} checkpoints: all is as it was signed"
        stdout().print(f"[green]✓[/green] {said}", highlight=False)


def _show_proof(proof: LedgerProof, keys: list[VerifierKey], output: Output, path: Path) -> None:
    checkpoint, record = proof.check(keys)
    if output is Output.json:
        shown = jsonable(RECORD, dict(record)) if record is not None else None
        place = {"index": proof.index, "size": checkpoint.size, "origin": checkpoint.origin}
        print(json_line({"file": str(path), **place, "record": shown}))
        return
    said = _said(record) if record is not None else "a record of a later version of this software"
    where = f"record {proof.index} of {checkpoint.size} of {checkpoint.origin}"
    stdout().print(f"[green]✓[/green] {escape(str(path))}: {escape(said)} ({escape(where)})", highlight=False)


def _said(record: Any) -> str:
    to = f" to {record['to']}" if record["to"] else f" by {record['by']}"
    rule = f", {record['rule']}" if record["rule"] else ""
    return f"{iso(record['at'])} {record['type']} {record['what']} {_alert(record)}{to}{rule}"


def _alert(record: Any) -> str:
    return f"{record['alert_id']} v{record['version']}" if record["alert_id"] else record["ref"]


def _sized(note: str, keys: list[VerifierKey]) -> tuple[int, str]:
    return open_checkpoint(note, keys).size, note


def _numbered(path: Path, number: int, count: int) -> Path:
    return path if count == 1 else path.with_name(f"{path.stem}-{number + 1}{path.suffix}")


def _text_of(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HueAndCryError(f"{path} can't be read: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None


def _dump(path: Path) -> Iterator[bytes | None]:
    """The Kafka records of a dump: lines of hexadecimal."""
    for number, line in enumerate(_text_of(path).splitlines(), 1):
        try:
            yield bytes.fromhex(line)
        except ValueError:
            raise HueAndCryError(f"{path}, line {number}: not hexadecimal") from None


def _milliseconds(text: str) -> int:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        fail("--from is no time; write ISO 8601 with a time zone, 2026-03-01T12:00:00Z", USAGE)
    if found.tzinfo is None:
        fail("--from has no time zone; write one, for example 2026-03-01T12:00:00Z", USAGE)
    return int(found.timestamp() * 1000)


@app.command()
def dump(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="File to be written: a line of hexadecimal for each.")],
    home: Home = None,
) -> None:
    """Copy the log as it is to a file, for `verify --dump` on another machine.

    Exit codes: 0 done; 1 error; 2 wrong usage.
    """
    with clean_exit():
        profile = operator_profile(home)
        with out.open("w", encoding="ascii") as file:
            for value in batches(profile, progress):
                file.write((value or b"").hex() + "\n")
    raise typer.Exit(OK)
