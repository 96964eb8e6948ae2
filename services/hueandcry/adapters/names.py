"""Names of persons as other formats write them, taken apart into family and given names."""

from __future__ import annotations


def parted(name: str) -> tuple[dict[str, str], bool]:
    """An identity's names, and whether it was said which is which.

    "FAMILY, GIVEN" says so. Of other names the last word is taken for the family name.
    """
    tidy = " ".join(name.split())
    family, comma, given = (part.strip() for part in tidy.partition(","))
    if not comma:
        given, _, family = tidy.rpartition(" ")
    return _identity(family or given, given if family else ""), bool(comma)


def _identity(family: str, given: str) -> dict[str, str]:
    """In Latin script; a name in another stands in `original`, as the platform transliterates it."""
    if any(character.isalpha() and not _is_latin(character) for character in family + given):
        return {"family": "", "original": f"{family} {given}".strip()}
    return {"family": family, **({"given": given} if given else {})}


def identity(family: str, given: str, *, kind: str) -> dict[str, str]:
    """An identity of a kind (confirmed, unconfirmed, alias) of names that the source keeps apart."""
    return {"type": kind, **_identity(" ".join(family.split()), " ".join(given.split()))}


def _is_latin(character: str) -> bool:
    return character < "\u0250" or "\u1e00" <= character < "\u1f00"
