"""Agencies that speak HTTP with the gateway of a platform."""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Iterator
from typing import Any

import requests

from broker.on_platform import Platform
from hueandcry.wire.requests import GATEWAY_TAG, sign_request


class Client:
    """An agency at the gateway."""

    def __init__(self, platform: Platform, agency: str) -> None:
        profile = platform.profile(agency)
        auth = tomllib.loads((profile.folder / "auth.toml").read_text("utf-8"))
        self.agency = agency
        self.profile = profile
        self.url = profile.gateway_url
        self.session = requests.Session()
        # Else variables of the environment would replace the authority.
        self.session.trust_env = False
        self.session.verify = str(profile.search_ca)
        self.session.auth = (auth["user"], auth["password"])

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        """Send JSON (or bytes as they are), with headers whose `_` are `-`."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"content-type": "application/json"} | named
        return self.session.post(self.url + path, data=data, headers=given, timeout=60)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.session.get(self.url + path, params=query, timeout=90)

    def position(self, source: str = "inbox") -> str:
        """Where the end is now."""
        return self.get(f"/v1/{source}", **{"from": "latest"}).json()["next"]

    def wait_for(self, source: str, after: str, wanted: Any, pages: int = 20) -> dict[str, Any]:
        """The first event after a place for which `wanted` is true."""
        for _ in range(pages):
            page = self.get(f"/v1/{source}", after=after, wait=30).json()
            for event in page["events"]:
                if wanted(event):
                    return event
            after = page["next"]
        raise AssertionError(f"nothing came in {source} of {self.agency}")

    def stream(self, source: str = "inbox", **headers: str) -> requests.Response:
        """A stream, begun."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.session.get(
            f"{self.url}/v1/{source}", headers={"accept": "text/event-stream"} | named, stream=True, timeout=60
        )
        assert response.status_code == 200, response.text
        return response

    def signed(self, method: str, path: str, body: bytes, content_type: str, **headers: str) -> requests.Response:
        """A request that the agency signs, without its password."""
        key = self.profile.load_signing_key()
        made = sign_request(
            key, self.profile.key_id, method, self.url + path, body, tag=GATEWAY_TAG, content_type=content_type
        )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.request(
            method, self.url + path, data=body, headers=made | named, verify=self.session.verify, timeout=60
        )


def events(response: requests.Response) -> Iterator[dict[str, str]]:
    """Server-sent events: fields by name."""
    fields: dict[str, str] = {}
    for line in response.iter_lines(chunk_size=1):
        text = line.decode()
        if text:
            name, _, value = text.partition(": ")
            fields[name] = value
        elif fields:
            yield fields
            fields = {}


def proof_headers(headers: list[tuple[str, bytes]]) -> dict[str, str]:
    """A proof as the gateway takes it."""
    return {
        name.replace("-", "_"): value.decode() if name == "hc-key" else base64.b64encode(value).decode()
        for name, value in headers
    }
