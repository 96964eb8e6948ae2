"""A real Prometheus on the running platform: every panel has data, and faults raise their alerts."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from broker.lane_process import until
from broker.on_platform import Platform, alert, next_version
from broker.prometheus import scraping
from hueandcry.control.local import LocalCluster
from hueandcry.dashboards.rules import rules
from hueandcry.errors import SearchError
from hueandcry.sdk.reports import Reports
from hueandcry.sdk.search import Search
from hueandcry.sdk.subscriber import Subscriber

pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="no prometheus: `make prometheus` gets one"),
]
DASHBOARDS = Path(__file__).parents[2] / "helm/dashboards"
TOPICS = Path(__file__).parents[2] / "topics"
#: So many times quicker are the rules than in use: an hour is a minute, a minute a second.
QUICK = 60


def queries() -> list[tuple[str, str]]:
    """Every panel's queries, with a dashboard's variables as they are at first."""
    found = []
    for file in sorted(DASHBOARDS.glob("*.json")):
        for panel in json.loads(file.read_text("utf-8"))["panels"]:
            for target in panel.get("targets", []):
                expr = target["expr"].replace("$__rate_interval", "1m")
                for name in ("kind", "region", "lane", "agency"):
                    expr = expr.replace(f"${name}", ".*")
                found.append((f"{file.stem}: {panel['title']}", expr))
    return found


def test_every_panel_has_data(platform: Platform, tmp_path: Path) -> None:
    profile = platform.profile("ken-police")
    with (
        scraping(platform.home, tmp_path, rules()) as prometheus,
        Subscriber(profile, name="dashboards", from_="latest") as inbox,
        Reports(profile) as reports,
        Search(profile) as search,
    ):
        until(lambda: set(prometheus.targets().values()) == {"up"}, 60, "every process to be scraped")
        left = queries()

        def filled() -> bool:
            # Again and again: a rate needs a series that was there before and has risen since.
            car = alert("fra-police")
            platform.settled(
                car,
                alert("deu-vehicles", subject=car["subject"]),
                next_version(alert("fra-police"), issuing_state="DEU"),
            )
            while (delivery := inbox.take(1)) is not None:
                if delivery.alert_id == car["alert_id"]:
                    reports.on(delivery, "sighting")
            inbox.processed()
            with contextlib.suppress(SearchError):  # after what other tests did to Kafka the replica may still be old
                search.ask("test of the dashboards", vin=car["subject"]["vin"]["raw"])
            left[:] = [(panel, expr) for panel, expr in left if not prometheus.query(expr)]
            return not left

        until(filled, 200, lambda: f"data in each panel; there is none in {left}")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A platform of this test's own, whose watch looks every second, with a server whose certificate ends soon."""
    home = Path(tempfile.mkdtemp(prefix="hueandcry-faults-"))
    cluster = LocalCluster(home, network_dir=TOPICS, tied=True)
    with _server(tmp_path, days=10) as address:
        monkeypatch.setenv("HUEANDCRY_WATCH_SECONDS", "1")
        monkeypatch.setenv("HUEANDCRY_WATCH_TLS", f"old={address}")
        try:
            cluster.up()
            platform = Platform(cluster)
            yield platform
            platform.close()
        finally:
            cluster.down()
            shutil.rmtree(home, ignore_errors=True)


def test_faults_that_are_made_raise_their_alerts_and_end_them(own: Platform, tmp_path: Path) -> None:
    folder = tmp_path / "prometheus"
    folder.mkdir()
    with scraping(own.home, folder, rules(QUICK)) as prometheus:

        def raised(name: str) -> None:
            until(lambda: name in prometheus.firing(), 90, lambda: f"{name}; raised are {prometheus.firing()}", 0.5)

        def ended(name: str, seconds: float = 120) -> None:
            until(lambda: name not in prometheus.firing(), seconds, f"{name} to end", 0.5)

        until(lambda: set(prometheus.targets().values()) == {"up"}, 60, "every process to be scraped")
        own.settled(alert("fra-police"))
        raised("CertificateEnds")
        assert "CertificateEndsNow" not in prometheus.firing()
        assert not prometheus.firing() & {"ProcessDown", "LaneBehind", "LaneStuck", "QuarantineGrows", "WatchBlind"}

        # A process that is gone.
        assert own.cluster.stop_service("search")
        raised("ProcessDown")
        own.cluster.start_service("search")
        ended("ProcessDown")

        # A lane that stands still: alerts wait for it, and are late when it goes on.
        lane = own.cluster.process("distribute").pid
        assert lane is not None
        os.kill(lane, signal.SIGSTOP)
        try:
            places = own.publish(*(alert("fra-police") for _ in range(40)))
            raised("LaneBehind")
        finally:
            os.kill(lane, signal.SIGCONT)
        own.wait_ended(places)
        raised("DeliveriesLateFast1h")

        def in_time() -> bool:
            own.settled(*(alert("fra-police") for _ in range(20)))
            return not prometheus.firing() & {"LaneBehind", "DeliveriesLateFast1h"}

        until(in_time, 180, lambda: f"alerts in time again; raised are {prometheus.firing()}")

        # Messages that are refused.
        own.settled(*(next_version(alert("fra-police"), issuing_state="DEU") for _ in range(60)))
        raised("QuarantineGrows")
        ended("QuarantineGrows")

        # An agency that does not read.
        with Subscriber(own.profile("ken-police"), name="work") as inbox:
            while inbox.take(2) is not None:
                pass
            inbox.processed()
            own.settled(alert("fra-police"))
            raised("AgencyBehind")
            while inbox.take(2) is not None:
                pass
            inbox.processed()
        ended("AgencyBehind")

        # No Kafka: nobody can look at it, and a message that is in hand stays there.
        own.cluster.kill_broker()
        raised("WatchBlind")
        own.cluster.start_broker()
        ended("WatchBlind")


@contextmanager
def _server(folder: Path, days: int) -> Iterator[str]:
    """A server that shows a certificate which ends in so many days; its address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    at = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=days))
        .sign(key, SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
