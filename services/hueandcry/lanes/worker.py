"""Run a lane as a process: Faust's worker, health and metrics over HTTP, and an exit code that says how it ended."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from typing import Any

import faust
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from hueandcry.lanes.app import LaneApp
from hueandcry.lanes.lane import Lane

#: Exit code of a process whose identity another one has taken over, or whose disk failed.
EXIT_STOPPED = 3


def run(app: LaneApp, lane: Lane) -> None:
    """Run until SIGTERM or SIGINT, or until the lane can't go on; then exit.

    HTTP: /ready answers 200 while the lane has its partitions and their state is up to date, else 503; /metrics is
    Prometheus' text format; /live answers 200 while the event loop turns.
    """
    _serve_health(app, lane)
    app.lane = lane
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    for noisy in ("faust", "mode", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # What is there now stays, and a batch makes a hundred thousand objects that hold no cycles: looking for cycles as
    # often as the default says costs a lane about 6 % of its time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    worker = faust.Worker(
        app,
        loop=asyncio.new_event_loop(),
        loglevel=logging.WARNING,
        override_logging=False,
        redirect_stdouts=False,
        quiet=True,
        logging_config=None,
    )
    code = 0
    try:
        worker.execute_from_commandline()
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else 1
    if lane.failure is not None:
        code = EXIT_STOPPED
        # Last, since Faust's own account of a crash is long and this is what its reader needs.
        print(lane.failure.diagnostics(), file=sys.stderr, flush=True)
    sys.exit(code)


def _serve_health(app: LaneApp, lane: Lane) -> None:
    async def ready(view: Any, _request: Any) -> Any:
        return view.text("ready\n" if lane.ready else "not ready\n", status=200 if lane.ready else 503)

    async def live(view: Any, _request: Any) -> Any:
        return view.text("live\n")

    async def metrics(view: Any, _request: Any) -> Any:
        return view.bytes(generate_latest(), content_type=CONTENT_TYPE_LATEST.partition(";")[0])

    for path, view in (("/ready", ready), ("/live", live), ("/metrics", metrics)):
        app.page(path)(view)
