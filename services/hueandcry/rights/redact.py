"""Fields that need a right of their own, and the alert without them.

The table repeats the property "right" of the fields in avro/, which a test holds against it. What an agency may not see
is absent: the field has its default, as if the issuer had left it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from hueandcry.rights.network import Agency

#: What a field may tell, by its property "sensitivity" in avro/, the least first; avro/README.md explains them.
SENSITIVITIES = ("operational", "assessment", "personal", "source", "special")


class GuardedField(NamedTuple):
    """A field that needs a right.

    Attributes:
        right: the right.
        path: names of the fields from the alert down to it; a list on the way means each of its items.
        default: its value when absent; a list is copied before use.
    """

    right: str
    path: tuple[str, ...]
    default: Any


GUARDED: tuple[GuardedField, ...] = (
    GuardedField("biometrics", ("subject", "biometrics"), []),
    GuardedField("sources", ("provenance", "source"), None),
    GuardedField("attribution", ("subject", "actor"), None),
)
_KNOWN = frozenset(field.right for field in GUARDED)
_NOTHING: frozenset[str] = frozenset()


def rights_needed(alert: Mapping[str, Any]) -> list[str]:
    """The rights that the filled fields of an alert ask for, sorted; for the routing head.

    Args:
        alert: hueandcry.Alert record, as decoded.
    """
    return sorted({field.right for field in GUARDED if _is_filled(alert, field.path, field.default)})


def withheld(agency: Agency, head: Mapping[str, Any]) -> frozenset[str]:
    """The rights that the alert asks for and the agency lacks; empty: it gets the original."""
    needed = head["rights"]
    return frozenset(needed).difference(agency.rights) if needed else _NOTHING


def redact(alert: dict[str, Any], withheld: frozenset[str]) -> dict[str, Any]:
    """A copy of the alert with the fields that need a withheld right at their defaults.

    What is changed is copied, the rest is shared with the input, which stays as it is.

    Args:
        alert: hueandcry.Alert record, as decoded.
        withheld: names of rights.

    Raises:
        ValueError: a right is not in our table, so that we don't know which fields to leave out.
    """
    if not withheld <= _KNOWN:
        raise ValueError("a withheld right is not in the table of guarded fields")
    redacted = dict(alert)
    for field in GUARDED:
        if field.right in withheld:
            redacted = cast("dict[str, Any]", _without(redacted, field.path, field.default))
    return redacted


def _is_filled(value: Any, path: tuple[str, ...], default: Any) -> bool:
    if not path:
        return value != default
    if isinstance(value, list):
        return any(_is_filled(item, path, default) for item in cast("list[Any]", value))
    if isinstance(value, Mapping) and path[0] in value:
        return _is_filled(value[path[0]], path[1:], default)
    return False


def _without(value: Any, path: tuple[str, ...], default: Any) -> Any:
    if not path:
        return list(cast("list[Any]", default)) if isinstance(default, list) else default
    if isinstance(value, list):
        return [_without(item, path, default) for item in cast("list[Any]", value)]
    if isinstance(value, dict) and path[0] in value:
        record = cast("dict[str, Any]", value)
        return {**record, path[0]: _without(record[path[0]], path[1:], default)}
    return cast("Any", value)
