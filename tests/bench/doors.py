"""`make bench ARGS='--only doors'`: the gateway beside a bare Starlette that echoes, and one inbox told to a thousand.

Echo and gateway run in turn, in one run, with the same server, TLS, load and bodies; the echo reads JSON and answers.
Everything shares the machine: clients, gateway, Kafka, and the processors while alerts go through.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import ssl
import statistics
import subprocess
import sys
import time
import tomllib
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from rich.console import Console
from rich.table import Table

from bench.rig import Platform, shown
from hueandcry.control.local.ports import LOOPBACK
from hueandcry.sdk.profile import agency_profile

SENDER, LISTENER = "deu-vehicles", "fra-police"
CONNECTIONS = 16
LISTENERS = 1_000
BATCH = 100
_numbers = count(1)
#: The bounds of an agency are not what is measured.
_UNBOUND = {
    "HUEANDCRY_GATEWAY_ALERTS_PER_SECOND": "1000000",
    "HUEANDCRY_GATEWAY_ALERTS_AT_ONCE": "1000000",
    "HUEANDCRY_GATEWAY_REQUESTS_PER_SECOND": "1000000",
}


def alert() -> dict[str, Any]:
    """A stolen vehicle that no other is like."""
    number = next(_numbers)
    return {
        "national_reference": f"{uuid.uuid4()}", "kind": "stolen_vehicle", "category": "seizure",
        "circulation": ["world"], "classification": "unclassified", "handling_code": "H0", "tlp": "green",
        "subject": {"stolen": "vehicle", "vin": {"raw": f"WVWZZZ1KZ7X{number:06d}"}},
    }  # fmt: skip


def measure(home: Path, seconds: float) -> dict[str, Any]:
    """All of it, in a platform of its own."""
    os.environ.update(_UNBOUND)
    result: dict[str, Any] = {}
    with Platform(home) as platform:
        cluster = platform.cluster
        with shown("starting the processors and the gateway"):
            for name in ("admit", "distribute", "gateway"):
                cluster.start_service(name)
        gateway = psutil.Process(cluster.process("gateway").pid)
        door = Door(cluster.home, SENDER)
        with echo(cluster.certificates.search, cluster.certificates.search_key) as bare:
            for turn in (1, 2):
                with shown(f"echo, turn {turn}"):
                    result[f"echo {turn}"] = asyncio.run(load(door, bare, "/v1/alerts", one, seconds))
                with shown(f"gateway, turn {turn}"):
                    before = sum(gateway.cpu_times()[:2])
                    row = asyncio.run(load(door, door.url, "/v1/alerts", one, seconds))
                    row["cpu_ms"] = (sum(gateway.cpu_times()[:2]) - before) * 1000 / row["requests"]
                    result[f"gateway {turn}"] = row
        with shown(f"gateway, {BATCH} alerts a request"):
            result["gateway, lines"] = asyncio.run(load(door, door.url, "/v1/alerts", lines, seconds))
        with shown("gateway, with Idempotency-Key"):
            result["gateway, keyed"] = asyncio.run(load(door, door.url, "/v1/alerts", one, seconds, keyed=True))
        time.sleep(5)
        with shown(f"{LISTENERS:,} listeners"):
            before = sum(gateway.cpu_times()[:2])
            result["listeners"] = fan_out(cluster.home, door)
            result["listeners"]["cpu_seconds"] = sum(gateway.cpu_times()[:2]) - before
            result["listeners"]["memory_mib"] = gateway.memory_info().rss / 2**20
    return result


class Door:
    """Where an agency asks, and as whom."""

    def __init__(self, home: Path, agency: str) -> None:
        profile = agency_profile(agency, home)
        auth = tomllib.loads((profile.folder / "auth.toml").read_text("utf-8"))
        self.url = profile.gateway_url
        self.context = ssl.create_default_context(cafile=str(profile.search_ca))
        self.auth = aiohttp.BasicAuth(auth["user"], auth["password"])

    def session(self, connections: int) -> aiohttp.ClientSession:
        """For so many connections at once."""
        connector = aiohttp.TCPConnector(ssl=self.context, limit=connections)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=60)
        headers = {"Authorization": self.auth.encode()}
        return aiohttp.ClientSession(headers=headers, connector=connector, timeout=timeout)


def one() -> tuple[bytes, str]:
    """A body with one alert, and its type."""
    return json.dumps(alert()).encode(), "application/json"


def lines() -> tuple[bytes, str]:
    """A body with a batch."""
    return "\n".join(json.dumps(alert()) for _ in range(BATCH)).encode(), "application/x-ndjson"


async def load(
    door: Door, url: str, path: str, make: Callable[[], tuple[bytes, str]], seconds: float, *, keyed: bool = False
) -> dict[str, float]:
    """Ask over CONNECTIONS connections, each again as soon as it is answered."""
    delays: list[float] = []
    async with door.session(CONNECTIONS) as session:

        async def work(until: float) -> None:
            while time.perf_counter() < until:
                body, kind = make()
                headers = {"Content-Type": kind} | ({"Idempotency-Key": str(uuid.uuid4())} if keyed else {})
                begun = time.perf_counter()
                async with session.post(url + path, data=body, headers=headers) as response:
                    await response.read()
                    if response.status != 202:
                        raise SystemExit(f"answered with {response.status}")
                delays.append((time.perf_counter() - begun) * 1000)

        await asyncio.gather(*(work(time.perf_counter() + 2) for _ in range(CONNECTIONS)))
        delays.clear()
        begun = time.perf_counter()
        await asyncio.gather(*(work(begun + seconds) for _ in range(CONNECTIONS)))
        took = time.perf_counter() - begun
    cuts = statistics.quantiles(delays, n=100)
    return {"requests": len(delays), "rate": len(delays) / took, "p50": cuts[49], "p99": cuts[98]}


@contextmanager
def echo(certificate: Path, key: Path) -> Iterator[str]:
    """The bare Starlette, in a process of its own."""
    command = [sys.executable, "-m", "bench.doors", str(certificate), str(key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"https://{LOOPBACK}:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def serve_echo(certificate: str, key: str) -> None:
    """Read JSON, answer JSON; the server's settings are the gateway's."""
    import socket

    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def answer(request: Request) -> JSONResponse:
        given = await request.json()
        return JSONResponse({"accepted": 1, "alerts": [{"alert_id": given["national_reference"], "version": 1}]}, 202)

    config = uvicorn.Config(
        Starlette(routes=[Route("/v1/alerts", answer, methods=["POST"])]), http="h11", ws="none", log_config=None,
        ssl_certfile=certificate, ssl_keyfile=key, access_log=False, server_header=False, lifespan="off",
    )  # fmt: skip
    with socket.create_server((LOOPBACK, 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        print(listener.getsockname()[1], flush=True)
        uvicorn.Server(config).run([listener])


def fan_out(home: Path, sender: Door) -> dict[str, Any]:
    """Listen a thousand times to one inbox; publish, and see when each has got it."""
    listener = Door(home, LISTENER)
    return asyncio.run(_fan_out(listener, sender))


async def _fan_out(listener: Door, sender: Door) -> dict[str, Any]:
    got: dict[str, list[float]] = {}
    ready, gone = 0, 0

    async def listen(session: aiohttp.ClientSession) -> None:
        nonlocal ready, gone
        headers = {"Accept": "text/event-stream"}
        async with session.get(f"{listener.url}/v1/inbox", params={"from": "latest"}, headers=headers) as response:
            response.raise_for_status()
            async for line in response.content:
                if line.startswith(b"retry"):
                    ready += 1
                elif line.startswith(b"data: "):
                    at = time.perf_counter()
                    where = line.find(b'"alert_id":"') + 12
                    got.setdefault(line[where : where + 36].decode(), []).append(at)
        gone += 1

    async with listener.session(LISTENERS) as session, sender.session(4) as sending:
        begun = time.perf_counter()
        tasks = [asyncio.ensure_future(listen(session)) for _ in range(LISTENERS)]
        await _until(lambda: ready == LISTENERS or any(task.done() for task in tasks), 300)
        connected = time.perf_counter() - begun
        sent: dict[str, float] = {}

        async def publish(number: int) -> None:
            body = "\n".join(json.dumps(alert()) for _ in range(number)).encode()
            headers = {"Content-Type": "application/x-ndjson"}
            async with sending.post(f"{sender.url}/v1/alerts", data=body, headers=headers) as response:
                taken = await response.json()
            at = time.perf_counter()
            sent.update({each["alert_id"]: at for each in taken["alerts"]})

        def all_got() -> bool:
            return all(len(got.get(each, ())) >= LISTENERS for each in sent)

        for _ in range(20):
            await publish(1)
            await _until(all_got, 60)
            await asyncio.sleep(0.25)
        spread = [(max(got[each]) - min(got[each])) * 1000 for each in sent]
        delays = [(at - sent[each]) * 1000 for each in sent for at in got[each]]
        paced = dict(sent)
        sent.clear()
        begun = time.perf_counter()
        await publish(200)
        await _until(all_got, 300)
        burst = max(max(got[each]) for each in sent) - begun
        repeats = sum(len(got[each]) - LISTENERS for each in (*paced, *sent))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    cuts = statistics.quantiles(delays, n=100)
    return {
        "listeners": LISTENERS, "connected_seconds": connected, "p50": cuts[49], "p99": cuts[98],
        "spread_p50": statistics.median(spread), "spread_max": max(spread),
        "burst_events": 200 * LISTENERS, "burst_seconds": burst, "repeats": repeats, "gone": gone,
    }  # fmt: skip


async def _until(done: Callable[[], bool], seconds: float) -> None:
    end = time.perf_counter() + seconds
    while not done():
        if time.perf_counter() > end:
            raise SystemExit("not all have got all")
        await asyncio.sleep(0.01)


def show(result: dict[str, Any]) -> None:
    """Print the result as tables."""
    console = Console()
    title = f"{CONNECTIONS} connections, TLS: requests a second, ms from a request to its answer"
    table = Table("", "requests/s", "alerts/s", "p50", "p99", "CPU of the gateway, ms", title=title)
    for name, row in result.items():
        if name != "listeners":
            alerts = row["rate"] * (BATCH if "lines" in name else 1)
            cpu = f"{row['cpu_ms']:.2f}" if "cpu_ms" in row else ""
            shown_ = "" if "echo" in name else f"{alerts:,.0f}"
            table.add_row(name, f"{row['rate']:,.0f}", shown_, f"{row['p50']:.1f}", f"{row['p99']:.1f}", cpu)
    console.print(table)
    told = result["listeners"]
    rate = told["burst_events"] / told["burst_seconds"]
    console.print(
        f"{told['listeners']:,} listeners, connected in {told['connected_seconds']:.1f} s. One alert at a time: "
        f"from its 202 to a listener {told['p50']:.0f} ms, p99 {told['p99']:.0f};\nfrom the first listener to the last "
        f"{told['spread_p50']:.0f} ms, at most {told['spread_max']:.0f}. In a burst {told['burst_events']:,} events in "
        f"{told['burst_seconds']:.1f} s, {rate:,.0f} a second.\nAll got all; repeats: {told['repeats']}. "
        f"Memory of the gateway {told['memory_mib']:.0f} MiB, CPU {told['cpu_seconds']:.1f} s."
    )


if __name__ == "__main__":
    given = argparse.ArgumentParser()
    given.add_argument("certificate")
    given.add_argument("key")
    told = given.parse_args()
    serve_echo(told.certificate, told.key)
