"""What the functions of `compiled` call off their fast path: long integers, checked sizes, choices, refusals.

Integers are zig-zag coded in base 128, least significant first (Avro 1.12 specification, "Binary encoding"). What
reads returns the zig-zag form, and the offset behind it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any


def _long(b: bytes, p: int) -> tuple[int, int]:
    n = b[p]
    value = n & 127
    shift = 7
    while n > 127:
        p += 1
        n = b[p]
        value |= (n & 127) << shift
        shift += 7
        if shift > 70:
            raise ValueError("an integer is longer than ten bytes")
    if value >> 64:
        raise ValueError("an integer does not fit 64 bits")
    return value, p + 1


def _int(b: bytes, p: int) -> tuple[int, int]:
    value, p = _long(b, p)
    if value >> 32:
        raise ValueError("an integer does not fit 32 bits")
    return value, p


def _size(b: bytes, p: int) -> tuple[int, int]:
    n, p = _long(b, p)
    if n & 1:
        raise ValueError("a size is below zero")
    if n >> 1 > len(b) - p:
        raise ValueError("a size runs beyond the end")
    return n, p


def _block(b: bytes, p: int) -> tuple[int, int, int]:
    """Count of a block, where its items start, and where they must end (0 where the block does not say)."""
    n, p = _long(b, p)
    if n == 0:
        raise ValueError("a count is not in its shortest form")
    if not n & 1:
        return n >> 1, p, 0
    size, p = _size(b, p)
    return (n >> 1) + 1, p, p + (size >> 1)


def _no_branch() -> None:
    raise ValueError("a union has no such branch")


def _lying_block() -> None:
    raise ValueError("a block does not end where it says")


def _write_long(v: int, o: bytearray) -> None:
    if not -(1 << 63) <= v < 1 << 63:
        raise ValueError("an integer does not fit 64 bits")
    n = v << 1 ^ v >> 63
    while n > 127:
        o.append(n & 127 | 128)
        n >>= 7
    o.append(n)


def _write_int(v: int, o: bytearray) -> None:
    if not -(1 << 31) <= v < 1 << 31:
        raise ValueError("an integer does not fit 32 bits")
    _write_long(v, o)


def _bytes_of(v: Any) -> bytes:
    if not isinstance(v, (bytes, bytearray, memoryview)):
        raise TypeError("bytes are asked for")
    return bytes(v)


def _boolean_of(v: Any) -> int:
    if v is True:
        return 1
    if v is False:
        return 0
    raise TypeError("true or false is asked for")


def _fixed_of(v: Any, size: int) -> bytes:
    if len(v) != size:
        raise ValueError(f"{size} bytes are asked for")
    return _bytes_of(v)


def _array_of(v: Any) -> Any:
    if not isinstance(v, (list, tuple)):
        raise TypeError("a list is asked for")
    return v


def _map_of(v: Any) -> Any:
    if not isinstance(v, Mapping):
        raise TypeError("a mapping is asked for")
    return v


def _untupled(v: tuple[str, Any], name: str) -> Any:
    branch, value = v
    if branch != name:
        raise ValueError("the union has no such branch")
    return value


def branch_of(
    fields: dict[str, frozenset[str]], by_value: dict[str, str], v: Any, beside: str | None
) -> tuple[str, Mapping[str, Any]]:
    """Branch of a union of records, and the record.

    By the tuple's name; else by the value of the field beside it; else the only branch that has all keys of the
    record. Keys that the branch has not are refused, so that a record never loses all it holds to a wrong branch.
    """
    if v.__class__ is tuple:
        name, v = v
    else:
        name = by_value.get(beside) if beside is not None else None
        if name is None:
            fitting = [branch for branch, names in fields.items() if v.keys() <= names]
            if len(fitting) != 1:
                raise ValueError("the branch of the union can't be told; give a tuple of its name and the record")
            name = fitting[0]
    if name not in fields:
        raise ValueError("the union has no such branch")
    if not v.keys() <= fields[name]:
        raise ValueError(f"the record has fields that {name} has not")
    return name, v


#: By the name that the made functions call them with.
SUPPORT: dict[str, Any] = {
    "long_": _long,
    "int_": _int,
    "size_": _size,
    "block_": _block,
    "no_branch": _no_branch,
    "lying_block": _lying_block,
    "boolean": {0: False, 1: True},
    "float_from": struct.Struct("<f").unpack_from,
    "double_from": struct.Struct("<d").unpack_from,
    "float_to": struct.Struct("<f").pack,
    "double_to": struct.Struct("<d").pack,
    "write_long": _write_long,
    "write_int": _write_int,
    "bytes_of": _bytes_of,
    "boolean_of": _boolean_of,
    "fixed_of": _fixed_of,
    "array_of": _array_of,
    "map_of": _map_of,
    "untupled": _untupled,
}
