"""Checkpoints: how large the log was and what its root was, signed (c2sp.org/tlog-checkpoint).

The text has three lines: the log's name (its origin), the number of records, and the root in base64.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hueandcry.errors import ProofError
from hueandcry.ledger.notes import VerifierKey, open_note, sign_note
from hueandcry.wire.merkle import HASH_SIZE

TOPIC = "checkpoints"


class Checkpoint(NamedTuple):
    """The log at one time.

    Attributes:
        origin: the log's name, which is also its key's.
        size: records.
        root: of the tree over them, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, private_key: Ed25519PrivateKey) -> str:
        """The signed note."""
        return sign_note(self.text, self.origin, private_key)


def open_checkpoint(note: str, keys: Iterable[VerifierKey]) -> Checkpoint:
    """The checkpoint of a signed note, which the log's own key must have signed; witnesses may have, too.

    Raises:
        ProofError: rule note.malformed, note.signature, note.unsigned or checkpoint.malformed.
    """
    opened = open_note(note, keys)
    origin, _, rest = opened.text.partition("\n")
    size, _, rest = rest.partition("\n")
    root, _, more = rest.partition("\n")
    try:
        digest = base64.b64decode(root, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    canonical = size.isascii() and size.isdecimal() and str(int(size)) == size if len(size) < 20 else False
    empty = any(not line for line in more.split("\n")[:-1])
    if not origin or not canonical or len(digest) != HASH_SIZE or base64.b64encode(digest).decode() != root or empty:
        raise ProofError("the note is no checkpoint", rule="checkpoint.malformed")
    if all(key.name != origin for key in opened.signed_by):
        raise ProofError("the checkpoint is not signed by its own log", rule="note.unsigned")
    return Checkpoint(origin, int(size), digest)
