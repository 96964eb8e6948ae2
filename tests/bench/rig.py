"""Drive a real platform of one's own under load, and read what its processes spend."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # pyright: ignore[reportPrivateImportUsage]

from hueandcry.control.local import LocalCluster

Message = tuple[bytes, bytes, list[tuple[str, bytes]]]
_COUNT = re.compile(r"^hueandcry_lane_messages_total\{(.*)\} ([0-9.e+]+)$", re.MULTILINE)
_SUM = r"^hueandcry_lane_{}_seconds_sum\{{.*\}} ([0-9.e+-]+)$"
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True)
class Run:
    """What one run took.

    Attributes:
        alerts: how many went through.
        seconds: of wall time, from when the first was counted.
        cpu: by process, seconds of processor time meanwhile.
    """

    alerts: int
    seconds: float
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        """Alerts a second of wall time."""
        return self.alerts / self.seconds

    def micros(self, *names: str) -> float:
        """Microseconds of processor time an alert, of these processes together."""
        return sum(self.cpu[name] for name in names) / self.alerts * 1e6


class Platform:
    """A platform in a folder of its own, started afresh; use as a context."""

    def __init__(self, home: Path) -> None:
        self.cluster = LocalCluster(home, tied=True, say=lambda text: print(f"  {text}", file=sys.stderr))

    def __enter__(self) -> Platform:
        self.cluster.up(processors=False)
        return self

    def __exit__(self, *_: object) -> None:
        self.cluster.down()

    @property
    def client(self) -> dict[str, Any]:
        """librdkafka's configuration of the operator."""
        return dict(self.cluster.client_config())

    def publish(
        self,
        topic: str,
        messages: Sequence[Message],
        *,
        pace: float = 0.0,
        sent: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        """Produce messages as fast as it goes, or `pace` a second; `sent` is told the key just before each."""
        producer = Producer(
            {**self.client, "linger.ms": 0 if pace else 20, "compression.type": "lz4", "partitioner": "murmur2_random"}
        )
        started = time.perf_counter()
        for number, (key, value, headers) in enumerate(messages):
            if pace:
                while (wait := started + number / pace - time.perf_counter()) > 0:
                    producer.poll(min(wait, 0.005))
            sent(key)
            while True:
                try:
                    producer.produce(topic, value, key, headers=list(headers))
                    break
                except BufferError:
                    producer.poll(0.05)
            producer.poll(0)
        if producer.flush(60):
            raise SystemExit("the broker did not take the load")

    def pass_through(self, topics: list[str], count: int, batch: int) -> Run:
        """The bare loop over `count` messages of `topics`."""
        name = f"bench-{uuid.uuid4().hex[:8]}"
        admin = AdminClient(self.client)
        admin.create_topics([NewTopic(name, 3, 1)])[name].result(30)
        given = {"client": self.client, "topics": topics, "output": name, "group": name, "count": count, "batch": batch}
        command = [sys.executable, str(Path(__file__).with_name("pass_through.py")), json.dumps(given)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            watched = psutil.Process(process.pid)
            first = last = (0.0, 0, 0.0)
            for line in process.stdout:
                now = (time.perf_counter(), int(line), _cpu(watched) if int(line) < count else last[2])
                first = first if first[1] else now
                last = now
                if int(line) >= count:
                    break
            cpu = _cpu(watched)
            process.wait(60)
        return Run(last[1] - first[1], last[0] - first[0], {"pass-through": cpu - first[2]})

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has."""
        return len(AdminClient(self.client).list_topics(topic, timeout=30).topics[topic].partitions)

    def start(self, *names: str) -> None:
        """Start processors."""
        for name in names:
            self.cluster.start_service(name)

    def through(
        self,
        last: str,
        topic: str,
        count: int,
        names: Sequence[str],
        begin: Callable[[], None] | None = None,
    ) -> Run:
        """Wait until `last` has settled `count` messages of `topic` since its start, or since `begin` was called.

        Measured from the first look that sees some settled, with what `names` and the broker spent meanwhile.
        """
        before = self.counted(last, topic) if begin is not None else 0
        watched = {name: psutil.Process(self.cluster.process(name).pid) for name in (*names, "broker")}
        if begin is not None:
            begin()
        first: tuple[float, int, dict[str, float]] | None = None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            counted = self.counted(last, topic) - before
            now = time.perf_counter()
            if first is None and counted > 0:
                first = (now, counted, {name: _cpu(process) for name, process in watched.items()})
            if first is not None and counted >= count:
                cpu = {name: _cpu(process) - first[2][name] for name, process in watched.items()}
                return Run(counted - first[1], now - first[0], cpu)
            time.sleep(0.02)
        raise SystemExit(f"{last} has not settled {count} messages in {PATIENCE_SECONDS:.0f} s")

    def settle(self, name: str, topic: str) -> None:
        """Wait until a processor has nothing more to do for a topic; what is left over would slow what comes next."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        seen, still = -1, 0
        while still < 8 and time.monotonic() < deadline:
            time.sleep(0.25)
            now = self.counted(name, topic)
            seen, still = now, still + 1 if now == seen else 0

    def seconds_in(self, name: str) -> dict[str, float]:
        """Seconds that a processor has spent working on batches, and committing them, since it started."""
        text = self._metrics(name)
        found = {}
        for part in ("process", "commit"):
            match = re.search(_SUM.format(part), text, re.MULTILINE)
            found[part] = float(match.group(1)) if match else 0.0
        return found

    def memory_mib(self) -> dict[str, float]:
        """Resident memory of each process, MiB."""
        names = ("broker", "registry", "admit", "distribute")
        return {name: psutil.Process(self.cluster.process(name).pid).memory_info().rss / 2**20 for name in names}

    def counted(self, name: str, topic: str) -> int:
        """Messages of a topic that a processor has settled since it started."""
        found = (match for match in _COUNT.finditer(self._metrics(name)) if f'topic="{topic}"' in match.group(1))
        return int(sum(float(match.group(2)) for match in found))

    def _metrics(self, name: str) -> str:
        address = f"http://127.0.0.1:{self.cluster.port(name)}/metrics"
        with urllib.request.urlopen(address, timeout=10) as answer:
            return answer.read().decode()


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


@contextmanager
def shown(text: str) -> Iterator[None]:
    """Say on stderr what is being measured, and how long it took."""
    print(f"{text} …", file=sys.stderr, flush=True)
    started = time.perf_counter()
    yield
    print(f"  {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)
