"""The alert, as a publisher writes it: JSON in and out, checked by the same rules by which admit refuses.

>>> alert = Alert.model_validate(complete(data, issuer="fr-pn", issuing_state="FRA", now=now))   # doctest: +SKIP
>>> record = alert.to_record()                                                                   # doctest: +SKIP

Markings (classification, handling_code, tlp) and circulation have no default: a default marking is how things leak.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, Self, cast

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from hueandcry.alerts.base import RECORD, AlertPart, Digest, Instant, Int32, with_id
from hueandcry.alerts.categories import (
    GROUND,
    Action,
    Category,
    Classification,
    HandlingCode,
    Kind,
    MessageType,
    Status,
    Tlp,
)
from hueandcry.alerts.checks import check
from hueandcry.alerts.cyber import CyberThreat, Indicator, KillChainPhase, Sighting
from hueandcry.alerts.ids import alert_id
from hueandcry.alerts.person import Biometric, Identity, IdentityDocument, PartialDate, WantedPerson, Warrant
from hueandcry.alerts.problems import RULES_BROKEN, problems
from hueandcry.alerts.vehicle import Component, Place, Plate, StolenVehicle, Vin

__all__ = [
    "Alert",
    "Biometric",
    "Component",
    "CyberThreat",
    "Identity",
    "IdentityDocument",
    "Indicator",
    "KillChainPhase",
    "Link",
    "Offence",
    "PartialDate",
    "Place",
    "Plate",
    "Provenance",
    "Reference",
    "Sighting",
    "StolenVehicle",
    "Vin",
    "WantedPerson",
    "Warrant",
    "complete",
    "problems",
]

Relation = Literal["related", "replaces", "same_case", "same_subject", "accomplice", "carries", "distinct_from"]
Reliability = Literal["A", "B", "C", "X"]
Credibility = Literal["one", "two", "three", "four"]


class Offence(AlertPart):
    """An offence that the alert rests on: a code of UNODC's ICCS, of the national law, or its name there."""

    iccs: str | None = None
    national_code: str | None = None
    national_name: str | None = None


class Reference(AlertPart):
    """Another alert that the issuer relates this one to."""

    alert_id: str
    relation: Relation


class Link(AlertPart):
    """Material outside the platform, kept by the issuer; an https or urn URI."""

    uri: str
    media_type: str | None = None
    sha256: Digest | None = None
    title: str | None = None


class Provenance(AlertPart):
    """Where the information comes from and how far it can be relied on (4x4)."""

    system: str
    originating_agency: str | None = None
    reliability: Reliability = "X"
    credibility: Credibility = "four"
    collected_at: Instant | None = None
    source: str | None = None


Subject = StolenVehicle | WantedPerson | CyberThreat
SUBJECTS: dict[str, type[AlertPart]] = {
    "stolen_vehicle": StolenVehicle,
    "wanted_person": WantedPerson,
    "cyber": CyberThreat,
}


class Alert(AlertPart):
    """An alert. Fields as in avro/hueandcry.Alert; the subject's fields follow kind.

    Raises pydantic.ValidationError, which `problems` turns into remarks, for whatever admit would refuse if it came in
    at issued_at: what is made is sound. Whether it is still in force when it arrives only admit can say.
    """

    alert_id: str
    version: Int32 = 1
    message_type: MessageType = "issue"
    status: Status = "actual"
    issuer: str
    issuing_state: str
    national_reference: str
    kind: Kind
    category: Category
    action: Action
    issued_at: Instant
    effective_from: Instant | None = None
    review_due: Instant | None = None
    expires_at: Instant | None = None
    circulation: tuple[str, ...]
    classification: Classification
    handling_code: HandlingCode
    tlp: Tlp
    releasable_to: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    discoverable: bool = False
    legal_basis: str | None = None
    offences: tuple[Offence, ...] = ()
    references: tuple[Reference, ...] = ()
    links: tuple[Link, ...] = ()
    remarks: str | None = None
    provenance: Provenance
    subject: Subject = Field(union_mode="left_to_right")

    @model_validator(mode="before")
    @classmethod
    def _fill_id(cls, data: Any) -> Any:
        """The id follows from issuer and national reference where it is not given."""
        return with_id(data, "alert_id", ("issuer", "national_reference"), alert_id)

    @field_validator("subject", mode="before")
    @classmethod
    def _read_subject(cls, value: Any, info: ValidationInfo) -> Any:
        """The subject by its kind, so that an error names the field of that kind."""
        model = SUBJECTS.get(info.data.get("kind", ""))
        if model is None:
            raise PydanticCustomError("subject.kind", "can't be read before kind is right")
        if isinstance(value, AlertPart) and not isinstance(value, model):
            raise PydanticCustomError(
                "subject.kind", "is of another kind than kind says; write the kind of the subject"
            )
        return model.model_validate(value, context=info.context)

    @model_validator(mode="after")
    def _obey_rules(self) -> Self:
        """What is made is sound by the rules of admit."""
        record = self.to_record()
        remarks = check(record, now_ms=record["issued_at"])
        if remarks:
            said = "; ".join(map(str, remarks))
            raise PydanticCustomError(RULES_BROKEN, "{said}", {"said": said, "remarks": remarks})
        return self

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """The alert of a decoded record.

        Raises pydantic.ValidationError where it is not sound, or holds a symbol that this version does not know.
        """
        return cls.model_validate(dict(record), context=RECORD)


def complete(data: Mapping[str, Any], *, issuer: str, issuing_state: str, now: datetime) -> dict[str, Any]:
    """What a publisher may leave out, filled in where it is missing; never a marking, never the circulation.

    Args:
        data: an alert in the publisher's form.
        issuer: id of the agency that publishes.
        issuing_state: its state.
        now: issued_at where the alert has none.

    The action becomes the usual one of the category, and the system of the provenance the issuer.
    """
    filled = dict(data)
    filled.setdefault("issuer", issuer)
    filled.setdefault("issuing_state", issuing_state)
    filled.setdefault("issued_at", now)
    ground = GROUND.get((str(filled.get("kind")), str(filled.get("category"))))
    if ground is not None:
        filled.setdefault("action", ground.actions[0])
    provenance = filled.get("provenance")
    if provenance is None:
        filled["provenance"] = {"system": issuer}
    elif isinstance(provenance, Mapping):
        filled["provenance"] = {"system": issuer, **cast("Mapping[str, Any]", provenance)}
    return filled
