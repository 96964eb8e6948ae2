"""Blocks: what records of one subject still share after errors of writing, reading and hearing.

Each function gives lists of keys, one a sort of key, the best sort first and each list in an order that depends on
the values alone. Blocking is after Christen, Data Matching (2012), chapter 4: several narrow keys, each of which lets
another error pass, rather than one wide key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import combinations
from typing import Any

from hueandcry.identity.confirm import fold_make
from hueandcry.identity.confusables import fold_confusables
from hueandcry.identity.hosts import host_of, registered_domain
from hueandcry.identity.likeness_person import biometrics, documents, is_vague, misuses, own_names, warrant
from hueandcry.identity.likeness_threat import INDICATORS, actor_of, malware_of
from hueandcry.identity.likeness_vehicle import components_of, engine_of, fold_serial, plate_of, reading_of
from hueandcry.identity.phonetic import sound
from hueandcry.identity.reading import record, text, texts
from hueandcry.identity.threat import correlates, kept
from hueandcry.identity.transliterate import transliterate
from hueandcry.identity.vin import LENGTH

Blocks = list[list[str]]

_VIN_BLOCK = 8
_SOUNDS = 3
_PLATE_PART = 4
# Of many indicators those with the smallest digests: two sets that share much share one of these (Broder 1997).
_SKETCH = 5


def person_blocks(alert: Mapping[str, Any]) -> Blocks:
    """Document, warrant and biometric reference; date of birth and nationality; sound of two words and year."""
    person = record(alert.get("subject"))
    numbers: list[str] = []
    references: list[str] = []
    if not misuses(person):
        numbers = sorted(f"doc:{fold_confusables(number)}" for _, number in documents(person))
        digests, referred = biometrics(person, alert)
        references = [
            *sorted(f"bio:{digest.hex()}" for digest in digests),
            *sorted(f"ref:{':'.join(parts)}" for parts in referred),
        ]
    reference = warrant(person, alert)
    return [
        numbers,
        _days(record(person.get("born")), person),
        _sounds(person),
        references,
        [f"warrant:{reference}"] if reference else [],
    ]


def _days(born: Mapping[str, Any], person: Mapping[str, Any]) -> list[str]:
    year, month, day = born.get("year"), born.get("month"), born.get("day")
    if not (isinstance(year, int) and isinstance(month, int) and isinstance(day, int)):
        return []
    if is_vague(born):
        return []
    # Day and month in order of size: the same when they are swapped.
    low, high = sorted((month, day))
    states = sorted({state for state in texts(person.get("nationalities")) if state and state != "XXX"})
    return [f"born:{year}:{low}:{high}:{state}" for state in states or [""]]


def _sounds(person: Mapping[str, Any]) -> list[str]:
    """Two words of a name by their sound, with each year of birth that may be meant and with the place of birth."""
    pairs: dict[str, None] = {}
    for name in sorted(own_names(person), key=lambda name: (name.alias, name.words)):
        # Words with a long code tell more.
        codes = {code for word in name.words if len(word) > 1 and (code := sound(word))}
        best = sorted(codes, key=lambda code: (-len(code), code))[:_SOUNDS]
        found = [" ".join(sorted(pair)) for pair in combinations(best, 2)] or best
        pairs.update(dict.fromkeys(found))
    born = record(person.get("born"))
    year = born.get("year")
    place = transliterate(text(person.get("birthplace")))
    keys = [f"name:{pair}:{year}" for pair in pairs] if isinstance(year, int) else []
    first = next(iter(pairs), None)
    if first is None:
        return []
    if place:
        keys.append(f"name:{first}:{place}")
    if isinstance(year, int) and is_vague(born):
        keys += [f"name:{first}:{year + off}" for off in (-1, 1, -2, 2)]
    return keys


def vehicle_blocks(alert: Mapping[str, Any]) -> Blocks:
    """Last eight of the VIN, its start with its end, plate without all else, engine, parts, parts of the plate."""
    vehicle = record(alert.get("subject"))
    stolen = text(vehicle.get("stolen"))
    what = "plates" if stolen == "plate" else "vehicle"
    make = fold_make(text(vehicle.get("make")))[:3]
    plate = plate_of(vehicle)
    plates: list[str] = []
    parts: list[str] = []
    if plate is not None:
        number = fold_confusables(plate[0])
        kinds = ("plates", "vehicle") if stolen in {"both", "unknown"} else (what,)
        plates = [f"{kind}:plate:{number}" for kind in kinds]
        if make and len(number) > _PLATE_PART:
            parts = [
                f"{what}:plate:{make}:{number[:_PLATE_PART]}-",
                f"{what}:plate:{make}:-{number[-_PLATE_PART:]}",
            ]
    if what == "plates":
        return [plates, parts]
    engine = engine_of(vehicle)
    return [
        _vins(vehicle, make),
        plates,
        [f"engine:{engine}"] if engine else [],
        sorted(f"part:{part}:{serial}" for part, serial in components_of(vehicle))[:3],
        parts,
    ]


def _vins(vehicle: Mapping[str, Any], make: str) -> list[str]:
    vin = fold_serial(reading_of(vehicle).normalised)
    if len(set(vin)) < 3 or len(vin) < 5:
        return []
    found = [f"vin8:{vin[-_VIN_BLOCK:]}"] if len(vin) >= _VIN_BLOCK else []
    if len(vin) != LENGTH:
        # A serial from before 1981 is its maker's alone.
        return [*found, f"serial:{make}:{vin}"] if make else found
    head = vin[:_VIN_BLOCK]
    return [*found, f"vin:{head}:{vin[-4:]}", f"vin:{head}:{''.join(sorted(vin[-6:]))}", f"vin6:{make}:{vin[-6:]}"]


def threat_blocks(alert: Mapping[str, Any]) -> Blocks:
    """Some of the indicators, registered domains, hosts, and malware of an actor with something else."""
    threat = record(alert.get("subject"))
    values = kept(threat, INDICATORS)
    strong = sorted(each for each in values if correlates(each))
    weak = sorted(each for each in values if not correlates(each))[:2]
    hosts = {host for each in strong if (host := host_of(each))}
    domains = {domain for host in hosts if (domain := registered_domain(host))}
    actor = actor_of(threat)
    together = [
        f"of:{malware}:{actor}:{each.type}:{each.value}"
        for malware in sorted(malware_of(threat))[:2]
        for each in weak
        if actor
    ]
    return [
        _smallest(f"{each.type}:{each.value}" for each in strong),
        _smallest(f"domain-of:{domain}" for domain in domains),
        _smallest(f"host:{host}" for host in hosts),
        together,
    ]


def _smallest(keys: Any) -> list[str]:
    return sorted(keys, key=lambda key: hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest())[:_SKETCH]
