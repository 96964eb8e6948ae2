"""What speaks for two wanted persons being one, and what against it.

A misused identity belongs to an innocent person: its names are compared with nobody's, and a name that is one alert's
own and the other's misused one excludes a match. Documents and biometrics of such an alert are left out, as they are of
the strong keys. An alias counts, though less than a name of one's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rapidfuzz.distance import OSA

from hueandcry.identity.confusables import fold_confusables
from hueandcry.identity.likeness import Finding, Weight
from hueandcry.identity.names import Name, compare_names, names_of
from hueandcry.identity.person import SHORTEST_NUMBER
from hueandcry.identity.reading import record, records, text, texts
from hueandcry.identity.transliterate import transliterate

#: Odds of one in a thousand: pairs that meet by a weak key and know nothing more of each other.
PRIOR = -10.0

_NAME, _BORN = "subject.identities", "subject.born"
_DOCUMENT, _BIOMETRIC = "subject.documents", "subject.biometrics"
PERSON: dict[str, Weight] = {
    "name.same": Weight(_NAME, 7.0, "The name is the same."),
    "name.sounds": Weight(_NAME, 6.0, "The name sounds the same, or is written together here and apart there."),
    "name.one_off": Weight(_NAME, 5.5, "Words of the name differ by one letter."),
    "name.part": Weight(_NAME, 5.0, "One name is a part of the other."),
    "name.alike": Weight(_NAME, 4.0, "The name is like the other, word by word."),
    "name.part_alike": Weight(_NAME, 3.0, "One name is like a part of the other."),
    "name.most_words": Weight(_NAME, 3.0, "All words of the name but one are common."),
    "name.one_word": Weight(_NAME, 1.0, "A name of one word is common."),
    "name.given": Weight(_NAME, -1.0, "Only a given name is common."),
    "name.family": Weight(_NAME, -5.0, "Only a family name is common, as of relatives."),
    "name.differs": Weight(_NAME, -8.0, "The names have nothing in common."),
    "name.misused": Weight(_NAME, None, "The name is that of a person whose identity the other misuses."),
    "alias": Weight(_NAME, -1.0, "It is an alias."),
    "born.same": Weight(_BORN, 9.0, "The full date of birth is the same."),
    "born.swapped": Weight(_BORN, 7.0, "Day and month of birth are swapped."),
    "born.one_off": Weight(_BORN, 4.0, "The date of birth differs in one digit of day or month."),
    "born.month": Weight(_BORN, 5.0, "Year and month of birth are the same, a day is not known."),
    "born.year": Weight(_BORN, 3.0, "The year of birth is the same, more is not known."),
    "born.about": Weight(_BORN, 1.0, "The years of birth are two or fewer apart, and one of them is estimated."),
    "born.other_day": Weight(_BORN, -5.0, "The year of birth is the same, the day is another."),
    "born.other_year": Weight(_BORN, None, "The years of birth differ."),
    "sex.differs": Weight("subject.sex", None, "The sex differs."),
    "sex.same": Weight("subject.sex", 0.5, "The sex is the same."),
    "nationality.same": Weight("subject.nationalities", 2.0, "A nationality is common."),
    "nationality.differs": Weight("subject.nationalities", -3.0, "No nationality is common."),
    "birthplace.same": Weight("subject.birthplace", 3.0, "The place of birth is the same."),
    "height.alike": Weight("subject.height_cm", 0.5, "The heights are within 5 cm."),
    "height.differs": Weight("subject.height_cm", -3.0, "The heights are more than 15 cm apart."),
    "document.same": Weight(_DOCUMENT, 12.0, "A document has the same number."),
    "document.confusable": Weight(_DOCUMENT, 10.0, "Numbers of a document differ in characters read for one another."),
    "document.one_off": Weight(_DOCUMENT, 5.0, "Numbers of a document differ in one character."),
    "warrant.same": Weight("subject.warrant", 6.0, "The warrant is the same, as of one person or of accomplices."),
    "biometric.same": Weight(_BIOMETRIC, 20.0, "A biometric record is the same."),
    "biometric.reference": Weight(_BIOMETRIC, 12.0, "A biometric record of one agency has the same reference."),
}
#: Most spellings of one person's names that are compared.
NAMES = 12
_ONE_NAME = frozenset({"same", "sounds", "one_off"})
_SEXES = frozenset({"male", "female"})
_SHORTEST_ONE_OFF = 7


def person_findings(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Finding]:
    """The rows of `PERSON` that are true of two decoded alerts on wanted persons, in no order."""
    persons = [record(alert.get("subject")) for alert in (one, other)]
    rules = [
        *_names(*persons),
        *_born(*(record(person.get("born")) for person in persons)),
        *_about(*persons),
        *_strong(persons, (one, other)),
    ]
    return [Finding(rule) for rule in rules]


def _states(person: Mapping[str, Any]) -> list[str]:
    return sorted({state for state in texts(person.get("nationalities")) if state and state != "XXX"})


def own_names(person: Mapping[str, Any]) -> list[Name]:
    """Spellings of the names of a decoded hueandcry.WantedPerson, none misused, at most `NAMES`; aliases come last."""
    states = _states(person)[:3]
    found = {name for identity in records(person.get("identities")) for name in names_of(identity, states)}
    return sorted(found, key=lambda name: (name.alias, name.words, sorted(name.family)))[:NAMES]


def _misused(person: Mapping[str, Any]) -> list[Name]:
    states = _states(person)[:3]
    return [
        name
        for identity in records(person.get("identities"))
        if identity.get("type") == "misused"
        for name in names_of({**identity, "type": "confirmed"}, states)
    ][:NAMES]


def misuses(person: Mapping[str, Any]) -> bool:
    """True where a person acts under the identity of an innocent one, to whom documents and biometrics may belong."""
    return any(identity.get("type") == "misused" for identity in records(person.get("identities")))


def _names(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    ours, theirs = own_names(one), own_names(other)
    for names, misused in ((ours, _misused(other)), (theirs, _misused(one))):
        if any(compare_names(name, his) in _ONE_NAME for name in names if not name.alias for his in misused):
            return ["name.misused"]
    if not ours or not theirs:
        return []
    best: tuple[float, str, bool] | None = None
    for mine in ours:
        for his in theirs:
            rule = f"name.{compare_names(mine, his)}"
            alias = mine.alias or his.alias
            bits = (PERSON[rule].bits or 0.0) + (PERSON["alias"].bits or 0.0) * alias
            if best is None or (bits, rule) > best[:2]:
                best = (bits, rule, alias)
    if best is None:
        return []
    return [best[1], "alias"] if best[2] and best[0] > 0 else [best[1]]


def _born(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    years = one.get("year"), other.get("year")
    if not isinstance(years[0], int) or not isinstance(years[1], int):
        return []
    vague = is_vague(one), is_vague(other)
    if years[0] != years[1]:
        return ["born.about" if any(vague) and abs(years[0] - years[1]) <= 2 else "born.other_year"]
    months = [None if hazy else _whole(born.get("month")) for born, hazy in zip((one, other), vague, strict=True)]
    days = [None if hazy else _whole(born.get("day")) for born, hazy in zip((one, other), vague, strict=True)]
    if months[0] is None or months[1] is None:
        return ["born.year"]
    if days[0] is None or days[1] is None:
        return ["born.month" if months[0] == months[1] else "born.other_day"]
    if (months[0], days[0]) == (months[1], days[1]):
        return ["born.same"]
    if (months[0], days[0]) == (days[1], months[1]):
        return ["born.swapped"]
    written = [f"{month:02}{day:02}" for month, day in zip(months, days, strict=True) if month and day]
    one_off = len(written) == 2 and OSA.distance(*sorted(written)) == 1
    return ["born.one_off" if one_off else "born.other_day"]


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def is_vague(born: Mapping[str, Any]) -> bool:
    """True for an estimated date and for 1 January, which stands for an unknown day."""
    return bool(born.get("estimated")) or (born.get("month") == 1 and born.get("day") == 1)


def _about(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    sexes = {text(person.get("sex")) for person in (one, other)}
    if sexes <= _SEXES:
        found.append("sex.same" if len(sexes) == 1 else "sex.differs")
    ours, theirs = set(_states(one)), set(_states(other))
    if ours and theirs:
        found.append("nationality.same" if ours & theirs else "nationality.differs")
    places = [transliterate(text(person.get("birthplace"))) for person in (one, other)]
    if places[0] and places[0] == places[1]:
        found.append("birthplace.same")
    heights = one.get("height_cm"), other.get("height_cm")
    if isinstance(heights[0], int) and isinstance(heights[1], int):
        apart = abs(heights[0] - heights[1])
        if apart <= 5 or apart > 15:
            found.append("height.alike" if apart <= 5 else "height.differs")
    return found


def _strong(persons: list[Mapping[str, Any]], alerts: tuple[Mapping[str, Any], Mapping[str, Any]]) -> list[str]:
    found: list[str] = []
    if not any(misuses(person) for person in persons):
        found += _documents(*(documents(person) for person in persons))
        digests, references = (
            [biometrics(person, alert)[place] for person, alert in zip(persons, alerts, strict=True)]
            for place in (0, 1)
        )
        if digests[0] & digests[1]:
            found.append("biometric.same")
        elif references[0] & references[1]:
            found.append("biometric.reference")
    warrants = [warrant(person, alert) for person, alert in zip(persons, alerts, strict=True)]
    if warrants[0] and warrants[0] == warrants[1]:
        found.append("warrant.same")
    return found


def documents(person: Mapping[str, Any]) -> set[tuple[str, str]]:
    """State (empty where it is not known) and number of each document whose number may name one person."""
    found: set[tuple[str, str]] = set()
    for document in records(person.get("documents"))[:16]:
        number = transliterate(text(document.get("number"))).replace(" ", "")
        if len(number) >= SHORTEST_NUMBER and len(set(number)) > 2:
            found.add((text(document.get("state")), number))
    return found


def _documents(ours: set[tuple[str, str]], theirs: set[tuple[str, str]]) -> list[str]:
    rules = {
        rule
        for state, number in ours
        for other_state, other_number in theirs
        if (not state or not other_state or state == other_state) and (rule := _numbers(number, other_number))
    }
    for rule in ("document.same", "document.confusable", "document.one_off"):
        if rule in rules:
            return [rule]
    return []


def _numbers(one: str, other: str) -> str | None:
    if one == other:
        return "document.same"
    if fold_confusables(one) == fold_confusables(other):
        return "document.confusable"
    long = min(len(one), len(other)) >= _SHORTEST_ONE_OFF
    return "document.one_off" if long and OSA.distance(*sorted((one, other)), score_cutoff=1) == 1 else None


def biometrics(person: Mapping[str, Any], alert: Mapping[str, Any]) -> tuple[set[bytes], set[tuple[str, str, str]]]:
    """Digests of the biometric records, and issuer, kind and reference of each: references are the issuer's own."""
    digests: set[bytes] = set()
    references: set[tuple[str, str, str]] = set()
    for item in records(person.get("biometrics"))[:16]:
        digest = item.get("sha256")
        if isinstance(digest, bytes) and len(digest) == 32 and any(digest):
            digests.add(digest)
        reference = text(item.get("reference")).strip()
        if reference:
            references.add((text(alert.get("issuer")), text(item.get("type")), reference))
    return digests, references


def warrant(person: Mapping[str, Any], alert: Mapping[str, Any]) -> str:
    """Issuing state and reference of the warrant, letters and digits only; empty where there is none."""
    reference = transliterate(text(record(person.get("warrant")).get("reference"))).replace(" ", "")
    state = text(alert.get("issuing_state"))
    return f"{state}:{reference}" if state and len(reference) >= SHORTEST_NUMBER else ""
