"""The state is what the records say, whatever way they come."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hueandcry.registry import operations, records
from hueandcry.registry.errors import ApiError
from hueandcry.registry.operations import Posted
from hueandcry.registry.records import BadRecord, Key, Record, Reference
from hueandcry.registry.state import State, fold


def fixed(size: int, name: str = "F") -> Posted:
    return Posted(json.dumps({"type": "fixed", "name": name, "size": size}))


def register(state: State, subject: str, posted: Posted) -> State:
    entries, _ = operations.register(state, subject, posted, "NONE")
    return fold(state, entries)


def code(error: pytest.ExceptionInfo[ApiError]) -> int:
    return error.value.code


def compacted(entries: list[Record]) -> list[Record]:
    """What compaction may leave: the last record of each key, in order."""
    last = {entry.key: i for i, entry in enumerate(entries)}
    return [entry for i, entry in enumerate(entries) if last[entry.key] == i]


SUBJECT = st.sampled_from(["a", "b"])
STEP = st.one_of(
    st.tuples(st.just("register"), SUBJECT, st.integers(1, 4)),
    st.tuples(st.just("delete"), SUBJECT, st.booleans()),
    st.tuples(st.just("delete version"), SUBJECT, st.tuples(st.integers(1, 4), st.booleans())),
    st.tuples(st.just("level"), st.sampled_from(["a", None]), st.sampled_from(["NONE", "FULL"])),
    st.tuples(st.just("forget level"), st.sampled_from(["a", None]), st.none()),
)


def decide(state: State, step: tuple[str, Any, Any]) -> list[Record]:
    what, subject, detail = step
    try:
        match what:
            case "register":
                return list(operations.register(state, subject, fixed(detail), "NONE")[0])
            case "delete":
                return list(operations.delete_subject(state, subject, permanent=detail)[0])
            case "delete version":
                return list(operations.delete_version(state, subject, detail[0], permanent=detail[1])[0])
            case "level":
                return list(operations.set_level(state, subject, detail)[0])
            case _:
                return list(operations.forget_level(state, subject, "BACKWARD")[0])
    except ApiError:
        return []


@given(st.lists(STEP, max_size=25), st.data())
def test_any_history_reads_the_same_in_any_batches_compacted_or_not(steps: list[Any], data: st.DataObject) -> None:
    history: list[Record] = []
    state = State()
    given_ids: dict[int, str] = {}
    for step in steps:
        entries = decide(state, step)
        history += entries
        state = fold(state, entries)
        for schema_id, version in state.by_id.items():
            assert given_ids.setdefault(schema_id, version.schema) == version.schema, "an id never changes its text"
    wire = [records.decode(*records.encode(entry)) for entry in history]
    cut = data.draw(st.integers(0, len(wire)))
    assert fold(fold(State(), wire[:cut]), wire[cut:]) == state
    after = fold(State(), compacted(wire))
    assert (after.subjects, after.levels, after.ids) == (state.subjects, state.levels, state.ids)
    assert after.by_id.keys() == state.by_id.keys()
    assert after.highest_id == state.highest_id, "no id is given again after compaction"


def test_fold_leaves_the_state_it_was_given_alone() -> None:
    before = register(State(), "s", fixed(1))
    kept = before.versions("s")
    entries, _ = operations.delete_subject(before, "s", permanent=False)
    fold(before, entries)
    assert before.versions("s") == kept


def test_the_records_are_those_of_other_registries() -> None:
    entries, schema_id = operations.register(State(), "s", Posted('{"type": "fixed", "name": "F", "size": 1}'), "NONE")
    assert schema_id == 1
    assert [records.encode(entry) for entry in entries] == [
        (
            b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}',
            b'{"subject":"s","version":1,"id":1,'
            b'"schema":"{\\"type\\":\\"fixed\\",\\"name\\":\\"F\\",\\"size\\":1}","deleted":false}',
        )
    ]
    level, _ = operations.set_level(State(), None, "full")
    assert records.encode(level[0]) == (b'{"keytype":"CONFIG","magic":0}', b'{"compatibilityLevel":"FULL"}')


def test_the_same_schema_in_two_subjects_has_one_id_and_ids_grow() -> None:
    state = register(register(register(State(), "a", fixed(1)), "b", fixed(2)), "b", fixed(1))
    assert [(v.subject, v.version, v.id) for s in "ab" for v in state.versions(s)] == [
        ("a", 1, 1),
        ("b", 1, 2),
        ("b", 2, 1),
    ]


def test_registering_again_writes_nothing_whatever_the_white_space() -> None:
    state = register(State(), "s", fixed(1))
    spaced = Posted('\n{ "size" : 1,\t"name":"F", "type":"fixed" }')
    assert operations.register(state, "s", spaced, "NONE") == ([], 1)


def test_a_deleted_schema_is_served_by_id_and_comes_back_under_it() -> None:
    state = register(State(), "s", fixed(1))
    state = fold(state, operations.delete_subject(state, "s", permanent=False)[0])
    assert state.schema(1).schema == fixed(1).text.replace(" ", "")
    state = register(state, "s", fixed(1))
    assert [(v.version, v.id) for v in state.versions("s")] == [(2, 1)]


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda s: operations.delete_subject(s, "none", permanent=False), 40401),
        (lambda s: operations.delete_version(s, "live", 9, permanent=False), 40402),
        (lambda s: operations.delete_subject(s, "soft", permanent=False), 40404),
        (lambda s: operations.delete_subject(s, "live", permanent=True), 40405),
        (lambda s: operations.delete_version(s, "soft", 1, permanent=False), 40406),
        (lambda s: operations.delete_version(s, "live", 1, permanent=True), 40407),
        (lambda s: operations.forget_mode(s, "live"), 40409),
        (lambda s: operations.forget_level(s, "live", "NONE"), 40401),
        (lambda s: operations.set_level(s, None, "SIDEWARD"), 42203),
        (lambda s: operations.set_mode(s, None, "IMPORT"), 42204),
        (lambda s: operations.register(s, "closed", fixed(3), "NONE"), 42205),
        (lambda s: operations.delete_subject(s, "base", permanent=False), 42206),
        (lambda s: operations.delete_version(s, "base", 1, permanent=False), 42206),
        (lambda s: operations.register(s, "live", fixed(3), "BACKWARD"), 409),
        (lambda s: operations.register(s, "live", Posted("{}"), "NONE"), 42201),
        (lambda s: operations.register(s, "live", Posted('"X"', (Reference("X", "gone", 1),)), "NONE"), 42201),
    ],
)
def test_each_refusal_has_its_code(act: Any, expected: int) -> None:
    state = register(register(register(State(), "live", fixed(1)), "soft", fixed(2)), "base", fixed(4, "Base"))
    state = fold(state, operations.delete_subject(state, "soft", permanent=False)[0])
    array = Posted('{"type":"array","items":"Base"}', (Reference("Base", "base", 1),))
    state = register(state, "user", array)
    state = fold(state, operations.set_mode(state, "closed", "READONLY")[0])
    with pytest.raises(ApiError) as refused:
        act(state)
    assert code(refused) == expected


def test_a_record_that_gives_a_known_id_another_text_is_left_out() -> None:
    state = register(State(), "s", fixed(1))
    clash = Record(Key(records.SCHEMA, "t", 1), {"id": 1, "schema": '"int"'})
    after = fold(state, [clash])
    assert (after.subjects, after.left_out) == (state.subjects, 1)


def test_deleting_one_use_of_an_id_for_good_keeps_it_for_the_others() -> None:
    state = register(register(State(), "a", fixed(1)), "b", fixed(1))
    for permanent in (False, True):
        state = fold(state, operations.delete_subject(state, "a", permanent=permanent)[0])
    assert state.schema(1).subject == "b"
    for permanent in (False, True):
        state = fold(state, operations.delete_subject(state, "b", permanent=permanent)[0])
    with pytest.raises(ApiError):
        state.schema(1)
    assert register(state, "c", fixed(1)).versions("c")[0].id == 2


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, None),
        (b"", b"{}"),
        (b"\xff", b"{}"),
        (b"[]", b"{}"),
        (b"{}", b"{}"),
        (b'{"keytype":7}', b"{}"),
        (b'{"keytype":"SCHEMA","magic":1}', b"{}"),
        (b'{"keytype":"SCHEMA","subject":"s","version":"1","magic":1}', b"{}"),
        (b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}', b"{}"),
        (b'{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}', b'{"id":true,"schema":"x"}'),
        (b'{"keytype":"SCHEMA","subject":["s"],"version":1,"magic":1}', b"{}"),
        (b'{"keytype":"DELETE_SUBJECT","magic":0}', b'{"version":1}'),
        (b'{"keytype":"CONFIG","magic":0}', b"["),
        (b'{"keytype":"CONFIG","magic":0}', b"7"),
        (b"[" * 100_000, b"{}"),
    ],
)
def test_records_of_no_registry_are_named_as_such(key: bytes | None, value: bytes | None) -> None:
    with pytest.raises(BadRecord):
        records.decode(key, value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KIND = st.sampled_from(["SCHEMA", "CONFIG", "MODE", "DELETE_SUBJECT", "CLEAR_SUBJECT", "NOOP", "OTHER"])
FIELDS = ["id", "schema", "version", "deleted", "references", "compatibilityLevel", "mode", "highestId", "schemaType"]


@given(st.lists(st.tuples(KIND, JSON, JSON, st.none() | st.dictionaries(st.sampled_from(FIELDS), JSON)), max_size=5))
def test_no_record_stops_the_fold(entries: list[Any]) -> None:
    state = State()
    for kind, subject, version, value in entries:
        key = json.dumps({"keytype": kind, "subject": subject, "version": version}).encode()
        try:
            entry = records.decode(key, None if value is None else json.dumps(value).encode())
        except BadRecord:
            continue
        state = fold(state, [entry])
