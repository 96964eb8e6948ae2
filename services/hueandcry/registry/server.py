"""One process of the registry: the topic followed, HTTPS served until it is told to stop."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hueandcry.errors import SettingsError
from hueandcry.listening import https_server, listening, note_stops
from hueandcry.registry.api import Api
from hueandcry.registry.log import SchemaLog
from hueandcry.registry.settings import PREFIX, RegistrySettings
from hueandcry.registry.users import Door, load_users
from hueandcry.settings import Settings
from hueandcry.wire.kafka import client_config


def serve(settings: RegistrySettings, common: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        settings: address, topic, rules.
        common: the broker and our login there; our certificate and key, and the file of those who may ask.

    Raises:
        SettingsError: a file can't be read, or the address can't be taken.
    """
    certificate = _file(common.registry_certificate, "registry_certificate")
    key = _file(common.registry_key, "registry_key")
    users = load_users(_file(common.registry_users, "registry_users"))
    door = Door(users, open_reads=settings.reads == "anyone")
    with (
        listening(settings.host, settings.port, f"{PREFIX}PORT") as listener,
        _following(settings, client_config(common)) as log,
    ):
        note_stops()
        app = Api(log, door, settings.level).app()
        https_server(app, certificate, key, idle_seconds=30, most=200).run([listener])


def _file(path: Path | None, name: str) -> Path:
    variable = f"HUEANDCRY_{name.upper()}"
    if path is None:
        raise SettingsError(f"{variable} is missing ({Settings.model_fields[name].description})", hint="Set it")
    if not path.is_file():
        raise SettingsError(f"{variable} names {path}, which is no file", hint="Name the file")
    return path


@contextlib.contextmanager
def _following(settings: RegistrySettings, kafka: dict[str, Any]) -> Iterator[SchemaLog]:
    log = SchemaLog(kafka, settings.topic, settings.replication_factor)
    log.start()
    try:
        yield log
    finally:
        log.close()
