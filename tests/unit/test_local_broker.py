"""What the local Kafka is started with."""

from __future__ import annotations

import uuid

import pytest

from hueandcry.control.local.broker import cluster_id


def test_a_cluster_id_is_never_taken_for_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    like_an_option, other = uuid.UUID(bytes=b"\xf8" * 16), uuid.UUID(bytes=b"\x01" * 16)
    drawn = iter([like_an_option, other])
    monkeypatch.setattr(uuid, "uuid4", lambda: next(drawn))
    assert cluster_id() == "AQEBAQEBAQEBAQEBAQEBAQ"
