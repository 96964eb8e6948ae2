"""Spellings that sound alike, characters that look alike, hosts of one domain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hueandcry.identity.confusables import CLASSES, fold_confusables
from hueandcry.identity.cyber import Indicator
from hueandcry.identity.hosts import host_of, registered_domain
from hueandcry.identity.phonetic import sound
from hueandcry.identity.transliterate import transliterate

ONE_NAME = [
    "Mohammed Muhammad Mohamed Muhamad محمد",
    "Hussein Husayn Hossein Hüseyin حسين",
    "Khalid Khaled Halid خالد",
    "Qasim Kassem Qasem",
    "Ivanov Iwanow Ivanow Иванов",
    "Chaikovskii Tchaikovsky Tschaikowski Czajkowski Чайковский",
    "Shcherbakov Schtscherbakow Sherbakov Щербаков",
    "Aleksandr Alexander Aleksander Александр",
    "Yusuf Youssef Jusuf Yousif",
    "Jamal Djamal Dzhamal",
    "Nikolaos Nicolaos Νικόλαος",
    "Schmidt Schmitt Shmidt",
    "Müller Mueller Muller",
    "Qinghai Chinghai",
]


@pytest.mark.parametrize("spellings", ONE_NAME)
def test_spellings_of_one_name_sound_the_same(spellings: str) -> None:
    assert len({sound(transliterate(word)) for word in spellings.split()}) == 1


@pytest.mark.parametrize("pair", ["Müller Meier", "Ivanov Petrov", "Mohammed Mahmoud", "Anna Olga", "Nguyen Tran"])
def test_other_names_sound_otherwise(pair: str) -> None:
    one, other = pair.split()
    assert sound(transliterate(one)) != sound(transliterate(other))


@given(st.text())
def test_any_name_has_a_sound(name: str) -> None:
    for word in transliterate(name).split():
        assert sound(word).isascii()
        assert " " not in sound(word)


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
def test_characters_read_for_one_another_are_one(serial: str) -> None:
    folded = fold_confusables(serial)
    assert fold_confusables(folded) == folded
    assert len(folded) == len(serial)
    for group in CLASSES:
        for char in group:
            assert fold_confusables(serial.replace(char, group[0])) == folded


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        pytest.param("a.b.evil.co.uk", "evil.co.uk", id="suffix of two labels"),
        pytest.param("a.tenant.github.io", "tenant.github.io", id="suffix of a company"),
        pytest.param("a.evil.example", "evil.example", id="suffix that the list lacks"),
        pytest.param("github.io", "", id="a suffix is nobody's"),
        pytest.param("www.google.com", "", id="stop value"),
        pytest.param("45.33.32.156", "", id="IPv4"),
        pytest.param("2001:db8::1", "", id="IPv6"),
    ],
)
def test_registered_domains(host: str, domain: str) -> None:
    assert registered_domain(host) == domain
    assert registered_domain(domain) == domain


@pytest.mark.parametrize(
    ("kind", "value", "host"),
    [
        ("url", "https://user@evil.example:8443/x", "evil.example"),
        ("url", "evil.example/x", "evil.example"),
        ("url", "http://[2001:db8::1]/x", "2001:db8::1"),
        ("email", "a@evil.example", "evil.example"),
        ("url", "https://github.com/evil", ""),
        ("ipv4", "10.0.0.1", ""),
        ("sha256", "ab" * 32, ""),
    ],
)
def test_hosts_of_indicators(kind: str, value: str, host: str) -> None:
    assert host_of(Indicator(kind, value)) == host
