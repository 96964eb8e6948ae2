"""Who takes part: regions, agencies, their keys and their subscriptions.

Plain values without I/O. `control.network` reads them from YAML, the feed topic carries them to the processors.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["stolen_vehicle", "wanted_person", "cyber"]
Status = Literal["actual", "exercise", "test"]
Clearance = Literal["unclassified", "restricted", "confidential", "secret"]
#: Rights over single fields; the property "right" of a field in avro/ names one of these.
FieldRight = Literal["biometrics", "sources", "attribution"]
#: What an agency lets the gateway do: read what is for the agency, or sign in its name with a key of the gateway's.
GatewayRight = Literal["reads", "signs"]

CLEARANCE_LEVEL: dict[str, int] = {"unclassified": 0, "restricted": 1, "confidential": 2, "secret": 3}

Slug = Annotated[str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$")]
State = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
#: `world`, a region id, a state (ISO 3166-1 alpha-3) or a subdivision (ISO 3166-2).
Jurisdiction = Annotated[str, Field(pattern=r"^(?:world|[a-z0-9-]+|[A-Z]{3}|[A-Z]{2}-[A-Z0-9]{1,3})$")]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Region(_Value):
    """A region has one alerts topic, and its states publish there."""

    id: Slug
    name: str
    states: tuple[State, ...]


class Webhook(_Value):
    """An address of an agency that the gateway sends to.

    Attributes:
        source: which of the agency's topics.
    """

    id: Slug
    url: Annotated[str, Field(pattern=r"^https://[A-Za-z0-9.\-\[\]:]+(?:/[!-~]*)?$", max_length=500)]
    source: Literal["inbox", "receipts", "notices"] = "inbox"


class Agency(_Value):
    """An agency that publishes or receives.

    Attributes:
        jurisdictions: where it acts.
        clearance: highest classification that it may receive.
        kinds: kinds of alert that it needs to know of.
        rights: fields that it may see beyond the ordinary ones.
        coalitions: named groups that releasable_to and excluded may name.
        publishes: kinds that it may publish; empty for one that only receives.
        bureau: whether it speaks for its state: the national bureau (SIRENE bureau, National Central Bureau).
        scram_user: user name on the broker; its id where empty.
        gateway: what it lets the gateway do; without it, the gateway only passes on what the agency has signed itself.
        webhooks: where the gateway sends what is for it.
    """

    id: Slug
    name: str
    state: State
    region: Slug
    jurisdictions: tuple[Jurisdiction, ...] = Field(min_length=1)
    clearance: Clearance
    kinds: tuple[Kind, ...] = ()
    rights: tuple[FieldRight, ...] = ()
    coalitions: tuple[Slug, ...] = ()
    publishes: tuple[Kind, ...] = ()
    bureau: bool = False
    scram_user: Annotated[str, Field(pattern=r"^(?:[A-Za-z0-9][A-Za-z0-9_.-]{0,63})?$")] = ""
    gateway: tuple[GatewayRight, ...] = ()
    webhooks: tuple[Webhook, ...] = ()

    @property
    def user(self) -> str:
        """User name on the broker."""
        return self.scram_user or self.id


class SigningKey(_Value):
    """A public Ed25519 key of an agency, valid for messages issued in [valid_from, valid_until)."""

    agency: Slug
    key_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
    public_key: Annotated[str, Field(description="32 raw bytes in base64", pattern=r"^[A-Za-z0-9+/]{43}=$")]
    valid_from: datetime
    valid_until: datetime | None = None


class Subscription(_Value):
    """What an agency asks for. Rights are checked apart, at every delivery.

    Empty tuples mean any, but for `statuses`, where they mean actual.
    """

    id: Slug
    agency: Slug
    kinds: tuple[Kind, ...] = ()
    categories: tuple[str, ...] = ()
    issuing_states: tuple[State, ...] = ()
    issuing_regions: tuple[Slug, ...] = ()
    statuses: tuple[Status, ...] = ("actual",)


class Network(_Value):
    """The whole of it, as one value; look-ups are by id."""

    regions: dict[str, Region] = {}
    agencies: dict[str, Agency] = {}
    keys: dict[str, SigningKey] = {}
    subscriptions: dict[str, Subscription] = {}
