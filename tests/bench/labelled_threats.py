"""Labelled cyber threats: one subject is one campaign."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from bench.labelled import Alert, Labelled, blank, copied, grow
from hueandcry.identity.reading import words

_MALWARE = [f"Example{name}" for name in words("Stealer Locker Loader Rat Bot Miner Dropper Wiper Clipper Keylog")]
_ACTORS = [f"Example {name}" for name in words("Spider Bear Panda Kitten Tiger Crane")]
_SUFFIXES = words("com net org co.uk com.br ru xyz top")
Indicators = list[dict[str, str]]


def threats(dice: random.Random, records: int, subject: int) -> Iterator[Labelled]:
    """Alerts on threats, each of two to eight indicators."""

    def clean(number: int) -> tuple[Alert, None]:
        alert = blank("cyber", dice, number)
        domain = f"{dice.choice(('login', 'cdn', 'mail', 'update'))}-{dice.randrange(10**9):x}.{dice.choice(_SUFFIXES)}"
        makers = [
            lambda: ("domain", f"{dice.choice('abcdefgh')}{dice.randrange(99)}.{domain}"),
            lambda: ("url", f"http://{domain}/{dice.randrange(10**6)}/x.php"),
            lambda: ("ipv4", _address(dice)),
            lambda: ("sha256", f"{dice.getrandbits(256):064x}"),
            lambda: ("email", f"u{dice.randrange(10**6)}@{domain}"),
            lambda: ("filename", f"invoice{dice.randrange(40)}.exe"),
        ]
        values = dict([("domain", domain)] if dice.random() < 0.5 else [("sha256", f"{dice.getrandbits(256):064x}")])
        chosen = [*values.items(), *(dice.choice(makers)() for _ in range(dice.randint(1, 7)))]
        return _filled(alert, dice, [{"type": kind, "value": value} for kind, value in chosen]), None

    def neighbour(alert: Alert, _: Any, number: int) -> Alert:
        """Another campaign of the same actor with the same malware, behind the same proxy."""
        other, _ = clean(number)
        other["subject"] |= {name: alert["subject"][name] for name in ("actor", "malware")}
        shared = [each for each in alert["subject"]["indicators"] if each["type"] == "ipv4"][:1]
        other["subject"]["indicators"] = [*other["subject"]["indicators"], *shared]
        return other

    def customer(alert: Alert, _: Any, number: int) -> Alert:
        """A stranger's campaign that uses a file of the same name and one address of the same host."""
        other, _ = clean(number)
        shared = [each for each in alert["subject"]["indicators"] if each["type"] in {"filename", "ipv4"}][:2]
        other["subject"]["indicators"] = [*other["subject"]["indicators"], *shared]
        return copied(other, dice, number)

    neighbours = {"same actor and malware": neighbour, "same host": customer}
    return grow(dice, records, subject, clean, _NOISES, neighbours)


def _address(dice: random.Random) -> str:
    return f"{dice.choice((45, 91, 185, 193))}.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(1, 255)}"


def _filled(alert: Alert, dice: random.Random, indicators: Indicators) -> Alert:
    alert["subject"] |= {
        "indicators": indicators,
        "pattern": None,
        "techniques": [],
        "malware": [dice.choice(_MALWARE)] if dice.random() < 0.6 else [],
        "actor": dice.choice(_ACTORS) if dice.random() < 0.4 else None,
    }
    return alert


def _indicators(alert: Alert) -> Indicators:
    return alert["subject"]["indicators"]


def _defanged(dice: random.Random, alert: Alert, _: Any) -> bool:
    """The same values in another order, defanged, in capitals, and their types not told."""
    for each in _indicators(alert):
        if each["type"] in {"domain", "ipv4", "url", "email"}:
            each["value"] = each["value"].replace("http", "hxxp").replace(".", "[.]").replace("@", "[at]")
        if each["type"] == "sha256":
            each |= {"type": "unknown", "value": each["value"].upper()}
    dice.shuffle(_indicators(alert))
    return True


def _fewer(dice: random.Random, alert: Alert, _: Any) -> bool:
    found = _indicators(alert)
    if len(found) < 3:
        return False
    alert["subject"]["indicators"] = dice.sample(found, max(len(found) // 2, 2))
    return True


def _more(dice: random.Random, alert: Alert, _: Any) -> bool:
    added = [{"type": "ipv4", "value": _address(dice)} for _ in range(dice.randint(2, 12))]
    alert["subject"]["indicators"] = [*_indicators(alert), *added]
    return True


def _one(dice: random.Random, alert: Alert, _: Any) -> bool:
    alert["subject"]["indicators"] = [dice.choice(_indicators(alert))]
    return alert["subject"]["indicators"][0]["type"] != "filename"


def _other_hosts(dice: random.Random, alert: Alert, _: Any) -> bool:
    """New names under the registered domain, and nothing else."""
    domains = [each["value"].split("@")[-1] for each in _indicators(alert) if each["type"] in {"domain", "email"}]
    if not domains:
        return False
    host = domains[0]
    registered = host if "-" in host.partition(".")[0] else host.partition(".")[2]
    alert["subject"]["indicators"] = [
        {"type": "domain", "value": f"{dice.choice('xyz')}{number}.{registered}"} for number in range(2)
    ]
    return True


def _page_for_host(_: random.Random, alert: Alert, __: Any) -> bool:
    """Where one gives a name, the other gives pages of it."""
    domains = [each for each in _indicators(alert) if each["type"] == "domain"]
    if not domains:
        return False
    alert["subject"]["indicators"] = [{"type": "url", "value": f"https://{each['value']}/gate"} for each in domains]
    return True


_NOISES: dict[str, Any] = {
    "defanged and turned round": _defanged, "half of the indicators": _fewer, "more indicators": _more,
    "one of the indicators": _one, "other hosts of the domain": _other_hosts, "pages of the host": _page_for_host,
}  # fmt: skip
