"""Detached processes with pid files, so that only what we started is ever stopped.

A pid file holds the pid and the time at which the process started, as the system counts it. A pid that the system has
given to another process since then has another start time, and is left alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hueandcry.errors import HueAndCryError

_POLL_S = 0.05
#: A log that is longer is put aside at the next start.
_LOG_BYTES = 10 * 1024 * 1024
_PR_SET_PDEATHSIG = 1


class ProcessError(HueAndCryError):
    """A process of the local set-up did not start, or ended before it was ready."""


def start_time(pid: int) -> str | None:
    """When process `pid` started, in the system's own count; None where it does not run (or is a zombie)."""
    stat = Path(f"/proc/{pid}/stat")
    if sys.platform == "linux":
        try:
            after_name = stat.read_text("utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        # proc(5): after the name come state (field 3) ... starttime (field 22).
        return None if after_name[0] in "ZX" else after_name[19]
    ps = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    status, _, started = ps.stdout.strip().partition(" ")
    return None if not status or status.startswith("Z") else started.strip()


class Process:
    """One named process: its pid file `run/<name>.pid` and its log `logs/<name>.log` under the home folder.

    Args:
        home: folder of the local set-up.
        name: name of the process, also that of its files.
        tied: end the process when the one that started it ends (Linux only); for tests.
    """

    def __init__(self, home: Path, name: str, *, tied: bool = False) -> None:
        self.name = name
        self.log = home / "logs" / f"{name}.log"
        self._pid_file = home / "run" / f"{name}.pid"
        self._tied = tied
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The pid, if the process that we started still runs."""
        if self._child is not None:
            self._child.poll()  # takes the exit status, so that no zombie stays
        try:
            noted = json.loads(self._pid_file.read_text("utf-8"))
            pid, started = int(noted["pid"]), str(noted["started"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return pid if start_time(pid) == started else None

    def start(self, command: Sequence[str], env: Mapping[str, str], cwd: Path | None = None) -> None:
        """Start it in a session of its own, with its output appended to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        if self.log.is_file() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".1.log"))
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                command,
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent if self._tied and sys.platform == "linux" else None,
            )
        pid = self._child.pid
        started = start_time(pid)
        temporary = self._pid_file.with_suffix(".new")
        temporary.write_text(json.dumps({"pid": pid, "started": started}), "utf-8")
        temporary.replace(self._pid_file)

    def stop(self, grace_s: float = 15.0) -> bool:
        """Ask it to end (SIGTERM), and end it (SIGKILL) where it does not within `grace_s` seconds.

        Returns:
            Whether it ran.
        """
        ran = self.pid is not None
        if self._signal(signal.SIGTERM) and not self._wait_gone(grace_s):
            self._signal(signal.SIGKILL)
            self._wait_gone(5.0)
        self._pid_file.unlink(missing_ok=True)
        return ran

    def ask_to_end(self) -> None:
        """SIGTERM, without waiting."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, without a chance to tidy up."""
        self._signal(signal.SIGKILL)
        self._wait_gone(5.0)
        self._pid_file.unlink(missing_ok=True)

    def last_lines(self, count: int = 15) -> str:
        """The end of its log."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 16_384))
                lines = log.read().decode("utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-count:])

    def _signal(self, number: signal.Signals) -> bool:
        pid = self.pid
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    def _wait_gone(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self.pid is not None:
            if time.monotonic() >= end:
                return False
            time.sleep(_POLL_S)
        return True


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
