"""From a YAML value to a model, with errors that say where, what and what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args

import pycountry
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from hueandcry.control.network.models import TopicName, User
from hueandcry.control.network.places import Document, Path_, Place, Problem
from hueandcry.rights import network as rights

M = TypeVar("M", bound=BaseModel)


def _pattern(annotated: Any) -> str:
    return next(meta.pattern for meta in get_args(annotated)[1].metadata if getattr(meta, "pattern", None))


def _pattern_of(model: type[BaseModel], name: str) -> str:
    return next(meta.pattern for meta in model.model_fields[name].metadata if getattr(meta, "pattern", None))


_USER = "a user name has letters, digits, and . _ - after the first"
_PATTERNS = {
    _pattern(User): _USER,
    _pattern(TopicName): "small letters and digits, with .<region> or .<agency> where there is one topic for each",
    _pattern_of(rights.Agency, "scram_user"): _USER,
    _pattern_of(rights.SigningKey, "public_key"): "32 bytes in base64: 43 characters and =",
    _pattern_of(rights.SigningKey, "key_id"): "letters, digits and . _ : -, at most 64",
    _pattern(rights.Slug): "small letters, digits and hyphens, at most 48, such as `fra-police`",
    _pattern(rights.State): "a state is written with three capital letters (ISO 3166-1 alpha-3), such as NOR",
    _pattern(
        rights.Jurisdiction
    ): "a jurisdiction is `world`, a region, a state such as NOR or a subdivision such as CA-ON",
}


@dataclass(frozen=True)
class Entry(Generic[M]):
    """One checked thing and where it is written."""

    value: M
    document: Document
    path: Path_

    def place(self, *inside: str | int) -> Place:
        """Place of a field of it, or of the whole."""
        return self.document.place((*self.path, *inside))


def meant(word: object, known: Iterable[str]) -> str:
    """ "; did you mean `x`?" for the nearest known word, or nothing where none is near."""
    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.6)
    return f"; did you mean `{near[0]}`?" if near else ""


def state_hint(word: object) -> str:
    """What to write for a state that isn't one: the three letters of a two-letter code or a name."""
    text = str(word).strip()
    country = pycountry.countries.get(alpha_2=text.upper()) or pycountry.countries.get(name=text)
    return f"; for {country.name} write {country.alpha_3}" if country else ""


def validate(model: type[M], document: Document, path: Path_, data: Any, problems: list[Problem]) -> Entry[M] | None:
    """The entry at `path`; None, with every fault added to `problems`, where it does not fit its model."""
    if not isinstance(data, Mapping):
        problems.append(Problem(document.place(path), f"expected fields such as `{_fields(model)[0]}: …` here"))
        return None
    try:
        return Entry(model.model_validate(data), document, path)
    except ValidationError as error:
        for detail in error.errors():
            location = tuple(part for part in detail["loc"] if isinstance(part, str | int))
            where = (*path, *location)
            problems.append(
                Problem(document.place(where), _message(model, location, detail, document.words.get(where)))
            )
        return None


def _fields(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _message(model: type[BaseModel], location: Path_, detail: ErrorDetails, word: str | None) -> str:
    name, given, kind = _dotted(location), detail["input"], detail["type"]
    if word is not None:
        return (
            f"{name}: {word} without quotes means {str(given).lower()} in YAML{state_hint(word)}; "
            f'if the text is meant, write "{word}"'
        )
    if kind == "extra_forbidden":
        return f"unknown field `{name}`{meant(location[-1], _fields(model))}"
    if kind == "missing":
        return f"field `{name}` is missing"
    if kind == "literal_error":
        known = [
            word.strip().strip("'") for word in detail.get("ctx", {})["expected"].replace(" or ", ", ").split(", ")
        ]
        return f"{name}: `{given}` is not one of {', '.join(known)}{meant(given, known)}"
    if kind == "string_pattern_mismatch":
        pattern = detail.get("ctx", {})["pattern"]
        hint = state_hint(given) if pattern == _pattern(rights.State) else ""
        return f"{name}: `{given}` does not fit: {_PATTERNS.get(pattern, pattern)}{hint}"
    if kind == "string_type":
        return f"{name}: expected text, found {_sort(given)}: put it in quotes if it is meant so"
    if kind == "tuple_type":
        return f"{name}: expected a list, such as [{given}]"
    message = detail["msg"].removeprefix("Value error, ")
    return f"{name}: {message[:1].lower()}{message[1:]}"


def _dotted(location: Path_) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _sort(value: object) -> str:
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "fields"}
    return (
        "nothing" if value is None else names.get(type(value), "a date" if hasattr(value, "year") else "another type")
    )
