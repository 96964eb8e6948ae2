"""What a process must be told: environment variables HUEANDCRY_*, or a TOML file named by HUEANDCRY_CONFIG.

Order, first wins: the environment; the TOML file; an `auth.toml` beside it (so that secrets can have a mode of their
own); the default. Where neither HUEANDCRY_CONFIG nor HUEANDCRY_BOOTSTRAP is set and `make up` has run, the local
operator's profile (`<home>/operator/config.toml`) is the TOML file.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from hueandcry.errors import SettingsError

PREFIX = "HUEANDCRY_"
_Kind = TypeVar("_Kind", bound=BaseSettings)
DEFAULT_HOME = Path(".hueandcry")


class Settings(BaseSettings):
    """Settings of one process. Every field `x` is the variable HUEANDCRY_X, or the key `x` in the TOML file."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True)

    bootstrap: str = Field(description="Kafka's bootstrap servers, host:port, more than one with commas")
    ca: Path | None = Field(None, description="PEM file of the authority that signed the brokers; else the system's")
    user: str = Field("", description="user name on the broker")
    password: SecretStr = Field(SecretStr(""), description="password of that user")
    security_protocol: Literal["SASL_SSL", "SSL", "SASL_PLAINTEXT", "PLAINTEXT"] = Field(
        "SASL_SSL", description="how to talk to the broker"
    )
    sasl_mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] = Field(
        "SCRAM-SHA-512", description="how the user proves who it is"
    )

    registry_url: str = Field("", description="URL of the schema registry, any Confluent-compatible one")
    registry_ca: Path | None = Field(None, description="PEM file of the authority that signed the registry")
    registry_user: str = Field("", description="user name on the registry; `user` if absent")
    registry_password: SecretStr = Field(SecretStr(""), description="password on the registry; `password` if absent")
    registry_certificate: Path | None = Field(None, description="PEM certificate of our own registry (serve registry)")
    registry_key: Path | None = Field(None, description="PEM private key of our own registry (serve registry)")
    registry_users: Path | None = Field(
        None, description="file of those who may ask our own registry (serve registry): lines of user:role:sha256 hex"
    )

    identity_secret: SecretStr = Field(
        SecretStr(""), description="key of the HMAC over identity keys, at least 32 bytes in hex (admit, search)"
    )
    confirm_urgent_seconds: int = Field(600, ge=1, description="time in which an urgent hit is to be confirmed")
    confirm_routine_seconds: int = Field(3600, ge=1, description="time in which a routine hit is to be confirmed")
    ledger_verifier_key: str = Field(
        "", description="public key of the ledger, as name+id+key, for `hueandcry ledger`; the ledger prints it"
    )
    home: Path = Field(DEFAULT_HOME, description="folder of the local set-up and its profiles")
    state_dir: Path = Field(DEFAULT_HOME / "state", description="folder of the local state of the processors")
    network_dir: Path = Field(Path("topics"), description="folder that describes the network")
    instance: str = Field("0", description="name of this instance of a service, stable over restarts")
    web_host: str = Field("127.0.0.1", description="address on which a service answers HTTP")
    web_port: int = Field(0, ge=0, le=65535, description="port on which a service answers HTTP; 0 takes a free one")

    @field_validator("bootstrap")
    @classmethod
    def _hosts_and_ports(cls, value: str) -> str:
        for server in value.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdecimal():
                raise ValueError("write host:port, more than one with commas")
        return value

    @field_validator("registry_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("write a URL that starts with https:// or http://")
        return value.rstrip("/")

    @field_validator("identity_secret")
    @classmethod
    def _is_long_hex(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if not text:
            return value
        try:
            length = len(bytes.fromhex(text))
        except ValueError:
            length = 0
        if length < 32:
            raise ValueError("write at least 32 random bytes in hex, as `openssl rand -hex 32` prints them")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Values given in code (they come from the files), below the environment."""
        return env_settings, init_settings

    def require(self, *names: str) -> Settings:
        """These settings, if each of `names` has a value; for services that need more than the broker.

        Raises:
            SettingsError: one has none; the line names its variable.
        """
        for name in names:
            value = getattr(self, name)
            text = value.get_secret_value() if isinstance(value, SecretStr) else value
            if text in ("", None):
                raise _missing(name)
        return self

    @property
    def registry_auth(self) -> tuple[str, str]:
        """User and password on the registry: its own where given, else those on the broker."""
        user = self.registry_user or self.user
        password = self.registry_password if self.registry_user else self.password
        return user, password.get_secret_value()


def load_prefixed(kind: type[_Kind], prefix: str) -> _Kind:
    """Settings of one service, from variables that begin with `prefix`.

    Raises:
        SettingsError: one is missing or wrong; one line that names the variable.
    """
    try:
        return kind()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0])
        what = kind.model_fields[name].description
        raise SettingsError(f"{prefix}{name.upper()} is wrong: {first['msg']}", hint=f"It is the {what}") from None


def home_dir() -> Path:
    """The folder of the local set-up: HUEANDCRY_HOME, else ./.hueandcry."""
    return Path(os.environ.get(PREFIX + "HOME") or DEFAULT_HOME)


def load(*required: str) -> Settings:
    """The settings of this process, each of `required` with a value.

    Raises:
        SettingsError: one is missing or wrong, or the TOML file is; one line that says what to write.
    """
    values = _from_files()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise _explained(error) from None
    return settings.require(*required)


def _from_files() -> dict[str, Any]:
    named = os.environ.get(PREFIX + "CONFIG")
    if named:
        config = Path(named)
        if not config.is_file():
            raise SettingsError(f"{PREFIX}CONFIG names no file: {config}", hint="Name a TOML file, or unset it")
    elif os.environ.get(PREFIX + "BOOTSTRAP"):
        return {}
    else:
        config = home_dir() / "operator" / "config.toml"
        if not config.is_file():
            return {}
    return {**_read(config.with_name("auth.toml")), **_read(config)}


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path} can't be read: {error}", hint='Write lines like user = "operator"') from None


def _missing(name: str) -> SettingsError:
    what = Settings.model_fields[name].description
    return SettingsError(
        f"{PREFIX}{name.upper()} is missing ({what})",
        hint=f"Set {PREFIX}{name.upper()}, or {name} in the file that {PREFIX}CONFIG names, or run `make up`",
    )


def _explained(error: ValidationError) -> SettingsError:
    first = error.errors(include_url=False, include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "missing":
        return _missing(name)
    if first["type"] == "extra_forbidden":
        return SettingsError(f"the settings file has an unknown key {name!r}", hint="Take it out, or correct its name")
    what = Settings.model_fields[name].description
    return SettingsError(
        f"{PREFIX}{name.upper()} is wrong: {first['msg'].removeprefix('Value error, ')}", hint=f"It is the {what}"
    )
