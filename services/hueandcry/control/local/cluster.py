"""The local set-up as one object: what starts after what, and what is stopped again."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hueandcry.control.local import profiles
from hueandcry.control.local.broker import Broker
from hueandcry.control.local.ports import LOOPBACK, Ports
from hueandcry.control.local.process import Process
from hueandcry.control.local.profiles import OPERATOR, Addresses, Secrets
from hueandcry.control.local.readiness import is_ready, wait_ready
from hueandcry.control.local.scrape import write_scrape
from hueandcry.control.local.services import NAMES, PROCESSORS, Service, environment, service
from hueandcry.control.local.tls import Certificates
from hueandcry.control.network import Cluster, apply, load_network
from hueandcry.errors import SettingsError
from hueandcry.settings import Settings
from hueandcry.wire.kafka import client_config, registry_client

_READY_S = 90.0
_GRACE_S = 15.0


@dataclass(frozen=True)
class Status:
    """One process of the local set-up. `pid` None: it does not run."""

    name: str
    pid: int | None
    address: str
    ready: bool
    log: Path


class LocalCluster:
    """A Kafka of our own, the registry and the processors, in one home folder.

    Args:
        home: the folder; all that is made lies under it.
        network_dir: the folder that describes the network.
        external: a cluster of the user's own (its address and operator), to be used in place of a local broker.
        tied: end the processes with the one that started them (Linux only); for tests.
        quick_start: have Kafka start sooner and then do less a second; for tests.
        say: told what is going on.
    """

    def __init__(
        self,
        home: Path,
        *,
        network_dir: Path = Path("topics"),
        external: Settings | None = None,
        tied: bool = False,
        quick_start: bool = False,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.home = home.resolve()
        self._network_dir = network_dir.resolve()
        self._ports = Ports(self.home / "ports.json")
        self._tied = tied
        self._say = say
        self.certificates = Certificates(self.home / "tls")
        self.broker = Broker(self.home, self._ports, self.certificates, tied=tied, quick_start=quick_start)
        self._external = None if external is None or self._is_ours(external) else external

    @property
    def bootstrap(self) -> str:
        """Where Kafka is."""
        return self._external.bootstrap if self._external else self.broker.bootstrap

    def port(self, name: str) -> int:
        """The loopback port of that name: clients, internal, controller, or a service's."""
        return self._ports[name]

    def up(self, processors: bool = True) -> None:
        """Start what does not run yet: Kafka, the registry, the network of `network_dir`, and the processors.

        Args:
            processors: also admit, distribute, search and the others.

        Raises:
            SettingsError: Java or Maven is missing, or a setting is wrong.
            NetworkError: the network is wrong, or does not fit the cluster.
            ProcessError: something did not come up; what was started by this call is stopped again.
        """
        with self._alone():
            started: list[Process] = []
            try:
                self._up(processors, started)
            except BaseException:
                _stop_all(started)
                raise

    def down(self) -> None:
        """Stop what was started here, and nothing else: processors first, Kafka last."""
        with self._alone():
            _stop_all([self._service(name).process for name in NAMES])
            self.broker.stop()

    def status(self) -> list[Status]:
        """What runs, what is ready, and where."""
        found = []
        if self._external is None:
            pid = self.broker.process.pid
            found.append(Status("broker", pid, self.bootstrap, pid is not None, self.broker.process.log))
        for name in NAMES:
            one = self._service(name)
            pid = one.process.pid
            found.append(Status(name, pid, one.url, pid is not None and is_ready(one.url, one.ca), one.process.log))
        return found

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

    def start_service(self, name: str) -> bool:
        """Start one of our services, and wait until it is ready; False where it ran already."""
        started = self._launch(name)
        if started:
            self._await(name)
        return started

    def stop_service(self, name: str) -> bool:
        """Stop one of them in good order; whether it ran."""
        return self._service(name).process.stop(_GRACE_S)

    def process(self, name: str) -> Process:
        """The process of the broker, or of one of our services."""
        return self.broker.process if name == "broker" else self._service(name).process

    def write_profiles(self) -> None:
        """The profiles of the operator and of every agency in the network, and who may ask the registry.

        Raises:
            NetworkError: the network is wrong.
        """
        addresses = self._addresses()
        user, password = self._operator()
        for agency in load_network(self._network_dir).network.agencies.values():
            profiles.write_agency(self.home, agency, addresses)
            profiles.write_custody(self.home, agency)
        profiles.write_sizing(self.home, one_broker=self._external is None)
        profiles.write_registry_users(self.home)
        profiles.write_operator(self.home, addresses, user, password, self._network_dir)
        write_scrape(self.home, map(self._service, NAMES), self._network_dir.parent / "helm/rules/hueandcry.yaml")

    def apply_network(self, *, with_schemas: bool = True) -> None:
        """Make the cluster what the network says, as the operator. What is there and not in the network stays.

        Args:
            with_schemas: also register the schemas.

        Raises:
            NetworkError: the network is wrong, or does not fit the cluster.
        """
        settings = Settings.model_validate(profiles.operator_settings(self.home))
        registry = registry_client(settings) if with_schemas else None
        spec = load_network(self._network_dir, self.home / "network")
        apply(spec, Cluster(client_config(settings), registry), passwords=profiles.passwords(self.home))

    def env_for(self, name: str) -> dict[str, str]:
        """The environment of one of our services, or of a command of the `operator`."""
        return environment(
            name,
            self.home,
            self._network_dir,
            self._ports,
            self.certificates,
            self._addresses(),
            self._secrets(),
            self._operator(),
        )

    def client_config(self, user: str = OPERATOR) -> dict[str, Any]:
        """librdkafka's configuration for the operator, a service's user or an agency's, at the local broker."""
        known = profiles.passwords(self.home)
        return {
            "bootstrap.servers": self.broker.bootstrap,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": self._secrets().passwords[OPERATOR] if user == OPERATOR else known[user],
            "ssl.ca.location": str(self.certificates.ca),
        }

    def _up(self, processors: bool, started: list[Process]) -> None:
        renewed = self.certificates.ensure()
        if renewed:
            _stop_all([self.process(name) for name in (*NAMES, "broker")])
        if self._external is None and self.start_broker():
            started.append(self.broker.process)
        down = [name for name in NAMES if self._service(name).process.pid is None]
        self._ports.renew_taken(*down)
        self._say("writing profiles")
        self.write_profiles()
        # Twice: the registry needs its topic and its rights, and the schemas need the registry.
        self._say("applying the network")
        if self._service("registry").process.pid is None:
            self.apply_network(with_schemas=False)
            self._launch("registry")
            started.append(self._service("registry").process)
        self._await("registry")
        self._say("registering the schemas")
        self.apply_network()
        if processors:
            for name in PROCESSORS:
                if self._launch(name):
                    started.append(self._service(name).process)
            for name in PROCESSORS:
                self._await(name)

    def _launch(self, name: str) -> bool:
        one = self._service(name)
        if one.process.pid is not None:
            return False
        self._say(f"starting {name}")
        one.process.start(one.command, self.env_for(name), cwd=self.home)
        return True

    def _await(self, name: str) -> None:
        one = self._service(name)
        self._say(f"waiting for {name}")
        wait_ready(one.process, one.url, one.ca, seconds=_READY_S)

    def _service(self, name: str) -> Service:
        return service(name, self.home, self._ports, self.certificates, tied=self._tied)

    def _is_ours(self, external: Settings) -> bool:
        """Whether the settings name the broker of this home, as they do where `operator/env` was read by the shell."""
        port = self._ports.known("clients")
        return port is not None and external.bootstrap == f"{LOOPBACK}:{port}"

    def _secrets(self) -> Secrets:
        return Secrets.ensure(self.home)

    def _operator(self) -> tuple[str, str]:
        if self._external is None:
            return OPERATOR, self._secrets().passwords[OPERATOR]
        return self._external.user, self._external.password.get_secret_value()

    def _addresses(self) -> Addresses:
        registry_url, search_url, gateway_url, ledger_url = (
            f"https://{LOOPBACK}:{self._ports[name]}" for name in ("registry", "search", "gateway", "ledger")
        )
        if self._external is None:
            ca = self.certificates.ca
            return Addresses(self.bootstrap, ca, registry_url, ca, search_url, gateway_url, ledger_url)
        return Addresses(
            self.bootstrap,
            self._external.ca.resolve() if self._external.ca else None,
            registry_url,
            self.certificates.ca,
            search_url,
            gateway_url,
            ledger_url,
            self._external.security_protocol,
            self._external.sasl_mechanism,
        )

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One `up` or `down` at a time in one home."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                where = f"another start or stop is at work in {self.home}"
                raise SettingsError(where, hint="Wait for its end") from None
            yield


def _stop_all(processes: list[Process]) -> None:
    """All of them, asked at once; Kafka only after the others, which still talk to it."""
    others = [process for process in processes if process.name != "broker"]
    for process in others:
        process.ask_to_end()
    for process in [*others, *(process for process in processes if process.name == "broker")]:
        process.stop(_GRACE_S)
