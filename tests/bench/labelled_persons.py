"""Labelled wanted persons."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from bench.labelled import Alert, Labelled, blank, copied, grow, misread, mistyped
from bench.names import Named, given_of, name_of
from hueandcry.identity import normalise_name

_TOWNS = ("Musterstadt", "Villeneuve", "Nowe Miasto", "Nea Poli", "Novgorod", "Al-Madina", "Xincheng", "Villanueva")
_LETTERS = "abcdefghijklmnoprstuvz"


class Known(NamedTuple):
    """What the alert of a person does not hold of the person."""

    name: Named
    sex: str


def identity_of(name: Named, *, family: int = 0, given: int = 0, kind: str = "confirmed") -> dict[str, Any]:
    """A decoded hueandcry.Identity, in these spellings."""
    words = (name.family, *name.given)
    original = " ".join(word.original for word in words if word.original) if words[0].original else None
    if original and name.state == "CHN":
        original = original.replace(" ", "")
    return {
        "type": kind,
        "family": words[0].spellings[min(family, len(words[0].spellings) - 1)],
        "given": " ".join(word.spellings[min(given, len(word.spellings) - 1)] for word in words[1:]),
        "original": original,
        "transliteration": None,
    }


def persons(dice: random.Random, records: int, subject: int) -> Iterator[Labelled]:
    """Alerts on persons; no two persons have name, date of birth and nationality in common."""
    taken: set[tuple[str, str, str]] = set()

    def clean(number: int) -> tuple[Alert, Known]:
        alert = blank("wanted_person", dice, number)
        while True:
            sex = dice.choice(("male", "male", "female"))
            name = name_of(dice, sex)
            born = _date(dice)
            key = (_written(name), f"{born}", name.state)
            if key not in taken:
                break
        taken.add(key)
        alert["subject"] |= {
            "identities": [identity_of(name)],
            "born": born,
            "sex": sex,
            "nationalities": [name.state],
            "birthplace": dice.choice(_TOWNS) if dice.random() < 0.3 else None,
            "height_cm": dice.randint(155, 200) if dice.random() < 0.4 else None,
            "documents": [_document(dice, name.state)] if dice.random() < 0.5 else [],
            "biometrics": [],
            "warrant": {"reference": f"{dice.randint(1, 60)} Gs {number}/26", "court": None, "issued_on": None},
        }
        return alert, Known(name, sex)

    def twin(alert: Alert, known: Known, number: int) -> Alert:
        return _other(alert, number, known.name._replace(given=given_of(dice, known.name, known.sex)))

    def child(alert: Alert, known: Known, number: int) -> Alert:
        born = alert["subject"]["born"]
        return _other(alert, number, known.name, born=born | {"year": born["year"] + dice.randint(18, 40)})

    def namesake(alert: Alert, known: Known, number: int) -> Alert:
        born = alert["subject"]["born"]
        while True:
            other = _date(dice) | {"year": born["year"]}
            same_digits = sum(one == two for one, two in zip(_digits(born), _digits(other), strict=True))
            if same_digits < 3 and (other["day"], other["month"]) != (born["month"], born["day"]):
                return _other(alert, number, known.name, born=other)

    def accomplice(alert: Alert, _: Known, number: int) -> Alert:
        other, _ = clean(number)
        other["issuing_state"] = alert["issuing_state"]
        other["subject"]["warrant"] = alert["subject"]["warrant"]
        return other

    def impostor(alert: Alert, _: Known, number: int) -> Alert:
        """Somebody who acts under the name and with the passport of the person of `alert`."""
        other, _ = clean(number)
        other["subject"]["identities"].append(alert["subject"]["identities"][0] | {"type": "misused"})
        other["subject"]["documents"] = alert["subject"]["documents"]
        return other

    def _other(alert: Alert, number: int, name: Named, **changes: Any) -> Alert:
        other = copied(alert, dice, number)
        other["subject"] |= {
            "identities": [identity_of(name)],
            "documents": [_document(dice, name.state)] if dice.random() < 0.5 else [],
            "warrant": None,
            "height_cm": None,
        } | changes
        taken.add((_written(name), f"{other['subject']['born']}", name.state))
        return other

    neighbours = {
        "twin": twin, "parent and child": child, "namesake of one year": namesake, "accomplice": accomplice,
        "impostor": impostor,
    }  # fmt: skip
    return grow(dice, records, subject, clean, _NOISES, neighbours)


def _written(name: Named) -> str:
    identity = identity_of(name)
    return normalise_name(identity["family"], identity["given"], state=name.state)


def _digits(born: dict[str, Any]) -> str:
    return f"{born['month']:02}{born['day']:02}"


def _date(dice: random.Random) -> dict[str, Any]:
    return {"year": dice.randint(1950, 2007), "month": dice.randint(1, 12), "day": dice.randint(2, 28),
            "estimated": False}  # fmt: skip


def _document(dice: random.Random, state: str) -> dict[str, Any]:
    number = "".join(dice.choice("CFGHJKLMNPRTVWXYZ0123456789") for _ in range(9))
    return {"type": "passport", "number": number, "state": state, "expires_on": None}


def _weak(alert: Alert, **changes: Any) -> bool:
    """Another agency seldom has the document, and has a warrant of its own."""
    alert["subject"] |= {"documents": [], "warrant": None, "height_cm": None} | changes
    return True


def _renamed(alert: Alert, **changes: Any) -> bool:
    """The name written otherwise, and in Latin letters alone."""
    first = alert["subject"]["identities"][0]
    changed = {**first, "original": None, **changes}
    return (changed["family"], changed["given"]) != (first["family"], first["given"]) and _weak(
        alert, identities=[changed]
    )


def _redated(alert: Alert, **changes: Any) -> bool:
    return _weak(alert, born=alert["subject"]["born"] | changes)


def _same(_: random.Random, alert: Alert, __: Known) -> bool:
    return _weak(alert)


def _swap(_: random.Random, alert: Alert, __: Known) -> bool:
    identity = alert["subject"]["identities"][0]
    return _renamed(alert, family=identity["given"], given=identity["family"])


def _spelt(dice: random.Random, alert: Alert, known: Known) -> bool:
    identity = identity_of(known.name, family=dice.randint(1, 3), given=dice.randint(0, 3))
    return _renamed(alert, family=identity["family"], given=identity["given"])


def _own_script(_: random.Random, alert: Alert, known: Known) -> bool:
    """Only the own script is known, and stands where Latin letters should."""
    words = (known.name.family, *known.name.given)
    if not words[0].original:
        return False
    family, *given = (word.original or word.spellings[0] for word in words)
    return _renamed(alert, family=family, given=" ".join(given))


def _typo(dice: random.Random, alert: Alert, _: Known) -> bool:
    identity = alert["subject"]["identities"][0]
    part = dice.choice(("family", "given"))
    return _renamed(alert, **{part: mistyped(dice, identity[part], _LETTERS)})


def _left_out(_: random.Random, alert: Alert, __: Known) -> bool:
    identity = alert["subject"]["identities"][0]
    part = "family" if " " in identity["family"] else "given"
    return _renamed(alert, **{part: identity[part].partition(" ")[0]})


def _initial(_: random.Random, alert: Alert, __: Known) -> bool:
    return _renamed(alert, given=alert["subject"]["identities"][0]["given"][:1])


def _married(dice: random.Random, alert: Alert, known: Known) -> bool:
    while (other := name_of(dice, known.sex)).state != known.name.state:
        pass
    return _renamed(alert, family=other.family.spellings[0])


def _alias(dice: random.Random, alert: Alert, known: Known) -> bool:
    """The agency has an invented name as the right one, and the right one as an alias."""
    invented = identity_of(name_of(dice, known.sex))
    return _weak(alert, identities=[invented, alert["subject"]["identities"][0] | {"type": "alias"}])


def _year_alone(_: random.Random, alert: Alert, __: Known) -> bool:
    return _redated(alert, month=None, day=None)


def _no_day(_: random.Random, alert: Alert, __: Known) -> bool:
    return _redated(alert, day=None)


def _new_year(_: random.Random, alert: Alert, __: Known) -> bool:
    return _redated(alert, month=1, day=1)


def _estimated(dice: random.Random, alert: Alert, __: Known) -> bool:
    year = alert["subject"]["born"]["year"] + dice.choice((-2, -1, 1, 2))
    return _redated(alert, year=year, month=None, day=None, estimated=True)


def _no_date(_: random.Random, alert: Alert, __: Known) -> bool:
    return _weak(alert, born=None)


def _day_month(_: random.Random, alert: Alert, __: Known) -> bool:
    born = alert["subject"]["born"]
    return born["day"] <= 12 and born["day"] != born["month"] and _redated(alert, month=born["day"], day=born["month"])


def _other_day(_: random.Random, alert: Alert, __: Known) -> bool:
    day = alert["subject"]["born"]["day"]
    return _redated(alert, day=day - 1 if day % 10 else day + 1)


def _other_year(dice: random.Random, alert: Alert, __: Known) -> bool:
    return _redated(alert, year=alert["subject"]["born"]["year"] + dice.choice((-10, -1, 1, 10)))


def _no_nationality(_: random.Random, alert: Alert, __: Known) -> bool:
    return _weak(alert, nationalities=[])


def _other_nationality(dice: random.Random, alert: Alert, _: Known) -> bool:
    return _weak(alert, nationalities=[dice.choice(("FRA", "BEL", "LBN"))])


def _misread_document(dice: random.Random, alert: Alert, _: Known) -> bool:
    """A copy of the passport is read: the number with errors, the date not at all."""
    documents = [each | {"number": misread(dice, each["number"])} for each in alert["subject"]["documents"]]
    return documents != alert["subject"]["documents"] and _weak(alert, documents=documents, born=None)


def _document_without_state(_: random.Random, alert: Alert, __: Known) -> bool:
    documents = [each | {"state": None} for each in alert["subject"]["documents"]]
    return bool(documents) and _weak(alert, documents=documents, nationalities=[])


def _typo_and_year(dice: random.Random, alert: Alert, known: Known) -> bool:
    return _typo(dice, alert, known) and _year_alone(dice, alert, known)


_NOISES: dict[str, Any] = {
    "written alike": _same, "family and given swapped": _swap, "other transliteration": _spelt,
    "own script alone": _own_script, "typing error": _typo, "part of the name left out": _left_out,
    "initial alone": _initial, "other family name": _married, "under an alias": _alias, "year alone": _year_alone,
    "no day": _no_day, "1 January": _new_year, "estimated year": _estimated, "no date": _no_date,
    "day and month swapped": _day_month, "other day": _other_day, "other year": _other_year,
    "no nationality": _no_nationality, "other nationality": _other_nationality, "document misread": _misread_document,
    "document without state": _document_without_state, "typing error and year alone": _typo_and_year,
}  # fmt: skip
