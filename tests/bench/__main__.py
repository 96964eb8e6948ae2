"""`make bench`: what the platform does on this machine, beside a bare librdkafka loop in the same run.

Absolute figures are those of the machine; only ratios carry over. The result is a table, and JSON in
.hueandcry/bench/result.json. With --only identity no Kafka is started: what matching finds, on a labelled set. Neither
is with --only links: what it costs that alerts share keys, for a number of alerts and twice as many. The section search
is asked for by --only search: it takes minutes to make a register of a million alerts; and the section doors, what the
gateway does, by --only doors.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import threading
import time
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from rich.console import Console
from rich.table import Table

from bench import doors, identity, links, search
from bench.costs import costs
from bench.load import alerts, messages
from bench.rig import Platform, Run, shown
from hueandcry.control.network import load_network
from hueandcry.sdk.profile import agency_profile
from hueandcry.wire.codec import SchemaIds
from hueandcry.wire.kafka import registry_client

ISSUER, REGION, RECEIVER = "fra-police", "europe", "ken-police"
TOPIC = f"alerts.{REGION}"
LANE_BATCH = 500
LINKS = 4000
#: Searches a second: a moderate load for two cores that the client and Kafka share.
MOST_SEARCHES = 100.0
HOME = Path(".hueandcry/bench")
#: Of the latency: threats and the second alerts on one thing are sent, and don't come to this receiver.
_COUNTS = ("sent", "arrived")


def main() -> None:
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--alerts", type=int, default=20_000, help="alerts for each measurement of throughput")
    options.add_argument("--pace", type=float, default=200.0, help="alerts a second for the measurement of latency")
    options.add_argument("--seconds", type=float, default=20.0, help="length of the measurement of latency")
    options.add_argument("--records", type=int, default=100_000, help="labelled alerts for the section identity")
    options.add_argument(
        "--only", choices=("doors", "identity", "links", "platform", "search"), help="one section alone"
    )
    options.add_argument("--register", type=int, default=1_000_000, help="active alerts for the section search")
    given = options.parse_args()
    if given.only == "search":
        shutil.rmtree(HOME, ignore_errors=True)
        result = search.measure(HOME, given.register, min(given.pace, MOST_SEARCHES), given.seconds)
        (HOME / "search.json").write_text(json.dumps(result, indent=2) + "\n")
        search.show(result)
        return
    if given.only == "doors":
        shutil.rmtree(HOME, ignore_errors=True)
        result = doors.measure(HOME, given.seconds)
        (HOME / "doors.json").write_text(json.dumps(result, indent=2) + "\n")
        doors.show(result)
        return
    sections = (given.only,) if given.only else ("platform", "links", "identity")
    result = measure(given.alerts, given.pace, given.seconds) if "platform" in sections else {}
    if "links" in sections:
        with shown("links: what shared keys cost"):
            result["links"] = links.links(LINKS)
    if "identity" in sections:
        with shown(f"identity: {given.records} labelled alerts"):
            result["identity"] = identity.identity(given.records)
    HOME.mkdir(parents=True, exist_ok=True)
    name = "result.json" if "platform" in sections else f"{given.only}.json"
    (HOME / name).write_text(json.dumps(result, indent=2) + "\n")
    if "platform" in sections:
        show(result)
    if "links" in sections:
        links.show(result["links"], Console())
    if "identity" in sections:
        identity.show(result["identity"], Console())
        identity.verdict(result["identity"])


def measure(count: int, pace: float, seconds: float) -> dict[str, Any]:
    """All measurements, as they go into the JSON file."""
    network = load_network(Path("topics")).network
    with shown("cost of each step"):
        steps = costs(network, ISSUER)
    shutil.rmtree(HOME, ignore_errors=True)
    with Platform(HOME) as platform:
        make = _maker(platform)
        with shown(f"publishing {count} alerts"):
            platform.publish(TOPIC, make(count, "a"))
        with shown("bare pass-through"):
            bare = platform.pass_through([TOPIC], count, LANE_BATCH)
        with shown("admit alone"):
            platform.start("admit")
            admit = platform.through("admit", TOPIC, count, ["admit"])
            inside = {"admit": platform.seconds_in("admit")}
        with shown("distribute alone"):
            platform.start("distribute")
            distribute = platform.through("distribute", "admitted", count, ["distribute"])
            inside["distribute"] = platform.seconds_in("distribute")
        with shown("the whole way"):
            load = make(count, "b")
            sender = threading.Thread(target=platform.publish, args=(TOPIC, load))
            whole = platform.through("distribute", "admitted", count, ["admit", "distribute"], sender.start)
            sender.join()
        with shown("what is left over"):
            platform.settle("distribute", "claims")
        with shown(f"latency at {pace:.0f} alerts a second"):
            delays = latency(platform, make(int(pace * seconds), "c", batch=1), pace)
        memory = platform.memory_mib()
    return {
        "alerts": count,
        "steps_us": steps,
        "throughput": {
            "pass-through": _as_json(bare, bare, "pass-through"),
            "admit": _as_json(admit, bare, "admit"),
            "distribute": _as_json(distribute, bare, "distribute"),
            "whole way": _as_json(whole, bare, "admit", "distribute"),
        },
        "inside_us": {
            name: {part: spent / count * 1e6 for part, spent in parts.items()} for name, parts in inside.items()
        },
        "latency_ms": delays,
        "memory_mib": memory,
    }


def _maker(platform: Platform) -> Any:
    profile = agency_profile(ISSUER, platform.cluster.home)
    client: SchemaRegistryClient = registry_client(profile.settings)
    schema_id = SchemaIds(client).id_of("hueandcry.Alert")
    key = profile.load_signing_key()

    def make(count: int, run: str, batch: int | None = None) -> list[Any]:
        now_ms = time.time_ns() // 1_000_000
        records = list(alerts(count, ISSUER, profile.state, now_ms, run=run, seed=ord(run) - ord("a") + 1))
        if batch is None:
            return list(messages(records, key, profile.key_id, schema_id))
        return [next(messages([record], key, profile.key_id, schema_id)) for record in records]

    return make


def latency(platform: Platform, load: list[Any], pace: float) -> dict[str, float]:
    """Milliseconds from just before produce() to the receiver's poll(), each alert signed alone."""
    sent: dict[bytes, float] = {}
    seen: dict[bytes, float] = {}
    over = threading.Event()
    consumer = Consumer(
        {
            **platform.client,
            "group.id": "bench-reader",
            "auto.offset.reset": "latest",
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 20,
        }
    )
    ready = threading.Event()

    def read() -> None:
        consumer.subscribe([f"inbox.{RECEIVER}"], on_assign=lambda *_: ready.set())
        while not over.is_set():
            message = consumer.poll(0.05)
            if message is not None and message.error() is None:
                seen.setdefault(message.key() or b"", time.perf_counter())
        consumer.close()

    reader = threading.Thread(target=read)
    reader.start()
    if not ready.wait(30):
        raise SystemExit("the reader got no partitions")
    platform.publish(TOPIC, load, pace=pace, sent=lambda key: sent.__setitem__(key, time.perf_counter()))
    deadline = time.monotonic() + 30
    settled = -1
    while len(seen) != settled and time.monotonic() < deadline:
        settled = len(seen)
        time.sleep(2)
    over.set()
    reader.join()
    delays = sorted((seen[key] - sent[key]) * 1000 for key in seen if key in sent)
    if len(delays) < 100:
        raise SystemExit(f"only {len(delays)} alerts arrived")
    cuts = statistics.quantiles(delays, n=1000)
    return {
        "sent": len(sent),
        "arrived": len(delays),
        "p50": cuts[499],
        "p90": cuts[899],
        "p99": cuts[989],
        "max": delays[-1],
    }


