"""From an alert as a person or a system gives it to the bytes that are signed: validated, encoded, not too large."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from hueandcry.alerts.model import Alert, complete, problems
from hueandcry.alerts.remarks import Remark
from hueandcry.errors import AlertInvalid, EncodeError
from hueandcry.sdk.outbox import Prepared
from hueandcry.wire.codec import encode
from hueandcry.wire.framing import frame
from hueandcry.wire.schemas import schema

#: Kafka's limit of an alerts topic (max.message.bytes in topics/), 1 MiB.
TOPIC_LIMIT = 1024 * 1024
#: What Kafka key, proof headers and Kafka's own framing take of that, at most.
OVERHEAD = 2 * 1024
MAX_VALUE = TOPIC_LIMIT - OVERHEAD

ALERT = "hueandcry.Alert"


class Preparer:
    """Makes alerts of one agency ready to be sent.

    Args:
        agency: id of the issuer.
        state: its state; empty where it is not known, so that alerts must say it.
        schema_id: registry id of hueandcry.Alert.
        now: what `issued_at` is where an alert has none.
    """

    def __init__(
        self, agency: str, state: str, schema_id: int, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._agency = agency
        self._state = state
        self._now = now
        self._schema_id = schema_id
        self._fingerprint = schema(ALERT).fingerprint

    def prepare(self, given: Alert | Mapping[str, Any], place: str | None = None) -> Prepared:
        """One alert.

        Args:
            given: an Alert, or a mapping with the fields of one as in JSON. In a mapping `alerts.model.complete` fills
                in what follows from the agency: issuer, issuing state, time of issue, action, system.
            place: where it stands in the input; remarks repeat it.

        Raises:
            AlertInvalid: it is not sound; has every problem.
        """
        alert = given if isinstance(given, Alert) else self._validated(given, place)
        if alert.issuer != self._agency:
            message = (
                f"only the issuer publishes an alert, and this is {self._agency}; write its id, or leave issuer out"
            )
            raise AlertInvalid([Remark("issuer", "issuer.is_publisher", message, place)])
        record = alert.to_record()
        try:
            body = encode(ALERT, record)
        except EncodeError as error:
            raise AlertInvalid([Remark("", error.rule, error.diagnostics(), place)]) from error
        if len(body) > MAX_VALUE:
            message = (
                f"the alert has {len(body):,} bytes, an alerts topic takes {MAX_VALUE:,}; split it, or link the rest"
            )
            raise AlertInvalid([Remark("", "size.limit", message, place)])
        return Prepared(record["alert_id"], record["version"], self._fingerprint, body, frame(self._schema_id, body))

    def _validated(self, given: Mapping[str, Any], place: str | None) -> Alert:
        data = complete(given, issuer=self._agency, issuing_state=self._state, now=self._now())
        if not data["issuing_state"]:
            del data["issuing_state"]
        try:
            return Alert.model_validate(data)
        except ValidationError as error:
            raise AlertInvalid(problems(error, place=place)) from None

    def prepare_all(self, alerts: Iterable[Alert | Mapping[str, Any]]) -> list[Prepared]:
        """All of them, or none.

        Raises:
            AlertInvalid: some are not sound; has every problem of every one, its place being `alert N`, from 0.
        """
        prepared: list[Prepared] = []
        remarks: list[Remark] = []
        for number, alert in enumerate(alerts):
            try:
                prepared.append(self.prepare(alert, f"alert {number}"))
            except AlertInvalid as error:
                remarks.extend(error.remarks)
        if remarks:
            raise AlertInvalid(remarks)
        return prepared
