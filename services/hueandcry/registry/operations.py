"""What each change of the registry writes, decided on a state: plain functions, no Kafka, no HTTP.

Each returns the records to write (none: nothing changes) and the answer. Rules and codes are those of the Confluent
REST API (https://docs.confluent.io/platform/current/schema-registry/develop/api.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from hueandcry.registry import compatibility, records
from hueandcry.registry.compatibility import Earlier
from hueandcry.registry.errors import ApiError, invalid_schema, subject_not_found
from hueandcry.registry.records import Key, Record, Reference
from hueandcry.registry.schemas import ParsedSchema, parse
from hueandcry.registry.state import State, Version, digest

MODES: Final = ("READWRITE", "READONLY")


class Posted(NamedTuple):
    """A schema as a client sends it. `normalize`: take the normalised text."""

    text: str
    references: tuple[Reference, ...] = ()
    normalize: bool = False


def read(state: State, posted: Posted) -> tuple[str, ParsedSchema]:
    """The text under which a posted schema is kept, and the schema. Raises ApiError 42201."""
    parsed = parse(posted.text, state.texts(posted.references))
    return (parsed.normal if posted.normalize else parsed.text), parsed


def register(state: State, subject: str, posted: Posted, default_level: str) -> tuple[Sequence[Record], int]:
    """A new version, or the one that has this schema already. Answers the id.

    Raises:
        ApiError: 409 with the reasons, 42201, 42205.
    """
    text, parsed = read(state, posted)
    try:
        return [], state.lookup(subject, text, posted.references).id
    except ApiError as error:
        if not error.absent:
            raise
    writable(state, subject)
    reasons = compatibility.check(parsed, earlier(state, subject), state.level(subject, default_level))
    if reasons:
        raise ApiError(
            409, "Schema being registered is incompatible with an earlier schema: " + "; ".join(reasons[:20])
        )
    schema_id = state.ids.get(digest(text, posted.references)) or state.highest_id + 1
    number = max(state.subjects.get(subject, {0: None})) + 1
    value: dict[str, Any] = {"subject": subject, "version": number, "id": schema_id}
    if posted.references:
        value["references"] = [reference.as_json() for reference in posted.references]
    value |= {"schema": text, "deleted": False}
    return [Record(Key(records.SCHEMA, subject, number), value)], schema_id


def earlier(state: State, subject: str) -> list[Earlier]:
    """The versions that a new one must fit to, oldest first."""
    versions = [v for _, v in sorted(state.subjects.get(subject, {}).items()) if not v.deleted]
    return [Earlier(v.version, parse_registered(state, v)) for v in versions]


def parse_registered(state: State, version: Version) -> ParsedSchema:
    """A schema of the topic. Raises ApiError 42201 for one that another registry wrote and we can't read."""
    if version.kind != "AVRO":
        raise invalid_schema(
            f"version {version.version} of '{version.subject}' is {version.kind}, and only AVRO is compared"
        )
    return parse(version.schema, state.texts(version.references))


def delete_version(state: State, subject: str, number: int | None, *, permanent: bool) -> tuple[Sequence[Record], int]:
    """Delete one version: softly, then for good. Answers its number.

    Raises:
        ApiError: 40401, 40402, 40406 (softly deleted before), 40407 (not softly deleted yet), 42205,
            42206 (referred to).
    """
    version = state.version(subject, number, deleted=permanent or number is not None)
    writable(state, subject)
    at = f"Subject '{subject}' Version {version.version}"
    if version.deleted and not permanent:
        raise ApiError(40406, f"{at} was soft deleted. Set permanent=true to delete permanently")
    if permanent and not version.deleted:
        raise ApiError(40407, f"{at} was not deleted first before being permanently deleted")
    _unreferenced(state, version)
    key = Key(records.SCHEMA, subject, version.version)
    if not permanent:
        return [Record(key, {**version.value, "deleted": True})], version.version
    return [_note(state), Record(key, None)], version.version


