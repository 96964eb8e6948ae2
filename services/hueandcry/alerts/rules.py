"""What a rule is, and the rules over the envelope.

A judge takes the decoded alert and the time, and returns what it finds: nothing where the alert is sound. It is called
for every alert, so it builds words only where something is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, get_args

from hueandcry.alerts import categories as c
from hueandcry.alerts.compatibility import COVERT
from hueandcry.alerts.forms import STATES, is_iccs, is_jurisdiction, is_party, is_reference, is_slug, is_uuid
from hueandcry.alerts.ids import alert_id
from hueandcry.alerts.validity import DAY_MS, EARLIEST_MS, LATEST_MS, SHORTEST_DAYS, expires_at

MINUTE_MS = 60_000
#: How far a publisher's clock may run ahead.
CLOCK_TOLERANCE_MS = 5 * MINUTE_MS


class Finding(NamedTuple):
    """Something wrong: where, what to write instead, and the index in a list where there is one."""

    field: str
    message: str
    place: str | None = None


Found = Iterable[Finding] | None
Judge = Callable[[Mapping[str, Any], int], Found]


class Rule(NamedTuple):
    """One rule of admission.

    Attributes:
        name: short name that a refusal carries.
        field: the field, or the part of the alert, that it judges.
        source: where the rule comes from.
        judge: gives what it finds in an alert at a time (epoch milliseconds).
    """

    name: str
    field: str
    source: str
    judge: Judge


def span(milliseconds: int) -> str:
    """A length of time in words: minutes under two hours, hours under two days, else days."""
    minutes = milliseconds // MINUTE_MS
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 1440} days"


_ENUMS: tuple[tuple[str, frozenset[str]], ...] = (
    ("message_type", frozenset(get_args(c.MessageType))),
    ("status", frozenset(get_args(c.Status))),
    ("kind", frozenset(get_args(c.Kind))),
    ("category", frozenset(get_args(c.Category))),
    ("action", frozenset(get_args(c.Action))),
    ("classification", frozenset(get_args(c.Classification))),
    ("handling_code", frozenset(get_args(c.HandlingCode))),
    ("tlp", frozenset(get_args(c.Tlp))),
)
_ENUM_FIELDS = tuple(field for field, _ in _ENUMS)
_WHOLE = frozenset((field, symbol) for field, symbols in _ENUMS for symbol in symbols)


def _enums(alert: Mapping[str, Any], _now: int) -> Found:
    if all((field, alert[field]) in _WHOLE for field in _ENUM_FIELDS):
        return None
    return [
        Finding(field, f"not known here; write one of {', '.join(sorted(symbols))}")
        for field, symbols in _ENUMS
        if alert[field] not in symbols
    ]


def _issuer(alert: Mapping[str, Any], _now: int) -> Found:
    if is_slug(alert["issuer"]):
        return None
    return [Finding("issuer", "is not an agency id; write lower-case letters, digits and hyphens, as in topics/")]


def _issuing_state(alert: Mapping[str, Any], _now: int) -> Found:
    if alert["issuing_state"] in STATES:
        return None
    return [Finding("issuing_state", "is not a state; write its ISO 3166-1 alpha-3 code, for example FRA")]


def _reference(alert: Mapping[str, Any], _now: int) -> Found:
    if is_reference(alert["national_reference"]):
        return None
    return [
        Finding(
            "national_reference",
            "must have 1 to 128 printable characters and no blank at either end",
        )
    ]


def _alert_id(alert: Mapping[str, Any], _now: int) -> Found:
    if alert["alert_id"] == alert_id(alert["issuer"], alert["national_reference"]):
        return None
    return [
        Finding(
            "alert_id",
            "does not follow from issuer and national_reference; leave it out, or write their UUIDv5 in lower case",
        )
    ]


def _version(alert: Mapping[str, Any], _now: int) -> Found:
    version = alert["version"]
    if version < 1:
        return [Finding("version", "must be 1 or more")]
    if (alert["message_type"] == "issue") == (version == 1):
        return None
    if version == 1:
        return [Finding("version", "version 1 is the issue; write message_type issue, or a higher version")]
    return [Finding("version", "an issue has version 1; write 1, or message_type update, extend, withdraw or expire")]


def _category(alert: Mapping[str, Any], _now: int) -> Found:
    kind, category = alert["kind"], alert["category"]
    if (kind, category) in c.GROUND or ("kind", kind) not in _WHOLE or ("category", category) not in _WHOLE:
        return None
    allowed = ", ".join(ground.category for ground in c.GROUNDS if ground.kind == kind)
    return [Finding("category", f"a {kind} alert can't have this category; write one of {allowed}")]


def _action(alert: Mapping[str, Any], _now: int) -> Found:
    ground = c.GROUND.get((alert["kind"], alert["category"]))
    if ground is None or alert["action"] in ground.actions or ("action", alert["action"]) not in _WHOLE:
        return None
    return [
        Finding("action", f"can't be asked under category {ground.category}; write one of {', '.join(ground.actions)}")
    ]


def _circulation(alert: Mapping[str, Any], _now: int) -> Found:
    circulation = alert["circulation"]
    if not circulation:
        return [
            Finding("circulation", "names nobody; write at least one of world, a region id, a state, a subdivision")
        ]
    if all(map(is_jurisdiction, circulation)):
        return None
    return [
        Finding(
            "circulation",
            "is no jurisdiction; write world, a region id, an ISO 3166-1 alpha-3 or an ISO 3166-2 code",
            f"index {i}",
        )
        for i, item in enumerate(circulation)
        if not is_jurisdiction(item)
    ]


def _parties(alert: Mapping[str, Any], _now: int) -> Found:
    if not alert["releasable_to"] and not alert["excluded"]:
        return None
    return [
        Finding(
            field,
            "names no possible receiver; write an agency, region or coalition id, or an ISO 3166-1 alpha-3 code",
            f"index {i}",
        )
        for field in ("releasable_to", "excluded")
        for i, item in enumerate(alert[field])
        if not is_party(item)
    ]


def _discoverable(alert: Mapping[str, Any], _now: int) -> Found:
    if not alert["discoverable"]:
        return None
    if alert["category"] in COVERT:
        return [Finding("discoverable", "betrays an alert of a category that works unseen; leave it false")]
    if alert["tlp"] == "red":
        return [Finding("discoverable", "goes beyond the persons whom TLP red is for; leave it false")]
    return None


def _sane_times(alert: Mapping[str, Any], _now: int) -> Found:
    times = [
        ("issued_at", alert["issued_at"]),
        ("effective_from", alert["effective_from"]),
        ("review_due", alert["review_due"]),
        ("expires_at", alert["expires_at"]),
        ("provenance.collected_at", alert["provenance"]["collected_at"]),
    ]
    for _, at in times:
        if at is not None and not EARLIEST_MS <= at < LATEST_MS:
            break
    else:
        return None
    return [insane(field) for field, at in times if at is not None and not EARLIEST_MS <= at < LATEST_MS]


def insane(field: str, place: str | None = None) -> Finding:
    """A time that can't be meant."""
    return Finding(field, "lies outside the years 1900 to 2199; give milliseconds since 1970, UTC", place)


