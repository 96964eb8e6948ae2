"""Certificates of the local set-up: an authority of our own, and one certificate each for broker and services.

The authority's private key is never written: it signs these certificates and is dropped, so nobody can issue another.
Only the broker's certificate may be used as a client's (for Kafka's controller and inter-broker listeners).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BROKER_NAME = "hueandcry-broker"
_VALID_DAYS = 365
_RENEW_DAYS = 14


class Certificates:
    """The files: `ca.pem` for clients, `broker.pem` (key and chain), others each `.pem` and `.key`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = folder / "ca.pem"
        self.broker = folder / "broker.pem"
        self.registry = folder / "registry.pem"
        self.registry_key = folder / "registry.key"
        self.search = folder / "search.pem"
        self.search_key = folder / "search.key"
        self.gateway = folder / "gateway.pem"
        self.gateway_key = folder / "gateway.key"
        self.ledger = folder / "ledger.pem"
        self.ledger_key = folder / "ledger.key"

    def ensure(self) -> bool:
        """Issue all of them where one is missing or ends within two weeks.

        Returns:
            Whether they were issued now, so that whoever runs with the old ones must start again.
        """
        if self._good():
            return False
        self.folder.mkdir(parents=True, exist_ok=True)
        now = dt.datetime.now(dt.UTC)
        ca_key = ec.generate_private_key(ec.SECP256R1())
        ca = _certificate("Hue and Cry local authority", ca_key, None, ca_key, now)
        chain = ca.public_bytes(Encoding.PEM)
        broker_key, broker = _issue(BROKER_NAME, ca, ca_key, now, client=True)
        registry_key, registry = _issue("hueandcry-registry", ca, ca_key, now, client=False)
        write_private(self.broker, broker_key + broker + chain)
        search_key, search = _issue("hueandcry-search", ca, ca_key, now, client=False)
        write_private(self.registry_key, registry_key)
        write_private(self.search_key, search_key)
        gateway_key, gateway = _issue("hueandcry-gateway", ca, ca_key, now, client=False)
        write_private(self.gateway_key, gateway_key)
        self.gateway.write_bytes(gateway + chain)
        ledger_key, ledger = _issue("hueandcry-ledger", ca, ca_key, now, client=False)
        write_private(self.ledger_key, ledger_key)
        self.ledger.write_bytes(ledger + chain)
        self.search.write_bytes(search + chain)
        self.registry.write_bytes(registry + chain)
        self.ca.write_bytes(chain)  # last: with it the set is whole
        return True

    def _good(self) -> bool:
        files = (self.ca, self.broker, self.registry, self.registry_key, self.search, self.search_key)
        files += (self.gateway, self.gateway_key)
        files += (self.ledger, self.ledger_key)
        if not all(path.is_file() for path in files):
            return False
        ends = x509.load_pem_x509_certificate(self.ca.read_bytes()).not_valid_after_utc
        return ends - dt.datetime.now(dt.UTC) > dt.timedelta(days=_RENEW_DAYS)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, at no moment with a wider mode."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    temporary.replace(path)


def _issue(
    name: str, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, now: dt.datetime, *, client: bool
) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(name, key, ca, ca_key, now, client=client)
    return (
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        certificate.public_bytes(Encoding.PEM),
    )


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate | None,
    ca_key: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
    *,
    client: bool = False,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    authority = ca_key.public_key()
    is_ca = ca is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if ca is None else ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=_VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_ca,
                key_cert_sign=is_ca,
                crl_sign=is_ca,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if not is_ca:
        loopback = [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.IPAddress(ipaddress.ip_address("::1")),
        ]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, *([ExtendedKeyUsageOID.CLIENT_AUTH] if client else [])]
        builder = builder.add_extension(x509.SubjectAlternativeName(loopback), critical=False).add_extension(
            x509.ExtendedKeyUsage(usages), critical=False
        )
    return builder.sign(ca_key, hashes.SHA256())
