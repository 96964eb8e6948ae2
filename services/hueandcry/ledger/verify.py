"""The whole log made anew, and held against what was signed: finds what was changed, dropped, added or moved.

Rules:
1. Nothing is believed but the log's key and what the reader has kept: checkpoints, each of which says what the first
   `size` records were.
2. Two checkpoints of one size with different roots are a forked log, whatever the log says.
3. Where a root differs, the fault lies behind the last one that fits and before the first one that does not. The
   hashes of the leaves, as somebody keeps them, say which record it is; they count only if they lead to a signed root.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from hueandcry.errors import ProofError
from hueandcry.ledger.checkpoints import Checkpoint, open_checkpoint
from hueandcry.ledger.notes import VerifierKey
from hueandcry.ledger.records import leaf_of
from hueandcry.ledger.tree import opened
from hueandcry.wire.merkle import Range


class Fault(NamedTuple):
    """Something that is not as it was signed.

    Attributes:
        what: checkpoint (it is none, or is not signed by the log), fork, changed (a root differs), or missing (fewer
            records than were signed).
        first: index of the first record that may be concerned.
        last: index of the last one.
        message: what is wrong, in words.
    """

    what: str
    first: int
    last: int
    message: str


class Signed(NamedTuple):
    """What the checkpoints say.

    Attributes:
        roots: by size; where a log is forked the first one that was read.
        faults: in the checkpoints themselves.
    """

    roots: dict[int, bytes]
    faults: list[Fault]


def signed(notes: Iterable[tuple[str, str]], keys: Sequence[VerifierKey]) -> Signed:
    """Read checkpoints.

    Args:
        notes: of each, where it is from, in words, and the note itself.
        keys: those of the log.
    """
    roots: dict[int, bytes] = {}
    faults: list[Fault] = []
    for where, note in notes:
        try:
            checkpoint = open_checkpoint(note, keys)
        except ProofError as error:
            faults.append(Fault("checkpoint", 0, 0, f"{where}: {error}"))
            continue
        known = roots.setdefault(checkpoint.size, checkpoint.root)
        if known != checkpoint.root:
            last = max(0, checkpoint.size - 1)
            words = f"{where}: the log has signed two different roots for {checkpoint.size} records: it is forked"
            faults.append(Fault("fork", 0, last, words))
    return Signed(roots, faults)


class Verifier:
    """Takes the records of the log one by one, in their order.

    Args:
        roots: by size, what was signed.
        kept: hash of the leaf at an index as somebody has kept it, None where nobody has; only to say where.
    """

    def __init__(self, roots: dict[int, bytes], kept: Callable[[int], bytes | None] = lambda _: None) -> None:
        self._roots = roots
        self._sizes = sorted(roots)
        self._kept = kept
        self._range = Range()
        #: The tree as it was when it was last found to be right, and the leaves since.
        self._good = Range()
        self._leaves: list[bytes] = []
        self._checked = 0
        self.faults: list[Fault] = []
        if 0 in roots:
            self._look()

    @property
    def size(self) -> int:
        """Records taken."""
        return self._range.size

    @property
    def checked(self) -> int:
        """Checkpoints whose root was found to be right."""
        return self._checked

    def take(self, value: bytes | None) -> None:
        """Take a Kafka record of the log, a batch of records."""
        fingerprint, bodies = opened(value)
        for body in bodies:
            self.take_leaf(leaf_of(fingerprint, body))

    def take_leaf(self, leaf_hash: bytes) -> None:
        """Take a record by its hash."""
        self._leaves.append(leaf_hash)
        self._range.append(leaf_hash)
        if self._range.size in self._roots:
            self._look()

    def root(self) -> Checkpoint:
        """Size and root of what was taken."""
        return Checkpoint("", self.size, self._range.root())

    def end(self) -> list[Fault]:
        """All that is wrong, when all of the log was taken."""
        beyond = self._sizes[bisect_right(self._sizes, self.size) :]
        if beyond:
            where = self._located(beyond[0])
            words = f"the log has {self.size} records, and {beyond[-1]} were signed"
            words += f": record {where} is missing" if where is not None else f": of those from {self._good.size} on"
            words += "" if where is not None else " some are missing"
            first = where if where is not None else self._good.size
            self.faults.append(Fault("missing", first, beyond[-1] - 1, words))
        return self.faults

    def _look(self) -> None:
        size = self._range.size
        if self._roots[size] == self._range.root():
            self._checked += 1
            self._good, self._leaves = Range(size, self._range.peaks), []
            return
        if self.faults and self.faults[-1].what == "changed":
            # All roots after the first wrong one are wrong with it.
            return
        first, last = self._good.size, max(self._good.size, size - 1)
        where = self._located(size)
        if where is not None:
            words = f"record {where} is not the one that was signed: it was changed, moved, dropped or put in"
            self.faults.append(Fault("changed", where, where, words))
        else:
            words = f"among the records {first} to {last} one was changed, moved, dropped or put in"
            self.faults.append(Fault("changed", first, last, words))

    def _located(self, size: int) -> int | None:
        """The first record that differs from what was kept, where what was kept leads to the root signed for `size`."""
        rebuilt = Range(self._good.size, self._good.peaks)
        different: int | None = None
        for index in range(self._good.size, size):
            kept, at = self._kept(index), index - self._good.size
            if kept is None:
                return None
            rebuilt.append(kept)
            if different is None and (at >= len(self._leaves) or kept != self._leaves[at]):
                different = index
        return different if rebuilt.root() == self._roots[size] else None