def _clock(alert: Mapping[str, Any], now: int) -> Found:
    ahead = alert["issued_at"] - now
    if ahead <= CLOCK_TOLERANCE_MS or alert["issued_at"] >= LATEST_MS:
        return None
    return [
        Finding(
            "issued_at",
            f"is {span(ahead)} ahead of the platform; set the clock (5 minutes are let pass) and send again",
        )
    ]


def _expired(alert: Mapping[str, Any], now: int) -> Found:
    if alert["message_type"] in ("withdraw", "expire"):
        return None
    if now - alert["issued_at"] < SHORTEST_DAYS * DAY_MS and alert["expires_at"] is None and alert["kind"] != "cyber":
        return None  # no category ends sooner: most alerts are new and need no calendar
    late = now - expires_at(alert)
    if late < 0:
        return None
    return [
        Finding(
            "expires_at",
            f"ended {span(late)} before it came, by its own times or its category's longest validity; "
            "extend it at its source and issue it anew, or leave it out",
        )
    ]


def _order(alert: Mapping[str, Any], _now: int) -> Found:
    end = alert["expires_at"]
    if end is None:
        return None
    start = alert["effective_from"]
    if (alert["issued_at"] if start is None else start) <= end or alert["message_type"] in ("withdraw", "expire"):
        return None
    return [Finding("expires_at", "lies before the time from which the alert holds; write a later one")]


