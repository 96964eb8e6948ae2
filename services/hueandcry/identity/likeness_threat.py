"""What speaks for two cyber alerts being on one campaign, and what against it.

Only values that correlate are compared (warning lists are asked first). Addresses are shared by customers of one host,
so one of them alone proposes nothing; neither do malware and actor, who attack more than once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hueandcry.identity.cyber import Indicator
from hueandcry.identity.hosts import host_of, registered_domain
from hueandcry.identity.likeness import Finding, Weight
from hueandcry.identity.pattern import normalise_pattern
from hueandcry.identity.reading import record, text, texts
from hueandcry.identity.threat import correlates, kept
from hueandcry.identity.transliterate import transliterate

#: Odds of one in 64: pairs of threats that meet by a weak key and know nothing more of each other.
PRIOR = -6.0

_VALUE = "subject.indicators.value"
THREAT: dict[str, Weight] = {
    "indicator.hash": Weight(_VALUE, 7.0, "A file is the same."),
    "indicator.url": Weight(_VALUE, 6.5, "A URL is the same."),
    "indicator.email": Weight(_VALUE, 6.5, "An address of mail is the same."),
    "indicator.wallet": Weight(_VALUE, 6.5, "A wallet is the same."),
    "indicator.mutex": Weight(_VALUE, 4.0, "A mutex is the same."),
    "indicator.domain": Weight(_VALUE, 6.5, "A domain name is the same."),
    "indicator.address": Weight(_VALUE, 3.0, "An address is the same."),
    "indicator.weak": Weight(_VALUE, 1.0, "A file name, registry key or network is the same."),
    "indicator.few": Weight(_VALUE, -4.0, "Of many indicators less than one in twenty is common."),
    "host.same": Weight(_VALUE, 6.5, "A host of URLs or addresses of mail is the same."),
    "domain.registered": Weight(_VALUE, 4.5, "Hosts are of one registered domain."),
    "pattern.same": Weight("subject.pattern", 8.0, "The pattern is the same."),
    "malware.same": Weight("subject.malware", 2.0, "A malware family is the same."),
    "malware.differs": Weight("subject.malware", -2.0, "The malware families differ."),
    "actor.same": Weight("subject.actor", 1.5, "The actor is the same."),
    "actor.differs": Weight("subject.actor", -2.0, "The actors differ."),
    "techniques.same": Weight("subject.techniques", 1.0, "Two techniques or more are the same."),
}
_RULES = {
    "md5": "hash", "sha1": "hash", "sha256": "hash", "sha512": "hash", "url": "url", "email": "email",
    "wallet": "wallet", "mutex": "mutex", "domain": "domain", "ipv4": "address", "ipv6": "address",
}  # fmt: skip
#: Most indicators of one alert that are compared.
INDICATORS = 256
# More of one sort tell little more.
_MOST = 3
_MANY = 20


def threat_findings(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Finding]:
    """The rows of `THREAT` that are true of two decoded cyber alerts, in no order."""
    threats = record(one.get("subject")), record(other.get("subject"))
    ours, theirs = kept(threats[0], INDICATORS), kept(threats[1], INDICATORS)
    strong = [{each for each in side if correlates(each)} for side in (ours, theirs)]
    common = strong[0] & strong[1]
    found = _shared(common, (ours & theirs) - common)
    smaller = min(len(ours), len(theirs))
    if common and smaller >= _MANY and len(ours & theirs) * 20 < smaller:
        found.append(Finding("indicator.few"))
    if not any(finding.rule in {"indicator.domain", "indicator.url", "indicator.email"} for finding in found):
        found += _hosts(*(side - common for side in strong))
    patterns = [normalise_pattern(text(threat.get("pattern"))) for threat in threats]
    if patterns[0] and patterns[0] == patterns[1] and not common:
        found.append(Finding("pattern.same"))
    return found + _attribution(*threats)


def _shared(common: set[Indicator], weak: set[Indicator]) -> list[Finding]:
    counts: dict[str, int] = {}
    for indicator in common:
        rule = f"indicator.{_RULES[indicator.type]}"
        counts[rule] = counts.get(rule, 0) + 1
    if weak:
        counts["indicator.weak"] = len(weak)
    return [Finding(rule, min(times, _MOST)) for rule, times in counts.items()]


def _hosts(ours: set[Indicator], theirs: set[Indicator]) -> list[Finding]:
    hosts = [{host for each in side if (host := host_of(each))} for side in (ours, theirs)]
    if hosts[0] & hosts[1]:
        return [Finding("host.same", min(len(hosts[0] & hosts[1]), 2))]
    domains = [{domain for host in side if (domain := registered_domain(host))} for side in hosts]
    shared = len(domains[0] & domains[1])
    return [Finding("domain.registered", min(shared, 2))] if shared else []


def malware_of(threat: Mapping[str, Any]) -> set[str]:
    """Names of malware as they are compared."""
    return {name for each in texts(threat.get("malware"))[:16] if (name := _bare(each))}


def actor_of(threat: Mapping[str, Any]) -> str:
    """The actor's name as it is compared; empty where none is given."""
    return _bare(text(threat.get("actor")))


def _bare(name: str) -> str:
    return transliterate(name).replace(" ", "")


def _attribution(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[Finding]:
    found: list[Finding] = []
    malware = malware_of(one), malware_of(other)
    if all(malware):
        found.append(Finding("malware.same" if malware[0] & malware[1] else "malware.differs"))
    actors = actor_of(one), actor_of(other)
    if all(actors):
        found.append(Finding("actor.same" if actors[0] == actors[1] else "actor.differs"))
    if len(set(texts(one.get("techniques"))) & set(texts(other.get("techniques")))) > 1:
        found.append(Finding("techniques.same"))
    return found
