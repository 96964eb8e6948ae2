"""What watch must be told besides the settings of every process."""

from __future__ import annotations

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from hueandcry.settings import load_prefixed

PREFIX = "HUEANDCRY_WATCH_"


class WatchSettings(BaseSettings):
    """Settings of `serve watch`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    seconds: float = Field(15, ge=1, description="seconds from one look to the next")
    tls: str = Field("", description="further servers whose certificates to watch, as name=host:port with blanks")

    @field_validator("tls")
    @classmethod
    def _are_servers(cls, value: str) -> str:
        for each in value.split():
            name, _, address = each.partition("=")
            host, _, port = address.rpartition(":")
            if not name or not host or not port.isdecimal():
                raise ValueError("write servers as name=host:port, more than one with blanks between them")
        return value

    def servers(self) -> dict[str, tuple[str, int]]:
        """Host and port by name."""
        named = (each.partition("=") for each in self.tls.split())
        return {name: (host, int(port)) for name, _, address in named for host, _, port in [address.rpartition(":")]}


def load() -> WatchSettings:
    """The settings of watch. Raises SettingsError with one line that names the variable."""
    return load_prefixed(WatchSettings, PREFIX)
