"""The plates of the register, in memory, so that a part of one finds alerts (`patterns`).

Rules:
1. They are nowhere but in memory: on disk the register has plates only within alerts, and otherwise as HMACs.
2. They are read from the databases after the start, a few at a time beside following the register; until that is done
   parts of plates are not asked for.
3. What was entered once and has changed since is found in vain and then dropped. When much is left over, all is read
   anew.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from itertools import islice

from hueandcry.distribute.entries import ALERT, Entry
from hueandcry.identity import normalise_plate
from hueandcry.lanes.state import View
from hueandcry.search.patterns import Plate, PlateIndex, PlatePattern
from hueandcry.search.reading import Reading

log = logging.getLogger(__name__)

#: So many entries are read at a time: a few milliseconds.
_STEP = 20
#: So many that have changed are let lie, however few there are.
_LEAST_LEFT_OVER = 10_000


class Plates:
    """The plates of one partition. Entered in one thread; may be asked in another.

    Args:
        state: of the partition.
        reading: reads an entry.
    """

    def __init__(self, state: View, reading: Reading) -> None:
        self._state = state
        self._read = reading
        self._index: PlateIndex | None = None
        self._begin()

    @property
    def ready(self) -> bool:
        """Whether all plates have been read."""
        return self._index is not None

    def find(self, pattern: PlatePattern, most: int) -> Iterator[bytes | None]:
        """Of no more than `most` alerts that may fit: the register's bytes where one does, else None."""
        seen: set[str] = set()
        for alert_id, place in islice(self._index.find(pattern) if self._index is not None else (), most):
            value = self._state.get(ALERT + alert_id.encode())
            plate = self._plate(value)
            if alert_id in seen or plate is None or not pattern.fits(plate):
                PlateIndex.drop(place)
                yield None
            else:
                seen.add(alert_id)
                yield value

    def step(self) -> bool:
        """Read some more; whether there is more to read."""
        if self._reading is None:
            return False
        found = list(islice(self._reading, _STEP))
        for key, value in found:
            plate = self._plate(value)
            if plate is not None:
                self._new.add(key[len(ALERT) :].decode(), plate)
        if len(found) < _STEP:
            self._index, self._reading, self._left_over = self._new, None, 0
        return self._reading is not None

    def changed(self, writes: Mapping[bytes, bytes | None]) -> None:
        """The partition is about to change so."""
        for key, value in writes.items():
            if not key.startswith(ALERT):
                continue
            before, after = self._plate(self._state.get(key)), self._plate(value)
            if before == after:
                continue
            self._left_over += before is not None
            if after is not None:
                self._new.add(key[len(ALERT) :].decode(), after)
                if self._index is not None and self._index is not self._new:
                    self._index.add(key[len(ALERT) :].decode(), after)
        if self._index is not None and self._left_over > max(_LEAST_LEFT_OVER, len(self._index) // 2):
            self._begin()

    def _begin(self) -> None:
        self._new = PlateIndex()
        self._left_over = 0
        self._reading: Iterator[tuple[bytes, bytes]] | None = self._entries()

    def _entries(self) -> Iterator[tuple[bytes, bytes]]:
        """All alerts; by short scans, since a long one would keep what has been overwritten."""
        at = b""
        while found := list(islice(self._state.scan(ALERT, at), _STEP)):
            yield from found
            at = found[-1][0]

    def _plate(self, value: bytes | None) -> Plate | None:
        """The plate of an active alert."""
        if value is None:
            return None
        try:
            entry = self._read.entry(value)
            if entry["state"] != "active" or entry["head"]["kind"] != "stolen_vehicle":
                return None
            return plate_of(self._read.alert(entry))
        except Exception as error:
            # One that can't be read must not end the following of the register; it is not found by a part of its plate.
            log.error("an entry of the register can't be read: %s", type(error).__name__)
            return None


def plate_of(alert: Entry) -> Plate | None:
    """The plate of an alert; None where it has none."""
    plate = alert["subject"]["plate"] if alert["kind"] == "stolen_vehicle" else None
    if plate is None:
        return None
    state = plate["state"] or ""
    return Plate(normalise_plate(plate["raw"], state or None), state, alert["status"])
