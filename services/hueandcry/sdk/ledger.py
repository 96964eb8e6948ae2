"""The ledger, as an agency sees it, and as the operator does.

An agency keeps the checkpoints that it has seen, asks for proofs of what concerns it, and for proofs that the log of
today goes on from the log that it has seen. The operator reads the whole log.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, Self
from urllib.parse import urlsplit

from hueandcry.errors import HueAndCryError, LedgerError, SettingsError
from hueandcry.ledger.checkpoints import TOPIC as CHECKPOINTS
from hueandcry.ledger.checkpoints import Checkpoint, open_checkpoint
from hueandcry.ledger.notes import VerifierKey
from hueandcry.ledger.proofs import LedgerProof
from hueandcry.ledger.records import TOPIC as LEDGER
from hueandcry.ledger.records import leaf_of, read_record, seal
from hueandcry.ledger.tree import opened
from hueandcry.sdk.profile import Profile
from hueandcry.sdk.reader import Reader
from hueandcry.wire.codec import SchemaIds, decode_as
from hueandcry.wire.framing import unframe
from hueandcry.wire.kafka import registry_client
from hueandcry.wire.merkle import check_consistency
from hueandcry.wire.requests import LEDGER_TAG, sign_request

_SECONDS = 30.0
_JSON = "application/json"
CONSULTATIONS = "consultations"
_PROOF, _CONSISTENCY = "/ledger/proof", "/ledger/consistency"
#: Seconds without a message after which a scan is given up.
_STUCK = 30.0


class Steps(Protocol):
    """Something that shows progress."""

    def advance(self, by: int = 1) -> None:
        """So many messages more have been read."""


Progress = Callable[[str, int | None], AbstractContextManager[Steps]]


class Proofs(NamedTuple):
    """What the ledger has of an alert, a receipt or a search for an agency.

    Attributes:
        proofs: verified, the oldest first.
        more: whether there are older ones than were sent.
        pending: records that no checkpoint covers yet; ask again in a few seconds.
    """

    proofs: list[LedgerProof]
    more: bool
    pending: int


class Entry(NamedTuple):
    """A record of the log.

    Attributes:
        index: its place, from 0.
        leaf: its hash as a leaf.
        record: fields as in avro/hueandcry.LedgerRecord; None where it is none that can be read.
    """

    index: int
    leaf: bytes
    record: Mapping[str, Any] | None


def ledger_key(profile: Profile) -> VerifierKey:
    """The ledger's public key, by which everything is verified.

    Raises:
        SettingsError: the profile does not have it, or it is none.
    """
    if not profile.ledger_key:
        where = profile.folder / "config.toml"
        raise SettingsError(
            f"{where}: ledger_verifier_key is missing",
            hint='Write ledger_verifier_key = "name+id+key", as the operator gave it to you by another way',
        )
    return VerifierKey.parse(profile.ledger_key)


class Ledger:
    """Asks the ledger as an agency; use as a context. Not for several threads at once.

    Args:
        profile: of the agency: ledger_url, ledger_verifier_key and the signing key by which it is known.

    Raises:
        SettingsError: one of these is missing or wrong.
    """

    def __init__(self, profile: Profile) -> None:
        where = profile.folder / "config.toml"
        if not profile.ledger_url:
            raise SettingsError(f"{where}: ledger_url is missing", hint='Write ledger_url = "https://…", or ask for it')
        parts = urlsplit(profile.ledger_url)
        if parts.scheme != "https":
            raise SettingsError(f"{where}: ledger_url does not begin with https://")
        self.key = ledger_key(profile)
        self._signing_key = profile.load_signing_key()
        self._key_id = profile.key_id
        self._url = profile.ledger_url
        context = ssl.create_default_context(cafile=str(profile.ledger_ca) if profile.ledger_ca else None)
        self._connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port or 443, timeout=_SECONDS, context=context
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def proofs(self, wanted: str) -> Proofs:
        """Proofs of the records on an alert, a receipt or a search, as far as they concern the agency.

        Args:
            wanted: alert id, receipt id or consultation id.

        Raises:
            LedgerError: it was refused, or not answered.
            ProofError: what was answered does not verify.
        """
        answer = self._ask(_PROOF, {"id": wanted})
        found = [LedgerProof.from_text(text) for text in answer["proofs"]]
        for proof in found:
            proof.check([self.key])
        return Proofs(found, bool(answer["more"]), int(answer["pending"]))

    def goes_on_from(self, before: Checkpoint) -> tuple[Checkpoint, str]:
        """The newest checkpoint and its note, verified to go on from an older one.

        Raises:
            LedgerError: it was refused, or not answered: rule ledger.shorter where the log has become shorter.
            ProofError: the log of today does not go on from the older one: it was changed.
        """
        answer = self._ask(_CONSISTENCY, {"size": before.size})
        now = open_checkpoint(answer["checkpoint"], [self.key])
        path = [base64.b64decode(each) for each in answer["path"]]
        check_consistency(before.size, before.root, now.size, now.root, path)
        return now, answer["checkpoint"]

    def _ask(self, path: str, question: Mapping[str, Any]) -> dict[str, Any]:
        body = json.dumps(question).encode()
        url = self._url + path
        headers = sign_request(self._signing_key, self._key_id, "POST", url, body, tag=LEDGER_TAG, content_type=_JSON)
        try:
            self._connection.request("POST", path, body, headers)
            response = self._connection.getresponse()
            status, text = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise LedgerError(
                f"the ledger does not answer ({type(error).__name__})",
                hint="Look at ledger_url and ledger_ca in config.toml",
            ) from error
        try:
            answer = json.loads(text)
        except ValueError:
            raise LedgerError(f"the ledger answered with what is no JSON (status {status})") from None
        if status != 200:
            raise LedgerError(
                f"the ledger refused: {answer.get('message', 'no reason is told')}", rule=str(answer.get("rule", ""))
            )
        return answer


def checkpoints(profile: Profile, progress: Progress) -> Iterator[tuple[str, str]]:
    """All checkpoints that were published, the oldest first: where each lies, in words, and its note.

    Raises:
        HueAndCryError: Kafka refuses, or does not answer.
    """
    for offset, value in _values(profile, CHECKPOINTS, progress):
        yield f"{CHECKPOINTS} at offset {offset}", (value or b"").decode("utf-8", "replace")


def batches(profile: Profile, progress: Progress) -> Iterator[bytes | None]:
    """The whole log, for the operator: its Kafka records, in order.

    Raises:
        HueAndCryError: Kafka refuses, or does not answer.
    """
    for _, value in _values(profile, LEDGER, progress):
        yield value


def entries(values: Iterator[bytes | None]) -> Iterator[Entry]:
    """The records of the log, one by one."""
    index = 0
    for value in values:
        fingerprint, bodies = opened(value)
        for body in bodies:
            try:
                record = read_record(fingerprint, body)
            except HueAndCryError:
                record = None
            yield Entry(index, leaf_of(fingerprint, body), record)
            index += 1


def consultations(profile: Profile, progress: Progress, since: int, until: int) -> dict[str, tuple[str, bytes]]:
    """The searches of a span (epoch milliseconds), for the operator, by id: purpose, and the seal that the ledger has.

    Raises:
        HueAndCryError: Kafka or the registry refuse, or do not answer.
    """
    ids = SchemaIds(registry_client(profile.settings))
    found: dict[str, tuple[str, bytes]] = {}
    for _, value in _values(profile, CONSULTATIONS, progress):
        schema_id, body = unframe(value)
        record = decode_as("hueandcry.Consultation", body, ids.writer(schema_id))
        if since <= record["at"] < until:
            found[record["consultation_id"]] = (record["purpose"], seal(record["nonce"].encode(), body))
    return found


def _values(profile: Profile, topic: str, progress: Progress) -> Iterator[tuple[int, bytes | None]]:
    with Reader(profile, [topic], start="beginning") as reader, progress(topic, reader.length()) as steps:
        while not reader.at_end:
            message = reader.take(_STUCK, until_end=True)
            if message is not None:
                steps.advance()
                yield int(message.offset() or 0), message.value()
            elif not reader.at_end:
                raise LedgerError(f"{topic} could not be read to its end in time", hint="Run it again")
