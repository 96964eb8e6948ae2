"""`make bench ARGS='--only search'`: search over a register of a million active alerts, over HTTPS, as an agency asks.

The databases are filled directly, for the pipeline would take an hour: no two alerts are alike, and body, entry,
keys, claims and cluster are made by the product's own functions. The service that is measured is the real one, with
a real Kafka for the record of each consultation. Client, service and Kafka share the machine.

Each search has beside it, by turns on the same connections, a request to the floor (`bench.floor`): what HTTPS and one
acknowledged record take on this machine just then. Each row is measured in several rounds; shown are the medians over
the rounds.
"""

from __future__ import annotations

import http.client
import random
import ssl
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from copy import deepcopy
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from rich.console import Console
from rich.table import Table

from bench.rig import Platform, shown
from factories import sound_cyber, sound_person, sound_vehicle
from hueandcry.admit.head import head_of
from hueandcry.alerts.ids import alert_id
from hueandcry.control.local import LocalCluster
from hueandcry.control.local.profiles import Secrets
from hueandcry.distribute.clusters import join
from hueandcry.distribute.entries import RECORDS, Claimant, Register
from hueandcry.distribute.mail import partition_of
from hueandcry.enrich import enrich
from hueandcry.identity import identify, proposal_keys, status_key
from hueandcry.lanes.state import Overlay, PartitionStore
from hueandcry.sdk.profile import agency_profile, operator_profile
from hueandcry.sdk.search import Search
from hueandcry.wire.codec import SchemaIds, encode
from hueandcry.wire.kafka import registry_client

ISSUER, ASKS = "deu-vehicles", "fra-police"
CHUNK = 5_000
EXACT: dict[str, Any] = {"possible": False}
ROUNDS = 5
FILLERS, THREADS = 2, 4
#: Six vehicles, three persons and one threat in ten.
_TENTHS = (0, 0, 0, 0, 0, 0, 1, 1, 1, 2)
_FAMILIES = ("MARTIN", "KOWALSKI", "HOFMANN", "MENDES", "OKELLO", "NGUYEN", "HAALAND", "ROSSI", "PETROV", "SATO")
_GIVEN = ("ANNA", "JONAS", "LUCIA", "PEDRO", "AMINA", "MINH", "INGRID", "MARCO", "OLGA", "KENJI")


class Task(NamedTuple):
    """Alerts to make: numbers, and what all of them share."""

    numbers: range
    ids: Mapping[str, int]
    alert_schema: int
    secret: bytes
    partitions: int
    now_ms: int


