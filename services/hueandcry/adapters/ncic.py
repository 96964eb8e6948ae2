"""Text messages of NCIC's kind, as terminals and old systems print or mail them.

The form is ours, of NCIC's published field codes (NCIC Operating Manual): each field is its code, a slash and its
value, fields are parted by blanks, full stops or line ends, a message begins with MKE/, and lines like those of an
e-mail may stand before the first:

    MKE/EV.LIC/ABC1234.LIS/MD.LIY/2026.LIT/PC.VIN/1M8GDM9AXKP042788.VYR/1989.VMA/FORD.
    VCO/BLU.DOT/20260214.OCA/26-00117

Rules:
1. MKE says what it is: entry (E), modification (M), cancellation (X) or clearance (C) of a vehicle (V), its plate (L),
   a vehicle used in a felony (F), a wanted (W) or a missing person (M). A locate (L) is a report, not an alert.
2. The reference is the agency's own, OCA; only where there is none, NIC.
3. A code that is not known is told as a loss, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from hueandcry.adapters import ncic_codes as codes
from hueandcry.adapters.charsets import NotText, decode
from hueandcry.adapters.names import parted
from hueandcry.adapters.reading import LARGEST
from hueandcry.adapters.sheet import Sheet

_FIELDS = (  # noqa: SIM905 (a table)
    "MKE ORI LIC LIS LIY LIT VIN VYR VMA VMO VST VCO DOT ENG OCA NIC MIS NAM AKA SEX RAC POB DOB HGT WGT EYE HAI SKN "
    "SMT FPC MNU SOC OLN OLS OLY OFF DOW WNO CTI CTZ EXL CMC DTE DLU FBI PAS SID NOA VLD ETN ADD CTY"
).split()
_FIELD = re.compile(rf"(?<![A-Z0-9])({'|'.join(_FIELDS)})/")
_HEADER = re.compile(r"[A-Za-z][A-Za-z-]*:\s")
_KEY = re.compile(r"([EMXCL])([VLFWM])[A-Z]?(?:-?[PA])?")
_WORDS = (
    ("STOLEN VEHICLE", "EV"), ("STOLEN LICENSE PLATE", "EL"), ("STOLEN PLATE", "EL"), ("FELONY VEHICLE", "EF"),
    ("WANTED PERSON", "EW"), ("MISSING PERSON", "EM"),
)  # fmt: skip
_DOES = {"E": None, "M": "update", "X": "withdraw", "C": "withdraw"}
_CATEGORIES = {"V": "seizure", "L": "seizure", "F": "inquiry_check", "W": "arrest", "M": "protection"}
_PLATE_TYPES = {"PC": "ordinary", "TK": "commercial", "MC": "motorcycle", "TL": "trailer"}
_STYLES = {
    "2D": "car", "4D": "car", "CV": "car", "SW": "car", "HB": "car", "PK": "truck", "VN": "van", "BU": "bus",
    "MC": "motorcycle",
}  # fmt: skip


class _Message(NamedTuple):
    """One message: where it begins, and its fields in order."""

    line: int
    fields: list[tuple[str, str]]


def looks_like(text: str) -> bool:
    """Whether a text is one of these messages."""
    return re.search(r"(?<![A-Z0-9])MKE/", text[:65_536]) is not None


def draw(data: bytes, sheet: Sheet) -> None:
    """Alerts of the messages of one text."""
    if len(data) > LARGEST:
        sheet.refuse("", "size.limit", f"has {len(data):,} bytes; {LARGEST:,} are the most: split it")
        return
    try:
        text = decode(data)
    except NotText as error:
        sheet.refuse("", "text.charset", str(error))
        return
    sent, start = _headers(text)
    found = False
    for message in _messages(text, start):
        found = True
        _draw(message, sent, sheet)
    if not found:
        sheet.refuse("", "ncic.message", "has no message: none begins with MKE/")


def _headers(text: str) -> tuple[datetime | None, int]:
    """The time of the e-mail's Date, and where its lines end."""
    sent, at = None, 0
    for line in text.splitlines(keepends=True):
        if not (line.strip() == "" and at == 0) and not _HEADER.match(line):
            break
        if line.lower().startswith("date:"):
            try:
                found = parsedate_to_datetime(line[5:].strip())
                sent = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
            except (ValueError, TypeError, IndexError, OverflowError):
                sent = None
        at += len(line)
    return sent, at


