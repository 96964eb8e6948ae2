"""CAP 1.1 and 1.2 messages to alerts, those that are police alerts and name a vehicle or a person in parameters.

Rules:
1. CAP has no fields for vehicles and persons. What <parameter> names by the words of cap_words is read; free text goes
   to the remarks and is never searched for names and plates.
2. A message on weather or an earthquake is refused as no police alert, by name; so is one that only words describe.
3. A child or a missing person is to be protected, who is suspected is to be located, a vehicle is to be stopped and
   asked after, and seized where the event says that it is stolen.
4. Update and Cancel are later versions of the message that they refer to first.
5. A signature is checked where certificates are configured; one that they have not made refuses the message. What is
   read is then only what was signed.

Source: OASIS Common Alerting Protocol 1.1 and 1.2; SAME event codes by 47 CFR 11.31(e).
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from lxml import etree
from signxml.exceptions import InvalidInput, SignXMLException
from signxml.verifier import XMLVerifier

from hueandcry.adapters import cap_words as known
from hueandcry.adapters.leaves import Leaves
from hueandcry.adapters.names import parted
from hueandcry.adapters.sheet import Sheet
from hueandcry.adapters.times import moment
from hueandcry.adapters.xml_text import NotXml, children, local, namespace, parse, say, where

NAMESPACES = ("urn:oasis:names:tc:emergency:cap:1.1", "urn:oasis:names:tc:emergency:cap:1.2")
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"

_REQUIRED = ("identifier", "sender", "sent", "status", "msgType", "scope")
_REQUIRED_INFO = ("category", "event", "urgency", "severity", "certainty")
_VALUES = {
    "status": frozenset({"Actual", "Exercise", "System", "Test", "Draft"}),
    "msgType": frozenset({"Alert", "Update", "Cancel", "Ack", "Error"}),
    "scope": frozenset({"Public", "Restricted", "Private"}),
}
_STATUS = {"Actual": "actual", "Exercise": "exercise", "Test": "test"}
_TYPES = {"Alert": None, "Update": "update", "Cancel": "withdraw"}


def draw(data: bytes, sheet: Sheet) -> None:
    """Alerts of a message, or of all messages that an envelope (EDXL-DE, Atom) holds."""
    try:
        root = parse(data)
    except NotXml as error:
        sheet.refuse("", error.rule, error.message)
        return
    found = [each for each in root.iter() if local(each) == "alert" and namespace(each) in NAMESPACES]
    if not found:
        hint = " (namespace 1.1 or 1.2)" if local(root) == "alert" else ""
        sheet.refuse("", "cap.message", f"has no CAP message{hint}")
    for message in found:
        signed = _signed(message, sheet)
        if signed is not None:
            _Message(signed, sheet).draw()


def _signed(message: Any, sheet: Sheet) -> Any:
    """The message as far as its signature covers it; None where it is refused for it."""
    place, defaults = where(message), sheet.context.defaults
    signature = message.find(_SIGNATURE)
    if signature is None:
        if defaults.require_signature:
            sheet.refuse(place, "cap.signature", "is not signed, and require_signature is set")
            return None
        return message
    if not defaults.certificates:
        if defaults.require_signature:
            sheet.refuse(place, "cap.signature", "is signed, but no certificates are configured to check it by")
            return None
        sheet.lose(f"{place}/Signature", "Signature", "unknown", "not checked: no certificates are configured")
        message.remove(signature)
        return message
    alone = etree.fromstring(etree.tostring(message, with_tail=False))
    for certificate in defaults.certificates:
        try:
            verifier: Any = XMLVerifier()
            result = verifier.verify(alone, x509_cert=certificate)
        except (SignXMLException, InvalidInput, ValueError, TypeError, etree.Error):
            continue
        if local(result.signed_xml) == "alert":
            return result.signed_xml
    sheet.refuse(place, "cap.signature", "has a signature that none of the configured certificates has made")
    return None


class _Message:
    """One message as it is drawn."""

    def __init__(self, message: Any, sheet: Sheet) -> None:
        self.message = message
        self.sheet = sheet
        self.place = where(message)
        self.leaves = Leaves(message)

    def draw(self) -> None:
        problem = self._form()
        if problem:
            rule, text = problem
            self.sheet.refuse(self.place, rule, text)
            return
        for name in _REQUIRED:
            self.leaves.say(self.message, name)
        infos = list(children(self.message, "info"))
        named = known.read(infos, self.leaves)
        if not (named.vehicle or named.missing or named.suspect):
            self.sheet.refuse(self.place, *self._why_not(infos))
            return
        shared = self._envelope(infos)
        if shared is not None:
            self._alerts(named, infos, shared)
            self.leaves.lose_rest(self.sheet)

    def _form(self) -> tuple[str, str] | None:
        """What CAP asks of a message and this one lacks: rule and words."""
        for name in _REQUIRED:
            if not say(self.message, name):
                return "cap.form", f"lacks {name}, which CAP requires"
        for name, values in _VALUES.items():
            if say(self.message, name) not in values:
                return "cap.form", f"has a {name} that CAP does not know; write one of {', '.join(sorted(values))}"
        if moment(say(self.message, "sent")) is None:
            return "cap.form", "has a time sent that is none; write 2026-03-01T12:00:00-00:00"
        for name in ("identifier", "sender"):
            if any(char in say(self.message, name) for char in " ,<&"):
                return "cap.form", f"has a {name} with a blank, comma, < or &, which CAP forbids"
        for info in children(self.message, "info"):
            for name in _REQUIRED_INFO:
                if not say(info, name):
                    return "cap.form", f"lacks {name} in {where(info)}, which CAP requires"
        status, kind = say(self.message, "status"), say(self.message, "msgType")
        if status not in _STATUS:
            return "cap.status", f"has the status {status}, which is no alert"
        if kind not in _TYPES:
            return "cap.type", f"is an {kind}, which answers a message and is no alert"
        return None

    def _why_not(self, infos: list[Any]) -> tuple[str, str]:
        if not infos:
            return "cap.no_info", "has no info: it says nothing that could be looked for"
        categories = sorted(set(known.categories(infos)))
        events = sorted(known.event_codes(infos))
        if known.is_police(infos):
            return "cap.free_text", (
                "is a police alert, but names no vehicle or person in parameters; "
                "words alone are not searched for names"
            )
        codes = f", event code {', '.join(events)}" if events else ""
        named = ", ".join(each for each in categories if each.isalpha())
        return "cap.not_police", f"is no police alert: category {named}{codes}"

    def _envelope(self, infos: list[Any]) -> dict[str, Any] | None:
        """What all alerts of the message have in common."""
        scope = say(self.message, "scope")
        constants = self.sheet.context.defaults.constants
        if scope != "Public" and not constants.get("releasable_to"):
            message = "is not public; say in the constants, by releasable_to, who may have such messages"
            self.sheet.refuse(self.place, "cap.scope", message, "releasable_to")
            return None
        texts = [
            self.leaves.say(infos[0], name) for name in ("headline", "description", "instruction")
        ]  # fmt: skip
        event = self.leaves.say(infos[0], "event")
        areas = [self.leaves.say(area, "areaDesc") for area in children(infos[0], "area")]
        if len(infos) > 1:
            message = f"the words of one of {len(infos)} are carried, its languages are not told apart"
            self.sheet.lose(self.place, "info", "lossy", message)
        link = self.leaves.say(infos[0], "web")
        ends = [found for info in infos if (found := moment(self.leaves.say(info, "expires")))]
        begins = moment(self.leaves.say(infos[0], "onset")) or moment(self.leaves.say(infos[0], "effective"))
        source = self.leaves.say(infos[0], "senderName") or say(self.message, "sender")
        area = f"Area: {'; '.join(filter(None, areas))}" if any(areas) else ""
        return {
            "status": _STATUS[say(self.message, "status")],
            "message_type": _TYPES[say(self.message, "msgType")],
            "expires_at": max(ends) if ends else None,
            "effective_from": begins,
            "remarks": self.sheet.remarks(self.place, event, *texts, area),
            "links": [{"uri": link}] if link.startswith("https://") and link.isprintable() else None,
            "provenance": {"source": self.sheet.text(self.place, "senderName", source)},
        }

    def _alerts(self, named: known.Named, infos: list[Any], shared: dict[str, Any]) -> None:
        sender, identifier, sent = self._first()
        changed = sent if shared["message_type"] else None
        stolen = known.is_theft(infos)
        if named.vehicle:
            category = "seizure" if stolen else "inquiry_check"
            self._one("vehicle", "stolen_vehicle", category, named.vehicle, shared, sender, identifier, sent, changed)
        for part, about, category in (
            ("missing", named.missing, "protection"), ("suspect", named.suspect, "whereabouts"),
        ):  # fmt: skip
            if not about:
                continue
            name = about.pop("name", "")
            identity, certain = parted(name)
            if not certain and " " in name:
                self.sheet.lose(self.place, f"name ({part})", "lossy", "the last word is taken for the family name")
            subject = {"identities": [{"type": "unconfirmed", **identity}] if name else [], **about}
            self._one(part, "wanted_person", category, subject, shared, sender, identifier, sent, changed)

    def _one(
        self, part: str, kind: str, category: str, subject: dict[str, Any], shared: dict[str, Any], sender: str,
        identifier: str, sent: datetime | None, changed: datetime | None,
    ) -> None:  # fmt: skip
        if part == "suspect" or (part == "vehicle" and category == "seizure"):
            category = self.sheet.category(kind, category)
        fields = {
            **shared, "national_reference": reference(sender, identifier, part), "kind": kind, "category": category,
            "subject": subject,
        }  # fmt: skip
        self.sheet.draw(self.place, fields, at=sent, changed=changed)

    def _first(self) -> tuple[str, str, datetime | None]:
        """Sender and identifier of the first message of the case, and when this one was sent."""
        sent = moment(say(self.message, "sent"))
        own = (say(self.message, "sender"), say(self.message, "identifier"), sent)
        references = self.leaves.say(self.message, "references").split()
        if say(self.message, "msgType") == "Alert" or not references:
            return own
        parts = references[0].split(",")
        return (parts[0], parts[1], sent) if len(parts) == 3 else own


def reference(sender: str, identifier: str, part: str) -> str:
    """The national reference of an alert of a message; a hash where sender and identifier are too long for one."""
    whole = f"{sender},{identifier}"
    if len(whole) > 100:
        whole = f"CAP-{hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}"
    return f"{whole}/{part}"
