"""Processes of an echo lane (`echo_lane.py`) for tests, and what they wrote."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # pyright: ignore[reportPrivateImportUsage]

_SCRIPT = Path(__file__).with_name("echo_lane.py")
PARTITIONS = 3
_T = TypeVar("_T")


def until(holds: Callable[[], object], seconds: float, what: str | Callable[[], str], every: float = 0.05) -> None:
    """Ask again and again, until it holds; AssertionError after so many seconds, with `what` as it is then."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(every)


class LaneProcess:
    """One process of the lane; its log is `log`."""

    def __init__(self, given: dict[str, Any], log: Path) -> None:
        self.log = log
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        with log.open("ab") as out:
            command = [sys.executable, str(_SCRIPT), json.dumps({**given, "web_port": self._port})]
            self.process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    @property
    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/ready", timeout=1) as answer:
                return answer.status == 200
        except (OSError, urllib.error.HTTPError):
            return False

    def metric(self, name: str) -> float:
        """Sum of a metric over its labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))

    def wait_ready(self, seconds: float = 40) -> LaneProcess:
        until(lambda: self.ready or not self.runs, seconds, lambda: f"the lane is ready\n{self.tail()}")
        assert self.runs, f"the lane ended\n{self.tail()}"
        return self

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        self.process.kill()
        self.process.wait(10)

    def exit_code(self, seconds: float) -> int:
        """How it ended, within so many seconds."""
        return self.process.wait(seconds)

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text("utf-8", errors="replace")[-20_000:]


class EchoLanes:
    """The topics of one echo lane, and its processes.

    Args:
        client: librdkafka's configuration of a user who may do all.
        folder: for state and logs.
        name: of the lane; must be new on this cluster.
    """

    def __init__(self, client: dict[str, Any], folder: Path, name: str, *, max_messages: int = 200) -> None:
        self.client = client
        quiet = {**client, "log_level": 0}
        self.folder = folder
        self.name = name
        self.input, self.output, self.changelog = (f"{name}-{part}" for part in ("in", "out", "log"))
        self._max_messages = max_messages
        self.processes: list[LaneProcess] = []
        new = [
            NewTopic(topic, PARTITIONS, 1, config={"cleanup.policy": policy})
            for topic, policy in ((self.input, "delete"), (self.output, "delete"), (self.changelog, "compact"))
        ]
        admin = AdminClient(quiet)
        for made in admin.create_topics(new).values():
            made.result(timeout=30)
        self._watcher = Consumer({**quiet, "group.id": f"{name}.watch"})
        # It only asks what the lane's group has committed, and never joins it.
        self._group = Consumer({**quiet, "group.id": f"{name}.lane"})

    def start(self, instance: str = "0", *, state: str = "state") -> LaneProcess:
        """Start a process; does not wait until it is ready."""
        given = {
            "client": self.client,
            "state_dir": str(self.folder / state),
            "name": self.name,
            "input": self.input,
            "output": self.output,
            "changelog": self.changelog,
            "instance": instance,
            "max_messages": self._max_messages,
        }
        self.processes.append(LaneProcess(given, self.folder / f"{instance}.log"))
        return self.processes[-1]

    def close(self) -> None:
        """End what still runs."""
        self._watcher.close()
        self._group.close()
        for each in self.processes:
            if each.runs:
                each.kill()

    def feed(self, numbers: Iterable[int], keys: int = 50, **config: Any) -> None:
        """Write numbers as values; number n has the key `k` and n modulo `keys`."""
        self.write(((b"k%d" % (number % keys), b"%d" % number) for number in numbers), **config)

    def feed_due(self, numbers: Iterable[int], at_ms: int) -> None:
        """Write numbers that are to come out at a time."""
        self.write((b"k%d" % (number % 50), b"%d@%d" % (number, at_ms)) for number in numbers)

    def write(self, pairs: Iterable[tuple[bytes, bytes]], **config: Any) -> None:
        """Write keys and values, and wait until the broker has them."""
        options = {"log_level": 0, "linger.ms": 5, "enable.idempotence": True, "message.max.bytes": 8 << 20, **config}
        producer = Producer({**self.client, **options})
        for key, value in pairs:
            while True:
                try:
                    producer.produce(self.input, value, key)
                    break
                except BufferError:
                    producer.poll(0.1)
        assert producer.flush(60) == 0

    def written(self) -> int:
        """Records and markers in the output, committed or not: how far the lane has got."""
        places = [TopicPartition(self.output, number) for number in range(PARTITIONS)]
        return sum(_asked(lambda at=at: self._watcher.get_watermark_offsets(at, timeout=10))[1] for at in places)

    def committed(self) -> int:
        """Sum of the offsets that the lane's group has committed."""
        places = [TopicPartition(self.input, number) for number in range(PARTITIONS)]
        found = _asked(lambda: self._group.committed(places, timeout=10))
        return sum(max(0, place.offset) for place in found)

    def wait_done(self, count: int, seconds: float) -> None:
        """Wait until so many input records are committed."""
        until(lambda: self.committed() >= count, seconds, lambda: f"{count} records done\n{self.logs()}", 0.1)

    def logs(self) -> str:
        """The ends of the processes' logs, and how far they got."""
        return f"{self.committed()} committed\n" + "\n".join(each.tail() for each in self.processes)

    def read(self) -> list[Message]:
        """Everything committed in the output."""
        return read_all(self.client, self.output, PARTITIONS)


def assert_due_once(messages: list[Message], numbers: Iterable[int]) -> None:
    """What was due came out once each, and nothing else did."""
    came = Counter(message.value() for message in messages)
    assert came == Counter(b"k%d:due:%d" % (number % 50, number) for number in numbers)


def _asked(ask: Callable[[], _T], seconds: float = 60) -> _T:
    """The broker's answer; asks again while it starts."""
    end = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except KafkaException:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def read_all(client: dict[str, Any], topic: str, partitions: int, seconds: float = 60) -> list[Message]:
    """Everything committed in a topic, from its beginning to its end."""
    options = {"log_level": 0, "group.id": "reader", "isolation.level": "read_committed", "enable.partition.eof": True}
    consumer = Consumer({**client, **options, "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
        left, found, end = set(range(partitions)), [], time.monotonic() + seconds
        while left:
            assert time.monotonic() < end, f"{topic} could not be read to its end"
            for message in consumer.consume(1000, 0.2):
                error = message.error()
                if error is None:
                    found.append(message)
                else:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    left.discard(message.partition())
        return found
    finally:
        consumer.close()


def assert_exactly_once(messages: list[Message], numbers: Iterable[int]) -> None:
    """Each number came out once, and the counts of each key go 1, 2, 3 … in the order of its numbers."""
    parts = [(message.value() or b"").split(b":") for message in messages]
    came = Counter(int(part[2]) for part in parts)
    wanted = set(numbers)
    assert {number for number, times in came.items() if times > 1} == set(), "some came out more than once"
    assert wanted - came.keys() == set(), "some were lost"
    assert came.keys() - wanted == set(), "some were never sent"
    by_key: dict[bytes, list[tuple[int, int]]] = defaultdict(list)
    for key, count, number in parts:
        by_key[key].append((int(count), int(number)))
    for key, pairs in by_key.items():
        assert [count for count, _ in pairs] == list(range(1, len(pairs) + 1)), (
            f"the state of {key!r} was lost or doubled"
        )
        assert pairs == sorted(pairs, key=lambda pair: pair[1]), f"the order of {key!r} was lost"
