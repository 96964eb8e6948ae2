"""STIX 2.1 and 2.0 bundles to alerts.

What becomes an alert:
1. An indicator with a STIX pattern. Who or what it indicates gives malware, actor and techniques; a sighting of it
   gives sightings; a revoked one withdraws the alert.
2. Infrastructure or malware that is tied to observables which no indicator covers: an alert of those observables.
3. Our own objects (stix_objects), if the agency that reads them has issued them.

Everything else is context. What of it an alert can't carry is a loss: an observable alone says what was seen, not what
to look for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from hueandcry.adapters import stix_own
from hueandcry.adapters.json_text import NotJson, ambiguity, escaped, load, records, text, texts
from hueandcry.adapters.sheet import Sheet
from hueandcry.adapters.stix_markings import markings
from hueandcry.adapters.stix_pattern import NotAPattern, take
from hueandcry.adapters.times import moment
from hueandcry.alerts.forms import MOST_INDICATORS, MOST_ITEMS, STATES, is_technique

ACTORS = ("threat-actor", "intrusion-set")
CARRIERS = ("infrastructure", "malware")
_TIES = frozenset(
    {"consists-of", "communicates-with", "beacons-to", "exfiltrates-to", "controls", "hosts", "downloads", "drops"}
)
_TOWARDS_ACTOR = frozenset({"attributed-to", "authored-by"})
_OBSERVABLES = {
    "ipv4-addr": ("ipv4", "value"), "ipv6-addr": ("ipv6", "value"), "domain-name": ("domain", "value"),
    "url": ("url", "value"), "email-addr": ("email", "value"), "mutex": ("mutex", "name"),
    "windows-registry-key": ("registry_key", "key"), "file": ("filename", "name"),
}  # fmt: skip
_HASHES = {"md5": "md5", "sha1": "sha1", "sha256": "sha256", "sha512": "sha512"}
#: What is read of an indicator; any other property is told as a loss.
_READ = frozenset({
    "type", "spec_version", "id", "created", "modified", "created_by_ref", "revoked", "confidence", "name",
    "description", "pattern", "pattern_type", "valid_from", "valid_until", "kill_chain_phases", "extensions",
    "external_references", "object_marking_refs", "granular_markings", "lang", "pattern_version",
})  # fmt: skip


class _Bundle:
    """The objects of one bundle: by id and by relationship."""

    def __init__(self, objects: list[Any], pointer: str) -> None:
        self.pointers: dict[str, str] = {}
        self.by_id: dict[str, dict[str, Any]] = {}
        self.of_type: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
        self.outgoing: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.incoming: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.sightings: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.used: set[str] = set()
        self.whole: set[str] = {stix_own.PLATFORM}
        self.repeats: list[str] = []
        for at, item in enumerate(objects):
            if not isinstance(item, dict):
                continue
            found = cast("dict[str, Any]", item)
            where = f"{pointer}/{at}" if pointer else ""
            identifier = text(found.get("id"))
            if identifier and identifier in self.by_id:
                if text(found.get("modified")) <= text(self.by_id[identifier].get("modified")):
                    self.repeats.append(where)
                    continue
                older = self.pointers[identifier]
                self.repeats.append(older)
                kind = text(self.by_id[identifier].get("type"))
                self.of_type[kind] = [each for each in self.of_type[kind] if each[0] != older]
            self.by_id[identifier] = found
            self.pointers[identifier] = where
            self.of_type[text(found.get("type"))].append((where, found))
        for _, relation in self.of_type["relationship"]:
            self.outgoing[text(relation.get("source_ref"))].append(relation)
            self.incoming[text(relation.get("target_ref"))].append(relation)
        for _, sighting in self.of_type["sighting"]:
            self.sightings[text(sighting.get("sighting_of_ref"))].append(sighting)

    def get(self, ref: Any) -> dict[str, Any]:
        """The object of an id; empty where it is not in the bundle."""
        return self.by_id.get(text(ref), {})

    def carry(self, item: Mapping[str, Any]) -> None:
        """One of our own objects: the alert in it has all that goes with it."""
        ties = [*self.outgoing[text(item.get("id"))], *self.sightings[text(item.get("id"))]]
        self.whole.update((text(item.get("id")), text(item.get("created_by_ref"))))
        for each in ties:
            self.whole.update((text(each.get("id")), text(each.get("target_ref"))))

    def use(self, item: Mapping[str, Any]) -> None:
        """What an alert has taken something of."""
        self.used.add(text(item.get("id")))


def draw(data: bytes, sheet: Sheet) -> None:
    """Alerts of a bundle, or of one object."""
    try:
        document = load(data)
    except NotJson as error:
        sheet.refuse("", error.rule, error.message)
        return
    root: Any = document.value
    whole = cast("dict[str, Any]", root) if isinstance(root, dict) else {}
    inside = whole.get("objects")
    if isinstance(inside, list):
        objects, pointer = cast("list[Any]", inside), "/objects"
    elif "type" in whole and whole["type"] != "bundle":
        objects, pointer = [whole], ""
    else:
        hint = "it has no objects" if whole else "write {type: bundle, objects: […]}"
        sheet.refuse("", "stix.bundle", f"is no STIX bundle: {hint}")
        return
    if document.ambiguous:
        objects = [each if _is_plain(each, at, pointer, sheet) else None for at, each in enumerate(objects)]
    for at, each in enumerate(objects):
        if each is not None and not _has_type(each):
            sheet.refuse(f"{pointer}/{at}", "stix.object", "is no STIX object: it has no type")
    bundle = _Bundle(objects, pointer)
    _draw_all(bundle, sheet)


def _has_type(value: Any) -> bool:
    return isinstance(value, dict) and text(cast("dict[str, Any]", value).get("type")) != ""


def _is_plain(value: Any, at: int, pointer: str, sheet: Sheet) -> bool:
    found = ambiguity(value, f"{pointer}/{at}" if pointer else "")
    if found is None:
        return True
    where, key = found
    sheet.refuse(where, "json.repeated_key", f"the key {escaped(key)} is there twice; write it once")
    return False


def _draw_all(bundle: _Bundle, sheet: Sheet) -> None:
    for where, item in bundle.of_type["indicator"]:
        _indicator(where, item, bundle, sheet)
    for kind in CARRIERS:
        for where, item in bundle.of_type[kind]:
            _carrier(where, item, bundle, sheet)
    for kind in stix_own.TYPES:
        for where, item in bundle.of_type[kind]:
            bundle.carry(item)
            stix_own.draw(where, item, _tlp(item, where, bundle, sheet), sheet)
    for where in bundle.repeats:
        sheet.lose(where, "object", "repeated", "the id is in the bundle twice; the one modified last is taken")
    _context(bundle, sheet)
    if sheet.is_empty:
        kinds = ", ".join(sorted(escaped(kind) for kind in bundle.of_type if bundle.of_type[kind])) or "nothing"
        sheet.refuse("", "stix.no_alert", f"tells nothing to look for: no indicator or tied observable, only {kinds}")


def _indicator(where: str, item: dict[str, Any], bundle: _Bundle, sheet: Sheet) -> None:
    if stix_own.is_own(item):
        bundle.carry(item)
        stix_own.draw(where, item, _tlp(item, where, bundle, sheet), sheet)
        return
    kind = text(item.get("pattern_type")) or "stix"
    if kind != "stix":
        sheet.refuse(where, "stix.pattern_type", "is in another language than STIX patterns, which alone are carried")
        return
    pattern = text(item.get("pattern"))
    try:
        taken = take(pattern)
    except NotAPattern as error:
        sheet.refuse(where, "stix.pattern", str(error), "subject.pattern")
        return
    for path in taken.kept:
        name = path if path.isascii() and len(path) < 80 else "a comparison"
        sheet.lose(f"{where}/pattern", name, "lossy", "is carried in the pattern only, not as an indicator of its own")
    for name in item.keys() - _READ:
        sheet.lose(f"{where}/{escaped(name)}", escaped(name), "no_field", "an alert has no field for it")
    subject: dict[str, Any] = {
        "pattern": pattern,
        "indicators": [{"type": type_, "value": value} for type_, value in taken.indicators[:MOST_INDICATORS]],
        "valid_from": _time(item, "valid_from", where, sheet),
        "valid_until": _time(item, "valid_until", where, sheet),
    }
    confidence = item.get("confidence")
    if isinstance(confidence, int) and not isinstance(confidence, bool):
        subject["confidence"] = confidence
    _draw(where, item, subject, bundle, sheet)


def _carrier(where: str, item: dict[str, Any], bundle: _Bundle, sheet: Sheet) -> None:
    """An alert of the observables that are tied to infrastructure or malware and that no indicator covers."""
    if _indicated(item, bundle):
        return
    refs = [text(each.get("target_ref")) for each in _relations(item, bundle) if each.get("relationship_type") in _TIES]
    refs += texts(item.get("sample_refs"))
    indicators: list[dict[str, str]] = []
    for ref in dict.fromkeys(refs):
        seen = bundle.get(ref)
        found = list(_observed(seen))
        if found:
            bundle.use(seen)
        indicators += [{"type": type_, "value": value} for type_, value in found]
    if not indicators:
        return
    bundle.use(item)
    subject: dict[str, Any] = {"indicators": indicators[:MOST_INDICATORS]}
    if item["type"] == "malware" and text(item.get("name")):
        subject["malware"] = [sheet.text(f"{where}/name", "name", text(item["name"]))]
    _draw(where, item, subject, bundle, sheet)


def _indicated(item: Mapping[str, Any], bundle: _Bundle) -> bool:
    return any(
        bundle.get(each.get("source_ref")).get("type") == "indicator" for each in bundle.incoming[text(item.get("id"))]
    )


def _relations(item: Mapping[str, Any], bundle: _Bundle) -> list[dict[str, Any]]:
    return bundle.outgoing[text(item.get("id"))]


def _observed(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Indicators that an observable is."""
    kind = text(item.get("type"))
    hashes: Any = item.get("hashes")
    if kind == "file" and isinstance(hashes, dict):
        known = [
            (name, value)
            for algorithm, value in cast("dict[str, Any]", hashes).items()
            if (name := _HASHES.get(algorithm.lower().replace("-", ""))) and isinstance(value, str)
        ]
        yield from known
        if known:
            return
    number = item.get("number")
    if kind == "autonomous-system" and isinstance(number, int):
        yield "asn", f"AS{number}"
    if kind in _OBSERVABLES:
        name, field = _OBSERVABLES[kind]
        if value := text(item.get(field)).strip():
            yield name, value


