"""May the signer of a message publish this alert, here?

The rules are in the order in which they are asked; each one that fails is a reason of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hueandcry.alerts.remarks import Remark
from hueandcry.rights.network import Network


def refusals(alert: Mapping[str, Any], signer: str, region: str, network: Network) -> list[Remark]:
    """Reasons to refuse an alert that the agency `signer` has signed and that came in by the topic of `region`."""
    agency = network.agencies.get(signer)
    if agency is None:
        return [Remark("issuer", "issuer.unknown", "the signer is not an agency of the network; enrol it in topics/")]
    found: list[Remark] = []
    if alert["issuer"] != signer:
        found.append(
            Remark("issuer", "issuer.signer", f"names another agency than the signer, {signer}; only the issuer may sign")
        )
    if alert["issuing_state"] != agency.state:
        found.append(Remark("issuing_state", "issuer.state", f"is not the state of {signer}; write {agency.state}"))
    if region != agency.region:
        found.append(
            Remark("", "issuer.region", f"came in by alerts.{region}; {signer} publishes to alerts.{agency.region}")
        )
    if alert["kind"] not in agency.publishes:
        found.append(Remark("kind", "issuer.kind", f"{signer} has no right to publish alerts of this kind"))
    return found
