"""May the signer of a message publish this alert, here, and does the network know those whom it names?

The rules are in the order in which they are asked; each one that fails is a reason of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hueandcry.alerts.remarks import Remark
from hueandcry.rights.jurisdiction import WORLD
from hueandcry.rights.network import Network
from hueandcry.rights.standing import standings


def refusals(alert: Mapping[str, Any], signer: str, region: str, network: Network) -> list[Remark]:
    """Reasons to refuse an alert that the agency `signer` has signed and that came in by the topic of `region`."""
    agency = network.agencies.get(signer)
    if agency is None:
        return [Remark("issuer", "issuer.unknown", "the signer is not an agency of the network; enrol it in topics/")]
    found: list[Remark] = []
    if alert["issuer"] != signer:
        found.append(
            Remark(
                "issuer", "issuer.signer", f"names another agency than the signer, {signer}; only the issuer may sign"
            )
        )
    if alert["issuing_state"] != agency.state:
        found.append(Remark("issuing_state", "issuer.state", f"is not the state of {signer}; write {agency.state}"))
    if region != agency.region:
        found.append(
            Remark("", "issuer.region", f"came in by alerts.{region}; {signer} publishes to alerts.{agency.region}")
        )
    if alert["kind"] not in agency.publishes:
        found.append(Remark("kind", "issuer.kind", f"{signer} has no right to publish alerts of this kind"))
    found.extend(_unknown_names(alert, network))
    return found


def _unknown_names(alert: Mapping[str, Any], network: Network) -> Iterator[Remark]:
    """Names in the three lists that stand for nothing here.

    An exclusion that is misspelt would exclude nobody, and the alert would go to whom the issuer wanted kept out.
    """
    known = standings(network)
    for index, name in enumerate(alert["circulation"]):
        if name not in known.places:
            yield _unknown("circulation", index, "write world, or a region, state or subdivision")
    for field in ("releasable_to", "excluded"):
        for index, name in enumerate(alert[field]):
            if field == "releasable_to" and name == WORLD:
                yield Remark(field, "names.known", "world releases to nobody; leave the list empty", f"index {index}")
            elif name not in known.names:
                yield _unknown(field, index, "write an agency, a coalition, a region or a state")


def _unknown(field: str, index: int, instead: str) -> Remark:
    return Remark(field, "names.known", f"names what the network does not know; {instead}", f"index {index}")
