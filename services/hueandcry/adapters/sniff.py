"""What a file is, by what is in it; never by its name.

Only the beginning is looked at, so that a file of any size is told apart at once.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from hueandcry.adapters import ncic
from hueandcry.adapters.charsets import NotText, encoding_of

#: How much of a file is looked at.
SAMPLE = 256 * 1024

_ARCHIVES = (
    (b"PK\x03\x04", "a ZIP archive"), (b"\x1f\x8b", "compressed by gzip"), (b"BZh", "compressed by bzip2"),
    (b"\xfd7zXZ", "compressed by xz"), (b"7z\xbc\xaf", "a 7-Zip archive"), (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (b"Rar!", "a RAR archive"), (b"%PDF", "a PDF"), (b"\xd0\xcf\x11\xe0", "an old Office document"),
)  # fmt: skip
_CAP = re.compile(r"urn:oasis:names:tc:emergency:cap:1\.\d|incident\.com/cap/1\.0")
_NIEM = re.compile(r"(?:release\.)?niem\.gov/niem/|docs\.oasis-open\.org/niemopen/")
_STIX = re.compile(r'"spec_version"\s*:|"type"\s*:\s*"bundle"|"id"\s*:\s*"[a-z0-9-]+--[0-9a-f]{8}-')
_MISP = re.compile(r'"(?:Event|Attribute|Object|Orgc|threat_level_id)"\s*:')
_MANIFEST = re.compile(r'\A\s*\{\s*"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"\s*:\s*\{')
_OURS = re.compile(r'"(?:national_reference|subject|kind|circulation)"\s*:')


class Found(NamedTuple):
    """What a file is.

    Attributes:
        form: stix, misp, misp-manifest, cap, niem, ncic, jsonl, csv, or `none`.
        rule, message: why nothing reads it; empty where form is not `none`.
    """

    form: str
    rule: str = ""
    message: str = ""


def sniff(data: bytes) -> Found:
    """The form of a file, of which `data` is the beginning (SAMPLE bytes are enough)."""
    head = data[:SAMPLE]
    if not head.strip():
        return Found("none", "format.empty", "is empty")
    for magic, name in _ARCHIVES:
        if head.startswith(magic):
            return Found("none", "format.archive", f"is {name}; unpack or convert it first: archives are not opened")
    try:
        text = head.decode(encoding_of(head), "replace").removeprefix("\ufeff")
    except (NotText, LookupError):
        return Found("none", "format.unknown", "is in no format that is known here")
    start = text.lstrip()
    if start.startswith("<"):
        return _xml(start)
    if start.startswith(("{", "[")):
        return _json(start)
    if ncic.looks_like(text):
        return Found("ncic")
    return Found("csv") if _is_table(text) else Found("none", "format.unknown", "is in no format that is known here")


def _xml(text: str) -> Found:
    if _CAP.search(text):
        return Found("cap")
    if _NIEM.search(text):
        return Found("niem")
    if re.search(r"<!DOCTYPE", text):
        return Found("cap")  # its reader says what is wrong with it
    return Found("none", "format.unknown", "is XML, but neither CAP nor NIEM")


def _json(text: str) -> Found:
    first = text.partition("\n")[0].strip()
    if first.startswith("{") and _is_object(first) and not (_STIX.search(first) or _MISP.search(first)):
        return Found("jsonl")
    if _MANIFEST.match(text):
        return Found("misp-manifest")
    if _OURS.search(text) and not _STIX.search(text):
        return Found("jsonl")
    if _STIX.search(text):
        return Found("stix")
    if _MISP.search(text):
        return Found("misp")
    return Found("jsonl")


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _is_table(text: str) -> bool:
    """Whether the first lines look like a header and rows: the same separator as often in each."""
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    if not lines:
        return False
    for separator in (",", ";", "\t", "|"):
        counts = [line.count(separator) for line in lines]
        if counts[0] and (len(lines) == 1 or sum(count >= counts[0] for count in counts[1:]) * 2 >= len(lines) - 1):
            return True
    return False
