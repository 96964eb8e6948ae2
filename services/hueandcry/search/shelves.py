"""Where keys and alerts are looked up: in this process's own partitions, or at the process that holds the others.

All is bytes of the register, by its keys (`distribute.entries`). A look-up of many goes to each holder once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from hueandcry.distribute.entries import ALERT, Claimant, Register
from hueandcry.distribute.mail import partition_of
from hueandcry.errors import HueAndCryError
from hueandcry.lanes.state import Overlay, PartitionStore
from hueandcry.search.patterns import PlatePattern
from hueandcry.search.plates import Plates

_T = TypeVar("_T")
#: After so many look-ups other requests have their turn.
TURN = 4


class Lookup(NamedTuple):
    """One key to look up, and how many of the newest that have it."""

    key: bytes
    most: int


class Want(NamedTuple):
    """An alert to fetch, and the partition that it is said to live in."""

    alert_id: str
    home: int


class Unavailable(HueAndCryError):
    """A partition that is asked for can't be read now."""


class Holder(Protocol):
    """Who holds partitions."""

    async def claimants(self, lookups: Sequence[Lookup]) -> list[list[Claimant]]:
        """The newest alerts that have each key, newest first. Raises Unavailable."""
        ...

    async def entries(self, wants: Sequence[Want]) -> list[bytes | int | None]:
        """Of each alert its framed RegisterEntry; the partition that it has moved to; or None. Raises Unavailable."""
        ...

    async def fitting(self, pattern: PlatePattern, most: int) -> list[bytes]:
        """Framed RegisterEntry of the active alerts whose plate fits, of `most` that are looked at in each partition.

        Raises Unavailable.
        """
        ...


class Own:
    """The partitions of this process.

    Args:
        store: database of a partition; None where it is not held or not ready.
        partitions: of the register.
        plates: those of each partition that is held.
    """

    def __init__(
        self,
        store: Callable[[int], PartitionStore | None],
        partitions: int,
        plates: Callable[[], Iterable[Plates]] = tuple,
    ) -> None:
        self._store = store
        self._partitions = partitions
        self._plates = plates

    async def claimants(self, lookups: Sequence[Lookup]) -> list[list[Claimant]]:
        """As `Holder.claimants`."""
        found: list[list[Claimant]] = []
        for number, (key, most) in enumerate(lookups, 1):
            found.append(self._register(partition_of(key, self._partitions)).claimants(key, most))
            await _turn(number)
        return found

    async def entries(self, wants: Sequence[Want]) -> list[bytes | int | None]:
        """As `Holder.entries`."""
        found: list[bytes | int | None] = []
        for number, want in enumerate(wants, 1):
            found.append(self._entry(want))
            await _turn(number)
        return found

    async def fitting(self, pattern: PlatePattern, most: int) -> list[bytes]:
        """As `Holder.fitting`."""
        found: list[bytes] = []
        for plates in self._plates():
            if not plates.ready:
                raise Unavailable("the plates are still being read", hint="Ask for parts of plates in a few minutes")
            for number, value in enumerate(plates.find(pattern, most), 1):
                if value is not None:
                    found.append(value)
                await _turn(number)
        return found

    def _entry(self, want: Want) -> bytes | int | None:
        register = self._register(want.home)
        found = register.state.get(ALERT + want.alert_id.encode())
        if found is not None:
            return found
        moved = register.moved(want.alert_id)
        return moved[1] if moved is not None and moved[1] != want.home else None

    def _register(self, partition: int) -> Register:
        store = self._store(partition)
        if store is None:
            raise Unavailable(f"partition {partition} of the register is not at hand", hint="Ask again in a minute")
        return Register(Overlay(store), {})


class Shelves:
    """The whole register, over all who hold a part of it.

    Args:
        holders: by partition.
    """

    def __init__(self, holders: Mapping[int, Holder]) -> None:
        self._holders = holders

    async def claimants(self, lookups: Sequence[Lookup]) -> dict[bytes, list[Claimant]]:
        """By key, the newest alerts that have it, newest first.

        Raises:
            Unavailable: a partition can't be read now.
        """
        by_partition = ((partition_of(each.key, len(self._holders)), each) for each in lookups)
        asked = self._by_holder(by_partition)
        answers = await _together(holder.claimants(each) for holder, each in asked)
        return {
            lookup.key: found
            for (_, each), answer in zip(asked, answers, strict=True)
            for lookup, found in zip(each, answer, strict=True)
        }

    async def entries(self, wants: Iterable[Want]) -> dict[str, bytes]:
        """By alert id, the framed RegisterEntry of each that is there; one that has moved is followed once.

        Raises:
            Unavailable: a partition can't be read now.
        """
        found: dict[str, bytes] = {}
        wanted = list(wants)
        for _ in range(2):
            moved: list[Want] = []
            asked = self._by_holder((want.home, want) for want in wanted)
            answers = await _together(holder.entries(each) for holder, each in asked)
            for (_, each), answer in zip(asked, answers, strict=True):
                for want, entry in zip(each, answer, strict=True):
                    if isinstance(entry, bytes):
                        found[want.alert_id] = entry
                    elif entry is not None:
                        moved.append(Want(want.alert_id, entry))
            wanted = [want for want in moved if want.alert_id not in found]
            if not wanted:
                break
        return found

    async def fitting(self, pattern: PlatePattern, most: int) -> list[bytes]:
        """Framed RegisterEntry of active alerts whose plate fits, of `most` that are looked at in each partition.

        Raises:
            Unavailable: a partition can't be read now.
        """
        holders = {id(holder): holder for holder in self._holders.values()}
        answers = await _together(holder.fitting(pattern, most) for holder in holders.values())
        return [value for answer in answers for value in answer]

    def _by_holder(self, items: Iterable[tuple[int, _T]]) -> list[tuple[Holder, list[_T]]]:
        sorted_: dict[int, tuple[Holder, list[_T]]] = {}
        for partition, item in items:
            holder = self._holders.get(partition)
            if holder is None:
                raise Unavailable(f"nobody holds partition {partition} of the register", hint="See the settings")
            sorted_.setdefault(id(holder), (holder, []))[1].append(item)
        return list(sorted_.values())


async def _turn(number: int) -> None:
    if number % TURN == 0:
        await asyncio.sleep(0)


async def _together(calls: Iterable[Awaitable[_T]]) -> list[_T]:
    waiting = list(calls)
    if len(waiting) == 1:
        return [await waiting[0]]
    return list(await asyncio.gather(*waiting))
