"""Who may publish what, and whom an alert may name."""

from __future__ import annotations

from typing import Any

import pytest

from hueandcry.admit.authority import refusals
from simulator import alert, small_network

NETWORK = small_network()

#: name: (changes to a sound alert, signer, region it came in by, (field, rule) of each refusal)
CASES: dict[str, tuple[dict[str, Any], str, str, list[tuple[str, str]]]] = {
    "sound": ({}, "fra-police", "europe", []),
    "names all the network knows": (
        {
            "circulation": ["world", "europe", "KEN", "DE-BY"],
            "releasable_to": ["usa-cyber", "KEN"],
            "excluded": ["BRA"],
        },
        "fra-police",
        "europe",
        [],
    ),
    "signed by another agency": (
        {},
        "deu-vehicles",
        "europe",
        [("issuer", "issuer.signer"), ("issuing_state", "issuer.state")],
    ),
    "signed by nobody of the network": ({}, "stranger", "europe", [("issuer", "issuer.unknown")]),
    "another state": ({"issuing_state": "DEU"}, "fra-police", "europe", [("issuing_state", "issuer.state")]),
    "another region": ({}, "fra-police", "africa", [("", "issuer.region")]),
    "a misspelt exclusion": ({"excluded": ["bra-federl"]}, "fra-police", "europe", [("excluded", "names.known")]),
    "a misspelt release": ({"releasable_to": ["europa"]}, "fra-police", "europe", [("releasable_to", "names.known")]),
    "a release to the world": (
        {"releasable_to": ["world"]},
        "fra-police",
        "europe",
        [("releasable_to", "names.known")],
    ),
    "a circulation nowhere": ({"circulation": ["atlantis"]}, "fra-police", "europe", [("circulation", "names.known")]),
    "an agency as a place": ({"circulation": ["usa-cyber"]}, "fra-police", "europe", [("circulation", "names.known")]),
}


@pytest.mark.parametrize("name", CASES)
def test_each_case(name: str) -> None:
    changes, signer, region, expected = CASES[name]
    found = refusals(alert(**changes), signer, region, NETWORK)
    assert [(remark.field, remark.rule) for remark in found] == expected


def test_a_kind_that_the_agency_may_not_publish() -> None:
    agency = NETWORK.agencies["fra-police"].model_copy(update={"publishes": ("cyber",)})
    network = NETWORK.model_copy(update={"agencies": {**NETWORK.agencies, "fra-police": agency}})
    found = refusals(alert(), "fra-police", "europe", network)
    assert [(remark.field, remark.rule) for remark in found] == [("kind", "issuer.kind")]