def delete_subject(state: State, subject: str, *, permanent: bool) -> tuple[Sequence[Record], list[int]]:
    """Delete all versions: softly, then for good, with the subject's level and mode. Answers their numbers.

    Raises:
        ApiError: 40401, 40404 (softly deleted before), 40405 (not softly deleted yet), 42205, 42206 (referred to).
    """
    versions = state.versions(subject, deleted=True)
    writable(state, subject)
    live = [v for v in versions if not v.deleted]
    if not permanent and not live:
        raise ApiError(40404, f"Subject '{subject}' was soft deleted. Set permanent=true to delete permanently")
    if permanent and live:
        raise ApiError(40405, f"Subject '{subject}' was not deleted first before being permanently deleted")
    for version in versions:
        _unreferenced(state, version, within=subject)
    if not permanent:
        last = live[-1].version
        entry = Record(Key(records.DELETE_SUBJECT, subject), {"subject": subject, "version": last})
        return [entry], [v.version for v in live]
    entries = [_note(state)]
    entries += [Record(Key(records.SCHEMA, subject, v.version), None) for v in reversed(versions)]
    entries += [Record(Key(records.DELETE_SUBJECT, subject), None)]
    entries += [Record(Key(records.CONFIG, subject), None)] if subject in state.levels else []
    entries += [Record(Key(records.MODE, subject), None)] if subject in state.modes else []
    return entries, [v.version for v in versions]


def set_level(state: State, subject: str | None, level: str) -> tuple[Sequence[Record], str]:
    """Set the compatibility level of a subject, or of all without their own. Raises ApiError 42203, 42205."""
    wanted = level.upper()
    if wanted not in compatibility.LEVELS:
        raise ApiError(
            42203, f"Invalid compatibility level. Valid values are {', '.join(compatibility.LEVELS).lower()}"
        )
    writable(state, subject)
    if state.levels.get(subject) == wanted:
        return [], wanted
    return [Record(Key(records.CONFIG, subject), {"compatibilityLevel": wanted})], wanted


def forget_level(state: State, subject: str | None, default_level: str) -> tuple[Sequence[Record], str]:
    """Back to the level of all, or to the default. Answers the level that was. Raises ApiError 40401, 42205."""
    if subject is not None and subject not in state.levels:
        raise subject_not_found(subject)
    writable(state, subject)
    before = state.levels.get(subject, default_level)
    return ([Record(Key(records.CONFIG, subject), None)] if subject in state.levels else []), before


def set_mode(state: State, subject: str | None, mode: str) -> tuple[Sequence[Record], str]:
    """READONLY or READWRITE, for a subject or for all. Raises ApiError 42204."""
    wanted = mode.upper()
    if wanted not in MODES:
        raise ApiError(42204, f"Invalid mode. Valid values are {', '.join(MODES)}")
    if state.modes.get(subject) == wanted:
        return [], wanted
    return [Record(Key(records.MODE, subject), {"mode": wanted})], wanted


def forget_mode(state: State, subject: str) -> tuple[Sequence[Record], str]:
    """Back to the mode of all. Answers the mode that was. Raises ApiError 40409."""
    if subject not in state.modes:
        raise ApiError(40409, f"Subject '{subject}' does not have subject-level mode configured")
    return [Record(Key(records.MODE, subject), None)], state.modes[subject]


def writable(state: State, subject: str | None) -> None:
    """Raise ApiError 42205 unless the mode is READWRITE. (IMPORT, which a moved topic may say, takes clients' ids.)"""
    mode = state.mode(subject)
    if mode != "READWRITE":
        where = "The registry" if subject is None else f"Subject {subject}"
        raise ApiError(42205, f"{where} is in {mode} mode")


def _note(state: State) -> Record:
    """A NOOP that remembers the highest id given, for when its record is compacted away."""
    return Record(Key(records.NOOP), {"highestId": state.highest_id})


def _unreferenced(state: State, version: Version, within: str | None = None) -> None:
    users = [v for v in state.referenced_by(version.subject, version.version) if v.subject != within]
    if users:
        by = ", ".join(f"'{v.subject}' version {v.version}" for v in users[:5])
        raise ApiError(42206, f"Version {version.version} of subject '{version.subject}' is referred to by {by}")
