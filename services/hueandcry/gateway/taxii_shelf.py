"""What an agency has received, as the objects of its TAXII collections: STIX 2.1, in the order of their being added.

- The time at which an object was added is that of its message in Kafka, made unequal to all others in the last three
  digits; it never goes back. A message is put up when it is SETTLED old, so that none comes in before another.
- Each version of an object is there once. What an alert refers to (its issuer, its marking) comes with the first.
- An alert that was withdrawn or has ended is put up again, revoked. One that the agency may not have any more
  (recalled, erased) loses its content, here too: what is put up again is the bare revoked object.
- Bounded: the oldest go first.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hueandcry.gateway.events import Event
from hueandcry.sdk.times import iso

#: Milliseconds after which a message is put up.
SETTLED = 3_000
#: Most bytes of one agency's objects, compressed.
MOST_BYTES = 64 * 1024 * 1024
ALL = "all"
KINDS = ("stolen_vehicle", "wanted_person", "cyber")
_ENDS = ("withdrawn", "expired")
_LOST = ("recalled",)
_GIVES = ("issued", "updated")

Object = dict[str, Any]
#: Makes the objects of an alert, its own first: alert, revoked, created, modified (ISO 8601) → objects.
Make = Callable[[Mapping[str, Any], bool, str | None, str | None], Sequence[Object]]


class Item(NamedTuple):
    """One version of an object.

    Attributes:
        added: microseconds since the epoch; no two are the same.
        version: its `modified`, or `created`, or that of who has neither.
    """

    added: int
    id: str
    type: str
    version: str
    spec: str
    packed: bytes

    def unpacked(self) -> bytes:
        """The object as JSON."""
        return zlib.decompress(self.packed)


class Shelf:
    """The collections of one agency.

    Args:
        make: makes objects.
    """

    def __init__(self, make: Make) -> None:
        self._make = make
        self._waiting: list[Event] = []
        self._lists: dict[str, list[Item]] = {name: [] for name in (ALL, *KINDS)}
        self._known: dict[str, set[tuple[str, str]]] = {name: set() for name in (ALL, *KINDS)}
        self._bytes = 0
        self._last = 0
        #: By alert: its kind, the object that it is (packed), and when that was first issued.
        self._alerts: dict[str, tuple[str, bytes, str]] = {}

    def take(self, events: Iterable[Event], now_ms: int) -> None:
        """Add what has come; put up what has settled."""
        self._waiting += events
        settled = [event for event in self._waiting if event.at_ms <= now_ms - SETTLED]
        self._waiting = [event for event in self._waiting if event.at_ms > now_ms - SETTLED]
        for event in sorted(settled, key=lambda each: (each.at_ms, each.partition, each.offset)):
            self._put_up(event)
        self._bound()

    def items(self, collection: str) -> list[Item]:
        """All of a collection, in the order in which they were added."""
        return self._lists[collection]

    def _put_up(self, event: Event) -> None:
        action = event.content.get("action")
        if event.type == "erased" or action in _LOST:
            self._lose(event)
        elif event.type != "delivery":
            return
        elif event.content.get("alert") is not None and action in (*_GIVES, *_ENDS):
            self._give(event, event.content["alert"], revoked=action in _ENDS)
        elif action in _ENDS and event.key in self._alerts:
            kind, packed, _ = self._alerts[event.key]
            ended = json.loads(zlib.decompress(packed))
            ended |= {"revoked": True, "modified": max(ended["modified"], _time(event))}
            self._add(event, kind, [ended])

    def _give(self, event: Event, alert: Mapping[str, Any], *, revoked: bool) -> None:
        _, _, created = self._alerts.get(event.key, ("", b"", None))
        made = self._make(alert, revoked, created, _time(event) if revoked else None)
        kind = str(alert["kind"])
        self._alerts[event.key] = (kind, _packed(made[0]), str(made[0]["created"]))
        self._add(event, kind, made)

    def _lose(self, event: Event) -> None:
        if event.key not in self._alerts:
            return
        kind, packed, _ = self._alerts.pop(event.key)
        had = json.loads(zlib.decompress(packed))
        for items in self._lists.values():
            items[:] = [item for item in items if item.id != had["id"]]
        kept = ("type", "spec_version", "id", "created_by_ref", "created", "object_marking_refs")
        bare = {name: had[name] for name in kept if name in had}
        extensions = {name: each for name, each in had.get("extensions", {}).items() if _declares(each)}
        bare |= {"extensions": extensions} if extensions else {}
        bare |= {name: had[name] for name in ("pattern_type", "valid_from") if name in had}
        bare |= {"pattern": "[x-hueandcry:erased = true]"} if "pattern" in had else {}
        self._add(event, kind, [{**bare, "modified": max(had["modified"], _time(event)), "revoked": True}])

    def _add(self, event: Event, kind: str, objects: Sequence[Object]) -> None:
        # What the alert refers to first: then a reader never has an object that names one that it has not.
        for each in [*objects[1:], objects[0]]:
            version = str(each.get("modified") or each.get("created") or _time(event))
            missing = [name for name in (ALL, kind) if self._is_new(name, each, version)]
            if not missing:
                continue
            self._last = max(self._last + 1, event.at_ms * 1000)
            packed = _packed(each)
            self._bytes += len(packed)
            item = Item(self._last, each["id"], each["type"], version, str(each.get("spec_version", "2.1")), packed)
            for name in missing:
                self._known[name].add(_key(each, version))
                self._lists[name].append(item)

    def _is_new(self, name: str, each: Object, version: str) -> bool:
        return name in self._known and _key(each, version) not in self._known[name]

    def _bound(self) -> None:
        while self._bytes > MOST_BYTES and self._lists[ALL]:
            cut = self._lists[ALL][max(1, len(self._lists[ALL]) // 10) - 1].added
            self._bytes -= sum(len(item.packed) for item in self._lists[ALL] if item.added <= cut)
            for name, items in self._lists.items():
                self._known[name] -= {(item.id, item.version) for item in items if item.added <= cut}
                items[:] = [item for item in items if item.added > cut]


def _key(each: Object, version: str) -> tuple[str, str]:
    # Who has no version of its own (an observable) is known by its id.
    return (each["id"], version if "modified" in each or "created" in each else "")


def _declares(extension: Any) -> bool:
    """Whether an extension says what the object's type is, and has no content."""
    return isinstance(extension, dict) and extension.get("extension_type") == "new-sdo"


def _packed(each: Object) -> bytes:
    return zlib.compress(json.dumps(each, ensure_ascii=False, separators=(",", ":")).encode())


def _time(event: Event) -> str:
    return iso(event.at_ms)