def _draw(where: str, item: dict[str, Any], subject: dict[str, Any], bundle: _Bundle, sheet: Sheet) -> None:
    """What indicator and carrier have in common."""
    tlp, closed = _closing(item, where, bundle, sheet)
    if closed:
        return
    names = _surroundings(where, item, subject, bundle, sheet)
    subject["kill_chain"] = [
        {"chain": text(each.get("kill_chain_name")), "phase": text(each.get("phase_name"))}
        for each in records(item.get("kill_chain_phases"))[:MOST_ITEMS]
    ]
    subject["sightings"] = list(_sightings(item, bundle, sheet))[:MOST_ITEMS]
    created, modified = moment(item.get("created")), moment(item.get("modified"))
    fields: dict[str, Any] = {
        "national_reference": text(item.get("id")),
        "kind": "cyber",
        "category": sheet.category("cyber", "detect"),
        "subject": {name: value for name, value in subject.items() if value not in (None, [])},
        "remarks": sheet.remarks(where, text(item.get("name")), text(item.get("description")), *names),
        "links": _links(where, item, sheet),
    }
    if item.get("revoked") is True:
        fields["message_type"] = "withdraw"
    producer = bundle.get(item.get("created_by_ref"))
    if name := text(producer.get("name")):
        bundle.use(producer)
        fields["provenance"] = {"source": sheet.text(f"{where}/created_by_ref", "name", name)}
    changed = modified if modified and (modified != created or item.get("revoked") is True) else None
    if item.get("revoked") is True and changed is None:
        sheet.refuse(where, "stix.modified", "is revoked, but does not say when it was modified", "version")
        return
    sheet.draw(where, fields, at=created, changed=changed, tlp=tlp)


