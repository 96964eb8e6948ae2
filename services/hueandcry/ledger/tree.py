"""The tree over the log, as this machine keeps it: a RocksDB database that follows from the log alone.

Keys:
- r: size, peaks of the tree, and the Kafka offset after the last batch
- t, level, number: a tile: up to 256 hashes of one level, 8 levels apart, as in c2sp.org/tlog-tiles
- o, index: offset of the batch whose first record has that index
- a, id, index: a record that is asked for by that id, and the agency that may have it

Whoever loses it makes it anew from the log.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hueandcry.errors import DecodeError
from hueandcry.lanes.state import Overlay, View
from hueandcry.ledger.records import BATCH, concerns, leaf_of, read_record, subject
from hueandcry.wire.codec import decode
from hueandcry.wire.framing import unframe
from hueandcry.wire.merkle import (
    HASH_SIZE,
    Range,
    consistency_proof,
    hash_node,
    inclusion_proof,
)

_STATE = struct.Struct(">QQ")
_TILE = struct.Struct(">BQ")
_INDEX = struct.Struct(">Q")
#: Levels of the tree in one tile, and hashes of a full one.
_HEIGHT = 8
_WIDTH = 1 << _HEIGHT
_SEPARATOR = b"\x00"


class Found(NamedTuple):
    """A record that is asked for by an id: its place in the log, and the agency that may have it."""

    index: int
    agency: str


class Grown(NamedTuple):
    """What a batch added: how many records, and of which types."""

    records: int
    types: Sequence[str]


class Tree:
    """The tree, over a view of its database. Changes go to an overlay, so that a batch is there whole or not at all.

    Args:
        state: the database, or changes on top of it.
    """

    def __init__(self, state: View) -> None:
        self._state = state
        packed = state.get(b"r")
        self.next_offset = 0
        self._range = Range()
        if packed is not None:
            size, self.next_offset = _STATE.unpack_from(packed)
            hashes = packed[_STATE.size :]
            self._range = Range(size, (hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)))

    @property
    def size(self) -> int:
        """Records in the log."""
        return self._range.size

    def root(self, size: int | None = None) -> bytes:
        """Root of the tree as it is, or as it was with `size` records.

        Raises:
            ValueError: it has not been so large yet.
        """
        if size is None or size == self.size:
            return self._range.root()
        if size > self.size:
            raise ValueError(f"the tree has {self.size} records, not yet {size}")
        digest: bytes | None = None
        at = size
        while at:
            level = (at & -at).bit_length() - 1
            at -= 1 << level
            node = self.node(level, at >> level)
            digest = node if digest is None else hash_node(node, digest)
        return digest if digest is not None else Range().root()

    def node(self, level: int, place: int) -> bytes:
        """Hash of a perfect subtree, put together from a tile."""
        row, height = divmod(level, _HEIGHT)
        first = place << height
        tile = self._state.get(b"t" + _TILE.pack(row, first // _WIDTH)) or b""
        start = first % _WIDTH * HASH_SIZE
        hashes = [tile[at : at + HASH_SIZE] for at in range(start, start + (HASH_SIZE << height), HASH_SIZE)]
        if len(hashes[-1]) != HASH_SIZE:
            raise ValueError(f"the tree has no node at level {level}, place {place}")
        while len(hashes) > 1:
            hashes = [hash_node(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
        return hashes[0]

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Inclusion proof of a record in the tree of `size` records. Raises ValueError where there is none."""
        return inclusion_proof(index, size, self.node)

    def consistency(self, old: int, size: int) -> list[bytes]:
        """Consistency proof from one size to another. Raises ValueError where there is none."""
        return consistency_proof(old, size, self.node)

    def found(self, asked: str) -> Iterator[Found]:
        """The records that are asked for by an id, the oldest first."""
        prefix = b"a" + asked.encode() + _SEPARATOR
        for key, value in self._state.scan(prefix):
            yield Found(_INDEX.unpack(key[len(prefix) :])[0], value.decode())

    def batch_of(self, index: int) -> tuple[int, int] | None:
        """Kafka offset of the batch that holds a record, and the index of its first record."""
        for key, value in self._state.scan_back(b"o", b"o" + _INDEX.pack(index + 1)):
            return _INDEX.unpack(value)[0], _INDEX.unpack(key[1:])[0]
        return None


def grow(state: Overlay, value: bytes | None, offset: int) -> Grown:
    """Add a Kafka record of the log: each record of the batch is a leaf.

    A value that is no batch is a leaf as it is: whoever wrote it, it is in the log, and nobody may take it out.
    """
    tree = Tree(state)
    state.put(b"o" + _INDEX.pack(tree.size), _INDEX.pack(offset))
    fingerprint, bodies = opened(value)
    tiles: dict[bytes, bytearray] = {}

    def made(level: int, place: int, digest: bytes) -> None:
        if level % _HEIGHT == 0:
            key = b"t" + _TILE.pack(level // _HEIGHT, place // _WIDTH)
            tile = tiles.get(key)
            if tile is None:
                tile = tiles[key] = bytearray(state.get(key) or b"")
            tile += digest

    types: list[str] = []
    grown = tree._range
    for body in bodies:
        try:
            record = read_record(fingerprint, body)
        except DecodeError:
            record = None
        if record is not None:
            key = b"a" + subject(record).encode() + _SEPARATOR + _INDEX.pack(grown.size)
            state.put(key, concerns(record).encode())
        types.append(record["type"] if record is not None else "unknown")
        grown.append(leaf_of(fingerprint, body), made)
    for key, tile in tiles.items():
        state.put(key, bytes(tile))
    state.put(b"r", _STATE.pack(grown.size, offset + 1) + b"".join(grown.peaks))
    return Grown(len(bodies), types)


def opened(value: bytes | None) -> tuple[str, list[bytes]]:
    """Fingerprint and bodies of a Kafka record of the log."""
    try:
        batch = decode(BATCH, unframe(value)[1])
    except Exception:  # whatever is written there is a leaf
        return "", [value or b""]
    return batch["schema"], batch["records"]
