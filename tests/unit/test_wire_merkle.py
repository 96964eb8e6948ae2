"""Merkle trees, against a naive recursive tree that is written as RFC 6962 defines it, and vectors of others."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hueandcry.errors import ProofError
from hueandcry.wire.merkle import (
    EMPTY_ROOT,
    Range,
    check_consistency,
    check_inclusion,
    consistency_proof,
    hash_leaf,
    inclusion_proof,
    levels,
    path_in,
)

#: The eight leaves, and the roots of the trees over the first n, of the tests of certificate-transparency-go and of
#: Trillian.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + naive(leaves[:split]) + naive(leaves[split:])).digest()


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*naive_path(index, leaves[:split]), naive(leaves[split:])]
    return [*naive_path(index - split, leaves[split:]), naive(leaves[:split])]


def naive_proof(old: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 6962, section 2.1.2."""
    if old == len(leaves):
        return [] if whole else [naive(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if old <= split:
        return [*naive_proof(old, leaves[:split], whole), naive(leaves[split:])]
    return [*naive_proof(old - split, leaves[split:], False), naive(leaves[:split])]


def kept(leaves: list[bytes]) -> tuple[Range, dict[tuple[int, int], bytes]]:
    """The tree grown leaf by leaf, and each perfect subtree that came about."""
    nodes: dict[tuple[int, int], bytes] = {}
    grown = Range()
    for leaf in leaves:
        grown.append(hash_leaf(leaf), lambda level, place, digest: nodes.update({(level, place): digest}))
    return grown, nodes


def test_known_roots() -> None:
    grown = Range()
    assert grown.root() == EMPTY_ROOT == naive([])
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        grown.append(hash_leaf(leaf))
        assert grown.root().hex() == root


@given(st.lists(st.binary(max_size=4), min_size=1, max_size=70), st.data())
def test_as_the_naive_tree(leaves: list[bytes], data: st.DataObject) -> None:
    grown, nodes = kept(leaves)
    size, root = len(leaves), naive(leaves)
    assert grown.size == size
    assert grown.root() == root == levels([hash_leaf(leaf) for leaf in leaves])[-1][0]
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(index, size, lambda level, place: nodes[level, place])
    assert path == naive_path(index, leaves) == path_in(levels([hash_leaf(leaf) for leaf in leaves]), index)
    check_inclusion(hash_leaf(leaves[index]), index, size, path, root)
    old = data.draw(st.integers(0, size))
    proof = consistency_proof(old, size, lambda level, place: nodes[level, place])
    assert proof == (naive_proof(old, leaves) if old else [])
    check_consistency(old, naive(leaves[:old]), size, root, proof)


@given(st.integers(0, 200), st.integers(0, 60))
def test_a_range_goes_on_where_it_was(first: int, more: int) -> None:
    leaves = [b"%d" % number for number in range(first + more)]
    grown, _ = kept(leaves[:first])
    again = Range(grown.size, grown.peaks)
    for leaf in leaves[first:]:
        again.append(hash_leaf(leaf))
    assert again.root() == naive(leaves)


@given(st.integers(2, 40), st.data())
@settings(max_examples=60)
def test_nothing_else_is_proved(size: int, data: st.DataObject) -> None:
    """No other place, leaf, size, root or path verifies, nor one with a bit changed."""
    leaves = [b"%d" % number for number in range(size)]
    _, nodes = kept(leaves)
    root, index = naive(leaves), data.draw(st.integers(0, size - 1))
    path = inclusion_proof(index, size, lambda level, place: nodes[level, place])
    digest = hash_leaf(leaves[index])
    wrong: list[tuple[bytes, int, int, list[bytes], bytes]] = [
        *((digest, other, size, path, root) for other in range(size) if other != index),
        (digest, -1, size, path, root),
        (hash_leaf(b"x"), index, size, path, root),
        (digest, index, size, path[:-1], root),
        (digest, index, size, [*path, root], root),
        (digest, index, size, path, naive(leaves[:-1])),
    ]
    for at in range(len(path)):
        bit = data.draw(st.integers(0, 255))
        flipped = bytearray(path[at])
        flipped[bit // 8] ^= 1 << bit % 8
        wrong.append((digest, index, size, [*path[:at], bytes(flipped), *path[at + 1 :]], root))
    for each in wrong:
        with pytest.raises(ProofError):
            check_inclusion(*each)


@given(st.integers(1, 40), st.integers(1, 40), st.data())
@settings(max_examples=60)
def test_a_changed_beginning_is_found(one: int, other: int, data: st.DataObject) -> None:
    old, size = sorted((one, other))
    leaves = [b"%d" % number for number in range(size)]
    changed = list(leaves)
    changed[data.draw(st.integers(0, old - 1))] = b"changed"
    _, nodes = kept(changed)
    proof = consistency_proof(old, size, lambda level, place: nodes[level, place])
    with pytest.raises(ProofError) as caught:
        check_consistency(old, naive(leaves[:old]), size, naive(changed), proof)
    assert caught.value.rule == "merkle.consistency"
    _, nodes = kept(leaves)
    proof = consistency_proof(old, size, lambda level, place: nodes[level, place])
    for wrong in (proof[:-1], [*proof, b"\x00" * 32]):
        if wrong != proof:
            with pytest.raises(ProofError):
                check_consistency(old, naive(leaves[:old]), size, naive(leaves), wrong)


def test_what_is_not_there() -> None:
    with pytest.raises(ValueError):
        inclusion_proof(3, 3, lambda *_: b"")
    with pytest.raises(ValueError):
        consistency_proof(4, 3, lambda *_: b"")
    with pytest.raises(ValueError):
        Range(3, [b"\x00" * 32])
    with pytest.raises(ProofError):
        check_consistency(4, b"", 3, b"", [])
    with pytest.raises(ProofError):
        check_consistency(0, b"other", 3, b"", [])
