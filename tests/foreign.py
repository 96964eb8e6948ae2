"""Synthetic documents in the formats that adapters read. SECRET stands where a personal value would."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hueandcry.adapters.reading import Context, Defaults

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
#: Values that must never show in a loss or a refusal.
SECRETS = ("ZQX7741", "WVWZZZ1JZXW000001", "Quibblethwaite", "quibble.example")
MARKINGS: dict[str, Any] = {
    "circulation": ["world"], "classification": "unclassified", "handling_code": "H0", "tlp": "amber",
}  # fmt: skip


def context(issuer: str = "fra-police", constants: dict[str, Any] | None = None, **defaults: Any) -> Context:
    """A reader of fra-police, with markings as defaults."""
    given = MARKINGS if constants is None else constants
    return Context(issuer, "FRA", NOW, Defaults(constants=given, **defaults))


def stix_indicator(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--00000000-0000-4000-8000-{number:012x}",
        "created": "2026-03-01T09:00:00.000Z", "modified": "2026-03-01T09:00:00.000Z", "name": "Command server",
        "pattern": "[domain-name:value = 'quibble.example']", "pattern_type": "stix",
        "valid_from": "2026-03-01T09:00:00Z", **fields,
    }  # fmt: skip


def stix_object(kind: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "type": kind, "spec_version": "2.1", "id": f"{kind}--00000000-0000-4000-8000-{number:012x}",
        "created": "2026-03-01T09:00:00.000Z", "modified": "2026-03-01T09:00:00.000Z", **fields,
    }  # fmt: skip


def relation(source: dict[str, Any], name: str, target: dict[str, Any], number: int = 1) -> dict[str, Any]:
    return stix_object("relationship", number, relationship_type=name, source_ref=source["id"], target_ref=target["id"])


def stix_bundle(*objects: dict[str, Any]) -> bytes:
    whole = {"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": list(objects)}
    return json.dumps(whole).encode()


def misp_attribute(type_: str, value: str, **fields: Any) -> dict[str, Any]:
    return {
        "uuid": "00000000-0000-4000-8000-00000000000a", "type": type_, "category": "Network activity", "value": value,
        "to_ids": True, "distribution": "5", "timestamp": "1772355600", "comment": "", "deleted": False, **fields,
    }  # fmt: skip


def misp_event(*attributes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "Event": {
            "uuid": "00000000-0000-4000-8000-0000000000e1", "info": "Phishing kit", "date": "2026-03-01",
            "timestamp": "1772355600", "distribution": "1", "published": True, "Orgc": {"name": "CERT Example"},
            "Attribute": list(attributes) or [misp_attribute("domain", "quibble.example")], **fields,
        }
    }  # fmt: skip


CAP_PARAMETERS = {
    "LicensePlate": "ZQX7741", "LicenseState": "MD", "VehicleMake": "FORD", "VehicleModel": "Fiesta",
    "VehicleColor": "BLU", "VIN": "WVWZZZ1JZXW000001", "ChildName": "Quibblethwaite, Ada",
    "ChildDateOfBirth": "2019-04-05",
}  # fmt: skip


def cap(
    parameters: dict[str, str] | None = None, *, version: str = "1.2", event: str = "Child Abduction Emergency",
    code: str = "CAE", category: str = "Rescue", kind: str = "Alert", status: str = "Actual", scope: str = "Public",
    references: str = "", identifier: str = "AMBER-2026-1", sent: str = "2026-03-02T10:00:00-05:00", extra: str = "",
) -> bytes:  # fmt: skip
    listed = "".join(
        f"<parameter><valueName>{name}</valueName><value>{value}</value></parameter>"
        for name, value in (CAP_PARAMETERS if parameters is None else parameters).items()
    )
    refers = f"<references>{references}</references>" if references else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><alert xmlns="urn:oasis:names:tc:emergency:cap:{version}">'
        f"<identifier>{identifier}</identifier><sender>police@example.org</sender><sent>{sent}</sent>"
        f"<status>{status}</status><msgType>{kind}</msgType><scope>{scope}</scope>{refers}"
        f"<info><language>en-US</language><category>{category}</category><event>{event}</event>"
        "<urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty>"
        f"<eventCode><valueName>SAME</valueName><value>{code}</value></eventCode>"
        "<expires>2026-03-03T10:00:00-05:00</expires><senderName>Example State Police</senderName>"
        f"<headline>Look out</headline><description>Last seen northbound.</description>{listed}"
        f"<area><areaDesc>Baltimore</areaDesc></area></info>{extra}</alert>"
    ).encode()


NIEM = b"""<?xml version="1.0" encoding="UTF-8"?>
<x:WarrantReport xmlns:x="http://example.org/exchange" xmlns:nc="http://release.niem.gov/niem/niem-core/5.0/"
  xmlns:j="http://release.niem.gov/niem/domains/jxdm/7.0/" xmlns:s="http://release.niem.gov/niem/structures/5.0/">
  <nc:Case s:id="C1"><nc:CaseDocketID>D-17</nc:CaseDocketID>
    <j:CaseAugmentation><j:CaseCharge><j:ChargeDescriptionText>Burglary</j:ChargeDescriptionText></j:CaseCharge>
    </j:CaseAugmentation></nc:Case>
  <j:Warrant s:id="W1">
    <nc:ActivityIdentification><nc:IdentificationID>WNT-9</nc:IdentificationID></nc:ActivityIdentification>
    <j:CourtOrderDesignatedSubject><nc:RoleOfPerson s:ref="P1"/></j:CourtOrderDesignatedSubject>
    <j:CourtOrderIssuingDate><nc:Date>2026-02-01</nc:Date></j:CourtOrderIssuingDate>
  </j:Warrant>
  <nc:Person s:id="P1">
    <nc:PersonBirthDate><nc:Date>1980-05-06</nc:Date></nc:PersonBirthDate>
    <nc:PersonCitizenshipISO3166Alpha3Code>CAN</nc:PersonCitizenshipISO3166Alpha3Code>
    <nc:PersonEyeColorText>BLU</nc:PersonEyeColorText>
    <nc:PersonHeightMeasure><nc:MeasureValueText>70</nc:MeasureValueText>
      <nc:MeasureUnitText>inches</nc:MeasureUnitText></nc:PersonHeightMeasure>
    <nc:PersonName><nc:PersonGivenName>Ada</nc:PersonGivenName><nc:PersonMiddleName>B</nc:PersonMiddleName>
      <nc:PersonSurName>Quibblethwaite</nc:PersonSurName></nc:PersonName>
    <nc:PersonSexCode>F</nc:PersonSexCode>
    <j:PersonAugmentation><j:DriverLicense><j:DriverLicenseIdentification>
      <nc:IdentificationID>ZQX7741</nc:IdentificationID>
      <nc:IdentificationJurisdiction><j:JurisdictionNCICLISCode>NB</j:JurisdictionNCICLISCode>
      </nc:IdentificationJurisdiction></j:DriverLicenseIdentification></j:DriverLicense></j:PersonAugmentation>
  </nc:Person>
  <nc:Vehicle s:id="V1"><nc:ItemMakeName>FORD</nc:ItemMakeName><nc:VehicleIdentification>
    <nc:IdentificationID>WVWZZZ1JZXW000001</nc:IdentificationID></nc:VehicleIdentification></nc:Vehicle>
  <j:ConveyanceRegistration s:id="R1"><j:JurisdictionNCICLISCode>ON</j:JurisdictionNCICLISCode>
    <j:ConveyanceRegistrationPlateIdentification><nc:IdentificationID>ZQX7741</nc:IdentificationID>
    </j:ConveyanceRegistrationPlateIdentification></j:ConveyanceRegistration>
  <j:ConveyanceRegistrationAssociation><j:ItemRegistration s:ref="R1"/><nc:Item s:ref="V1"/>
  </j:ConveyanceRegistrationAssociation>
  <j:ActivityWarrantAssociation><nc:Activity s:ref="C1"/><j:Warrant s:ref="W1"/></j:ActivityWarrantAssociation>