def _offences(alert: Mapping[str, Any], _now: int) -> Found:
    return [found for i, offence in enumerate(alert["offences"]) for found in _offence(offence, f"index {i}")]


def _offence(offence: Mapping[str, Any], place: str) -> Iterable[Finding]:
    iccs = offence["iccs"]
    if iccs is not None and not is_iccs(iccs):
        yield Finding("offences.iccs", "is no ICCS code; write 2 to 6 digits, for example 05021", place)
    elif not (iccs or offence["national_code"] or offence["national_name"]):
        yield Finding("offences", "names no offence; write iccs, national_code or national_name", place)


def _references(alert: Mapping[str, Any], _now: int) -> Found:
    if not alert["references"]:
        return None
    return [
        Finding("references.alert_id", "is no id of another alert; write its UUID in lower case", f"index {i}")
        for i, reference in enumerate(alert["references"])
        if not is_uuid(reference["alert_id"]) or reference["alert_id"] == alert["alert_id"]
    ]


def _links(alert: Mapping[str, Any], _now: int) -> Found:
    return [found for i, link in enumerate(alert["links"]) for found in _link(link, f"index {i}")]


def _link(link: Mapping[str, Any], place: str) -> Iterable[Finding]:
    if not link["uri"].startswith(("https://", "urn:")) or not link["uri"].isprintable():
        yield Finding("links.uri", "is neither an https nor a urn URI", place)
    if link["sha256"] is not None and len(link["sha256"]) != 32:
        yield Finding("links.sha256", "is no SHA-256 digest; give 32 bytes", place)


def _system(alert: Mapping[str, Any], _now: int) -> Found:
    if is_reference(alert["provenance"]["system"]):
        return None
    return [Finding("provenance.system", "must name the system in 1 to 128 printable characters")]


_HOUSE = "avro/hueandcry.Alert"
ENVELOPE: tuple[Rule, ...] = (
    Rule("enum.unknown", "markings, kind, category, action, message_type, status", "fail closed, visibly", _enums),
    Rule("issuer.form", "issuer", "topics/: ids of agencies", _issuer),
    Rule("state.code", "issuing_state", "ISO 3166-1 alpha-3", _issuing_state),
    Rule("reference.form", "national_reference", _HOUSE, _reference),
    Rule("alert_id.derived", "alert_id", "RFC 9562, UUIDv5 in our namespace", _alert_id),
    Rule("version.order", "version", _HOUSE, _version),
    Rule("category.kind", "category", "alerts.categories", _category),
    Rule("action.category", "action", "alerts.categories", _action),
    Rule("circulation.form", "circulation", "ISO 3166-1, ISO 3166-2, topics/", _circulation),
    Rule("parties.form", "releasable_to, excluded", "ISO 3166-1 alpha-3, topics/", _parties),
    Rule("discoverable.covert", "discoverable", "2018/1862 art. 37(3); TLP 2.0", _discoverable),
    Rule("time.range", "times of the envelope", "1900 to 2199", _sane_times),
    Rule("time.clock", "issued_at", "5 minutes of tolerance", _clock),
    Rule("time.expired", "expires_at", "alerts.validity", _expired),
    Rule("time.order", "expires_at", _HOUSE, _order),
    Rule("offence.form", "offences", "UNODC ICCS 2015", _offences),
    Rule("references.form", "references", _HOUSE, _references),
    Rule("link.form", "links", _HOUSE, _links),
    Rule("system.form", "provenance.system", _HOUSE, _system),
)
