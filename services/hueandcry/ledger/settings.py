"""What the ledger must be told besides the settings of every process: HUEANDCRY_LEDGER_*."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from hueandcry.errors import SettingsError
from hueandcry.settings import load_prefixed

PREFIX = "HUEANDCRY_LEDGER_"


class LedgerSettings(BaseSettings):
    """Settings of `serve ledger`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8084, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    certificate: Path = Field(description="PEM certificate that it shows")
    key: Path = Field(description="PEM private key of that certificate")
    origin: str = Field(description="name of the log in its checkpoints, as hueandcry.example/ledger; never changed")
    signing_key: Path = Field(description="PEM file of the Ed25519 key that signs checkpoints")
    every_seconds: float = Field(5.0, gt=0, description="seconds between two checkpoints, while there is news")

    def load_signing_key(self) -> Ed25519PrivateKey:
        """The key that signs checkpoints.

        Raises:
            SettingsError: the file is not there, or holds no such key.
        """
        try:
            found = load_pem_private_key(self.signing_key.read_bytes(), password=None)
        except (OSError, ValueError, TypeError):
            found = None
        if not isinstance(found, Ed25519PrivateKey):
            raise SettingsError(
                f"{PREFIX}SIGNING_KEY names {self.signing_key}, which holds no Ed25519 key in PEM",
                hint="Make one: openssl genpkey -algorithm ed25519",
            )
        return found


def load() -> LedgerSettings:
    """The settings of the ledger. Raises SettingsError with one line that names the variable."""
    return load_prefixed(LedgerSettings, PREFIX)