def _messages(text: str, start: int) -> Iterator[_Message]:
    places = list(_FIELD.finditer(text, start))
    fields: list[tuple[str, str]] = []
    line, counted, at = 1, 0, 0
    for number, match in enumerate(places):
        ends = places[number + 1].start() if number + 1 < len(places) else len(text)
        if match[1] == "MKE":
            if fields:
                yield _Message(at, fields)
                fields = []
            line += text.count("\n", counted, match.start())
            counted, at = match.start(), line
        elif not fields:
            continue
        fields.append((match[1], _value(text[match.end() : ends])))
    if fields:
        yield _Message(at, fields)


def _value(raw: str) -> str:
    """Without the full stop or blanks that end a field; a blank line ends it as well."""
    value = re.split(r"\n\s*\n", raw.replace("\r\n", "\n").replace("\r", "\n"), maxsplit=1)[0]
    return " ".join(value.split()).rstrip(".").strip()


def _draw(message: _Message, sent: datetime | None, sheet: Sheet) -> None:
    where = f"line {message.line}"
    given: dict[str, str] = {}
    aliases: list[str] = []
    for name, value in message.fields:
        if not value:
            continue
        if name == "AKA":
            aliases.append(value)
        elif name in given:
            sheet.lose(f"{where}, {name}", name, "repeated", "the field is there twice; the first is taken")
        else:
            given[name] = value
    key = _key(given.pop("MKE", ""))
    if key is None:
        sheet.refuse(where, "ncic.mke", "has a message key (MKE) that is not known")
        return
    does, about = key
    if does == "L":
        message_ = "is a locate, which reports on an alert; send it as a report (hueandcry report)"
        sheet.refuse(where, "ncic.locate", message_)
        return
    taken: set[str] = set()
    fields = _Fields(given, taken, where, sheet)
    person = about in "WM"
    subject = _person(fields, aliases, about) if person else _vehicle(fields, about)
    kind = "wanted_person" if person else "stolen_vehicle"
    alert: dict[str, Any] = {
        "national_reference": fields.take("OCA") or fields.take("NIC"),
        "kind": kind,
        "category": sheet.category(kind, _CATEGORIES[about]) if about in "VW" else _CATEGORIES[about],
        "message_type": _DOES[does],
        "subject": subject,
        "remarks": sheet.remarks(where, fields.take("MIS")),
        "offences": _offences(fields) if person else None,
        "provenance": {"originating_agency": agency} if (agency := fields.take("ORI")) else None,
    }
    for name in given.keys() - taken:
        sheet.lose(f"{where}, {name}", name, "no_field", "an alert has no field for it")
    when = sent or fields.day("DTE")
    sheet.draw(where, alert, at=when, changed=(when or sheet.context.now) if does != "E" else None)


def _key(text: str) -> tuple[str, str] | None:
    folded = text.upper().strip()
    for words, code in _WORDS:
        if folded.startswith(words):
            return code[0], code[1]
    match = _KEY.fullmatch(folded.replace(" ", ""))
    return (match[1], match[2]) if match else None


class _Fields:
    """The fields of a message, and which have been taken."""

    def __init__(self, given: dict[str, str], taken: set[str], where: str, sheet: Sheet) -> None:
        self._given = given
        self._taken = taken
        self.where = where
        self.sheet = sheet

    def take(self, name: str) -> str | None:
        """The value, taken."""
        self._taken.add(name)
        value = self._given.get(name)
        return self.sheet.text(f"{self.where}, {name}", name, value) if value else None

    def unknown(self, name: str, message: str) -> None:
        """The value of a field that is not understood is a loss."""
        self.sheet.lose(f"{self.where}, {name}", name, "unknown", message)

    def day(self, name: str) -> datetime | None:
        """A day as NCIC writes it, YYYYMMDD."""
        value = self.take(name)
        if value is None:
            return None
        try:
            return datetime.strptime(value, "%Y%m%d").replace(tzinfo=UTC)
        except ValueError:
            self.unknown(name, "is no date of the form YYYYMMDD")
            return None

    def place(self, name: str) -> tuple[str, str | None] | None:
        """State and subdivision of a code."""
        value = self.take(name)
        if value is None:
            return None
        found = codes.place(value)
        if found is None:
            self.unknown(name, "is no code of a state or country that is known here")
        return found


