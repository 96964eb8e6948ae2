"""YAML with places: what is written, and in which line and column.

Plain YAML only: no anchors, aliases, tags or merge keys, and no key twice, so that a file means what a reader sees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hueandcry.errors import NetworkError

#: Where a value lies inside a document: field names and list indexes.
Path_ = tuple["str | int", ...]

#: Words that YAML 1.1 takes for a boolean, and a reader may have meant as text: NO is also Norway.
_BOOLEAN_WORDS = {"yes", "no", "on", "off", "y", "n"}


@dataclass(frozen=True, order=True)
class Place:
    """A place in a file; line and column count from 1."""

    file: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in the files."""

    place: Place | None
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class NetworkFilesError(NetworkError):
    """The files are wrong. `problems` has every fault that was found, in the order of the files."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(
            sorted(problems, key=lambda problem: (problem.place is None, problem.place or _NOWHERE, problem.message))
        )
        super().__init__("\n".join(map(str, self.problems)))


_NOWHERE = Place(Path(), 0, 0)


@dataclass
class Document:
    """A parsed file: its data as plain Python values, and the place of each value and each key.

    Attributes:
        words: for values that YAML read as a boolean although a word was written, that word.
    """

    file: Path
    data: Any = None
    places: dict[Path_, Place] = field(default_factory=dict)
    words: dict[Path_, str] = field(default_factory=dict)

    def place(self, path: Path_) -> Place:
        """Place of the value at `path`, or of the nearest value around it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(self.file, 1, 1))


def read(file: Path, problems: list[Problem]) -> Document | None:
    """Parse one file. None, with the reasons added to `problems`, where it can't be read."""
    document = Document(file)
    try:
        text = file.read_text(encoding="utf-8")
        loader = yaml.SafeLoader(text)
        for token in yaml.scan(text):
            if isinstance(token, yaml.AnchorToken | yaml.AliasToken | yaml.TagToken):
                mark = token.start_mark
                problems.append(
                    Problem(_place(file, mark), "anchors, aliases and tags are not used here: write it out")
                )
                return None
        node = loader.get_single_node()
        if node is not None:
            document.data = _value(loader, node, (), document, problems)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.append(Problem(_place(file, mark) if mark else Place(file, 1, 1), f"not YAML: {error.problem}"))
        return None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problems.append(Problem(Place(file, 1, 1), f"not YAML in UTF-8: {type(error).__name__}"))
        return None
    except OSError as error:
        problems.append(Problem(Place(file, 1, 1), f"can't be read: {error.strerror}"))
        return None
    return document


def _place(file: Path, mark: yaml.Mark) -> Place:
    return Place(file, mark.line + 1, mark.column + 1)


def _value(loader: yaml.SafeLoader, node: yaml.Node, path: Path_, into: Document, problems: list[Problem]) -> Any:
    into.places[path] = _place(into.file, node.start_mark)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*path, index), into, problems) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, into, problems)
    return _scalar(loader, node, path, into, problems)


def _mapping(
    loader: yaml.SafeLoader, node: yaml.MappingNode, path: Path_, into: Document, problems: list[Problem]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    first: dict[str, Place] = {}
    for key_node, value_node in node.value:
        place = _place(into.file, key_node.start_mark)
        if not isinstance(key_node, yaml.ScalarNode) or key_node.tag != "tag:yaml.org,2002:str":
            word = key_node.value if isinstance(key_node, yaml.ScalarNode) else "this key"
            problems.append(Problem(place, f"`{word}` is not read as text: put it in quotes"))
            continue
        key = str(key_node.value)
        if key in found:
            problems.append(Problem(place, f"`{key}` is given twice; first at {first[key]}"))
            continue
        first[key] = place
        found[key] = _value(loader, value_node, (*path, key), into, problems)
    return found


def _scalar(loader: yaml.SafeLoader, node: yaml.Node, path: Path_, into: Document, problems: list[Problem]) -> Any:
    try:
        value = loader.construct_object(node)
    except ValueError as error:  # a timestamp such as 2026-02-31
        problems.append(Problem(into.places[path], f"`{node.value}` is no value: {error}"))
        return None
    if isinstance(value, bool) and str(node.value).lower() in _BOOLEAN_WORDS:
        into.words[path] = str(node.value)
    return value
