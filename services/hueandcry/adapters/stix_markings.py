"""Markings of STIX objects: the TLP that holds for all of an alert, and what can't be kept.

A marking that is not known, or not in the bundle, closes: the object is refused. Granular markings can't be kept part
by part, so the strictest of an object's parts holds for the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from hueandcry.adapters import tlp
from hueandcry.adapters.json_text import records, text, texts
from hueandcry.adapters.sheet import stricter


class Markings(NamedTuple):
    """What the markings of one object ask.

    Attributes:
        tlp: the strictest; None where none is stated.
        statements: markings that bind by words only; they have no field.
        granular: whether parts are marked, and the strictest holds for all.
        unknown: a marking that is not known or not there; the object must not be passed on.
    """

    tlp: str | None = None
    statements: int = 0
    granular: bool = False
    unknown: bool = False


def markings(item: Mapping[str, Any], definitions: Mapping[str, Mapping[str, Any]]) -> Markings:
    """Of an object. `definitions` are the marking definitions of the bundle by id."""
    whole = texts(item.get("object_marking_refs"))
    parts = [ref for each in records(item.get("granular_markings")) if (ref := text(each.get("marking_ref")))]
    found: list[str | None] = []
    statements = 0
    unknown = False
    for ref in (*whole, *parts):
        marking = tlp.BY_ID.get(ref) or _defined(definitions.get(ref))
        if marking == "statement":
            statements += 1
        elif marking is None:
            unknown = True
        else:
            found.append(marking)
    return Markings(stricter(*found), statements, bool(parts), unknown)


def _defined(definition: Mapping[str, Any] | None) -> str | None:
    """A TLP marking, `statement`, or None where it is neither."""
    if definition is None:
        return None
    inner: Any = definition.get("definition")
    extensions: Any = definition.get("extensions")
    if isinstance(extensions, dict):
        second: Any = cast("dict[str, Any]", extensions).get(tlp.EXTENSION)
        if isinstance(second, dict):
            return tlp.named(text(cast("dict[str, Any]", second).get("tlp_2_0")))
    kind = text(definition.get("definition_type"))
    if kind == "tlp" and isinstance(inner, dict):
        return tlp.named(text(cast("dict[str, Any]", inner).get("tlp")))
    return "statement" if kind == "statement" else None