def _as_json(run: Run, bare: Run, *names: str) -> dict[str, float]:
    spent = run.micros(*names)
    return {
        "alerts_per_second": run.rate,
        "cpu_us_per_alert": spent,
        "alerts_per_core_second": 1e6 / spent,
        "broker_cpu_us_per_alert": run.micros("broker") if "broker" in run.cpu else 0.0,
        "ratio_to_pass_through": run.rate / bare.rate,
    }


def show(result: dict[str, Any]) -> None:
    """Print the result as tables."""
    console = Console()
    table = Table("", "alerts/s", "of bare", "CPU µs/alert", "alerts/s a core", "broker CPU µs", title="Throughput")
    for name, row in result["throughput"].items():
        table.add_row(
            name,
            f"{row['alerts_per_second']:,.0f}",
            f"{row['ratio_to_pass_through']:.3f}",
            f"{row['cpu_us_per_alert']:.0f}",
            f"{row['alerts_per_core_second']:,.0f}",
            f"{row['broker_cpu_us_per_alert']:.0f}" if row["broker_cpu_us_per_alert"] else "",
        )
    console.print(table)
    table = Table("stage", "step", "µs/alert", title="Cost of each step (processor time, without Kafka)")
    for stage, steps in result["steps_us"].items():
        for step, cost in steps.items():
            table.add_row(stage, step, f"{cost:.1f}")
        table.add_row(stage, "sum", f"{sum(steps.values()):.1f}", end_section=True)
    console.print(table)
    table = Table("lane", "in the stage, µs/alert", "in commits, µs/alert", title="Wall time inside the lanes, alone")
    for name, parts in result["inside_us"].items():
        table.add_row(name, f"{parts['process']:.0f}", f"{parts['commit']:.0f}")
    console.print(table)
    delays = result["latency_ms"]
    console.print(
        "Publish to inbox: "
        + ", ".join(f"{name} {value:,.0f}{'' if name in _COUNTS else ' ms'}" for name, value in delays.items())
    )
    console.print("Memory: " + ", ".join(f"{name} {value:.0f} MiB" for name, value in result["memory_mib"].items()))


if __name__ == "__main__":
    main()
