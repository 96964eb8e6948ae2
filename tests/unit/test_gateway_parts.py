"""What the gateway is made of, without Kafka: bounds, places, refusals, who asks, keys in custody."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, OKPKey
from starlette.requests import Request

from hueandcry.errors import SettingsError
from hueandcry.gateway.auth import Authenticator
from hueandcry.gateway.bodies import MOST_ITEMS, Bodies, media_type, read_lines, read_object
from hueandcry.gateway.custody import Custody
from hueandcry.gateway.limits import Buckets
from hueandcry.gateway.positions import fitted, read_word, word_of
from hueandcry.gateway.problems import Problem, pointer
from hueandcry.gateway.settings import GatewaySettings
from hueandcry.gateway.tokens import JwtTokens
from hueandcry.registry.users import User
from hueandcry.rights.network import Agency, Network, SigningKey
from hueandcry.wire.requests import GATEWAY_TAG, RequestVerifier, sign_request

NOW = 1_900_000_000


def agency(name: str, **more: Any) -> Agency:
    fields = {"id": name, "name": name, "state": "FRA", "region": "europe", "jurisdictions": ("FRA",)}
    return Agency.model_validate({**fields, "clearance": "restricted", **more})


def request(
    headers: dict[str, str], *, client: str = "198.51.100.7", body: list[bytes] | None = None, **scope: Any
) -> Request:
    parts = list(body or [b""])

    async def receive() -> dict[str, Any]:
        part = parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    whole = {"type": "http", "method": "GET", "path": "/v1/inbox", "query_string": b"", "client": (client, 1)}
    return Request({**whole, "headers": raw, "server": ("gw", 443), "scheme": "https", **scope}, receive)


# -- problems -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "place", "expected"),
    [
        ("subject.plate.state", None, "/subject/plate/state"),
        ("subject.indicators.type", "index 3", "/subject/indicators/3/type"),
        ("circulation", "object 2, index 1", "/circulation/1"),
        ("subject.rows.cells", "index 1, 0", "/subject/rows/1/cells/0"),
        ("", None, ""),
        ("not.there", "index 1", "/not/there"),
    ],
)
def test_a_pointer_leads_to_the_field(field: str, place: str | None, expected: str) -> None:
    rows = [{"cells": [1]}, {"cells": [1]}]
    document = {"circulation": ["a", "b"], "subject": {"indicators": [{}] * 4, "plate": {}, "rows": rows}}
    assert pointer(field, place, document) == expected


def test_a_refusal_says_when_to_come_again_and_keeps_a_bound() -> None:
    problem = Problem(429, "rate.alerts", "too many", retry_after=0.2, errors=[{"pointer": ""}] * 1_000)
    response = problem.response()
    told = json.loads(bytes(response.body))
    assert response.headers["retry-after"] == "1"
    assert response.headers["content-type"] == "application/problem+json"
    assert (told["type"], told["status"]) == ("urn:hueandcry:problem:rate.alerts", 429)
    assert len(told["errors"]) + told["errors_left_out"] == 1_000


# -- how often ------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(0, 3), st.integers(1, 30)), max_size=60))
def test_no_more_than_the_rate_gets_through(steps: list[tuple[float, int]]) -> None:
    now = [0.0]
    buckets = Buckets(5, 20, lambda: now[0])
    through = 0
    for wait, tokens in steps:
        now[0] += wait
        again = buckets.take("a", tokens)
        if again == 0:
            through += tokens
        else:
            now[0] += again + 1e-6
            assert buckets.take("a", tokens) == 0, "what is told to come again gets through then"
            through += tokens
        assert through <= 20 + 5 * now[0] + 30
    assert buckets.take("b", 20) == 0, "another agency has a bucket of its own"


# -- places ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=12))
def test_a_place_comes_back_as_it_was(offsets: list[int]) -> None:
    assert read_word("inbox", word_of("inbox", tuple(offsets))) == tuple(offsets)


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_what_is_no_place_is_refused(word: str) -> None:
    with contextlib.suppress(Problem):
        position = read_word("inbox", word)
        assert read_word("inbox", word_of("inbox", position)) == position


def test_a_place_is_of_one_source_and_outlives_more_partitions() -> None:
    with pytest.raises(Problem):
        read_word("inbox", word_of("receipts", (1, 2)))
    assert fitted((1, 2), 4) == (1, 2, 0, 0)
    assert fitted((1, 2, 3), 2) == (1, 2)


# -- bodies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "json.syntax"),
        (b"[1]", "json.object"),
        (b'{"a": 1, "a": 2}', "json.repeated_key"),
        (b'{"a": NaN}', "json.syntax"),
        (b'{"a": -Infinity}', "json.syntax"),
        (b'{"a": "\xff"}', "json.utf8"),
        (b'{"a": 1', "json.syntax"),
        (b'{"a": ' + b"[" * 100_000, "json.syntax"),
        (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "json.depth"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "json.syntax"),
        ('{"a": 1}'.encode("utf-16"), "json.utf8"),
    ],
)
def test_what_is_no_sound_json_is_refused_with_its_rule(body: bytes, rule: str) -> None:
    with pytest.raises(Problem) as caught:
        read_object(body)
    assert (caught.value.status, caught.value.rule) == (400, rule)


def test_lines_are_read_with_any_newline_and_refused_with_their_number() -> None:
    assert read_lines(b'\xef\xbb\xbf{"a":1}\r\n\n{"a":2}\n') == [{"a": 1}, {"a": 2}]
    with pytest.raises(Problem) as caught:
        read_lines(b'{"a":1}\nnot\n{"b":NaN}')
    assert [error["place"] for error in caught.value.errors] == ["line:2", "line:3"]
    with pytest.raises(Problem) as caught:
        read_lines(b"{}\n" * (MOST_ITEMS + 1))
    assert caught.value.status == 413


def read(bodies: Bodies, asked: Request) -> bytes:
    async def run() -> bytes:
        async with bodies.read(asked) as body:
            return body

    return asyncio.run(run())


@pytest.mark.parametrize("headers", [{}, {"content-length": "5000"}])
def test_a_body_that_is_too_large_is_not_read_to_its_end(headers: dict[str, str]) -> None:
    with pytest.raises(Problem) as caught:
        read(Bodies(1024), request(headers, body=[b"x" * 1000] * 5))
    assert caught.value.status == 413


def test_a_body_within_its_bound_comes_whole() -> None:
    assert read(Bodies(1024), request({}, body=[b"ab", b"", b"cd"])) == b"abcd"


@pytest.mark.parametrize(
    "headers", [{"content-encoding": "gzip"}, {"content-type": "application/json; charset=latin-1"}]
)
def test_encoded_bodies_and_other_charsets_are_not_taken(headers: dict[str, str]) -> None:
    with pytest.raises(Problem) as caught:
        media_type(request(headers))
    assert caught.value.status == 415


# -- who asks -------------------------------------------------------------------------------------------------------

KEY = Ed25519PrivateKey.generate()
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
YEAR = dt.timedelta(days=365)
LONG_AGO, LATER = dt.datetime.now(dt.UTC) - YEAR, dt.datetime.now(dt.UTC) + YEAR
NETWORK = Network(
    agencies={"fra": agency("fra", scram_user="fra.user"), "deu": agency("deu")},
    keys={"k1": SigningKey(agency="fra", key_id="k1", public_key=PUBLIC, valid_from=LONG_AGO, valid_until=LATER)},
)
PASSWORD = User("fra.user", "read", hashlib.sha256(b"secret").digest())


def authenticator(**more: Any) -> Authenticator:
    verifier = RequestVerifier(NETWORK.keys.get, tag=GATEWAY_TAG)
    made: dict[str, Any] = {"network": lambda: NETWORK, "verifier": verifier, "users": {}, "tokens": None}
    # As if it had been at work for a minute.
    return Authenticator(**{**made, "clock": lambda: time.time() - 60, **more})


def who(asked: Request, body: bytes = b"", **more: Any) -> tuple[str, str]:
    caller = asyncio.run(authenticator(**more).who(asked, body))
    return caller.agency.id, caller.by


def refused(asked: Request, body: bytes = b"", **more: Any) -> tuple[int, str]:
    with pytest.raises(Problem) as caught:
        who(asked, body, **more)
    return caught.value.status, caught.value.rule


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_nobody_is_refused() -> None:
    assert refused(request({})) == (401, "auth.missing")


def test_a_password_is_of_the_user_on_the_platform() -> None:
    users = {"fra.user": PASSWORD, "gone": PASSWORD}
    assert who(request(basic("fra.user", "secret")), users=users) == ("fra", "password")
    assert refused(request(basic("fra.user", "wrong")), users=users) == (401, "auth.password")
    assert refused(request(basic("fra", "secret")), users=users) == (401, "auth.password")
    assert refused(request({"authorization": "Basic !"}), users=users) == (401, "auth.password")
    assert refused(request(basic("gone", "secret")), users=users) == (403, "auth.agency")
    assert refused(request(basic("fra.user", "secret"))) == (401, "auth.scheme")


def signed(body: bytes = b"{}", query: str = "") -> Request:
    url = "https://gw/v1/inbox" + (f"?{query}" if query else "")
    headers = sign_request(KEY, "k1", "GET", url, body, tag=GATEWAY_TAG, content_type="application/json")
    return request({**headers, "host": "gw"}, query_string=query.encode())


def test_a_signature_is_over_body_and_query() -> None:
    assert who(signed(), b"{}") == ("fra", "signature")
    assert who(signed(query="after=x"), b"{}") == ("fra", "signature")
    assert refused(signed(), b"{ }") == (401, "request.signature")
    other = signed(query="after=x")
    other.scope["query_string"] = b"after=y"
    assert refused(other, b"{}") == (401, "request.signature")


def test_what_was_signed_before_the_start_is_not_taken() -> None:
    assert refused(signed(), b"{}", clock=time.time) == (401, "request.replayed")


def test_a_signature_that_does_not_hold_is_not_made_up_for_by_a_password() -> None:
    asked = signed()
    asked.scope["headers"].append((b"authorization", basic("fra.user", "secret")["authorization"].encode()))
    assert refused(asked, b"{ }", users={"fra.user": PASSWORD}) == (401, "request.signature")


def certificate(name: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(LONG_AGO).not_valid_after(LATER)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def test_a_proxys_word_on_a_certificate_counts_only_from_a_proxy() -> None:
    headers = {"client-cert": f":{base64.b64encode(certificate('fra.user')).decode()}:"}
    assert who(request(headers, client="10.0.0.9"), proxies="10.0.0.0/24") == ("fra", "certificate")
    assert refused(request(headers, client="10.0.1.9"), proxies="10.0.0.0/24") == (401, "auth.missing")
    assert refused(request(headers, client="10.0.0.9")) == (401, "auth.missing")
    assert refused(request({"client-cert": ":AAAA:"}, client="10.0.0.9"), proxies="10.0.0.9") == (
        401,
        "auth.certificate",
    )


# -- tokens ---------------------------------------------------------------------------------------------------------

ISSUER_KEY = OKPKey.generate_key("Ed25519", {"kid": "one"})
CLAIMS = {"iss": "https://id.example", "aud": "hueandcry", "client_id": "fra", "exp": NOW * 10}


@pytest.fixture
def tokens(tmp_path: Path) -> JwtTokens:
    keys = tmp_path / "keys.json"
    shared = OctKey.generate_key(256, {"kid": "shared"})
    keys.write_text(json.dumps(KeySet([ISSUER_KEY, shared]).as_dict(private=False)), "utf-8")
    return JwtTokens(token_settings(keys))


def token_settings(keys: Path | str, **more: Any) -> GatewaySettings:
    given: dict[str, Any] = {
        "certificate": "c", "key": "k", "token_issuer": "https://id.example", "token_audience": "hueandcry",
        "token_keys": str(keys),
    }  # fmt: skip
    return GatewaySettings(**given | more)


def token(claims: dict[str, Any], key: Any = ISSUER_KEY, alg: str = "Ed25519", kid: str = "one") -> str:
    return jwt.encode({"alg": alg, "kid": kid}, claims, key, algorithms=[alg])


def test_a_token_of_the_issuer_names_its_agency(tokens: JwtTokens) -> None:
    asked = request({"authorization": f"Bearer {token(CLAIMS)}"})
    assert who(asked, tokens=tokens) == ("fra", "token")


@pytest.mark.parametrize(
    "bad",
    [
        token({**CLAIMS, "exp": 1}),
        token({**CLAIMS, "aud": "others"}),
        token({**CLAIMS, "iss": "https://elsewhere.example"}),
        token({name: value for name, value in CLAIMS.items() if name != "exp"}),
        token({**CLAIMS, "client_id": ["fra"]}),
        token(CLAIMS, OKPKey.generate_key("Ed25519", {"kid": "one"})),
        "e30.e30.",
        "x",
        "a" * 10_000,
    ],
)
def test_other_tokens_are_refused(tokens: JwtTokens, bad: str) -> None:
    assert refused(request({"authorization": f"Bearer {bad}"}), tokens=tokens) == (401, "auth.token")


def test_a_public_key_used_as_a_shared_secret_opens_nothing(tokens: JwtTokens) -> None:
    def word(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    text = word(b'{"alg":"HS256","kid":"one"}') + b"." + word(json.dumps(CLAIMS).encode())
    secret = ISSUER_KEY.as_pem(private=False)
    forged = (text + b"." + word(hmac.digest(secret, text, "sha256"))).decode()
    assert refused(request({"authorization": f"Bearer {forged}"}), tokens=tokens) == (401, "auth.token")


def test_settings_of_tokens_belong_together(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TOKEN_KEYS"):
        JwtTokens(token_settings(""))
    with pytest.raises(SettingsError, match="https"):
        JwtTokens(token_settings("http://id.example/keys"))


# -- custody --------------------------------------------------------------------------------------------------------


def test_a_key_in_custody_signs_only_where_the_agency_lets_it_and_while_the_network_lists_it(tmp_path: Path) -> None:
    file = tmp_path / "fra.pem"
    file.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.chmod(0o600)
    custody, now = Custody(tmp_path), int(dt.datetime.now(dt.UTC).timestamp() * 1000)
    lets = agency("fra", gateway=("signs",))
    found = custody.signer(lets, NETWORK, now)
    assert found is not None
    assert found.key_id == "k1"
    assert custody.signer(agency("fra"), NETWORK, now) is None
    assert custody.signer(lets, NETWORK, int(LATER.timestamp() * 1000)) is None
    assert custody.signer(lets, Network(agencies=NETWORK.agencies), now) is None
    assert custody.signer(agency("deu", gateway=("signs",)), NETWORK, now) is None
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="others on this machine"):
        Custody(tmp_path)
