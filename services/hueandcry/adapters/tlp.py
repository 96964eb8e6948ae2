"""The Traffic Light Protocol in the spellings of STIX and MISP.

TLP 1.0's white is 2.0's clear, and its amber covers clients as 2.0's amber does, so both map one to one. Sources:
FIRST, TLP 2.0 (2022); STIX 2.1 section 7.2.1.4 (ids of 1.0); OASIS, extension definition TLP 2.0 (ids of 2.0); the MISP
taxonomy tlp.
"""

from __future__ import annotations

EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
#: Ids of the marking definitions of TLP 2.0.
IDS = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber_strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
_FIRST_IDS = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "clear",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "green",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "amber",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "red",
}
#: What each well-known marking definition says.
BY_ID = {**{identifier: name for name, identifier in IDS.items()}, **_FIRST_IDS}
_NAMES = {
    "clear": "clear", "white": "clear", "green": "green", "amber": "amber", "red": "red",
    "amber+strict": "amber_strict", "amber-strict": "amber_strict", "amber_strict": "amber_strict",
}  # fmt: skip


def named(text: str) -> str | None:
    """The marking of this name (white, amber+strict, TLP:RED), in any case; None for one that is not known."""
    return _NAMES.get(text.strip().casefold().removeprefix("tlp:").replace(" ", ""))


def written(marking: str) -> str:
    """As TLP 2.0 writes it in STIX: amber+strict."""
    return marking.replace("_", "+")
