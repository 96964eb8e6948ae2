"""Who is in a cluster: alerts leave and join it, and others stand in for those that leave.

Rules:
1. A cluster never joins what contradicts itself: a plate that two different cars have borne is two things.
2. An alert of which its issuer says that it is another subject than an active one of the same identity stands apart
   from their cluster for as long as both last, whichever came first: it is registered and sent by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from hueandcry.alerts.ids import cluster_id
from hueandcry.distribute import clusters, conflicts
from hueandcry.distribute.clusters import Slot
from hueandcry.distribute.conflicts import MaySee
from hueandcry.distribute.decision import Decision, Routes, Send
from hueandcry.distribute.entries import Entry, Register
from hueandcry.distribute.links import Judge, Links


class Membership:
    """Membership in the clusters of one partition.

    Args:
        register: the partition's register, as one message may change it.
        routes: rights and subscriptions as they are now.
        may_see: whether an agency may know of an alert.
        links: told of alerts whose standing changes.
        now_ms: epoch milliseconds.
    """

    def __init__(
        self, register: Register, routes: Routes, may_see: MaySee, judge: Judge, links: Links, now_ms: int
    ) -> None:
        self._register = register
        self._routes = routes
        self._may_see = may_see
        self._contradict = judge.contradict
        self._links = links
        self._now_ms = now_ms

    def stands_for(self, cluster: Entry, agency: str) -> str | None:
        """Of a cluster the alert that opened it, else one that stands for others, which the agency may see."""
        others = (stance["alert_id"] for stance in cluster["stances"].values())
        for alert_id in dict.fromkeys((cluster["cluster_id"], *others)):
            entry = self._register.alert(alert_id)
            if entry is not None and entry["state"] == "active" and self._may_see(agency, entry["head"]):
                return alert_id
        return None

    def is_another_thing(self, entry: Entry, cluster: Entry) -> bool:
        """Whether an alert that would join a cluster speaks of another thing: plates, for one, are issued again."""
        alert_id = entry["head"]["alert_id"]
        members = [cluster["only"]] if cluster["only"] else self._register.members(entry["identity_key"])
        for member in members:
            if member != alert_id:
                other = self._register.alert(member)
                return other is not None and self._contradict(entry, other)
        return False

    # -- clusters -------------------------------------------------------------------------------------------------

    def leave(self, known: Entry, decision: Decision) -> None:
        """Take an alert out of its cluster and let others stand in for it."""
        if not known["strong"]:
            return
        identity, alert_id = known["identity_key"], known["head"]["alert_id"]
        slots = [(sent["agency"], known["head"]["category"]) for sent in known["sent"]]
        freed = clusters.free(self._register, identity, self._register.cluster(identity), alert_id, slots)
        if clusters.leave(self._register, identity, alert_id) is not None:
            conflicts.leave(self._register, identity, known)
            self.promote(identity, freed, decision)

    def promote(self, identity: bytes, freed: list[Slot], decision: Decision) -> None:
        """Send each freed slot's agency another member of the cluster that it may see."""
        waiting = set(freed)
        if not waiting:
            return
        for alert_id in list(self._register.members(identity)):
            entry = self._register.alert(alert_id)
            if entry is None or entry["state"] != "active":
                continue
            category = entry["head"]["category"]
            has = {sent["agency"] for sent in entry["sent"]}
            wanted = {agency for agency, asked in waiting if asked == category}
            if held := [(agency, category) for agency in sorted(wanted & has)]:
                clusters.take(self._register, identity, self._register.cluster(identity), alert_id, held)
                waiting -= set(held)
            wanted -= has
            if not wanted:
                continue
            grants = [grant for grant in self._routes(entry["head"]) if grant.agency in wanted]
            if not grants:
                continue
            version = entry["head"]["version"]
            entry["sent"] = sorted(
                [*entry["sent"], *({"agency": grant.agency, "version": version} for grant in grants)],
                key=lambda sent: sent["agency"],
            )
            self._register.put_alert(entry)
            linked = self.linked(alert_id)
            decision.sends += [
                Send(grant.agency, "issued", entry, grant, tuple(self.seen(grant.agency, linked))) for grant in grants
            ]
            slots = [(grant.agency, category) for grant in grants]
            clusters.take(self._register, identity, self._register.cluster(identity), alert_id, slots)
            waiting -= set(slots)
            if not waiting:
                return

    # -- what is said to be another subject ------------------------------------------------------------------------

    def is_said_distinct(self, entry: Entry) -> bool:
        """Whether an alert's issuer says that it is another subject than an active alert of the same identity."""
        others = (self._register.alert(other) for other in entry["distinct"])
        return any(_is_active_on(entry["identity_key"], other) for other in others)

    def set_apart(self, entry: Entry, decision: Decision) -> None:
        """Those that are said to be another subject than this alert leave the cluster that it comes into."""
        for alert_id in self._register.distinct_from(entry["head"]["alert_id"]):
            other = self._register.alert(alert_id)
            if other is None or not other["strong"] or not _is_active_on(entry["identity_key"], other):
                continue
            self.leave(other, decision)
            before, has = dict(other), {sent["agency"] for sent in other["sent"]}
            grants = [grant for grant in self._routes(other["head"]) if grant.agency not in has]
            new = [{"agency": grant.agency, "version": other["head"]["version"]} for grant in grants]
            other |= {"strong": False, "apart": True, "cluster_id": cluster_id(entry["identity_key"], alert_id)}
            other["sent"] = sorted([*other["sent"], *new], key=lambda sent: sent["agency"])
            self._register.put_alert(other)
            decision.sends += [Send(grant.agency, "issued", other, grant) for grant in grants]
            self._links.published(other, before)

    def rejoin(self, gone: Entry, decision: Decision) -> None:
        """Those that stood apart from the cluster because of an alert that has left it join it again."""
        identity = gone["identity_key"]
        for alert_id in self._register.distinct_from(gone["head"]["alert_id"]):
            other, cluster = self._register.alert(alert_id), self._register.cluster(identity)
            if other is None or not other["apart"] or not _is_active_on(identity, other):
                continue
            if self.is_said_distinct(other) or (cluster is not None and self.is_another_thing(other, cluster)):
                continue
            before = dict(other)
            joined = clusters.join(self._register, identity, cluster, alert_id, self._now_ms)
            other |= {"strong": True, "apart": False, "cluster_id": cluster_id(identity)}
            self._register.put_alert(other)
            conflicts.enter(self._register, identity, cluster, joined, other, None)
            held, category = self._register.holders(identity), other["head"]["category"]
            slots = [(sent["agency"], category) for sent in other["sent"]]
            free = [slot for slot in slots if clusters.slot_key(*slot) not in held]
            clusters.take(self._register, identity, joined, alert_id, free)
            self._links.published(other, before)

    # -- links ----------------------------------------------------------------------------------------------------

    def linked(self, alert_id: str) -> list[Entry]:
        """Heads of the alerts that an alert is linked with."""
        return [link["head"] for link in self._register.links(alert_id)]

    def seen(self, agency: str, heads: Sequence[Entry]) -> list[str]:
        return [head["alert_id"] for head in heads if self._may_see(agency, head)]


def _is_active_on(identity: bytes, entry: Entry | None) -> bool:
    return entry is not None and entry["state"] == "active" and entry["identity_key"] == identity