def _tlp(item: Mapping[str, Any], where: str, bundle: _Bundle, sheet: Sheet) -> str | None:
    return _closing(item, where, bundle, sheet)[0]


def _closing(item: Mapping[str, Any], where: str, bundle: _Bundle, sheet: Sheet) -> tuple[str | None, bool]:
    """TLP, and whether the markings close the object for us, which is then refused."""
    definitions = {text(each.get("id")): each for _, each in bundle.of_type["marking-definition"]}
    asked = markings(item, definitions)
    if asked.unknown:
        message = "has a marking that is not known or not in the bundle; it is not passed on"
        sheet.refuse(where, "marking.unknown", message, "tlp")
        return None, True
    if asked.statements and sheet.context.defaults.statement_markings == "refuse":
        sheet.refuse(where, "marking.statement", "is bound by a statement, which an alert can't carry", "tlp")
        return None, True
    if asked.statements:
        message = "a statement binds it that an alert has no field for"
        sheet.lose(f"{where}/object_marking_refs", "statement", "no_field", message)
    if asked.granular:
        message = "parts have markings of their own; the strictest holds for the whole alert"
        sheet.lose(f"{where}/granular_markings", "granular marking", "lossy", message)
    return asked.tlp, False


def _surroundings(
    where: str, item: Mapping[str, Any], subject: dict[str, Any], bundle: _Bundle, sheet: Sheet
) -> list[str]:
    """Malware, actor and techniques by relationship, one step and, towards an actor, two; names of campaigns."""
    malware: list[str] = list(subject.get("malware", []))
    actors: list[str] = []
    techniques: list[str] = []
    campaigns: list[str] = []
    for near in _around(item, bundle):
        name, kind, ref = text(near.get("name")).strip(), text(near.get("type")), text(near.get("id"))
        if kind == "attack-pattern":
            found = [each for each in _techniques(near) if is_technique(each)]
            techniques += found
            if not found:
                message = "has no id of MITRE ATT&CK, by which techniques are carried"
                sheet.lose(bundle.pointers[ref], kind, "no_field", message)
        elif kind == "malware" and name:
            malware.append(name)
        elif kind in ACTORS and name:
            actors.append(name)
        elif kind == "campaign" and name:
            campaigns.append(f"Campaign: {name}")
        else:
            continue
        bundle.use(near)
    subject["malware"] = [sheet.text(where, "name", each) for each in dict.fromkeys(malware)][:MOST_ITEMS]
    subject["techniques"] = list(dict.fromkeys(techniques))[:MOST_ITEMS]
    if names := list(dict.fromkeys(actors)):
        subject["actor"] = sheet.text(where, "name", names[0])
        if len(names) > 1:
            sheet.lose(where, "actor", "lossy", f"one actor is carried, the source ties {len(names)} to it")
    return campaigns


