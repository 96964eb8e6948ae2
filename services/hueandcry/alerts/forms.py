"""Forms of codes and numbers: what a state, a jurisdiction, a reference or a date must look like.

Sources: ISO 3166-1 and 3166-2 (through pycountry), ICAO Doc 9303 part 3 section 5 for codes of documents and
nationality, MITRE ATT&CK for techniques, UNODC ICCS 2015 for offences.
"""

from __future__ import annotations

import re
from calendar import monthrange
from typing import Any

import pycountry

#: Longest text in characters; remarks may be longer.
LONGEST_TEXT = 4_096
LONGEST_REMARKS = 16_384
LONGEST_REFERENCE = 128
#: Most items of a list; indicators have their own bound.
MOST_ITEMS = 1_000
MOST_INDICATORS = 10_000

_COUNTRIES: list[Any] = list(pycountry.countries)
STATES: frozenset[str] = frozenset(str(country.alpha_3) for country in _COUNTRIES)
ALPHA_2: frozenset[str] = frozenset(str(country.alpha_2) for country in _COUNTRIES)
#: Stateless (XXA), refugees (XXB, XXC) and unspecified (XXX).
NATIONALITIES: frozenset[str] = STATES | {"XXA", "XXB", "XXC", "XXX"}
#: Further issuers of documents in ICAO 9303: organisations, classes of British nationals, Kosovo.
DOCUMENT_ISSUERS: frozenset[str] = NATIONALITIES.union(
    ("EUE", "GBD", "GBN", "GBO", "GBP", "GBS", "RKS", "UNA", "UNK", "UNO"),
    ("XAA", "XBA", "XCC", "XCE", "XCO", "XDC", "XEC", "XES", "XIM", "XMP", "XOM", "XPO", "XSD"),
)

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
_SUBDIVISION = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}")
_TECHNIQUE = re.compile(r"T[0-9]{4}(?:\.[0-9]{3})?")
_ICCS = re.compile(r"[0-9]{2,6}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Control characters other than tab, line feed and carriage return, and lone surrogates, which UTF-8 can't carry.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def is_slug(text: str) -> bool:
    """Id of an agency, region or coalition: lower-case letters, digits and inner hyphens, at most 48."""
    return _SLUG.fullmatch(text) is not None


def is_subdivision(text: str) -> bool:
    """ISO 3166-2 by form, of an existing country. Lists of subdivisions change too often to bind."""
    match = _SUBDIVISION.fullmatch(text)
    return match is not None and match[1] in ALPHA_2


def is_jurisdiction(text: str) -> bool:
    """world, a region id, a state or a subdivision. Whether the region exists is for the network to say."""
    return text == "world" or text in STATES or is_slug(text) or is_subdivision(text)


def is_party(text: str) -> bool:
    """An agency, region or coalition id, or a state."""
    return text in STATES or is_slug(text)


def is_reference(text: str) -> bool:
    """A reference or serial number: printable, not empty, no blank at either end, at most 128 characters."""
    return 0 < len(text) <= LONGEST_REFERENCE and text.isprintable() and text[0] != " " and text[-1] != " "


def is_uuid(text: str) -> bool:
    """A UUID in its usual form, lower case."""
    return _UUID.fullmatch(text) is not None


def is_technique(text: str) -> bool:
    """A technique or sub-technique of ATT&CK."""
    return _TECHNIQUE.fullmatch(text) is not None


def is_iccs(text: str) -> bool:
    """A code of the ICCS: a section (2 digits) down to the sixth digit."""
    return _ICCS.fullmatch(text) is not None


def is_partial_date(year: int, month: int | None, day: int | None) -> bool:
    """A date in the years 1850 to 2200 that the calendar has, as far as it is given; no day without a month."""
    if not 1850 <= year < 2200:
        return False
    if month is None:
        return day is None
    if not 1 <= month <= 12:
        return False
    return day is None or 1 <= day <= monthrange(year, month)[1]
