"""Messages as they should not be, sent by an agency's own user with a plain Kafka producer."""

from __future__ import annotations

from typing import NamedTuple

from confluent_kafka import KafkaError, Message, Producer

from hueandcry.demo.scenario import Fault, Forged
from hueandcry.errors import HueAndCryError
from hueandcry.sdk.outbox import Prepared, Published
from hueandcry.sdk.prepare import ALERT, Preparer
from hueandcry.sdk.profile import Profile
from hueandcry.wire.codec import SchemaIds
from hueandcry.wire.kafka import producer_config, registry_client
from hueandcry.wire.proof import sign_batch

_ACKNOWLEDGED_S = 30.0


class RawMessage(NamedTuple):
    """What is sent: the value, and the headers of its proof."""

    value: bytes
    headers: list[tuple[str, bytes]]


def damaged(fault: Fault, alert: Prepared, sender: Profile) -> RawMessage:
    """The alert with its fault. Where it is signed, it is under the sender's own valid key."""
    if fault == "unsigned":
        return RawMessage(alert.value, [])
    proof = sign_batch(sender.load_signing_key(), sender.key_id, [(alert.fingerprint, alert.body)])[0]
    if fault == "truncated":
        return RawMessage(alert.value[: len(alert.value) // 2], proof)
    return RawMessage(alert.value, proof)


def send(forged: Forged, sender: Profile, issuer: Profile) -> Published:
    """Send it to the alerts topic of the sender's region, and wait until Kafka has it.

    Raises:
        HueAndCryError: Kafka did not take it.
    """
    ids = SchemaIds(registry_client(sender.settings))
    alert = Preparer(issuer.agency, issuer.state, ids.id_of(ALERT)).prepare(forged.alert)
    value, headers = damaged(forged.fault, alert, sender)
    places: list[Published] = []
    refusals: list[str] = []

    def acknowledged(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            refusals.append(error.str())
        else:
            where = (message.topic() or "", message.partition() or 0, message.offset() or 0)
            places.append(Published(alert.alert_id, alert.version, *where))

    producer = Producer(producer_config(sender.settings, log_level=0))
    producer.produce(sender.alerts_topic, value, alert.alert_id, headers=list(headers), on_delivery=acknowledged)
    producer.flush(_ACKNOWLEDGED_S)
    if not places:
        raise HueAndCryError(f"a message of {sender.agency} was not taken: {(refusals or ['no answer'])[0]}")
    return places[0]
