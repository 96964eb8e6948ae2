"""The local set-up as one object."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hueandcry.control.local.broker import Broker
from hueandcry.control.local.ports import Ports
from hueandcry.control.local.profiles import OPERATOR, Secrets, passwords
from hueandcry.control.local.tls import Certificates


class LocalCluster:
    """A Kafka of our own, the registry and the processors, in one home folder.

    Args:
        home: the folder; all that is made lies under it.
        tied: end the processes with the one that started them (Linux only); for tests.
        say: told what is going on.
    """

    def __init__(self, home: Path, *, tied: bool = False, say: Callable[[str], None] = lambda _: None) -> None:
        self.home = home.resolve()
        self._ports = Ports(self.home / "ports.json")
        self._say = say
        self.certificates = Certificates(self.home / "tls")
        self.broker = Broker(self.home, self._ports, self.certificates, tied=tied)

    @property
    def bootstrap(self) -> str:
        """Where Kafka is."""
        return self.broker.bootstrap

    def port(self, name: str) -> int:
        """The loopback port of that name: clients, internal, controller, registry, admit or distribute."""
        return self._ports[name]

    def start_broker(self) -> bool:
        """Start Kafka alone, with the operator and the services' users; False where it ran already."""
        self.home.mkdir(parents=True, exist_ok=True)
        return self.broker.start(Secrets.ensure(self.home).passwords, self.client_config, self._say)

    def stop_broker(self) -> bool:
        """Shut Kafka down in good order; whether it ran."""
        return self.broker.stop()

    def kill_broker(self) -> None:
        """End Kafka at once (SIGKILL), as a crash would."""
        self.broker.process.kill()

    def down(self) -> None:
        """Stop all that was started here."""
        self.stop_broker()

    def client_config(self, user: str = OPERATOR) -> dict[str, object]:
        """librdkafka's configuration for one of the users that have a password here."""
        known = passwords(self.home) | {OPERATOR: Secrets.ensure(self.home).passwords[OPERATOR]}
        return {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": known[user],
            "ssl.ca.location": str(self.certificates.ca),
        }
