"""The registry's state: a fold of its topic, and the questions asked of it.

What always holds:
1. The state is a function of the records read, in their order. Nothing else changes it.
2. One id, one text: a record that gives a known id another text is left out and counted.
3. One text with the same references, one id, in however many subjects.
4. An id that was ever given is not given again (`highest_id`), as long as the topic or a NOOP after it remembers.
5. A soft-deleted version keeps its number, and its schema is still served by id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hueandcry.registry import records
from hueandcry.registry.errors import ApiError, schema_not_found, subject_not_found, version_not_found
from hueandcry.registry.records import Record, Reference
from hueandcry.registry.schemas import canonical


@dataclass(frozen=True)
class Version:
    """One registered version of a subject. `value` is the record as written, with fields that we don't know."""

    subject: str
    version: int
    id: int
    schema: str
    kind: str
    references: tuple[Reference, ...]
    deleted: bool
    value: Mapping[str, Any]

    @classmethod
    def of(cls, subject: str, version: int, value: Mapping[str, Any]) -> Version:
        kind = value.get("schemaType") or "AVRO"
        deleted = value.get("deleted") is True
        return cls(subject, version, value["id"], value["schema"], kind, records.references_of(value), deleted, value)


@dataclass(frozen=True)
class State:
    """Everything the topic says. Treat as immutable."""

    subjects: Mapping[str, Mapping[int, Version]] = field(default_factory=dict)
    by_id: Mapping[int, Version] = field(default_factory=dict)
    ids: Mapping[str, int] = field(default_factory=dict)
    levels: Mapping[str | None, str] = field(default_factory=dict)
    modes: Mapping[str | None, str] = field(default_factory=dict)
    highest_id: int = 0
    left_out: int = 0

    def names(self, *, deleted: bool = False) -> list[str]:
        """Subjects with a version that is not deleted; with `deleted`, all."""
        return sorted(
            s for s, versions in self.subjects.items() if any(deleted or not v.deleted for v in versions.values())
        )

    def versions(self, subject: str, *, deleted: bool = False) -> list[Version]:
        """A subject's versions, oldest first. Raises ApiError 40401."""
        found = [v for _, v in sorted(self.subjects.get(subject, {}).items()) if deleted or not v.deleted]
        if not found:
            raise subject_not_found(subject)
        return found

    def version(self, subject: str, number: int | None, *, deleted: bool = False) -> Version:
        """One version; None is the latest that is not deleted. Raises ApiError 40401, 40402."""
        found = self.versions(subject, deleted=deleted)
        if number is None:
            return found[-1]
        for one in found:
            if one.version == number:
                return one
        raise version_not_found(number)

    def schema(self, schema_id: int) -> Version:
        """The schema of an id, deleted or not. Raises ApiError 40403."""
        if schema_id not in self.by_id:
            raise schema_not_found()
        return self.by_id[schema_id]

    def uses(self, schema_id: int, *, deleted: bool = False) -> list[Version]:
        """The subjects and versions that have an id. Raises ApiError 40403."""
        self.schema(schema_id)
        everything = (v for versions in self.subjects.values() for v in versions.values())
        found = [v for v in everything if v.id == schema_id and (deleted or not v.deleted)]
        return sorted(found, key=lambda v: (v.subject, v.version))

    def lookup(self, subject: str, text: str, references: Iterable[Reference], *, deleted: bool = False) -> Version:
        """The version of a subject that has this canonical text. Raises ApiError 40401, 40403."""
        found = self.versions(subject, deleted=deleted)
        wanted = self.ids.get(digest(text, references))
        for one in reversed(found):
            if one.id == wanted:
                return one
        raise schema_not_found()

    def referenced_by(self, subject: str, version: int) -> list[Version]:
        """Versions, not deleted, that refer to this one."""
        everything = (v for versions in self.subjects.values() for v in versions.values())
        return [
            v
            for v in everything
            if not v.deleted and any((r.subject, r.version) == (subject, version) for r in v.references)
        ]

    def texts(self, references: Iterable[Reference]) -> list[str]:
        """The texts referred to, each after those that it needs itself. Raises ApiError 42201 where one is missing."""
        found: dict[tuple[str, int], str] = {}
        self._gather(references, found, set())
        return list(found.values())

    def _gather(
        self, references: Iterable[Reference], found: dict[tuple[str, int], str], open_: set[tuple[str, int]]
    ) -> None:
        for reference in references:
            at = (reference.subject, reference.version)
            if at in found or at in open_:
                continue
            version = self.subjects.get(reference.subject, {}).get(reference.version)
            if version is None:
                raise ApiError(
                    42201,
                    f"Invalid schema: no version {reference.version} of subject '{reference.subject}' to refer to",
                )
            self._gather(version.references, found, open_ | {at})
            found[at] = version.schema

    def level(self, subject: str | None, default: str) -> str:
        """The compatibility level in force."""
        return self.levels.get(subject) or self.levels.get(None) or default

    def mode(self, subject: str | None) -> str:
        return self.modes.get(subject) or self.modes.get(None) or "READWRITE"


