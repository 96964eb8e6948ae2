"""The formats by name, and one function that reads any of them."""

from __future__ import annotations

from collections.abc import Callable

from hueandcry.adapters import cap, misp, ncic, niem, stix
from hueandcry.adapters.reading import MOST, Context, Reading, refused
from hueandcry.adapters.sheet import Full, Sheet
from hueandcry.adapters.sniff import sniff

#: Draws the alerts of a document on a sheet. Raises nothing but Full.
Adapter = Callable[[bytes, Sheet], None]

ADAPTERS: dict[str, Adapter] = {
    "stix": stix.draw,
    "misp": misp.draw,
    "cap": cap.draw,
    "niem": niem.draw,
    "ncic": ncic.draw,
}
#: The format by media type, for the gateway. XML and plain text are sniffed.
MEDIA_TYPES = {
    "application/stix+json": "stix",
    "application/taxii+json": "stix",
    "application/vnd.misp+json": "misp",
    "application/cap+xml": "cap",
    "application/common-alerting-protocol+xml": "cap",
    "application/niem+xml": "niem",
}


def read(data: bytes, context: Context, form: str = "auto") -> Reading:
    """The alerts, losses and refusals of one document.

    Args:
        data: all of it, at most reading.LARGEST bytes.
        context: who reads, and when.
        form: a name of ADAPTERS; `auto` looks at the content.

    What can't be read at all is one refusal with an empty place.
    """
    if form == "auto":
        found = sniff(data)
        if found.form not in ADAPTERS:
            return refused(found.rule or "format.unknown", found.message or "is in a format that is not read whole")
        form = found.form
    sheet = Sheet(context)
    try:
        ADAPTERS[form](data, sheet)
    except Full:
        done = sheet.reading()
        over = refused("size.limit", f"holds more than {MOST:,} alerts; split it: the rest was not read")
        return Reading(done.alerts, done.losses, done.refusals + over.refusals)
    return sheet.reading()
