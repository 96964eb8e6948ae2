"""The sheet on which an adapter draws alerts: defaults filled in, rules asked, losses and refusals kept.

Rules:
1. What the source states is never overwritten by a default. Of several TLP markings in the source the strictest holds.
2. An alert is drawn only if it is sound and still in force at the time of reading; else it is refused with all reasons.
3. Where the source tells when it last changed, the version counts the seconds from 2000 to that time, so that a later
   change is a later version without any memory here. The platform takes a first version of any number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from hueandcry.adapters.reading import MOST, Context, Drawn, Loss, Reading, Refusal, Why
from hueandcry.alerts.checks import check
from hueandcry.alerts.forms import CONTROL, LONGEST_REFERENCE, LONGEST_REMARKS, LONGEST_TEXT
from hueandcry.alerts.model import Alert, complete, problems
from hueandcry.alerts.remarks import Remark

_2000 = datetime(2000, 1, 1, tzinfo=UTC)
_TLP = ("clear", "green", "amber", "amber_strict", "red")


class Full(Exception):
    """More alerts came of a document than MOST allows."""


def stricter(*markings: str | None) -> str | None:
    """The strictest of these TLP markings; None where none is given."""
    given = [marking for marking in markings if marking is not None]
    return max(given, key=_TLP.index) if given else None


def version_at(moment: datetime) -> int:
    """The version of what last changed at this time: seconds since 2000, at least 2 (1 is the issue)."""
    return max(2, int((moment - _2000).total_seconds()))


def clean(text: str, most: int = LONGEST_TEXT) -> str:
    """Text as an alert may hold it: without control characters, and cut to so many characters."""
    return CONTROL.sub("", text).strip()[:most]


class Sheet:
    """Collects what one document gives. Places and pointers are the source's."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._alerts: list[Drawn] = []
        self._losses: list[Loss] = []
        self._refusals: list[Refusal] = []
        self._unlisted = 0
        self._references: set[str] = set()

    def lose(self, pointer: str, what: str, why: Why, message: str) -> None:
        """This part of the source is not carried, or not as it was."""
        if len(self._losses) < MOST:
            self._losses.append(Loss(pointer, what, why, message))
        else:
            self._unlisted += 1

    def refuse(self, place: str, rule: str, message: str, field: str = "") -> None:
        """This part of the source gives no alert."""
        self.refuse_all(place, (Remark(field, rule, message, place or None),))

    def refuse_all(self, place: str, remarks: Sequence[Remark]) -> None:
        """This part of the source gives no alert, for several reasons."""
        if len(self._refusals) >= MOST:
            raise Full
        self._refusals.append(Refusal(place, tuple(remarks)))

    @property
    def is_empty(self) -> bool:
        """Whether nothing was drawn and nothing refused."""
        return not self._alerts and not self._refusals

    def reading(self) -> Reading:
        """All of it."""
        losses = self._losses
        if self._unlisted:
            losses = [*losses, Loss("", "losses", "lossy", f"{self._unlisted:,} more, which are not listed")]
        return Reading(tuple(self._alerts), tuple(losses), tuple(self._refusals))

    def category(self, kind: Any, usual: str) -> str:
        """The category that the agency's defaults name for this kind, else the usual one."""
        return self.context.defaults.categories.get(kind, usual)

    def text(self, pointer: str, what: str, value: str, most: int = LONGEST_TEXT) -> str:
        """A text as an alert may hold it; what had to be cut is a loss."""
        kept = clean(value, most)
        if len(kept) < len(value.strip()):
            self.lose(pointer, what, "lossy", f"cut to {most:,} characters, without control characters")
        return kept

    def remarks(self, pointer: str, *parts: str | None) -> str | None:
        """Parts as the remarks of an alert, one a line; None where there are none."""
        found = "\n".join(part.strip() for part in parts if part and part.strip())
        return self.text(pointer, "text", found, LONGEST_REMARKS) if found else None

    def draw(
        self,
        place: str,
        fields: Mapping[str, Any],
        *,
        at: datetime | None = None,
        changed: datetime | None = None,
        tlp: str | None = None,
    ) -> bool:
        """Draw one alert; whether it was sound.

        Args:
            place: where the source has it.
            fields: of the alert in the publisher's form, without what follows from agency and defaults.
            at: when the source issued it, or this version of it.
            changed: when the source last changed it, where it is not its first version.
            tlp: the strictest marking that the source states.
        """
        if len(self._alerts) >= MOST:
            raise Full
        data = self._filled(fields, at, changed, tlp)
        reference = data.get("national_reference")
        if isinstance(reference, str) and len(reference) > LONGEST_REFERENCE:
            self.refuse(place, "reference.form", "is longer than 128 characters", "national_reference")
            return False
        try:
            alert = Alert.model_validate(data)
        except ValidationError as error:
            self.refuse_all(place, [remark._replace(place=_join(place, remark.place)) for remark in problems(error)])
            return False
        late = check(alert.to_record(), now_ms=int(self.context.now.timestamp() * 1000)) if _is_old(alert, data) else []
        if late := late or self._ahead(alert):
            hint = "; to issue it as of now, set issued_at = now"
            self.refuse_all(
                place,
                [
                    each._replace(message=each.message + hint, place=place) if each.rule == "time.expired" else each
                    for each in late
                ],
            )
            return False
        if alert.national_reference in self._references:
            self.refuse(
                place, "reference.repeated", "is there twice in this document; the first is taken", "national_reference"
            )
            return False
        self._references.add(alert.national_reference)
        self._alerts.append(Drawn(place, alert))
        return True

    def _filled(
        self, fields: Mapping[str, Any], at: datetime | None, changed: datetime | None, tlp: str | None
    ) -> dict[str, Any]:
        context = self.context
        data = {**deepcopy(context.defaults.constants), **{k: v for k, v in fields.items() if v is not None}}
        if tlp is not None:
            data["tlp"] = tlp
        moment = changed or at
        provenance = dict(data.get("provenance") or {})
        if moment is not None:
            provenance.setdefault("collected_at", moment)
        data["provenance"] = provenance
        if changed is not None:
            data["version"] = version_at(changed)
            data.setdefault("message_type", "update")
        if moment is not None and context.defaults.issued_at == "source":
            data.setdefault("issued_at", moment)
        filled = complete(data, issuer=context.issuer, issuing_state=context.issuing_state, now=context.now)
        if not filled["issuing_state"]:
            del filled["issuing_state"]
        return filled

    def _ahead(self, alert: Alert) -> list[Remark]:
        """A time of issue in the future, which admit would refuse."""
        if alert.issued_at - self.context.now <= timedelta(minutes=5):
            return []
        return [Remark("issued_at", "time.clock", "the source says a time that is yet to come; correct it there")]


def _is_old(alert: Alert, data: Mapping[str, Any]) -> bool:
    """Whether it may have ended before it is read."""
    return alert.expires_at is not None or alert.kind == "cyber" or "collected_at" in data["provenance"]


def _join(place: str, inner: str | None) -> str:
    return f"{place}, {inner}" if inner else place
