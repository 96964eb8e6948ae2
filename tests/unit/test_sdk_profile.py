"""A profile that is missing or wrong says what to write, and never shows a secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hueandcry.errors import SettingsError
from hueandcry.sdk.profile import agency_profile, operator_profile

CONFIG = """\
agency = "fr-pn"
state = "FRA"
region = "europe"
bootstrap = "localhost:9093"
ca = "ca.pem"
registry_url = "https://localhost:8081/"
signing_key = "signing.pem"
key_id = "fr-pn.1"
"""
AUTH = 'user = "fr-pn"\npassword = "correct horse"\n'


def _pem(key: object) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "agencies" / "fr-pn"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG)
    (folder / "ca.pem").write_text("")
    for name, content in (("auth.toml", AUTH.encode()), ("signing.pem", _pem(Ed25519PrivateKey.generate()))):
        (folder / name).touch(mode=0o600)
        (folder / name).write_bytes(content)
    return tmp_path


def test_a_profile_says_who_and_where(home: Path) -> None:
    profile = agency_profile("fr-pn", home)
    assert (profile.alerts_topic, profile.inbox_topic) == ("alerts.europe", "inbox.fr-pn")
    assert profile.receipts_topic == "receipts.fr-pn"
    assert profile.settings.password.get_secret_value() == "correct horse"
    assert profile.settings.registry_url == "https://localhost:8081"
    assert profile.settings.ca == home / "agencies" / "fr-pn" / "ca.pem"
    assert profile.load_signing_key().sign(b"x")
    assert "correct horse" not in repr(profile)


def test_the_environment_makes_no_agency_into_another(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUEANDCRY_USER", "operator")
    monkeypatch.setenv("HUEANDCRY_BOOTSTRAP", "elsewhere:1")
    settings = agency_profile("fr-pn", home).settings
    assert (settings.user, settings.bootstrap) == ("fr-pn", "localhost:9093")


def test_home_is_found_by_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUEANDCRY_HOME", str(home))
    assert agency_profile("fr-pn").agency == "fr-pn"


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("config.toml", 'region = "europe"\n', "", 'region is missing. Write region = "europe"'),
        ("config.toml", "localhost:9093", "localhost", "bootstrap is not host:port"),
        ("config.toml", '"localhost:9093"', "7", "bootstrap must be a text"),
        ("config.toml", "https://", "", "registry_url is not a URL"),
        ("config.toml", '"ca.pem"', '"none.pem"', "which does not exist"),
        ("config.toml", 'agency = "fr-pn"', 'agency = "de-bka"', "is the profile of another agency"),
        ("config.toml", "agency = ", "agency ", "config.toml is not TOML"),
        (
            "config.toml",
            'agency = "fr-pn"',
            'security_protocol = "SSLv3"\nagency = "fr-pn"',
            "security_protocol is none",
        ),
        ("auth.toml", 'user = "fr-pn"\n', "", "user is missing"),
        ("auth.toml", '"correct horse"', '"correct horse', "auth.toml is not TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(home: Path, file: str, old: str, new: str, says: str) -> None:
    path = home / "agencies" / "fr-pn" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(SettingsError) as caught:
        agency_profile("fr-pn", home)
    assert says in caught.value.diagnostics()
    assert "correct horse" not in caught.value.diagnostics()


def test_a_missing_profile_names_those_there_are(home: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        agency_profile("de-bka", home)
    assert "has profiles of: fr-pn" in caught.value.diagnostics()


@pytest.mark.parametrize("agency", ["../operator", "", "FR", "a" * 49])
def test_an_id_that_is_none_leads_to_no_file(home: Path, agency: str) -> None:
    with pytest.raises(SettingsError, match="is not the id of an agency"):
        agency_profile(agency, home)


@pytest.mark.parametrize("file", ["auth.toml", "signing.pem"])
def test_a_secret_that_others_can_read_is_refused(home: Path, file: str) -> None:
    (home / "agencies" / "fr-pn" / file).chmod(0o644)
    with pytest.raises(SettingsError) as caught:
        agency_profile("fr-pn", home).load_signing_key()
    assert f"chmod 600 {home / 'agencies' / 'fr-pn' / file}" in caught.value.diagnostics()


@pytest.mark.parametrize("content", [b"", b"-----BEGIN", _pem(ec.generate_private_key(ec.SECP256R1()))])
def test_only_an_ed25519_key_signs(home: Path, content: bytes) -> None:
    (home / "agencies" / "fr-pn" / "signing.pem").write_bytes(content)
    with pytest.raises(SettingsError, match="is not an Ed25519 private key"):
        agency_profile("fr-pn", home).load_signing_key()


def test_the_operator_has_a_profile_of_its_own(home: Path) -> None:
    with pytest.raises(SettingsError, match="operator"):
        operator_profile(home)
    folder = home / "operator"
    folder.mkdir()
    (folder / "config.toml").write_text('bootstrap = "localhost:1"\nregistry_url = "http://localhost:2"\n')
    (folder / "auth.toml").touch(mode=0o600)
    (folder / "auth.toml").write_text('user = "operator"\npassword = "x"\n')
    assert operator_profile(home).agency == ""
