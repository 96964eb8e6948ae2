"""Who or what an alert is about: normal forms and identity keys. Pure functions.

`identify` names the key under which alerts on the same vehicle, person or threat meet, and the other strong keys that
it claims. `proposal_keys` and `possible_match` find alerts that may be on one subject, and say why; nothing joins by
them. `refusals` gives the faults of identity that keep an alert out. What is only doubtful is told by
`hueandcry.enrich.doubts`.
"""

from hueandcry.identity.confirm import contradictions
from hueandcry.identity.cyber import normalise_indicator
from hueandcry.identity.keys import IdentityKey, hmac_key, identify, status_key
from hueandcry.identity.likeness import Likeness
from hueandcry.identity.observables import observable_id
from hueandcry.identity.person import normalise_name
from hueandcry.identity.plate import normalise_plate
from hueandcry.identity.proposals import possible_match, proposal_keys
from hueandcry.identity.refuse import refusals
from hueandcry.identity.vin import VinReading, normalise_vin

__all__ = [
    "IdentityKey",
    "Likeness",
    "VinReading",
    "contradictions",
    "hmac_key",
    "identify",
    "normalise_indicator",
    "normalise_name",
    "normalise_plate",
    "normalise_vin",
    "observable_id",
    "possible_match",
    "proposal_keys",
    "refusals",
    "status_key",
]
