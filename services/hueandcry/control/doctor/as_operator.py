"""The checks that an operator can make, in order."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from hueandcry.control.doctor import connection, machine, running
from hueandcry.control.doctor.examine import Answer, Check, ok
from hueandcry.control.local import LocalCluster
from hueandcry.errors import HueAndCryError
from hueandcry.settings import PREFIX, Settings, home_dir, load
from hueandcry.wire.schemas import all_subjects

_BALANCE_S = 10.0


def operator_checks() -> list[Check]:
    """Everything, by the settings of this process."""
    set_up = _SetUp()
    needs_kafka = ("settings", "broker", "tls", "login")
    checks = [Check("python", machine.python)]
    if set_up.is_local:
        checks += [Check("java", machine.jdk), Check("kafka jars", machine.maven)]
    checks += [
        Check("settings", set_up.told),
        Check("broker", lambda: connection.reachable(set_up.settings), ("settings",)),
        Check("tls", lambda: connection.tls(set_up.settings), ("settings", "broker")),
        Check("login", lambda: connection.login(set_up.settings), ("settings", "broker", "tls")),
        Check("authorizer", lambda: connection.strangers_refused(set_up.settings), needs_kafka),
        Check("registry", lambda: connection.registry(set_up.settings, all_subjects()), ("settings", "tls")),
        Check("network", lambda: running.network(set_up.settings), needs_kafka),
    ]
    for name in running.GROUPS:
        checks += [
            Check(name, partial(set_up.processor, name), needs_kafka),
            Check(f"{name} lag", partial(set_up.lag, name), needs_kafka),
        ]
    return [
        *checks,
        Check("lanes", lambda: running.lanes(set_up.local), needs_kafka),
        Check("search", lambda: running.search(set_up.local), needs_kafka),
        Check("gateway", lambda: running.gateway(set_up.local), needs_kafka),
        Check("ledger", lambda: running.ledger(set_up.local), needs_kafka),
        Check("transactions", lambda: running.transactions(set_up.settings), needs_kafka),
        Check("disk", lambda: machine.disk(set_up.settings.state_dir), ("settings",)),
        Check("balance", lambda: running.accounted(set_up.settings, _BALANCE_S), needs_kafka, _BALANCE_S + 2.0),
    ]


class _SetUp:
    """What is examined; read when first asked for."""

    def __init__(self) -> None:
        self._settings: Settings | None = None

    @property
    def settings(self) -> Settings:
        if self._settings is None:
            self._settings = load("registry_url")
        return self._settings

    @property
    def is_local(self) -> bool:
        """Whether it is, or would be, the Kafka that `make up` starts."""
        try:
            home = self.settings.home
        except HueAndCryError:
            return not os.environ.get(PREFIX + "BOOTSTRAP")
        return (home / "broker" / "server.properties").is_file()

    @property
    def local(self) -> LocalCluster | None:
        home = self.settings.home
        if not (home / "ports.json").is_file():
            return None
        return LocalCluster(home, network_dir=self.settings.network_dir)

    def told(self) -> Answer:
        settings = self.settings
        where = os.environ.get(PREFIX + "CONFIG") or home_dir() / "operator" / "config.toml"
        source = "the environment" if os.environ.get(PREFIX + "BOOTSTRAP") else Path(where)
        return ok(f"{settings.bootstrap}, from {source}")

    def processor(self, name: str) -> Answer:
        return running.processor(self.settings, name, self.local)

    def lag(self, name: str) -> Answer:
        return running.lag(self.settings, name)
