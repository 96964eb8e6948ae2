"""Who or what an alert is about: normal forms and identity keys. Pure functions.

`identify` names the key under which alerts on the same vehicle, person or threat meet, and the other strong keys that
it claims. `refusals` gives the faults of identity that keep an alert out. What is only doubtful is told by
`hueandcry.enrich.doubts`.
"""

from hueandcry.identity.confirm import contradictions
from hueandcry.identity.cyber import normalise_indicator
from hueandcry.identity.keys import IdentityKey, hmac_key, identify
from hueandcry.identity.person import normalise_name
from hueandcry.identity.plate import normalise_plate
from hueandcry.identity.refuse import refusals
from hueandcry.identity.vin import VinReading, normalise_vin

__all__ = [
    "IdentityKey",
    "VinReading",
    "contradictions",
    "hmac_key",
    "identify",
    "normalise_indicator",
    "normalise_name",
    "normalise_plate",
    "normalise_vin",
    "refusals",
]
