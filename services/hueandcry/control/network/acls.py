"""Who may do what on the broker, derived from the network.

- An agency reads inbox.<itself>, receipts.<itself> and notices.<itself>, and writes reports on alerts to
  hits.<its region>. One that publishes writes to alerts.<its region>.
- Its consumer groups, and the transactional ids of one that publishes, begin with `<its id>.`. No id has a full stop
  in it, so `fra.` is never the beginning of `fra-police.…`.
- Nothing else. Reading or writing includes describing (Kafka's AclOperation: READ and WRITE imply DESCRIBE), and
  writing to a topic includes idempotent writing (KIP-679), so neither has an entry of its own.
- What is for an agency, the gateway reads only where the agency says `gateway: [reads]`, topic by topic.
- A service has what services.yaml says; a template gives the prefix, so that a new agency needs no new entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hueandcry.control.network.models import NetworkSpec
from hueandcry.rights.network import Agency

Resource = Literal["topic", "group", "transactional_id", "broker"]
Pattern = Literal["literal", "prefixed"]


@dataclass(frozen=True, order=True)
class Acl:
    """One entry: `user` may (or, with permission "deny", may not) do `operation` on what `pattern` and `name` say."""

    user: str
    operation: str
    resource: Resource
    pattern: Pattern
    name: str
    permission: str = "allow"
    host: str = "*"

    def __str__(self) -> str:
        name = f"{self.name}*" if self.pattern == "prefixed" else self.name
        start = f"{self.user} " + ("must not " if self.permission == "deny" else "")
        return f"{start}{self.operation} {self.resource} {name}" + (f" from {self.host}" if self.host != "*" else "")


def derive(spec: NetworkSpec) -> frozenset[Acl]:
    """Every entry that the network needs, and no other."""
    return frozenset(entry for part in (_services(spec), *map(of_agency, spec.agencies.values())) for entry in part)


def of_agency(agency: Agency) -> Iterator[Acl]:
    """The entries of one agency."""
    yield Acl(agency.user, "read", "topic", "literal", f"inbox.{agency.id}")
    yield Acl(agency.user, "read", "topic", "literal", f"receipts.{agency.id}")
    yield Acl(agency.user, "read", "topic", "literal", f"notices.{agency.id}")
    yield Acl(agency.user, "read", "topic", "literal", "checkpoints")
    yield Acl(agency.user, "write", "topic", "literal", f"hits.{agency.region}")
    yield Acl(agency.user, "read", "group", "prefixed", f"{agency.id}.")
    if agency.publishes:
        yield Acl(agency.user, "write", "topic", "literal", f"alerts.{agency.region}")
        yield Acl(agency.user, "write", "transactional_id", "prefixed", f"{agency.id}.")


def _services(spec: NetworkSpec) -> Iterator[Acl]:
    for service in spec.services.values():
        for operation in ("read", "write", "describe", "describe_configs"):
            for name in getattr(service, operation):
                template = spec.topics[name]
                pattern: Pattern = "prefixed" if template.each else "literal"
                yield Acl(service.user, operation, "topic", pattern, template.prefix)
        if service.groups:
            yield Acl(service.user, "describe", "group", "literal", "*")
        for agency in spec.agencies.values():
            if "reads" in agency.gateway:
                for name in service.read_opted:
                    yield Acl(service.user, "read", "topic", "literal", spec.topics[name].prefix + agency.id)
        yield Acl(service.user, "read", "group", "prefixed", f"{service.user}.")
        yield Acl(service.user, "write", "transactional_id", "prefixed", f"{service.user}.")
