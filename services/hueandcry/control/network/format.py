"""One form for the files of topics/: `python -m hueandcry.control.network.format [--check] FOLDER...`.

Two spaces a level, fields in the order of their model, lists of words in brackets and wrapped at 120 columns, lists of
entries one below the other, LF, one newline at the end, no blank lines. Comments on a line of their own stay above what
they were above, others behind it. What a file means never changes: that is checked before it is written.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import yaml

from hueandcry.control.network.load import SECTIONS, Section
from hueandcry.control.network.places import Place, Problem, read
from hueandcry.errors import NetworkError

_WIDTH = 120


@dataclass
class _Comments:
    """Comments by line (from 0): `own` stand on a line of their own, `behind` after something."""

    own: dict[int, str]
    behind: dict[int, str]

    def take_own(self, before: int) -> list[str]:
        """Those above this line that have not been taken yet."""
        lines = [line for line in sorted(self.own) if line < before]
        return [self.own.pop(line) for line in lines]


def formatted(text: str, section: Section) -> str:
    """The text in its one form.

    Raises:
        NetworkError: it can't be put so: not YAML, or a comment inside brackets.
    """
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        comments = _comments(text)
    except yaml.YAMLError as error:
        raise NetworkError(f"not YAML: {getattr(error, 'problem', error)}") from None
    lines: list[str] = []
    if node is not None:
        lines += _block(node, 0, comments, section, top=bool(section.key))
    lines += comments.take_own(sys.maxsize)
    if comments.behind:
        line = min(comments.behind) + 1
        raise NetworkError(f"line {line}: a comment inside a list in brackets would be lost: put it above the list")
    result = "\n".join(lines) + "\n" if lines else ""
    if yaml.safe_load(result) != yaml.safe_load(text):
        raise NetworkError("can't be formatted without changing what it says: write it more simply")
    return result


def _comments(text: str) -> _Comments:
    """All comments; a # inside a value isn't one."""
    ends: dict[int, int] = {}
    inside: set[int] = set()
    for token in yaml.scan(text, yaml.SafeLoader):
        if isinstance(token, yaml.ScalarToken):
            inside.update(range(token.start_mark.line + 1, token.end_mark.line))
        if token.end_mark.index > token.start_mark.index:
            ends[token.end_mark.line] = max(ends.get(token.end_mark.line, 0), token.end_mark.column)
    own: dict[int, str] = {}
    behind: dict[int, str] = {}
    for number, line in enumerate(text.splitlines()):
        rest = line[ends.get(number, 0) :].strip()
        if number not in inside and rest.startswith("#"):
            (behind if number in ends else own)[number] = rest
    return _Comments(own, behind)


def _block(node: yaml.Node, indent: int, comments: _Comments, section: Section, *, top: bool = False) -> list[str]:
    """Lines of a mapping or of a list of entries."""
    pad = " " * indent
    if isinstance(node, yaml.MappingNode):
        pairs = [(_above(key, pad, comments), key, value) for key, value in node.value]
        chunks = [(key.value, [*above, *_pair(key, value, indent, comments, section)]) for above, key, value in pairs]
        if not top:
            chunks.sort(key=lambda chunk: _rank(section, chunk[0]))
        return [line for _, chunk in chunks for line in chunk]
    lines: list[str] = []
    for item in node.value:
        lines += _above(item, pad, comments)
        inner = (
            _block(item, indent + 2, comments, section) if isinstance(item, yaml.CollectionNode) else [_scalar(item)]
        )
        first = next((number for number, line in enumerate(inner) if not line.lstrip().startswith("#")), 0)
        lines += [line[2:] for line in inner[:first]]
        lines += [f"{pad}- {inner[first].lstrip()}", *inner[first + 1 :]]
    return lines


def _above(node: yaml.Node, pad: str, comments: _Comments) -> list[str]:
    return [pad + comment for comment in comments.take_own(node.start_mark.line)]


def _pair(key: yaml.ScalarNode, value: yaml.Node, indent: int, comments: _Comments, section: Section) -> Iterator[str]:
    head = f"{' ' * indent}{_scalar(key)}:"
    behind = comments.behind.pop(value.end_mark.line if isinstance(value, yaml.ScalarNode) else key.start_mark.line, "")
    if not behind and isinstance(value, yaml.SequenceNode) and value.flow_style:
        behind = comments.behind.pop(value.end_mark.line, "")
    tail = f"  {behind}" if behind else ""
    if isinstance(value, yaml.ScalarNode):
        yield f"{head} {_scalar(value)}".rstrip() + tail
    elif isinstance(value, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in value.value):
        words = ", ".join(_scalar(item) for item in value.value)
        if len(f"{head} [{words}]{tail}") <= _WIDTH:
            yield f"{head} [{words}]{tail}"
            return
        yield head + tail
        yield f"{' ' * (indent + 2)}["
        inner = " " * (indent + 4)
        yield from textwrap.wrap(
            words + ",",
            _WIDTH,
            initial_indent=inner,
            subsequent_indent=inner,
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield f"{' ' * (indent + 2)}]"
    elif value.value:
        yield head + tail
        # Below the first level stand free mappings, such as a topic's `config`: in their own order.
        yield from _block(value, indent + 2, comments, section, top=not isinstance(value, yaml.SequenceNode))
    else:
        yield f"{head} {{}}{tail}"


def _scalar(node: yaml.Node) -> str:
    """A scalar as it was written, on one line; quotes are double where they can be."""
    text = str(node.value)
    if isinstance(node, yaml.ScalarNode) and node.style is None and "\n" not in text:
        return text
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=sys.maxsize).rstrip("\n")


def _rank(section: Section, name: str) -> int:
    order = [info.alias or field for field, info in section.model.model_fields.items()]
    return order.index(name) if name in order else len(order)


def _section(folder: Path, file: Path) -> Section | None:
    name = file.relative_to(folder).as_posix()
    return next((section for section in SECTIONS if fnmatch(name, section.files)), None)


def check_folder(folder: Path, *, rewrite: bool) -> list[Problem]:
    """What is not in its one form; with `rewrite` it is put so, and only what can't be is returned."""
    problems: list[Problem] = []
    if not folder.is_dir():
        return [Problem(Place(folder, 1, 1), "no such folder")]
    for file in sorted(folder.rglob("*.yaml")):
        section = _section(folder, file)
        if section is None or read(file, problems) is None:
            continue
        before = file.read_bytes()
        try:
            after = formatted(before.decode(), section).encode()
        except NetworkError as error:
            problems.append(Problem(Place(file, 1, 1), str(error)))
            continue
        if after == before:
            continue
        if rewrite:
            file.write_bytes(after)
            continue
        problems.append(Problem(_first_difference(file, before, after), "not in the usual form"))
    return problems


def _first_difference(file: Path, before: bytes, after: bytes) -> Place:
    old, new = before.split(b"\n"), after.split(b"\n")
    same = next((number for number, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), None)
    return Place(file, min(len(old), len(new)) if same is None else same + 1, 1)


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 all in form, 1 something isn't or can't be."""
    parser = argparse.ArgumentParser(prog="python -m hueandcry.control.network.format", description="Format topics/.")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--check", action="store_true", help="only say what isn't in form")
    options = parser.parse_args(arguments)
    problems = [problem for folder in options.folders for problem in check_folder(folder, rewrite=not options.check)]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems and options.check:
        print(f"Put right with: {parser.prog} {' '.join(map(str, options.folders))}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
