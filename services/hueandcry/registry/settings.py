"""What the registry must be told besides the settings of every process: HUEANDCRY_REGISTRY_*."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from hueandcry.settings import load_prefixed

PREFIX = "HUEANDCRY_REGISTRY_"


class RegistrySettings(BaseSettings):
    """Settings of `serve registry`. Certificate, key and users are in `hueandcry.settings`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8081, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    topic: str = Field("_schemas", min_length=1, description="the compacted topic that holds everything")
    replication_factor: int = Field(1, ge=1, description="copies of that topic, where the registry makes it")
    level: Literal[
        "NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE"
    ] = Field("FULL_TRANSITIVE", description="compatibility level where none was set")
    reads: Literal["anyone", "users"] = Field(
        "anyone", description="who may read: schemas are no secret, so anyone; or only the users of the users file"
    )


def load() -> RegistrySettings:
    """The registry's settings. Raises SettingsError with one line that names the variable."""
    return load_prefixed(RegistrySettings, PREFIX)
