"""What of an XML document has been taken, so that the rest can be told as losses, element by element."""

from __future__ import annotations

from typing import Any

from hueandcry.adapters.sheet import Sheet
from hueandcry.adapters.xml_text import child, children, local, words

#: Attributes that refer or frame, and say nothing of a subject.
_DEEP = 6


class Leaves:
    """The elements of a document that carry text, of which an adapter takes some."""

    def __init__(self, root: Any) -> None:
        self._root = root
        # The elements themselves are kept: lxml makes a new proxy for one that nobody holds, with another id.
        self._taken: dict[int, Any] = {}

    def take(self, element: Any) -> str:
        """The text of an element, taken; empty where there is none."""
        if element is None:
            return ""
        self._taken[id(element)] = element
        return words(element)

    def say(self, element: Any, *names: str) -> str:
        """The text at a path of names, taken."""
        return self.take(child(element, *names)) if element is not None else ""

    def first(self, element: Any, *paths: tuple[str, ...]) -> str:
        """The first text that one of these paths has, taken."""
        for path in paths:
            if found := self.say(element, *path):
                return found
        return ""

    def drop(self, element: Any) -> None:
        """An element with all inside is a frame, or told otherwise: no loss."""
        for each in element.iter():
            self._taken[id(each)] = each

    def lose_rest(self, sheet: Sheet, within: Any = None) -> None:
        """Every element with text that was not taken is a loss."""
        for element in (self._root if within is None else within).iter():
            if not local(element) or id(element) in self._taken or next(children(element), None) is not None:
                continue
            if words(element):
                message = "an alert has no field for it"
                sheet.lose(path(element), local(element), "no_field", message)


def path(element: Any) -> str:
    """The last names on the way to an element, and its line."""
    names = [local(element)]
    above = element.getparent()
    while above is not None and len(names) < _DEEP:
        names.append(local(above))
        above = above.getparent()
    return f"/{'/'.join(reversed(names))} (line {element.sourceline})"
