"""A register in memory, entered as distribute does, to be searched."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from factories import NOW_MS
from hueandcry.admit.head import head_of
from hueandcry.distribute.entries import Claimant, Register
from hueandcry.distribute.mail import partition_of
from hueandcry.identity import identify, proposal_keys, status_key
from hueandcry.lanes.state import Overlay
from hueandcry.search.answer import Searcher
from hueandcry.search.plates import Plates
from hueandcry.search.reading import Reading
from hueandcry.search.shelves import Own, Shelves
from hueandcry.wire.codec import encode
from hueandcry.wire.schemas import WriterSchema, schema
from simulator import IDS, Memory

SECRET = b"the secret of the tests, 32 bytes"
_ALERT_ID = 100
_SOURCE = {"topic": "alerts.europe", "partition": 0, "offset": 0}
_NO_ENRICHMENT: dict[str, Any] = {"state_name": None, "offences": [], "facts": None, "remarks": []}


class Ids:
    """The schemas of the register and of alerts, without a registry."""

    def writer(self, schema_id: int) -> WriterSchema:
        found = schema("Alert") if schema_id == _ALERT_ID else schema("RegisterEntry")
        return WriterSchema(found.name, found.hot, found.fingerprint)


READING = Reading(Ids())  # type: ignore[arg-type]


class Shelf:
    """Partitions of a register, and a searcher over them; each partition's holder is another object."""

    def __init__(self, partitions: int = 3) -> None:
        self.memories = [Memory() for _ in range(partitions)]
        holders: dict[int, Any] = {
            partition: Own(
                lambda asked, mine=partition: self.memories[asked] if asked == mine else None,  # type: ignore[arg-type,misc]
                partitions,
                lambda mine=partition: [self._plates(mine)],  # type: ignore[misc]
            )
            for partition in range(partitions)
        }
        self.shelves = Shelves(holders)
        self.searcher = Searcher(self.shelves, READING, lambda: NOW_MS)

    def enter(self, alert: Mapping[str, Any], *, state: str = "active", **head: Any) -> None:
        """Register an alert, with a head that differs from its content where a test says so."""
        identity = identify(alert)
        key, *claims = (status_key(SECRET, alert["status"], each) for each in (identity.key, *identity.claims))
        proposals = [status_key(SECRET, alert["status"], each) for each in proposal_keys(alert)]
        home = partition_of(key, len(self.memories))
        body = encode("hueandcry.Alert", alert)
        entry = {
            "head": head_of(alert, "europe") | head,
            "state": state,
            "cluster_id": alert["alert_id"],
            "identity_key": key,
            "strong": identity.strong,
            "digest": hashlib.sha256(body).digest(),
            "source": _SOURCE,
            "first_source": _SOURCE,
            "registered_at": NOW_MS,
            "enrichment": _NO_ENRICHMENT,
            "sent": [],
            "proof": {},
            "schema_id": _ALERT_ID,
            "body": body,
            "ended_at": None if state == "active" else NOW_MS,
            "claims": claims,
            "proposals": proposals,
            "distinct": [],
            "apart": False,
        }
        for memory in self.memories:
            memory.pairs.pop(b"a" + alert["alert_id"].encode(), None)
        self._change(home, lambda register: register.put_alert(entry))
        for each in ([key] if identity.strong else []) + claims + proposals:
            claimant = Claimant(alert["alert_id"], NOW_MS, home, alert["version"], each == key)
            self._change(
                partition_of(each, len(self.memories)),
                lambda register, each=each, claimant=claimant: register.put_claimant(each, claimant),
            )

    def move(self, alert: Mapping[str, Any], to: int) -> None:
        """Let an alert live in another partition, though its claimants do not know yet."""
        key = b"a" + alert["alert_id"].encode()
        home = next(number for number, memory in enumerate(self.memories) if memory.get(key) is not None)
        self.memories[to].pairs[key] = self.memories[home].pairs.pop(key)
        self._change(home, lambda register: register.put_moved(alert["alert_id"], alert["version"], to, NOW_MS))

    def _plates(self, partition: int) -> Plates:
        plates = Plates(self.memories[partition], READING)
        while plates.step():
            pass
        return plates

    def _change(self, partition: int, change: Any) -> None:
        overlay = Overlay(self.memories[partition])
        change(Register(overlay, IDS))
        self.memories[partition].take(overlay)
