"""`hueandcry publish`: alerts from files to the alerts topic of the agency's region."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.table import Table

from hueandcry.alerts.checks import check
from hueandcry.alerts.remarks import Remark
from hueandcry.alerts.tabular import Mapping
from hueandcry.cli.console import (
    ERROR,
    INCOMPLETE,
    OK,
    USAGE,
    Bar,
    Home,
    Output,
    clean_exit,
    fail,
    json_line,
    progress,
    say,
    stdout,
)
from hueandcry.errors import AlertInvalid, PublishError, SettingsError
from hueandcry.sdk.delivery import Receipt
from hueandcry.sdk.files import Item, csv_rows, json_lines, read_mapping
from hueandcry.sdk.outbox import BATCH, Prepared, Published
from hueandcry.sdk.prepare import ALERT, Preparer
from hueandcry.sdk.profile import agency_profile, home_folder
from hueandcry.sdk.publisher import Publisher
from hueandcry.sdk.subscriber import Receipts, Unreadable
from hueandcry.wire.codec import decode

#: Stands for the registry's id where nothing is sent.
_ANY_SCHEMA_ID = 1


class Format(StrEnum):
    """Form of an input file."""

    auto = "auto"
    jsonl = "jsonl"
    csv = "csv"


@dataclass
class _Tally:
    """What became of the input."""

    as_json: bool
    dry_run: bool
    read: int = 0
    refused: int = 0
    published: int = 0
    failed: int = 0
    awaited: dict[tuple[str, int, int], str] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)

    def refuse(self, place: str, remarks: Iterable[Remark]) -> None:
        """One alert is not sound."""
        self.refused += 1
        reasons = tuple(remarks)
        for remark in reasons:
            say(_line(remark.place or place, remark.field, remark.message, remark.rule))
        if self.as_json:
            _print({"result": "invalid", "place": place, "remarks": [remark.as_record() for remark in reasons]})

    def accept(self, place: str, published: Published, keep: bool) -> None:
        """One alert is in Kafka."""
        self.published += 1
        if keep:
            self.awaited[(published.topic, published.partition, published.offset)] = place
        if self.as_json:
            _print({"result": "published", "place": place, **published._asdict()})

    def lose(self, place: str, alert: Prepared, reason: str) -> None:
        """One alert was not acknowledged."""
        self.failed += 1
        if self.as_json:
            _print({"result": "not_acknowledged", "place": place, "alert_id": alert.alert_id, "reason": reason})

    def answer(self, place: str, receipt: Receipt) -> None:
        """The platform has said what became of one alert."""
        self.outcomes[receipt.outcome] = self.outcomes.get(receipt.outcome, 0) + 1
        if receipt.outcome == "refused":
            for remark in receipt.remarks:
                say(_line(place, remark["field"], remark["message"], remark["rule"]))
        if self.as_json:
            _print({"result": receipt.outcome, "place": place, "receipt": receipt.to_json()})

    def exit_code(self) -> int:
        """0 all is well, 1 some were refused or lost, 4 some receipts did not come."""
        if self.refused or self.failed or self.outcomes.get("refused"):
            return ERROR
        return INCOMPLETE if self.awaited else OK

    def show(self, topic: str) -> None:
        """The numbers: a table on stdout, or a line on stderr where stdout has JSON."""
        rows = {"read": self.read, "not sound": self.refused}
        rows |= {"sound": self.published} if self.dry_run else {f"published to {topic}": self.published}
        if self.failed:
            rows["not acknowledged"] = self.failed
        rows |= {f"receipts: {name.replace('_', ' ')}": count for name, count in sorted(self.outcomes.items())}
        if self.awaited:
            rows["receipts: not yet there"] = len(self.awaited)
        if self.as_json:
            say(", ".join(f"{name} {count}" for name, count in rows.items()))
            return
        table = Table(show_header=False, box=None, pad_edge=False)
        table.add_column()
        table.add_column(justify="right")
        for name, count in rows.items():
            table.add_row(name, f"{count:,}")
        stdout().print(table)


def publish(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files of alerts; - is standard input.")],
    agency: Annotated[str, typer.Option("--as", metavar="AGENCY", help="Agency that publishes.")],
    format_: Annotated[
        Format, typer.Option("--format", help="Form of the files; auto goes by .csv, else JSON lines.")
    ] = Format.auto,
    mapping: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Says which column of a CSV file is which field.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be refused.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Publish nothing if one alert is not sound.")] = False,
    wait_receipts: Annotated[
        bool, typer.Option("--wait-receipts", help="Wait until the platform says what became of each.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, metavar="S", help="Seconds for Kafka's acknowledgement, and for the receipts.")
    ] = 30.0,
    output: Annotated[Output, typer.Option(help="Form of the result on stdout.")] = Output.table,
    home: Home = None,
) -> None:
    """Publish alerts from files, signed, to the alerts topic of the agency's region.

    Every alert that is not sound is named on stderr with file:line, field and rule; the others are published.
    JSON lines have the fields of avro/hueandcry.Alert with times in ISO 8601.

    Exit codes: 0 all published (and none refused by the platform, with --wait-receipts); 1 some not sound, refused or
    not acknowledged; 2 wrong usage; 4 receipts missing after --timeout.
    """
    columns = _check_usage(files, format_, mapping)
    tally = _Tally(output is Output.json, dry_run)
    with clean_exit(), progress("alerts") as bar:
        items = _counted(_items(files, format_, columns), tally, bar)
        if dry_run:
            topic = ""
            _check_only(_preparer(agency, home), items, tally)
        else:
            topic = _publish(agency, home, items, tally, strict=strict, wait=wait_receipts, timeout=timeout)
        bar.stop()
        tally.show(topic)
    raise typer.Exit(tally.exit_code())


def publish_items(agency: str, home: Path | None, items: list[Item], *, timeout: float, output: Output) -> int:
    """Publish these or none, wait for their receipts, and show what became of them; the exit code."""
    tally = _Tally(output is Output.json, dry_run=False, read=len(items))
    topic = _publish(agency, home, iter(items), tally, strict=True, wait=True, timeout=timeout)
    tally.show(topic)
    return tally.exit_code()


def _check_usage(files: list[str], format_: Format, mapping: Path | None) -> Mapping | None:
    if files.count("-") > 1:
        fail("standard input can be read once: give - once", USAGE)
    for name in files:
        if name != "-" and not Path(name).is_file():
            fail(f"{name} is not a file", USAGE)
        if _is_csv(name, format_) and mapping is None:
            fail(f"{name} is CSV: give --mapping FILE, which says which column is which field", USAGE)
    try:
        return read_mapping(mapping) if mapping else None
    except SettingsError as error:
        fail(error.diagnostics(), USAGE)


def _is_csv(name: str, format_: Format) -> bool:
    return format_ is Format.csv or (format_ is Format.auto and name.lower().endswith(".csv"))


def _items(files: list[str], format_: Format, mapping: Mapping | None) -> Iterator[Item]:
    for name in files:
        with ExitStack() as stack:
            stream: BinaryIO = sys.stdin.buffer if name == "-" else stack.enter_context(Path(name).open("rb"))
            label = "stdin" if name == "-" else name
            if _is_csv(name, format_) and mapping is not None:
                yield from csv_rows(stream, label, mapping)
            else:
                yield from json_lines(stream, label)


def _counted(items: Iterator[Item], tally: _Tally, bar: Bar) -> Iterator[Item]:
    for item in items:
        tally.read += 1
        bar.advance()
        yield item


def _sound(preparer: Preparer, items: Iterable[Item], tally: _Tally) -> Iterator[tuple[str, Prepared]]:
    """The sound ones with their places; the others are told to the tally."""
    for item in items:
        if item.alert is None:
            tally.refuse(item.place, item.remarks)
            continue
        try:
            yield item.place, preparer.prepare(item.alert, item.place)
        except AlertInvalid as error:
            tally.refuse(item.place, error.remarks)


def _check_only(preparer: Preparer, items: Iterable[Item], tally: _Tally) -> None:
    for place, prepared in _sound(preparer, items, tally):
        remarks = check(decode(ALERT, prepared.body), now_ms=int(time.time() * 1000))
        if remarks:
            tally.refuse(place, remarks)
        else:
            tally.published += 1


def _preparer(agency: str, home: Path | None) -> Preparer:
    """For a dry run, which needs no more of a profile than the agency's state, and takes it where there is one."""
    if (home_folder(home) / "agencies" / agency / "config.toml").is_file():
        return Preparer(agency, agency_profile(agency, home).state, _ANY_SCHEMA_ID)
    return Preparer(agency, "", _ANY_SCHEMA_ID)


