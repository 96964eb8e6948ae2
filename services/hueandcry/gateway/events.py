"""Messages of an agency's topics as HTTP shows them: decoded, as JSON; or raw, with the issuer's proof to verify."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from functools import cached_property
from typing import Any

from confluent_kafka import Message

from hueandcry.errors import RegistryError, WireError
from hueandcry.gateway.positions import Source
from hueandcry.sdk.delivery import Headers, Place, read_delivery, read_notice, read_receipt
from hueandcry.sdk.reader import timestamp
from hueandcry.wire.codec import SchemaIds

log = logging.getLogger(__name__)

_TYPES: dict[Source, str] = {"inbox": "delivery", "receipts": "receipt", "notices": "notice"}
_IDS = {"delivery": "delivery_id", "receipt": "receipt_id", "notice": "notice_id"}


class Event:
    """One message.

    Attributes:
        type: delivery, receipt or notice; `erased` where the message has no content (any more); `unreadable` where it
            can't be decoded here: the raw form has it.
        key: Kafka key, an alert id.
        message_id: the same when the message comes again.
        content: values that JSON has.
    """

    def __init__(self, source: Source, message: Message, ids: SchemaIds) -> None:
        self.partition = message.partition() or 0
        self.offset = message.offset() or 0
        self.at_ms = timestamp(message)
        self.key = (message.key() or b"").decode(errors="replace")
        self._value = message.value()
        self._headers: Headers = tuple(
            (name, value if isinstance(value, bytes) else b"") for name, value in message.headers() or ()
        )
        self._place = Place(message.topic() or "", self.partition, self.offset, self.at_ms)
        self.type, self.content = self._read(source, ids)
        self.message_id = str(self.content.get(_IDS.get(self.type, ""), f"{self.partition}.{self.offset}"))

    @cached_property
    def json(self) -> str:
        """The content as one line of JSON."""
        return json.dumps({"event": self.type, **self.content}, ensure_ascii=False, separators=(",", ":"))

    @cached_property
    def raw(self) -> str:
        """Key, value and headers as Kafka has them, in base64, as one line of JSON."""
        headers = [[name, base64.b64encode(value).decode()] for name, value in self._headers]
        value = None if self._value is None else base64.b64encode(self._value).decode()
        shown = {"event": "raw", "key": self.key, "value": value, "headers": headers, "kafka": self._kafka()}
        return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        return len(self._value or b"") + 2 * len(self.json) + 500

    def _read(self, source: Source, ids: SchemaIds) -> tuple[str, dict[str, Any]]:
        if self._value is None:
            return "erased", {"alert_id": self.key, "kafka": self._kafka()}
        read: Callable[[], Any]
        match source:
            case "inbox":
                read = lambda: read_delivery(self._value, self._headers, self._place, ids)  # noqa: E731
            case "receipts":
                read = lambda: read_receipt(self._value, self._place, ids)  # noqa: E731
            case "notices":
                read = lambda: read_notice(self._value, self._headers, self._place, ids)  # noqa: E731
        try:
            return _TYPES[source], read().to_json()
        except WireError as error:
            return "unreadable", {"rule": error.rule, "message": str(error), "kafka": self._kafka()}
        except RegistryError:
            raise
        except Exception as error:  # whatever one message holds, those after it are read
            place = self._place
            log.exception("a message can't be read: %s %d %d", place.topic, place.partition, place.offset)
            return "unreadable", {"rule": "wire", "message": type(error).__name__, "kafka": self._kafka()}

    def _kafka(self) -> dict[str, Any]:
        return {"topic": self._place.topic, "partition": self.partition, "offset": self.offset}
