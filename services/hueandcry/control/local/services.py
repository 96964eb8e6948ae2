"""Our own processes: what each is told by its environment, and where it answers."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from hueandcry.control.local.ports import LOOPBACK, Ports
from hueandcry.control.local.process import Process
from hueandcry.control.local.profiles import LEDGER_ORIGIN, OPERATOR, SERVICE_USERS, Addresses, Secrets
from hueandcry.control.local.tls import Certificates
from hueandcry.settings import PREFIX, Settings

#: In the order in which they start.
NAMES = ("registry", "admit", "distribute", "search", "gateway", "ledger", "watch")
#: Those that `up` starts last, together.
PROCESSORS = ("admit", "distribute", "search", "gateway", "ledger", "watch")
#: Checkpoints of a log on one machine come quickly: whoever tries it out does not want to wait.
LEDGER_EVERY_SECONDS = 1
#: Those that speak HTTPS.
_SECURE = ("registry", "search", "gateway", "ledger")
#: Servers of the user's own, whose certificates are watched beside ours.
_WATCH_TLS = f"{PREFIX}WATCH_TLS"


@dataclass(frozen=True)
class Service:
    """One of our processes.

    Attributes:
        url: where it answers GET /ready.
        ca: whom to trust for it; None where it speaks plain HTTP on loopback.
    """

    name: str
    process: Process
    url: str
    ca: Path | None

    @property
    def command(self) -> list[str]:
        """How it is started."""
        return [sys.executable, "-m", "hueandcry.cli", "serve", self.name]


def service(name: str, home: Path, ports: Ports, certificates: Certificates, *, tied: bool) -> Service:
    """The service of that name, running or not."""
    secure = name in _SECURE
    return Service(
        name,
        Process(home, name, tied=tied),
        f"{'https' if secure else 'http'}://{LOOPBACK}:{ports[name]}",
        certificates.ca if secure else None,
    )


def environment(
    name: str,
    home: Path,
    network_dir: Path,
    ports: Ports,
    certificates: Certificates,
    addresses: Addresses,
    known: Secrets,
    operator: tuple[str, str],
) -> dict[str, str]:
    """The whole environment of a service, or of a command of the operator (`name` operator).

    What the settings name is ours alone; other variables, and settings that only a service knows, pass through.
    """
    user = SERVICE_USERS.get(name, OPERATOR)
    login = operator if name == OPERATOR else (user, known.passwords[user])
    told: dict[str, object] = {
        "bootstrap": addresses.bootstrap,
        "ca": addresses.ca or "",
        "user": login[0],
        "password": login[1],
        "security_protocol": addresses.security_protocol,
        "sasl_mechanism": addresses.sasl_mechanism,
        "registry_url": addresses.registry_url,
        "registry_ca": addresses.registry_ca,
        "home": home,
        "state_dir": home / "state",
        "network_dir": network_dir,
        "instance": "0",
    }
    if name == OPERATOR:
        told |= {"registry_user": OPERATOR, "registry_password": known.passwords[OPERATOR]}
    if name == "registry":
        told |= {
            "registry_certificate": certificates.registry,
            "registry_key": certificates.registry_key,
            "registry_users": home / OPERATOR / "registry-users",
            "registry_port": ports["registry"],
        }
    if name == "search":
        told |= {
            "search_certificate": certificates.search,
            "search_key": certificates.search_key,
            "search_port": ports["search"],
        }
    if name == "watch":
        told["watch_tls"] = " ".join(
            [*(f"{each}={LOOPBACK}:{ports[each]}" for each in ("search", "ledger")), os.environ.get(_WATCH_TLS, "")]
        ).strip()
    if name == "gateway":
        told |= {
            "gateway_certificate": certificates.gateway,
            "gateway_key": certificates.gateway_key,
            "gateway_port": ports["gateway"],
            "gateway_users": home / OPERATOR / "registry-users",
            "gateway_signing_keys": home / "gateway" / "keys",
            "gateway_search_url": addresses.search_url,
            "gateway_search_ca": certificates.ca,
            "gateway_webhook_secret": known.webhook_secret,
        }
    if name == "ledger":
        told |= {
            "ledger_certificate": certificates.ledger,
            "ledger_key": certificates.ledger_key,
            "ledger_port": ports["ledger"],
            "ledger_origin": LEDGER_ORIGIN,
            "ledger_signing_key": home / OPERATOR / "ledger.pem",
            "ledger_every_seconds": LEDGER_EVERY_SECONDS,
        }
    if name in ("admit", "search"):
        told["identity_secret"] = known.identity_secret
    if name in ("admit", "distribute", "watch"):
        told["web_port"] = ports[name]
    return _others() | {PREFIX + key.upper(): str(value) for key, value in told.items() if value != ""}


def _others() -> dict[str, str]:
    ours = {PREFIX + name.upper() for name in Settings.model_fields} | {PREFIX + "CONFIG"}
    return {name: value for name, value in os.environ.items() if name not in ours}
