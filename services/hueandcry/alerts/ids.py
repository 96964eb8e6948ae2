"""Deterministic ids: the same input gives the same id everywhere and always, so that a repeat can be recognised.

All are UUIDv5 (RFC 9562, section 5.5) in random namespaces of our own. The namespaces must never change.
"""

from __future__ import annotations

import uuid
from hashlib import sha1

ALERT_NAMESPACE = uuid.UUID("67339fbc-6f29-418e-9e10-fd72281835b8")
DELIVERY_NAMESPACE = uuid.UUID("9962fe12-28fe-4aa2-a91e-cf3d5b3987b5")
RECEIPT_NAMESPACE = uuid.UUID("5c88ed64-5e62-42a6-9b28-a697beb548d1")
CLUSTER_NAMESPACE = uuid.UUID("20459a8d-33c0-4c4a-af68-352b6131df4e")
NOTICE_NAMESPACE = uuid.UUID("ded8f4c5-6275-4f93-8519-01e052615ddd")
REPORT_NAMESPACE = uuid.UUID("62a681ae-6014-455f-9d32-130d5abfe743")
REPORT_NOTICE_NAMESPACE = uuid.UUID("ae37b448-ccff-43c2-9128-a38a204208e4")


def alert_id(issuer: str, national_reference: str) -> str:
    """Id of an alert, the same for all its versions.

    Args:
        issuer: id of the issuing agency, as in topics/. Agency ids hold no line feed.
        national_reference: reference of the case in the issuer's system.
    """
    return _uuid5(ALERT_NAMESPACE.bytes, f"{issuer}\n{national_reference}")


def delivery_id(alert_id: str, version: int, action: str, cause: str) -> str:
    """Id of one delivery to one agency's inbox, the same when it is delivered again.

    Args:
        alert_id: the alert.
        version: its version.
        action: symbol of hueandcry.DeliveryAction.
        cause: what set the delivery off, for example the source offset or the revision of the network.
    """
    return _uuid5(DELIVERY_NAMESPACE.bytes, f"{alert_id}\n{version}\n{action}\n{cause}")


def receipt_id(topic: str, partition: int, offset: int) -> str:
    """Id of the receipt for the message at this place in Kafka."""
    return _uuid5(RECEIPT_NAMESPACE.bytes, f"{topic}\n{partition}\n{offset}")


def notice_id(alert_id: str, version: int, cause: str) -> str:
    """Id of a notice on an alert to its issuer, the same when it is sent again.

    Args:
        alert_id: the alert that its issuer is told of.
        version: its version.
        cause: what set the notice off, as of a delivery. Not the source of another alert, which must not be guessed.
    """
    return _uuid5(NOTICE_NAMESPACE.bytes, f"{alert_id}\n{version}\n{cause}")


def cluster_id(identity_key: bytes, alert_id: str = "") -> str:
    """Id of what an alert is about, the same for all alerts of a cluster.

    Args:
        identity_key: HMAC of the identity. Nobody can guess it, so the id tells its reader that two alerts which it has
            are on one thing, and nothing else; not, for one, that there is an alert which it may not see.
        alert_id: of an alert that stands alone.
    """
    return _uuid5(CLUSTER_NAMESPACE.bytes, f"{identity_key.hex()}\n{alert_id}")


def report_id(reporter: str, reference: str) -> str:
    """Id of a report on an alert.

    Args:
        reporter: id of the reporting agency; agency ids hold no line feed.
        reference: the agency's own reference of this report.
    """
    return _uuid5(REPORT_NAMESPACE.bytes, f"{reporter}\n{reference}")


def report_notice_id(report_id: str, notice_type: str, agency: str) -> str:
    """Id of what an agency is told of a report, the same when it is sent again.

    Args:
        report_id: the report that set it off.
        notice_type: symbol of hueandcry.NoticeType.
        agency: who is told.
    """
    return _uuid5(REPORT_NOTICE_NAMESPACE.bytes, f"{report_id}\n{notice_type}\n{agency}")


def _uuid5(namespace: bytes, name: str) -> str:
    """What uuid.uuid5 gives, as text, in a third of its time: ids are made for every message and delivery."""
    digest = sha1(namespace + name.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    text = digest[:16].hex()
    variant = "89ab"[digest[8] >> 4 & 3]
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"
