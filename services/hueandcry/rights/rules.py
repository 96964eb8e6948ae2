"""The rules, in the order in which they are asked. Default deny: an alert goes to an agency only where all let it.

 1 markings.known   every marking is one that we know
 2 issuer.self      the issuer does not get its own alert back
 3 excluded         the originator has not excluded the agency, its state, its region or a coalition of it
 4 releasable_to    where it is not empty, it names one of those
 5 circulation      the alert circulates where the agency acts
 6 clearance        the agency is cleared for the classification
 7 need_to_know     the agency needs to know of this kind of alert
 8 tlp              what the TLP marking asks holds
 9 handling         what the handling code asks holds

docs/rights.md explains them with examples. A rule takes the agency's standing and the routing head and answers yes or
no; its words are made only where somebody asks. They name markings and codes, never anything else out of an alert.
Rules after the first rely on it: they are asked only of a head whose markings are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_args

from hueandcry.rights.network import CLEARANCE_LEVEL, FieldRight, Kind, Status
from hueandcry.rights.standing import Standing

Head = Mapping[str, Any]

#: The values of each marking that we know; a test holds them against the enums in avro/.
MARKINGS: dict[str, frozenset[str]] = {
    "kind": frozenset(get_args(Kind)),
    "status": frozenset(get_args(Status)),
    "classification": frozenset(CLEARANCE_LEVEL),
    "handling_code": frozenset({"H0", "H1", "H2", "H3"}),
    "tlp": frozenset({"clear", "green", "amber", "amber_strict", "red"}),
    "category": frozenset(
        {
            "arrest",
            "refusal_of_entry",
            "protection",
            "whereabouts",
            "discreet_check",
            "inquiry_check",
            "specific_check",
            "seizure",
            "evidence",
            "identification",
            "detect",
            "block",
        }
    ),
    "message_type": frozenset({"issue", "update", "extend", "withdraw", "expire"}),
}
#: The markings that are lists.
LISTS = ("circulation", "releasable_to", "excluded", "rights")
RIGHTS: frozenset[str] = frozenset(get_args(FieldRight))

_RESTRICTED = CLEARANCE_LEVEL["restricted"]
_MARKINGS = tuple(MARKINGS.items())


class Rule(NamedTuple):
    """One rule.

    Attributes:
        name: as in receipts, metrics and `hueandcry why`.
        passes: whether it lets the alert through.
        says: why, in words; the last argument is what `passes` answered.
    """

    name: str
    passes: Callable[[Standing, Head], bool]
    says: Callable[[Standing, Head, bool], str]


def unknown_markings(head: Head) -> list[str]:
    """Names of the markings whose value is missing or not one that we know."""
    unknown = [name for name, known in MARKINGS.items() if not _is_one_of(head.get(name), known)]
    unknown += [name for name in LISTS if not isinstance(head.get(name), list | tuple)]
    if "rights" not in unknown and not RIGHTS.issuperset(head["rights"]):
        unknown.append("rights")
    if not isinstance(head.get("issuer"), str):
        unknown.append("issuer")
    return unknown


def _is_one_of(value: object, known: frozenset[str]) -> bool:
    return isinstance(value, str) and value in known


def _markings_known(standing: Standing, head: Head) -> bool:
    try:
        for name, known in _MARKINGS:
            if head[name] not in known:
                return False
        for name in LISTS:
            if type(head[name]) is not list:
                return not unknown_markings(head)
        return type(head["issuer"]) is str and (not head["rights"] or RIGHTS.issuperset(head["rights"]))
    except (KeyError, TypeError):
        return False


def _says_markings_known(standing: Standing, head: Head, passed: bool) -> str:
    if passed:
        return "every marking is known"
    return f"missing or not known here: {', '.join(unknown_markings(head))}"


def _issuer_self(standing: Standing, head: Head) -> bool:
    return head["issuer"] != standing.id


def _says_issuer_self(standing: Standing, head: Head, passed: bool) -> str:
    return "the agency is not the issuer" if passed else "the agency is the issuer, and has its receipts"


def _excluded(standing: Standing, head: Head) -> bool:
    excluded = head["excluded"]
    return not excluded or not standing.is_excluded_by(excluded)


def _says_excluded(standing: Standing, head: Head, passed: bool) -> str:
    if not head["excluded"]:
        return "excluded is empty"
    if passed:
        return "excluded names neither the agency, its state, its region nor a coalition of it"
    return f"excluded names {_roles(standing, head['excluded']) or 'it in another spelling'}"


def _releasable_to(standing: Standing, head: Head) -> bool:
    names = head["releasable_to"]
    return not names or not standing.releases.isdisjoint(names)


def _says_releasable_to(standing: Standing, head: Head, passed: bool) -> str:
    names = head["releasable_to"]
    if not names:
        return "releasable_to is empty: the originator has not limited release"
    if passed:
        return f"releasable_to names {_roles(standing, standing.releases.intersection(names))}"
    return "releasable_to names neither the agency, its state, its region nor a coalition of it"


def _circulation(standing: Standing, head: Head) -> bool:
    return not standing.reach.isdisjoint(head["circulation"])


def _says_circulation(standing: Standing, head: Head, passed: bool) -> str:
    places = ", ".join(standing.agency.jurisdictions)
    if passed:
        met = ", ".join(sorted(standing.reach.intersection(head["circulation"])))
        return f"circulation {met} meets its jurisdictions ({places})"
    return f"circulation meets none of its jurisdictions ({places})"


def _clearance(standing: Standing, head: Head) -> bool:
    return standing.level >= CLEARANCE_LEVEL[head["classification"]]


def _says_clearance(standing: Standing, head: Head, passed: bool) -> str:
    verb = "covers" if passed else "is below"
    return f"clearance {standing.agency.clearance} {verb} classification {head['classification']}"


def _need_to_know(standing: Standing, head: Head) -> bool:
    return head["kind"] in standing.kinds


def _says_need_to_know(standing: Standing, head: Head, passed: bool) -> str:
    return f"the agency {'needs' if passed else 'has no need'} to know of kind {head['kind']}"


def _tlp(standing: Standing, head: Head) -> bool:
    tlp = head["tlp"]
    if tlp == "green" or tlp == "clear":
        return True
    if tlp == "amber":
        return standing.level >= _RESTRICTED
    if tlp == "amber_strict":
        return not standing.by_id_or_state.isdisjoint(head["releasable_to"])
    if tlp == "red":
        return not standing.by_id.isdisjoint(head["releasable_to"])
    return False


_TLP_ASKS = {
    "clear": "nothing more",
    "green": "nothing more within the network",
    "amber": "clearance restricted or higher",
    "amber_strict": "that releasable_to names the agency by id, or its state",
    "red": "that releasable_to names the agency by id",
}


def _says_tlp(standing: Standing, head: Head, passed: bool) -> str:
    return _asks(f"tlp {head['tlp']}", _TLP_ASKS[head["tlp"]], passed)


def _handling(standing: Standing, head: Head) -> bool:
    code = head["handling_code"]
    if code == "H0" or code == "H1":
        return True
    if code == "H2":
        return not standing.releases.isdisjoint(head["releasable_to"])
    if code == "H3":
        return not standing.by_id.isdisjoint(head["releasable_to"])
    return False


_HANDLING_ASKS = {
    "H0": "nothing more",
    "H1": "nothing more",
    "H2": "that releasable_to names the agency, its state, its region or a coalition of it",
    "H3": "that releasable_to names the agency by id",
}


def _says_handling(standing: Standing, head: Head, passed: bool) -> str:
    code = head["handling_code"]
    return _asks(f"handling_code {code}", _HANDLING_ASKS[code], passed)


def _asks(marking: str, what: str, passed: bool) -> str:
    if what.startswith("nothing"):
        return f"{marking} asks {what}"
    return f"{marking} asks {what}; {'it holds' if passed else 'it does not hold'}"


def _roles(standing: Standing, names: Any) -> str:
    """Which of the agency's names are among these, in words."""
    agency = standing.agency
    roles = [("the agency", agency.id), ("its state", agency.state), ("its region", agency.region)]
    roles += [("its coalition", name) for name in sorted(set(agency.coalitions))]
    roles.append(("everybody:", "world"))
    return ", ".join(f"{role} {name}" for role, name in roles if name in names)


RULES: tuple[Rule, ...] = (
    Rule("markings.known", _markings_known, _says_markings_known),
    Rule("issuer.self", _issuer_self, _says_issuer_self),
    Rule("excluded", _excluded, _says_excluded),
    Rule("releasable_to", _releasable_to, _says_releasable_to),
    Rule("circulation", _circulation, _says_circulation),
    Rule("clearance", _clearance, _says_clearance),
    Rule("need_to_know", _need_to_know, _says_need_to_know),
    Rule("tlp", _tlp, _says_tlp),
    Rule("handling", _handling, _says_handling),
)


def refusing(standing: Standing, head: Head) -> Rule | None:
    """The first rule that refuses; None where all let the alert through."""
    for rule in RULES:
        if not rule.passes(standing, head):
            return rule
    return None
