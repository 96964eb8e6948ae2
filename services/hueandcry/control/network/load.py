"""Read topics/ and its overlays into one checked value."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from hueandcry.control.network import checks
from hueandcry.control.network.entries import Entry, meant, validate
from hueandcry.control.network.models import (
    AgencySpec,
    Coalition,
    NetworkSpec,
    QuotaClass,
    ServiceSpec,
    Sizing,
    TopicTemplate,
)
from hueandcry.control.network.places import Document, NetworkFilesError, Place, Problem, read
from hueandcry.rights.network import Network, Region, SigningKey, Subscription


@dataclass(frozen=True)
class Section:
    """Which files hold what. `key` is the list's name in the file; empty where a file holds one entry.

    Attributes:
        identifier: field that names an entry.
        needed: whether at least one must be there.
    """

    kind: str
    files: str
    key: str
    model: type[BaseModel]
    identifier: str
    needed: bool = True


SECTIONS = (
    Section("region", "regions.yaml", "regions", Region, "id"),
    Section("coalition", "coalitions.yaml", "coalitions", Coalition, "id", needed=False),
    Section("agency", "agencies/*.yaml", "", AgencySpec, "id"),
    Section("key", "keys/*.yaml", "keys", SigningKey, "key_id", needed=False),
    Section("subscription", "subscriptions/*.yaml", "subscriptions", Subscription, "id", needed=False),
    Section("topic", "topics.yaml", "topics", TopicTemplate, "name"),
    Section("quota class", "quotas.yaml", "quotas", QuotaClass, "id"),
    Section("service", "services.yaml", "services", ServiceSpec, "user", needed=False),
    Section("sizing", "sizing.yaml", "", Sizing, "", needed=False),
)


@dataclass
class Found:
    """What the files hold, by kind and id, as far as each entry is sound in itself."""

    by_kind: dict[str, dict[str, Entry[Any]]] = field(default_factory=lambda: {s.kind: {} for s in SECTIONS})

    def of(self, kind: str) -> dict[str, Entry[Any]]:
        """Entries of a kind, by id."""
        return self.by_kind[kind]

    def values(self, kind: str) -> dict[str, Any]:
        """Models of a kind, by id."""
        return {name: entry.value for name, entry in self.by_kind[kind].items()}


def load_network(*folders: Path) -> NetworkSpec:
    """Read the network from one folder or several; the later ones add to the first (keys, sizing, further agencies).

    Raises:
        NetworkFilesError: with every problem found, each with file, line and column.
    """
    problems: list[Problem] = []
    found = Found()
    incomplete: set[str] = set()
    for folder in folders:
        incomplete |= _read_folder(Path(folder), found, problems)
    for section in SECTIONS:
        if section.needed and not found.of(section.kind) and section.kind not in incomplete:
            problems.append(Problem(None, f"no {section.kind} in {section.files} of {', '.join(map(str, folders))}"))
            incomplete.add(section.kind)
    checks.check(found.by_kind, problems, incomplete)
    if problems:
        raise NetworkFilesError(problems)
    agencies: dict[str, AgencySpec] = found.values("agency")
    return NetworkSpec(
        network=Network(
            regions=found.values("region"),
            agencies={name: spec.agency() for name, spec in agencies.items()},
            keys=found.values("key"),
            subscriptions=found.values("subscription"),
        ),
        agencies=agencies,
        coalitions=found.values("coalition"),
        topics=found.values("topic"),
        quotas=found.values("quota class"),
        services=found.values("service"),
        sizing=found.values("sizing").get("", Sizing()),
    )


def _read_folder(folder: Path, found: Found, problems: list[Problem]) -> set[str]:
    """Add a folder's entries to `found`. Returns the kinds of which something could not be read."""
    if not folder.is_dir():
        problems.append(Problem(Place(folder, 1, 1), "no such folder"))
        return {section.kind for section in SECTIONS}
    incomplete: set[str] = set()
    known: set[Path] = set()
    for section in SECTIONS:
        before = len(problems)
        for file in sorted(folder.glob(section.files)):
            known.add(file)
            document = read(file, problems)
            if document is not None:
                _read_document(section, document, found, problems)
        if len(problems) > before:
            incomplete.add(section.kind)
    for file in sorted({*folder.glob("*.y*ml"), *folder.glob("*/*.y*ml")} - known):
        names = [section.files for section in SECTIONS]
        name = str(file.relative_to(folder))
        problems.append(Problem(Place(file, 1, 1), f"no file of the network{meant(name, names)}"))
    return incomplete


def _read_document(section: Section, document: Document, found: Found, problems: list[Problem]) -> None:
    data = document.data
    if not section.key:
        _add(section, document, (), data, found, problems)
        return
    if not isinstance(data, dict):
        problems.append(Problem(document.place(()), f"expected `{section.key}:` and a list"))
        return
    for name in data:
        if name != section.key:
            hint = meant(name, [section.key]) or f"; this file holds `{section.key}`"
            problems.append(Problem(document.place((name,)), f"unknown field `{name}`{hint}"))
    entries = data.get(section.key)
    if entries is None or entries == []:
        return
    if not isinstance(entries, list):
        problems.append(Problem(document.place((section.key,)), f"`{section.key}` must be a list of entries"))
        return
    for index, entry in enumerate(entries):
        _add(section, document, (section.key, index), entry, found, problems)


def _add(
    section: Section, document: Document, path: tuple[str | int, ...], data: Any, found: Found, problems: list[Problem]
) -> None:
    entry = validate(section.model, document, path, data, problems)
    if entry is None:
        return
    name = str(getattr(entry.value, section.identifier)) if section.identifier else ""
    entries = found.of(section.kind)
    if name in entries:
        subject = f"{section.kind} `{name}`" if name else section.kind
        problems.append(
            Problem(entry.place(section.identifier), f"{subject} is given twice; first at {entries[name].place()}")
        )
        return
    entries[name] = entry
