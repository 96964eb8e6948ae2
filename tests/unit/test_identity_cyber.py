"""Indicators: one normal form, the type that the value shows, and what never correlates."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from factories import sound_cyber
from hueandcry.identity import identify, normalise_indicator
from hueandcry.identity.cyber import refang
from hueandcry.identity.pattern import normalise_pattern, simple_indicator

TYPES = ["ipv4", "ipv6", "domain", "url", "email", "md5", "sha1", "sha256", "sha512", "asn", "mutex", "registry_key",
         "filename", "wallet", "other", "unknown"]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        # RFC 5952, sections 1, 2 and 4.
        pytest.param("ipv6", "2001:db8:0:0:1:0:0:1", ("ipv6", "2001:db8::1:0:0:1"), id="RFC 5952: first run"),
        pytest.param("ipv6", "2001:0db8::1:0:0:1", ("ipv6", "2001:db8::1:0:0:1"), id="RFC 5952: leading zeros"),
        pytest.param("ipv6", "2001:DB8:0:0:1::1", ("ipv6", "2001:db8::1:0:0:1"), id="RFC 5952: small letters"),
        pytest.param("ipv6", "2001:db8:0:1:1:1:1:1", ("ipv6", "2001:db8:0:1:1:1:1:1"), id="RFC 5952: one group stays"),
        pytest.param("ipv6", "::ffff:8.8.8.8", ("ipv4", "8.8.8.8"), id="mapped IPv4"),
        pytest.param("ipv4", "45[.]33.32(.)156", ("ipv4", "45.33.32.156"), id="defanged"),
        pytest.param("ipv4", "045.033.032.156", ("other", "045.033.032.156"), id="leading zeros are not guessed"),
        pytest.param("ipv4", "45.33.32.256", ("other", "45.33.32.256"), id="out of range"),
        pytest.param("ipv4", "45.33.32.156/24", ("ipv4", "45.33.32.0/24"), id="network"),
        pytest.param("ipv4", "45.33.32.156/32", ("ipv4", "45.33.32.156"), id="network of one"),
        pytest.param("domain", "45.33.32.156", ("ipv4", "45.33.32.156"), id="address given as domain"),
        pytest.param("domain", "EVIL[dot]Example.", ("domain", "evil.example"), id="domain"),
        pytest.param("domain", "Bücher.example", ("domain", "xn--bcher-kva.example"), id="IDNA"),
        pytest.param("domain", "faß.example", ("domain", "xn--fa-hia.example"), id="UTS 46, not transitional"),
        pytest.param("domain", "hxxp://evil[.]example", ("url", "http://evil.example/"), id="URL given as domain"),
        pytest.param("url", "evil.example", ("domain", "evil.example"), id="domain given as URL"),
        pytest.param("url", "hXXps[:]//Evil.Example:443/A/%7euser?Q=1#top",
                     ("url", "https://evil.example/A/~user?Q=1"), id="URL"),
        pytest.param("url", "http://evil.example:8080", ("url", "http://evil.example:8080/"), id="port kept"),
        pytest.param("url", "http://[2001:DB8:0::1]/x", ("url", "http://[2001:db8::1]/x"), id="IPv6 host"),
        pytest.param("url", "evil.example/Path", ("url", "evil.example/Path"), id="no scheme"),
        pytest.param("email", "Bad.Guy[at]EVIL.example", ("email", "Bad.Guy@evil.example"), id="local part kept"),
        pytest.param("sha1", "D41D8CD98F00B204E9800998ECF8427E", ("md5", "d41d8cd98f00b204e9800998ecf8427e"),
                     id="md5 given as sha1"),
        pytest.param("unknown", "a" * 63 + "B", ("sha256", "a" * 63 + "b"), id="hash of unknown type"),
        pytest.param("md5", "xyz", ("other", "xyz"), id="no hash"),
        pytest.param("mutex", "D41D8CD98F00B204E9800998ECF8427E", ("mutex", "D41D8CD98F00B204E9800998ECF8427E"),
                     id="a mutex may look like a hash"),
        pytest.param("asn", "as 064500", ("asn", "AS64500"), id="ASN"),
        pytest.param("asn", "1.10", ("asn", "AS65546"), id="ASN in dots, RFC 5396"),
        pytest.param("registry_key", "HKLM\\Software\\Run", ("registry_key", "hkey_local_machine\\software\\run"),
                     id="hive"),
        pytest.param("wallet", "0xABCDEFabcdef0123456789012345678901234567",
                     ("wallet", "0xabcdefabcdef0123456789012345678901234567"), id="Ethereum"),
        pytest.param("other", "setup.exe", ("other", "setup.exe"), id="a file is no domain"),
        pytest.param("other", "evil[.]example", ("domain", "evil.example"), id="defanged, so a domain"),
    ],
)  # fmt: skip
def test_known_values(kind: str, value: str, expected: tuple[str, str]) -> None:
    assert normalise_indicator(kind, value) == expected


PIECES = ["hxxp", "s", "://", "[.]", "(dot)", "[at]", "[:]", "a", "B", ".", "/", "1", "::", "%41", "@", "?", "#", "[",
          "]", " ", "ß", ":80", "//", "ftp"]  # fmt: skip
fanged = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@example("asn", "a@b")
@example("ipv4", "//0/://")
@given(st.sampled_from(TYPES), st.text() | fanged)
def test_normalising_twice_changes_nothing(kind: str, value: str) -> None:
    once = normalise_indicator(kind, value)
    assert normalise_indicator(*once) == once


@given(fanged)
def test_refanging_twice_changes_nothing(value: str) -> None:
    assert refang(refang(value)) == refang(value)


def cyber(*indicators: tuple[str, str], pattern: str | None = None) -> dict[str, object]:
    values = [{"type": kind, "value": value} for kind, value in indicators]
    return sound_cyber(subject__indicators=values, subject__pattern=pattern)


def test_one_indicator_is_the_identity() -> None:
    assert identify(cyber(("domain", "EVIL[.]example"))).key == "cyber:domain:evil.example"


def test_several_are_a_set_whatever_their_order_and_spelling() -> None:
    one = identify(cyber(("domain", "evil.example"), ("ipv4", "45.33.32.156"), ("domain", "EVIL.example")))
    other = identify(cyber(("ipv4", "45[.]33[.]32[.]156"), ("domain", "evil.example.")))
    assert one.strong
    assert one.key == other.key
    assert one.key.startswith("cyber:set:")
    assert set(one.claims) == {"cyber:domain:evil.example", "cyber:ipv4:45.33.32.156"}


def test_stop_values_add_nothing() -> None:
    key = identify(cyber(("domain", "evil.example"), ("ipv4", "8.8.8.8"), ("ipv4", "10.0.0.1")))
    assert (key.key, key.claims) == ("cyber:domain:evil.example", ())


STOPS = {
    "private": ("ipv4", "192.168.1.1"),
    "loopback": ("ipv4", "127.0.0.1"),
    "IPv6 loopback": ("ipv6", "::1"),
    "link local": ("ipv6", "fe80::1"),
    "unique local": ("ipv6", "fd00::1"),
    "public resolver": ("ipv4", "8.8.8.8"),
    "public resolver, IPv6": ("ipv6", "2001:4860:4860::8888"),
    "localhost": ("domain", "localhost"),
    "well-known host": ("domain", "www.google.com"),
    "front page of a well-known host": ("url", "https://github.com"),
    "URL of a private address": ("url", "http://10.0.0.1/x"),
    "empty file": ("sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    "empty file, md5": ("md5", "d41d8cd98f00b204e9800998ecf8427e"),
    "zeros": ("sha1", "0" * 40),
    "a file's name": ("filename", "svchost.exe"),
    "a whole network of a provider": ("asn", "AS64500"),
    "a network of a provider's customers": ("ipv4", "45.32.0.0/15"),
    "the same, IPv6": ("ipv6", "2a01:4f8::/32"),
    "short mutex": ("mutex", "GREEN"),
    "word": ("other", "GREEN"),
    "empty": ("domain", ""),
}


@pytest.mark.parametrize("indicator", STOPS.values(), ids=list(STOPS))
def test_never_correlates(indicator: tuple[str, str]) -> None:
    key = identify(cyber(indicator))
    assert not key.strong
    assert key.claims == ()


def test_a_file_on_a_well_known_host_does_correlate() -> None:
    assert identify(cyber(("url", "https://github.com/evil/repo"))).strong


def test_what_is_weak_alone_still_tells_sets_apart() -> None:
    alone = identify(cyber(("domain", "evil.example")))
    with_file = identify(cyber(("domain", "evil.example"), ("filename", "setup.exe")))
    assert with_file.key.startswith("cyber:set:")
    assert with_file.claims == (alone.key,)


def test_claims_are_bounded_and_mostly_shared() -> None:
    many = [("domain", f"h{number}.evil.example") for number in range(10_000)]
    one, other = identify(cyber(*many)), identify(cyber(*many[:-1], ("domain", "more.evil.example")))
    assert len(one.claims) == 64
    assert one.key != other.key
    assert len(set(one.claims) & set(other.claims)) > 60


def test_a_simple_pattern_is_its_indicator() -> None:
    assert identify(cyber(pattern="[ domain-name:value  =  'EVIL.example' ]")).key == "cyber:domain:evil.example"
    assert simple_indicator(f"[file:hashes.'SHA-256' = '{'AB' * 32}']") == ("sha256", "ab" * 32)
    assert simple_indicator("[ipv4-addr:value = '1.2.3.4' OR ipv4-addr:value = '1.2.3.5']") is None


def test_blanks_in_a_pattern_do_not_matter_but_in_its_strings() -> None:
    one = cyber(pattern="[file:name = 'a  b' AND file:size > 1]  FOLLOWEDBY\n[process:name = 'x']")
    same = cyber(pattern="[file:name  = 'a  b'  AND file:size > 1] FOLLOWEDBY [process:name = 'x']")
    different = cyber(pattern="[file:name = 'a b' AND file:size > 1] FOLLOWEDBY [process:name = 'x']")
    assert identify(one).strong
    assert identify(one).key == identify(same).key != identify(different).key


@given(st.text())
def test_normalising_a_pattern_twice_changes_nothing(pattern: str) -> None:
    assert normalise_pattern(normalise_pattern(pattern)) == normalise_pattern(pattern)
