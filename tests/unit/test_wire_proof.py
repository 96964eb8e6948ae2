"""A proof holds for exactly the bytes, the place, the batch and the key that were signed."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from hueandcry.errors import ProofError
from hueandcry.rights.network import SigningKey
from hueandcry.wire.merkle import root_of
from hueandcry.wire.proof import (
    MAX_SIZE,
    Proof,
    Verifier,
    leaf_hash,
    pae,
    proof_of,
    sign_batch,
    signed_bytes,
)

# The secret key of RFC 8032, section 7.1, test 1: known to everybody, fit for tests only.
PRIVATE = Ed25519PrivateKey.from_private_bytes(
    bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
)
OTHER = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
FROM = datetime(2026, 1, 1, tzinfo=UTC)
NOW = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)
PRINT = "ab" * 32


def signing_key(private: Ed25519PrivateKey, key_id: str, until: datetime | None = None) -> SigningKey:
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return SigningKey(
        agency="utopia-police",
        key_id=key_id,
        public_key=base64.b64encode(public).decode(),
        valid_from=FROM,
        valid_until=until,
    )


KEYS = {
    "k1": signing_key(PRIVATE, "k1"),
    "k2": signing_key(OTHER, "k2"),
    "short": signing_key(PRIVATE, "short", FROM + timedelta(days=1)),
}


def verifier(remember: int = 4096) -> Verifier:
    return Verifier(KEYS.get, remember=remember)


def bodies(size: int) -> list[tuple[str, bytes]]:
    return [(PRINT, b"alert %d" % at) for at in range(size)]


def oracle(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word: k is the largest power of two below n."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + oracle(leaves[:k]) + oracle(leaves[k:])).digest()


def oracle_path(at: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if at < k:
        return [*oracle_path(at, leaves[:k]), oracle(leaves[k:])]
    return [*oracle_path(at - k, leaves[k:]), oracle(leaves[:k])]


@pytest.mark.parametrize("sizes", [range(1, 33), range(33, 129), range(129, 301)], ids=str)
def test_every_member_of_every_batch_verifies(sizes: range) -> None:
    checker = verifier()
    for size in sizes:
        batch = bodies(size)
        leaves = [leaf_hash(*alert) for alert in batch]
        root = oracle(leaves)
        for at, headers in enumerate(sign_batch(PRIVATE, "k1", batch)):
            proof = proof_of(headers)
            assert (proof.root, proof.index, proof.size) == (root, at, size)
            assert checker.verify(proof, leaves[at], NOW) == KEYS["k1"]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 33, 100])
def test_paths_are_those_of_the_rfc(size: int) -> None:
    leaves = [leaf_hash(*alert) for alert in bodies(size)]
    for at, headers in enumerate(sign_batch(PRIVATE, "k1", bodies(size))):
        assert list(proof_of(headers).path) == oracle_path(at, leaves)


def test_no_alerts_no_headers() -> None:
    assert sign_batch(PRIVATE, "k1", []) == []


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_any_bit_flipped_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 40))
    at = data.draw(st.integers(0, size - 1))
    batch = bodies(size)
    headers = sign_batch(PRIVATE, "k1", batch)[at]
    checker = verifier()
    checker.verify(proof_of(headers), leaf_hash(*batch[at]), NOW)  # the root is remembered now, and must not help
    parts = {**dict(headers), "fingerprint": batch[at][0].encode(), "body": batch[at][1]}
    part = data.draw(st.sampled_from(sorted(parts)))
    bit = data.draw(st.integers(0, len(parts[part]) * 8 - 1))
    flipped = bytearray(parts[part])
    flipped[bit // 8] ^= 1 << bit % 8
    parts[part] = bytes(flipped)
    leaf = leaf_hash(parts.pop("fingerprint").decode("latin-1"), parts.pop("body"))
    with pytest.raises(ProofError):
        checker.verify(proof_of(list(parts.items())), leaf, NOW)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 60), st.data())
def test_no_other_place_or_size_fits_a_path(size: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, size - 1))
    proof = proof_of(sign_batch(PRIVATE, "k1", bodies(size))[at])
    leaf = leaf_hash(*bodies(size)[at])
    assert [i for i in range(size) if root_of(leaf, i, size, proof.path) == proof.root] == [at]
    other = data.draw(st.integers(at + 1, 2 * size + 1).filter(lambda other: other != size))
    with pytest.raises(ProofError):  # where another size has a path of the same shape, the signature covers the size
        verifier().verify(proof._replace(size=other), leaf, NOW)


def refused(proof: Proof, leaf: bytes, at_ms: int = NOW, checker: Verifier | None = None) -> str:
    with pytest.raises(ProofError) as caught:
        (checker or verifier()).verify(proof, leaf, at_ms)
    return caught.value.rule


LEAF = leaf_hash(*bodies(1)[0])
ONE = proof_of(sign_batch(PRIVATE, "k1", bodies(1))[0])
THREE = proof_of(sign_batch(PRIVATE, "k1", bodies(3))[1])
LEAF_OF_THREE = leaf_hash(*bodies(3)[1])


def test_a_key_that_the_network_does_not_list() -> None:
    assert refused(ONE._replace(key_id="nobody"), LEAF) == "proof.unknown_key"


def test_a_key_of_somebody_else() -> None:
    assert refused(ONE._replace(key_id="k2"), LEAF) == "proof.signature"


def test_a_remembered_root_does_not_vouch_for_another_key() -> None:
    checker = verifier()
    checker.verify(ONE, LEAF, NOW)
    assert refused(ONE._replace(key_id="k2"), LEAF, checker=checker) == "proof.signature"


def test_a_key_holds_from_its_first_millisecond_to_before_its_last() -> None:
    proof = proof_of(sign_batch(PRIVATE, "short", bodies(1))[0])
    first = int(FROM.timestamp() * 1000)
    last = first + 24 * 3600 * 1000
    checker = verifier()
    assert checker.verify(proof, LEAF, first).key_id == "short"
    assert checker.verify(proof, LEAF, last - 1).key_id == "short"
    assert refused(proof, LEAF, first - 1, checker) == "proof.expired_key"
    assert refused(proof, LEAF, last, checker) == "proof.expired_key"


def test_a_leaf_of_another_batch() -> None:
    assert refused(ONE, leaf_hash(PRINT, b"another")) == "proof.path"


def test_a_node_does_not_pass_for_a_leaf() -> None:
    """The root of two leaves as the one leaf of a batch of one: leaf and node hashes are kept apart."""
    two = proof_of(sign_batch(PRIVATE, "k1", bodies(2))[0])
    assert refused(Proof(two.root, two.signature, "k1", 0, 1, ()), two.root) == "proof.signature"


UNSOUND: dict[str, tuple[Proof, bytes]] = {
    "a path too short": (THREE._replace(path=THREE.path[:-1]), LEAF_OF_THREE),
    "a path too long": (THREE._replace(path=(*THREE.path, b"\0" * 32)), LEAF_OF_THREE),
    "a path of 33": (THREE._replace(path=(b"\0" * 32,) * 33), LEAF_OF_THREE),
    "a place behind the batch": (THREE._replace(index=3), LEAF_OF_THREE),
    "a place below zero": (THREE._replace(index=-1), LEAF_OF_THREE),
    "a batch of none": (ONE._replace(size=0), LEAF),
    "a batch too large": (ONE._replace(size=MAX_SIZE + 1), LEAF),
    "a leaf of 31 bytes": (ONE, LEAF[:-1]),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_an_unsound_proof_is_refused(name: str) -> None:
    proof, leaf = UNSOUND[name]
    assert refused(proof, leaf) == "proof.path"


def good() -> dict[str, bytes]:
    return dict(sign_batch(PRIVATE, "k1", bodies(3))[1])


MALFORMED: dict[str, dict[str, bytes | None]] = {
    "no root": {"hc-root": None},
    "a root of 31 bytes": {"hc-root": b"\0" * 31},
    "a signature of 63 bytes": {"hc-sig": b"\0" * 63},
    "an empty key id": {"hc-key": b""},
    "a key id that is not UTF-8": {"hc-key": b"\xff"},
    "a key id of 65 characters": {"hc-key": b"k" * 65},
    "an empty path": {"hc-path": b""},
    "half a hash": {"hc-path": good()["hc-path"][:-16]},
    "a path of 33 hashes": {"hc-path": b"\0\0\0\0\0\0\0\1" + b"\0" * 32 * 33},
    "a batch of none": {"hc-path": b"\0" * 8},
    "a place behind the batch": {"hc-path": b"\0\0\0\2\0\0\0\2"},
    "a batch of 2^32 - 1": {"hc-path": b"\0\0\0\0\xff\xff\xff\xff"},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_headers_are_refused(name: str) -> None:
    with pytest.raises(ProofError) as caught:
        proof_of(list({**good(), **MALFORMED[name]}.items()))
    assert caught.value.rule == "proof.malformed"


@pytest.mark.parametrize("name", ["hc-root", "hc-sig", "hc-key", "hc-path"])
def test_a_header_left_out_or_twice_there_is_malformed(name: str) -> None:
    headers = list(good().items())
    for bad in ([h for h in headers if h[0] != name], [*headers, (name, good()[name])]):
        with pytest.raises(ProofError) as caught:
            proof_of(bad)
        assert caught.value.rule == "proof.malformed"


@pytest.mark.parametrize("headers", [None, [], [("other", b"x")]])
def test_no_headers_are_a_missing_signature(headers: list[tuple[str, bytes | None]] | None) -> None:
    with pytest.raises(ProofError) as caught:
        proof_of(headers)
    assert caught.value.rule == "proof.missing"


def test_other_headers_are_passed_over() -> None:
    assert proof_of([("traceparent", b"x"), ("traceparent", None), *good().items()]).index == 1


def test_a_flood_of_bad_roots_pushes_nothing_out_and_good_ones_stay_bounded() -> None:
    checker = verifier(remember=3)
    checker.verify(ONE, LEAF, NOW)
    for at in range(20):
        leaf = hashlib.sha256(b"%d" % at).digest()
        assert refused(Proof(leaf, b"\0" * 64, "k1", 0, 1, ()), leaf, checker=checker) == "proof.signature"
    assert len(checker._verified) == 1
    for at in range(5):
        batch = [(PRINT, b"other %d" % at)]
        checker.verify(proof_of(sign_batch(PRIVATE, "k1", batch)[0]), leaf_hash(*batch[0]), NOW)
    assert len(checker._verified) == 3


def test_the_encoding_is_that_of_dsse() -> None:
    # The example of the DSSE v1 protocol page.
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_the_worked_example_in_the_readme_is_right() -> None:
    readme = (Path(__file__).parents[2] / "avro" / "README.md").read_text(encoding="utf-8")
    batch = [(hashlib.sha256(b"schema").hexdigest(), body) for body in (b"one", b"two", b"three")]
    headers = sign_batch(PRIVATE, "k1", batch)
    PRIVATE.public_key().verify(dict(headers[0])["hc-sig"], signed_bytes(dict(headers[0])["hc-root"], 3))
    for value in (
        batch[0][0],
        leaf_hash(*batch[0]).hex(),
        leaf_hash(*batch[2]).hex(),
        dict(headers[0])["hc-root"].hex(),
        dict(headers[0])["hc-sig"].hex(),
        dict(headers[0])["hc-path"].hex(),
        dict(headers[2])["hc-path"].hex(),
    ):
        assert value in readme
