"""STIX ids of indicators are those that everybody else computes."""

from __future__ import annotations

from typing import Any

import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from hueandcry.identity import normalise_indicator, observable_id
from hueandcry.identity.cyber import Indicator

Library = Any
LIBRARY: dict[str, Library] = {
    "ipv4": lambda value: stix2.IPv4Address(value=value),
    "ipv6": lambda value: stix2.IPv6Address(value=value),
    "domain": lambda value: stix2.DomainName(value=value),
    "url": lambda value: stix2.URL(value=value),
    "email": lambda value: stix2.EmailAddress(value=value),
    "md5": lambda value: stix2.File(hashes={"MD5": value}),
    "sha1": lambda value: stix2.File(hashes={"SHA-1": value}),
    "sha256": lambda value: stix2.File(hashes={"SHA-256": value}),
    "sha512": lambda value: stix2.File(hashes={"SHA-512": value}),
    "filename": lambda value: stix2.File(name=value),
    "mutex": lambda value: stix2.Mutex(name=value),
    "registry_key": lambda value: stix2.WindowsRegistryKey(key=value),
    "asn": lambda value: stix2.AutonomousSystem(number=int(value[2:])),
}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ipv4", "45[.]33.32.156"),
        ("ipv4", "45.33.32.0/24"),
        ("ipv6", "2001:DB8:0::1"),
        ("domain", "Bücher.example"),
        ("url", "hxxps://evil[.]example/A/%7euser?q=ä\"'"),
        ("email", "Bad.Guy[at]evil.example"),
        ("md5", "5EB63BBBE01EEED093CB22BB8F5ACDC3"),
        ("sha1", "ab" * 20),
        ("sha256", "ab" * 32),
        ("sha512", "ab" * 64),
        ("filename", 'Rechnung "März"\\\x01.exe'),
        ("mutex", "Global\\日本"),
        ("registry_key", "HKLM\\Software\\Run"),
        ("asn", "as 64500"),
    ],
)
def test_the_id_is_that_of_the_library(kind: str, value: str) -> None:
    indicator = normalise_indicator(kind, value)
    assert indicator.type == kind
    assert observable_id(indicator) == LIBRARY[kind](indicator.value).id


def test_every_type_with_an_id_is_held_against_the_library() -> None:
    types = [*LIBRARY, "wallet", "other", "unknown"]
    assert {kind for kind in types if observable_id(Indicator(kind, "AS64500"))} == set(LIBRARY)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_is_written_canonically(value: str) -> None:
    assert observable_id(Indicator("mutex", value)) == stix2.Mutex(name=value).id


@given(st.sampled_from([*LIBRARY, "wallet", "other"]), st.text(st.characters()))
def test_never_raises(kind: str, value: str) -> None:
    found = observable_id(normalise_indicator(kind, value))
    assert found is None or "--" in found


def test_two_spellings_have_one_id() -> None:
    assert observable_id(normalise_indicator("domain", "EVIL[.]example.")) == observable_id(
        normalise_indicator("domain", "evil.example")
    )
