"""`hueandcry serve …`: the long-running processes."""

from __future__ import annotations

import logging

import typer

app = typer.Typer(no_args_is_help=True, help="Run one of the platform's processes until it is told to stop.")


@app.command()
def registry() -> None:
    """Run the schema registry, over the topic _schemas.

    Settings: HUEANDCRY_REGISTRY_HOST, _PORT, _CERTIFICATE, _KEY, _USERS, _READS, _LEVEL, _TOPIC, _REPLICATION_FACTOR.
    """
    from hueandcry import settings
    from hueandcry.registry import server
    from hueandcry.registry import settings as registry_settings
    from hueandcry.wire.kafka import client_config

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    own = registry_settings.load()
    common = settings.load("registry_certificate", "registry_key", "registry_users")
    server.serve(
        own,
        client_config(common),
        certificate=common.registry_certificate,
        key=common.registry_key,
        users=common.registry_users,
    )
