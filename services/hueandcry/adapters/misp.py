"""MISP events to alerts: one alert an event, of the attributes that are meant for detection.

Rules:
1. Only what MISP says may travel does: distribution 0 (own organisation) never, 4 (sharing group) only where the agency
   has said whom the group stands for. An attribute that is closer than its event, by distribution or TLP, is left out.
2. to_ids decides what is looked for. With `to_ids: any` the others come too, but never under the category block.
3. A TLP tag that is not known closes the event.
4. An event of more than PART indicators becomes several alerts; the first has the event's UUID as reference.

Formats: MISP core format (misp-standard.org), an event alone, in {Event: …}, or in a list or {response: […]}.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from hueandcry.adapters import tlp
from hueandcry.adapters.json_text import NotJson, ambiguity, escaped, load, records, text
from hueandcry.adapters.misp_types import ACTOR_GALAXIES, MALWARE_GALAXIES, Part, parts
from hueandcry.adapters.sheet import Sheet, stricter
from hueandcry.adapters.times import epoch, moment
from hueandcry.alerts.forms import MOST_ITEMS, is_uuid

#: Most indicators of one alert, so that its bytes stay below what a topic takes.
PART = 4_000
_GALAXY_TAG = re.compile(r'misp-galaxy:([a-z0-9-]+)="([^"]+)"')
_TECHNIQUE = re.compile(r"\bT\d{4}(?:\.\d{3})?\b")
_OWN, _GROUP, _INHERIT = "0", "4", "5"


def draw(data: bytes, sheet: Sheet) -> None:
    """Alerts of one event or several."""
    try:
        document = load(data)
    except NotJson as error:
        sheet.refuse("", error.rule, error.message)
        return
    found = list(_events(document.value, ""))
    if not found:
        sheet.refuse("", "misp.event", "is no MISP event; write {Event: {…}}, or a list of these")
    for where, event in found:
        if document.ambiguous and (twice := ambiguity(event, where)):
            message = f"the key {escaped(twice[1])} is there twice; write it once"
            sheet.refuse(twice[0], "json.repeated_key", message)
            continue
        _Event(where, event, sheet).draw()


def is_event(value: Any) -> bool:
    """Whether a JSON value looks like a MISP event."""
    return (
        isinstance(value, dict) and "uuid" in value and "info" in value and ("Attribute" in value or "Object" in value)
    )


def _events(value: Any, pointer: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, list):
        for at, each in enumerate(cast("list[Any]", value)):
            yield from _events(each, f"{pointer}/{at}")
        return
    if not isinstance(value, dict):
        return
    item = cast("dict[str, Any]", value)
    if isinstance(item.get("Event"), dict):
        yield f"{pointer}/Event", item["Event"]
    elif isinstance(item.get("response"), list | dict):
        yield from _events(item["response"], f"{pointer}/response")
    elif is_event(item):
        yield pointer, item


class _Event:
    """One event as it is drawn."""

    def __init__(self, where: str, event: Mapping[str, Any], sheet: Sheet) -> None:
        self.where = where
        self.event = event
        self.sheet = sheet
        self.indicators: list[dict[str, str]] = []
        self.links: list[dict[str, str]] = []
        self.sightings: list[dict[str, Any]] = []
        self.undetected = 0

    def draw(self) -> None:
        uuid = text(self.event.get("uuid")).lower()
        if not is_uuid(uuid):
            self.sheet.refuse(self.where, "misp.uuid", "has no UUID", "national_reference")
            return
        tags = list(_tags(self.event))
        marking, known = _marking(tags)
        if not known:
            self.sheet.refuse(
                self.where, "marking.unknown", "has a TLP tag that is not known; it is not passed on", "tlp"
            )
            return
        shared = self._sharing(_code(self.event.get("distribution")))
        if shared is None:
            return
        self._collect(marking)
        if not self.indicators:
            self._nothing()
            return
        self._other(tags)
        actor, subject = self._threat(tags)
        self._alerts(uuid, {**subject, **({"actor": actor} if actor else {})}, marking, shared)

    def _alerts(self, uuid: str, subject: dict[str, Any], marking: str | None, shared: dict[str, Any]) -> None:
        organisation: Any = self.event.get("Orgc")
        source = text(cast("dict[str, Any]", organisation).get("name")) if isinstance(organisation, dict) else ""
        at = epoch(self.event.get("timestamp")) or moment(f"{text(self.event.get('date'))}T00:00:00Z")
        whole = len(self.indicators)
        if whole > PART:
            message = f"{whole:,} indicators are spread over {-(-whole // PART)} alerts"
            self.sheet.lose(self.where, "event", "lossy", message)
        for number, start in enumerate(range(0, whole, PART), 1):
            fields: dict[str, Any] = {
                "national_reference": uuid if number == 1 else f"{uuid}/{number}",
                "kind": "cyber",
                "category": self.sheet.category("cyber", "detect"),
                "subject": {**subject, "indicators": self.indicators[start : start + PART]},
                "remarks": self.sheet.remarks(f"{self.where}/info", text(self.event.get("info"))),
                "links": self.links[:MOST_ITEMS],
                "provenance": {"source": self.sheet.text(f"{self.where}/Orgc", "name", source)} if source else {},
                **shared,
            }
            self.sheet.draw(self.where, fields, at=at, changed=at, tlp=marking)

    def _sharing(self, distribution: str) -> dict[str, Any] | None:
        """What the distribution asks of the alert; None, and the refusal, where the event may not travel."""
        if distribution == _OWN:
            self.sheet.refuse(self.where, "misp.distribution", "is for its own organisation only; it is not passed on")
            return None
        if distribution != _GROUP:
            if distribution not in ("1", "2", "3"):
                self.sheet.refuse(self.where, "misp.distribution", "has a distribution that is not known")
                return None
            return {}
        group: Any = self.event.get("SharingGroup")
        names = (
            [text(cast("dict[str, Any]", group).get(key)) for key in ("uuid", "name")]
            if isinstance(group, dict)
            else []
        )
        for name in names:
            if parties := self.sheet.context.defaults.sharing_groups.get(name):
                return {"releasable_to": list(parties)}
        message = "is for a sharing group that sharing_groups does not name; say which agencies or states it stands for"
        self.sheet.refuse(self.where, "misp.sharing_group", message, "releasable_to")
        return None

    def _collect(self, marking: str | None) -> None:
        for at, each in enumerate(records(self.event.get("Attribute"))):
            self._attribute(f"{self.where}/Attribute/{at}", each, marking)
        for number, item in enumerate(records(self.event.get("Object"))):
            where = f"{self.where}/Object/{number}"
            if _code(item.get("distribution")) in (_OWN, _GROUP):
                self.sheet.lose(where, "object", "not_shared", "its distribution is closer than that of the event")
                continue
            if item.get("deleted") is True:
                self.sheet.lose(where, "object", "not_an_alert", "is deleted")
                continue
            for at, each in enumerate(records(item.get("Attribute"))):
                self._attribute(f"{where}/Attribute/{at}", each, marking)

    def _attribute(self, where: str, attribute: Mapping[str, Any], marking: str | None) -> None:
        lose, kind = self.sheet.lose, text(attribute.get("type"))
        value = text(attribute.get("value")).strip()
        name = escaped(kind) or "attribute"
        if attribute.get("deleted") is True:
            lose(where, name, "not_an_alert", "is deleted")
            return
        if _code(attribute.get("distribution")) in (_OWN, _GROUP):
            lose(where, name, "not_shared", "its distribution is closer than that of the event")
            return
        own, known = _marking(list(_tags(attribute)))
        if not known or (own is not None and stricter(own, marking) != (marking or own)):
            lose(where, name, "not_shared", "its TLP tag is stricter than that of the event")
            return
        if kind == "link" and value.startswith("https://") and value.isprintable():
            self.links.append({"uri": value})
            return
        found, rest = parts(kind, value)
        if not found:
            self._not_carried(where, name, kind)
            return
        if attribute.get("to_ids") is not True:
            self.undetected += 1
            if self.sheet.context.defaults.to_ids == "required" or self.sheet.category("cyber", "detect") == "block":
                lose(where, name, "not_for_detection", "to_ids is not set: it is context, not to be looked for")
                return
        self._take(where, name, found, rest)
        if text(attribute.get("comment")):
            lose(f"{where}/comment", "comment", "no_field", "an indicator has no field for words")
        self._seen(attribute)

    def _take(self, where: str, name: str, found: list[Part], rest: str) -> None:
        for part in found:
            value = self.sheet.text(where, name, part.value)
            if value:
                self.indicators.append({"type": part.type, "value": value})
            if part.type == "other":
                self.sheet.lose(where, name, "lossy", "its type has no name here; it is carried as other")
        if rest:
            self.sheet.lose(where, name, "lossy", f"the {rest} beside it is not carried")

    def _not_carried(self, where: str, name: str, kind: str) -> None:
        if kind == "link":
            self.sheet.lose(where, name, "no_field", "only https links are carried")
        else:
            self.sheet.lose(where, name, "no_field", "is no observable of a type that an alert has")

    def _seen(self, attribute: Mapping[str, Any]) -> None:
        for each in records(attribute.get("Sighting")):
            at = epoch(each.get("date_sighting"))
            if at is not None and str(each.get("type", "0")) == "0" and len(self.sightings) < MOST_ITEMS:
                self.sightings.append({"seen_at": at})

    def _nothing(self) -> None:
        if self.undetected:
            message = (
                f"none of its {self.undetected:,} observables is marked for detection (to_ids); "
                "to publish them all as things to look out for, set to_ids = any"
            )
            self.sheet.refuse(self.where, "misp.to_ids", message, "subject.indicators")
        else:
            message = "has no observable of a type that an alert has"
            self.sheet.refuse(self.where, "misp.no_indicator", message, "subject.indicators")

    def _threat(self, tags: list[tuple[str, str]]) -> tuple[str, dict[str, Any]]:
        """Actor, malware, techniques and phases out of galaxies and tags."""
        actors: list[str] = []
        malware: list[str] = []
        techniques: list[str] = []
        phases: list[dict[str, str]] = []
        for where, galaxy, value in self._clusters(tags):
            name = self.sheet.text(where, "name", value)
            if galaxy in ACTOR_GALAXIES:
                actors.append(name)
            elif galaxy in MALWARE_GALAXIES:
                malware.append(re.sub(r" - [SG]\d{4}$", "", name))
            elif galaxy.endswith("attack-pattern") and (found := _TECHNIQUE.findall(value)):
                techniques += found
            else:
                self.sheet.lose(where, "galaxy", "no_field", "no field for a cluster of this galaxy")
        for _, tag in tags:
            if tag.startswith("kill-chain:"):
                phases.append({"chain": "kill-chain", "phase": tag.partition(":")[2].strip('"')})
        names = list(dict.fromkeys(actors))
        if len(names) > 1:
            self.sheet.lose(self.where, "actor", "lossy", f"one actor is carried, the event names {len(names)}")
        subject = {
            "malware": list(dict.fromkeys(malware))[:MOST_ITEMS],
            "techniques": list(dict.fromkeys(techniques))[:MOST_ITEMS],
            "kill_chain": phases[:MOST_ITEMS],
            "sightings": self.sightings,
        }
        return (names[0] if names else ""), {key: value for key, value in subject.items() if value}

    def _clusters(self, tags: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
        seen: set[tuple[str, str]] = set()
        for at, galaxy in enumerate(records(self.event.get("Galaxy"))):
            kind = text(galaxy.get("type"))
            for number, cluster in enumerate(records(galaxy.get("GalaxyCluster"))):
                value = text(cluster.get("value"))
                if value and (kind, value) not in seen:
                    seen.add((kind, value))
                    yield f"{self.where}/Galaxy/{at}/GalaxyCluster/{number}", kind, value
        for where, tag in tags:
            match = _GALAXY_TAG.fullmatch(tag)
            if match and (match[1], match[2]) not in seen:
                seen.add((match[1], match[2]))
                yield f"{self.where}{where}", match[1], match[2]

    def _other(self, tags: list[tuple[str, str]]) -> None:
        """What the event says besides, and an alert has no field for."""
        for where, tag in tags:
            if not tag.casefold().startswith(("tlp:", "misp-galaxy:", "kill-chain:")):
                self.sheet.lose(f"{self.where}{where}", "tag", "no_field", "an alert has no free tags")
        for name in ("threat_level_id", "analysis", "extends_uuid"):
            if text(self.event.get(name)):
                self.sheet.lose(f"{self.where}/{name}", name, "no_field", "an alert has no field for it")
        for name in ("ShadowAttribute", "RelatedEvent", "EventReport", "EventNote", "EventOpinion"):
            if records(self.event.get(name)):
                self.sheet.lose(f"{self.where}/{name}", name, "no_field", "an alert has no field for it")
        if self.event.get("published") is False:
            message = "the event is not marked as published in MISP; it is taken as it is"
            self.sheet.lose(f"{self.where}/published", "published", "lossy", message)


def _tags(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for at, each in enumerate(records(item.get("Tag"))):
        if name := text(each.get("name")).strip():
            yield f"/Tag/{at}", name


def _marking(tags: list[tuple[str, str]]) -> tuple[str | None, bool]:
    """The strictest TLP of these tags, and whether each TLP tag is known."""
    named = [tlp.named(tag) for _, tag in tags if tag.casefold().startswith("tlp:")]
    return stricter(*named), all(named)


def _code(value: Any) -> str:
    """A number that MISP writes as text or number; 5 (inherit) where there is none."""
    if isinstance(value, bool) or value is None:
        return _INHERIT
    return str(value) if isinstance(value, int | str) else ""
