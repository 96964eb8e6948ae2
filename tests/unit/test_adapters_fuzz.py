"""Whatever comes in, an adapter answers with alerts, losses and refusals, and never with an exception."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign import SECRETS, SOUND, context
from hueandcry.adapters.formats import ADAPTERS, read
from hueandcry.adapters.reading import Reading
from hueandcry.alerts.checks import check

#: With the defaults that open most doors.
CONTEXT = context(to_ids="any", person_vehicles="inquiry_check", issued_at="now")
FORMS = sorted(ADAPTERS)
EXAMPLES = settings(max_examples=120, deadline=None)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)


def sound(reading: Reading) -> None:
    """What holds for every reading."""
    now = int(CONTEXT.now.timestamp() * 1000)
    for place, alert in reading.alerts:
        assert isinstance(place, str)
        assert check(alert.to_record(), now_ms=now) == []
    assert reading.alerts or reading.refusals


@pytest.mark.parametrize("form", [*FORMS, "auto"])
@EXAMPLES
@given(data=st.binary(max_size=400))
def test_any_bytes(form: str, data: bytes) -> None:
    sound(read(data, CONTEXT, form))


@pytest.mark.parametrize("form", FORMS)
@EXAMPLES
@given(data=st.data())
def test_sound_input_that_was_cut_spoilt_or_doubled(form: str, data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(SOUND[form])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole)))
        to = data.draw(st.integers(at, min(len(whole), at + 60)))
        match data.draw(st.sampled_from(["cut", "drop", "double", "write", "end"])):
            case "cut":
                del whole[at:to]
            case "double":
                whole[at:at] = whole[at:to]
            case "write":
                whole[at:to] = data.draw(st.binary(max_size=12))
            case "drop":
                del whole[:at]
            case _:
                del whole[at:]
    sound(read(bytes(whole), CONTEXT, form))


@pytest.mark.parametrize("form", ["stix", "misp"])
@EXAMPLES
@given(data=st.data())
def test_json_of_another_shape(form: str, data: st.DataObject) -> None:
    value = json.loads(SOUND[form][0])
    for _ in range(data.draw(st.integers(1, 3))):
        value = replaced(value, data)
    sound(read(json.dumps(value).encode("utf-8", "surrogatepass"), CONTEXT, form))


def replaced(value: Any, data: st.DataObject) -> Any:
    """A value with one node, at any depth, made into another."""
    if isinstance(value, dict | list) and value and data.draw(st.integers(0, 4)):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = data.draw(st.sampled_from(keys))
        value[key] = replaced(value[key], data)
        return value
    return data.draw(JSON_VALUES)


@pytest.mark.parametrize("form", FORMS)
def test_no_loss_and_no_refusal_shows_a_personal_value(form: str) -> None:
    for data in SOUND[form]:
        for spoilt in (
            data,
            data[: len(data) // 2],
            data.replace(b"ZQX7741", b"ZQX7741\x00"),
            data.replace(b"2026", b"x"),
        ):
            for asked in (CONTEXT, context(), context(constants={})):
                reading = read(spoilt, asked, form)
                told = repr(reading.losses) + repr(reading.refusals)
                assert not [secret for secret in SECRETS if secret.lower() in told.lower()]


@pytest.mark.parametrize("form", FORMS)
def test_the_sound_ones_are_read_and_told_apart_by_content(form: str) -> None:
    for data in SOUND[form]:
        assert read(data, CONTEXT, form).alerts
        assert read(data, CONTEXT) == read(data, CONTEXT, form)
