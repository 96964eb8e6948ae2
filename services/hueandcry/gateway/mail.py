"""What is for an agency: from a position on, a page at a time, without a gap and without a repeat.

A cursor reads from the ring of what came last where that reaches far enough back, else from Kafka until it does.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from hueandcry.gateway.events import Event
from hueandcry.gateway.pages import Pages
from hueandcry.gateway.positions import Position, Source, fitted
from hueandcry.gateway.tail import Ring, Tail, frame_of

#: Events that a cursor takes at once.
TAKE = 256


class Item(NamedTuple):
    """An event, and the position of its reader after it.

    Attributes:
        shared: the frame, where it is the same for all who listen.
    """

    event: Event
    after: Position
    shared: bytes | None = None

    def frame(self, source: Source, *, raw: bool) -> bytes:
        """As a server-sent event."""
        if self.shared is not None and not raw:
            return self.shared
        return frame_of(source, self.event, self.after, raw=raw)


class Mail:
    """Opens cursors.

    Args:
        tail: what comes.
        pages: what came before.
    """

    def __init__(self, tail: Tail, pages: Pages) -> None:
        self.tail = tail
        self.pages = pages

    async def cursor(self, source: Source, agency: str, start: Position | None) -> Cursor:
        """A reader of an agency's topic.

        Args:
            start: None begins with what comes from now on.

        Raises:
            Unread: the topic can't be read now.
        """
        topic = f"{source}.{agency}"
        ring = await self.tail.ring(source, topic)
        return Cursor(self, source, topic, ring.next if start is None else fitted(start, len(ring.next)))


class Cursor:
    """Reads on from a position.

    Attributes:
        position: after all that was taken.
    """

    def __init__(self, mail: Mail, source: Source, topic: str, position: Position) -> None:
        self._mail = mail
        self._source: Source = source
        self._topic = topic
        self.position = position
        self._ring: Ring | None = None
        #: Number of the next event of the ring to look at.
        self._number = 0

    async def take(self, limit: int, wait: float) -> list[Item]:
        """At most `limit` events; none where none came within `wait` seconds.

        Raises:
            Unread: Kafka does not answer.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + wait
        while True:
            ring = await self._mail.tail.ring(self._source, self._topic)
            if not ring.covers(self.position):
                items = await self._from_kafka(limit)
            else:
                items = self._from_ring(ring, limit)
            left = end - loop.time()
            if items or left <= 0:
                return items
            if ring.covers(self.position):
                await asyncio.wait([ring.changed], timeout=left)
            else:
                await asyncio.sleep(min(left, 0.1))

    def _from_ring(self, ring: Ring, limit: int) -> list[Item]:
        if self._ring is not ring or self._number < ring.first:
            self._ring, self._number = ring, ring.first
        items: list[Item] = []
        position = list(self.position)
        while len(items) < limit and self._number < ring.first + len(ring.events):
            each = ring.events[self._number - ring.first]
            self._number += 1
            if each.event.offset < position[each.event.partition]:
                continue
            position[each.event.partition] = each.event.offset + 1
            after = tuple(position)
            # Who has read all that the ring had before has its position: then the ring's words will do.
            items.append(Item(each.event, after, each.frame if after == each.after else None))
        self.position = tuple(position)
        return items

    async def _from_kafka(self, limit: int) -> list[Item]:
        page = await self._mail.pages.read(self._source, self._topic, self.position, limit)
        self.position = page.next
        return [Item(event, after) for event, after in page.events]
