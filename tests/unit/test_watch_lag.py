"""How long a group has been behind, told from offsets alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hueandcry.watch.lag import Ends


def test_a_group_that_has_read_all_is_not_behind() -> None:
    ends = Ends()
    ends.note(10, 100.0)
    assert ends.behind(10, 500.0) == (0, 0.0)


def test_the_marker_of_a_transaction_is_no_message() -> None:
    ends = Ends()
    ends.note(10, 100.0)
    assert ends.behind(9, 500.0) == (0, 0.0)


def test_behind_since_what_is_not_read_was_there() -> None:
    ends = Ends()
    for end, at in ((10, 100.0), (20, 115.0), (30, 130.0)):
        ends.note(end, at)
    assert ends.behind(5, 200.0) == (24, 100.0)
    assert ends.behind(9, 200.0)[1] == 85.0
    assert ends.behind(20, 200.0) == (9, 70.0)


def test_standing_still_grows_older_until_it_is_read() -> None:
    ends = Ends()
    ends.note(10, 100.0)
    ends.note(20, 115.0)
    for at in (130.0, 145.0, 160.0):
        ends.note(20, at)
        assert ends.behind(10, at) == (9, at - 115.0)
    assert ends.behind(20, 175.0) == (0, 0.0)


def test_a_topic_made_anew_begins_anew() -> None:
    ends = Ends()
    ends.note(1_000, 100.0)
    ends.note(5, 200.0)
    assert ends.behind(0, 210.0) == (4, 10.0)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=2_000), st.data())
def test_never_older_than_the_messages_are_nor_too_young_by_much(steps: list[int], data: st.DataObject) -> None:
    """Against the true time of each message: at most one look too young, never older; memory is bounded."""
    ends, end, came_at = Ends(), 0, []
    for at, step in enumerate(steps):
        came_at += [float(at)] * step
        end += step
        ends.note(end, float(at))
    now = float(len(steps))
    place = data.draw(st.integers(0, end))
    messages, age = ends.behind(place, now)
    assert len(ends.ends) <= 240
    if end - place <= 1:
        assert (messages, age) == (0, 0.0)
    else:
        assert messages == end - place - 1
        true = now - came_at[place]
        assert age <= true
        if len(steps) <= 240:
            assert age >= true - (came_at[place + 1] - came_at[place])
