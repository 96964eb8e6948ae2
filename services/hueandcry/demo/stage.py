"""A cluster of the demonstration's own, from a clean start to its end, and the whole run on it."""

from __future__ import annotations

import fcntl
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hueandcry.control.doctor.balance import Balance, balance
from hueandcry.control.local import LocalCluster
from hueandcry.demo import desk, expected, scenario
from hueandcry.demo.compare import Difference, Sent, Told, differences
from hueandcry.demo.player import Player, Source, Watch, read_everything
from hueandcry.demo.view import View
from hueandcry.errors import HueAndCryError, ProofError, SettingsError
from hueandcry.rights.network import Network
from hueandcry.sdk.delivery import Delivery
from hueandcry.wire.proof import Verifier, leaf_hash, proof_of
from hueandcry.wire.schemas import schema

_OUTCOMES_S = 60.0


@dataclass(frozen=True)
class Result:
    """What came of a run.

    Attributes:
        desk: what came of the hit and the searches.
        verified: deliveries of originals whose signature their receiver has verified.
        differences: all that is not as the scenario's author states it; empty where all is.
    """

    sent: list[Sent]
    told: Mapping[Source, list[Told]]
    inboxes: Mapping[str, list[Delivery]]
    desk: desk.Done
    verified: int
    balance: Balance
    differences: list[Difference]

    @property
    def id_of(self) -> dict[str, str]:
        """Alert id by national reference."""
        return {each.reference: each.alert_id for each in self.sent}


@contextmanager
def own_cluster(
    home: Path, network_dir: Path, say: Callable[[str], None], *, keep: bool, well: Callable[[], bool]
) -> Iterator[LocalCluster]:
    """A fresh cluster in a home of its own, not started; stopped at the end, however that comes.

    Where all went well its home is removed too; else it stays, for its logs, until the next one.

    Args:
        home: its folder; what an earlier demonstration left there is stopped and removed.
        keep: leave it running where the end is reached.
        well: asked at the end whether all went well.

    Raises:
        SettingsError: another demonstration is at work here.
    """
    with _alone(home):
        cluster = LocalCluster(home, network_dir=network_dir, say=say)
        if home.exists():
            say("removing what an earlier demonstration has left")
            cluster.down()
            shutil.rmtree(home)
        try:
            yield cluster
        except BaseException:
            _stop(cluster)
            raise
        if not keep:
            say("stopping everything")
            _stop(cluster)
            if well():
                shutil.rmtree(home)


def _stop(cluster: LocalCluster) -> None:
    """Stop it; a second Ctrl-C does not leave half of it running."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if _in_main_thread() else None
    try:
        cluster.down()
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_name(f"{home.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(f"another demonstration is at work in {home}", hint="Wait for its end") from None
        yield


def run(home: Path, network: Network, operator: Mapping[str, Any], plan: scenario.Scenario, view: View) -> Result:
    """Play the scenario on a cluster that is up, and check what came of it.

    Args:
        home: folder of the profiles.
        network: that the cluster has.
        operator: librdkafka's configuration of the operator.

    Raises:
        HueAndCryError: something could not be sent or read, or did not end in time.
    """
    agencies = sorted(network.agencies)
    player = Player(home)
    try:
        with Watch(home, agencies, view.received) as watch:
            for number, step in enumerate(plan.steps, 1):
                view.step(number, step)
                sent = player.play(step)
                if not watch.wait_for((each.source for each in sent), _OUTCOMES_S):
                    raise HueAndCryError(
                        f"not every message of step {number} had an outcome after {_OUTCOMES_S:.0f} s",
                        hint=f"See {home / 'logs'}",
                    )
                view.step_done()
    finally:
        player.close()
    view.doing("reporting a hit, and searching")
    id_of = {each.reference: each.alert_id for each in player.sent}
    done = desk.work(home, agencies, id_of, {each.reference: each.agency for each in player.sent})
    view.doing("reading everything again from the beginning, and comparing")
    told, inboxes = read_everything(home, agencies)
    of_reports = {source: outcomes for source, outcomes in told.items() if source[0].startswith("hits.")}
    told = {source: outcomes for source, outcomes in told.items() if source not in of_reports}
    found = differences(expected.load(), player.sent, told, inboxes) + done.differences
    outcomes = sorted(each.outcome for receipts in of_reports.values() for each in receipts)
    if outcomes != (wanted := ["delivered"] * 2 * done.hits):
        found.append(Difference("", "reports", ", ".join(wanted), ", ".join(outcomes) or "nothing"))
    verified, unproven = _verify(inboxes, network)
    view.doing("taking the balance")
    taken = balance(operator, network.regions)
    found += unproven
    found += [Difference("", "balance", "every message has one outcome", fault) for fault in taken.faults]
    if taken.came_in != len(player.sent) or taken.waiting or not taken.counted:
        found.append(Difference("", "balance", f"{len(player.sent)} in, all with an outcome", taken.sentence))
    return Result(player.sent, told, inboxes, done, verified, taken, found)


def now() -> datetime:
    """The moment from which the scenario's times count."""
    return datetime.now(UTC)


def _verify(inboxes: Mapping[str, list[Delivery]], network: Network) -> tuple[int, list[Difference]]:
    """Check the issuer's signature of every original, as its receiver can."""
    verifier = Verifier(network.keys.get)
    fingerprint = schema("hueandcry.Alert").fingerprint
    verified, wrong = 0, []
    for agency, deliveries in inboxes.items():
        for delivery in deliveries:
            body = delivery.signed_body
            if body is None or delivery.alert is None:
                continue
            try:
                key = verifier.verify(
                    proof_of(delivery.headers), leaf_hash(fingerprint, body), delivery.record["received_at"]
                )
                signer = key.agency
            except ProofError as error:
                signer = str(error)
            if signer == delivery.alert["issuer"]:
                verified += 1
            else:
                wrong.append(Difference(agency, delivery.alert_id, f"signed by {delivery.alert['issuer']}", signer))
    return verified, wrong
