"""Alerts that hold anything at all where something else was meant: what no decoder should give and some day does."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from factories import SOUND

odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """A sound alert in which some fields, at any depth, hold anything at all."""
    alert = draw(st.sampled_from(list(SOUND.values())))()

    def spoil(value: Any, depth: int = 0) -> Any:
        if depth and draw(st.integers(0, 5)) == 0:
            return draw(odd)
        if isinstance(value, dict):
            return {name: spoil(item, depth + 1) for name, item in value.items()}
        if isinstance(value, list):
            return [spoil(item, depth + 1) for item in value]
        return draw(st.text()) if isinstance(value, str) and draw(st.integers(0, 3)) == 0 else value

    return {**alert, "subject": spoil(alert["subject"]), "offences": spoil(alert["offences"])}
