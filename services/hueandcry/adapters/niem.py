"""NIEM documents to alerts: warrants to wanted persons, and vehicles that the document says are stolen.

Elements are known by their local names, so that every release of NIEM (2 to 6) and the extensions of an exchange are
read alike. Associations tie a person to a vehicle, a vehicle to its registration, a person to an alias, by
structures:id and structures:ref (id and uri from NIEM 6 on).

Rules:
1. A person is wanted where a warrant designates the person; other persons of a document are context.
2. A vehicle is stolen where its status, its element, an association or the document says so. That of a wanted person is
   an alert of its own only where person_vehicles asks for it.
3. Codes count only where the element says whose they are (NCIC, ISO 3166); other codes are told as losses.
4. Every element with text that no alert carries is a loss.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Any

from lxml import etree

from hueandcry.adapters import ncic_codes
from hueandcry.adapters.leaves import Leaves, path
from hueandcry.adapters.names import identity, parted
from hueandcry.adapters.sheet import Sheet
from hueandcry.adapters.times import moment
from hueandcry.adapters.xml_text import NotXml, child, children, local, parse, where
from hueandcry.alerts.forms import NATIONALITIES, STATES

_CM = {"inches": 2.54, "inch": 2.54, "in": 2.54, "cm": 1.0, "centimeters": 1.0, "centimetres": 1.0, "m": 100.0}
_PEOPLE = frozenset({"Person", "WarrantSubject", "RoleOfPerson", "RoleOfPersonReference"})


def draw(data: bytes, sheet: Sheet) -> None:
    """Alerts of one document."""
    try:
        root = parse(data)
    except NotXml as error:
        sheet.refuse("", error.rule, error.message)
        return
    _Document(root, sheet).draw()


class _Document:
    """One document as it is drawn."""

    def __init__(self, root: Any, sheet: Sheet) -> None:
        self.root = root
        self.sheet = sheet
        self.leaves = Leaves(root)
        self.by_id: dict[str, Any] = {}
        self._vehicles = 0
        for element in root.iter():
            if local(element) and (identifier := _attribute(element, "id")):
                self.by_id.setdefault(identifier, element)
        self._ties: dict[int, list[tuple[str, list[Any]]]] = defaultdict(list)
        for element in root.iter():
            if local(element).endswith("Association"):
                ends = self._ends(element)
                for end in ends:
                    self._ties[id(end)].append((local(element), ends))

    def draw(self) -> None:
        warrants = [each for each in self.root.iter() if local(each) in ("Warrant", "ArrestWarrant")]
        vehicles = [each for each in self.root.iter() if local(each) in ("Vehicle", "ConveyanceVehicle")]
        vehicles = [each for each in vehicles if next(children(each), None) is not None]
        for warrant in warrants:
            if next(children(warrant), None) is not None:
                self._warrant(warrant)
        for vehicle in vehicles:
            self._vehicle(vehicle, wanted=bool(warrants))
        if self.sheet.is_empty and not vehicles:
            self.sheet.refuse("", "niem.no_alert", "has neither a warrant nor a vehicle")
        self.leaves.lose_rest(self.sheet)

    # -- persons ------------------------------------------------------------------------------------------------------

    def _warrant(self, warrant: Any) -> None:
        place = where(warrant)
        person = self._subject(warrant)
        if person is None:
            self.sheet.refuse(place, "niem.subject", "designates nobody in this document", "subject.identities")
            return
        case = self._case(warrant)
        reference, number = self._references(warrant, case)
        issued = self._day(child(warrant, "CourtOrderIssuingDate"))
        expires = self._day(
            _either(
                child(warrant, "WarrantAugmentation", "ExpirationDate"),
                child(warrant, "CourtOrderExpirationDate"),
                child(warrant, "ExpirationDate"),
            )
        )
        court = self.leaves.first(
            child(warrant, "CourtOrderIssuingCourt"),
            ("OrganizationName",), ("CourtName",),
            ("OrganizationAugmentation", "OrganizationORIIdentification", "IdentificationID"),
        )  # fmt: skip
        subject = self._person(person)
        subject["warrant"] = {
            "reference": number or reference or "unknown", "court": court or None,
            "issued_on": issued.isoformat() if issued else None,
        }  # fmt: skip
        agency = self.leaves.first(
            child(warrant, "CourtOrderEnforcementAgency"),
            ("OrganizationName",),
            ("OrganizationAugmentation", "OrganizationORIIdentification", "IdentificationID"),
        )
        comment = self.leaves.first(
            child(warrant, "WarrantAugmentation"), ("WarrantCommentText",), ("CommentText",)
        ) or self.leaves.say(warrant, "ActivityDescriptionText")
        fields: dict[str, Any] = {
            "national_reference": reference or number or _digest("NIEM-", person),
            "kind": "wanted_person",
            "category": self.sheet.category("wanted_person", "arrest"),
            "subject": subject,
            "offences": self._offences(case),
            "expires_at": f"{expires.isoformat()}T23:59:59Z" if expires else None,
            "remarks": self.sheet.remarks(place, comment),
            "provenance": {"originating_agency": agency} if agency else {},
        }
        at = moment(f"{issued.isoformat()}T00:00:00Z") if issued else None
        self.sheet.draw(place, fields, at=at)

    def _subject(self, warrant: Any) -> Any:
        """The person whom a warrant designates: inside it, or by reference."""
        for role in warrant.iter():
            if local(role) in _PEOPLE:
                target = self._target(role)
                if target is not None and local(target) not in _PEOPLE - {"Person"}:
                    return target
                if child(role, "PersonName") is not None:
                    return role
        people = [
            each for each in self.root.iter() if local(each) == "Person" and child(each, "PersonName") is not None
        ]
        return people[0] if len(people) == 1 else None

    def _case(self, warrant: Any) -> Any:
        for end in self._tied(warrant, "ActivityWarrantAssociation"):
            return end
        cases = [each for each in self.root.iter() if local(each) == "Case" and next(children(each), None) is not None]
        return cases[0] if len(cases) == 1 else None

    def _references(self, warrant: Any, case: Any) -> tuple[str, str]:
        """The agency's own record, and the number of the warrant or its docket."""
        record = self.leaves.first(
            child(warrant, "CourtOrderEnforcementAgency"), ("AgencyRecordIdentification", "IdentificationID")
        )
        number = self.leaves.first(
            warrant, ("ActivityIdentification", "IdentificationID"), ("WarrantIdentification", "IdentificationID"),
            ("CourtOrderIdentification", "IdentificationID"),
        )  # fmt: skip
        if not number and case is not None:
            number = self.leaves.first(case, ("CaseDocketID",), ("ActivityIdentification", "IdentificationID"))
        return record, number

    def _person(self, person: Any) -> dict[str, Any]:
        identities = [self._identity(child(person, "PersonName"), "confirmed")]
        for alias in self._aliases(person):
            identities.append(self._identity(alias, "alias"))
        subject: dict[str, Any] = {"identities": [each for each in identities if each]}
        if born := self._partial(child(person, "PersonBirthDate")):
            subject["born"] = born
        sex = self.leaves.first(person, ("PersonSexText",), ("PersonSexCode",)).casefold()
        sexes = {"m": "male", "male": "male", "f": "female", "female": "female"}
        subject["sex"] = sexes.get(sex, "unknown")
        subject["nationalities"] = list(self._nationalities(person))
        subject["height_cm"] = self._height(child(person, "PersonHeightMeasure"))
        marks = [
            text
            for feature in children(person, "PersonPhysicalFeature")
            if (text := self.leaves.say(feature, "PhysicalFeatureDescriptionText"))
        ]
        subject["marks"] = "; ".join(marks) or None
        subject["documents"] = list(self._licences(person))
        return {name: value for name, value in subject.items() if value not in (None, [])}

    def _identity(self, name: Any, kind: str) -> dict[str, Any] | None:
        if name is None:
            return None
        family = self.leaves.say(name, "PersonSurName")
        given = " ".join(
            filter(None, (self.leaves.say(name, part) for part in ("PersonGivenName", "PersonMiddleName")))
        )
        suffix = self.leaves.say(name, "PersonNameSuffixText")
        full = self.leaves.say(name, "PersonFullName")
        if not family:
            return {"type": kind, **parted(full)[0]} if full else None
        return identity(f"{family} {suffix}".strip(), given, kind=kind)

    def _aliases(self, person: Any) -> Iterator[Any]:
        yield from children(person, "PersonAlternateName")
        for end in self._tied(person, "PersonAliasIdentityAssociation"):
            name = child(end, "IdentityPersonRepresentation", "PersonName")
            if name is not None:
                yield name

    def _nationalities(self, person: Any) -> Iterator[str]:
        for element in children(person):
            name = local(element)
            if not name.startswith(("PersonCitizenship", "PersonNationality")):
                continue
            text = say_own(element)
            found: str | None = None
            if "ISO3166Alpha3" in name:
                found = text.upper() if text.upper() in NATIONALITIES else None
            elif "NCIC" in name:
                found = ncic_codes.country(text)
            if found is None:
                message = "a nationality counts only where its element says whose code it is"
                self.sheet.lose(path(element), name, "unknown", message)
                self.leaves.take(element)
            else:
                self.leaves.take(element)
                yield found

    def _height(self, measure: Any) -> int | None:
        if measure is None:
            return None
        value = self.leaves.first(measure, ("MeasureValueText",), ("MeasureIntegerValue",), ("MeasureDecimalValue",))
        unit = self.leaves.first(measure, ("MeasureUnitText",), ("LengthUnitCode",)).casefold()
        if unit not in _CM or re.fullmatch(r"\d{1,4}(?:\.\d{1,4})?", value, re.ASCII) is None:
            self.sheet.lose(path(measure), "PersonHeightMeasure", "unknown", "is no number of inches or centimetres")
            return None
        return round(float(value) * _CM[unit])

    def _licences(self, person: Any) -> Iterator[dict[str, Any]]:
        for licence in person.iter():
            if local(licence) != "DriverLicense":
                continue
            number = child(licence, "DriverLicenseIdentification")
            if found := self.leaves.say(number, "IdentificationID"):
                state = self._state(number)
                yield {"type": "driving_licence", "number": found, **({"state": state[0]} if state else {})}

    def _offences(self, case: Any) -> list[dict[str, str]]:
        offences: list[dict[str, str]] = []
        for charge in case.iter() if case is not None else ():
            if local(charge) not in ("CaseCharge", "Charge"):
                continue
            code = self.leaves.first(charge, ("ChargeCodeText",), ("ChargeStatute", "StatuteCodeIdentification"))
            name = self.leaves.first(
                charge, ("ChargeDescriptionText",), ("GeneralOffenseCharacterDescriptionText",), ("ChargeText",)
            )
            offence = {key: value for key, value in (("national_code", code), ("national_name", name)) if value}
            if offence:
                offences.append(offence)
        return offences

    # -- vehicles -----------------------------------------------------------------------------------------------------

    def _vehicle(self, vehicle: Any, *, wanted: bool) -> None:
        place = where(vehicle)
        category = self.sheet.category("stolen_vehicle", "seizure")
        part = ""
        if not self._is_stolen(vehicle):
            asked = self.sheet.context.defaults.person_vehicles
            if wanted and asked is None:
                message = "is not said to be stolen; with person_vehicles it becomes an alert of its own"
                self.sheet.lose(place, "Vehicle", "not_an_alert", message)
                self.leaves.drop(vehicle)
                for registration in self._registrations(vehicle):
                    self.leaves.drop(registration)
                return
            if not wanted:
                self.sheet.refuse(
                    place, "niem.not_stolen", "is not said to be stolen: by a status, association or element"
                )
                return
            category, part = str(asked), "/vehicle"
        subject = self._vehicle_fields(vehicle)
        record = self.leaves.first(
            self.root, ("DocumentIdentification", "IdentificationID"), ("ActivityIdentification", "IdentificationID"),
            ("Case", "ActivityIdentification", "IdentificationID"),
            ("Incident", "ActivityIdentification", "IdentificationID"),
        )  # fmt: skip
        self._vehicles += 1
        if self._vehicles > 1:
            part += f"/{self._vehicles}"
        fields: dict[str, Any] = {
            "national_reference": f"{record}{part}" if record else _digest("NIEM-", vehicle),
            "kind": "stolen_vehicle",
            "category": category,
            "subject": subject,
        }
        at = child(self.root, "DocumentCreationDate")
        self.sheet.draw(place, fields, at=moment(self.leaves.first(at, ("DateTime",))) if at is not None else None)

    def _is_stolen(self, vehicle: Any) -> bool:
        if "Stolen" in local(vehicle) or "Stolen" in local(self.root):
            return True
        for status in vehicle.iter():
            if "Status" in local(status) and (text := say_own(status)) and "STOLEN" in text.upper():
                self.leaves.take(status)
                return True
        above = vehicle.getparent()
        if above is not None and "Stolen" in local(above):
            return True
        return any("Stolen" in name for name, _ in self._ties.get(id(vehicle), ()))

    def _vehicle_fields(self, vehicle: Any) -> dict[str, Any]:
        leaves, subject = self.leaves, dict[str, Any]()
        if vin := leaves.first(vehicle, ("VehicleIdentification", "IdentificationID"), ("VehicleVINAText",)):
            subject["vin"] = {"raw": vin}
        for registration in self._registrations(vehicle):
            plate = leaves.first(
                registration, ("ConveyanceRegistrationPlateIdentification", "IdentificationID"),
                ("ConveyanceRegistrationPlateID",),
            )  # fmt: skip
            if plate and "plate" not in subject:
                state = self._state(registration)
                subject["plate"] = {
                    "raw": plate,
                    **({"state": state[0]} if state else {}),
                    **({"subdivision": state[1]} if state and state[1] else {}),
                }
        make = leaves.first(vehicle, ("VehicleMakeCode",), ("ItemMakeName",), ("ConveyanceMakeName",))
        subject["make"] = ncic_codes.MAKES.get(make.upper(), make) or None
        subject["model"] = (
            leaves.first(vehicle, ("ItemModelName",), ("VehicleModelCode",), ("ConveyanceModelName",)) or None
        )
        year = leaves.first(vehicle, ("ItemModelYearDate",), ("VehicleModelYearDate",))
        if re.fullmatch(r"(?:18|19|20|21)\d\d", year, re.ASCII):
            subject["year"] = int(year)
        colours = [
            name
            for element in ("VehicleColorPrimaryCode", "ConveyanceColorPrimaryText", "ItemColorDescriptionText",
                            "VehicleColorSecondaryCode", "ConveyanceColorSecondaryText")
            for name in ncic_codes.colours(leaves.say(vehicle, element))[0]
        ]  # fmt: skip
        subject["colours"] = list(dict.fromkeys(colours))
        return {name: value for name, value in subject.items() if value not in (None, [])}

    def _registrations(self, vehicle: Any) -> Iterator[Any]:
        yield from children(vehicle, "ConveyanceRegistration")
        for end in self._tied(vehicle, "ConveyanceRegistrationAssociation"):
            if local(end) == "ConveyanceRegistration":
                yield end

    # -- what both need -----------------------------------------------------------------------------------------------

    def _ends(self, association: Any) -> list[Any]:
        """The elements that an association ties."""
        return [
            end for each in children(association) for inner in each.iter() if (end := self._target(inner)) is not None
        ]

    def _tied(self, element: Any, association: str) -> Iterator[Any]:
        """What associations of this name tie to an element."""
        for name, ends in self._ties.get(id(element), ()):
            if name == association:
                yield from (end for end in ends if end is not element)

    def _target(self, element: Any) -> Any:
        reference = _attribute(element, "ref") or _attribute(element, "uri").removeprefix("#")
        return self.by_id.get(reference) if reference else None

    def _state(self, element: Any) -> tuple[str, str | None] | None:
        """State and subdivision of the first element inside that says whose code it has."""
        for each in element.iter():
            name, text = local(each), say_own(each)
            if not text:
                continue
            found: tuple[str, str | None] | None = None
            if "NCICL" in name:
                found = ncic_codes.place(text)
            elif name.endswith("USPostalServiceCode"):
                found = ("USA", f"US-{text.upper()}") if re.fullmatch(r"[A-Za-z]{2}", text) else None
            elif "ISO3166Alpha3" in name:
                found = (text.upper(), None) if text.upper() in STATES else None
            else:
                continue
            self.leaves.take(each)
            if found is None:
                self.sheet.lose(path(each), name, "unknown", "is no code of a state that is known here")
            return found
        return None

    def _day(self, element: Any) -> date | None:
        if element is None:
            return None
        text = self.leaves.first(element, ("Date",), ("DateTime",)) or self.leaves.take(element)
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            self.sheet.lose(path(element), local(element), "broken", "is no date of ISO 8601")
            return None

    def _partial(self, element: Any) -> dict[str, int] | None:
        if element is None:
            return None
        text = self.leaves.first(element, ("Date",), ("YearMonthDate",), ("YearDate",))
        match = re.fullmatch(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?.*", text, re.ASCII)
        if match is None:
            self.sheet.lose(path(element), local(element), "broken", "is no date of ISO 8601")
            return None
        names = ("year", "month", "day")
        return {name: int(part) for name, part in zip(names, match.groups(), strict=True) if part}


def _either(*elements: Any) -> Any:
    """The first of these that is there."""
    return next((each for each in elements if each is not None), None)


def say_own(element: Any) -> str:
    """The text of an element itself."""
    return " ".join((element.text or "").split()) if isinstance(element.tag, str) else ""


def _attribute(element: Any, name: str) -> str:
    """A structures attribute by its local name."""
    return next((str(value) for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _digest(prefix: str, element: Any) -> str:
    """A reference where the document has none: the same for the same content."""
    return prefix + hashlib.sha256(etree.tostring(element, method="c14n")).hexdigest()[:20].upper()
