"""JSON as adapters read it: UTF-8, -16 or -32, bounded, and without what readers may take in two ways.

A key that is twice in one object has no one meaning (RFC 8259, section 4): the object is marked, so that an adapter
refuses that one and takes the others. NaN, Infinity and numbers beyond a double are no JSON for us.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from hueandcry.adapters.reading import LARGEST

#: Deepest nesting that an adapter follows.
DEEPEST = 100
#: Most objects and lists, and most commas: what bounds the memory that a document takes once it is read.
MOST_CONTAINERS = 1_000_000
MOST_COMMAS = 4_000_000


class Ambiguous(dict[str, Any]):
    """An object in which a key was twice."""

    repeated = ""


class Json(NamedTuple):
    """A document, and whether an object in it is ambiguous."""

    value: Any
    ambiguous: bool


class NotJson(Exception):
    """The bytes are no JSON that can be taken; says where and why, never with a value."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


def load(data: bytes) -> Json:
    """The document.

    Raises:
        NotJson: too large or deep, in no Unicode encoding, not JSON, or with a number that is none.
    """
    if len(data) > LARGEST:
        raise NotJson("size.limit", f"has {len(data):,} bytes; {LARGEST:,} are the most: split it")
    if data.count(b"{") + data.count(b"[") > MOST_CONTAINERS or data.count(b",") > MOST_COMMAS:
        raise NotJson("size.limit", f"has too many parts; {MOST_CONTAINERS:,} objects and lists are the most: split it")
    try:
        text = data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise NotJson("json.utf8", f"byte {error.start + 1} is not UTF-8; save it as UTF-8") from None
    marked: list[Ambiguous] = []

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        ambiguous = Ambiguous(found)
        keys = [key for key, _ in pairs]
        ambiguous.repeated = next(key for key in keys if keys.count(key) > 1)
        marked.append(ambiguous)
        return ambiguous

    try:
        value = json.loads(text, object_pairs_hook=build, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        ends = " (half-written?)" if error.pos >= len(text.rstrip()) else ""
        raise NotJson(
            "json.syntax", f"is not JSON at line {error.lineno}, column {error.colno}: {error.msg}{ends}"
        ) from None
    except RecursionError:
        raise NotJson("json.depth", f"is nested too deep; {DEEPEST} levels are the most") from None
    except ValueError:
        raise NotJson(
            "json.number", "has a number that means nothing here, such as NaN or one of many digits"
        ) from None
    if _deeper_than(value, DEEPEST):
        raise NotJson("json.depth", f"is nested too deep; {DEEPEST} levels are the most")
    return Json(value, bool(marked))


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _deeper_than(value: Any, levels: int) -> bool:
    """Level by level, without recursion."""
    layer = [value]
    for _ in range(levels):
        layer = [child for item in layer for child in _children(item) if isinstance(child, dict | list)]
        if not layer:
            return False
    return True


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from cast("dict[str, Any]", value).values()
    elif isinstance(value, list):
        yield from cast("list[Any]", value)


def ambiguity(value: Any, pointer: str) -> tuple[str, str] | None:
    """Pointer and key of the first ambiguous object in a value, or None."""
    stack: list[tuple[str, Any]] = [(pointer, value)]
    while stack:
        where, item = stack.pop()
        if isinstance(item, Ambiguous):
            return where, item.repeated
        if isinstance(item, dict):
            stack.extend((f"{where}/{escaped(key)}", each) for key, each in cast("dict[str, Any]", item).items())
        elif isinstance(item, list):
            stack.extend((f"{where}/{at}", each) for at, each in enumerate(cast("list[Any]", item)))
    return None


def escaped(key: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901); one that is not plain may hold anything and is not repeated."""
    if len(key) > 64 or not key.isascii() or not key.isprintable():
        return "(a key that is not plain)"
    return key.replace("~", "~0").replace("/", "~1")


def records(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; none where it is no list."""
    return [each for each in cast("list[Any]", value) if isinstance(each, dict)] if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """The texts of a list; none where it is no list."""
    return [each for each in cast("list[Any]", value) if isinstance(each, str)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """A text; empty where it is none."""
    return value if isinstance(value, str) else ""
