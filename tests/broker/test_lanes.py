"""A lane as its operators know it: restart, several instances, what the broker never takes, memory."""

from __future__ import annotations

import os
import shutil
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from broker.lane_process import EchoLanes, LaneProcess, assert_due_once, assert_exactly_once, until
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


def in_ms(seconds: float) -> int:
    return int((time.time() + seconds) * 1000)


def test_what_becomes_due_is_done_though_no_message_comes_and_once_though_the_process_is_killed(
    lanes: Callable[..., EchoLanes],
) -> None:
    echo = lanes()
    first = echo.start().wait_ready()
    # More than one tick does, and in all partitions.
    echo.feed_due(range(1500), in_ms(4))
    echo.wait_done(1500, 40)
    until(lambda: echo.written() > 200, 40, lambda: f"what is due is done\n{echo.logs()}", 0.001)
    first.kill()
    shutil.rmtree(echo.folder / "state")
    echo.start()
    until(lambda: len(echo.read()) >= 1500, 60, lambda: f"all of it is done\n{echo.logs()}", 0.5)
    assert_due_once(echo.read(), range(1500))


def test_what_is_due_waits_for_the_messages_that_were_there_before(lanes: Callable[..., EchoLanes]) -> None:
    echo = lanes(max_messages=20)
    # All of this was written before the time had come, so it counts before, however long reading it takes.
    at = in_ms(8)
    echo.feed_due(range(50), at)
    echo.feed(range(6000))
    assert time.time() * 1000 < at, "this machine is too slow to write so much in time"
    until(lambda: time.time() * 1000 > at, 20, "its time has passed")
    echo.start()
    until(lambda: len(echo.read()) >= 6050, 60, lambda: f"all of it is done\n{echo.logs()}", 0.5)
    for partition in range(3):
        values = [each.value() or b"" for each in echo.read() if each.partition() == partition]
        due = [place for place, value in enumerate(values) if b":due:" in value]
        assert due == list(range(len(values) - len(due), len(values))), "what was due came before messages"


def test_what_is_due_and_the_broker_never_takes_does_not_hold_up_the_rest(lanes: Callable[..., EchoLanes]) -> None:
    echo = lanes()
    process = echo.start().wait_ready()
    at = in_ms(2)
    echo.write([(b"bad", b"huge@%d" % at)])
    echo.feed_due(range(300), at)
    until(lambda: len(echo.read()) >= 301, 90, lambda: f"all of it is done\n{echo.logs()}", 0.5)
    values = echo.read()
    assert [each.value() for each in values if each.key() == b"bad"] == [b"bad:put-off"]
    assert_due_once([each for each in values if each.key() != b"bad"], range(300))
    assert process.runs
