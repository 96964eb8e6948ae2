"""STIX patterns: whether one is sound, and which indicators it is made of.

An indicator is taken out of a pattern only where seeing it alone is enough for the pattern: comparisons for equality,
IN, or ISSUBSET, joined by OR. Where a pattern asks for more (AND, NOT, FOLLOWEDBY, a qualifier) nothing is taken
out, since a part of it would accuse what the whole does not. The pattern itself is always kept as it was written.
Grammar: STIX 2.1 section 9, STIX 2.0 part 5, by the library stix2-patterns.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Any, NamedTuple

from stix2patterns.exceptions import ParseException  # pyright: ignore[reportMissingTypeStubs]
from stix2patterns.v20.pattern import Pattern as Pattern20  # pyright: ignore[reportMissingTypeStubs]
from stix2patterns.v21.pattern import Pattern as Pattern21  # pyright: ignore[reportMissingTypeStubs]

from hueandcry.identity.pattern import indicator_type, simple_comparison

#: Longest pattern that is parsed; a longer one is in no feed that we know.
LONGEST = 4_096

_STRING = re.compile(r"'(?:\\.|[^'\\])*'", re.DOTALL)
_TOGETHER = re.compile(r"\b(AND|NOT|FOLLOWEDBY|WITHIN|REPEATS|START|STOP)\b")
#: Paths whose value is an address of which only the value says the family.
_ADDRESSES = re.compile(
    r"(?:network-traffic:(?:src|dst)_ref|domain-name:resolves_to_refs\[(?:\*|\d+)\])\.value", re.ASCII
)
_SENDERS = re.compile(r"email-message:(?:from|sender)_ref\.value", re.ASCII)


class Taken(NamedTuple):
    """What a pattern holds.

    Attributes:
        indicators: type and value, as written, of each indicator that alone fulfils the pattern.
        kept: paths of the comparisons that stay in the pattern only.
    """

    indicators: tuple[tuple[str, str], ...]
    kept: tuple[str, ...]


class NotAPattern(Exception):
    """The text is no STIX pattern; the message says where, without it."""


@lru_cache(maxsize=4096)
def take(pattern: str) -> Taken:
    """The indicators of a pattern.

    Raises:
        NotAPattern: it is not sound, or longer than LONGEST.
    """
    if simple := simple_comparison(pattern):
        return Taken((simple,), ())
    if len(pattern) > LONGEST:
        raise NotAPattern(f"is longer than {LONGEST:,} characters")
    comparisons = _comparisons(pattern)
    together = _TOGETHER.search(_STRING.sub("''", pattern)) is not None
    found: list[tuple[str, str]] = []
    kept: list[str] = []
    for name, tests in comparisons.items():
        for steps, operator, value in tests:
            path = f"{name}:{_path(steps)}"
            taken = [] if together else _indicators(path, str(operator), value)
            found += taken
            if not taken:
                kept.append(path)
    return Taken(tuple(dict.fromkeys(found)), tuple(kept))


def _comparisons(pattern: str) -> dict[str, Any]:
    """By the grammar of 2.1, else by that of 2.0."""
    problem = ""
    for parser in (Pattern21, Pattern20):
        try:
            inspected: Any = parser(pattern).inspect()
            return inspected.comparisons
        except ParseException as error:
            problem = problem or _place(str(error))
        except (RecursionError, LookupError, ValueError, AttributeError, TypeError):
            problem = problem or "it can't be parsed"
    raise NotAPattern(f"is no STIX pattern: {problem}")


def _place(text: str) -> str:
    found = re.match(r"(\d+):(\d+)", text)
    return f"an error at line {found[1]}, column {found[2]}" if found else "it can't be parsed"


def _path(steps: list[Any]) -> str:
    path = ""
    for step in steps:
        if isinstance(step, str) and step != "*":
            path += f".{step}" if path else step
        else:
            path += f"[{'*' if not isinstance(step, int) else step}]"
    return path


def _indicators(path: str, operator: str, value: Any) -> list[tuple[str, str]]:
    """Of one comparison; empty where it is none that alone tells."""
    literals = _literals(value) if operator in ("=", "==", "IN", "ISSUBSET") else []
    if path == "autonomous-system:number":
        return [("asn", f"AS{each}") for each in literals if each.isascii() and each.isdigit()]
    if _ADDRESSES.fullmatch(path):
        return [(family, each) for each in literals if (family := _family(each))]
    kind = "email" if _SENDERS.fullmatch(path) else indicator_type(path)
    if kind is None or (operator == "ISSUBSET" and kind not in ("ipv4", "ipv6")):
        return []
    return [(kind, each) for each in literals if each.strip()]


def _literals(value: Any) -> list[str]:
    """The literals of a comparison; of strings, what they stand for."""
    text = str(value)
    strings = _STRING.findall(text)
    if strings:
        return [re.sub(r"\\(.)", r"\1", each[1:-1], flags=re.DOTALL) for each in strings]
    return [each.strip() for each in text.strip("()").split(",") if each.strip()]


def _family(value: str) -> str | None:
    try:
        return f"ipv{ipaddress.ip_network(value, strict=False).version}"
    except ValueError:
        return "domain" if "." in value else None


def quoted(value: str) -> str:
    """A text as a string of a pattern."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
