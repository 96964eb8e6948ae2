"""A lane as its operators know it: restart, several instances, what the broker never takes, memory."""

from __future__ import annotations

import os
import shutil
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from broker.lane_process import EchoLanes, LaneProcess, assert_exactly_once, until
from hueandcry.control.local import LocalCluster

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


@pytest.fixture
def lanes(cluster: LocalCluster, tmp_path: Path) -> Iterator[Callable[..., EchoLanes]]:
    made: list[EchoLanes] = []

    def make(max_messages: int = 200) -> EchoLanes:
        name = f"echo{uuid.uuid4().hex[:8]}"
        made.append(EchoLanes(cluster.client_config(), tmp_path, name, max_messages=max_messages))
        return made[-1]

    yield make
    for each in made:
        each.close()


def partitions(process: LaneProcess) -> int:
    """How many partitions a process has whose state is up to date; 0 while it is not ready."""
    return int(process.metric("hueandcry_lane_partitions")) if process.ready else 0


def test_a_new_life_without_local_state_restores_it_from_the_changelog(lanes: Callable[..., EchoLanes]) -> None:
    echo = lanes()
    echo.feed(range(3000))
    first = echo.start().wait_ready()
    echo.wait_done(3000, 40)
    first.send(signal.SIGTERM)
    assert first.exit_code(20) == 0
    shutil.rmtree(echo.folder / "state")
    echo.feed(range(3000, 4000))
    echo.start().wait_ready()
    echo.wait_done(4000, 40)
    assert_exactly_once(echo.read(), range(4000))


def test_a_stop_in_good_order_ends_with_0_in_the_middle_of_the_work(lanes: Callable[..., EchoLanes]) -> None:
    echo = lanes(max_messages=50)
    echo.feed(range(20_000))
    process = echo.start()
    until(lambda: echo.written() > 500, 40, "the lane works")
    process.send(signal.SIGTERM)
    assert process.exit_code(15) == 0
    done = echo.committed()
    assert 0 < done < 20_000, "it was not stopped in the middle"
    # What it said it had done, it had done, and no more: the rest waits for the next life.
    assert len(echo.read()) == done
    echo.start()
    echo.wait_done(20_000, 60)
    assert_exactly_once(echo.read(), range(20_000))


def test_two_instances_share_the_partitions_and_one_takes_over_from_the_other(lanes: Callable[..., EchoLanes]) -> None:
    echo = lanes()
    one = echo.start("one").wait_ready()
    two = echo.start("two").wait_ready()
    until(lambda: min(partitions(one), partitions(two)) >= 1 and partitions(one) + partitions(two) == 3, 60, "shared")
    echo.feed(range(6000))
    until(lambda: echo.written() > 3000, 40, "the lanes work")
    two.kill()
    echo.feed(range(6000, 9000))
    until(lambda: partitions(one) == 3, 60, lambda: f"the other has all partitions\n{one.tail()}")
    echo.wait_done(9000, 60)
    assert_exactly_once(echo.read(), range(9000))


@pytest.mark.parametrize(
    "state", [pytest.param("elsewhere", id="its own folder"), pytest.param("here", id="one folder")]
)
def test_of_two_processes_with_one_identity_one_remains(lanes: Callable[..., EchoLanes], state: str) -> None:
    echo = lanes(max_messages=50)
    echo.feed(range(15_000))
    first = echo.start("same", state="here")
    until(lambda: echo.written() > 500, 40, "the first works")
    second = echo.start("same", state=state)
    until(lambda: not (first.runs and second.runs), 60, lambda: f"one of the two ends\n{echo.logs()}")
    gone, stays = (second, first) if first.runs else (first, second)
    assert gone.exit_code(5) == 3, gone.tail()
    assert "HUEANDCRY_INSTANCE" in gone.tail()
    echo.wait_done(15_000, 60)
    until(lambda: stays.ready, 30, "the other is ready")
    echo.feed(range(15_000, 16_000))
    echo.wait_done(16_000, 60)
    assert stays.runs
    assert_exactly_once(echo.read(), range(16_000))


def test_what_the_broker_never_takes_costs_its_own_message_only(lanes: Callable[..., EchoLanes]) -> None:
    echo = lanes(max_messages=100)
    pairs = [(b"k%d" % (number % 50), b"%d" % number) for number in range(1000)]
    pairs[400:400] = [(b"bad", b"huge")]
    pairs[700:700] = [(b"bad", b"huge"), (b"bad", b"huge")]
    echo.write(pairs)
    process = echo.start().wait_ready()
    echo.wait_done(1003, 90)
    messages = echo.read()
    refused = [message.value() for message in messages if (message.value() or b"").endswith(b":refused")]
    assert refused == [b"bad:refused"] * 3
    assert_exactly_once([each for each in messages if each.value() not in refused], range(1000))
    echo.feed(range(1000, 1500))
    echo.wait_done(1503, 40)
    assert process.runs


def test_a_backlog_of_large_messages_does_not_fill_the_memory(lanes: Callable[..., EchoLanes]) -> None:
    echo = lanes(max_messages=500)
    # 120 MB that don't compress: far more than what a lane may hold, by number within one batch.
    noise = os.urandom(1 << 20)
    echo.write((b"k%d" % (n % 50), noise[n:][:800_000]) for n in range(150))
    process = echo.start().wait_ready()
    view, most = psutil.Process(process.pid), 0

    def done() -> bool:
        nonlocal most
        most = max(most, view.memory_info().rss)
        return echo.committed() >= 150

    until(done, 90, lambda: f"the backlog is done\n{echo.logs()}", 0.02)
    assert process.runs
    assert most < 300 << 20, f"{most >> 20} MiB"