def _vehicle(fields: _Fields, about: str) -> dict[str, Any]:
    subject: dict[str, Any] = {"stolen": "plate" if about == "L" else "vehicle"}
    if vin := fields.take("VIN"):
        subject["vin"] = {"raw": vin}
    if plate := fields.take("LIC"):
        state = fields.place("LIS")
        subject["plate"] = {"raw": plate, **_state(state)}
        if kind := fields.take("LIT"):
            if kind.upper() in _PLATE_TYPES:
                subject["plate"]["type"] = _PLATE_TYPES[kind.upper()]
            else:
                fields.unknown("LIT", "is no type of plate that is known here; ordinary is taken")
    if make := fields.take("VMA"):
        subject["make"] = codes.MAKES.get(make.upper(), make)
        if make.upper() not in codes.MAKES:
            fields.unknown("VMA", "is no code of a make that is known here; it is carried as it is")
    if model := fields.take("VMO"):
        subject["model"] = model
    if (year := fields.take("VYR")) and year.isascii() and year.isdigit() and len(year) == 4:
        subject["year"] = int(year)
    elif year:
        fields.unknown("VYR", "is no year of four digits")
    if colour := fields.take("VCO"):
        subject["colours"], known = codes.colours(colour)
        if not known:
            fields.unknown("VCO", "has a colour code that is not known here; it is carried as it is")
    if style := fields.take("VST"):
        subject["category"] = _STYLES.get(style.upper(), "unknown")
        if style.upper() not in _STYLES:
            fields.unknown("VST", "is no style that is known here")
    if engine := fields.take("ENG"):
        subject["engine_number"] = engine
    if day := fields.day("DOT"):
        subject |= {"stolen_from": day, "stolen_until": day + timedelta(days=1, milliseconds=-1)}
    return subject


def _state(found: tuple[str, str | None] | None) -> dict[str, str]:
    if found is None:
        return {}
    return {"state": found[0], **({"subdivision": found[1]} if found[1] else {})}


def _person(fields: _Fields, aliases: list[str], about: str) -> dict[str, Any]:
    identities: list[dict[str, Any]] = []
    if name := fields.take("NAM"):
        identities.append({"type": "unconfirmed" if about == "W" else "confirmed", **parted(name)[0]})
    identities += [{"type": "alias", **parted(alias)[0]} for alias in aliases]
    subject: dict[str, Any] = {"identities": identities}
    if day := fields.day("DOB"):
        subject["born"] = {"year": day.year, "month": day.month, "day": day.day}
    if sex := fields.take("SEX"):
        subject["sex"] = codes.SEXES.get(sex.upper(), "unknown")
    if found := fields.place("POB"):
        subject["birthplace"] = found[1] or found[0]
    if found := fields.place("CTZ"):
        subject["nationalities"] = [found[0]]
    if height := fields.take("HGT"):
        subject["height_cm"] = codes.height_cm(height)
        if subject["height_cm"] is None:
            fields.unknown("HGT", "is no height in feet and inches, as 507")
    if marks := fields.take("SMT"):
        subject["marks"] = marks
    if number := fields.take("OLN"):
        subject["documents"] = [{"type": "driving_licence", "number": number, **_only_state(fields.place("OLS"))}]
    if passport := fields.take("PAS"):
        subject.setdefault("documents", []).append({"type": "passport", "number": passport})
    warrant = fields.take("WNO")
    day = fields.day("DOW")
    if warrant:
        subject["warrant"] = {
            "reference": warrant, "court": fields.take("CTI"), "issued_on": day.date() if day else None,
        }  # fmt: skip
    return subject


def _only_state(found: tuple[str, str | None] | None) -> dict[str, str]:
    return {"state": found[0]} if found else {}


def _offences(fields: _Fields) -> list[dict[str, str]] | None:
    offence = fields.take("OFF")
    if offence is None:
        return None
    code = re.fullmatch(r"\d{4}(?:-\d)?", offence)
    return [{"national_code": offence} if code else {"national_name": offence}]