def _publish(
    agency: str, home: Path | None, items: Iterator[Item], tally: _Tally, *, strict: bool, wait: bool, timeout: float
) -> str:
    profile = agency_profile(agency, home)
    with ExitStack() as stack:
        publisher = stack.enter_context(Publisher(profile, timeout=timeout))
        receipts = stack.enter_context(Receipts(profile, name=None, from_="latest")) if wait else None
        sound = _sound(publisher.preparer, items, tally)
        if strict:
            everything = list(sound)
            if tally.refused:
                say("nothing was published, because --strict was given and some alerts are not sound", "red")
                return publisher.topic
            sound = iter(everything)
        while batch := list(islice(sound, BATCH)):
            if not _send(publisher, batch, tally, keep=wait):
                unread = "; what comes after it in the input was not sent" if next(items, None) else ""
                say(f"stopped after {batch[-1][0]}{unread}", "red")
                break
        if receipts is not None:
            _await(receipts, tally, timeout)
        return publisher.topic


def _send(publisher: Publisher, batch: list[tuple[str, Prepared]], tally: _Tally, *, keep: bool) -> bool:
    """Publish a batch; whether Kafka has acknowledged all of it."""
    try:
        for (place, _), published in zip(batch, publisher.publish_prepared([each for _, each in batch]), strict=True):
            tally.accept(place, published, keep)
    except PublishError as error:
        lost = dict(error.failed)
        acknowledged = iter(error.published)
        for number, (place, prepared) in enumerate(batch):
            if number in lost:
                tally.lose(place, prepared, lost[number])
            else:
                tally.accept(place, next(acknowledged), keep)
        say(error.diagnostics(), "red")
        return False
    return True


def _await(receipts: Receipts, tally: _Tally, timeout: float) -> None:
    ends = time.monotonic() + timeout
    with progress("receipts", len(tally.awaited)) as bar:
        while tally.awaited and (left := ends - time.monotonic()) > 0:
            try:
                receipt = receipts.take(left)
            except Unreadable as error:
                say(error.diagnostics(), "yellow")
                continue
            if receipt is None or receipt.is_notice:
                continue
            place = tally.awaited.pop(receipt.source, None)
            if place is not None:
                bar.advance()
                tally.answer(place, receipt)


def _line(place: str, field_: str, message: str, rule: str) -> str:
    return f"{place}: {field_ + ': ' if field_ else ''}{message} [{rule}]"


def _print(value: object) -> None:
    print(json_line(value))
