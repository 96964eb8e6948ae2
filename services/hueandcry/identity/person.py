"""Persons: names as matching sees them, and the keys that are strong enough to say that two persons are one.

Strong by itself is one of:

* a document: type, issuing state and number;
* the exact name (all its words, in any order) with a full date of birth and a nationality;
* a record of a finger, palm, iris or DNA, by its digest (claimed, never the key).

Not strong: a name of one word, a date of birth that is partial, estimated or 1 January (what registers write for "not
known"), the nationality XXX.

A misused identity belongs to an innocent person and makes no key. Documents and biometrics are not tied to an
identity in the schema, so an alert with a misused identity makes no key of them either. An alias is claimed, so that
alerts meet by it and can be linked, but is never the key: two persons may use one invented name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hueandcry.identity.reading import record, records, text, texts
from hueandcry.identity.transliterate import transliterate

CLAIMS = 32
# Documents whose number names one person, best first.
_DOCUMENTS = {
    "passport": "0", "identity_card": "1", "residence_permit": "2", "driving_licence": "3", "travel_document": "4",
}  # fmt: skip
_BIOMETRICS = frozenset({"fingerprint", "palm_print", "dna", "iris"})
_ORDINARY, _ALIAS = frozenset({"confirmed", "unconfirmed"}), "alias"
SHORTEST_NUMBER = 5


def normalise_name(*parts: str | None, state: str | None = None) -> str:
    """All words of a name in Latin capitals, sorted: the same whichever part is called the family name.

    Args:
        parts: family name, given names and so on, in any script; None counts as empty.
        state: nationality, ISO 3166-1 alpha-3; chooses among the Cyrillic alphabets.
    """
    return " ".join(sorted(word for part in parts if part for word in transliterate(part, state).split()))


def full_birth_date(born: Mapping[str, Any]) -> str | None:
    """YYYYMMDD of a decoded hueandcry.PartialDate, or None where it is too weak to tell persons apart."""
    year, month, day = born.get("year"), born.get("month"), born.get("day")
    if not (isinstance(year, int) and isinstance(month, int) and isinstance(day, int)):
        return None
    if born.get("estimated") or (month == 1 and day == 1):
        return None
    if not (1800 <= year <= 2999 and 1 <= month <= 12 and 1 <= day <= 31):
        return None
    return f"{year:04}{month:02}{day:02}"


def document_key(document: Mapping[str, Any]) -> str | None:
    """Rank, type, state and number of a decoded hueandcry.IdentityDocument, or None where that is no strong key."""
    kind, state = text(document.get("type")), text(document.get("state"))
    rank = _DOCUMENTS.get(kind)
    if rank is None or not state:
        return None
    number = transliterate(text(document.get("number"))).replace(" ", "")
    if len(number) < SHORTEST_NUMBER or len(set(number)) < 3:
        return None
    return f"{rank}:{kind}:{state}:{number}"


def person_keys(person: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """(keys that may lead, keys that may only be claimed) of a decoded hueandcry.WantedPerson, best first."""
    identities = records(person.get("identities"))
    leading: list[str] = []
    claimed: list[str] = []
    if not any(identity.get("type") == "misused" for identity in identities):
        documents = {key for document in records(person.get("documents")) if (key := document_key(document))}
        leading += [f"doc:{key[2:]}" for key in sorted(documents)]
        claimed += _biometric_keys(person)
    born = full_birth_date(record(person.get("born")))
    if born:
        nationalities = sorted({state for state in texts(person.get("nationalities")) if state and state != "XXX"})
        for identity in identities:
            kind = text(identity.get("type"))
            if kind in _ORDINARY:
                leading += _name_keys(identity, born, nationalities, leads=True)
                claimed += _name_keys(identity, born, nationalities, leads=False)
            elif kind == _ALIAS:
                claimed += _name_keys(identity, born, nationalities, leads=True)
    return leading, claimed


def _name_keys(identity: Mapping[str, Any], born: str, nationalities: list[str], *, leads: bool) -> list[str]:
    keys: list[str] = []
    for state in nationalities:
        if leads:
            names = [normalise_name(text(identity.get("family")), text(identity.get("given")), state=state)]
        else:
            original = text(identity.get("original"))
            names = [normalise_name(text(identity.get("transliteration")), state=state)]
            # Pinyin misreads Han names of any but Chinese citizens; kana and hangul have no rule of ICAO.
            if original and (state == "CHN" or not east_asian(original)):
                names.append(normalise_name(original, state=state))
        keys += [f"name:{name}:{born}:{state}" for name in names if " " in name]
    return keys


def east_asian(name: str) -> bool:
    """True where a name has letters that have no rule of ICAO, or whose reading hangs on the language."""
    return any("\u3040" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3" for char in name)


def _biometric_keys(person: Mapping[str, Any]) -> list[str]:
    keys: list[str] = []
    for item in records(person.get("biometrics")):
        digest = item.get("sha256")
        if text(item.get("type")) in _BIOMETRICS and isinstance(digest, bytes) and len(digest) == 32 and any(digest):
            keys.append(f"biometric:{digest.hex()}")
    return keys