class _Nothing:
    """The state of an empty partition."""

    def get(self, key: bytes) -> bytes | None:
        return None

    def scan(self, prefix: bytes, after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        return iter(())

    def scan_back(self, prefix: bytes, before: bytes) -> Iterator[tuple[bytes, bytes]]:
        return iter(())


def _templates() -> list[dict[str, Any]]:
    common: dict[str, Any] = {
        "issuer": ISSUER, "issuing_state": "DEU", "circulation": ["world"], "classification": "unclassified",
        "handling_code": "H0", "tlp": "green",
    }  # fmt: skip
    return [sound_vehicle(**common), sound_person(**common), sound_cyber(**common)]


def record(number: int, now_ms: int) -> dict[str, Any]:
    """The alert of this number, decoded: on something that no other is about."""
    made = deepcopy(_TEMPLATES[_TENTHS[number % 10]])
    made.update(national_reference=f"B-{number}", issued_at=now_ms, alert_id=alert_id(ISSUER, f"B-{number}"))
    subject, dice = made["subject"], random.Random(number)
    if made["kind"] == "stolen_vehicle":
        subject["vin"]["raw"] = vin(number)
        subject["plate"]["raw"] = plate(number)
        subject["components"] = [{"part": "gearbox", "serial": f"GB{number:08d}"}]
        subject["make"], subject["model"] = dice.choice(("PEUGEOT", "CITROEN")), dice.choice(("308", "C4", "208"))
    elif made["kind"] == "wanted_person":
        subject["identities"] = [{**subject["identities"][0], "family": dice.choice(_FAMILIES), "given": given(number)}]
        subject["born"] = {
            "year": dice.randrange(1950, 2006),
            "month": dice.randrange(2, 13),
            "day": 14,
            "estimated": False,
        }
        subject["documents"] = [{**subject["documents"][0], "number": document(number)}]
        subject["biometrics"] = [
            {**subject["biometrics"][0], "sha256": dice.randbytes(32), "reference": f"FP-{number}"}
        ]
        subject["warrant"] = {**subject["warrant"], "reference": f"{number} Gs"}
    else:
        subject["pattern"] = subject["valid_from"] = subject["valid_until"] = None
        subject["sightings"] = []
        subject["indicators"] = [
            {"type": "domain", "value": domain(number)},
            {"type": "sha256", "value": dice.randbytes(32).hex()},
        ]
    return made


def vin(number: int) -> str:
    return f"VF3LC{number // 10_000:03d}PFS{number % 1_000_000:06d}"


def plate(number: int) -> str:
    return f"A{number:07d}"


def document(number: int) -> str:
    return f"X{number:08d}"


def domain(number: int) -> str:
    return f"c{number}.malware{number % 997}.example.net"


def given(number: int) -> str:
    dice = random.Random(f"given {number}")
    return f"{dice.choice(_GIVEN)} {''.join(dice.choices('ABDEGIKLMNORSTU', k=6))}"


def pairs(task: Task) -> list[dict[bytes, bytes | None]]:
    """By partition, the register's pairs of some alerts."""
    states = [Overlay(_Nothing()) for _ in range(task.partitions)]
    registers = [Register(state, task.ids) for state in states]
    for number in task.numbers:
        made = record(number, task.now_ms)
        identity = identify(made)
        key, *claims = (status_key(task.secret, made["status"], each) for each in (identity.key, *identity.claims))
        proposals = [status_key(task.secret, made["status"], each) for each in proposal_keys(made)]
        home = partition_of(key, task.partitions)
        cluster = join(registers[home], key, None, made["alert_id"], task.now_ms)
        source = {"topic": "alerts.europe", "partition": 0, "offset": number}
        registers[home].put_alert(
            {
                "head": head_of(made, "europe"),
                "state": "active",
                "cluster_id": cluster["cluster_id"],
                "identity_key": key,
                "strong": identity.strong,
                "digest": bytes(32),
                "source": source,
                "first_source": source,
                "registered_at": task.now_ms,
                "enrichment": enrich(made) | {"remarks": []},
                "sent": [],
                "proof": {},
                "schema_id": task.alert_schema,
                "body": encode("hueandcry.Alert", made),
                "ended_at": None,
                "claims": claims,
                "proposals": proposals,
                "distinct": [],
                "apart": False,
            }
        )
        for each in (key, *claims, *proposals):
            claimant = Claimant(made["alert_id"], task.now_ms - number, home, 1, each == key)
            registers[partition_of(each, task.partitions)].put_claimant(each, claimant)
    return [state.writes for state in states]


_TEMPLATES = _templates()


def fill(folder: Path, count: int, task: Task) -> None:
    """Make the databases of a register of `count` alerts."""
    stores = [PartitionStore(folder / str(partition)) for partition in range(task.partitions)]
    tasks = (task._replace(numbers=range(at, min(at + CHUNK, count))) for at in range(0, count, CHUNK))
    with get_context("spawn").Pool(FILLERS) as pool:
        for made in pool.imap_unordered(pairs, tasks):
            for store, writes in zip(stores, made, strict=True):
                # Nothing of the empty changelog has been read.
                store.apply(writes, 0, task.now_ms)
    for store in stores:
        store.close()


def measure(home: Path, count: int, pace: float, seconds: float) -> dict[str, Any]:
    """All measurements, as they go into the JSON file."""
    with Platform(home) as platform:
        profile = operator_profile(home)
        ids = SchemaIds(registry_client(profile.settings))
        task = Task(
            range(0),
            {each: ids.id_of(each) for each in RECORDS},
            ids.id_of("hueandcry.Alert"),
            bytes.fromhex(Secrets.ensure(platform.cluster.home).identity_secret),
            platform.partitions("register"),
            time.time_ns() // 1_000_000,
        )
        folder = platform.cluster.home / "state" / "hc-search-0"
        with shown(f"a register of {count:,} alerts"):
            begun = time.monotonic()
            fill(folder, count, task)
            filled = time.monotonic() - begun
        with shown("starting search"):
            begun = time.monotonic()
            platform.start("search")
            started = time.monotonic() - begun
        result: dict[str, Any] = {"alerts": count, "seconds": {"fill": filled, "start": started}, "latency_ms": {}}
        process = psutil.Process(platform.cluster.process("search").pid)
        result["latency_ms"] = rounds(platform.cluster, process, count, pace, seconds)
        result["memory_mib"] = process.memory_info().rss / 2**20
        result["disk_mib"] = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 2**20
        return result


def rounds(
    cluster: LocalCluster, process: psutil.Process, count: int, pace: float, seconds: float
) -> dict[str, dict[str, float]]:
    """By row, the medians over the rounds; each row is asked for `seconds` in all."""
    found: dict[str, list[dict[str, float]]] = {}
    asked = _asked(count)
    with floor(cluster) as port:
        for turn in range(ROUNDS):
            with shown(f"round {turn + 1} of {ROUNDS}"):
                for name, (ask, share) in asked.items():
                    before = process.cpu_times()
                    row = load(cluster.home, ask, pace * share, seconds / ROUNDS, port, turn)
                    after = process.cpu_times()
                    spent = after.user + after.system - before.user - before.system
                    found.setdefault(name, []).append(row | {"cpu_ms": spent / row["answers"] * 1000})
    return {
        name: {each: statistics.median(row[each] for row in rows) for each in rows[0]} for name, rows in found.items()
    }


@contextmanager
def floor(cluster: LocalCluster) -> Iterator[int]:
    """The floor, and its port."""
    port = cluster.port("floor")
    environment = cluster.env_for("search") | {"HUEANDCRY_SEARCH_PORT": str(port)}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    with subprocess.Popen([sys.executable, "-m", "bench.floor"], env=environment) as process:
        try:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                try:
                    _floor(cluster.home, port).request("GET", "/")
                    break
                except OSError:
                    time.sleep(0.1)
            yield port
        finally:
            process.terminate()


def _floor(home: Path, port: int) -> http.client.HTTPSConnection:
    profile = agency_profile(ASKS, home)
    context = ssl.create_default_context(cafile=str(profile.search_ca) if profile.search_ca else None)
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=15, context=context)


