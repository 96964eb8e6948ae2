"""The gateway's own part of HTTP over real TLS: whose certificate it was, and heads that never end."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from starlette.requests import Request
from starlette.responses import JSONResponse

from hueandcry.gateway import protocol
from hueandcry.gateway.auth import CERTIFICATE

NOW = dt.datetime.now(dt.UTC)


class Authority:
    """Issues certificates into a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._made(self.name, self.key, is_ca=True))

    def issue(self, name: str) -> tuple[str, str]:
        """Files of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, secret = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate.write_bytes(self._made(subject, key, is_ca=False))
        secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return str(certificate), str(secret)

    def _made(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_ca: bool) -> bytes:
        loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - dt.timedelta(minutes=5))
            .not_valid_after(NOW + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(loopback, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)


class Serving:
    """A server with this protocol, and the authority of its clients."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder, "authority")
        self.stranger = Authority(folder, "stranger")
        certificate, key = self.authority.issue("server")

        async def app(scope: Any, receive: Any, send: Any) -> None:
            request = Request(scope, receive)
            shown = {"name": scope.get("extensions", {}).get(CERTIFICATE, ""), "body": (await request.body()).decode()}
            await JSONResponse(shown)(scope, receive, send)

        self.server = uvicorn.Server(
            uvicorn.Config(
                app, http=protocol.Protocol, ws="none", lifespan="off", log_config=None, ssl_certfile=certificate,
                ssl_keyfile=key, ssl_ca_certs=str(self.authority.file), ssl_cert_reqs=ssl.CERT_OPTIONAL,
                timeout_graceful_shutdown=2,
            )
        )  # fmt: skip
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.server.run, args=([self.listener],), daemon=True)
        self.thread.start()

    def ask(self, **more: Any) -> str:
        with requests.Session() as session:
            session.trust_env = False
            url = f"https://127.0.0.1:{self.port}/"
            return session.get(url, verify=str(self.authority.file), timeout=30, **more).json()["name"]

    def connect(self) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(self.authority.file))
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        return context.wrap_socket(plain, server_hostname="127.0.0.1")


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    made = Serving(tmp_path_factory.mktemp("tls"))
    yield made
    made.server.should_exit = True
    made.thread.join(20)


def test_the_name_is_that_of_the_connections_certificate(serving: Serving) -> None:
    assert serving.ask(cert=serving.authority.issue("fra.user")) == "fra.user"
    assert serving.ask(cert=serving.authority.issue("deu.user")) == "deu.user"
    assert serving.ask() == "", "another connection has no part in it"


def test_a_certificate_of_another_authority_gets_no_connection(serving: Serving) -> None:
    with pytest.raises(requests.exceptions.RequestException):
        serving.ask(cert=serving.stranger.issue("fra.user"))


def is_cut(connection: ssl.SSLSocket) -> bool:
    """Whether the other side ends it. Raises TimeoutError where it does not within 30 s."""
    try:
        return connection.recv(1) == b""
    except (ConnectionError, ssl.SSLError):
        return True


def test_a_head_that_does_not_end_is_cut_and_a_slow_body_is_not(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.5)
    with serving.connect() as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        assert is_cut(slow)
    with serving.connect() as nothing:
        assert is_cut(nothing)
    with serving.connect() as patient:
        patient.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\na")
        # Longer than a head may take.
        waiting = threading.Event()
        waiting.wait(1.0)
        patient.sendall(b"b")
        answer = b""
        while part := patient.recv(4096):
            answer += part
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["body"] == "ab"
