"""Who may send a report by which topic, and where admit sends it on."""

from __future__ import annotations

from typing import Any

import pytest

from factories import NOW_MS
from hueandcry.admit import reports
from hueandcry.admit.opened import Opened
from hueandcry.lanes.batch import Incoming
from hueandcry.receipts import REPORT_HEADER, Origin
from hueandcry.wire.codec import decode, encode
from hueandcry.wire.framing import unframe
from hueandcry.wire.proof import KEY_HEADER
from reporting import report
from simulator import alert, small_network

ALERT = alert()["alert_id"]
NETWORK = small_network()


@pytest.mark.parametrize(
    ("signer", "region", "changes", "rules"),
    [
        ("ken-police", "africa", {}, []),
        ("nobody", "africa", {}, ["reporter.unknown"]),
        ("deu-vehicles", "europe", {}, ["reporter.signer", "reporter.state"]),
        ("ken-police", "africa", {"reporter_state": "FRA"}, ["reporter.state"]),
        ("ken-police", "europe", {}, ["reporter.region"]),
        ("ken-police", "africa", {"reference": "2"}, ["report_id.derived"]),
    ],
)
def test_who_may_report_by_which_topic(signer: str, region: str, changes: dict[str, Any], rules: list[str]) -> None:
    said = report("ken-police", ALERT) | changes
    assert [each.rule for each in reports.refusals(said, signer, region, NETWORK, NOW_MS)] == rules


@pytest.mark.parametrize(("home", "partition"), [(-1, -1), (0, 0), (2, 2), (3, -1), (2**31 - 1, -1), (-(2**31), -1)])
def test_a_report_goes_to_the_partition_that_its_delivery_named_if_there_is_one(home: int, partition: int) -> None:
    said = report("ken-police", ALERT, home=home)
    body = encode("hueandcry.Report", said)
    headers = [(KEY_HEADER, b"k"), ("other", b"x")]
    message = Incoming("hits.africa", 1, 7, b"key", b"", headers, NOW_MS)
    read = Opened(said, 5, body, b"leaf", "ken-police")
    record = reports.claim(message, read, Origin("hits.africa", 1, 7), 9, 3)
    assert (record.topic, record.partition, record.key) == ("claims", partition, ALERT.encode())
    assert list(record.headers) == [REPORT_HEADER]
    claim = decode("hueandcry.Claim", unframe(record.value)[1])
    submission = claim["submission"]
    assert (claim["type"], claim["alert_id"], submission["body"]) == ("report", ALERT, body)
    assert submission["source"] == {"topic": "hits.africa", "partition": 1, "offset": 7}
    assert (submission["proof"], submission["tried"], submission["received_at"]) == ({KEY_HEADER: b"k"}, 0, NOW_MS)
