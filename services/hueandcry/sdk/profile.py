"""Who I am and where the platform is: the profile of one agency, or of the operator, on disk.

`<home>/agencies/<id>/config.toml` says what may be shown, `auth.toml` beside it what may not (user, password). `<home>`
is ./.hueandcry, or the folder that HUEANDCRY_HOME names. Paths inside a profile are relative to its folder.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import SecretStr

from hueandcry.errors import SettingsError
from hueandcry.settings import Settings, home_dir

HOME_VARIABLE = "HUEANDCRY_HOME"

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
#: What to write for each key, shown when it is missing.
_EXAMPLES = {
    "agency": 'agency = "nl-police"',
    "region": 'region = "europe"',
    "bootstrap": 'bootstrap = "kafka.example:9093"',
    "ca": 'ca = "ca.pem"',
    "registry_url": 'registry_url = "https://registry.example:8081"',
    "registry_ca": 'registry_ca = "ca.pem"',
    "search_url": 'search_url = "https://search.example:8082"',
    "search_ca": 'search_ca = "ca.pem"',
    "gateway_url": 'gateway_url = "https://gateway.example:8083"',
    "ledger_url": 'ledger_url = "https://ledger.example:8084"',
    "ledger_verifier_key": 'ledger_verifier_key = "name+id+key", as the operator gave it',
    "signing_key": 'signing_key = "signing.pem"',
    "key_id": 'key_id = "nl-police-2026"',
    "user": 'user = "nl-police"',
    "password": 'password = "…"',
}


@dataclass(frozen=True)
class Profile:
    """A connection to the platform.

    Attributes:
        folder: where it was read from.
        settings: broker, registry and who I am there; nothing of it comes from the environment.
        agency: id of the agency; empty for the operator.
        state: state of the agency, ISO 3166-1 alpha-3; empty where config.toml does not say it.
        region: region whose alerts topic the agency writes; empty for the operator.
        signing_key: PEM file of the Ed25519 private key; None where this profile only receives.
        key_id: id under which the network knows its public key; empty where there is no signing key.
        search_url: where search answers; empty where config.toml does not say it.
        search_ca: PEM file of whom to trust for it; None: as for the registry.
        gateway_url: where the gateway answers; empty where config.toml does not say it. It is trusted as search is.
        ledger_url: where the ledger answers; empty where config.toml does not say it.
        ledger_ca: PEM file of whom to trust for it; None: as for the registry.
        ledger_key: public key of the ledger, as name+id+key; empty where config.toml does not say it.
    """

    folder: Path
    settings: Settings
    agency: str = ""
    state: str = ""
    region: str = ""
    signing_key: Path | None = None
    key_id: str = ""
    search_url: str = ""
    search_ca: Path | None = None
    gateway_url: str = ""
    ledger_url: str = ""
    ledger_ca: Path | None = None
    ledger_key: str = ""

    @property
    def alerts_topic(self) -> str:
        """Topic that the agency publishes to."""
        return f"alerts.{self.region}"

    @property
    def hits_topic(self) -> str:
        """Topic that the agency reports on alerts to."""
        return f"hits.{self.region}"

    @property
    def notices_topic(self) -> str:
        """Topic that tells the agency of reports that concern it."""
        return f"notices.{self.agency}"

    @property
    def inbox_topic(self) -> str:
        """Topic that the agency receives alerts from."""
        return f"inbox.{self.agency}"

    @property
    def receipts_topic(self) -> str:
        """Topic that tells the agency what became of what it published."""
        return f"receipts.{self.agency}"

    def load_signing_key(self) -> Ed25519PrivateKey:
        """Read the private key.

        Raises:
            SettingsError: there is none, others can read it, or it is not an Ed25519 key in PEM.
        """
        config = self.folder / "config.toml"
        if self.signing_key is None or not self.key_id:
            missing = "signing_key" if self.signing_key is None else "key_id"
            raise _missing(config, missing)
        _only_mine(self.signing_key)
        try:
            key = load_pem_private_key(self.signing_key.read_bytes(), password=None)
        except OSError as error:
            raise SettingsError(f"{self.signing_key} can't be read: {error.strerror}") from None
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise SettingsError(
                f"{self.signing_key} is not an Ed25519 private key in PEM without a passphrase",
                hint=f"Make one with: openssl genpkey -algorithm ed25519 -out {self.signing_key}",
            )
        return key


def home_folder(home: Path | str | None = None) -> Path:
    """The folder of the profiles: the one given, else HUEANDCRY_HOME, else ./.hueandcry."""
    return Path(home) if home else home_dir()


def agency_profile(agency: str, home: Path | str | None = None) -> Profile:
    """Profile of an agency.

    Raises:
        SettingsError: it is missing or wrong; the message says what to write in which file.
    """
    root = home_folder(home)
    if not _SLUG.fullmatch(agency):
        raise SettingsError(
            f"{agency!r} is not the id of an agency",
            hint="Ids have lower-case letters, digits and hyphens, at most 48",
        )
    folder = root / "agencies" / agency
    if not (folder / "config.toml").is_file():
        raise SettingsError(f"there is no {folder / 'config.toml'}", hint=_where_to_find(root, agency))
    profile = _read(folder, agency=True)
    if profile.agency != agency:
        raise SettingsError(
            f"{folder / 'config.toml'} is the profile of another agency", hint=f'Write agency = "{agency}" in it.'
        )
    return profile


def operator_profile(home: Path | str | None = None) -> Profile:
    """Profile of the operator, who may read the register and every receipt.

    Raises:
        SettingsError: it is missing or wrong; the message says what to write in which file.
    """
    folder = home_folder(home) / "operator"
    if not (folder / "config.toml").is_file():
        raise SettingsError(
            f"there is no {folder / 'config.toml'}",
            hint=f"Run `make up`, or set {HOME_VARIABLE} to the folder that holds operator/.",
        )
    return _read(folder, agency=False)


def _where_to_find(root: Path, agency: str) -> str:
    others = sorted(path.parent.name for path in root.glob("agencies/*/config.toml"))
    if others:
        shown = ", ".join(others[:12]) + (", …" if len(others) > 12 else "")
        return f"{root} has profiles of: {shown}"
    keys = "agency, region, bootstrap, ca, registry_url, signing_key and key_id"
    return (
        f"Run `make up`, set {HOME_VARIABLE} to the folder that holds agencies/{agency}/, "
        f"or write that file with {keys}, and auth.toml beside it with user and password"
    )


def _read(folder: Path, *, agency: bool) -> Profile:
    config = _Table(folder / "config.toml")
    protocol = config.choice("security_protocol", ("SASL_SSL", "SSL", "SASL_PLAINTEXT", "PLAINTEXT"))
    auth_file = folder / "auth.toml"
    if auth_file.is_file():
        _only_mine(auth_file)
    elif protocol.startswith("SASL"):
        raise SettingsError(f"there is no {auth_file}", hint="Write user and password in it, and chmod 600 it")
    auth = _Table(auth_file) if auth_file.is_file() else _Table(auth_file, values={})
    sasl = protocol.startswith("SASL")
    # Built without Settings' own sources: HUEANDCRY_USER in the environment must not make an agency into another.
    settings = Settings.model_construct(
        bootstrap=config.servers("bootstrap"),
        ca=config.path("ca"),
        user=auth.text("user", required=sasl),
        password=SecretStr(auth.text("password", required=sasl)),
        security_protocol=protocol,
        sasl_mechanism=config.choice("sasl_mechanism", ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")),
        registry_url=config.url("registry_url"),
        registry_ca=config.path("registry_ca"),
        registry_user=auth.text("registry_user", required=False),
        registry_password=SecretStr(auth.text("registry_password", required=False)),
    )
    return Profile(
        folder=folder,
        settings=settings,
        agency=config.text("agency", required=agency),
        state=config.text("state", required=False),
        region=config.text("region", required=agency),
        signing_key=config.path("signing_key", must_exist=False),
        key_id=config.text("key_id", required=False),
        search_url=config.url("search_url", required=False),
        search_ca=config.path("search_ca") or settings.registry_ca,
        gateway_url=config.url("gateway_url", required=False),
        ledger_url=config.url("ledger_url", required=False),
        ledger_ca=config.path("ledger_ca") or settings.registry_ca,
        ledger_key=config.text("ledger_verifier_key", required=False),
    )


class _Table:
    """One TOML file, with errors that name the file and the key."""

    def __init__(self, file: Path, values: Mapping[str, object] | None = None) -> None:
        self.file = file
        if values is not None:
            self.values = values
            return
        try:
            self.values = tomllib.loads(file.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{file} is not TOML: {_without_values(error)}") from None
        except UnicodeDecodeError:
            raise SettingsError(f"{file} is not UTF-8") from None
        except OSError as error:
            raise SettingsError(f"{file} can't be read: {error.strerror}") from None

    def text(self, key: str, *, required: bool = True) -> str:
        value = self.values.get(key, "")
        if not isinstance(value, str):
            raise SettingsError(f"{self.file}: {key} must be a text", hint=f"Write {_EXAMPLES.get(key, key)}")
        if required and not value:
            raise _missing(self.file, key)
        return value

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        text = self.text(key, required=False) or choices[0]
        if text not in choices:
            raise SettingsError(f"{self.file}: {key} is none that is known", hint=f"Write one of {', '.join(choices)}")
        return text

    def servers(self, key: str) -> str:
        text = self.text(key)
        for server in text.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdecimal():
                raise SettingsError(f"{self.file}: {key} is not host:port", hint=f"Write {_EXAMPLES[key]}")
        return text

    def url(self, key: str, *, required: bool = True) -> str:
        text = self.text(key, required=required)
        if text and not text.startswith(("https://", "http://")):
            raise SettingsError(f"{self.file}: {key} is not a URL", hint=f"Write {_EXAMPLES[key]}")
        return text.rstrip("/")

    def path(self, key: str, *, must_exist: bool = True) -> Path | None:
        text = self.text(key, required=False)
        if not text:
            return None
        path = self.file.parent / text
        if must_exist and not path.is_file():
            raise SettingsError(f"{self.file}: {key} names {path}, which does not exist")
        return path


def _missing(file: Path, key: str) -> SettingsError:
    return SettingsError(f"{file}: {key} is missing", hint=f"Write {_EXAMPLES.get(key, key)}")


def _without_values(error: tomllib.TOMLDecodeError) -> str:
    """Where the error is, without the text around it, which may be a password."""
    found = re.search(r"\(at [^)]*\)", str(error))
    return found.group(0).strip("()") if found else "can't be parsed"


def _only_mine(file: Path) -> None:
    """Refuse a secret that others on this machine can read."""
    try:
        mode = file.stat().st_mode
    except OSError as error:
        raise SettingsError(f"{file} can't be read: {error.strerror}") from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise SettingsError(f"{file} can be read by others on this machine", hint=f"Run: chmod 600 {file}")
