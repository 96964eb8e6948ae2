"""What each step of a stage costs for an alert: microseconds of processor time, in this process, without Kafka."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.load import BATCH, alerts, messages
from hueandcry.admit.authority import refusals as authority
from hueandcry.admit.head import head_of
from hueandcry.alerts.checks import check
from hueandcry.alerts.checks import doubts as alert_doubts
from hueandcry.alerts.ids import delivery_id
from hueandcry.enrich import doubts, enrich
from hueandcry.identity import hmac_key, identify, proposal_keys, refusals
from hueandcry.receipts import Origin, Writer
from hueandcry.rights.index import RoutingIndex
from hueandcry.rights.network import Network
from hueandcry.rights.redact import redact
from hueandcry.rights.routes import route
from hueandcry.wire.codec import decode, decode_as, delivery_value, encode
from hueandcry.wire.framing import unframe
from hueandcry.wire.proof import Verifier, leaf_hash, proof_of, sign_batch
from hueandcry.wire.schemas import WriterSchema, schema

ROUNDS = 5
_IDS = {f"hueandcry.{name}": 1 for name in ("Receipt", "Refusal")}


def costs(network: Network, issuer: str, count: int = 2000) -> dict[str, dict[str, float]]:
    """By stage and step, microseconds an alert: the best of five rounds over `count` alerts of mixed kinds."""
    agency = network.agencies[issuer]
    now_ms = time.time_ns() // 1_000_000
    key = Ed25519PrivateKey.generate()
    network, key_id = _with_key(network, issuer, key)
    sent = list(messages(list(alerts(count, issuer, agency.state, now_ms)), key, key_id, 1))
    shape = schema("hueandcry.Alert")
    writer = WriterSchema(shape.name, shape.hot, shape.fingerprint)
    bodies = [unframe(value)[1] for _, value, _ in sent]
    records = [decode_as("hueandcry.Alert", body, writer) for body in bodies]
    verifier = Verifier(network.keys.get)
    proofs = [
        (proof_of(headers), leaf_hash(shape.fingerprint, body))
        for (_, _, headers), body in zip(sent, bodies, strict=True)
    ]
    admitted = [_admitted(record, body, agency.region, now_ms) for record, body in zip(records, bodies, strict=True)]
    encoded = [encode("hueandcry.Admitted", each) for each in admitted]
    index = RoutingIndex(network)
    entries = [_entry(each, now_ms) for each in admitted]
    prefixes = [_prefix(each, now_ms) for each in admitted]
    guarded = [record for record in records if record["kind"] != "stolen_vehicle"]
    receipts = Writer(_IDS)
    origin = Origin("alerts.europe", 0, 1)
    secret = b"\x00" * 32
    return {
        "publish": {
            "encode": _cost(lambda record: encode("hueandcry.Alert", record), records),
            f"sign ({BATCH} a root)": _cost(
                lambda batch: sign_batch(key, key_id, [(shape.fingerprint, body) for body in batch]),
                [bodies[at : at + BATCH] for at in range(0, count, BATCH)],
            )
            / BATCH,
        },
        "admit": {
            "decode": _cost(lambda body: decode_as("hueandcry.Alert", body, writer), bodies),
            "proof": _cost(lambda each: leaf_hash(shape.fingerprint, unframe(each[1])[1]) and proof_of(each[2]), sent),
            f"verify ({BATCH} a root)": _cost(lambda each: verifier.verify(each[0], each[1], now_ms), proofs, rounds=1),
            "authority": _cost(lambda record: authority(record, issuer, agency.region, network), records),
            "checks": _cost(lambda record: check(record, now_ms=now_ms) or refusals(record), records),
            "identity": _cost(lambda record: hmac_key(secret, identify(record).key), records),
            "keys that it shares": _cost(
                lambda record: [hmac_key(secret, key) for key in (*identify(record).claims, *proposal_keys(record))],
                records,
            ),
            "enrich": _cost(enrich, records),
            "doubts": _cost(lambda record: (alert_doubts(record), doubts(record)), records),
            "head": _cost(lambda record: head_of(record, agency.region), records),
            "encode": _cost(lambda each: encode("hueandcry.Admitted", each), admitted),
        },
        "distribute": {
            "decode": _cost(lambda body: decode("hueandcry.Admitted", body), encoded),
            "route and rights": _cost(lambda each: route(each["head"], index, network), admitted),
            "register entry": _cost(lambda each: encode("hueandcry.RegisterEntry", each), entries),
            "receipt": _cost(
                lambda each: receipts.receipt(issuer, origin, "delivered", now_ms, head=each["head"]), admitted
            ),
            "delivery (a class)": _cost(lambda each: delivery_value(1, each, bodies[0]), prefixes)
            + _cost(lambda each: delivery_id(each["head"]["alert_id"], 1, "issued", "admitted/0/1"), admitted),
            "redact (where it is)": _cost(
                lambda record: encode("hueandcry.Alert", redact(record, frozenset({"biometrics", "attribution"}))),
                guarded,
            ),
        },
    }


def _cost(step: Callable[[Any], object], items: Sequence[Any], rounds: int = ROUNDS) -> float:
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for item in items:
            step(item)
        best = min(best, time.process_time() - started)
    return best / len(items) * 1e6


def _with_key(network: Network, issuer: str, key: Ed25519PrivateKey) -> tuple[Network, str]:
    from base64 import b64encode

    from simulator import with_key

    return with_key(network, issuer, "bench", b64encode(key.public_key().public_bytes_raw()).decode()), "bench"


def _admitted(record: dict[str, Any], body: bytes, region: str, now_ms: int) -> dict[str, Any]:
    return {
        "head": head_of(record, region),
        "claims": [b"\x06" * 32],
        "proposals": [b"\x07" * 32] * 6,
        "source": {"topic": f"alerts.{region}", "partition": 0, "offset": 1},
        "received_at": now_ms,
        "identity_key": b"\x01" * 32,
        "strong": True,
        "digest": b"\x02" * 32,
        "enrichment": enrich(record),
        "schema_id": 1,
        "body": body,
    }


def _entry(admitted: dict[str, Any], now_ms: int) -> dict[str, Any]:
    return {
        **{
            name: admitted[name]
            for name in ("head", "source", "identity_key", "strong", "digest", "enrichment", "claims", "proposals")
        },
        "state": "active",
        "cluster_id": admitted["head"]["alert_id"],
        "first_source": admitted["source"],
        "registered_at": now_ms,
        "sent": [{"agency": f"agency-{number}", "version": 1} for number in range(5)],
        "proof": {"hc-root": b"\x03" * 32, "hc-sig": b"\x04" * 64, "hc-key": b"key", "hc-path": b"\x05" * 232},
        "schema_id": 1,
        "body": admitted["body"],
    }


def _prefix(admitted: dict[str, Any], now_ms: int) -> dict[str, Any]:
    head = admitted["head"]
    return {
        "delivery_id": head["alert_id"],
        "action": "issued",
        "alert_id": head["alert_id"],
        "version": 1,
        "kind": head["kind"],
        "cluster_id": head["alert_id"],
        "delivered_at": now_ms,
        "received_at": now_ms,
        "form": "original",
        "reason": "",
        "related": [],
        "enrichment": admitted["enrichment"],
        "schema_id": 1,
    }
