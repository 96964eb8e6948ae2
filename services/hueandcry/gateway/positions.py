"""Places in an agency's topic as a client keeps them: one opaque word, of which partition has been read how far.

A position is a tuple of offsets, the next to be read of each partition. The word is no secret and no right: whose topic
it is about follows from who asks.
"""

from __future__ import annotations

import base64
import binascii
from typing import Literal

from hueandcry.gateway.problems import Problem

Source = Literal["inbox", "receipts", "notices"]
Position = tuple[int, ...]
_LETTERS = {"inbox": "i", "receipts": "r", "notices": "n"}
_LONGEST = 4096
_LAST = 2**63 - 1


def word_of(source: Source, position: Position) -> str:
    """A position as a word of letters, digits, - and _."""
    text = f"{_LETTERS[source]}{'.'.join(map(str, position))}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_word(source: Source, word: str) -> Position:
    """The position that a word stands for.

    Raises:
        Problem: 400 where it is none of this source.
    """
    try:
        if len(word) > _LONGEST:
            raise ValueError
        text = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True).decode("ascii")
        if text[:1] != _LETTERS[source] or not all(part.isdecimal() for part in text[1:].split(".")):
            raise ValueError
        position = tuple(int(part) for part in text[1:].split("."))
        if max(position) > _LAST:
            raise ValueError
    except (ValueError, binascii.Error):
        raise Problem(400, "position", f"this is no place in {source}; take `next` or an event's id as it is") from None
    return position


def fitted(position: Position, partitions: int) -> Position:
    """A position for a topic that has had partitions added since; those are read from their beginning."""
    return (*position, *(0,) * (partitions - len(position)))[:partitions]
