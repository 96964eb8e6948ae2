"""Alerts of one cluster that may not stand side by side: found as one joins or changes, and told to both issuers.

Rules:
1. A conflict informs; it never holds up a delivery. What may not stand together says `alerts.compatibility`.
2. Cost does not depend on how many members a cluster has. It keeps a stance for each status, state and category: how
   many alerts there are and one of them, which stands for all. Only where that one ends are the members looked through.
3. An exercise or test never meets an actual alert.
4. The issuer of the alert that has come is told in its receipt, the issuer of the one that stood in a notice.
5. Each is told of the other alert only what it may receive by the rights rules. Of one that it may not receive it
   hears that there is one, and of a covert one (`compatibility.COVERT`) nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from hueandcry.alerts.compatibility import COVERT, Conflict, Stance, conflicts
from hueandcry.alerts.remarks import Remark
from hueandcry.distribute.entries import Entry, Register

RULE = "compatibility.conflict"

Head = Mapping[str, Any]

MaySee = Callable[[str, Head], bool]
"""Whether an agency may know of the alert with this head, by the rights rules; its own it may."""


class Met(NamedTuple):
    """An alert that conflicts with one that stood there before.

    Attributes:
        standing: the alert that stood there, as registered.
        before: head of the version before of the alert that has come, if that stood in the same cluster; else None.
    """

    conflict: Conflict
    standing: Entry
    before: Head | None


class Notice(NamedTuple):
    """What the issuer of a standing alert is told of it."""

    standing: Entry
    remark: Remark


# -- the stances of a cluster -------------------------------------------------------------------------------------


def enter(
    register: Register, identity: bytes, before: Entry | None, cluster: Entry, entry: Entry, known: Entry | None
) -> tuple[Entry, list[Met]]:
    """Enter an alert that has joined its cluster, or changed in it.

    Args:
        before: the cluster as it was before the alert joined; None where there was none.
        cluster: as it is now; without the alert's stance.
        entry: the alert as it is now.
        known: the alert as it was in this cluster; None where it was not in it.

    Returns:
        The cluster with the stance, and what the alert conflicts with.
    """
    if before is None or before["only"] == entry["head"]["alert_id"]:
        return cluster, []
    stances = _stances(register, identity, before, entry, known)
    own = _slot(entry["head"])
    if known is None or _slot(known["head"]) != own:
        if known is not None:
            _drop(register, identity, stances, known)
        found = stances.get(own, {"alerts": 0, **_named(entry["head"])})
        stances[own] = {**found, "alerts": found["alerts"] + 1}
        cluster = {**cluster, "stances": stances}
        register.put_cluster(identity, cluster)
    head = entry["head"]
    new = Stance(head["issuing_state"], head["category"], head["alert_id"], head["issuer"])
    met: list[Met] = []
    for conflict in conflicts(_of_status(stances, head["status"]), new):
        standing = register.alert(conflict.standing.alert_id)
        if standing is not None and standing["state"] == "active":
            met.append(Met(conflict, standing, known["head"] if known else None))
    return cluster, met


def leave(register: Register, identity: bytes, known: Entry) -> None:
    """Take out the stance of an alert that has left a cluster with other members."""
    cluster = register.cluster(identity)
    if cluster is not None and cluster["stances"]:
        stances = dict(cluster["stances"])
        _drop(register, identity, stances, known)
        register.put_cluster(identity, {**cluster, "stances": stances})


def _stances(register: Register, identity: bytes, cluster: Entry, entry: Entry, known: Entry | None) -> dict[str, Any]:
    """By slot, the stances of a cluster as it was before `entry` joined it or changed from `known`.

    One that has only ever had one member has those of that one. A cluster from before stances were kept has none, and
    gets them from its members, once.
    """
    if cluster["stances"]:
        return dict(cluster["stances"])
    ids = [cluster["only"]] if cluster["only"] is not None else register.members(identity)
    members = (known if each == entry["head"]["alert_id"] else register.alert(each) for each in ids)
    stances: dict[str, Any] = {}
    for member in members:
        if member is not None and member["state"] == "active":
            slot = _slot(member["head"])
            found = stances.get(slot, {"alerts": 0, **_named(member["head"])})
            stances[slot] = {**found, "alerts": found["alerts"] + 1}
    return stances


def _drop(register: Register, identity: bytes, stances: dict[str, Any], known: Entry) -> None:
    slot, alert_id = _slot(known["head"]), known["head"]["alert_id"]
    found = stances.get(slot)
    if found is None:
        return
    if found["alerts"] <= 1:
        del stances[slot]
        return
    stances[slot] = {**found, "alerts": found["alerts"] - 1}
    if found["alert_id"] == alert_id:
        for member in register.members(identity):
            entry = register.alert(member) if member != alert_id else None
            if entry is not None and _slot(entry["head"]) == slot:
                stances[slot] |= _named(entry["head"])
                return
        del stances[slot]


def _slot(head: Head) -> str:
    """Key of a stance; no part holds a slash."""
    return f"{head['status']}/{head['issuing_state']}/{head['category']}"


def _named(head: Head) -> dict[str, str]:
    return {"alert_id": head["alert_id"], "issuer": head["issuer"]}


def _of_status(stances: dict[str, Any], status: str) -> Iterator[Stance]:
    for slot, found in stances.items():
        of, state, category = slot.split("/")
        if of == status:
            yield Stance(state, category, found["alert_id"], found["issuer"])  # type: ignore[arg-type]


# -- who is told what ---------------------------------------------------------------------------------------------


def remarks(met: Iterable[Met], head: Head, may_see: MaySee) -> list[Remark]:
    """What the issuer of the alert that has come is told of the others, by their priority."""
    said = (_remark(each.conflict, head, each.standing["head"], may_see) for each in met)
    # Once for all that may not be seen: how many there are is theirs as well.
    return list(dict.fromkeys(remark for remark in said if remark is not None))


def notices(met: Iterable[Met], head: Head, may_see: MaySee) -> Iterator[Notice]:
    """What the issuers of the other alerts are told of the one that has come, where that is news to them.

    Nothing where the issuer is the same: its receipt says it.
    """
    for each in met:
        own = each.standing["head"]
        if own["issuer"] == head["issuer"]:
            continue
        remark = _remark(each.conflict, own, head, may_see)
        if remark is not None and remark != _said_before(each, may_see):
            yield Notice(each.standing, remark)


def _said_before(met: Met, may_see: MaySee) -> Remark | None:
    """What the issuer of the standing alert was told of the version before of the other one."""
    if met.before is None:
        return None
    own = met.standing["head"]
    if own["status"] != met.before["status"]:
        return None
    now = Stance(own["issuing_state"], own["category"], own["alert_id"], own["issuer"])
    other = met.before
    then = Stance(other["issuing_state"], other["category"], other["alert_id"], other["issuer"])
    found = conflicts([now], then)
    return _remark(found[0], own, other, may_see) if found else None


def _remark(conflict: Conflict, own: Head, other: Head, may_see: MaySee) -> Remark | None:
    """What the issuer of the alert with the head `own` is told of the one with the head `other`."""
    if not may_see(own["issuer"], other):
        return None if other["category"] in COVERT else _UNSEEN
    state, first = other["issuing_state"], conflict.first
    who = f"{other['category']} of {state} (alert {other['alert_id']}, issued by {other['issuer']})"
    if conflict.rule == "one_a_state":
        said = f"{who} is on the same subject, and a state enters one alert on it"
        do = f"agree with {other['issuer']} which stays, and keep the other back until that ends"
    else:
        said = f"{who} is on the same subject and can't stand beside {own['category']}"
        do = f"consult {state}; unless you agree otherwise, keep the other back until that ends"
    goes_first = "neither takes precedence" if first is None else f"{first} takes precedence"
    return Remark("category", RULE, f"{said}; {goes_first}: {do} ({conflict.source})")


_UNSEEN = Remark(
    "category",
    RULE,
    "there is an alert on the same subject, which you may not see, that can't stand beside this one; "
    "ask the platform's operator to consult its issuer for you",
)
