"""A record with the proof that it is in the log: a file that is verified without a connection (c2sp.org/tlog-proof).

The `extra` line of the format has the record itself, in JSON: the schema's fingerprint and the Avro body in base64.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from hueandcry.errors import ProofError
from hueandcry.ledger.checkpoints import Checkpoint, open_checkpoint
from hueandcry.ledger.notes import VerifierKey
from hueandcry.ledger.records import leaf_of, read_record
from hueandcry.wire.merkle import HASH_SIZE, check_inclusion

_FIRST = "c2sp.org/tlog-proof@v1"
#: More hashes than a path can have; larger than any proof, in characters.
_MOST_HASHES, _LARGEST = 64, 1_000_000


class LedgerProof(NamedTuple):
    """A record and its place.

    Attributes:
        fingerprint: of the schema of the record.
        body: its Avro body.
        index: its place in the log, from 0.
        path: hashes from its sibling up to the root's child.
        checkpoint: the signed note, as the log has published it.
    """

    fingerprint: str
    body: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: str

    def to_text(self) -> str:
        """The file, which by convention ends in .tlog-proof."""
        extra = json.dumps({"schema": self.fingerprint, "record": _text(self.body)}, separators=(",", ":"))
        lines = [_FIRST, f"extra {_text(extra.encode())}", f"index {self.index}", *map(_text, self.path)]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    @classmethod
    def from_text(cls, text: str) -> LedgerProof:
        """Read a file; nothing of it is believed yet.

        Raises:
            ProofError: rule proof.malformed.
        """
        head, found, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not found or len(text) > _LARGEST or not 3 <= len(lines) <= _MOST_HASHES + 3 or lines[0] != _FIRST:
            raise _malformed("it does not begin as one")
        try:
            extra = json.loads(_bytes(lines[1].removeprefix("extra ")))
            fingerprint, body = str(extra["schema"]), _bytes(str(extra["record"]))
        except (ValueError, KeyError, TypeError):
            raise _malformed("its second line does not hold a record") from None
        index = lines[2].removeprefix("index ")
        if not lines[2].startswith("index ") or not index.isascii() or not index.isdecimal() or len(index) > 19:
            raise _malformed("its third line does not say the place")
        try:
            path = tuple(_bytes(line) for line in lines[3:])
        except ValueError:
            raise _malformed("a hash is not in base64") from None
        if any(len(each) != HASH_SIZE for each in path):
            raise _malformed("a hash has not 32 bytes")
        return cls(fingerprint, body, int(index), path, checkpoint)

    def check(self, keys: Iterable[VerifierKey]) -> tuple[Checkpoint, Mapping[str, Any] | None]:
        """Verify all of it: the checkpoint's signature, and that the record is in the log that it is of.

        Returns:
            The checkpoint, and the record; None where a later version of this software wrote it, whose form is not
            known here.

        Raises:
            ProofError: rule note.*, checkpoint.malformed or merkle.inclusion.
            DecodeError: the record is in the log, and is no record.
        """
        checkpoint = open_checkpoint(self.checkpoint, keys)
        check_inclusion(leaf_of(self.fingerprint, self.body), self.index, checkpoint.size, self.path, checkpoint.root)
        return checkpoint, read_record(self.fingerprint, self.body)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    if base64.b64encode(raw).decode() != text:
        raise ValueError("not the one form of base64")
    return raw


def _malformed(why: str) -> ProofError:
    return ProofError(f"this is no proof of the ledger: {why}", rule="proof.malformed")
