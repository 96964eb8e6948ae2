"""Calls that may never return, made where nobody has to wait for them for ever."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable


class Waiting:
    """A call that was asked for."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call
        self._error: BaseException | None = None
        self._done = threading.Event()

    def wait(self, seconds: float) -> bool:
        """Whether the call has come back within so many seconds."""
        return self._done.wait(seconds)

    def answer(self) -> None:
        """What the call raised is raised here."""
        if self._error is not None:
            raise self._error

    def make(self) -> None:
        """Make the call."""
        try:
            self._call()
        except BaseException as error:  # it belongs to who has asked
            self._error = error
        self._done.set()


class Patience:
    """A thread that makes one call after the other; one that never returns costs the thread, not who has asked.

    The thread does not keep the process from ending.
    """

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True, name="patience").start()

    def ask(self, call: Callable[[], object]) -> Waiting:
        """Have a call made; wait for it with what is returned."""
        waiting = Waiting(call)
        self._asked.put(waiting)
        return waiting

    def end(self) -> None:
        """End the thread after the calls that were asked for."""
        self._asked.put(None)

    def _work(self) -> None:
        while (waiting := self._asked.get()) is not None:
            waiting.make()
