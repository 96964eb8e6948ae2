"""Links: alerts that share a key without being led by it, found wherever they live. They never merge.

Rules:
1. An alert enters each of its keys in the partition that the key belongs to: its identity key, the other strong ones,
   and the weak ones. What it has no more it takes back, as it does when it ends.
2. There it meets some of those that have the key, a bounded number (`claimants`): their homes are put in contact.
3. Of two that meet, the home of the older decides, so that both are told once however many keys they share. By a
   strong key they are linked unless they contradict each other; by a weak one where `likeness` says so.
4. Members of one cluster are not linked: they are together already. Nor are two of which an issuer says that they are
   distinct.
5. An alert that says something else of its subject is judged anew: its links, and who has its keys.
6. Both homes keep the link, with the head of the other, by which it is decided who may know of it. Each tells the other
   of every new version and of the end. A link that the other home does not confirm is taken back, so that messages
   which cross leave no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from hueandcry.alerts.remarks import Remark
from hueandcry.distribute.claimants import Meeting, enter, remove
from hueandcry.distribute.entries import Claimant, Entry, Register
from hueandcry.distribute.mail import Claim, claim, keys_of, named

#: Most links of one alert.
MOST = 64
#: Types of claims that are answered here.
KINDS = frozenset({"keys", "held", "dropped", "meet", "met", "linked", "parted"})


class Found(NamedTuple):
    """A link that is news. `one` is the newer of the two alerts; `link` says why."""

    one: Entry
    other: Entry
    link: Entry


@dataclass(frozen=True, slots=True)
class Judge:
    """How links are made.

    Attributes:
        partition_of: partition that a key belongs to.
        contradict: whether two alerts with one strong key can't be on one subject.
        likeness: score and reasons of two alerts that may be on one subject; None where that is not likely.
        differs: whether two versions of an alert say something else of its subject.
    """

    partition_of: Callable[[bytes], int]
    contradict: Callable[[Entry, Entry], bool]
    likeness: Callable[[Entry, Entry], tuple[float, Sequence[Remark]] | None]
    differs: Callable[[Entry, Entry], bool]


class Links:
    """The links of one partition.

    Args:
        register: the partition's register, as one message may change it.
        partition: number of the partition.
        now_ms: epoch milliseconds.

    Attributes:
        claims: what the partition has to tell others.
        found: links that are news.
    """

    def __init__(self, register: Register, judge: Judge, partition: int, now_ms: int) -> None:
        self._register = register
        self._judge = judge
        self._partition = partition
        self._now_ms = now_ms
        self.claims: list[Claim] = []
        self.found: list[Found] = []

    # -- changes of an alert --------------------------------------------------------------------------------------

    def published(self, entry: Entry, known: Entry | None) -> None:
        """An alert of this partition is active, in a new version or with another standing in its cluster.

        Args:
            entry: as it is registered now.
            known: as it was registered here before, and active; None where it was not.
        """
        if known is None:
            self.hold(entry)
            return
        alert_id = entry["head"]["alert_id"]
        stands_otherwise, differs = _standing(entry) != _standing(known), self._judge.differs(known, entry)
        if stands_otherwise:
            lost, lost_weak = (old - new for old, new in zip(_keys(known), _keys(entry), strict=True))
            self._tell_keys("dropped", known, lost, lost_weak)
            for link in list(self._register.links(alert_id)):
                if not self._may_link(entry, link):
                    self._part(alert_id, link)
        links = list(self._register.links(alert_id))
        if differs:
            # Before its keys are entered again: else the other home could confirm what it is about to take back.
            for link in links:
                self._go_to(entry, link["home"], [link["head"]["alert_id"]], link["key"], weak=_is_weak(link))
        if differs or stands_otherwise:
            self.hold(entry)
        if not differs:
            for link in links:
                self._tell_link(entry, link)

    def hold(self, entry: Entry) -> None:
        """Enter an active alert of this partition under its keys, once or again."""
        self._tell_keys("held", entry, *_keys(entry))

    def gone(self, known: Entry) -> None:
        """An alert of this partition has ended or moved away."""
        self._tell_keys("dropped", known, *_keys(known))
        alert_id = known["head"]["alert_id"]
        for link in list(self._register.links(alert_id)):
            self._part(alert_id, link)

    # -- messages of other partitions -----------------------------------------------------------------------------

    def claim(self, record: Entry) -> None:
        """Act on a hueandcry.Claim of one of the types `KINDS`."""
        match record["type"]:
            case "keys":
                for each in record["several"]:
                    self.claim(each)
            case "held" | "dropped":
                claimant = Claimant(record["alert_id"], record["registered_at"], record["home"], record["version"])
                change = enter if record["type"] == "held" else remove
                together: set[tuple[Claimant, Claimant, bool]] = set()
                for key, weak in keys_of(record):
                    meetings = change(self._register, key, claimant, weak=weak)
                    self._bring_together(key, meetings, together, weak=weak)
            case "meet":
                self._meet(record)
            case "met":
                self._met(record)
            case "linked":
                self._linked(record)
            case _:
                for other in record["others"]:
                    link = self._register.link(record["alert_id"], other["alert_id"])
                    # It may be another link by now: these messages and those of a meeting go different ways.
                    if link is not None and (link["home"], [link["key"]]) == (record["home"], record["keys"]):
                        self._register.drop_link(record["alert_id"], other["alert_id"])

    # -- where the alerts live ------------------------------------------------------------------------------------

    def _meet(self, record: Entry) -> None:
        """An alert of this partition goes to the homes of others that share a key with it."""
        entry, (key, weak) = self._active(record["alert_id"]), next(keys_of(record))
        if entry is None or key not in _keys(entry)[weak]:
            return
        by_home: dict[int, list[str]] = {}
        for other in record["others"]:
            # Where they are linked already, too: that link may be on its way out.
            by_home.setdefault(other["home"], []).append(other["alert_id"])
        for home, others in by_home.items():
            self._go_to(entry, home, others, key, weak=weak)

    def _met(self, record: Entry) -> None:
        """A newer alert has come to be compared with alerts of this partition."""
        newer, (key, weak) = record["entry"], next(keys_of(record))
        for each in record["others"]:
            own = self._active(each["alert_id"])
            if own is None or key not in _keys(own)[weak] or not _are_two(newer, own):
                continue
            before = self._register.link(each["alert_id"], record["alert_id"])
            if before is not None and before["head"]["version"] > newer["head"]["version"]:
                continue
            if before is not None and before["key"] not in _keys(newer)[_is_weak(before)]:
                before = None
            made = before if before is not None and (weak or not _is_weak(before)) else None
            if made is not None and made["head"]["version"] < newer["head"]["version"]:
                # As it was told, but for what is said of it; where nothing speaks for it any more, it goes.
                judged = self._judged(newer, own, made["key"], weak=_is_weak(made))
                if judged is None:
                    self._part(each["alert_id"], made)
                    continue
                made = judged | {"at": made["at"]}
            link = made or self._judged(newer, own, key, weak=weak)
            if link is None or (before is None and self._is_full(each["alert_id"])):
                continue
            link = {**link, "head": newer["head"], "home": record["home"]}
            self._register.put_link(each["alert_id"], link)
            self._tell_link(own, link)
            if made is None:
                self.found.append(Found(newer, own, link))

    def _go_to(self, entry: Entry, home: int, others: Sequence[str], key: bytes, *, weak: bool) -> None:
        """Send an alert to another home, to be compared with alerts there that have the key too."""
        head = entry["head"]
        there = [{"alert_id": other, "home": home} for other in others]
        met = claim("met", head["alert_id"], head["version"], self._partition, others=there, entry=entry)
        self._post(home, met | named(key, weak))

    def _judged(self, newer: Entry, own: Entry, key: bytes, *, weak: bool) -> Entry | None:
        """Basis, key, score and reasons of a link of two alerts; None where they are not linked."""
        found = {"basis": "same_key", "key": key, "score": 1.0, "reasons": [], "at": self._now_ms}
        if not weak:
            return None if self._judge.contradict(newer, own) else found
        likeness = self._judge.likeness(newer, own)
        if likeness is None:
            return None
        score, reasons = likeness
        return found | {
            "basis": "possible_match",
            "score": score,
            "reasons": [reason.as_record() for reason in reasons],
        }

    def _linked(self, record: Entry) -> None:
        """The other home says that two alerts are linked, or how the other is now."""
        alert_id, link = record["alert_id"], record["link"]
        other = link["head"]["alert_id"]
        entry, known = self._active(alert_id), self._register.link(alert_id, other)
        if entry is None or not self._may_link(entry, link) or (known is None and self._is_full(alert_id)):
            if known is not None and (known["home"], known["key"]) == (link["home"], link["key"]):
                self._register.drop_link(alert_id, other)
            self._tell_parted(alert_id, link)
            return
        if known is not None and known["head"]["version"] > link["head"]["version"]:
            return
        self._register.put_link(alert_id, link)
        if record["version"] < entry["head"]["version"]:
            self._tell_link(entry, link)

    def _active(self, alert_id: str) -> Entry | None:
        entry = self._register.alert(alert_id)
        return entry if entry is not None and entry["state"] == "active" else None

    def _may_link(self, entry: Entry, link: Entry) -> bool:
        """Whether a link may stand, by what its one side knows."""
        other = link["head"]["alert_id"]
        if other in entry["distinct"] or link["key"] not in _keys(entry)[_is_weak(link)]:
            return False
        here = self._active(other) if link["home"] == self._partition else None
        return here is None or _are_two(entry, here)

    def _is_full(self, alert_id: str) -> bool:
        return sum(1 for _ in islice(self._register.links(alert_id), MOST)) >= MOST

    def _part(self, alert_id: str, link: Entry) -> None:
        self._register.drop_link(alert_id, link["head"]["alert_id"])
        self._tell_parted(alert_id, link)

    # -- what is told ---------------------------------------------------------------------------------------------

    def _tell_keys(self, kind: str, entry: Entry, keys: Iterable[bytes], weak_keys: Iterable[bytes]) -> None:
        """Say to the partitions that keys belong to that an alert has them, or has them no more."""
        head = entry["head"]
        by_partition: dict[int, tuple[list[bytes], list[bytes]]] = {}
        for weak, given in enumerate((keys, weak_keys)):
            for key in sorted(given):
                if key == entry["identity_key"]:
                    # It belongs to this partition, since the alert does.
                    self._own_key(kind, key, entry)
                else:
                    by_partition.setdefault(self._judge.partition_of(key), ([], []))[weak].append(key)
        for to, (strong, weaker) in by_partition.items():
            record = claim(kind, head["alert_id"], head["version"], self._partition, keys=strong, weak_keys=weaker)
            self._post(to, record | {"registered_at": entry["registered_at"]})

    def _own_key(self, kind: str, key: bytes, entry: Entry) -> None:
        alert_id, version = entry["head"]["alert_id"], entry["head"]["version"]
        claimant = Claimant(alert_id, entry["registered_at"], self._partition, version, entry["strong"])
        change = enter if kind == "held" else remove
        self._bring_together(key, change(self._register, key, claimant, weak=False), set(), weak=False)

    def _bring_together(
        self, key: bytes, meetings: Iterable[Meeting], together: set[tuple[Claimant, Claimant, bool]], *, weak: bool
    ) -> None:
        """Put homes in contact; two alerts once, however many keys of one message they share."""
        for one, older in meetings:
            others = [each for each in older if (one, each, weak) not in together]
            together |= {(one, each, weak) for each in others}
            if others:
                to = [{"alert_id": each.alert_id, "home": each.home} for each in others]
                self._post(one.home, claim("meet", one.alert_id, 0, self._partition, others=to, **named(key, weak)))

    def _tell_link(self, entry: Entry, link: Entry) -> None:
        """Tell the other home how this side of a link is now."""
        told = {**link, "head": entry["head"], "home": self._partition}
        version = link["head"]["version"]
        self._post(link["home"], claim("linked", link["head"]["alert_id"], version, self._partition, link=told))

    def _tell_parted(self, alert_id: str, link: Entry) -> None:
        others = [{"alert_id": alert_id, "home": self._partition}]
        told = link["head"]["alert_id"], link["head"]["version"], self._partition
        self._post(link["home"], claim("parted", *told, others=others, keys=[link["key"]]))

    def _post(self, to: int, record: Entry) -> None:
        if to == self._partition:
            self.claim(record)
        else:
            self.claims.append(Claim(to, record))


def _keys(entry: Entry) -> tuple[set[bytes], set[bytes]]:
    """Strong and weak keys that an alert has. One that nothing leads has no identity but its own id."""
    strong = set(entry["claims"])
    if entry["strong"] or entry["apart"]:
        strong.add(entry["identity_key"])
    return strong, set(entry["proposals"])


def _standing(entry: Entry) -> object:
    """All of an alert that its links depend on but for its content."""
    return _keys(entry), entry["identity_key"], entry["strong"], set(entry["distinct"])


def _is_weak(link: Entry) -> bool:
    return link["basis"] == "possible_match"


def _are_two(one: Entry, other: Entry) -> bool:
    """Whether two alerts may be linked: not in one cluster, not said to be distinct, of one kind."""
    together = one["strong"] and other["strong"] and one["identity_key"] == other["identity_key"]
    ids = one["head"]["alert_id"], other["head"]["alert_id"]
    said = ids[1] in one["distinct"] or ids[0] in other["distinct"]
    return not together and not said and one["head"]["kind"] == other["head"]["kind"]
