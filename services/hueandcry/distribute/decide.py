"""What becomes of one admitted message: the decisions of distribute, without Kafka.

Rules:
1. Versions of an alert only go up. The same version with the same content is a repeat; with other content it is
   refused, as is a lower one, and any change of an alert that has ended.
2. Whoever has been sent an alert hears of each later version, of its end, and of the loss of the right to it.
3. Rights are asked anew for every version (`routes`), and only they decide who gets it; a cluster only spares repeats.
4. A cluster never joins what contradicts itself: a plate that two different cars have borne is two things.
5. An update may change the identity. The alert then lives in another partition, and the old one hands over who had it.
6. An alert ends by itself at its time, which an update never makes later: only an extension does. What its issuer had
   sent before that time, and comes to be read after it, still counts: the alert then lives again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hueandcry.alerts.ids import cluster_id
from hueandcry.alerts.remarks import Remark
from hueandcry.distribute import clusters, conflicts, reported, schedule
from hueandcry.distribute.clusters import Slot
from hueandcry.distribute.conflicts import MaySee
from hueandcry.distribute.decision import Decision, Routes, Send
from hueandcry.distribute.entries import Entry, Register
from hueandcry.distribute.links import KINDS, Judge, Links
from hueandcry.distribute.mail import Claim, claim
from hueandcry.distribute.membership import Membership
from hueandcry.distribute.schedule import Due

ENDS = {"withdraw": "withdrawn", "expire": "expired"}
"""By message type, the state that it leads to; the action of its deliveries is called the same."""


class Decider:
    """Decides on the messages of one partition.

    Args:
        register: the partition's register, as one message may change it.
        routes: rights and subscriptions as they are now.
        may_see: whether an agency may know of an alert.
        judge: what speaks for and against two alerts being about one thing.
        partition: number of the partition.
        now_ms: epoch milliseconds.
    """

    def __init__(
        self, register: Register, routes: Routes, may_see: MaySee, judge: Judge, partition: int, now_ms: int
    ) -> None:
        self._register = register
        self._routes = routes
        self._links = Links(register, judge, partition, now_ms)
        self._clusters = Membership(register, routes, may_see, judge, self._links, now_ms)
        self._partition = partition
        self._now_ms = now_ms

    # -- messages of issuers --------------------------------------------------------------------------------------

    def admitted(self, message: Entry, proof: dict[str, bytes]) -> Decision:
        """Decide on a hueandcry.Admitted record; `proof` holds its signature headers."""
        head = message["head"]
        known = self._register.alert(head["alert_id"])
        refusal = self._out_of_turn(message, known)
        if refusal is not None:
            if refusal.rule == "version.repeated":
                return Decision(outcome="merged", merged_into=head["alert_id"], remarks=[refusal])
            return Decision(outcome="refused", remarks=[refusal])
        decision = Decision()
        if known is not None and known["state"] != "active":
            # It ended by the clock, and has left its cluster.
            known = {**known, "strong": False}
        if known is None and head["version"] > 1:
            # Either its identity has changed and another partition has it, or it has never been seen.
            self._register.drop_moved(head["alert_id"])
            moved = claim("moved", head["alert_id"], head["version"], self._partition)
            decision.claims.append(Claim(None, moved))
        entry = self._entry(message, proof, known)
        if head["message_type"] in ENDS:
            self._end(entry, known, decision)
        else:
            self._publish(entry, known, decision)
        if decision.outcome != "merged" and decision.sends:
            decision.outcome = "delivered"
        return self._with_links(decision)

    def _with_links(self, decision: Decision) -> Decision:
        decision.claims += self._links.claims
        decision.linked += self._links.found
        return decision

    def _out_of_turn(self, message: Entry, known: Entry | None) -> Remark | None:
        head = message["head"]
        if known is None:
            if self._register.has_ended(head["alert_id"]):
                return _ENDED
            moved = self._register.moved(head["alert_id"])
            if moved is not None and moved[0] >= head["version"]:
                return _SUPERSEDED
            return None
        last = known["head"]["version"]
        if head["version"] == last:
            return _REPEATED if message["digest"] == known["digest"] else _CONFLICT
        if head["version"] < last:
            return _SUPERSEDED
        return _ENDED if known["state"] != "active" and not _lives_again(message, known) else None

    def _entry(self, message: Entry, proof: dict[str, bytes], known: Entry | None) -> Entry:
        head = message["head"]
        ends = head["message_type"] in ENDS
        state = ENDS[head["message_type"]] if ends else "active"
        latest_end = head["expires_at"]
        if known is not None:
            head = _not_prolonged(head, known["head"]["expires_at"])
            latest_end = max(latest_end, _latest_end(known))
        return {
            "head": head,
            "state": state,
            "cluster_id": cluster_id(message["identity_key"], head["alert_id"]),
            "identity_key": message["identity_key"],
            "strong": message["strong"],
            "digest": message["digest"],
            "source": message["source"],
            "first_source": known["first_source"] if known else message["source"],
            "registered_at": known["registered_at"] if known else self._now_ms,
            "enrichment": message["enrichment"],
            "sent": list(known["sent"]) if known else [],
            "proof": proof,
            "schema_id": message["schema_id"],
            "body": message["body"],
            "claims": message["claims"],
            "proposals": message["proposals"],
            "distinct": message["distinct"],
            "apart": False,
            "ended_at": self._now_ms if ends else None,
            "latest_end": latest_end,
            "flags": list(known["flags"]) if known else [],
        }

    def _publish(self, entry: Entry, known: Entry | None, decision: Decision) -> None:
        """Issue, update or extend: the alert is active."""
        head = entry["head"]
        schedule.change(self._register.state, known, entry)
        alert_id, category, identity = head["alert_id"], head["category"], entry["identity_key"]
        was = known if known is not None and known["state"] == "active" else None
        self._register.note_distinct(alert_id, was["distinct"] if was else (), entry["distinct"])
        if entry["strong"] and self._clusters.is_said_distinct(entry):
            entry["strong"], entry["apart"] = False, True
        if known is not None and (known["identity_key"] != identity or not entry["strong"]):
            self._clusters.leave(known, decision)
            known = {**known, "strong": False}
        self._clusters.set_apart(entry, decision)
        cluster = self._register.cluster(identity) if entry["strong"] else None
        if cluster is not None and self._clusters.is_another_thing(entry, cluster):
            entry["strong"], entry["apart"], cluster = False, True, None
            if known is not None:
                self._clusters.leave(known, decision)
                known = {**known, "strong": False}
        others = clusters.holders_of(self._register, identity, cluster)
        held = clusters.held_by_agency(others, alert_id)
        linked = self._clusters.linked(alert_id) if was is not None else []
        granted = {grant.agency: grant for grant in self._routes(head)}
        had = {sent["agency"] for sent in entry["sent"]}
        recalled = sorted(had - granted.keys())
        holders_now: list[str] = []
        for agency, grant in granted.items():
            if agency in had:
                action = "updated"
            elif others.get(clusters.slot_key(agency, category), alert_id) == alert_id:
                action = "issued" if head["version"] == 1 or known is not None else "updated"
            else:
                continue
            holders_now.append(agency)
            related = (*held.get(agency, ()), *self._clusters.seen(agency, linked))
            decision.sends.append(Send(agency, action, entry, grant, related))
        decision.sends += [Send(agency, "recalled", entry, None) for agency in recalled]
        entry["sent"] = [{"agency": agency, "version": head["version"]} for agency in holders_now]
        if not entry["strong"]:
            self._register.put_alert(entry)
            self._published(entry, was, decision)
            return
        joined, before = known is None or not known["strong"], cluster
        if joined:
            if cluster is not None:
                decision.merged_into = self._clusters.stands_for(cluster, head["issuer"])
                # Who may see none of the others is not told that there are any.
                decision.outcome = "nobody_entitled" if decision.merged_into is None else "merged"
            cluster = clusters.join(self._register, identity, cluster, alert_id, self._now_ms)
        assert cluster is not None  # noqa: S101 - an active alert with a strong identity is in its cluster
        entry["cluster_id"] = cluster_id(identity)
        self._register.put_alert(entry)
        stood = None if joined else known
        cluster, decision.met = conflicts.enter(self._register, identity, before, cluster, entry, stood)
        freed: list[Slot] = []
        if known is not None and known["strong"]:
            old = known["head"]["category"]
            lost = had if old != category else set(recalled)
            freed = clusters.free(self._register, identity, cluster, alert_id, [(agency, old) for agency in lost])
        clusters.take(self._register, identity, cluster, alert_id, [(agency, category) for agency in holders_now])
        self._clusters.promote(identity, freed, decision)
        self._published(entry, was, decision)

    def _published(self, entry: Entry, known: Entry | None, decision: Decision) -> None:
        """After an active alert has been registered; `known` is how it was, where it was active here."""
        if known is not None and known["identity_key"] != entry["identity_key"]:
            self._clusters.rejoin(known, decision)
        self._links.published(entry, known)

    def _end(self, entry: Entry, known: Entry | None, decision: Decision) -> None:
        """Withdraw or expire: whoever holds the alert is told."""
        self._tell_end(entry, [sent["agency"] for sent in entry["sent"]], entry["state"], decision)
        if known is not None:
            entry["cluster_id"] = known["cluster_id"]
        schedule.change(self._register.state, known, entry)
        self._register.put_alert(entry)
        if known is not None:
            self._clusters.leave(known, decision)
            if known["state"] == "active":
                self._parts(known, decision)

    def _tell_end(self, entry: Entry, agencies: Sequence[str], action: str, decision: Decision) -> None:
        # The end is told to all who hold it; its content only to those who may still see it.
        granted = {grant.agency: grant for grant in self._routes(entry["head"])}
        decision.sends += [Send(agency, action, entry, granted.get(agency)) for agency in agencies]

    def _parts(self, known: Entry, decision: Decision) -> None:
        """An alert is no longer active here: its links go, and who stood apart because of it comes back."""
        self._register.note_distinct(known["head"]["alert_id"], known["distinct"], ())
        self._links.gone(known)
        self._clusters.rejoin(known, decision)

    # -- time ----------------------------------------------------------------------------------------------------

    def due(self, due: Due) -> Decision:
        """Do what is due for an alert; its outcome says nothing, for no message had it."""
        decision = Decision()
        known = self._register.alert(due.alert_id)
        schedule.done(self._register.state, due)
        if due.what == "unmark":
            self._register.drop_mark(due.alert_id)
            return decision
        if due.what == "moved":
            until = self._register.moved_until(due.alert_id)
            if until is not None and until <= due.at_ms:
                self._register.drop_moved(due.alert_id)
            return decision
        if known is None:
            return decision
        if all(due.what != each.what or due.at_ms < each.at_ms for each in schedule.times(known)):
            # It was put off, and has been set to another time or given up since.
            return decision
        if due.what == "review":
            decision.remarks.append(_REVIEW)
        elif due.what == "expire":
            entry = {**known, "state": "expired", "ended_at": known["head"]["expires_at"]}
            decision.remarks.append(_EXPIRED)
            self._end(entry, known, decision)
        else:
            self._register.drop_alert(due.alert_id)
            self._register.mark_ended(due.alert_id)
            marked_until = max(_latest_end(known), due.at_ms + schedule.MARKED_MS)
            schedule.set_due(self._register.state, Due(marked_until, "unmark", due.alert_id))
        return self._with_links(decision)

    # -- messages of other partitions -----------------------------------------------------------------------------

    def claim(self, record: dict[str, Any]) -> Decision:
        """Act on a hueandcry.Claim of another partition."""
        decision = Decision()
        if record["type"] in KINDS:
            self._links.claim(record)
            return self._with_links(decision)
        known = self._register.alert(record["alert_id"])
        if record["type"] == "moved":
            self._moved(record, known, decision)
        elif record["type"] == "handover":
            self._handover(record, known, decision)
        return self._with_links(decision)

    def _moved(self, record: dict[str, Any], known: Entry | None, decision: Decision) -> None:
        alert_id, version, home = record["alert_id"], record["version"], record["home"]
        if known is None:
            if self._register.has_ended(alert_id):
                ended = claim("handover", alert_id, version, home, state="expired")
                decision.claims.append(Claim(home, ended))
                return
            before = self._register.moved(alert_id)
            if before is None or before[0] < version:
                self._has_moved(alert_id, version, home, self._register.moved_until(alert_id) or 0)
            return
        last = known["head"]["version"]
        if last >= version:
            # The other partition has an older version: it shall hand over to this one.
            decision.claims.append(Claim(home, claim("moved", alert_id, last, self._partition)))
            if known["state"] == "active":
                # It may have entered itself under the same keys, in place of this one.
                self._links.hold(known)
            return
        schedule.change(self._register.state, known, None)
        self._register.drop_alert(alert_id)
        self._has_moved(alert_id, version, home, _latest_end(known))
        if known["state"] == "active":
            self._clusters.leave(known, decision)
            self._parts(known, decision)
        handover = claim("handover", alert_id, last, home, sent=known["sent"], state=known["state"])
        handover["expires_at"] = known["head"]["expires_at"]
        decision.claims.append(Claim(home, handover))
        for part in reported.hand_over(self._register.state, known):
            decision.claims.append(Claim(home, claim("reports", alert_id, last, home, reports=part)))

    def _has_moved(self, alert_id: str, version: int, home: int, latest_end: int) -> None:
        """Note where an alert lives now, for as long as one of its old versions may come here.

        Those that had come could be sent again until the end that they name, after which admit refuses them; one that
        was never read lies in the topics no longer than KEPT_MS.
        """
        until = max(latest_end, self._now_ms + schedule.KEPT_MS)
        self._register.put_moved(alert_id, version, home, until)
        schedule.set_due(self._register.state, Due(until, "moved", alert_id))

    def _handover(self, record: dict[str, Any], known: Entry | None, decision: Decision) -> None:
        if known is None:
            moved = self._register.moved(record["alert_id"])
            if moved is not None and moved[1] != self._partition:
                decision.claims.append(Claim(moved[1], record))
            return
        have = {sent["agency"] for sent in known["sent"]}
        behind = [sent["agency"] for sent in record["sent"] if sent["agency"] not in have]
        if known["state"] != "active":
            self._tell_end(known, behind, known["state"], decision)
            return
        if record["state"] != "active":
            self._end_after_all(record, known, behind, decision)
            return
        if record["expires_at"] is not None and known["source"] == known["first_source"]:
            before = dict(known)
            known["head"] = _not_prolonged(known["head"], record["expires_at"])
            schedule.change(self._register.state, before, known)
        head = known["head"]
        granted = {grant.agency: grant for grant in self._routes(head)}
        entitled = [agency for agency in behind if agency in granted]
        decision.sends += [Send(agency, "updated", known, granted[agency]) for agency in entitled]
        decision.sends += [Send(agency, "recalled", known, None) for agency in behind if agency not in granted]
        known["sent"] = sorted(
            [*known["sent"], *({"agency": agency, "version": head["version"]} for agency in entitled)],
            key=lambda sent: sent["agency"],
        )
        self._register.put_alert(known)
        if known["strong"]:
            identity = known["identity_key"]
            slots = [(agency, head["category"]) for agency in entitled]
            clusters.take(self._register, identity, self._register.cluster(identity), head["alert_id"], slots)

    def _end_after_all(self, record: dict[str, Any], known: Entry, behind: list[str], decision: Decision) -> None:
        """An alert was taken for active here whose end another partition has registered."""
        known["sent"] = [*known["sent"], *({"agency": agency, "version": record["version"]} for agency in behind)]
        entry = {**known, "state": record["state"], "ended_at": self._now_ms}
        decision.remarks.append(_ENDED)
        self._end(entry, known, decision)


def _lives_again(message: Entry, known: Entry) -> bool:
    """Whether an alert that the clock has ended goes on, because its issuer had sent this before the end."""
    by_clock = known["state"] == "expired" and known["head"]["message_type"] != "expire"
    # An update would end at once: it prolongs nothing.
    changes_end = message["head"]["message_type"] in ("extend", *ENDS)
    return by_clock and changes_end and message["received_at"] < known["head"]["expires_at"]


def _latest_end(known: Entry) -> int:
    """The latest end of any version; entries of before this was kept have only that of the last."""
    return known["head"]["expires_at"] if known["latest_end"] is None else known["latest_end"]


def _not_prolonged(head: Entry, end: int) -> Entry:
    """The head of a version with its end no later than the end before, unless it extends the alert."""
    if head["message_type"] != "update" or head["expires_at"] <= end:
        return head
    review = head["review_due"]
    return {**head, "expires_at": end, "review_due": review if review is not None and review < end else None}


_REVIEW = Remark(
    "review_due", "alert.review_due", "review whether it is still needed; extend it, withdraw it, or let it end"
)
_EXPIRED = Remark("expires_at", "alert.expired", "its time is over; all who had it have been told")
_REPEATED = Remark("version", "version.repeated", "this very version is registered already; nothing was done")
_CONFLICT = Remark("version", "version.conflict", "this version is registered with other content; send the next")
_SUPERSEDED = Remark("version", "version.superseded", "a later version is registered; send a version above it")
_ENDED = Remark("message_type", "alert.ended", "the alert has been withdrawn or has expired; issue a new one")
