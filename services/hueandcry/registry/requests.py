"""What a request says: path, query and body, each checked, with Confluent's codes for what is wrong."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request

from hueandcry.registry.errors import ApiError
from hueandcry.registry.operations import Posted
from hueandcry.registry.records import Reference

MAX_BODY: Final = 1024 * 1024
"""Bytes of a request's body."""
_MAX_SUBJECT: Final = 255
_MAX_REFERENCES: Final = 100
_MAX_NUMBER: Final = 2**31 - 1


def subject(request: Request) -> str:
    """The subject of the path. Raises ApiError 42208 for names that no subject can have."""
    name = unquote(request.path_params["subject"], errors="replace")
    if not name or len(name) > _MAX_SUBJECT or not name.isprintable() or "\ufffd" in name:
        raise ApiError(42208, f"A subject has 1 to {_MAX_SUBJECT} printable characters")
    if name.startswith(":"):
        raise ApiError(42208, "Contexts are not supported: a subject does not begin with ':'")
    return name


def version(request: Request) -> int | None:
    """The version of the path; None for latest. Raises ApiError 42202."""
    text = request.path_params["version"]
    if text in ("latest", "-1"):
        return None
    number = _whole(text)
    if number is None or not 1 <= number <= _MAX_NUMBER:
        raise ApiError(
            42202,
            "The specified version is not a valid version id. "
            'Allowed values are between [1, 2^31-1] and the string "latest"',
        )
    return number


def schema_id(request: Request) -> int:
    """The id of the path. Raises ApiError 404 for what is no number, as Confluent's registry does."""
    number = _whole(request.path_params["id"])
    if number is None:
        raise ApiError(404, "HTTP 404 Not Found: a schema id is a number")
    return number


def flag(request: Request, name: str) -> bool:
    """A parameter of the query that is true or not. Only `true` in any case is true."""
    return request.query_params.get(name, "").lower() == "true"


def page(request: Request, rows: list[Any]) -> list[Any]:
    """The part of the rows that `offset` and `limit` ask for; a limit below 0 is none. Raises ApiError 422."""
    offset, limit = (_number(request, "offset", 0), _number(request, "limit", -1))
    rows = rows[max(offset, 0) :]
    return rows if limit < 0 else rows[:limit]


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    number = _whole(text.removeprefix("-"))
    if number is None:
        raise ApiError(422, f"'{name}' is not a number")
    return -number if text.startswith("-") else number


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


async def body(request: Request) -> dict[str, Any]:
    """The JSON object of the body. Raises ApiError 413 over 1 MiB, 422 for what is no JSON object."""
    data = bytearray()
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > MAX_BODY:
                raise ApiError(413, f"The body is larger than {MAX_BODY} bytes")
    except ClientDisconnect as error:
        raise ApiError(400, "The client went away") from error
    try:
        value = json.loads(bytes(data))
    except (ValueError, RecursionError) as error:
        raise ApiError(422, f"The body is not JSON: {type(error).__name__}") from error
    if not isinstance(value, dict):
        raise ApiError(422, "The body is not a JSON object")
    return value


async def posted(request: Request) -> Posted:
    """The schema of the body.

    Raises:
        ApiError: 42201 without a schema or of another type than AVRO; 422 for parts that we do not keep.
    """
    value = await body(request)
    kind = value.get("schemaType") or "AVRO"
    if kind != "AVRO":
        raise ApiError(42201, f"Invalid schema: schemaType {str(kind)[:40]!r} is not supported, only AVRO is")
    for name in ("metadata", "ruleSet", "schemaTagsToAdd", "schemaTagsToRemove"):
        if value.get(name):
            raise ApiError(422, f"'{name}' is not supported by this registry")
    text = value.get("schema")
    if not isinstance(text, str) or not text.strip():
        raise ApiError(42201, "Invalid schema: 'schema' is missing, or is no string that holds a schema")
    return Posted(text, _references(value.get("references")), flag(request, "normalize"))


def _references(given: Any) -> tuple[Reference, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > _MAX_REFERENCES:
        raise ApiError(42201, f"Invalid schema: 'references' is not a list of at most {_MAX_REFERENCES}")
    return tuple(_reference(one) for one in given)


def _reference(given: Any) -> Reference:
    if isinstance(given, dict):
        name, where, number = given.get("name"), given.get("subject"), given.get("version")
        if isinstance(name, str) and isinstance(where, str) and type(number) is int and 1 <= number <= _MAX_NUMBER:
            return Reference(name, where, number)
    raise ApiError(42201, "Invalid schema: a reference is an object with name, subject and version")


def subject_or_all(request: Request) -> str | None:
    """The subject of the path, or None where it has none."""
    return subject(request) if "subject" in request.path_params else None
