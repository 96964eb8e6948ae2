"""Signed requests: who has signed is known, once, and nothing of a request can be changed."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hueandcry.errors import ProofError
from hueandcry.rights.network import SigningKey
from hueandcry.wire import requests
from hueandcry.wire.requests import MAX_AGE, SEARCH_TAG, SKEW, RequestVerifier, sign_request

URL, BODY = "https://search.example:8082/search", b'{"vin":"VF3LCYHZPFS000042"}'
KEY, OTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


def listed(key: Ed25519PrivateKey, key_id: str = "k1", **changes: Any) -> SigningKey:
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    given = {"agency": "fra-police", "key_id": key_id, "public_key": base64.b64encode(raw).decode()}
    return SigningKey(**{**given, "valid_from": START - dt.timedelta(days=9), "valid_until": None, **changes})


class Clock:
    """The time of the test, for the library and for us."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = START

        class _DateTime(dt.datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return self.now

        monkeypatch.setattr("http_message_signatures.signatures.datetime.datetime", _DateTime)

    def __call__(self) -> float:
        return self.now.timestamp()

    def pass_by(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def verifier(clock: Callable[[], float], *keys: SigningKey) -> RequestVerifier:
    known = {key.key_id: key for key in keys or (listed(KEY),)}
    return RequestVerifier(known.get, tag=SEARCH_TAG, clock=clock)


def signed(key: Ed25519PrivateKey = KEY, **changes: Any) -> dict[str, str]:
    given = {"method": "POST", "url": URL, "body": BODY, "tag": SEARCH_TAG, "content_type": "application/json"}
    return sign_request(key, changes.pop("key_id", "k1"), **(given | changes))


def test_a_request_is_known_by_its_key_and_taken_once(clock: Clock) -> None:
    checks = verifier(clock)
    headers = signed()
    found = checks.verify("POST", URL, headers, BODY)
    assert (found.key.agency, found.key.key_id) == ("fra-police", "k1")
    assert found.nonce
    with pytest.raises(ProofError) as caught:
        checks.verify("POST", URL, headers, BODY)
    assert caught.value.rule == "request.replayed"
    assert checks.verify("POST", URL, signed(), BODY).nonce != found.nonce


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("GET", URL, BODY),
        ("POST", URL.replace("search.", "other."), BODY),
        ("POST", URL.replace("/search", "/else"), BODY),
        ("POST", URL, BODY + b" "),
        ("POST", URL, b""),
    ],
)
def test_nothing_of_a_request_can_be_changed(clock: Clock, method: str, url: str, body: bytes) -> None:
    assert_refused(verifier(clock), signed(), method, url, body)


def assert_refused(
    checks: RequestVerifier, headers: dict[str, str], method: str = "POST", url: str = URL, body: bytes = BODY
) -> None:
    with pytest.raises(ProofError) as caught:
        checks.verify(method, url, headers, body)
    assert caught.value.rule == "request.signature"
    assert "VF3" not in caught.value.diagnostics()


def test_headers_that_are_not_of_a_good_signature(clock: Clock) -> None:
    checks, good = verifier(clock), signed()
    names = list(good)
    for name in names:
        assert_refused(checks, {key: value for key, value in good.items() if key != name})
        assert_refused(checks, good | {name: good[name][:-3] + "A" + good[name][-2:]})
        assert_refused(checks, good | {name: ""})
    stranger = signed(OTHER)
    assert_refused(checks, stranger)
    assert_refused(checks, good | {"Signature": stranger["Signature"]})
    assert_refused(checks, signed(key_id="k2"))
    assert_refused(checks, signed(tag="hueandcry-else"))
    assert_refused(checks, signed(content_type="text/plain") | {"Content-Type": "application/json"})
    twice = {name: f"{good[name]}, {good[name].replace('agency=', 'again=')}" for name in names if "ignature" in name}
    assert_refused(checks, good | twice)
    # What was refused has taken no nonce.
    assert checks.verify("POST", URL, good, BODY).key.key_id == "k1"


def test_a_signature_that_covers_less_is_none(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = verifier(clock)
    for left_out in requests._COVERED[:-1]:
        rest = tuple(each for each in requests._COVERED if each != left_out)
        with monkeypatch.context() as patched:
            patched.setattr(requests, "_COVERED", rest)
            headers = signed()
        assert_refused(checks, headers)


def test_a_signature_has_its_time(clock: Clock) -> None:
    checks = verifier(clock)
    headers = signed()
    late = signed()
    clock.pass_by((MAX_AGE - SKEW).total_seconds())
    assert checks.verify("POST", URL, headers, BODY)
    clock.pass_by(3 * SKEW.total_seconds())
    assert_refused(checks, late)
    # Long after it would be too old it is still known as a replay, or too old.
    with pytest.raises(ProofError):
        checks.verify("POST", URL, headers, BODY)
    clock.pass_by(600)
    with pytest.raises(ProofError):
        checks.verify("POST", URL, headers, BODY)
    clock.pass_by(-600)
    clock.pass_by(60)
    ahead = signed()
    clock.pass_by(-60)
    assert_refused(checks, ahead)


def test_a_key_that_is_not_valid_now_signs_nothing(clock: Clock) -> None:
    ended = listed(KEY, valid_until=START)
    checks = verifier(clock, ended)
    assert_refused(checks, signed())
    later = listed(KEY, valid_from=START + dt.timedelta(days=1))
    assert_refused(verifier(clock, later), signed())


def test_the_nonces_are_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "MOST_NONCES", 2)
    checks = verifier(clock)
    for _ in range(2):
        checks.verify("POST", URL, signed(), BODY)
    with pytest.raises(ProofError) as caught:
        checks.verify("POST", URL, signed(), BODY)
    assert caught.value.rule == "request.flood"
    clock.pass_by(600)
    assert checks.verify("POST", URL, signed(), BODY)
