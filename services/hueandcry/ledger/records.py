"""The ledger's records: what was done, by whom, when and under which rule. Ids and hashes only.

Rules:
1. A record holds no text of an alert, report or search, and no hash of such a text alone: what can be guessed can be
   found again by its hash. A `seal` binds the content by way of something that cannot be guessed (`seal`).
2. Each record begins with 16 random bytes of its own, so that its hash in somebody else's proof says nothing.
3. A record on a disclosure is of one agency. What it shows of others is nothing, not even how many there are.
4. A leaf of the tree is the record's Avro body, bound to the fingerprint of its schema as a signed alert is.

So a record outlives the alert that it is about, and an erasure takes nothing out of the ledger.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

from hueandcry.wire.codec import decode, encode
from hueandcry.wire.framing import frame
from hueandcry.wire.merkle import hash_leaf
from hueandcry.wire.proof import pae
from hueandcry.wire.schemas import schema

TOPIC = "ledger"
RECORD = "hueandcry.LedgerRecord"
BATCH = "hueandcry.LedgerBatch"
RECORD_TYPE = "application/vnd.hueandcry.ledger+avro;schema="
SALT_SIZE = 16
#: In place of an agency, where the platform acts by its own rules.
PLATFORM = "platform"
#: Largest Kafka record of them, in bytes, but for one record that is larger alone.
_LARGEST_BATCH = 256 * 1024


class Act(NamedTuple):
    """One thing that was done. Fields as in avro/hueandcry.LedgerRecord, without the salt.

    Attributes:
        type: collected, refused, altered, consulted, disclosed, combined or erased.
        what: more exactly, for example the message type or the action of a delivery.
        by: the agency that did it or had it done; PLATFORM where none did.
        to: the agency to which something was disclosed.
        state: of `to`, else of `by`.
        ref: id under which it is found elsewhere: of a delivery, receipt, notice, report, consultation or other alert.
        form: of what was disclosed: original, redacted or none.
        seal: binds the content; None where there is none.
    """

    type: str
    what: str
    by: str
    at: int
    to: str | None = None
    state: str | None = None
    alert_id: str | None = None
    version: int = 0
    rule: str = ""
    ref: str = ""
    form: str = ""
    withheld: tuple[str, ...] = ()
    seal: bytes | None = None


def seal(secret: bytes, content: bytes) -> bytes:
    """What binds content in the ledger, for who has it and `secret`: nobody else can say if a guess is right.

    Args:
        secret: what came with the content and cannot be guessed, as the signature of its batch; it goes when that goes.
        content: or its hash.
    """
    return sha256(b"\x02" + len(secret).to_bytes(2, "big") + secret + content).digest()


def bodies(acts: Iterable[Act]) -> Iterator[bytes]:
    """Avro bodies of records, each with a salt of its own."""
    acts = list(acts)
    salts = os.urandom(SALT_SIZE * len(acts))
    for number, act in enumerate(acts):
        at = number * SALT_SIZE
        yield encode(RECORD, {"salt": salts[at : at + SALT_SIZE], **act._asdict()})


def batches(acts: Iterable[Act], batch_id: int) -> Iterator[bytes]:
    """Values for the topic: many records go in one, which costs less than one for each.

    Args:
        batch_id: registry id of hueandcry.LedgerBatch.
    """
    fingerprint, waiting, size = schema(RECORD).fingerprint, list[bytes](), 0
    for body in bodies(acts):
        if waiting and size + len(body) > _LARGEST_BATCH:
            yield frame(batch_id, encode(BATCH, {"schema": fingerprint, "records": waiting}))
            waiting, size = [], 0
        waiting.append(body)
        size += len(body)
    if waiting:
        yield frame(batch_id, encode(BATCH, {"schema": fingerprint, "records": waiting}))


def leaf_of(fingerprint: str, body: bytes) -> bytes:
    """Hash of a record as a leaf, 32 bytes.

    Args:
        fingerprint: of the schema that its body is written in.
    """
    return hash_leaf(pae(RECORD_TYPE + fingerprint, body))


def read_record(fingerprint: str, body: bytes) -> Mapping[str, Any] | None:
    """A record; None where it is written in a schema that is not ours (by a later version of this software).

    Raises:
        DecodeError: the bytes are no record.
    """
    return decode(RECORD, body) if fingerprint == _ours() else None


@cache
def _ours() -> str:
    return schema(RECORD).fingerprint


def concerns(record: Mapping[str, Any]) -> str:
    """The agency that may have a proof of a record: to whom was disclosed, else who did it."""
    return record["to"] if record["to"] is not None else record["by"]


def subject(record: Mapping[str, Any]) -> str:
    """The id by which a record is asked for: the alert's, else what `ref` names."""
    return record["alert_id"] or record["ref"]
