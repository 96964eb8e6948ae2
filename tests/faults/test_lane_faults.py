"""Exactly once while processes are killed, frozen and cut off from the broker for real."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker.lane_process import EchoLanes, assert_due_once, assert_exactly_once, until
from hueandcry.control.local import LocalCluster

pytestmark = [pytest.mark.broker, pytest.mark.faults, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def own() -> Iterator[LocalCluster]:
    """A Kafka of this module's own, to be stopped and killed."""
    home = Path(tempfile.mkdtemp(prefix="hueandcry-faults-"))
    running = LocalCluster(home, tied=True)
    try:
        running.start_broker()
        yield running
    finally:
        running.down()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def lanes(own: LocalCluster, tmp_path: Path) -> Iterator[Callable[..., EchoLanes]]:
    made: list[EchoLanes] = []

    def make(max_messages: int = 200) -> EchoLanes:
        own.start_broker()
        made.append(EchoLanes(own.client_config(), tmp_path, f"echo{uuid.uuid4().hex[:8]}", max_messages=max_messages))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_kill_9_at_random_moments_loses_and_repeats_nothing(lanes: Callable[..., EchoLanes]) -> None:
    echo = lanes()
    count, kills = 40_000, 6
    moments = sorted(random.SystemRandom().sample(range(1000, count - 2000), kills))
    echo.feed(range(count))
    for number, moment in enumerate(moments):
        process = echo.start()
        until(lambda at=moment: echo.written() >= at, 60, echo.logs, 0.001)
        process.kill()
        if number == kills // 2:
            shutil.rmtree(echo.folder / "state")
    assert echo.committed() < count, "the last kill came too late"
    echo.start()
    echo.wait_done(count, 90)
    assert_exactly_once(echo.read(), range(count))


def test_a_frozen_process_that_wakes_commits_nothing_of_what_another_has_taken_over(
    lanes: Callable[..., EchoLanes],
) -> None:
    echo = lanes(max_messages=50)
    zombie = echo.start("zombie")
    zombie.wait_ready()
    echo.feed(range(20_000))
    until(lambda: 1000 < echo.written() < 19_000, 40, "it is in the middle of its work", 0.001)
    zombie.send(signal.SIGSTOP)
    try:
        done = echo.committed()
        heir = echo.start("heir")
        # The session ends after 6 s; a transaction that hangs open, after 15 s.
        until(lambda: echo.committed() > done + 1000, 60, lambda: f"the other has taken over\n{heir.tail()}", 0.2)
    finally:
        zombie.send(signal.SIGCONT)
    echo.feed(range(20_000, 24_000))
    echo.wait_done(24_000, 60)
    until(lambda: zombie.ready and heir.ready, 60, lambda: f"both have their share\n{zombie.tail()}")
    echo.feed(range(24_000, 26_000))
    echo.wait_done(26_000, 60)
    assert zombie.runs
    assert heir.runs
    assert_exactly_once(echo.read(), range(26_000))


def test_a_frozen_process_that_wakes_does_nothing_that_is_due_where_another_has_taken_over(
    lanes: Callable[..., EchoLanes],
) -> None:
    echo = lanes()
    zombie = echo.start("zombie").wait_ready()
    at = int(time.time() * 1000) + 20_000
    echo.feed_due(range(900), at)
    echo.wait_done(900, 40)
    zombie.send(signal.SIGSTOP)
    try:
        heir = echo.start("heir")
        until(lambda: len(echo.read()) >= 900, 90, lambda: f"the other has done what was due\n{heir.tail()}", 0.5)
    finally:
        # It still holds the state in which all of it is due, and does not know yet that time has passed.
        zombie.send(signal.SIGCONT)
    until(lambda: zombie.ready and heir.ready, 60, lambda: f"both have their share\n{zombie.tail()}")
    assert_due_once(echo.read(), range(900))


@pytest.mark.parametrize("crash", [pytest.param(False, id="stopped"), pytest.param(True, id="killed")])
def test_a_broker_that_is_away_for_a_while_costs_time_only(
    own: LocalCluster, lanes: Callable[..., EchoLanes], crash: bool
) -> None:
    echo = lanes(max_messages=50)
    echo.feed(range(15_000))
    process = echo.start()
    until(lambda: echo.written() > 1000, 40, "it is in the middle of its work", 0.001)
    own.kill_broker() if crash else own.stop_broker()
    # Longer than the lane's session; it stays alive all the while.
    with pytest.raises(subprocess.TimeoutExpired):
        process.exit_code(10)
    own.start_broker()
    echo.wait_done(15_000, 90)
    until(lambda: process.ready, 40, lambda: f"it is ready again\n{process.tail()}")
    echo.feed(range(15_000, 17_000))
    echo.wait_done(17_000, 60)
    assert_exactly_once(echo.read(), range(17_000))
