"""Plates of which a witness saw a part: AB?12* and what has such a plate.

Rules:
1. A question mark stands for one character, an asterisk for any number of them; the rest is read as every plate is
   (`identity.normalise_plate`), so that separators and look-alikes do not count.
2. A pattern with fewer than `LEAST_KNOWN` characters that are known is too wide and is refused, whatever there is: a
   refusal that depended on how many plates fit would tell of alerts which may not be seen.
3. The index finds every plate that fits. Its work for one pattern depends on the pattern and on how many plates there
   are in all, a few machine words for each 64 of them, not on how many fit.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterator
from typing import NamedTuple

from hueandcry.identity import normalise_plate

ONE, ANY = "?", "*"
LEAST_KNOWN = 3
#: Comparing a plate with more of either costs too much.
MOST_ANY, MOST_CHARACTERS = 3, 20
#: Plates are shorter; what lies beyond is not looked at by the index, nor does it need to be.
_LONGEST = 12
_SEGMENT = 1 << 14


class TooWide(ValueError):
    """A pattern that says too little, or too much to be compared with every plate."""


class Plate(NamedTuple):
    """A plate in its normal form, its state (empty where there is none), and the status of its alert."""

    number: str
    state: str
    status: str


class PlatePattern(NamedTuple):
    """A part of a plate.

    Attributes:
        text: normal characters, ONE and ANY.
        state: of the plate, ISO 3166-1 alpha-3; empty where it is not known.
        status: of the alerts.
    """

    text: str
    state: str = ""
    status: str = "actual"

    @property
    def known(self) -> int:
        """How many characters are known."""
        return sum(each not in (ONE, ANY) for each in self.text)

    def fits(self, plate: Plate) -> bool:
        """Whether a plate fits."""
        if plate.status != self.status or (self.state and plate.state != self.state):
            return False
        return re.fullmatch(self.text.replace(ONE, ".").replace(ANY, ".*"), plate.number) is not None


def is_pattern(raw: str) -> bool:
    """Whether what was asked for is a part of a plate: no plate has these signs."""
    return not {ONE, ANY}.isdisjoint(unicodedata.normalize("NFKC", raw))


def read_pattern(raw: str, state: str | None = None, status: str = "actual") -> PlatePattern:
    """The pattern that somebody wrote.

    Raises:
        TooWide: fewer than LEAST_KNOWN characters are known, or it has too many parts.
    """
    parts = re.split(r"([?*])", unicodedata.normalize("NFKC", raw))
    text = "".join(part if part in (ONE, ANY) else normalise_plate(part, state) for part in parts)
    pattern = PlatePattern(re.sub(r"\*[?*]*\*", lambda run: ONE * run[0].count(ONE) + ANY, text), state or "", status)
    if pattern.known < LEAST_KNOWN:
        raise TooWide(f"a part of a plate needs at least {LEAST_KNOWN} characters that are known beside ? and *")
    if pattern.text.count(ANY) > MOST_ANY or len(pattern.text) > MOST_CHARACTERS:
        raise TooWide(f"a part of a plate has at most {MOST_ANY} asterisks and {MOST_CHARACTERS} characters")
    return pattern


class PlateIndex:
    """Which alerts have a plate that fits a pattern: a bit for each alert in a mask for each character and place.

    An alert that ends or changes stays in until `drop`: what is found must be looked at anyway.
    """

    def __init__(self) -> None:
        self._segments: list[_Segment] = []

    def __len__(self) -> int:
        """How many plates are in it."""
        return sum(len(segment.ids) // 16 for segment in self._segments)

    def add(self, alert_id: str, plate: Plate) -> None:
        """Enter an alert's plate."""
        if not self._segments or len(self._segments[-1].ids) == 16 * _SEGMENT:
            self._segments.append(_Segment())
        self._segments[-1].add(alert_id, plate)

    def find(self, pattern: PlatePattern) -> Iterator[tuple[str, Place]]:
        """Id of each alert that may fit, the last entered first, and where it lies."""
        for segment in reversed(self._segments):
            bits = segment.find(pattern)
            while bits:
                row = bits.bit_length() - 1
                bits ^= 1 << row
                yield str(uuid.UUID(bytes=bytes(segment.ids[16 * row : 16 * row + 16]))), (segment, row)

    @staticmethod
    def drop(place: Place) -> None:
        """What was found there has gone."""
        segment, row = place
        segment.dead |= 1 << row


class _Segment:
    """Some thousand plates. Masks are integers: bit n is the plate n."""

    def __init__(self) -> None:
        self.ids = bytearray()
        self.dead = 0
        #: By place (from the front 0, 1 …, from the back -1, -2 …) and character; by length; by state and by status.
        self._masks: dict[tuple[int, str] | int | str, int] = {}

    def add(self, alert_id: str, plate: Plate) -> None:
        bit = 1 << (len(self.ids) // 16)
        masks, number, length = self._masks, plate.number, len(plate.number)
        near = range(max(0, length - _LONGEST), length)
        keys = [*enumerate(number[:_LONGEST]), *((at - length, number[at]) for at in near)]
        for key in (*keys, length, plate.state, plate.status):
            masks[key] = masks.get(key, 0) | bit
        # Last: who reads meanwhile finds nothing that is not yet there.
        self.ids += uuid.UUID(alert_id).bytes

    def find(self, pattern: PlatePattern) -> int:
        bits = (1 << (len(self.ids) // 16)) - 1 & ~self.dead & self._masks.get(pattern.status, 0)
        if pattern.state:
            bits &= self._masks.get(pattern.state, 0)
        front, *floating = pattern.text.split(ANY)
        bits = self._at(bits, front, 0)
        if not floating:
            return bits & self._masks.get(len(front), 0)
        *floating, back = floating
        bits = self._at(bits, back, -len(back))
        for part in floating:
            bits = self._anywhere(bits, part)
        return bits

    def _at(self, bits: int, part: str, place: int) -> int:
        """Those of `bits` with the characters of `part` from a place on; those beyond _LONGEST are not looked at."""
        for at, char in enumerate(part, place):
            if not bits:
                break
            if char != ONE and -_LONGEST <= at < _LONGEST:
                bits &= self._masks.get((at, char), 0)
        return bits

    def _anywhere(self, bits: int, part: str) -> int:
        found = 0
        for start in range(_LONGEST - len(part) + 1):
            found |= self._at(bits, part, start)
        longer = sum(mask for key, mask in self._masks.items() if isinstance(key, int) and key > _LONGEST)
        return found | (bits & longer)


Place = tuple[_Segment, int]
"""A segment and the row in it."""
