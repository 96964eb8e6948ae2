"""XML as adapters read it: no document type, so no entities; bounded in size, depth and number of elements.

What carries a DOCTYPE is refused before anything of it is used: neither CAP nor NIEM ever needs one, and every known
bomb (entities in entities, external entities, huge DTDs) begins with it. Expat looks first, since it stops at the
declaration; lxml then builds the tree, without network, DTD or entities, since signatures are checked on its tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Never
from xml.parsers import expat

from lxml import etree

from hueandcry.adapters.reading import LARGEST

DEEPEST = 100
MOST_ELEMENTS = 1_000_000
_CHUNK = 1 << 20


class NotXml(Exception):
    """The bytes are no XML that can be taken; says where and why, never with a value."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


class _Guard:
    """What expat tells, counted."""

    def __init__(self) -> None:
        self.depth = 0
        self.elements = 0

    def doctype(self, *_: Any) -> Never:
        raise NotXml("xml.doctype", "has a document type (DOCTYPE), which may hide a bomb; leave it out")

    def start(self, _name: str, _attributes: Any) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > DEEPEST:
            raise NotXml("xml.depth", f"is nested too deep; {DEEPEST} levels are the most")
        if self.elements > MOST_ELEMENTS:
            raise NotXml("size.limit", f"has too many elements; {MOST_ELEMENTS:,} are the most")

    def end(self, _name: str) -> None:
        self.depth -= 1


def parse(data: bytes) -> Any:
    """The root element, an lxml element.

    Raises:
        NotXml: too large, deep or many, with a document type, in an unknown encoding, or not well-formed.
    """
    if len(data) > LARGEST:
        raise NotXml("size.limit", f"has {len(data):,} bytes; {LARGEST:,} are the most: split it")
    guard = _Guard()
    reader = expat.ParserCreate()
    reader.buffer_text = True
    reader.StartDoctypeDeclHandler = guard.doctype
    reader.StartElementHandler = guard.start
    reader.EndElementHandler = guard.end
    try:
        for start in range(0, len(data), _CHUNK):
            reader.Parse(data[start : start + _CHUNK])
        reader.Parse(b"", True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code) or "not well-formed"
        raise NotXml("xml.syntax", f"is not XML at line {error.lineno}, column {error.offset + 1}: {reason}") from None
    except (LookupError, ValueError):
        raise NotXml("xml.charset", "is in an encoding that is not known; save it as UTF-8") from None
    builder = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=False, remove_pis=False,
    )  # fmt: skip
    try:
        return etree.fromstring(data, builder)
    except etree.XMLSyntaxError as error:
        line = error.position[0] if error.position else 1
        raise NotXml("xml.syntax", f"is not XML at line {line}") from None


def local(element: Any) -> str:
    """The name of an element without its namespace; empty for comments and processing instructions."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def namespace(element: Any) -> str:
    """The namespace of an element; empty where it has none."""
    return element.tag[1:].partition("}")[0] if isinstance(element.tag, str) and element.tag[:1] == "{" else ""


def children(element: Any, name: str | None = None) -> Iterator[Any]:
    """The child elements, or those of a name, whatever their namespace."""
    for child in element:
        if (found := local(child)) and (name is None or found == name):
            yield child


def child(element: Any, *names: str) -> Any:
    """The first element by a path of names, whatever their namespaces; None where there is none."""
    here = element
    for name in names:
        here = next(children(here, name), None)
        if here is None:
            return None
    return here


def words(element: Any) -> str:
    """The text of an element without blanks at its ends and with single ones inside; empty where it has none."""
    return " ".join((element.text or "").split()) if element is not None else ""


def say(element: Any, *names: str) -> str:
    """The text at a path of names; empty where it is not there."""
    return words(child(element, *names))


def where(element: Any) -> str:
    """Name and line of an element."""
    return f"{local(element)} (line {element.sourceline})"
