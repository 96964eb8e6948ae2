"""One process of the registry: the topic followed, HTTPS served until it is told to stop."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import uvicorn

from hueandcry.errors import SettingsError
from hueandcry.registry.api import Api
from hueandcry.registry.log import SchemaLog
from hueandcry.registry.settings import RegistrySettings
from hueandcry.registry.users import Door, load_users

_STOP_SECONDS = 5


def serve(settings: RegistrySettings, kafka: dict[str, Any], *, certificate: Path, key: Path, users: Path) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        settings: address, topic, rules.
        kafka: librdkafka's configuration of a client.
        certificate: PEM, with its chain.
        key: PEM of the private key.
        users: file of those who may ask.

    Raises:
        SettingsError: a file can't be read, or the address can't be taken.
    """
    door = Door(load_users(users), open_reads=settings.reads == "anyone")
    for path in (certificate, key):
        if not path.is_file():
            raise SettingsError(f"{path} is no file", hint="Name the registry's certificate and key")
    with _listening(settings.host, settings.port) as listener, _following(settings, kafka) as log:
        config = uvicorn.Config(
            Api(log, door, settings.level).app(),
            ssl_certfile=certificate,
            ssl_keyfile=str(key),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_keep_alive=30,
            timeout_graceful_shutdown=_STOP_SECONDS,
            limit_concurrency=200,
            h11_max_incomplete_event_size=32 * 1024,
        )
        uvicorn.Server(config).run([listener])


@contextlib.contextmanager
def _following(settings: RegistrySettings, kafka: dict[str, Any]) -> Iterator[SchemaLog]:
    log = SchemaLog(kafka, settings.topic, settings.replication_factor)
    log.start()
    try:
        yield log
    finally:
        log.close()


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise SettingsError(
            f"can't listen on {host}:{port}: {error.strerror}", hint="Set HUEANDCRY_REGISTRY_PORT"
        ) from None
    with listener:
        yield listener
