"""What was observed against what was expected. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from hueandcry.demo.expected import NOBODY, Delivered, Expected, Outcome
from hueandcry.sdk.delivery import Delivery

#: By right, the one field that it guards, as docs/rights.md says; apart from the platform's own table.
_GUARDED = {
    "attribution": ("subject", "actor"),
    "biometrics": ("subject", "biometrics"),
    "sources": ("provenance", "source"),
}


class Sent(NamedTuple):
    """A message that the demonstration has sent.

    Attributes:
        agency: who sent it.
        source: topic, partition, offset.
        record: the decoded alert, where it went out as it should.
    """

    agency: str
    reference: str
    version: int
    alert_id: str
    source: tuple[str, int, int]
    record: dict[str, Any] | None


class Told(NamedTuple):
    """What the platform has written on a message: a receipt for an agency, or (agency NOBODY) a quarantined copy."""

    agency: str
    source: tuple[str, int, int]
    outcome: str
    merged_into: str | None
    remarks: tuple[Mapping[str, Any], ...]
    reached: int


class Difference(NamedTuple):
    """Something that is not as expected. `where`: the agency whose inbox, or the issuer whose message."""

    where: str
    alert: str
    expected: str
    found: str


def outcome_of(sent: Sent, told: Sequence[Told], reference_of: Mapping[str, str]) -> Outcome | str:
    """What became of a message by all that was written on it; a text where that is not exactly one outcome.

    A notice names the message of an alert that it is about, and is no outcome of it.
    """
    told = [each for each in told if each.outcome != "notice"]
    receipts = [each for each in told if each.agency != NOBODY]
    copies = [each for each in told if each.agency == NOBODY]
    if len(receipts) > 1 or len(copies) > 1:
        return f"{len(receipts)} receipts, {len(copies)} quarantined"
    if not told:
        return "no outcome"
    first = (receipts or copies)[0]
    if (first.outcome == "refused") != bool(copies):
        return f"{first.outcome}, but {'' if copies else 'not '}quarantined"
    if first.outcome != "refused" and first.agency != sent.agency:
        return f"{first.outcome}, but {first.agency} was told"
    refused = first.outcome == "refused"
    return Outcome(
        first.outcome,
        reference_of.get(first.merged_into, first.merged_into) if first.merged_into else "",
        tuple(sorted(remark["rule"] for remark in first.remarks)) if refused else (),
        first.agency if refused else "",
    )


def _delivered(
    delivery: Delivery, reference_of: Mapping[str, str], published: Mapping[tuple[str, int], Mapping[str, Any]]
) -> Delivered:
    if delivery.action == "linked":
        # Which of the two was registered first, and so whose delivery it is, nobody can state.
        both = sorted(reference_of.get(each, each) for each in (delivery.alert_id, *delivery.related))
        return Delivered(both[0], 1, f"linked with {', '.join(both[1:])}")
    return Delivered(
        reference_of.get(delivery.alert_id, delivery.alert_id), delivery.version, wording(delivery, published)
    )


def wording(delivery: Delivery, published: Mapping[tuple[str, int], Mapping[str, Any]]) -> str:
    """What an agency was sent, in the words of `Delivered.what`.

    Args:
        published: the alerts as they were published, by id and version.

    A delivery whose content is not that of the alert but for what is withheld says so.
    """
    original = published.get((delivery.alert_id, delivery.version))
    if delivery.alert is None:
        return delivery.action
    if original is None:
        return f"{delivery.action}, which nobody has published"
    missing = sorted(
        right
        for right, (part, name) in _GUARDED.items()
        if original[part].get(name) and not delivery.alert[part].get(name)
    )
    what = f"{delivery.action} without {', '.join(missing)}" if missing else delivery.action
    if delivery.form != ("redacted" if missing else "original"):
        what += f", marked as {delivery.form}"
    if _without(original, missing) != _without(delivery.alert, missing):
        what += ", with other content"
    return what


def _without(alert: Mapping[str, Any], rights: Iterable[str]) -> dict[str, Any]:
    left = dict(alert)
    for right in rights:
        part, name = _GUARDED[right]
        left[part] = {key: value for key, value in left[part].items() if key != name}
    return left


def differences(
    expected: Expected,
    sent: Sequence[Sent],
    told: Mapping[tuple[str, int, int], Sequence[Told]],
    inboxes: Mapping[str, Iterable[Delivery]],
) -> list[Difference]:
    """All that is not as expected; empty where all is.

    Args:
        sent: in the order in which it was sent.
        told: by source.
        inboxes: by agency, everything that lies there.
    """
    reference_of = {each.alert_id: each.reference for each in sent}
    published = {(each.alert_id, each.version): each.record for each in sent if each.record is not None}
    found = list(_outcomes(expected, sent, told, reference_of))
    for agency in sorted(inboxes.keys() | expected.deliveries.keys()):
        have = Counter(_delivered(each, reference_of, published) for each in inboxes.get(agency, ()))
        found += _deliveries(agency, expected.deliveries.get(agency, Counter()), have)
    return found


def _outcomes(
    expected: Expected,
    sent: Sequence[Sent],
    told: Mapping[tuple[str, int, int], Sequence[Told]],
    reference_of: Mapping[str, str],
) -> Iterable[Difference]:
    times: Counter[tuple[str, int]] = Counter()
    for each in sent:
        key = (each.reference, each.version)
        wants = expected.outcomes.get(key, [])
        want = wants[times[key]] if times[key] < len(wants) else "not sent"
        times[key] += 1
        got = outcome_of(each, told.get(each.source, ()), reference_of)
        if got != want:
            yield Difference(each.agency, _name(*key), str(want), str(got))
    for key, wants in expected.outcomes.items():
        if times[key] < len(wants):
            yield Difference("", _name(*key), str(wants[times[key]]), "not sent")
    for source in sorted(told.keys() - {each.source for each in sent}):
        yield Difference("", "{}[{}]@{}".format(*source), "not sent", told[source][0].outcome)


def _deliveries(agency: str, want: Counter[Delivered], have: Counter[Delivered]) -> Iterable[Difference]:
    if want == have:
        return
    for reference, version in sorted({each[:2] for each in (want - have) + (have - want)}):
        sides = [
            "; ".join(
                each.what if count == 1 else f"{each.what} ({count} times)"
                for each, count in sorted(side.items())
                if each[:2] == (reference, version)
            )
            for side in (want, have)
        ]
        yield Difference(agency, _name(reference, version), sides[0] or "nothing", sides[1] or "nothing")


def _name(reference: str, version: int) -> str:
    return reference if version == 1 else f"{reference} v{version}"
