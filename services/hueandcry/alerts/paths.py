"""Paths of fields, such as subject.plate.raw or subject.identities.0.family: which exist, and writing by them."""

from __future__ import annotations

from typing import Any, get_args

from hueandcry.alerts.base import AlertPart
from hueandcry.alerts.model import Alert

#: Highest index of a list that a path may name.
_HIGHEST_INDEX = 99


def is_field(path: str) -> bool:
    """Whether some kind of alert has this field."""
    return _leads(path.split("."), [Alert])


def _leads(names: list[str], models: list[type[AlertPart]]) -> bool:
    fields = [model.model_fields[names[0]] for model in models if names[0] in model.model_fields]
    if len(names) == 1 or not fields:
        return bool(fields)
    for field in fields:
        is_list = tuple in _origins(field.annotation)
        rest = names[1:]
        if is_list:
            if not (rest[0].isascii() and rest[0].isdigit() and int(rest[0]) <= _HIGHEST_INDEX):
                continue
            rest = rest[1:]
            if not rest:
                return True
        if _leads(rest, _models(field.annotation)):
            return True
    return False


def _origins(annotation: Any) -> set[Any]:
    inner = {origin for part in get_args(annotation) for origin in _origins(part)}
    return inner | {getattr(annotation, "__origin__", None)}


def _models(annotation: Any) -> list[type[AlertPart]]:
    if isinstance(annotation, type) and issubclass(annotation, AlertPart):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def put(target: dict[str, Any], path: str, value: Any) -> None:
    """Writes a value at a path, making the objects and lists on the way. Items of lists not written yet are None."""
    *parents, last = path.split(".")
    here: dict[str, Any] | list[Any] = target
    for name, following in zip(parents, path.split(".")[1:], strict=True):
        here = _step(here, name, [] if following.isdigit() else {})
    _set(here, last, value)


def _step(here: dict[str, Any] | list[Any], name: str, fresh: Any) -> Any:
    if isinstance(here, dict):
        return here.setdefault(name, fresh)
    _widen(here, int(name))
    if here[int(name)] is None:
        here[int(name)] = fresh
    return here[int(name)]


def _set(here: dict[str, Any] | list[Any], name: str, value: Any) -> None:
    if isinstance(here, dict):
        here[name] = value
    else:
        _widen(here, int(name))
        here[int(name)] = value


def _widen(items: list[Any], index: int) -> None:
    items.extend([None] * (index + 1 - len(items)))
