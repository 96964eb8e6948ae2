"""A partition shows its changes in the order of the keys, forwards and backwards, before and after they are kept."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from hueandcry.lanes.state import Overlay, PartitionStore

KEY = st.binary(min_size=1, max_size=3).map(lambda key: bytes(byte % 3 for byte in key)).map(lambda key: b"k" + key)
CHANGES = st.dictionaries(KEY, st.none() | st.just(b"v") | st.just(b"w"), max_size=8)


@settings(max_examples=60, deadline=None)
@given(CHANGES, CHANGES, CHANGES, CHANGES, KEY, KEY)
def test_scans_see_all_layers_as_one(
    kept: dict[bytes, bytes | None],
    before: dict[bytes, bytes | None],
    folded: dict[bytes, bytes | None],
    own: dict[bytes, bytes | None],
    prefix: bytes,
    at: bytes,
) -> None:
    with TemporaryDirectory() as folder:
        store = PartitionStore(Path(folder) / "0")
        store.apply(kept, 1, 1)
        batch = Overlay(store)
        _write(batch, before)
        # From here on the overlay keeps its keys in order.
        list(batch.scan(b"k"))
        alert = Overlay(batch)
        _write(alert, folded)
        batch.fold(alert)
        top = Overlay(batch)
        _write(top, own)
        merged = {**kept, **before, **folded, **own}
        pairs = sorted((key, value) for key, value in merged.items() if value is not None and key.startswith(prefix))
        start = prefix + at
        assert list(top.scan(prefix)) == pairs
        assert list(top.scan(prefix, start)) == [pair for pair in pairs if pair[0] > start]
        assert list(top.scan_back(prefix, start)) == [pair for pair in reversed(pairs) if pair[0] < start]
        store.close()


def _write(overlay: Overlay, changes: dict[bytes, bytes | None]) -> None:
    for key, value in changes.items():
        if value is None:
            overlay.delete(key)
        else:
            overlay.put(key, value)
