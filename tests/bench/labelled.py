"""A labelled set: alerts of which it is known who is who, with typed noise. Synthetic and seeded.

Each subject has a clean alert; some have copies, each spoiled in one named way, and some have a neighbour: another
subject that is made to look like it (a twin, a namesake, a plate issued again, the next number of a series).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from factories import SOUND
from hueandcry.alerts.ids import alert_id

Alert = dict[str, Any]
Spoil = Callable[[random.Random, Alert, Any], bool]
"""Spoils a copy, given what is known of its subject; False where this subject can't be spoiled so."""

AGENCIES = (("fr-pn", "FRA"), ("de-bka", "DEU"), ("es-cnp", "ESP"), ("pl-kgp", "POL"), ("gr-elas", "GRC"),
            ("us-fbi", "USA"), ("jp-npa", "JPN"), ("ke-dci", "KEN"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Labelled:
    """An alert, and the truth of it.

    Attributes:
        alert: decoded hueandcry.Alert.
        subject: number of whom or what it is about.
        noise: how it was spoiled; empty for the clean alert of a subject.
        of: place in the set of the clean alert that it was made of, or that it is a neighbour of; -1 for a clean one.
    """

    alert: Alert
    subject: int
    noise: str
    of: int


def blank(kind: str, dice: random.Random, number: int) -> Alert:
    """A sound alert of an agency drawn by chance, with a reference of its own."""
    issuer, state = dice.choice(AGENCIES)
    reference = f"{kind}-{number}"
    alert = deepcopy(SOUND[kind]())
    alert.update(issuer=issuer, issuing_state=state, national_reference=reference, alert_id=alert_id(issuer, reference))
    return alert


def copied(alert: Alert, dice: random.Random, number: int) -> Alert:
    """The same subject, reported by another agency."""
    fresh = blank(alert["kind"], dice, number)
    return {**fresh, "subject": deepcopy(alert["subject"])}


def labelled(records: int, seed: int = 1) -> Iterator[Labelled]:
    """`records` alerts in the order of their arrival: half on persons, two fifths on vehicles, one tenth on threats."""
    from bench.labelled_persons import persons
    from bench.labelled_threats import threats
    from bench.labelled_vehicles import vehicles

    subject = start = 0
    for kind, share, make in (("person", 5, persons), ("vehicle", 4, vehicles), ("threat", 1, threats)):
        dice = random.Random(f"{seed}/{kind}")
        rows = list(make(dice, records * share // 10, subject))
        subject = max(row.subject for row in rows) + 1
        yield from (replace(row, of=row.of + start) if row.of >= 0 else row for row in rows)
        start += len(rows)


def grow(
    dice: random.Random,
    records: int,
    subject: int,
    clean: Callable[[int], tuple[Alert, Any]],
    noises: dict[str, Spoil],
    neighbours: dict[str, Callable[[Alert, Any, int], Alert]],
) -> Iterator[Labelled]:
    """Subjects with their copies and neighbours, until there are `records`.

    Args:
        dice: source of chance.
        records: how many alerts.
        subject: first number of a subject.
        clean: gives the clean alert of a subject by number, and what is known of it besides.
        noises: by name, what spoils a copy.
        neighbours: by name, what makes another subject's alert out of an alert, what is known of it, and a number.
    """
    rows: list[Labelled] = []
    while len(rows) < records:
        alert, known = clean(len(rows))
        at = len(rows)
        rows.append(Labelled(alert, subject, "", -1))
        for noise in dice.sample(sorted(noises), dice.choice((0, 0, 1, 1, 2, 3))):
            copy = copied(alert, dice, len(rows))
            if noises[noise](dice, copy, known):
                rows.append(Labelled(copy, subject, noise, at))
        subject += 1
        if dice.random() < 0.15:
            noise = dice.choice(sorted(neighbours))
            rows.append(Labelled(neighbours[noise](alert, known, len(rows)), subject, noise, at))
            subject += 1
    yield from rows[:records]


CONFUSED = dict(zip("0O1IL2Z5S8BDQ6G", "O0I11Z2S5B800G6", strict=True))


def misread(dice: random.Random, text: str, most: int = 2) -> str:
    """The text with one or two characters read for another that looks so; unchanged where none does."""
    places = [place for place, char in enumerate(text) if char in CONFUSED]
    chars = list(text)
    for place in dice.sample(places, min(len(places), dice.randint(1, most))):
        chars[place] = CONFUSED[chars[place]]
    return "".join(chars)


def mistyped(dice: random.Random, text: str, alphabet: str) -> str:
    """The text with one letter changed, left out, doubled, or two swapped; the first letter stays."""
    place = dice.randrange(1, max(len(text) - 1, 2))
    before, rest = text[:place], text[place:]
    way = dice.randrange(4)
    if way == 0:
        return before + dice.choice(alphabet) + rest[1:]
    if way == 1:
        return before + rest[1:]
    if way == 2:
        return before + rest[:1] + rest
    return before + rest[1:2] + rest[:1] + rest[2:]
