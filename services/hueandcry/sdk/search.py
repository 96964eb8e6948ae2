"""Asking which active alerts an agency may see on a vehicle, a person or a threat."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from hueandcry.errors import SearchError, SettingsError
from hueandcry.sdk.profile import Profile
from hueandcry.wire.requests import SEARCH_TAG, sign_request

_SECONDS = 15.0
_JSON = "application/json"
_PATH = "/search"


@dataclass(frozen=True)
class Found:
    """What a search has found, as JSON has it; docs/search.md lists the fields of a match.

    Attributes:
        exact: alerts on the very subject.
        proposed: alerts that may be on it, with score and reasons; never more than a reason to look closer.
        elsewhere: `issuing_state` and `kind` of alerts on the very subject that the agency may not see: ask that state.
        more: whether there are more exact matches than were sent.
        remarks: doubts about what was asked for.
        consultation_id: under which the platform has logged the search.
        as_of: time (ISO 8601) up to which everything that was registered has been searched.
        age_ms: how long before the answer that was, in milliseconds.
    """

    exact: list[dict[str, Any]]
    proposed: list[dict[str, Any]]
    elsewhere: list[dict[str, Any]]
    more: bool
    remarks: list[dict[str, Any]]
    consultation_id: str
    as_of: str
    age_ms: int
    record: dict[str, Any] = field(repr=False)

    def __bool__(self) -> bool:
        """Whether anything was found, be it only a state to ask."""
        return bool(self.exact or self.proposed or self.elsewhere)


class Search:
    """Searches as an agency; use as a context. Not for several threads at once.

    >>> with Search(agency_profile("fra-police")) as search:                                    # doctest: +SKIP
    ...     found = search.ask("traffic stop", vin="VF3LCYHZPFS000042")

    Args:
        profile: of the agency: its search_url, and the signing key by which it is known.

    Raises:
        SettingsError: one of these is missing or wrong.
    """

    def __init__(self, profile: Profile) -> None:
        if not profile.search_url:
            where = profile.folder / "config.toml"
            raise SettingsError(
                f"{where}: search_url is missing", hint='Write search_url = "https://…", or ask the operator'
            )
        self._key = profile.load_signing_key()
        self._key_id = profile.key_id
        self._url = profile.search_url + _PATH
        parts = urlsplit(profile.search_url)
        if parts.scheme != "https":
            raise SettingsError(f"{profile.folder / 'config.toml'}: search_url does not begin with https://")
        context = ssl.create_default_context(cafile=str(profile.search_ca) if profile.search_ca else None)
        self._connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port or 443, timeout=_SECONDS, context=context
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def ask(
        self,
        purpose: str,
        *,
        vin: str | None = None,
        plate: Mapping[str, Any] | None = None,
        person: Mapping[str, Any] | None = None,
        document: Mapping[str, Any] | None = None,
        indicator: Mapping[str, Any] | None = None,
        status: str = "actual",
        possible: bool = True,
        officer: str | None = None,
    ) -> Found:
        """Search by exactly one of vin, plate, person, document and indicator.

        Args:
            purpose: why, in words or a code of the agency; it is logged.
            vin: whole, or at least its last eight characters, which only propose.
            plate: raw, and if known state, subdivision, type.
            person: name, and born (1984-05-17, 1984-05 or 1984) and nationalities.
            document: number, and if known state, type.
            indicator: value, and if known type.
            status: actual, exercise or test.
            possible: whether to look for possible matches too; without, an answer comes sooner.
            officer: who asks, as the agency names that person to itself; it is logged.

        Raises:
            SearchError: it was refused, or not answered.
        """
        by = {"vin": vin, "plate": plate, "person": person, "document": document, "indicator": indicator}
        given = {"purpose": purpose, "status": status, "officer": officer, "possible": possible, **by}
        body = json.dumps({name: value for name, value in given.items() if value is not None}).encode()
        status_code, answer = self._post(body)
        if status_code != 200:
            raise SearchError(
                f"the search was refused: {answer.get('message', 'no reason is told')}",
                rule=str(answer.get("rule", "")),
            )
        named = ("exact", "proposed", "elsewhere", "more", "remarks", "consultation_id", "as_of", "age_ms")
        return Found(*(answer[name] for name in named), record=answer)

    def _post(self, body: bytes) -> tuple[int, dict[str, Any]]:
        kept = self._connection.sock is not None
        try:
            return self._once(body)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            # The other side has ended a connection that was kept; what it has not read it has not answered.
            self._connection.close()
            if not kept:
                raise _unanswered(error) from error
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise _unanswered(error) from error
        try:
            return self._once(body)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise _unanswered(error) from error

    def _once(self, body: bytes) -> tuple[int, dict[str, Any]]:
        headers = sign_request(self._key, self._key_id, "POST", self._url, body, tag=SEARCH_TAG, content_type=_JSON)
        self._connection.request("POST", _PATH, body, headers)
        response = self._connection.getresponse()
        text = response.read()
        try:
            return response.status, json.loads(text)
        except ValueError:
            raise SearchError(f"search answered with what is no JSON (status {response.status})") from None


def _unanswered(error: Exception) -> SearchError:
    return SearchError(
        f"search does not answer ({type(error).__name__})", hint="Look at search_url and search_ca in config.toml"
    )
