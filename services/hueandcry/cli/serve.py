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

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    server.serve(registry_settings.load(), settings.load())


@app.command()
def search() -> None:
    """Run search: answer agencies which active alerts they may see. One process for each HUEANDCRY_INSTANCE.

    Settings: HUEANDCRY_SEARCH_HOST, _PORT, _CERTIFICATE, _KEY, _PARTITIONS, _PEERS, _CA.
    """
    from hueandcry import settings
    from hueandcry.search import server
    from hueandcry.search import settings as search_settings

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    server.serve(search_settings.load(), settings.load())


@app.command()
def gateway() -> None:
    """Run the gateway: take from agencies over HTTPS, and give to them. One process for each HUEANDCRY_INSTANCE.

    Settings: HUEANDCRY_GATEWAY_…, see docs/settings.md.
    """
    from hueandcry import settings
    from hueandcry.gateway import server
    from hueandcry.gateway import settings as gateway_settings

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    server.serve(gateway_settings.load(), settings.load())


@app.command()
def admit() -> None:
    """Run admit: verify and normalise what agencies publish. One process for each HUEANDCRY_INSTANCE."""
    from hueandcry import settings
    from hueandcry.admit.service import serve

    serve(settings.load())


@app.command()
def distribute() -> None:
    """Run distribute: deduplicate, route and deliver. One process for each HUEANDCRY_INSTANCE."""
    from hueandcry import settings
    from hueandcry.distribute.service import serve

    serve(settings.load())


@app.command()
def watch() -> None:
    """Run watch: tell Prometheus how far everybody is behind, who is silent, which certificates end.

    Settings: HUEANDCRY_WEB_HOST, _WEB_PORT, HUEANDCRY_WATCH_SECONDS, _TLS.
    """
    from hueandcry import settings
    from hueandcry.watch import service
    from hueandcry.watch import settings as watch_settings

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    service.serve(watch_settings.load(), settings.load())


@app.command()
def ledger() -> None:
    """Run the ledger: sign checkpoints of the log, and give agencies their proofs.

    Settings: HUEANDCRY_LEDGER_HOST, _PORT, _CERTIFICATE, _KEY, _ORIGIN, _SIGNING_KEY, _EVERY_SECONDS.
    """
    from hueandcry import settings
    from hueandcry.ledger import server
    from hueandcry.ledger import settings as ledger_settings

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    server.serve(ledger_settings.load(), settings.load())
