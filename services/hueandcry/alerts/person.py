"""The wanted person, as a publisher writes it. Fields as in avro/hueandcry.WantedPerson."""

from __future__ import annotations

from typing import Literal

from hueandcry.alerts.base import AlertPart, Day, Digest, Int32

IdentityType = Literal["confirmed", "unconfirmed", "alias", "misused"]
DocumentType = Literal[
    "passport", "identity_card", "driving_licence", "residence_permit", "visa", "travel_document", "other"
]
BiometricType = Literal["face", "fingerprint", "palm_print", "dna", "iris", "voice"]
Sex = Literal["male", "female", "unspecified", "unknown"]
Warning = Literal[
    "armed", "violent", "escape_risk", "suicide_risk", "drug_user", "contagious", "terrorism", "vulnerable"
]


class Identity(AlertPart):
    """One identity under which a person is known. Family and given are in Latin script, original in its own."""

    type: IdentityType
    family: str
    given: str | None = None
    original: str | None = None
    transliteration: str | None = None


class PartialDate(AlertPart):
    """A date of which the month or the day may be unknown."""

    year: Int32
    month: Int32 | None = None
    day: Int32 | None = None
    estimated: bool = False


class IdentityDocument(AlertPart):
    """A document that the person holds or uses."""

    type: DocumentType
    number: str
    state: str | None = None
    expires_on: Day | None = None


class Biometric(AlertPart):
    """Reference to a biometric record that the issuer keeps; the record itself is never carried."""

    type: BiometricType
    reference: str
    sha256: Digest


class Warrant(AlertPart):
    """The judicial decision that the alert rests on."""

    reference: str
    court: str | None = None
    issued_on: Day | None = None


class WantedPerson(AlertPart):
    """A person who is sought, to be found or to be protected. At least one identity has a name."""

    identities: tuple[Identity, ...]
    born: PartialDate | None = None
    birthplace: str | None = None
    sex: Sex = "unknown"
    nationalities: tuple[str, ...] = ()
    documents: tuple[IdentityDocument, ...] = ()
    height_cm: Int32 | None = None
    marks: str | None = None
    biometrics: tuple[Biometric, ...] = ()
    warrant: Warrant | None = None
    extradition_limits: tuple[str, ...] = ()
    warnings: tuple[Warning, ...] = ()
