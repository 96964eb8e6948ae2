"""Broker and registry: can they be reached, are they who they should be, do they let us in, and keep strangers out."""

# confluent_kafka exports its documented names without saying so to type checkers.
# pyright: reportPrivateImportUsage=false
from __future__ import annotations

import datetime as dt
import socket
import ssl
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    ClusterMetadata,
    ConfigResource,
    ResourceType,
)
from cryptography import x509

from hueandcry.control.doctor.examine import Answer, ok, warning, wrong
from hueandcry.errors import RegistryError
from hueandcry.settings import Settings
from hueandcry.wire.codec import SchemaIds
from hueandcry.wire.kafka import client_config, registry_client

_CONNECT_S = 3.0
_LOGIN_S = 6.0
_PROBE_S = 2.5
_ASK_S = 5.0
#: Days before the end of a certificate from which on it is told.
_SOON_DAYS = 21
_PASSING = {KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._RESOLVE}

Address = tuple[str, int]


def reachable(settings: Settings) -> Answer:
    """Whether a bootstrap server takes connections."""
    servers = _servers(settings)
    down: list[str] = []
    for server in servers:
        try:
            socket.create_connection(server, timeout=_CONNECT_S).close()
        except OSError as error:
            down.append(f"{_shown(server)}: {error.strerror or error}")
    if len(down) == len(servers):
        return wrong("; ".join(down), "Start it (`make up`), or set HUEANDCRY_BOOTSTRAP to where Kafka is")
    if down:
        return warning("; ".join(down), "One is enough to begin with; see to the others")
    return ok(", ".join(map(_shown, servers)))


def tls(settings: Settings) -> Answer:
    """Whether broker and registry show certificates that we trust, and for how long."""
    secure = [(_servers(settings)[0], settings.ca)] if settings.security_protocol.endswith("SSL") else []
    registry = urlsplit(settings.registry_url)
    if registry.scheme == "https" and registry.hostname:
        secure.append(((registry.hostname, registry.port or 443), settings.registry_ca))
    ends: list[dt.datetime] = []
    for server, ca in secure:
        if ca is not None:
            try:
                ends.append(x509.load_pem_x509_certificate(ca.read_bytes()).not_valid_after_utc)
            except (OSError, ValueError):
                return wrong(f"{ca} is no certificate in PEM", "Set ca to the PEM file of the authority")
        try:
            ends.append(_peer_ends(server, ca))
        except ssl.SSLCertVerificationError as error:
            trusted = ca or "the system's authorities"
            do = "Set ca to the authority that signed it, or renew the certificate"
            return wrong(f"{_shown(server)} is not trusted by {trusted}: {error.verify_message}", do)
        except (ssl.SSLError, OSError) as error:
            reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
            return wrong(
                f"{_shown(server)} does not speak TLS: {reason or error}", "Set security_protocol, or the port"
            )
    if not settings.security_protocol.endswith("SSL"):
        return warning(
            "Kafka is spoken to without TLS: all can be read on the way", "Set security_protocol to SASL_SSL"
        )
    days = (min(ends) - dt.datetime.now(dt.UTC)).days
    says = f"certificates are trusted, and valid for {days} days"
    return ok(says, days=days) if days > _SOON_DAYS else warning(says, "Renew them (locally: make down up)", days=days)


def login(settings: Settings) -> Answer:
    """Whether the broker lets us in."""
    answer = ask_cluster(client_config(settings), _LOGIN_S)
    if isinstance(answer, ClusterMetadata):
        brokers = len(answer.brokers)
        return ok(f"as {settings.user or 'nobody'}; {brokers} broker{'' if brokers == 1 else 's'}")
    return wrong(f"as {settings.user or 'nobody'}: {answer}", "Look at user and password, and at security_protocol")