def _around(item: Mapping[str, Any], bundle: _Bundle) -> Iterator[dict[str, Any]]:
    """What an object is tied to: its own relationships, and those of what it indicates towards an actor."""
    seen: set[str] = set()
    for near in _near(item, bundle):
        yield near
        if near.get("type") in (*ACTORS, "attack-pattern") or text(near.get("id")) in seen:
            continue
        seen.add(text(near.get("id")))
        for each in _relations(near, bundle):
            if each.get("relationship_type") in _TOWARDS_ACTOR:
                yield bundle.get(each.get("target_ref"))
        for each in bundle.incoming[text(near.get("id"))]:
            source = bundle.get(each.get("source_ref"))
            if each.get("relationship_type") == "uses" and source.get("type") in (*ACTORS, "campaign"):
                yield source


def _near(item: Mapping[str, Any], bundle: _Bundle) -> Iterator[dict[str, Any]]:
    for each in _relations(item, bundle):
        if target := bundle.get(each.get("target_ref")):
            bundle.use(each)
            yield target
    if item.get("type") in CARRIERS:
        for each in bundle.incoming[text(item.get("id"))]:
            source = bundle.get(each.get("source_ref"))
            if source and source.get("type") in (*ACTORS, "malware", "campaign"):
                bundle.use(each)
                yield source


