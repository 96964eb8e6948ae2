"""Reporting on alerts from Python: hits, sightings, answers.

```python
from hueandcry import Reports

with Reports.for_agency("ken-police") as reports:
    reports.hit(delivery, urgent=True, words="stopped at the border")
```
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

from pydantic import ValidationError

from hueandcry.alerts.problems import problems
from hueandcry.alerts.reports import Report, complete
from hueandcry.errors import AlertInvalid
from hueandcry.sdk.delivery import Delivery
from hueandcry.sdk.outbox import Prepared, Published
from hueandcry.sdk.publisher import Sender
from hueandcry.wire.codec import SchemaIds, encode
from hueandcry.wire.framing import frame
from hueandcry.wire.kafka import registry_client
from hueandcry.wire.schemas import schema

REPORT = "hueandcry.Report"


class Sent(NamedTuple):
    """A report that Kafka has acknowledged.

    Attributes:
        report_id: by which an answer names it.
        published: where it lies. What became of it says its receipt.
    """

    report_id: str
    published: Published


class Reports(Sender):
    """Reports of one agency on alerts: validated, signed and sent to the hits topic of its region.

    Kafka's acknowledgement says that the platform has the report; whether it is accepted says the receipt
    (`hueandcry.Receipts`), and what comes of it the notices (`hueandcry.Notices`).

    Args:
        profile: who reports, and where.
        timeout: seconds for Kafka's acknowledgement.

    Raises:
        SettingsError: there is no usable signing key.
    """

    TOPIC = "hits_topic"

    @cached_property
    def _schema_id(self) -> int:
        return SchemaIds(registry_client(self.profile.settings)).id_of(REPORT)

    def hit(self, delivery: Delivery, *, urgent: bool = False, **fields: Any) -> Sent:
        """Say that what a delivery is about has been found; its issuer is asked to confirm.

        Args:
            fields: as of `report`.
        """
        return self.on(delivery, "hit", urgency="urgent" if urgent else "routine", **fields)

    def on(self, delivery: Delivery, kind: str, **fields: Any) -> Sent:
        """Report on the alert of a delivery; `kind` is a type of report, `fields` as of `report`."""
        return self.report(
            {"type": kind, "alert_id": delivery.alert_id, "version": delivery.version, "home": delivery.home, **fields}
        )

    def report(self, given: Report | Mapping[str, Any]) -> Sent:
        """Send one report and wait until Kafka has it on all replicas.

        Args:
            given: a Report, or a mapping with the fields of one as in JSON: at least `type` and `alert_id`. Reporter,
                state, time and reference are filled in where they are missing; with a reference of your own, sending
                the same again is known to be a repeat.

        Raises:
            AlertInvalid: it is not sound; has every problem.
            PublishError: Kafka did not acknowledge it.
        """
        report = given if isinstance(given, Report) else self._validated(given)
        body = encode(REPORT, report.to_record())
        value = frame(self._schema_id, body)
        prepared = Prepared(report.alert_id, report.version, schema(REPORT).fingerprint, body, value)
        (published,) = self.publish_prepared([prepared])
        return Sent(report.report_id, published)

    def _validated(self, given: Mapping[str, Any]) -> Report:
        profile = self.profile
        try:
            return Report.model_validate(
                complete(given, reporter=profile.agency, reporter_state=profile.state, now=datetime.now(UTC))
            )
        except ValidationError as error:
            raise AlertInvalid(problems(error)) from None
