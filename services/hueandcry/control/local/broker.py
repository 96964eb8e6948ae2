"""One Kafka in KRaft's combined mode, closed to strangers.

* Clients come over TLS with SCRAM-SHA-512, on the CLIENTS listener.
* Controller and inter-broker traffic go over TLS with a client certificate, which only the broker has.
* StandardAuthorizer: who has no rule may do nothing. Super users are the operator and the broker's own certificate
  (KRaft's broker must act before it can read any rule).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from hueandcry.control.local.jars import java, kafka_jars
from hueandcry.control.local.ports import LOOPBACK, Ports
from hueandcry.control.local.process import Process, ProcessError
from hueandcry.control.local.readiness import ended
from hueandcry.control.local.tls import BROKER_NAME, Certificates, write_private

_READY_S = 120.0
_FORMAT_S = 120.0
_JVM = (
    *("-Xms256m", "-Xmx512m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:+ExitOnOutOfMemoryError"),
    *("-Djava.awt.headless=true", "-Xlog:disable", "-Xlog:all=warning:stderr", "-Xshare:auto"),
)


def cluster_id() -> str:
    """A new id of a cluster, as Kafka makes them: 22 characters, the first of which is no hyphen.

    The storage tool would take one in 64 for an option else.
    """
    while True:
        made = urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        if not made.startswith("-"):
            return made


class Broker:
    """The local Kafka of one home folder.

    Args:
        home: folder of the local set-up; data goes to `broker/`.
        ports: where its ports are kept.
        certificates: those of this home.
        tied: end it with the process that started it; for tests.
        quick_start: leave out the JVM's second compiler, which halves the work of starting and costs throughput.
    """

    def __init__(
        self, home: Path, ports: Ports, certificates: Certificates, *, tied: bool = False, quick_start: bool = False
    ) -> None:
        self._folder = home / "broker"
        self._ports = ports
        self._quick_start = quick_start
        self._certificates = certificates
        self.process = Process(home, "broker", tied=tied)

    @property
    def bootstrap(self) -> str:
        """Where clients reach it."""
        return f"{LOOPBACK}:{self._ports['clients']}"

    def start(
        self, users: Mapping[str, str], client_config: Callable[[], dict[str, Any]], say: Callable[[str], None]
    ) -> bool:
        """Start it and wait until it serves the operator.

        Args:
            users: password by user; written at the first start, when the data folder is made.
            client_config: librdkafka's configuration of the operator, once the ports are settled.
            say: told what is going on.

        Returns:
            False where it ran already.

        Raises:
            SettingsError: Java or Maven is missing.
            ProcessError: it did not come up; with the end of its log.
        """
        if self.process.pid is not None:
            return False
        run_java, jars = java(), kafka_jars(say)
        self._certificates.ensure()
        self._ports.renew_taken("clients", "internal", "controller")
        self._write_configuration()
        if not (self._folder / "data" / "meta.properties").is_file():
            say("formatting the broker's storage")
            self._format(run_java, jars, users)
        say("starting Kafka")
        self.process.start(
            [*self._java(run_java, jars, quick=self._quick_start), "kafka.Kafka", str(self._properties)], _environment()
        )
        try:
            self._wait_ready(client_config())
        except BaseException:
            self.process.stop(grace_s=2.0)
            raise
        return True

    def stop(self) -> bool:
        """Shut it down in good order; whether it ran."""
        return self.process.stop(grace_s=20.0)

    @property
    def _properties(self) -> Path:
        return self._folder / "server.properties"

    def _java(self, run_java: str, jars: Path, *, quick: bool) -> list[str]:
        log4j = f"-Dlog4j2.configurationFile={self._folder / 'log4j2.properties'}"
        return [run_java, *_JVM, *(["-XX:TieredStopAtLevel=1"] if quick else []), log4j, "-cp", f"{jars}/*"]

    def _write_configuration(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "log4j2.properties").write_text(_LOG4J, "utf-8")
        lines = [f"{key}={value}" for key, value in self._configuration().items()]
        self._properties.write_text("\n".join(lines) + "\n", "utf-8")

    def _configuration(self) -> dict[str, object]:
        clients, internal, controller = (self._ports[name] for name in ("clients", "internal", "controller"))
        mutual_tls = {
            f"listener.name.{listener}.ssl.client.auth": "required" for listener in ("internal", "controller")
        }
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
            "listeners": f"CLIENTS://{LOOPBACK}:{clients},INTERNAL://{LOOPBACK}:{internal},"
            f"CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"CLIENTS://{LOOPBACK}:{clients},INTERNAL://{LOOPBACK}:{internal}",
            "listener.security.protocol.map": "CLIENTS:SASL_SSL,INTERNAL:SSL,CONTROLLER:SSL",
            "inter.broker.listener.name": "INTERNAL",
            "controller.listener.names": "CONTROLLER",
            "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.clients.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self._certificates.broker.resolve(),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self._certificates.ca.resolve(),
            "ssl.enabled.protocols": "TLSv1.3,TLSv1.2",
            **mutual_tls,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:operator;User:CN={BROKER_NAME}",
            "auto.create.topics.enable": "false",
            "log.dirs": (self._folder / "data").resolve(),
            # One broker, a small machine: no copies, few internal partitions, groups that start without a delay.
            "default.replication.factor": 1,
            "min.insync.replicas": 1,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 8,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 8,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "num.network.threads": 2,
            "num.io.threads": 4,
            "num.recovery.threads.per.data.dir": 2,
            "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
            # After a crash the old registration must end before the new one is taken: Kafka's default is 9 s.
            "broker.session.timeout.ms": 6000,
            "broker.heartbeat.interval.ms": 1000,
        }

    def _format(self, run_java: str, jars: Path, users: Mapping[str, str]) -> None:
        """Make the data folder, with the users in it. Passwords go by a private file, never by the command line."""
        data = self._folder / "data"
        shutil.rmtree(data, ignore_errors=True)
        arguments = ["format", "--cluster-id", cluster_id(), "--config", str(self._properties)]
        for user, password in users.items():
            arguments += ["--add-scram", f"SCRAM-SHA-512=[name={user},password={password}]"]
        secret = self._folder / "format.args"
        write_private(secret, "\n".join(arguments).encode())
        command = [*self._java(run_java, jars, quick=True), "kafka.tools.StorageTool", f"@{secret}"]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_FORMAT_S, check=False, env=_environment()
            )
        except subprocess.TimeoutExpired:
            raise ProcessError("Kafka's storage tool did not end within two minutes") from None
        finally:
            secret.unlink()
        if done.returncode != 0:
            shutil.rmtree(data, ignore_errors=True)
            raise ProcessError(f"Kafka's storage could not be formatted:\n{done.stdout}{done.stderr}".rstrip())

    def _wait_ready(self, config: dict[str, Any]) -> None:
        end = time.monotonic() + _READY_S
        host, _, port = self.bootstrap.rpartition(":")
        while True:
            if self.process.pid is None:
                raise ended(self.process, "ended while starting")
            if time.monotonic() > end:
                raise ended(self.process, f"was not ready in {_READY_S:.0f} s")
            try:
                socket.create_connection((host, int(port)), timeout=1.0).close()
                AdminClient(config | {"log_level": 0}).list_topics(timeout=2.0)
            except (OSError, KafkaException):
                time.sleep(0.1)
            else:
                return


def _environment() -> dict[str, str]:
    """The environment without our own variables, and without what would change the JVM's flags."""
    ours = ("HUEANDCRY_", "KAFKA_", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


_LOG4J = """\
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %-5p %c{1}: %m%n
rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
# What Kafka refused, and to whom.
logger.authorizer.name = kafka.authorizer.logger
logger.authorizer.level = INFO
logger.version.name = org.apache.kafka.common.utils.AppInfoParser
logger.version.level = INFO
"""
