"""TAXII 2.1 over the whole platform, with taxii2-client and stix2 as an agency would use them."""

from __future__ import annotations

import tomllib
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from stix2 import parse
from taxii2client.v21 import Server, as_pages

from broker.lane_process import until
from broker.on_platform import Platform, new_vin
from broker.over_http import Client

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
ACCEPT = "application/taxii+json;version=2.1"


def given(**changes: Any) -> dict[str, Any]:
    return {
        "national_reference": f"TX-{uuid.uuid4()}", "kind": "stolen_vehicle", "category": "seizure",
        "circulation": ["world"], "classification": "unclassified", "handling_code": "H0", "tlp": "green",
        "subject": {"stolen": "vehicle", "vin": {"raw": new_vin()}}, **changes,
    }  # fmt: skip


def server(platform: Platform, agency: str) -> Server:
    profile = platform.profile(agency)
    auth = tomllib.loads((profile.folder / "auth.toml").read_text("utf-8"))
    trust: Any = str(profile.search_ca)
    return Server(f"{profile.gateway_url}/taxii2/", user=auth["user"], password=auth["password"], verify=trust)


def collection(platform: Platform, agency: str, title: str) -> Any:
    (root,) = server(platform, agency).api_roots
    (found,) = [each for each in root.collections if each.title.startswith(title)]
    return found


@pytest.fixture(autouse=True)
def own_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    """requests would put the environment's authority over the one that is given."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def test_a_client_pages_through_what_an_agency_got_and_goes_on_from_there(platform: Platform) -> None:
    deu = Client(platform, "deu-vehicles")
    vehicles = collection(platform, "fra-police", "Stolen vehicles")
    references = [f"TX-{uuid.uuid4()}" for _ in range(5)]
    # Other tests fill the inbox, too, and many small pages of that are more than the gateway lets one ask for at once.
    begun = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for reference in references:
        assert deu.post("/v1/alerts", given(national_reference=reference)).status_code == 202

    def all_objects(added_after: str = begun) -> list[dict[str, Any]]:
        pages = as_pages(vehicles.get_objects, per_request=3, added_after=added_after)
        return [each for page in pages for each in page.get("objects", [])]

    def mine(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        found = {}
        for each in objects:
            envelopes = [one.get("alert", {}) for one in each.get("extensions", {}).values() if isinstance(one, dict)]
            found |= {
                one["national_reference"]: each for one in envelopes if one.get("national_reference") in references
            }
        return found

    until(lambda: len(mine(all_objects())) == 5, 60, "the alerts in the collection")
    objects = all_objects()
    assert len({(each["id"], each.get("modified")) for each in objects}) == len(objects), "no object twice"
    for each in objects:
        parse(each, allow_custom=True)
    # The manifest has the same, in the order of their being added; each object can be had by its id.
    manifest = [
        each for page in as_pages(vehicles.get_manifest, per_request=4, added_after=begun) for each in page["objects"]
    ]
    assert [each["id"] for each in manifest] == [each["id"] for each in objects]
    dates = [each["date_added"] for each in manifest]
    assert dates == sorted(set(dates))
    first = mine(objects)[references[0]]
    assert vehicles.get_object(first["id"])["objects"] == [first]
    assert vehicles.object_versions(first["id"])["versions"] == [first["modified"]]
    assert {each["type"] for each in vehicles.get_objects(type="identity")["objects"]} == {"identity"}
    persons = collection(platform, "fra-police", "Wanted persons")
    assert not mine(persons.get_objects(limit=1000).get("objects", []))

    # A withdrawal comes after what was there, as revoked.
    withdrawn = {**given(national_reference=references[0]), "version": 2, "message_type": "withdraw"}
    withdrawn["subject"] = {"stolen": "vehicle", "vin": first["vin"]}
    assert deu.post("/v1/alerts", withdrawn).status_code == 202, deu.post("/v1/alerts", withdrawn).text

    def is_revoked() -> bool:
        later = all_objects(added_after=dates[-1])
        return any(each["id"] == first["id"] and each.get("revoked") for each in later)

    until(is_revoked, 60, "the withdrawal in the collection")


def test_what_is_asked_wrongly_is_said_as_taxii_says_it(platform: Platform) -> None:
    fra, are = Client(platform, "fra-police"), Client(platform, "are-police")

    def get(client: Client, path: str, accept: str = ACCEPT) -> requests.Response:
        return client.session.get(f"{client.url}/taxii2/{path}", headers={"accept": accept}, timeout=60)

    assert get(fra, "").headers["content-type"] == ACCEPT
    assert get(fra, "", "application/taxii+json;version=2.0").status_code == 406
    assert get(fra, "", "text/html").status_code == 406
    inbox = "alerts/collections/inbox"
    for path, status in (
        (f"{inbox}/objects/?limit=0", 400),
        (f"{inbox}/objects/?added_after=yesterday", 400),
        (f"{inbox}/objects/?next=x", 400),
        (f"{inbox}/objects/?match[version]=newest", 400),
        (f"{inbox}/objects/indicator--{uuid.uuid4()}/", 404),
        (f"alerts/collections/{uuid.uuid4()}/", 404),
    ):
        told = get(fra, path)
        assert (told.status_code, told.headers["content-type"]) == (status, ACCEPT), path
        assert told.json()["http_status"] == str(status)
    # Another agency's collection is not there; nor is one's own that the gateway may not read.
    theirs = get(fra, "alerts/collections/").json()["collections"][0]["id"]
    assert get(Client(platform, "deu-vehicles"), f"alerts/collections/{theirs}/objects/").status_code == 404
    assert get(are, "alerts/collections/").json() == {}
    assert get(are, f"{inbox}/objects/").status_code == 404
    nobody = requests.get(f"{fra.url}/taxii2/", verify=str(fra.session.verify), headers={"accept": ACCEPT}, timeout=30)
    assert nobody.status_code == 401
    assert "Basic" in nobody.headers["www-authenticate"]
