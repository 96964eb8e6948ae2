"""How alike two names of persons are, word by word; whichever part is called the family name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from rapidfuzz.distance import OSA, JaroWinkler

from hueandcry.identity.person import east_asian, normalise_name
from hueandcry.identity.phonetic import sound
from hueandcry.identity.reading import text

#: Most words of a name that are compared, and most letters of one.
WORDS, LETTERS = 8, 32
# Similarity of two words by how they are alike; below the last they are two words.
_EQUAL, _SOUND, _ONE_OFF, _INITIAL, _NEAR = 1.0, 0.95, 0.9, 0.85, 0.8
# From the first on two long words are near; two letters changed in six or so.
_JARO_WINKLER = 0.92
_SHORTEST_SOUND = 2
_SHORTEST_ONE_OFF = 4


class Name(NamedTuple):
    """One spelling of a name.

    Attributes:
        words: in capitals A to Z, sorted.
        family: the words that stand as the family name; empty where the parts are not told apart.
        alias: True where it is not the person's own.
    """

    words: tuple[str, ...]
    family: frozenset[str]
    alias: bool


def names_of(identity: Mapping[str, Any], states: list[str]) -> list[Name]:
    """Every spelling of a decoded hueandcry.Identity; none of a misused one, which is another person's name."""
    kind = text(identity.get("type"))
    if kind == "misused":
        return []
    found: dict[Name, None] = {}
    original = text(identity.get("original"))
    for state in states or [""]:
        family = _words(normalise_name(text(identity.get("family")), state=state))
        whole = normalise_name(text(identity.get("family")), text(identity.get("given")), state=state)
        found[Name(_words(whole), frozenset(family), kind == "alias")] = None
        others = [text(identity.get("transliteration"))]
        if original and (state == "CHN" or not east_asian(original)):
            others.append(original)
        for other in others:
            found[Name(_words(normalise_name(other, state=state)), frozenset(), kind == "alias")] = None
    return [name for name in found if name.words]


def _words(name: str) -> tuple[str, ...]:
    return tuple(word[:LETTERS] for word in name.split()[:WORDS])


@lru_cache(maxsize=65536)
def _alike(one: str, other: str) -> float:
    """Similarity of two different words, `one` before `other` in order; 0 where they are two."""
    code = sound(one)
    if len(code) >= _SHORTEST_SOUND and code == sound(other):
        return _SOUND
    shortest = min(len(one), len(other))
    if shortest >= _SHORTEST_ONE_OFF and OSA.distance(one, other, score_cutoff=1) <= 1:
        return _ONE_OFF
    if (shortest == 1 or shortest >= 3) and (one.startswith(other) or other.startswith(one)):
        return _INITIAL
    return _NEAR if shortest > _SHORTEST_ONE_OFF and JaroWinkler.similarity(one, other) >= _JARO_WINKLER else 0.0


def alike(one: str, other: str) -> float:
    """Similarity of two words, 0 to 1, the same both ways."""
    if one == other:
        return _EQUAL
    return _alike(one, other) if one < other else _alike(other, one)


def compare_names(one: Name, other: Name) -> str:
    """How alike two names are: a symbol of the table in `likeness_person`, without its prefix."""
    if one.words == other.words:
        return "same" if len(one.words) > 1 else "one_word"
    if sorted("".join(one.words)) == sorted("".join(other.words)) and len("".join(one.words)) >= 8:
        # One name whose words are written together here and apart there, or hyphened.
        return "sounds"
    pairs = sorted(
        ((alike(left, right), left, right) for left in one.words for right in other.words),
        key=lambda pair: (-pair[0], min(pair[1:]), max(pair[1:])),
    )
    left_words, right_words = list(one.words), list(other.words)
    matched: list[float] = []
    common: list[tuple[str, str]] = []
    for likeness, left, right in pairs:
        if likeness and left in left_words and right in right_words:
            left_words.remove(left)
            right_words.remove(right)
            matched.append(likeness)
            common.append((left, right))
    if not matched:
        return "differs"
    shorter = min(len(one.words), len(other.words))
    if len(matched) < shorter:
        # Where neither tells which words are the family's, relatives must be thought of.
        families = [left in one.family or right in other.family for left, right in common]
        if all(families) or not (one.family or other.family):
            return "family"
        strong = len(matched) > 1 and len(matched) == shorter - 1 and min(matched) >= _SOUND
        return "most_words" if strong and any(families) else "family" if any(families) else "given"
    if shorter == 1:
        return "one_word"
    worst = min(matched)
    if left_words or right_words:
        return "part" if worst >= _SOUND else "part_alike"
    if worst >= _SOUND:
        return "sounds"
    return "one_off" if worst >= _ONE_OFF else "alike"
