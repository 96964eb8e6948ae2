"""Admit's rules over a decoded alert: what is refused, and what is only doubtful.

The rules are named in one table, RULES. What they promise:

- an alert whose kind, markings or other ruling symbols are not known is never admitted;
- an alert whose subject is not of its kind is never admitted;
- no rule raises on a record that its schema allows, whatever the values;
- no remark holds a value of the alert.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, cast

from hueandcry.alerts.forms import CONTROL, LONGEST_REMARKS, LONGEST_TEXT, MOST_INDICATORS, MOST_ITEMS
from hueandcry.alerts.remarks import Remark
from hueandcry.alerts.rules import ENVELOPE, Finding, Found, Rule
from hueandcry.alerts.rules_subject import SUBJECT
from hueandcry.alerts.validity import longest

#: Most remarks that one rule gives on one alert; 10,000 bad indicators need no 10,000 lines.
MOST_REMARKS = 5

#: The field that only this kind of subject has.
_MARK = {"stolen_vehicle": "stolen", "wanted_person": "identities", "cyber": "indicators"}
_MARKS = frozenset(_MARK.values())


def _subject(alert: Mapping[str, Any], _now: int) -> Found:
    mark = _MARK.get(alert["kind"])
    if mark is None or alert["subject"].keys() & _MARKS == {mark}:
        return None
    return [Finding("subject", "is of another kind than kind says; write the kind of the subject")]


def _texts(alert: Mapping[str, Any], _now: int) -> Found:
    return None if _plain(alert) else _text_findings(alert, "", None)


def _plain(value: Mapping[str, Any] | list[Any]) -> bool:
    """Whether all texts and lists inside are surely within bounds; the quick look that most alerts pass."""
    for item in value if isinstance(value, list) else value.values():
        if isinstance(item, str):
            if len(item) > LONGEST_TEXT or not item.isprintable():
                return False
        elif isinstance(item, dict):
            if not _plain(cast("dict[str, Any]", item)):
                return False
        elif isinstance(item, list) and item and not _plain_list(cast("list[Any]", item)):
            return False
    return True


def _plain_list(items: list[Any]) -> bool:
    return len(items) <= MOST_ITEMS and _plain(items)


def _text_findings(value: Any, path: str, place: str | None) -> Iterator[Finding]:
    if isinstance(value, str):
        if len(value) > (LONGEST_REMARKS if path == "remarks" else LONGEST_TEXT):
            yield Finding(path, "is too long; 4,096 characters are the most, for remarks 16,384", place)
        if CONTROL.search(value):
            yield Finding(path, "holds control characters; leave them out", place)
    elif isinstance(value, Mapping):
        for name, item in cast("Mapping[str, Any]", value).items():
            yield from _text_findings(item, f"{path}.{name}" if path else name, place)
    elif isinstance(value, list):
        items = cast("list[Any]", value)
        if len(items) > (MOST_INDICATORS if path == "subject.indicators" else MOST_ITEMS):
            yield Finding(path, "has too many items; 1,000 are the most, for indicators 10,000", place)
            return
        for i, item in enumerate(items):
            yield from _text_findings(item, path, f"index {i}" if place is None else f"{place}, {i}")


_KIND_RULE = Rule("subject.kind", "subject", "avro/hueandcry.Alert", _subject)
_TEXT_RULE = Rule("text.bounds", "every text and list", "what a receiver can be asked to store and show", _texts)
#: By kind, the rules that apply whatever the subject turns out to be, and then those of the subject.
_BY_KIND: dict[str, tuple[Rule, ...]] = {kind: (_TEXT_RULE, *ENVELOPE, *rules) for kind, rules in SUBJECT.items()}
_ANY_KIND: tuple[Rule, ...] = (_TEXT_RULE, *(rule for rule in ENVELOPE if rule.name != "time.expired"))
#: Every rule, for documentation and tests.
RULES: tuple[Rule, ...] = (_KIND_RULE, _TEXT_RULE, *ENVELOPE, *(rule for rules in SUBJECT.values() for rule in rules))


def check(alert: Mapping[str, Any], *, now_ms: int) -> list[Remark]:
    """Reasons to refuse an alert; empty where it is sound.

    Args:
        alert: decoded hueandcry.Alert, logical types stripped.
        now_ms: the platform's time in epoch milliseconds.

    Reads neither VIN nor plate by their national rules: identity does. Each rule gives at most MOST_REMARKS remarks.
    """
    remarks: list[Remark] = []
    rules = _BY_KIND.get(alert["kind"])
    if rules is None:
        rules = _ANY_KIND
    elif mistaken := _subject(alert, now_ms):
        remarks.extend(_remarks(_KIND_RULE, mistaken))
        rules = _ANY_KIND
    for rule in rules:
        found = rule.judge(alert, now_ms)
        if found:
            remarks.extend(_remarks(rule, found))
    return remarks


def _remarks(rule: Rule, found: Found) -> list[Remark]:
    return [Remark(field, rule.name, message, place) for field, message, place in islice(found or (), MOST_REMARKS)]


def doubts(alert: Mapping[str, Any]) -> list[Remark]:
    """Doubts about the quality of a sound alert. They go with its receipt and refuse nothing."""
    remarks: list[Remark] = []
    if alert["expires_at"] is not None and alert["expires_at"] > longest(alert):
        remarks.append(Remark("expires_at", "time.capped", "is later than its category allows; the alert ends sooner"))
    if alert["review_due"] is not None and alert["review_due"] < alert["issued_at"]:
        remarks.append(Remark("review_due", "time.review", "lies before issued_at; review the alert"))
    match alert["kind"]:
        case "stolen_vehicle":
            remarks.extend(_vehicle_doubts(alert))
        case "wanted_person":
            remarks.extend(_person_doubts(alert))
        case "cyber":
            remarks.extend(islice(_unknown_types(alert, "indicators"), MOST_REMARKS))
        case _:
            pass
    return remarks


def _not_known(path: str, place: str | None = None) -> Remark:
    return Remark(path, "enum.not_known", "is not known to this version of the platform; receivers read unknown", place)


def _unknown_types(alert: Mapping[str, Any], field: str) -> Iterator[Remark]:
    for i, item in enumerate(alert["subject"][field]):
        if item["type"] == "unknown":
            yield _not_known(f"subject.{field}.type", f"index {i}")


#: Fields of a subject in which unknown is an honest answer of the issuer.
def _vehicle_doubts(alert: Mapping[str, Any]) -> Iterator[Remark]:
    subject = alert["subject"]
    if not subject["vin"] and not subject["plate"]:
        message = "has neither VIN nor plate; it can hardly be matched with other alerts"
        yield Remark("subject", "vehicle.weak", message)
    if subject["stolen"] == "unknown":
        yield _not_known("subject.stolen")
    if subject["plate"] and subject["plate"]["type"] == "unknown":
        yield _not_known("subject.plate.type")
    if subject["plate"] and subject["plate"]["state"] is None:
        yield Remark("subject.plate.state", "vehicle.plate_state", "is not given; plates of states look alike")
    if subject["stolen_from"] is not None and subject["stolen_from"] > alert["issued_at"]:
        yield Remark("subject.stolen_from", "vehicle.theft_time", "lies after issued_at")


def _person_doubts(alert: Mapping[str, Any]) -> Iterator[Remark]:
    born = alert["subject"]["born"]
    if born is None:
        yield Remark("subject.born", "person.weak", "is not given; a name alone can hardly be matched")
    elif (born["month"], born["day"], born["estimated"]) == (1, 1, False):
        message = "is 1 January, which is often written for want of a better date; set estimated where it is"
        yield Remark("subject.born", "person.first_january", message)
    for field in ("identities", "documents", "biometrics"):
        yield from islice(_unknown_types(alert, field), MOST_REMARKS)
    if "unknown" in alert["subject"]["warnings"]:
        yield _not_known("subject.warnings")
    for i, identity in enumerate(alert["subject"]["identities"]):
        if not (identity["family"].strip() or identity["given"] or identity["original"] or identity["transliteration"]):
            yield Remark("subject.identities", "person.empty_identity", "has no name", f"index {i}")
