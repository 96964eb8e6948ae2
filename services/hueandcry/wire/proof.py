"""One signature over a batch: who signed an alert, and that not a bit of it has changed.

A publisher signs the root of a Merkle tree over the alerts that it sends together; each message carries the root,
the signature, the key id and its own path in Kafka headers, so it can be verified alone.

- leaf payload: DSSE PAE(type, body), with the type naming the schema; body is the Avro body without the frame
- leaf hash: SHA-256(0x00 || payload); node: SHA-256(0x01 || left || right)
- signed bytes: DSSE PAE("application/vnd.hueandcry.batch", root || tree size in 8 bytes big-endian)

Sources: `merkle` (tree and path), DSSE v1 protocol (PAE), RFC 8032 (Ed25519).

Rules: a signature counts only under a key that the network lists and that was valid at the time; a key id is a hint
to find the key, never a proof; only roots that have been verified are remembered.
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from struct import Struct
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hueandcry.errors import ProofError
from hueandcry.rights.network import SigningKey
from hueandcry.wire.merkle import HASH_SIZE, hash_leaf, levels, path_in, root_of

ROOT_HEADER = "hc-root"
SIGNATURE_HEADER = "hc-sig"
KEY_HEADER = "hc-key"
PATH_HEADER = "hc-path"
HEADERS = (ROOT_HEADER, SIGNATURE_HEADER, KEY_HEADER, PATH_HEADER)

BATCH_TYPE = "application/vnd.hueandcry.batch"
ALERT_TYPE = "application/vnd.hueandcry.alert+avro;schema="

#: Largest batch; a path then has at most 20 hashes.
MAX_SIZE = 2**20
#: Longest path that is looked at.
MAX_PATH = 32
_MAX_KEY_ID = 64

_HASH = HASH_SIZE
_PLACE = Struct(">II")
_SIZE = Struct(">Q")


class Proof(NamedTuple):
    """What the headers of one message say.

    Attributes:
        root: root of the batch's tree, 32 bytes.
        signature: Ed25519 signature, 64 bytes.
        key_id: key that is said to have signed.
        index: place of the alert in its batch, from 0.
        size: alerts in the batch.
        path: hashes from the leaf's sibling up to the root's child, 32 bytes each.
    """

    root: bytes
    signature: bytes
    key_id: str
    index: int
    size: int
    path: tuple[bytes, ...]


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding of a payload and its type."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def leaf_hash(fingerprint: str, body: bytes) -> bytes:
    """Hash of one alert: its Avro body, bound to the fingerprint of the schema it is written in. 32 bytes."""
    return hash_leaf(pae(ALERT_TYPE + fingerprint, body))


def signed_bytes(root: bytes, size: int) -> bytes:
    """The bytes that the signature of a batch is made over."""
    return pae(BATCH_TYPE, root + _SIZE.pack(size))


def sign_batch(
    private_key: Ed25519PrivateKey, key_id: str, bodies: Sequence[tuple[str, bytes]]
) -> list[list[tuple[str, bytes]]]:
    """Sign alerts that are sent together.

    Args:
        private_key: key of the issuing agency.
        key_id: its id in the network.
        bodies: of each alert the fingerprint of its schema and its Avro body without frame.

    Returns:
        For each alert, in order, the Kafka headers to send with it.

    Raises:
        ProofError: more than 2^20 alerts (rule proof.malformed).
    """
    size = len(bodies)
    if size == 0:
        return []
    if size > MAX_SIZE:
        raise ProofError(f"a batch has at most {MAX_SIZE} alerts, not {size}", rule="proof.malformed")
    tree = levels([leaf_hash(fingerprint, body) for fingerprint, body in bodies])
    root = tree[-1][0]
    shared = [
        (ROOT_HEADER, root),
        (SIGNATURE_HEADER, private_key.sign(signed_bytes(root, size))),
        (KEY_HEADER, key_id.encode()),
    ]
    return [
        [*shared, (PATH_HEADER, _PLACE.pack(index, size) + b"".join(path_in(tree, index)))] for index in range(size)
    ]


def proof_of(headers: Iterable[tuple[str, bytes | None]] | None) -> Proof:
    """Read the proof from the headers of a message; other headers are passed over.

    Raises:
        ProofError: proof.missing where none of the four headers is there, proof.malformed where one is missing,
            twice there, or not of its form.
    """
    found: dict[str, bytes] = {}
    for name, value in headers or ():
        if name in HEADERS:
            if name in found or not isinstance(value, bytes):
                raise _malformed(name, "must be there once, with a value")
            found[name] = value
    if not found:
        raise ProofError(
            "the message is not signed",
            rule="proof.missing",
            hint=f"Send the headers {', '.join(HEADERS)}; Publisher does so",
        )
    for name in HEADERS:
        if name not in found:
            raise _malformed(name, "is missing")
    root, signature, path = found[ROOT_HEADER], found[SIGNATURE_HEADER], found[PATH_HEADER]
    if len(root) != _HASH:
        raise _malformed(ROOT_HEADER, f"must have {_HASH} bytes")
    if len(signature) != 64:
        raise _malformed(SIGNATURE_HEADER, "must have 64 bytes")
    length, rest = divmod(len(path) - _PLACE.size, _HASH)
    if rest or not 0 <= length <= MAX_PATH:
        raise _malformed(PATH_HEADER, f"must have 8 bytes and then at most {MAX_PATH} hashes of {_HASH}")
    index, size = _PLACE.unpack_from(path)
    if not 0 < size <= MAX_SIZE or index >= size:
        raise _malformed(PATH_HEADER, f"must name a place in a batch of 1 to {MAX_SIZE}")
    try:
        key_id = found[KEY_HEADER].decode()
    except UnicodeDecodeError:
        raise _malformed(KEY_HEADER, "must be UTF-8") from None
    if not 0 < len(key_id) <= _MAX_KEY_ID:
        raise _malformed(KEY_HEADER, f"must have 1 to {_MAX_KEY_ID} characters")
    hashes = tuple(path[at : at + _HASH] for at in range(_PLACE.size, len(path), _HASH))
    return Proof(root, signature, key_id, index, size, hashes)


def is_valid_at(key: SigningKey, at_ms: int) -> bool:
    """Whether a key is valid at a time in epoch milliseconds."""
    return at_ms >= _ms(key.valid_from) and (key.valid_until is None or at_ms < _ms(key.valid_until))


def public_key(key: SigningKey) -> Ed25519PublicKey:
    """The key as one can verify with it.

    Raises:
        ValueError: it is no Ed25519 key.
    """
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(key.public_key, validate=True))


class Verifier:
    """Verifies proofs, and remembers the roots whose signature held.

    Not safe for use from several threads at once.

    Args:
        keys: finds a key by its id, None where the network lists none.
        remember: how many verified roots are kept; the one unused for longest goes first. A root with a bad
            signature is never kept, so a flood of them pushes nothing out.
    """

    def __init__(self, keys: Callable[[str], SigningKey | None], *, remember: int = 4096) -> None:
        self._keys = keys
        self._remember = remember
        self._verified: OrderedDict[tuple[str, bytes, int, bytes], None] = OrderedDict()

    def verify(self, proof: Proof, leaf: bytes, at_ms: int) -> SigningKey:
        """Key that has signed the alert with this leaf hash.

        Args:
            proof: from the message's headers.
            leaf: `leaf_hash` of the body that came with them.
            at_ms: epoch milliseconds at which the key must have been valid.

        Raises:
            ProofError: rule proof.unknown_key, proof.expired_key, proof.signature or proof.path.
        """
        key = self._keys(proof.key_id)
        if key is None:
            raise ProofError(
                "the network lists no key with the id in hc-key",
                rule="proof.unknown_key",
                hint="Ask the operator to add the key to topics/, or sign with one that is there",
            )
        if not is_valid_at(key, at_ms):
            raise ProofError(
                "the signing key was not valid at the time of the message",
                rule="proof.expired_key",
                hint="Sign with the key that is valid now",
            )
        if (
            len(leaf) != _HASH
            or not 0 <= proof.index < proof.size <= MAX_SIZE
            or len(proof.path) > MAX_PATH
            or root_of(leaf, proof.index, proof.size, proof.path) != proof.root
        ):
            raise ProofError(
                "the alert is not in the batch that was signed",
                rule="proof.path",
                hint="Sign the very bytes that are sent, without the five bytes of the frame",
            )
        self._check_signature(key, proof)
        return key

    def _check_signature(self, key: SigningKey, proof: Proof) -> None:
        seen = (key.public_key, proof.root, proof.size, proof.signature)
        if seen in self._verified:
            self._verified.move_to_end(seen)
            return
        try:
            public_key(key).verify(proof.signature, signed_bytes(proof.root, proof.size))
        except (InvalidSignature, ValueError):
            raise ProofError(
                "the signature does not hold under the key in hc-key",
                rule="proof.signature",
                hint="Sign with the private key that belongs to that id",
            ) from None
        self._verified[seen] = None
        if len(self._verified) > self._remember:
            self._verified.popitem(last=False)


def _malformed(header: str, what: str) -> ProofError:
    return ProofError(f"header {header} {what}", rule="proof.malformed", place=header)


def _ms(at: datetime) -> int:
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return int(aware.timestamp() * 1000)
