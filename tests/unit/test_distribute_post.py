"""Claims on their way to other partitions: together where they may, and never out of order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hueandcry.distribute.mail import Claim, claim
from hueandcry.distribute.post import MOST, posted
from hueandcry.lanes.batch import Record
from hueandcry.ledger.records import PLATFORM, Act
from hueandcry.wire.codec import decode
from hueandcry.wire.framing import unframe

ID = "67d51283-0897-56dd-babc-5d7802f6a043"


def of(kind: str, number: int) -> dict[str, Any]:
    return claim(kind, ID, number, 1, keys=[bytes([number % 256]) * 32], registered_at=number)


def unpacked(records: list[Record], to: int) -> list[tuple[str, int, list[bytes]]]:
    """Type, version and keys of each claim that a partition gets, in order."""
    found: list[tuple[str, int, list[bytes]]] = []
    for record in records:
        if record.topic == "claims" and record.partition == to:
            got = decode("hueandcry.Claim", unframe(record.value)[1])
            found += [(each["type"], each["version"], each["keys"]) for each in got["several"] or [got]]
    return found


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["held", "held", "dropped", "meet", "moved"]))))
def test_each_partition_gets_its_claims_in_order(sent: list[tuple[int, str]]) -> None:
    items = [Claim(to, of(kind, number)) for number, (to, kind) in enumerate(sent)]
    records = list(posted(items, 7, 8))
    for to in range(3):
        made = [item.record for item in items if item.to == to]
        assert unpacked(records, to) == [(each["type"], each["version"], each["keys"]) for each in made]


def test_what_a_batch_says_of_keys_goes_in_one_record_a_partition() -> None:
    items = [Claim(number % 3, of("held", number)) for number in range(600)]
    records = list(posted(items, 7, 8))
    assert sorted(record.partition for record in records) == [0, 1, 2]
    assert all(len(record.value or b"") < 1 << 20 for record in records)


def test_a_record_does_not_grow_without_bound() -> None:
    records = list(posted([Claim(0, of("held", number)) for number in range(2 * MOST + 1)], 7, 8))
    assert len(records) == 3


def test_other_records_pass_unchanged() -> None:
    other = Record("inbox.fra-police", b"value", b"key")
    assert list(posted([other, Claim(0, of("held", 1)), other], 7, 8))[:2] == [other, other]


def test_what_was_done_goes_into_the_ledger_together() -> None:
    acts = [Act("erased", "register", PLATFORM, number, alert_id=ID, rule="retention") for number in range(3)]
    other = Record("inbox.ken-police", b"x")
    records = list(posted([acts[0], other, acts[1], acts[2]], 7, 8))
    assert records[0] == other
    (ledger,) = records[1:]
    assert ledger.topic == "ledger"
    bodies = decode("hueandcry.LedgerBatch", unframe(ledger.value)[1])["records"]
    assert [decode("hueandcry.LedgerRecord", body)["at"] for body in bodies] == [0, 1, 2]
    assert len({decode("hueandcry.LedgerRecord", body)["salt"] for body in bodies}) == 3
