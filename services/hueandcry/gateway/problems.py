"""Refusals as problem details (RFC 9457): application/problem+json, with a JSON pointer (RFC 6901) to each field.

No detail holds a value of the request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.responses import Response

from hueandcry.alerts.remarks import Remark

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: "The request can't be read",
    401: "Nobody known asks",
    403: "Not allowed",
    404: "There is no such thing",
    405: "Not with this method",
    406: "Not in this form",
    408: "Too slow",
    409: "At work on it",
    413: "Too large",
    415: "Not from this form",
    422: "Not sound",
    429: "Too often",
    431: "Too large",
    500: "A fault of the platform",
    502: "Another service refuses",
    503: "Not now",
}
#: Most remarks that are told.
_MOST = 200


class Problem(Exception):
    """A request that is refused.

    Args:
        status: of HTTP.
        rule: short name of what was not met; the type is urn:hueandcry:problem:<rule>.
        detail: why, and what to do; no value of the request.
        errors: by field.
        retry_after: seconds.
        headers: further ones.
    """

    def __init__(
        self,
        status: int,
        rule: str,
        detail: str,
        *,
        errors: Iterable[Mapping[str, Any]] = (),
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.rule = rule
        self.errors = list(errors)
        self.headers = dict(headers or {})
        if retry_after is not None:
            self.headers["Retry-After"] = str(max(1, int(retry_after + 0.999)))

    def response(self) -> Response:
        """The answer."""
        body: dict[str, Any] = {
            "type": f"urn:hueandcry:problem:{self.rule}",
            "title": _TITLES.get(self.status, "Refused"),
            "status": self.status,
            "detail": str(self),
        }
        if self.errors:
            body["errors"] = self.errors[:_MOST]
            if len(self.errors) > _MOST:
                body["errors_left_out"] = len(self.errors) - _MOST
        text = json.dumps(body, ensure_ascii=False)
        return Response(text, self.status, media_type=MEDIA_TYPE, headers={**self.headers, "Cache-Control": "no-store"})


def told(remarks: Iterable[Remark], given: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Remarks as errors of a problem: pointer, field, rule, detail, place.

    Args:
        given: the object that they are about; it says where in a path the indexes belong.
    """
    return [
        {
            "pointer": pointer(remark.field, remark.place, given),
            "field": remark.field,
            "rule": remark.rule,
            "detail": remark.message,
            "place": remark.place,
        }
        for remark in remarks
    ]


def pointer(field: str, place: str | None, given: Any) -> str:
    """JSON pointer to a field: `subject.indicators.type` at index 3 is /subject/indicators/3/type."""
    match = re.search(r"index ([\d, ]+)$", place or "")
    indexes = [int(number) for number in match[1].split(",")] if match else []
    parts: list[str] = []
    node = given
    for name in field.split(".") if field else []:
        node, parts = _into_lists(node, parts, indexes)
        parts.append(name.replace("~", "~0").replace("/", "~1"))
        node = node.get(name) if isinstance(node, Mapping) else None
    node, parts = _into_lists(node, parts, indexes)
    return "".join(f"/{part}" for part in parts)


def _into_lists(node: Any, parts: list[str], indexes: list[int]) -> tuple[Any, list[str]]:
    while isinstance(node, list | tuple) and indexes:
        index = indexes.pop(0)
        parts.append(str(index))
        node = node[index] if index < len(node) else None
    return node, parts
