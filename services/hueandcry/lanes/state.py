"""State of one partition: a RocksDB database that mirrors a partition of a changelog topic.

Rules:
1. The database holds nothing that the changelog does not: it is written after the transaction commits, never before.
2. Each write batch also records the next changelog offset, so data and offset can't come apart.
3. A database whose changelog may have lost tombstones that it has not seen is thrown away and rebuilt.
"""

from __future__ import annotations

import shutil
import struct
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Protocol

from rocksdict import BlockBasedOptions, Cache, Options, Rdict, WriteBatch

from hueandcry.errors import StateError

_OFFSET_KEY = b"\x00offset"
_POSITION = struct.Struct(">qq")
_WRITE_BUFFER_BYTES = 8 << 20
_CACHE_BYTES = 64 << 20

#: One block cache for all databases of the process: memory stays bounded however many partitions it holds.
_cache = Cache(_CACHE_BYTES)


class View(Protocol):
    """What a stage sees of the state of one partition."""

    def get(self, key: bytes) -> bytes | None:
        """Value of `key`, or None."""
        ...

    def scan(self, prefix: bytes, after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Pairs whose key starts with `prefix` and is greater than `after`, in the order of the keys."""
        ...

    def scan_back(self, prefix: bytes, before: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs whose key starts with `prefix` and is less than `before`, which has it too; the greatest key first."""
        ...


def _options() -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_write_buffer_size(_WRITE_BUFFER_BYTES)
    options.set_max_write_buffer_number(2)
    options.set_keep_log_file_num(2)
    options.set_max_open_files(256)
    table = BlockBasedOptions()
    table.set_block_cache(_cache)
    table.set_bloom_filter(10, False)
    table.set_cache_index_and_filter_blocks(True)
    options.set_block_based_table_factory(table)
    return options


class PartitionStore:
    """The database of one partition.

    Args:
        path: folder of the database; made where it is missing.

    Raises:
        StateError: another process holds the database, or it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = Rdict(str(path), options=_options())
        except Exception as error:
            raise StateError(
                f"the state in {path.name} can't be opened: {error}",
                hint="Give each process its own HUEANDCRY_INSTANCE; if no other runs, the folder is damaged: delete it",
            ) from error
        packed = self._db.get(_OFFSET_KEY)
        #: Next changelog offset to read, and when it was written (epoch milliseconds).
        self.next_offset, self.written_at = _POSITION.unpack(packed) if packed else (0, 0)

    def get(self, key: bytes) -> bytes | None:
        """Value of `key`, or None."""
        return self._db.get(key)

    def scan(self, prefix: bytes, after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Pairs whose key starts with `prefix` and is greater than `after`, in the order of the keys."""
        cursor = self._db.iter()
        cursor.seek(max(prefix, after))
        while cursor.valid():
            key = cursor.key()
            if not key.startswith(prefix):
                return
            if key not in (_OFFSET_KEY, after):
                yield key, cursor.value()
            cursor.next()

    def scan_back(self, prefix: bytes, before: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs whose key starts with `prefix` and is less than `before`, which has it too; the greatest key first."""
        cursor = self._db.iter()
        cursor.seek_for_prev(before)
        while cursor.valid():
            key = cursor.key()
            if not key.startswith(prefix):
                return
            if key not in (_OFFSET_KEY, before):
                yield key, cursor.value()
            cursor.prev()

    def apply(self, writes: Mapping[bytes, bytes | None], next_offset: int, at_ms: int) -> None:
        """Write the changes (None deletes) and the position in one atomic batch."""
        batch = WriteBatch(raw_mode=True)
        for key, value in writes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(_OFFSET_KEY, _POSITION.pack(next_offset, at_ms))
        self._db.write(batch)
        self.next_offset, self.written_at = next_offset, at_ms

    def size_bytes(self) -> int:
        """Bytes on disk and in memory tables, as RocksDB estimates them."""
        return sum(
            self._db.property_int_value(name) or 0
            for name in ("rocksdb.total-sst-files-size", "rocksdb.cur-size-all-mem-tables")
        )

    def close(self) -> None:
        """Close the database; it can be opened again."""
        self._db.close()

    def wipe(self) -> PartitionStore:
        """Throw everything away and open an empty database in its place."""
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)
        return PartitionStore(self.path)


class Overlay:
    """Changes on top of a view that nobody else sees until `fold` or the commit of the batch.

    Overlays nest: one for the batch, one for each alert, so that an alert that fails half-way leaves nothing behind.
    """

    def __init__(self, below: View) -> None:
        self._below = below
        self.writes: dict[bytes, bytes | None] = {}
        #: Keys of `writes` in their order, from the first scan on.
        self._ordered: list[bytes] | None = None

    def get(self, key: bytes) -> bytes | None:
        """Value of `key` as changed so far, or None."""
        if key in self.writes:
            return self.writes[key]
        return self._below.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        """Set `key`."""
        self._write(key, value)

    def delete(self, key: bytes) -> None:
        """Remove `key`."""
        self._write(key, None)

    def scan(self, prefix: bytes, after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Pairs whose key starts with `prefix` and is greater than `after`, changes included, in the order of the keys.

        Change nothing while it runs: list it first.
        """
        changed = self._in_order()
        at = bisect_right(changed, after) if after >= prefix else bisect_left(changed, prefix)
        return self._merged(_from(changed, at), self._below.scan(prefix, after), prefix, descending=False)

    def scan_back(self, prefix: bytes, before: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs as `scan`, whose key is less than `before`, which starts with `prefix` too; the greatest key first."""
        changed = self._in_order()
        back = _back_from(changed, bisect_left(changed, before))
        return self._merged(back, self._below.scan_back(prefix, before), prefix, descending=True)

    def _write(self, key: bytes, value: bytes | None) -> None:
        if self._ordered is not None and key not in self.writes:
            insort(self._ordered, key)
        self.writes[key] = value

    def _in_order(self) -> list[bytes]:
        if self._ordered is None:
            self._ordered = sorted(self.writes)
        return self._ordered

    def _merged(
        self, changed: Iterator[bytes], below: Iterable[tuple[bytes, bytes]], prefix: bytes, *, descending: bool
    ) -> Iterator[tuple[bytes, bytes]]:
        mine = takewhile(lambda key: key.startswith(prefix), changed)
        first = next(mine, None)
        for key, value in below:
            while first is not None and first != key and (first > key) == descending:
                yield from self._pair(first)
                first = next(mine, None)
            if first == key:
                yield from self._pair(key)
                first = next(mine, None)
            else:
                yield key, value
        while first is not None:
            yield from self._pair(first)
            first = next(mine, None)

    def _pair(self, key: bytes) -> Iterator[tuple[bytes, bytes]]:
        value = self.writes[key]
        if value is not None:
            yield key, value

    def fold(self, alert: Overlay) -> None:
        """Take over the changes of a finished alert."""
        for key, value in alert.writes.items():
            self._write(key, value)


def _from(keys: list[bytes], at: int) -> Iterator[bytes]:
    while at < len(keys):
        yield keys[at]
        at += 1


def _back_from(keys: list[bytes], end: int) -> Iterator[bytes]:
    while end:
        end -= 1
        yield keys[end]