def _techniques(item: Mapping[str, Any]) -> list[str]:
    return [
        text(each.get("external_id"))
        for each in records(item.get("external_references"))
        if text(each.get("source_name")) in ("mitre-attack", "mitre-mobile-attack", "mitre-ics-attack")
    ]


def _sightings(item: Mapping[str, Any], bundle: _Bundle, sheet: Sheet) -> Iterator[dict[str, Any]]:
    for each in bundle.sightings[text(item.get("id"))]:
        seen = moment(each.get("last_seen")) or moment(each.get("first_seen")) or moment(each.get("created"))
        if seen is None:
            continue
        bundle.use(each)
        count = each.get("count")
        sighting: dict[str, Any] = {"seen_at": seen}
        if isinstance(count, int) and not isinstance(count, bool) and 1 <= count < 2**31:
            sighting["count"] = count
        places = [text(bundle.get(ref).get("country")) for ref in texts(each.get("where_sighted_refs"))]
        if states := [place for place in places if place in STATES]:
            sighting["state"] = states[0]
        yield sighting


def _links(where: str, item: Mapping[str, Any], sheet: Sheet) -> list[dict[str, str]]:
    links: list[dict[str, str]] = []
    for at, each in enumerate(records(item.get("external_references"))[:MOST_ITEMS]):
        uri, name = text(each.get("url")).strip(), text(each.get("source_name"))
        if uri.startswith("https://") and uri.isprintable() and len(uri) <= 4_096:
            links.append({"uri": uri, **({"title": sheet.text(where, "source_name", name)} if name else {})})
        else:
            message = "only https links are carried"
            sheet.lose(f"{where}/external_references/{at}", "external reference", "no_field", message)
    return links


def _time(item: Mapping[str, Any], name: str, where: str, sheet: Sheet) -> datetime | None:
    if name not in item:
        return None
    found = moment(item[name])
    if found is None:
        sheet.lose(f"{where}/{name}", name, "broken", "is no time of RFC 3339 in the years 1900 to 2199")
    return found


#: Parts of a bundle that say how to read the rest, and are no loss.
_FRAME = frozenset({"marking-definition", "extension-definition", "language-content"})


def _context(bundle: _Bundle, sheet: Sheet) -> None:
    """What no alert has taken, or taken in part."""
    for kind, items in bundle.of_type.items():
        if kind in _FRAME or kind in stix_own.TYPES or kind in ("indicator", ""):
            continue
        for where, item in items:
            name = escaped(kind)
            if text(item.get("id")) in bundle.whole:
                continue
            if text(item.get("id")) in bundle.used:
                if kind not in ("relationship", "sighting", *_OBSERVABLES, "autonomous-system"):
                    sheet.lose(where, name, "lossy", "its name is carried with the alert, the rest of it is not")
            elif kind in _OBSERVABLES or kind in ("observed-data", "autonomous-system"):
                message = (
                    "says what was seen, not what to look for: no indicator, malware or infrastructure is tied to it"
                )
                sheet.lose(where, name, "not_an_alert", message)
            else:
                sheet.lose(where, name, "not_an_alert", "context to which no alert of this bundle is tied")
