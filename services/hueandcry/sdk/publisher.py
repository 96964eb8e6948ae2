"""Publishing alerts from Python.

```python
from hueandcry import Publisher

with Publisher.for_agency("deu-vehicles") as publisher:
    publisher.publish(alerts)
```
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from confluent_kafka import KafkaError, KafkaException, Producer

from hueandcry.alerts.model import Alert
from hueandcry.errors import HueAndCryError, PublishError
from hueandcry.sdk.outbox import NotAcknowledged, Outbox, Prepared, Published
from hueandcry.sdk.prepare import ALERT, Preparer
from hueandcry.sdk.profile import Profile, agency_profile
from hueandcry.wire.codec import SchemaIds
from hueandcry.wire.kafka import producer_config, registry_client

_log = logging.getLogger("hueandcry.kafka")
_FATAL_TO_LOG_IN = (KafkaError._AUTHENTICATION, KafkaError._SSL, KafkaError._RESOLVE)


class Sender:
    """Signs and sends what one agency writes to one topic, and waits for Kafka's acknowledgement.

    What is sent together, or within a few milliseconds, shares one signature. Safe for use from several threads.

    Args:
        profile: who sends, and where.
        timeout: seconds after which a message that Kafka has not acknowledged has failed; retries happen within it.

    Raises:
        SettingsError: there is no usable signing key.
    """

    #: The field of a profile that names the topic.
    TOPIC: ClassVar[str]

    def __init__(self, profile: Profile, *, timeout: float = 30.0) -> None:
        self.profile = profile
        self.topic: str = getattr(profile, self.TOPIC)
        self._timeout = timeout
        self._trouble = ""
        private_key = profile.load_signing_key()
        config = producer_config(
            profile.settings,
            client_id=f"{profile.agency}-sdk",
            delivery_timeout_ms=int(timeout * 1000),
            error_cb=self._note_trouble,
        )
        try:
            producer = Producer(config, logger=_log)
        except KafkaException as error:
            raise HueAndCryError(f"the profile in {profile.folder} can't be used: {error.args[0].str()}") from None
        self._outbox = Outbox(producer, self.topic, private_key, profile.key_id)

    @classmethod
    def for_agency(cls, agency: str, home: Path | str | None = None, *, timeout: float = 30.0) -> Self:
        """As an agency, by its profile in `home` (HUEANDCRY_HOME, else ./.hueandcry).

        Raises:
            SettingsError: the profile is missing or wrong; the message says what to write.
        """
        return cls(agency_profile(agency, home), timeout=timeout)

    def publish_prepared(self, prepared: list[Prepared]) -> list[Published]:
        """Send what is prepared, and wait until Kafka has it on all replicas; where each lies, in the order given.

        Raises:
            PublishError: Kafka did not acknowledge all; says which it did.
        """
        published: list[Published] = []
        failed: list[tuple[int, str]] = []
        for number, future in enumerate(self._outbox.put(prepared)):
            try:
                published.append(future.result())
            except NotAcknowledged as error:
                failed.append((number, f"{error}; {self._trouble}" if self._trouble else str(error)))
        if failed:
            raise PublishError(published, failed)
        return published

    def close(self) -> None:
        """Wait until Kafka has what was sent, and close. Harmless a second time."""
        self._outbox.close(self._timeout + 1.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _note_trouble(self, error: KafkaError) -> None:
        """Keep what the connection suffers from: the reason why nothing is acknowledged."""
        _log.warning("%s", error.str())
        if error.code() in _FATAL_TO_LOG_IN or not self._trouble:
            self._trouble = error.str()


class Publisher(Sender):
    """Publishes alerts of one agency: validates, encodes, signs and sends them, and waits for Kafka's acknowledgement.

    What is sent together, or within a few milliseconds, shares one signature. Safe for use from several threads.
    Kafka's acknowledgement says that the platform has the alert; whether it is accepted says the receipt.

    Args:
        profile: who publishes, and where.
        timeout: seconds after which an alert that Kafka has not acknowledged has failed; retries happen within it.

    Raises:
        SettingsError: there is no usable signing key.
    """

    TOPIC = "alerts_topic"

    @cached_property
    def preparer(self) -> Preparer:
        """Validates and encodes; asks the registry for the schema's id at first use.

        Raises:
            RegistryError: the registry does not answer, or has no schema of alerts.
        """
        ids = SchemaIds(registry_client(self.profile.settings))
        return Preparer(self.profile.agency, self.profile.state, ids.id_of(ALERT))

    def publish(self, alerts: Iterable[Alert | Mapping[str, Any]]) -> list[Published]:
        """Publish alerts and wait until Kafka has them on all replicas.

        Args:
            alerts: Alert objects, or mappings with the fields of one as in JSON. They are held in memory together.

        Returns:
            Where each lies, in the order given.

        Raises:
            AlertInvalid: some are not sound; none was sent.
            PublishError: Kafka did not acknowledge all; says which it did.
        """
        return self.publish_prepared(self.preparer.prepare_all(alerts))

    def send(self, alert: Alert | Mapping[str, Any]) -> Future[Published]:
        """Publish one alert without waiting; alerts sent within a few milliseconds share a signature.

        Returns:
            A future that ends with where the alert lies, or raises with Kafka's reason.

        Raises:
            AlertInvalid: it is not sound; it was not sent.
        """
        return self._outbox.put([self.preparer.prepare(alert)])[0]
