"""Bad and odd input over the real platform: each message is accepted, or refused with its reason."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.schema_registry import Schema
from fastavro import parse_schema, schemaless_writer

from broker.lane_process import until
from broker.on_platform import OPERATOR, TAKERS, Place, Platform, Wire, alert, new_vin, next_version, now_ms
from factories import HOUR_MS, MINUTE_MS
from hueandcry import Publisher
from hueandcry.alerts.model import Alert
from hueandcry.errors import HueAndCryError
from hueandcry.wire.codec import encode
from hueandcry.wire.framing import frame
from hueandcry.wire.kafka import producer_config, registry_client
from hueandcry.wire.proof import sign_batch
from hueandcry.wire.schemas import schema, writer_schema

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

ISSUER = "deu-vehicles"
TOPIC = "alerts.europe"
CLUSTER = {"cluster_id": "x", "members": 1, "opened_at": 1}
LINK = {"uri": "https://example.net/", "media_type": None, "sha256": None, "title": "t" * 4000}
_UNKNOWN_ID = 1_999_999


def sound(platform: Platform, **changes: Any) -> Wire:
    """A sound alert with these changes, signed as it then is."""
    return platform.wires(alert(ISSUER, **changes))[0]


def with_header(wire: Wire, name: str, change: Callable[[bytes], bytes]) -> Wire:
    """The message with one of its headers changed."""
    return wire._replace(headers=[(key, change(value or b"") if key == name else value) for key, value in wire.headers])


def flipped(value: bytes) -> bytes:
    """The bytes with their last bit turned."""
    return value[:-1] + bytes([value[-1] ^ 1])


def signed_value(platform: Platform, body: bytes, name: str = "Alert") -> Wire:
    """Any bytes as the body, signed by the issuer, under the registry id of a record."""
    return Wire(TOPIC, frame(platform.ids.id_of(name), body), b"k", platform.sign(ISSUER, [body], name)[0])


def in_a_newer_schema(platform: Platform) -> Wire:
    """An alert of a publisher whose schema has one category more than ours."""
    text = schema("Alert").json
    newer = text.replace('"arrest","refusal_of_entry"', '"arrest","refusal_of_entry","parole"')
    assert newer != text
    client = registry_client(platform.operator.settings)
    schema_id = client.register_schema("hueandcry.Alert", Schema(newer, "AVRO"))
    record = alert(ISSUER)
    parsed = parse_schema(json.loads(newer))
    buffer = io.BytesIO()
    subject = ("hueandcry.StolenVehicle", record["subject"])
    schemaless_writer(buffer, parsed, {**record, "category": "parole", "subject": subject})
    body = buffer.getvalue()
    fingerprint = writer_schema(newer).fingerprint
    profile = platform.profile(ISSUER)
    headers = sign_batch(profile.load_signing_key(), profile.key_id, [(fingerprint, body)])[0]
    return Wire(TOPIC, frame(schema_id, body), record["alert_id"].encode(), headers)


def signed_by(platform: Platform, signer: str) -> Wire:
    """An alert of ISSUER that another agency has signed with its own valid key."""
    return platform.wires(alert(ISSUER), signer=signer, region="europe")[0]


def of_another_region(platform: Platform) -> Wire:
    return platform.wires(alert("ken-police"), region="europe")[0]


def body_of(wire: Wire) -> bytes:
    return (wire.value or b"")[5:]


def cut(platform: Platform) -> Wire:
    return signed_value(platform, body_of(sound(platform))[:-9])


def changed(platform: Platform) -> Wire:
    """A sound alert under the signature of another one."""
    return sound(platform)._replace(headers=sound(platform).headers)


#: name: (what is sent, the rules that refuse it)
REFUSED: dict[str, tuple[Callable[[Platform], Wire], set[str]]] = {
    "not Avro": (lambda p: sound(p)._replace(value=b"Golf stolen in Cologne"), {"wire.framing"}),
    "empty": (lambda p: sound(p)._replace(value=b""), {"wire.framing"}),
    "no value": (lambda p: sound(p)._replace(value=None), {"wire.empty"}),
    "an unknown schema id": (
        lambda p: sound(p)._replace(value=frame(_UNKNOWN_ID, b"\x00" * 40)),
        {"wire.unknown_schema"},
    ),
    "the schema of another record": (
        lambda p: signed_value(p, encode("ClusterEntry", CLUSTER), "ClusterEntry"),
        {"wire.decode"},
    ),
    "a body cut short": (cut, {"wire.decode"}),
    "bytes behind the end": (lambda p: signed_value(p, body_of(sound(p)) + b"\x00"), {"wire.decode"}),
    "no signature": (lambda p: sound(p)._replace(headers=[]), {"proof.missing"}),
    "half a signature": (lambda p: sound(p)._replace(headers=sound(p).headers[:3]), {"proof.malformed"}),
    "another root": (lambda p: with_header(sound(p), "hc-root", flipped), {"proof.path"}),
    "a signature with a bit turned": (lambda p: with_header(sound(p), "hc-sig", flipped), {"proof.signature"}),
    "a key that nobody has": (lambda p: with_header(sound(p), "hc-key", lambda _: b"nobody-1"), {"proof.unknown_key"}),
    "a path to nowhere": (lambda p: with_header(sound(p), "hc-path", lambda old: old + b"\x07" * 32), {"proof.path"}),
    "a changed body": (changed, {"proof.path"}),
    "another agency's signature": (lambda p: signed_by(p, "fra-police"), {"issuer.signer", "issuer.state"}),
    "another region": (of_another_region, {"issuer.region"}),
    "an enum symbol that we do not know": (in_a_newer_schema, {"enum.unknown"}),
    "expired on arrival": (
        lambda p: sound(p, issued_at=now_ms() - 2 * HOUR_MS, expires_at=now_ms() - HOUR_MS),
        {"time.expired"},
    ),
    "a clock an hour ahead": (lambda p: sound(p, issued_at=now_ms() + HOUR_MS), {"time.clock"}),
    "a wrong North American VIN": (lambda p: sound(p, subject__vin__raw="1M8GDM9A0KP042788"), {"vin.check_digit"}),
    "an exclusion of nobody": (lambda p: sound(p, excluded=["bra-federl"]), {"names.known"}),
}


def test_each_refusal_has_its_reason_and_the_bytes_are_kept(platform: Platform) -> None:
    sent = {name: make(platform) for name, (make, _) in REFUSED.items()}
    places = dict(zip(sent, platform.write(OPERATOR, sent.values()), strict=True))
    platform.wait_ended(places.values())
    found = {name: rules_of(platform, place) for name, place in places.items()}
    assert found == {name: rules for name, (_, rules) in REFUSED.items()}
    for name, place in places.items():
        (kept,) = platform.quarantine[place]
        wire = sent[name]
        assert (kept.message.value(), kept.message.key()) == (wire.value, wire.key), name
        headers = [header for header in kept.message.headers() or [] if header[0] != "hc-refusal"]
        assert headers == list(wire.headers), name
    alive_and_balanced(platform)


def test_a_newer_schema_is_read_where_it_says_nothing_new(platform: Platform) -> None:
    """The newer schema of the table is registered; who writes known symbols in it is understood."""
    in_a_newer_schema(platform)
    record = alert(ISSUER)
    (receipt,) = platform.settled(record)
    assert receipt["outcome"] == "delivered"


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_every_compression_that_a_publisher_may_use_is_read(platform: Platform, codec: str) -> None:
    records = [alert(ISSUER) for _ in range(20)]
    places = platform.write(ISSUER, platform.wires(*records), compression_type=codec)
    platform.wait_ended(places)
    assert {platform.receipt(place)["outcome"] for place in places} == {"delivered"}


def test_a_message_without_a_key_is_accepted_with_a_remark(platform: Platform) -> None:
    wire = sound(platform)._replace(key=None)
    (place,) = platform.write(ISSUER, [wire])
    platform.wait_ended([place])
    receipt = platform.receipt(place)
    assert receipt["outcome"] == "delivered"
    assert "key.alert_id" in {remark["rule"] for remark in receipt["remarks"]}


@pytest.mark.parametrize(
    ("original", "family"), [("محمد المثال", "ALMTHAL"), ("王小明", "WANG"), ("Αλέξανδρος Παράδειγμα", "PARADEIGMA")]
)
def test_names_in_other_scripts_arrive_as_they_were_written(platform: Platform, original: str, family: str) -> None:
    identity = {"type": "confirmed", "family": family, "given": None, "original": original, "transliteration": None}
    record = alert("fra-police", "wanted_person", subject__identities=[identity])
    (receipt,) = platform.settled(record)
    assert receipt["outcome"] == "delivered"
    for _, delivery in platform.deliveries(record["alert_id"]):
        assert delivery["alert"]["subject"]["identities"][0]["original"] == original


def test_ten_thousand_indicators_are_delivered_and_one_more_is_refused(platform: Platform) -> None:
    run = new_vin()[-6:]
    many = [{"type": "domain", "value": f"h{number}.run{run}.example.net"} for number in range(10_001)]
    fits = alert("fra-police", "cyber", subject__indicators=many[:-1])
    over = alert("fra-police", "cyber", subject__indicators=many)
    first, second = platform.settled(fits, over)
    assert first["outcome"] == "delivered"
    assert second["outcome"] == "refused"
    for _, delivery in platform.deliveries(fits["alert_id"]):
        assert len(delivery["alert"]["subject"]["indicators"]) == 10_000


def test_five_megabytes_are_refused_before_they_are_sent_and_by_kafka(platform: Platform) -> None:
    record = {**alert(ISSUER), "links": [{**LINK, "uri": f"{LINK['uri']}{number}"} for number in range(900)]}
    before = platform.written(TOPIC)
    body = encode("Alert", alert(ISSUER)) + b"\x00" * (5 << 20)
    wire = Wire(TOPIC, frame(platform.schema_id, body), b"k", platform.sign(ISSUER, [body])[0])
    answers: list[KafkaError | None] = []
    producer = Producer(producer_config(platform.profile(ISSUER).settings, log_level=0, compression_type="none"))
    headers: Any = list(wire.headers)
    noted: Any = lambda error, _: answers.append(error)  # noqa: E731
    producer.produce(wire.topic, wire.value, wire.key, headers=headers, on_delivery=noted)
    assert producer.flush(30) == 0
    assert [error.code() for error in answers if error] == [KafkaError.MSG_SIZE_TOO_LARGE]
    with Publisher.for_agency(ISSUER, home=platform.home) as publisher, pytest.raises(HueAndCryError) as caught:
        publisher.publish([Alert.from_record(record)])
    assert "takes 1,046,528" in caught.value.diagnostics()
    assert "[size.limit]" in caught.value.diagnostics()
    assert platform.written(TOPIC) == before


def test_a_replay_and_an_older_version_change_nothing(platform: Platform) -> None:
    first = alert(ISSUER)
    second = next_version(first, remarks="seen again")
    wires = platform.wires(first, second)
    places = platform.write(ISSUER, [*wires, wires[1], wires[0]])
    platform.wait_ended(places)
    receipts = [platform.receipt(place) for place in places]
    assert [receipt["outcome"] for receipt in receipts] == ["delivered", "delivered", "merged", "refused"]
    assert {remark["rule"] for remark in receipts[3]["remarks"]} >= {"version.superseded"}
    for agency in TAKERS[ISSUER]:
        versions = [delivery["version"] for _, delivery in platform.deliveries(first["alert_id"], agency)]
        assert versions == [1, 2], agency


def test_whatever_bytes_come_each_ends_somewhere(platform: Platform) -> None:
    dice = random.Random(20260301)
    good = platform.wires(*(alert(ISSUER) for _ in range(50)))
    wires: list[Wire] = []
    for number in range(500):
        wire = good[number % len(good)]
        value = bytearray(wire.value or b"")
        if number % 3 == 0:
            value = bytearray(dice.randbytes(dice.randrange(1, 400)))
        else:
            for at in dice.sample(range(len(value)), dice.randrange(1, 6)):
                value[at] ^= dice.randrange(1, 256)
        headers = list(wire.headers)
        if number % 5 == 0:
            headers[dice.randrange(4)] = ("hc-path", dice.randbytes(dice.randrange(80)))
        wires.append(Wire(TOPIC, bytes(value), dice.randbytes(8) if number % 7 == 0 else wire.key, headers))
    places = platform.write(OPERATOR, wires)
    platform.wait_ended(places)
    assert {platform.outcome(place) for place in places} == {"refused"}
    alive_and_balanced(platform)


def test_no_key_header_or_log_line_tells_who_or_what_is_sought(platform: Platform) -> None:
    vin, plate, name = new_vin(), "HH-QX 4711", "Unverwechselbar"
    registration = {"raw": plate, "normalised": None, "state": "DEU", "subdivision": None, "type": "ordinary"}
    car = alert(ISSUER, subject__vin__raw=vin, subject__plate=registration)
    person = alert("fra-police", "wanted_person", subject__identities__0__family=name)
    bad = platform.wires(alert(ISSUER, subject__vin__raw=vin, issued_at=now_ms() + 100 * MINUTE_MS))[0]
    platform.settled(car, person, next_version(car, "withdraw"))
    platform.wait_ended(platform.write(ISSUER, [bad]))
    told = [vin, vin[-8:], plate, plate.replace("-", "").replace(" ", ""), name, name.upper()]
    secrets = [text.encode() for text in told]
    for message in platform.read(*platform.partitions):
        where = Place(str(message.topic()), int(message.partition() or 0), int(message.offset() or 0))
        headers: list[Any] = [value or b"" for _, value in message.headers() or []]
        shown = b"|".join([message.key() or b"", *headers])
        assert not [text for text in secrets if text in shown], where
    for log in (platform.home / "logs").glob("*.log"):
        lines = log.read_bytes()
        assert not [text for text in secrets if text in lines], log.name


def rules_of(platform: Platform, place: Place) -> set[str]:
    """The rules that refused a message."""
    return platform.quarantine[place][0].rules if place in platform.quarantine else set()


def alive_and_balanced(platform: Platform) -> None:
    until(platform.both_ready, 30, "admit and distribute are ready")
    platform.catch_up()
    platform.assert_balance()
