"""Merkle trees as RFC 6962 makes them: what a batch is signed by, and what the ledger is.

A leaf's hash is SHA-256(0x00 || leaf), a node's SHA-256(0x01 || left || right); a tree of n leaves is split at the
largest power of two below n. Hashes have 32 bytes.

Sources: RFC 6962 section 2.1 (tree), RFC 9162 sections 2.1.3 and 2.1.4 (making and verifying proofs). A compact range,
as Trillian calls it, is what must be remembered of a tree so that it can grow: the roots of its perfect subtrees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from hueandcry.errors import ProofError

HASH_SIZE = 32
#: Root of the tree without leaves.
EMPTY_ROOT = sha256(b"").digest()

Nodes = Callable[[int, int], bytes]
"""Hash of the perfect subtree at a level (0: leaves) and place: it covers leaves place * 2**level and on."""


def hash_leaf(leaf: bytes) -> bytes:
    """Hash of a leaf."""
    return sha256(b"\x00" + leaf).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Hash of a node over two others."""
    return sha256(b"\x01" + left + right).digest()


# -- a tree that is all there -------------------------------------------------------------------------------------


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The tree level by level, the hashes of the leaves first; there is at least one.

    A last node without sibling goes up as it is: that makes RFC 6962's tree.
    """
    found = [list(leaves)]
    while len(level := found[-1]) > 1:
        above = [hash_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        if len(level) & 1:
            above.append(level[-1])
        found.append(above)
    return found


def path_in(tree: Sequence[Sequence[bytes]], index: int) -> list[bytes]:
    """Inclusion proof of a leaf in a tree that `levels` has made: from its sibling up to the root's child."""
    path: list[bytes] = []
    for level in tree[:-1]:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        index >>= 1
    return path


# -- a tree that grows --------------------------------------------------------------------------------------------


class Range:
    """A growing tree, by the roots of its perfect subtrees: at most 64 hashes, whatever its size.

    Args:
        size: leaves so far.
        peaks: roots of the perfect subtrees, the largest first; one for each bit of the size.

    Raises:
        ValueError: the peaks are not those of that size.
    """

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if size < 0 or len(self.peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {max(size, 0).bit_count()} peaks, not {len(self.peaks)}")

    def append(self, leaf_hash: bytes, made: Callable[[int, int, bytes], None] | None = None) -> None:
        """Add a leaf by its hash; `made` is told level, place and hash of each perfect subtree that it completes."""
        digest, level, place = leaf_hash, 0, self.size
        if made is not None:
            made(0, place, digest)
        while place & 1:
            digest = sha256(b"\x01" + self.peaks.pop() + digest).digest()
            level += 1
            place >>= 1
            if made is not None:
                made(level, place, digest)
        self.peaks.append(digest)
        self.size += 1

    def root(self) -> bytes:
        """Root of the tree as it is now."""
        if not self.peaks:
            return EMPTY_ROOT
        digest = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            digest = hash_node(peak, digest)
        return digest


# -- proofs -------------------------------------------------------------------------------------------------------


def inclusion_proof(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """That the leaf at `index` is in the tree of `size` leaves: hashes from its sibling up to the root's child.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has none at {index}")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_subtree(middle, high, nodes))
            high = middle
        else:
            path.append(_subtree(low, middle, nodes))
            low = middle
    return path[::-1]


def consistency_proof(old: int, size: int, nodes: Nodes) -> list[bytes]:
    """That the tree of `old` leaves is the beginning of the one of `size` leaves; empty where there is nothing to show.

    Raises:
        ValueError: the older tree is the larger one.
    """
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {size} leaves does not begin with one of {old}")
    if old in (0, size):
        return []
    path: list[bytes] = []
    low, high, whole = 0, size, True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_subtree(middle, high, nodes))
            high = middle
        else:
            path.append(_subtree(low, middle, nodes))
            low, whole = middle, False
    if not whole:
        path.append(_subtree(low, high, nodes))
    return path[::-1]


def root_of(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Root that a leaf and its path lead to; None where the path has not the length that index and size ask for."""
    at, last = index, size - 1
    digest = leaf_hash
    for sibling in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            digest = hash_node(sibling, digest)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            digest = hash_node(digest, sibling)
        at >>= 1
        last >>= 1
    return digest if last == 0 else None


def check_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Verify that a leaf is in a tree.

    Raises:
        ProofError: rule merkle.inclusion: it is not, or not there, or this is no proof of it.
    """
    if not 0 <= index < size or root_of(leaf_hash, index, size, path) != root:
        raise ProofError(f"the record is not at place {index} of the tree of {size}", rule="merkle.inclusion")


def check_consistency(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> None:
    """Verify that the older tree is the beginning of the larger one: RFC 9162, section 2.1.4.2.

    Raises:
        ProofError: rule merkle.consistency: it is not, or this is no proof of it.
    """
    if not _is_consistent(old, old_root, size, root, path):
        raise ProofError(
            f"the tree of {size} does not go on from the tree of {old}: what was there has been changed",
            rule="merkle.consistency",
        )


def _is_consistent(old: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    if not 0 <= old <= size:
        return False
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    if old == size:
        return not path and old_root == root
    hashes = [old_root, *path] if old.bit_count() == 1 else list(path)
    if not hashes:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at >>= 1
        last >>= 1
    first = second = hashes[0]
    for digest in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = hash_node(digest, first), hash_node(digest, second)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            second = hash_node(second, digest)
        at >>= 1
        last >>= 1
    return last == 0 and first == old_root and second == root


def _split(size: int) -> int:
    """The largest power of two below `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _subtree(low: int, high: int, nodes: Nodes) -> bytes:
    """Root over the leaves from `low` to before `high`, put together from perfect subtrees."""
    size = high - low
    if size.bit_count() == 1:
        level = size.bit_length() - 1
        return nodes(level, low >> level)
    middle = low + _split(size)
    return hash_node(_subtree(low, middle, nodes), _subtree(middle, high, nodes))
