"""A key's partition is the one that Kafka's own partitioner gives it."""

from __future__ import annotations

import pytest

from hueandcry.distribute.mail import partition_of

# Hashes of Kafka's own test of murmur2 (UtilsTest.testMurmur2), as signed 32-bit numbers.
HASHES = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "hashed"), HASHES.items())
def test_the_partition_follows_from_murmur2_without_its_sign(key: bytes, hashed: int) -> None:
    for partitions in (1, 3, 12, 50):
        assert partition_of(key, partitions) == (hashed & 0x7FFFFFFF) % partitions