def strangers_refused(settings: Settings) -> Answer:
    """Whether those without a name, or with a wrong one, are kept out, and what users may do is looked at."""
    known = client_config(settings)
    bare = {key: value for key, value in known.items() if not key.startswith("sasl.")}
    probes = {
        "anybody without TLS": bare | {"security.protocol": "PLAINTEXT"},
        "anybody without a user": bare | {"security.protocol": "SSL"},
        "an unknown user": known | {"sasl.username": f"nobody-{uuid.uuid4().hex[:8]}", "sasl.password": "none"},
    }
    if not settings.security_protocol.startswith("SASL"):
        del probes["an unknown user"]
    with ThreadPoolExecutor(len(probes)) as pool:
        answers = pool.map(lambda config: ask_cluster(config, _PROBE_S), probes.values())
    let_in = [who for who, answer in zip(probes, answers, strict=True) if isinstance(answer, ClusterMetadata)]
    if let_in:
        return wrong(f"the broker lets in {', '.join(let_in)}", "Close that listener: SASL_SSL only")
    authorizer = _broker_setting(known, "authorizer.class.name")
    if authorizer is None:
        return warning("strangers are refused; the broker does not say whether it has an authorizer")
    if not authorizer:
        do = "Set authorizer.class.name on the brokers, and allow.everyone.if.no.acl.found=false"
        return wrong("no authorizer: whoever logs in may read and write everything", do)
    return ok(f"strangers are refused; {authorizer.rpartition('.')[2]} looks at what users may do")


def registry(settings: Settings, subjects: Iterable[str]) -> Answer:
    """Whether the registry answers, and has these schemas as we have them."""
    ids = SchemaIds(registry_client(settings))
    missing: list[str] = []
    found = 0
    for name in subjects:
        try:
            ids.id_of(name)
            found += 1
        except RegistryError as error:
            if "does not have" not in str(error):
                return wrong(f"{settings.registry_url}: {error}", error.hint)
            missing.append(name.removeprefix("hueandcry."))
    if missing:
        return wrong(f"not registered as in avro/: {', '.join(missing)}", "Run `hueandcry network apply`")
    return ok(f"{settings.registry_url} has all {found} schemas")


def ask_cluster(config: Mapping[str, Any], seconds: float) -> ClusterMetadata | str:
    """What the cluster tells of itself, or why it does not."""
    errors: list[KafkaError] = []
    options: dict[str, Any] = {"log_level": 0, **config, "error_cb": errors.append}
    admin = AdminClient(options)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            metadata = admin.list_topics(timeout=0.5)
        except KafkaException:
            admin.poll(0)
        else:
            if metadata.brokers:
                return metadata
        telling = [error for error in errors if error.code() not in _PASSING]
        if telling:
            return telling[0].str()
        if len(errors) > 1:
            return errors[0].str()
    return errors[0].str() if errors else f"no answer within {seconds:.0f} s"


def _broker_setting(config: Mapping[str, Any], name: str) -> str | None:
    """A setting of one broker; None where it does not say."""
    admin = AdminClient({"log_level": 0, **config})
    try:
        broker = next(iter(admin.list_topics(timeout=_ASK_S).brokers))
        asked = admin.describe_configs([ConfigResource(ResourceType.BROKER, str(broker))], request_timeout=_ASK_S)
        entry = next(iter(asked.values())).result(_ASK_S).get(name)
    except KafkaException:
        return None
    return None if entry is None else str(entry.value or "")


def _peer_ends(server: Address, ca: Path | None) -> dt.datetime:
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    with (
        socket.create_connection(server, timeout=_CONNECT_S) as plain,
        context.wrap_socket(plain, server_hostname=server[0]) as secure,
    ):
        shown = secure.getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(shown or b"").not_valid_after_utc


def _servers(settings: Settings) -> list[Address]:
    found: list[Address] = []
    for server in settings.bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        found.append((host.strip("[]").rpartition("://")[2], int(port)))
    return found


def _shown(server: Address) -> str:
    return f"{server[0]}:{server[1]}"
