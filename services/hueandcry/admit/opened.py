"""What a signed message says and who has signed it; and the refusal of one that is not admitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from hueandcry.alerts.remarks import Remark
from hueandcry.errors import WireError
from hueandcry.lanes.batch import Incoming
from hueandcry.wire.codec import SchemaIds, decode_as
from hueandcry.wire.framing import unframe
from hueandcry.wire.proof import Verifier, leaf_hash, proof_of

#: By record, the field that names who has written it.
AUTHOR = {"hueandcry.Alert": "issuer", "hueandcry.Report": "reporter"}


class Refused(Exception):
    """A message that is not admitted, with what is known of its sender.

    Attributes:
        record: the decoded message; None where it could not be read.
        author: the agency that it names, verified or not.
        signer: the agency whose key has signed it; None where that is not known.
    """

    def __init__(
        self,
        remarks: list[Remark],
        *,
        record: Mapping[str, Any] | None = None,
        author: str | None = None,
        signer: str | None = None,
    ) -> None:
        super().__init__()
        self.remarks = remarks
        self.record = record
        self.author = author
        self.signer = signer


class Opened(NamedTuple):
    """A message that decodes and is signed.

    Attributes:
        record: as our own schema reads it.
        schema_id: of the schema that it was written in.
        body: the bytes that were signed.
        leaf: hash of its signed form, 32 bytes.
        signer: agency whose key has signed it.
    """

    record: dict[str, Any]
    schema_id: int
    body: bytes
    leaf: bytes
    signer: str

    def refused(self, remarks: list[Remark], name: str) -> Refused:
        """The refusal of this message, a record of the type `name`."""
        return Refused(remarks, record=self.record, author=self.record[AUTHOR[name]], signer=self.signer)


def opened(message: Incoming, name: str, schemas: SchemaIds, verifier: Verifier) -> Opened:
    """Read a message that holds a record of the type `name`, and verify its signature.

    Raises:
        Refused: it can't be read, or no key that was valid at its time has signed it.
        RegistryError: the registry does not answer.
    """
    if message.value is None:
        raise Refused([Remark("", "wire.empty", "the message has no value; send the alert or report")])
    try:
        schema_id, body = unframe(message.value)
        writer = schemas.writer(schema_id)
        record = decode_as(name, body, writer)
    except WireError as error:
        raise Refused([_remark(error)]) from error
    try:
        leaf = leaf_hash(writer.fingerprint, body)
        key = verifier.verify(proof_of(message.headers), leaf, message.timestamp)
    except WireError as error:
        raise Refused([_remark(error)], record=record, author=record[AUTHOR[name]]) from error
    return Opened(record, schema_id, body, leaf, key.agency)


def _remark(error: WireError) -> Remark:
    return Remark("", error.rule, error.diagnostics(), error.place)
