"""Cursors over what came before and what comes: no gap, no repeat, bounded, whoever listens from wherever."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import defaultdict
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hueandcry.errors import UnknownSchema
from hueandcry.gateway import streams, tail
from hueandcry.gateway.events import Event
from hueandcry.gateway.mail import Cursor, Item, Mail
from hueandcry.gateway.pages import Page
from hueandcry.gateway.positions import Position, fitted, read_word
from hueandcry.gateway.streams import Stream
from hueandcry.gateway.tail import MOST_EVENTS, Ring

PARTITIONS = 2


def event(partition: int, offset: int) -> Event:
    json = f'{{"at":"{partition}.{offset}"}}'
    return cast(
        "Event", SimpleNamespace(partition=partition, offset=offset, type="delivery", json=json, raw="{}", size=40)
    )


class World:
    """A topic in memory: written to, its end read into a ring, and pages read from any place."""

    def __init__(self) -> None:
        self.log: list[Event] = []
        self.ends = [0] * PARTITIONS
        self.rung: Ring | None = None
        self.tail = self
        self.pages = self
        self.page_reads = 0

    def write(self, partition: int, gap: int) -> None:
        """A record, after `gap` offsets that are none (markers of transactions)."""
        offset = self.ends[partition] + gap
        self.ends[partition] = offset + 1
        made = event(partition, offset)
        self.log.append(made)
        if self.rung is not None:
            self.rung.take([made])

    async def ring(self, source: Any, topic: str) -> Ring:
        if self.rung is None:
            self.rung = Ring("inbox", topic, asyncio.get_running_loop())
            self.rung.begin(tuple(self.ends))
        return self.rung

    async def read(self, source: Any, topic: str, position: Position, limit: int) -> Page:
        self.page_reads += 1
        at, found = list(fitted(position, PARTITIONS)), []
        for each in self.log:
            if len(found) < limit and each.offset >= at[each.partition]:
                at[each.partition] = each.offset + 1
                found.append((each, tuple(at)))
        at_end = len(found) < limit
        return Page(found, tuple(self.ends) if at_end else tuple(at), at_end)

    def cursor(self, position: Position) -> Cursor:
        return Cursor(cast("Mail", self), "inbox", "inbox.x", position)


_WRITES = st.lists(st.tuples(st.integers(0, PARTITIONS - 1), st.integers(0, 2)), max_size=12)


@given(before=_WRITES, steps=st.lists(st.one_of(_WRITES, st.integers(1, 5), st.just("drop")), max_size=25))
def test_each_event_comes_once_and_in_order_however_often_a_client_comes_back(
    before: list[tuple[int, int]], steps: list[Any]
) -> None:
    async def run() -> None:
        world = World()
        for partition, gap in before:
            world.write(partition, gap)
        cursor, got = world.cursor((0,) * PARTITIONS), []
        for step in [*steps, 100, 100]:
            if isinstance(step, list):
                for partition, gap in step:
                    world.write(partition, gap)
            elif step == "drop":
                # The client comes back with the id of its last event, or the process has been restarted.
                cursor = world.cursor(cursor.position)
                if len(got) % 2:
                    world.rung = None
            else:
                items = await cursor.take(step, 0)
                _check_ids(items, cursor)
                got += [(item.event.partition, item.event.offset) for item in items]
        by_partition: dict[int, list[int]] = defaultdict(list)
        for partition, offset in got:
            by_partition[partition].append(offset)
        expected: dict[int, list[int]] = defaultdict(list)
        for each in world.log:
            expected[each.partition].append(each.offset)
        assert by_partition == expected

    asyncio.run(run())


def _check_ids(items: list[Item], cursor: Cursor) -> None:
    """The id that a client sees leads to where its cursor was."""
    for item in items:
        (word,) = [line[4:] for line in item.frame("inbox", raw=False).decode().splitlines() if line.startswith("id: ")]
        assert read_word("inbox", word) == item.after
    if items:
        assert all(last <= at for last, at in zip(items[-1].after, cursor.position, strict=True))


def test_all_who_listen_get_the_same_bytes_and_nobody_reads_kafka_for_it() -> None:
    async def run() -> None:
        world = World()
        ring = await world.ring("inbox", "inbox.x")
        cursors = [world.cursor(ring.next) for _ in range(50)]
        waiting = [asyncio.ensure_future(cursor.take(10, 30)) for cursor in cursors]
        await asyncio.sleep(0)
        world.write(1, 0)
        frames = {tuple(item.frame("inbox", raw=False) for item in await items) for items in waiting}
        shared = {id((await items)[0].shared) for items in waiting}
        assert (len(frames), len(shared), world.page_reads) == (1, 1, 0)

    asyncio.run(run())


def test_a_ring_is_bounded_and_who_fell_behind_it_reads_on_from_kafka() -> None:
    async def run() -> None:
        world = World()
        ring = await world.ring("inbox", "inbox.x")
        behind = world.cursor(ring.next)
        for number in range(MOST_EVENTS + 500):
            world.write(number % PARTITIONS, 0)
        assert len(ring.events) == MOST_EVENTS
        got: list[Item] = []
        while items := await behind.take(300, 0):
            got += items
        assert len(got) == MOST_EVENTS + 500
        assert world.page_reads >= 1

    asyncio.run(run())


def test_a_ring_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "MOST_BYTES", 400)

    async def run() -> int:
        world = World()
        ring = await world.ring("inbox", "inbox.x")
        for _ in range(100):
            world.write(0, 0)
        return len(ring.events)

    assert asyncio.run(run()) == 10


# -- streams --------------------------------------------------------------------------------------------------------


async def _listen(send: Any, receive: Any, *, ending: bool = False) -> str:
    world = World()
    ring = await world.ring("inbox", "inbox.x")
    ended: list[str] = []
    stream = Stream(world.cursor(ring.next), "inbox", raw=False, is_ending=lambda: ending, on_end=ended.append)
    world.write(0, 0)
    await asyncio.wait_for(stream({}, receive, send), 20)
    return ended[0]


async def _stays() -> Any:
    await asyncio.Event().wait()


def test_a_client_that_takes_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PATIENCE", 0.05)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    assert asyncio.run(_listen(send, _stays)) == "slow"


def test_a_client_that_goes_away_leaves_nothing_behind() -> None:
    async def send(message: Any) -> None:
        pass

    async def receive() -> Any:
        await asyncio.sleep(0.05)
        return {"type": "http.disconnect"}

    async def run() -> int:
        assert await _listen(send, receive) == "gone"
        return len(asyncio.all_tasks())

    assert asyncio.run(run()) == 1


def test_a_stream_ends_whole_when_the_process_is_to_end() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    assert asyncio.run(_listen(send, _stays, ending=True)) == "stopped"
    assert sent[-1] == {"type": "http.response.body", "body": b""}


# -- events ---------------------------------------------------------------------------------------------------------


class Message:
    """A message as librdkafka gives it."""

    def __init__(self, value: bytes | None) -> None:
        self._value = value

    def __getattr__(self, name: str) -> Any:
        of = {"partition": 1, "offset": 7, "topic": "inbox.x", "key": b"alert", "value": self._value, "headers": None}
        return lambda: (1, 1_900_000_000_000) if name == "timestamp" else of[name]


class NoSchemas:
    def writer(self, schema_id: int) -> Any:
        raise UnknownSchema(f"schema id {schema_id} is not in the registry")


class Broken:
    def writer(self, schema_id: int) -> Any:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("value", "ids", "kind", "told"),
    [
        (None, NoSchemas(), "erased", {"alert_id": "alert"}),
        (b"", NoSchemas(), "unreadable", {"rule": "wire.framing"}),
        (b"\0\0\0\0\1x", NoSchemas(), "unreadable", {"rule": "wire.unknown_schema"}),
        (b"\0\0\0\0\1x", Broken(), "unreadable", {"rule": "wire"}),
    ],
)
def test_a_message_without_content_or_sense_is_an_event_too(value: Any, ids: Any, kind: str, told: Any) -> None:
    made = Event("inbox", cast("Any", Message(value)), ids)
    assert made.type == kind
    shown = json.loads(made.json)
    assert (shown["event"], shown["kafka"]) == (kind, {"topic": "inbox.x", "partition": 1, "offset": 7})
    assert told.items() <= shown.items()
    raw = json.loads(made.raw)
    assert (base64.b64decode(raw["value"]) if raw["value"] is not None else None) == value
