"""Alerts and reports, from a request to Kafka.

1. What came is read and checked by the rules of admit: a client hears at once of what would be refused later.
2. It is signed by the agency already (four headers, as in Kafka), or for it by a key in custody.
3. It is written; the answer comes when Kafka has it on all replicas.

A body is sent whole or not at all, but where Kafka fails halfway: then sending it again is safe, since the platform
takes a version of an alert once.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ValidationError

from hueandcry.adapters.formats import read
from hueandcry.adapters.reading import Context, Defaults
from hueandcry.alerts import reports
from hueandcry.alerts.checks import check as check_alert
from hueandcry.alerts.model import Alert, complete, problems
from hueandcry.alerts.remarks import Remark
from hueandcry.errors import AlertInvalid, ProofError, WireError
from hueandcry.gateway.auth import Caller
from hueandcry.gateway.bodies import MOST_ITEMS
from hueandcry.gateway.custody import Custody, Signer
from hueandcry.gateway.press import Sheet
from hueandcry.gateway.problems import Problem, told
from hueandcry.sdk.prepare import MAX_VALUE
from hueandcry.wire.codec import SchemaIds, decode_as, encode
from hueandcry.wire.framing import frame, unframe
from hueandcry.wire.proof import HEADERS, KEY_HEADER, Verifier, leaf_hash, proof_of
from hueandcry.wire.schemas import schema

What = Literal["alert", "report"]
_NAMES: dict[What, str] = {"alert": "hueandcry.Alert", "report": "hueandcry.Report"}
#: Most losses that an answer tells.
_MOST_LOSSES = 200
_TOPICS: dict[What, str] = {"alert": "alerts", "report": "hits"}


@dataclass(frozen=True)
class Ready:
    """What is to be written.

    Attributes:
        shown: of each message what the answer says of it.
        signer: None where the agency has signed.
        losses: parts of a document that are in no alert, or not as they were.
    """

    sheets: list[Sheet]
    shown: list[dict[str, Any]]
    signer: Signer | None
    losses: list[dict[str, str]] = field(default_factory=list)


class Publishing:
    """Makes ready what came in.

    Args:
        custody: keys to sign with.
        ids: of the schemas.
        now_ms: epoch milliseconds.
    """

    def __init__(self, custody: Custody, ids: SchemaIds, now_ms: Callable[[], int]) -> None:
        self._custody = custody
        self._ids = ids
        self._now_ms = now_ms
        self._schema_ids = {what: ids.id_of(name) for what, name in _NAMES.items()}
        self._network: Any = None
        self._verifier: Verifier | None = None

    def signer(self, caller: Caller) -> Signer:
        """The key to sign with for who asks.

        Raises:
            Problem: 403 where there is none.
        """
        found = self._custody.signer(caller.agency, caller.network, self._now_ms())
        if found is None:
            raise Problem(
                403,
                "custody",
                "the gateway has no key to sign with for this agency; send what the agency has signed itself "
                "(application/avro and its hc- headers), or have the operator set gateway: [signs]",
            )
        return found

    def from_objects(self, what: What, given: list[dict[str, Any]], caller: Caller, at_ms: int, *, one: bool) -> Ready:
        """Objects as in JSON, to be signed here.

        Args:
            at_ms: the time that is filled in where none is given.
            one: whether the body was one object, not lines of them.

        Raises:
            Problem: 403 where there is no key, 422 where one is not sound; it has every error of every one.
        """
        signer = self.signer(caller)
        sheets: list[Sheet] = []
        shown: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for number, each in enumerate(given):
            try:
                record = self._record(what, each, caller, at_ms, None if one else f"object {number}")
            except AlertInvalid as error:
                errors += told(error.remarks, each)
                continue
            body = encode(_NAMES[what], record)
            sheets.append(self._sheet(what, record, body, caller, None))
            shown.append(_shown(what, record))
        if errors:
            raise Problem(422, f"{what}.invalid", "nothing was sent; correct these and send all again", errors=errors)
        return Ready(sheets, shown, signer)

    def from_document(self, data: bytes, form: str, defaults: Defaults, caller: Caller, at_ms: int) -> Ready:
        """The alerts of a document in another format, to be signed here.

        Args:
            form: a name of `adapters.formats.ADAPTERS`.
            defaults: what the document does not say.

        Raises:
            Problem: 403 where there is no key, 413 where there are too many, 422 where a part gives no sound alert, or
                there is none; nothing is sent then.
        """
        signer, agency = self.signer(caller), caller.agency
        now = datetime.fromtimestamp(at_ms / 1000, UTC)
        reading = read(data, Context(agency.id, agency.state, now, defaults), form)
        losses = [loss.as_json() for loss in reading.losses]
        errors = [
            error | {"pointer": refusal.place, "place": refusal.place or None}
            for refusal in reading.refusals
            for error in told(refusal.remarks)
        ]
        if len(reading.alerts) > MOST_ITEMS:
            raise Problem(413, "body.items", f"a document has at most {MOST_ITEMS:,} alerts; send several")
        sheets: list[Sheet] = []
        shown: list[dict[str, Any]] = []
        for place, alert in reading.alerts:
            record = alert.to_record()
            errors += [error | {"pointer": place} for error in told(self._unlike("alert", record, caller))]
            body = encode(_NAMES["alert"], record)
            sheets.append(self._sheet("alert", record, body, caller, None))
            shown.append({**_shown("alert", record), "place": place})
        if errors:
            raise Problem(422, "alert.invalid", "nothing was sent; correct these and send all again", errors=errors)
        if not sheets:
            raise Problem(422, "document.empty", "there is no alert in this document", errors=losses)
        return Ready(sheets, shown, signer, losses)

    async def from_avro(self, what: What, value: bytes, headers: Mapping[str, str], caller: Caller) -> Ready:
        """One message in Avro: framed, and signed by the agency (four headers, of which hc-key is text and the others
        base64); or without these headers, to be signed here.

        Raises:
            Problem: 400 where it can't be read, 403 where it is not signed as it must be, 422 where it is not sound.
        """
        try:
            schema_id, body = unframe(value)
            # In a thread: an id that is not known yet is asked of the registry.
            writer = await asyncio.to_thread(self._ids.writer, schema_id)
            record = decode_as(_NAMES[what], body, writer)
        except WireError as error:
            raise Problem(
                400, error.rule, error.diagnostics(), errors=told([Remark("", error.rule, str(error), error.place)])
            ) from None
        self._judge(what, record, caller)
        given = {name: headers[name] for name in HEADERS if name in headers}
        if not given:
            if writer.fingerprint != schema(_NAMES[what]).fingerprint:
                body = encode(_NAMES[what], record)
            return Ready([self._sheet(what, record, body, caller, None)], [_shown(what, record)], self.signer(caller))
        proof = self._proof(given, writer.fingerprint, body, caller)
        sheet = Sheet(self._topic(what, caller), _key(record), value, headers=proof)
        return Ready([sheet], [_shown(what, record)], None)

    def _proof(
        self, given: Mapping[str, str], fingerprint: str, body: bytes, caller: Caller
    ) -> list[tuple[str, bytes]]:
        try:
            headers = [
                (name, text.encode() if name == KEY_HEADER else base64.b64decode(text, validate=True))
                for name, text in given.items()
            ]
            proof = proof_of(headers)
            if self._network is not caller.network or self._verifier is None:
                self._network = caller.network
                self._verifier = Verifier(caller.network.keys.get)
            key = self._verifier.verify(proof, leaf_hash(fingerprint, body), self._now_ms())
        except ValueError:
            raise Problem(400, "proof.malformed", "hc-root, hc-sig and hc-path are base64") from None
        except ProofError as error:
            raise Problem(403, error.rule, error.diagnostics()) from None
        if key.agency != caller.agency.id:
            raise Problem(403, "proof.issuer", "another agency has signed this; it must send it itself")
        return headers

    def _record(
        self, what: What, given: Mapping[str, Any], caller: Caller, at_ms: int, place: str | None
    ) -> dict[str, Any]:
        agency, now = caller.agency, datetime.fromtimestamp(at_ms / 1000, UTC)
        try:
            if what == "alert":
                data = complete(given, issuer=agency.id, issuing_state=agency.state, now=now)
                record = Alert.model_validate(data).to_record()
            else:
                data = reports.complete(given, reporter=agency.id, reporter_state=agency.state, now=now)
                record = reports.Report.model_validate(data).to_record()
        except ValidationError as error:
            raise AlertInvalid(problems(error, place=place)) from None
        remarks = self._unlike(what, record, caller)
        if remarks:
            raise AlertInvalid([remark._replace(place=place) for remark in remarks])
        return record

    def _judge(self, what: What, record: Mapping[str, Any], caller: Caller) -> None:
        rules = check_alert if what == "alert" else reports.check
        remarks = [*rules(record, now_ms=self._now_ms()), *self._unlike(what, record, caller)]
        if remarks:
            raise Problem(422, f"{what}.invalid", "it was not sent", errors=told(remarks, record))

    def _unlike(self, what: What, record: Mapping[str, Any], caller: Caller) -> list[Remark]:
        """What does not fit who asks."""
        agency, field = caller.agency, "issuer" if what == "alert" else "reporter"
        if record[field] != agency.id:
            message = f"only the {field} itself may send this; write its id, or leave {field} out"
            return [Remark(field, f"{field}.is_publisher", message)]
        if what == "alert" and record["kind"] not in agency.publishes:
            return [Remark("kind", "publishes", "the agency may not publish this kind; see `publishes` in topics/")]
        return []

    def _sheet(self, what: What, record: Mapping[str, Any], body: bytes, caller: Caller, headers: Any) -> Sheet:
        if len(body) > MAX_VALUE:
            raise Problem(
                413, "size.limit", f"one message has more than {MAX_VALUE:,} bytes; split it, or link the rest"
            )
        value = frame(self._schema_ids[what], body)
        fingerprint = schema(_NAMES[what]).fingerprint
        return Sheet(self._topic(what, caller), _key(record), value, fingerprint, body, headers)

    def _topic(self, what: What, caller: Caller) -> str:
        return f"{_TOPICS[what]}.{caller.agency.region}"


def answer(what: What, ready: Ready) -> str:
    """The body of a 202: what was taken, in the order given; of a document also what was lost on the way."""
    told_: dict[str, Any] = {"accepted": len(ready.shown), f"{what}s": ready.shown}
    if ready.losses:
        told_["losses"] = ready.losses[:_MOST_LOSSES]
        told_["losses_left_out"] = max(0, len(ready.losses) - _MOST_LOSSES)
    return json.dumps(told_, separators=(",", ":"), ensure_ascii=False)


def _shown(what: What, record: Mapping[str, Any]) -> dict[str, Any]:
    found = {"alert_id": record["alert_id"], "version": record["version"]}
    return found if what == "alert" else {"report_id": record["report_id"], **found}


def _key(record: Mapping[str, Any]) -> bytes:
    return str(record["alert_id"]).encode()