def digest(text: str, references: Iterable[Reference] = ()) -> str:
    """What two registrations of one schema share: MD5 of canonical text and references. Not a safeguard, only a key."""
    hashed = hashlib.md5(text.encode(), usedforsecurity=False)
    for name, subject, version in references:
        hashed.update(f"\0{name}\0{subject}\0{version}".encode())
    return hashed.hexdigest()


def fold(state: State, entries: Iterable[Record]) -> State:
    """The state after these records. Pure: `state` is left as it was."""
    draft = _Draft(state)
    for entry in entries:
        draft.apply(entry)
    return draft.done()


class _Draft:
    """Copies of what changes, so that a batch of records costs one copy."""

    def __init__(self, state: State) -> None:
        self.subjects = dict(state.subjects)
        self.by_id = dict(state.by_id)
        self.ids = dict(state.ids)
        self.levels = dict(state.levels)
        self.modes = dict(state.modes)
        self.highest_id = state.highest_id
        self.left_out = state.left_out
        self.own: set[str] = set()

    def done(self) -> State:
        return State(self.subjects, self.by_id, self.ids, self.levels, self.modes, self.highest_id, self.left_out)

    def apply(self, entry: Record) -> None:
        key, value = entry
        match key.kind:
            case records.SCHEMA if value is None:
                self.forget(str(key.subject), int(key.version or 0))
            case records.SCHEMA if value is not None:
                self.register(Version.of(str(key.subject), int(key.version or 0), value))
            case records.CONFIG:
                _put(self.levels, key.subject, value, "compatibilityLevel")
            case records.MODE:
                _put(self.modes, key.subject, value, "mode")
            case records.DELETE_SUBJECT if value is not None:
                self.delete_up_to(str(key.subject), value.get("version"))
            case records.CLEAR_SUBJECT if value is not None:
                for version in list(self.subjects.get(str(key.subject), {})):
                    self.forget(str(key.subject), version)
            case records.NOOP if value is not None and isinstance(value.get("highestId"), int):
                self.highest_id = max(self.highest_id, value["highestId"])
            case _:
                pass  # tombstones of other kinds, and kinds of later registries (CONTEXT, ASSOC), say nothing to us

    def versions(self, subject: str) -> dict[int, Version]:
        if subject not in self.own:
            self.own.add(subject)
            self.subjects[subject] = dict(self.subjects.get(subject, {}))
        return self.subjects[subject]  # type: ignore[return-value]

    def register(self, version: Version) -> None:
        known = self.by_id.get(version.id)
        if known is not None and _key(known) != _key(version):
            self.left_out += 1
            return
        self.highest_id = max(self.highest_id, version.id)
        self.by_id.setdefault(version.id, version)
        self.ids.setdefault(_key(version), version.id)
        self.versions(version.subject)[version.version] = version

    def forget(self, subject: str, number: int) -> None:
        gone = self.versions(subject).pop(number, None)
        if not self.versions(subject):
            del self.subjects[subject]
            self.own.discard(subject)
        if gone is None:
            return
        others = (v for versions in self.subjects.values() for v in versions.values() if v.id == gone.id)
        other = next(others, None)
        if other is not None:
            self.by_id[gone.id] = other
        elif self.by_id.pop(gone.id, None) is not None and self.ids.get(_key(gone)) == gone.id:
            del self.ids[_key(gone)]

    def delete_up_to(self, subject: str, last: Any) -> None:
        if subject not in self.subjects or not isinstance(last, int):
            return
        versions = self.versions(subject)
        for number, version in versions.items():
            if number <= last:
                versions[number] = replace(version, deleted=True)


def _put(values: dict[str | None, str], subject: str | None, value: Mapping[str, Any] | None, name: str) -> None:
    given = None if value is None else value.get(name)
    if isinstance(given, str):
        values[subject] = given
    else:
        values.pop(subject, None)


def _key(version: Version) -> str:
    """The digest of a version, by our own canonical text where it is Avro: another registry may have written it."""
    text = version.schema
    if version.kind == "AVRO":
        try:
            text = canonical(text)
        except ApiError:
            text = version.schema
    return digest(text, version.references)
