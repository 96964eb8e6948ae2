"""State of one partition: a RocksDB database that mirrors a partition of a changelog topic.

Rules:
1. The database holds nothing that the changelog does not: it is written after the transaction commits, never before.
2. Each write batch also records the next changelog offset, so data and offset can't come apart.
3. A database whose changelog may have lost tombstones that it has not seen is thrown away and rebuilt.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Iterator, Mapping
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

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs whose key starts with `prefix`, in the order of the keys."""
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

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs whose key starts with `prefix`, in the order of the keys."""
        cursor = self._db.iter()
        cursor.seek(prefix)
        while cursor.valid():
            key = cursor.key()
            if not key.startswith(prefix):
                return
            if key != _OFFSET_KEY:
                yield key, cursor.value()
            cursor.next()

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

    def get(self, key: bytes) -> bytes | None:
        """Value of `key` as changed so far, or None."""
        if key in self.writes:
            return self.writes[key]
        return self._below.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        """Set `key`."""
        self.writes[key] = value

    def delete(self, key: bytes) -> None:
        """Remove `key`."""
        self.writes[key] = None

    def scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs whose key starts with `prefix`, changes included, in the order of the keys."""
        changed = sorted(key for key in self.writes if key.startswith(prefix))
        if not changed:
            yield from self._below.scan(prefix)
            return
        position = 0
        for key, value in self._below.scan(prefix):
            while position < len(changed) and changed[position] < key:
                yield from self._changed(changed[position])
                position += 1
            if position < len(changed) and changed[position] == key:
                yield from self._changed(key)
                position += 1
            else:
                yield key, value
        for key in changed[position:]:
            yield from self._changed(key)

    def _changed(self, key: bytes) -> Iterator[tuple[bytes, bytes]]:
        value = self.writes[key]
        if value is not None:
            yield key, value

    def fold(self, alert: Overlay) -> None:
        """Take over the changes of a finished alert."""
        self.writes.update(alert.writes)
