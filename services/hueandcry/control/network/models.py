"""What topics/ describes: the network (rights.network) and what the cluster needs for it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hueandcry.rights.network import Agency, Network, Slug

_SIZES = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_SPANS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


def _size(value: Any) -> Any:
    """Bytes of "2 MiB"; a whole number stays as it is."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+) ?(B|KiB|MiB|GiB)", value)
    if match is None:
        raise ValueError("a size is written as 512 KiB, 2 MiB or a whole number of bytes")
    return int(match[1]) * _SIZES[match[2]]


def _span(value: Any) -> Any:
    """Milliseconds of "30d"; "forever" is -1, as Kafka has it."""
    if value == "forever":
        return -1
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+) ?(ms|s|min|h|d)", value)
    if match is None:
        raise ValueError("a time is written as 30d, 12h, 5min, 10s, 100ms or forever")
    return int(match[1]) * _SPANS[match[2]]


Size = Annotated[int, BeforeValidator(_size), Field(strict=True, gt=0)]
Span = Annotated[int, BeforeValidator(_span), Field(strict=True, ge=-1)]
Count = Annotated[int, Field(strict=True, ge=1)]
User = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
#: A topic's name, or a template with one topic for each region or agency.
TopicName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]*(?:\.<(?:region|agency)>)?$")]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AgencySpec(Agency):
    """An agency as written in topics/agencies: the agency, and the class of its quotas."""

    quotas: Slug

    def agency(self) -> Agency:
        """What the processors need of it."""
        return Agency.model_validate(self.model_dump(exclude={"quotas"}))


class Coalition(_Spec):
    """A named group of agencies that an alert may be released to, or that it may exclude."""

    id: Slug
    name: str


class TopicTemplate(_Spec):
    """A kind of topic.

    Attributes:
        partitions_fixed: why the number of partitions can't change once there are messages; empty where it may grow.
        co_partitioned_with: name of the template that must have as many partitions.
        retention: milliseconds, -1 for ever; None where messages are only compacted.
        max_message: Kafka's max.message.bytes: bytes of the largest batch as sent.
        config: further settings of the topic, by Kafka's names.
    """

    name: TopicName
    purpose: str
    partitions: Count
    partitions_fixed: str = ""
    co_partitioned_with: str = ""
    replication_factor: Count
    min_insync_replicas: Count
    cleanup: Literal["delete", "compact", "compact,delete"]
    retention: Span | None = None
    max_message: Size
    compression: Literal["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"]
    config: dict[str, str | int] = {}

    @property
    def prefix(self) -> str:
        """`alerts.` of `alerts.<region>`; the whole name where there is one such topic."""
        return self.name.split("<")[0]

    @property
    def each(self) -> str:
        """ "region", "agency" or "": for what there is one topic each."""
        return self.name.split("<")[1].rstrip(">") if "<" in self.name else ""

    def covers(self, topic: str) -> bool:
        """Whether a topic's name is one of this kind, named by the code or not."""
        return topic.startswith(self.prefix) and len(topic) > len(self.prefix) if self.each else topic == self.name


class QuotaClass(_Spec):
    """Limits of a user on each broker: bytes a second, and per cent of a request thread's time. None: no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: Slug = Field(alias="class")
    producer_byte_rate: Size | None = None
    consumer_byte_rate: Size | None = None
    request_percentage: Annotated[int, Field(gt=0)] | None = None


class ServiceSpec(_Spec):
    """A user of our own processes; read, write, describe and describe_configs name topic templates.

    Attributes:
        groups: whether it may see how far each consumer group is.
        read_opted: topics for each agency, read of those agencies only that let the gateway read.
    """

    user: User
    purpose: str
    read: tuple[TopicName, ...] = ()
    read_opted: tuple[TopicName, ...] = ()
    write: tuple[TopicName, ...] = ()
    describe: tuple[TopicName, ...] = ()
    describe_configs: tuple[TopicName, ...] = ()
    groups: bool = False


class Sizing(_Spec):
    """Makes the topics fit a smaller cluster: caps on what topics.yaml asks for."""

    max_partitions: Count | None = None
    max_replication_factor: Count | None = None
    max_min_insync_replicas: Count | None = None


class NetworkSpec(BaseModel):
    """All of topics/, checked: who takes part, and what the cluster must hold for them."""

    model_config = ConfigDict(frozen=True)

    network: Network
    agencies: dict[str, AgencySpec]
    coalitions: dict[str, Coalition]
    topics: dict[str, TopicTemplate]
    quotas: dict[str, QuotaClass]
    services: dict[str, ServiceSpec]
    sizing: Sizing = Sizing()