</x:WarrantReport>"""
NIEM_STOLEN = (
    NIEM.replace(b"WarrantReport", b"StolenVehicleReport")
    .replace(b"<j:Warrant s:id", b"<j:Other s:id")
    .replace(b"</j:Warrant>", b"</j:Other>")
)
NCIC = b"""Date: Mon, 02 Mar 2026 08:00:00 +0000
Subject: entry

MKE/EV.ORI/MD1012600.LIC/ZQX7741.LIS/MD.LIY/2026.LIT/PC.VIN/WVWZZZ1JZXW000001.VYR/1989.VMA/FORD.VMO/FIE.
VST/4D.VCO/BLU/WHI.DOT/20260214.OCA/26-00117.RAC/U

MKE/EW
ORI/MD1012600 NAM/QUIBBLETHWAITE, ADA SEX/F RAC/U POB/AU DOB/19800506 HGT/507 WGT/130
EYE/BLU HAI/BRO CTZ/NE OFF/BURGLARY DOW/20260201 OCA/26-00118 WNO/W-77 OLN/ZQX7741 OLS/NB
"""
#: Every document by the name of its format.
SOUND: dict[str, list[bytes]] = {
    "stix": [
        stix_bundle(
            stix_indicator(
                object_marking_refs=["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"],
                kill_chain_phases=[{"kill_chain_name": "mitre-attack", "phase_name": "execution"}], confidence=70,
                external_references=[{"source_name": "blog", "url": "https://blog.example/1"}],
            ),
            stix_object("malware", name="Quibblethwaite", is_family=True),
            relation(stix_indicator(), "indicates", stix_object("malware")),
            stix_object("infrastructure", name="Host"),
            {"type": "ipv4-addr", "id": "ipv4-addr--00000000-0000-4000-8000-000000000001", "value": "198.51.100.3"},
        ),
    ],
    "misp": [
        json.dumps(
            misp_event(
                misp_attribute("ip-dst|port", "198.51.100.3|443"), misp_attribute("text", "Quibblethwaite"),
                Tag=[{"name": "tlp:amber"}, {"name": 'misp-galaxy:threat-actor="Some Group"'}],
                Object=[{"name": "file", "Attribute": [misp_attribute("md5", "0" * 32)]}],
            )
        ).encode(),
    ],
    "cap": [cap(), cap(version="1.1")],
    "niem": [NIEM, NIEM_STOLEN],
    "ncic": [NCIC],
}  # fmt: skip
