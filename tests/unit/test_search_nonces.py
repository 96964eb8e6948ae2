"""Nonces as the log has them: of several records with one, the first counts, for as long as it could be sent again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hueandcry.search.consultations import Place
from hueandcry.search.nonces import KEPT_MS, Book


def record(nonce: str, key: str = "k1") -> dict[str, str]:
    return {"key_id": key, "nonce": nonce}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["k1", "k2"])), max_size=20))
def test_one_record_of_each_nonce_is_the_first(asked: list[tuple[str, str]]) -> None:
    book = Book()
    for offset, (nonce, key) in enumerate(asked):
        book.enter(record(nonce, key), Place(0, offset), 1_000 + offset)
    firsts = [offset for offset, each in enumerate(asked) if book.is_first(record(*each), Place(0, offset))]
    assert firsts == [offset for offset, each in enumerate(asked) if each not in asked[:offset]]
    assert not book.is_first(record("never"), Place(0, 0))


def test_nonces_are_forgotten_when_nobody_can_send_them_again() -> None:
    book = Book()
    for number in range(1_000):
        book.enter(record(str(number)), Place(0, number), number * 1_000)
    assert len(book) <= KEPT_MS // 1_000 + 1
    assert book.is_first(record("999"), Place(0, 999))
    assert not book.is_first(record("0"), Place(0, 0))
    # Where there is no room for more, time alone makes some.
    book.forget(1_000_000 + KEPT_MS)
    assert len(book) == 0
