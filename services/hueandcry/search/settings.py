"""What search must be told besides the settings of every process: HUEANDCRY_SEARCH_*."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from hueandcry.settings import load_prefixed

PREFIX = "HUEANDCRY_SEARCH_"
_PARTITIONS = re.compile(r"\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*")


class SearchSettings(BaseSettings):
    """Settings of `serve search`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8082, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    certificate: Path = Field(description="PEM certificate that it shows")
    key: Path = Field(description="PEM private key of that certificate")
    partitions: str = Field("", description="partitions of the register that this process holds, as 0-5,7; all")
    peers: str = Field("", description="who holds the others, as https://host:port=6-11, more than one with blanks")
    ca: Path | None = Field(None, description="PEM file of the authority that signed the peers; else the system's")

    @field_validator("partitions")
    @classmethod
    def _is_a_list(cls, value: str) -> str:
        if value and not _PARTITIONS.fullmatch(value):
            raise ValueError("write partitions as 0-5,7")
        return value

    @field_validator("peers")
    @classmethod
    def _are_peers(cls, value: str) -> str:
        for peer in value.split():
            url, _, held = peer.partition("=")
            if not url.startswith("https://") or not _PARTITIONS.fullmatch(held):
                raise ValueError("write peers as https://host:port=6-11, more than one with blanks between them")
        return value

    def held(self, count: int) -> list[int]:
        """The partitions of `count` that this process holds."""
        return _numbers(self.partitions) if self.partitions else list(range(count))

    def held_by_peers(self) -> dict[int, str]:
        """URL of the peer by partition; the first that names one has it."""
        found: dict[int, str] = {}
        for peer in self.peers.split():
            url, _, held = peer.partition("=")
            for partition in _numbers(held):
                found.setdefault(partition, url.rstrip("/"))
        return found


def load() -> SearchSettings:
    """The settings of search. Raises SettingsError with one line that names the variable."""
    return load_prefixed(SearchSettings, PREFIX)


def _numbers(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found
