"""What the gateway must be told besides the settings of every process: HUEANDCRY_GATEWAY_*."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from hueandcry.settings import load_prefixed

PREFIX = "HUEANDCRY_GATEWAY_"
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class GatewaySettings(BaseSettings):
    """Settings of `serve gateway`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8083, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    certificate: Path = Field(description="PEM certificate that it shows")
    key: Path = Field(description="PEM private key of that certificate")
    users: Path | None = Field(None, description="file of those who may use a password: lines of user:role:sha256 hex")
    client_ca: Path | None = Field(None, description="PEM file of the authority of agencies' certificates (mTLS)")
    proxies: str = Field("", description="addresses of proxies whose Client-Cert header (RFC 9440) is believed")
    token_issuer: str = Field("", description="issuer (iss) of the tokens that are taken")
    token_audience: str = Field("", description="audience (aud) that such a token must have")
    token_keys: str = Field("", description="the issuer's keys, a JWK set: https URL, or a file")
    token_claim: str = Field("client_id", description="claim of a token that holds the agency's id")
    signing_keys: Path | None = Field(None, description="folder of <agency>.pem, keys that it signs with for agencies")
    search_url: str = Field("", description="where search answers; without it there is no /v1/search")
    search_ca: Path | None = Field(None, description="PEM file of the authority that signed search; else the system's")
    alerts_per_second: float = Field(200, gt=0, description="alerts and reports a second that one agency may send")
    alerts_at_once: int = Field(5_000, ge=1, description="alerts and reports that one agency may send at once")
    requests_per_second: float = Field(100, gt=0, description="other requests a second of one agency")
    max_body: int = Field(8 * 1024 * 1024, ge=1024, description="largest body that is taken, in bytes")
    connections: int = Field(4_000, ge=10, description="connections at once; more are told to come again")
    streams: int = Field(1_500, ge=1, description="streams at once of one agency")
    webhook_secret: SecretStr = Field(
        SecretStr(""), description="of which the secrets of webhooks are made, at least 32 bytes in hex; without, none"
    )
    webhook_networks: str = Field("", description="networks that are not public to which webhooks may lead, 10.0.0.0/8")
    webhook_ca: Path | None = Field(None, description="PEM file of whom to trust for webhooks; else the system's")
    webhook_patience_seconds: int = Field(
        86_400, ge=1, description="how long a webhook may be away before it loses one"
    )

    @field_validator("proxies", "webhook_networks")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for word in value.split():
            try:
                ipaddress.ip_network(word)
            except ValueError:
                raise ValueError("write addresses or networks as 10.0.0.0/8, more than one with blanks") from None
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _is_long_hex(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        try:
            long_enough = not text or len(bytes.fromhex(text)) >= 32
        except ValueError:
            long_enough = False
        if not long_enough:
            raise ValueError("write at least 32 random bytes in hex, as `openssl rand -hex 32` prints them")
        return value


def networks(text: str) -> list[_Network]:
    """The networks of a setting."""
    return [ipaddress.ip_network(word) for word in text.split()]


def load() -> GatewaySettings:
    """The settings of the gateway. Raises SettingsError with one line that names the variable."""
    return load_prefixed(GatewaySettings, PREFIX)
