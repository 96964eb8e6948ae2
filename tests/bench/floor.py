"""The least that search could take: HTTPS by the same server, and one record that Kafka acknowledges for each request.

What search takes beyond that is its own. `python -m bench.floor` serves until it is ended; its environment is that of
search.
"""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hueandcry import settings as common_settings
from hueandcry.listening import https_server, listening
from hueandcry.search import settings as search_settings
from hueandcry.search.consultations import Consultations
from hueandcry.wire.codec import SchemaIds
from hueandcry.wire.kafka import producer_config, registry_client

#: As large as the record of a search.
RECORD: dict[str, Any] = {
    "consultation_id": "00000000-0000-0000-0000-000000000000", "at": 0, "agency": "bench-floor", "key_id": "0" * 32,
    "nonce": "0" * 24, "officer": None, "purpose": "bench", "by": "vin", "status": "test", "keys": [bytes(32)],
    "weak_keys": [], "exact": ["00000000-0000-0000-0000-000000000000"], "proposed": [], "elsewhere": [],
}  # fmt: skip


def main() -> None:
    settings, common = search_settings.load(), common_settings.load()
    consultations = Consultations(producer_config(common), SchemaIds(registry_client(common)))

    async def answer(request: Request) -> Response:
        body = await request.body()
        await consultations.log(RECORD, "FRA")
        return Response(body, media_type="application/json")

    app = Starlette(routes=[Route("/search", answer, methods=["POST"])])
    with listening(settings.host, settings.port, "HUEANDCRY_SEARCH_PORT") as listener:
        https_server(app, settings.certificate, settings.key, idle_seconds=60, most=500).run([listener])


if __name__ == "__main__":
    main()
