"""Clusters: alerts of several issuers on one thing, none of them lost in another.

Rules:
1. An alert with a strong identity joins the cluster of that identity; no alert is ever changed by joining.
2. Within a cluster an agency is sent one alert of each category. That alert represents the others to it.
3. When that alert ends, or the agency loses it, another member of the same category that it may see takes its place.
4. Cost is linear: joining a cluster does not depend on how many members it has (only ending a representative does).
"""

from __future__ import annotations

from collections.abc import Iterable

from hueandcry.distribute.entries import Entry, Register

Slot = tuple[str, str]
"""An agency and a category."""


def slot_key(agency: str, category: str) -> str:
    """Key of a slot among the holders; neither part holds a slash."""
    return f"{agency}/{category}"


def holders_of(register: Register, identity: bytes, cluster: Entry | None) -> dict[str, str]:
    """Alert id by `agency/category`, for the cluster as it stands."""
    if cluster is None:
        return {}
    if cluster["only"] is None:
        return register.holders(identity)
    entry = register.alert(cluster["only"])
    if entry is None:
        return {}
    return {slot_key(sent["agency"], entry["head"]["category"]): cluster["only"] for sent in entry["sent"]}


def held_by_agency(holders: dict[str, str], without: str) -> dict[str, list[str]]:
    """By agency, the alerts of the cluster that it holds, but for the alert `without`."""
    held: dict[str, list[str]] = {}
    for slot, alert_id in holders.items():
        if alert_id != without:
            held.setdefault(slot.partition("/")[0], []).append(alert_id)
    return {agency: sorted(set(ids)) for agency, ids in held.items()}


def join(register: Register, identity: bytes, cluster: Entry | None, alert_id: str, now_ms: int) -> Entry:
    """The cluster with one more member; `alert_id` opens it where there is none."""
    if cluster is None:
        cluster = {"cluster_id": alert_id, "members": 1, "only": alert_id, "opened_at": now_ms, "stances": {}}
    else:
        first = cluster["only"]
        if first is not None:
            register.put_holders(identity, holders_of(register, identity, cluster))
            register.add_member(identity, first)
        register.add_member(identity, alert_id)
        cluster = {**cluster, "members": cluster["members"] + 1, "only": None}
    register.put_cluster(identity, cluster)
    return cluster


def leave(register: Register, identity: bytes, alert_id: str) -> Entry | None:
    """The cluster without that member; None where it was the last."""
    cluster = register.cluster(identity)
    if cluster is None:
        return None
    if cluster["only"] is None:
        register.drop_member(identity, alert_id)
    if cluster["members"] <= 1:
        register.drop_cluster(identity)
        return None
    cluster = {**cluster, "members": cluster["members"] - 1}
    register.put_cluster(identity, cluster)
    return cluster


def take(register: Register, identity: bytes, cluster: Entry | None, alert_id: str, slots: Iterable[Slot]) -> None:
    """Make `alert_id` the alert that represents the cluster in these slots."""
    slots = list(slots)
    if cluster is None or cluster["only"] is not None or not slots:
        return
    holders = register.holders(identity)
    holders.update({slot_key(*slot): alert_id for slot in slots})
    register.put_holders(identity, holders)


def free(
    register: Register, identity: bytes, cluster: Entry | None, alert_id: str, slots: Iterable[Slot]
) -> list[Slot]:
    """Take `alert_id` out of these slots; the slots in which it stood."""
    if cluster is None or cluster["only"] is not None:
        return []
    holders = register.holders(identity)
    freed = [slot for slot in slots if holders.get(slot_key(*slot)) == alert_id]
    if freed:
        for slot in freed:
            del holders[slot_key(*slot)]
        register.put_holders(identity, holders)
    return freed
