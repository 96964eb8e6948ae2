"""What a search shows an agency of an alert: all that a delivery would, only that there is one, or nothing.

Rules:
1. The whole alert goes to whom `may_receive` lets have it, and to its issuer. Subscriptions play no part.
2. Of an alert that is `discoverable` an agency that may not have it learns which state has one, and of what kind. Not
   where the alert excludes the agency, nor where the agency has no need to know of the kind.
3. Of covert categories and of TLP red nobody learns by rule 2, whatever the alert says.
4. Of everything else: nothing.

Rule 2 is hit/no-hit as in ECRIS-TCN (Regulation (EU) 2019/816 art. 7): who is hit is told which state to ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from hueandcry.alerts.compatibility import COVERT
from hueandcry.rights.may_receive import may_receive
from hueandcry.rights.network import Agency, Network
from hueandcry.rights.rules import RULES
from hueandcry.rights.standing import standings

Disclosure = Literal["whole", "existence", "nothing"]

#: The rules that hold for hit/no-hit too, in their order.
_STILL_ASKED = tuple(rule for rule in RULES if rule.name in ("markings.known", "excluded", "need_to_know"))


def disclosure(agency: Agency, head: Mapping[str, Any], network: Network) -> Disclosure:
    """What may be shown.

    Args:
        agency: who searches, of the network.
        head: hueandcry.Head record of the alert that was found.
        network: as it now stands.
    """
    if head.get("issuer") == agency.id or may_receive(agency, head, network).allowed:
        return "whole"
    return "existence" if _may_discover(agency, head, network) else "nothing"


def _may_discover(agency: Agency, head: Mapping[str, Any], network: Network) -> bool:
    if head.get("discoverable") is not True:
        return False
    standing = standings(network).of(agency)
    if not all(rule.passes(standing, head) for rule in _STILL_ASKED):
        return False
    return head["category"] not in COVERT and head["tlp"] != "red"