Ask = Callable[[random.Random], tuple[dict[str, Any], str]]


def _asked(count: int) -> dict[str, tuple[Ask, float]]:
    """By name, what is asked and where the answer must be, and what share of the pace it is asked at."""

    def number(dice: random.Random, tenth: int) -> int:
        return dice.randrange(count // 10) * 10 + tenth

    def person(dice: random.Random) -> tuple[dict[str, Any], str]:
        made = record(number(dice, 6), 0)["subject"]
        identity, born = made["identities"][0], made["born"]
        asked = {"name": f"{identity['given']} {identity['family']}", "born": f"{born['year']}"}
        return {"person": asked}, "proposed"

    def document_(dice: random.Random) -> tuple[dict[str, Any], str]:
        return {"document": {"number": document(number(dice, 7)), "state": "DEU", "type": "passport"}}, "exact"

    return {
        "exact: VIN": (lambda dice: (EXACT | {"vin": vin(number(dice, 0))}, "exact"), 1.0),
        "exact: plate": (
            lambda dice: (EXACT | {"plate": {"raw": plate(number(dice, 1)), "state": "FRA"}}, "exact"),
            1.0,
        ),
        "exact: document": (lambda dice: (EXACT | document_(dice)[0], "exact"), 1.0),
        "exact: nothing there": (lambda dice: (EXACT | {"vin": vin(number(dice, 8) + 7 * count)}, ""), 1.0),
        "both: VIN": (lambda dice: ({"vin": vin(number(dice, 0))}, "exact"), 1.0),
        "both: plate": (lambda dice: ({"plate": {"raw": plate(number(dice, 1)), "state": "FRA"}}, "exact"), 1.0),
        "both: document": (document_, 1.0),
        "possible: last 8 of VIN": (lambda dice: ({"vin": vin(number(dice, 2))[-8:]}, "proposed"), 1.0),
        "possible: name and year": (person, 0.2),
    }


def load(home: Path, ask: Ask, pace: float, seconds: float, floor_port: int, turn: int) -> dict[str, float]:
    """Ask at a steady pace over a few kept connections; milliseconds from when each was due to its answer.

    Half-way between two searches the floor is asked, so that both see the same machine.
    """
    delays: list[float] = []
    bare: list[float] = []
    faults: list[str] = []
    begun = time.perf_counter() + 0.5
    total = int(pace * seconds)

    def work(mine: int) -> None:
        dice = random.Random(f"{turn} {mine}")
        with Search(agency_profile(ASKS, home)) as search, closing(_floor(home, floor_port)) as bottom:
            search.ask("bench", **ask(dice)[0])
            _bare(bottom)
            for number in range(mine, total, THREADS):
                question, where = ask(dice)
                due = begun + (number - 0.5) / pace
                time.sleep(max(0.0, due - time.perf_counter()))
                _bare(bottom)
                bare.append((time.perf_counter() - due) * 1000)
                due = begun + number / pace
                time.sleep(max(0.0, due - time.perf_counter()))
                found = search.ask("bench", **question)
                delays.append((time.perf_counter() - due) * 1000)
                if bool(found) != bool(where) or (where and not getattr(found, where)):
                    faults.append(f"asked for {where or 'nothing'}, found {len(found.exact)} and {len(found.proposed)}")

    threads = [threading.Thread(target=work, args=(each,)) for each in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults or len(delays) != total:
        raise SystemExit(f"{len(delays)} of {total} answers; {len(faults)} wrong, the first: {faults[:1]}")
    cuts, least = statistics.quantiles(delays, n=1000), statistics.quantiles(bare, n=1000)
    found = {"answers": total, "pace": pace, "p50": cuts[499], "p90": cuts[899], "p99": cuts[989], "max": max(delays)}
    return found | {"floor_p50": least[499], "floor_p99": least[989]}


def _bare(bottom: http.client.HTTPSConnection) -> None:
    bottom.request("POST", "/search", b"{}", {"Content-Type": "application/json"})
    answer = bottom.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"the floor answers with {answer.status}")


def show(result: dict[str, Any]) -> None:
    """Print the result as a table."""
    title = f"Search over {result['alerts']:,} active alerts: ms from when a question was due to its answer"
    columns = ("p50", "p90", "p99", "max", "floor p50", "floor p99", "of floor, p50", "p99", "CPU of search, ms")
    table = Table("", "a second", *columns, title=title)
    for name, row in result["latency_ms"].items():
        times = [f"{row[each]:.1f}" for each in ("p50", "p90", "p99", "max", "floor_p50", "floor_p99")]
        ratios = [f"{row[each] / row[f'floor_{each}']:.2f}" for each in ("p50", "p99")]
        table.add_row(name, f"{row['pace']:.0f}", *times, *ratios, f"{row['cpu_ms']:.1f}")
    console = Console()
    console.print(table)
    console.print(
        f"Memory {result['memory_mib']:.0f} MiB, disk {result['disk_mib']:,.0f} MiB; "
        f"filled in {result['seconds']['fill']:.0f} s, ready after {result['seconds']['start']:.0f} s"
    )
