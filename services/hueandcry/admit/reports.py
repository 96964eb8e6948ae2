"""Reports on alerts: verified as alerts are, and sent on to the partition of distribute that keeps the alert.

Rules, in this order; a report that breaks one is refused as an alert is:
1. It is in the wire format, under a schema of ours, decodes to the last byte, and is signed by a key valid then.
2. The signer is the reporter, of that state, and its region is the topic's.
3. It is sound (`alerts.reports`).
Whether the alert exists, and whether this agency may report on it, is nothing that admit knows or says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hueandcry.admit.opened import Opened
from hueandcry.alerts.remarks import Remark
from hueandcry.alerts.reports import check
from hueandcry.lanes.batch import Incoming, Record
from hueandcry.receipts import REPORT_HEADER, Origin
from hueandcry.rights.network import Network
from hueandcry.wire.codec import encode
from hueandcry.wire.framing import frame
from hueandcry.wire.proof import HEADERS

#: Topics of reports begin so.
PREFIX = "hits."
CLAIMS = "claims"


def refusals(report: Mapping[str, Any], signer: str, region: str, network: Network, now_ms: int) -> list[Remark]:
    """Reasons to refuse a report that the agency `signer` has signed and that came in by the topic of `region`."""
    agency = network.agencies.get(signer)
    if agency is None:
        return [Remark("reporter", "reporter.unknown", "the signer is not an agency of the network")]
    found: list[Remark] = []
    if report["reporter"] != signer:
        found.append(
            Remark("reporter", "reporter.signer", f"names another agency than the signer, {signer}; sign your own only")
        )
    if report["reporter_state"] != agency.state:
        found.append(Remark("reporter_state", "reporter.state", f"is not the state of {signer}; write {agency.state}"))
    if region != agency.region:
        found.append(
            Remark("", "reporter.region", f"came in by hits.{region}; {signer} reports to hits.{agency.region}")
        )
    return found or check(report, now_ms=now_ms)


def claim(message: Incoming, report: Opened, origin: Origin, claim_id: int, partitions: int) -> Record:
    """The claim that carries a sound report to distribute.

    It goes where the alert was at home when it was delivered, if the reporter says so, else anywhere: who does not
    know the alert passes it on.

    Args:
        claim_id: registry id of hueandcry.Claim.
        partitions: of `claims`.
    """
    home = report.record["home"]
    known = 0 <= home < partitions
    record = {
        "type": "report",
        "alert_id": report.record["alert_id"],
        "version": report.record["version"],
        "home": home if known else -1,
        "submission": {
            "source": origin.as_record(),
            "received_at": message.timestamp,
            "digest": report.leaf,
            "proof": {name: value for name, value in message.headers if name in HEADERS},
            "schema_id": report.schema_id,
            "body": report.body,
        },
    }
    value = frame(claim_id, encode("hueandcry.Claim", record))
    key = report.record["alert_id"].encode()
    return Record(CLAIMS, value, key, [REPORT_HEADER], partition=home if known else -1)
