"""Letters of other scripts that look like Latin capitals.

Only true look-alikes of capitals stand here, after the capitals that states use on plates because every driver can
read them (Vienna Convention on Road Traffic 1968, annex 2: Latin capitals and Arabic numerals): twelve in Russia (GOST
R 50577) and Bulgaria, thirteen in Ukraine and Belarus (with І), fourteen in Greece. A letter without a Latin twin is
not folded.
"""

from __future__ import annotations

CYRILLIC = dict(zip("АВЕКМНОРСТУХІЅЈԚԜҮҺ", "ABEKMHOPCTYXISJQWYH", strict=True))
GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True))

LOOKALIKES = {**CYRILLIC, **GREEK}
FOLD = str.maketrans(LOOKALIKES)


def lookalike_places(text: str) -> tuple[int, ...]:
    """Positions, from 0, of the characters in `text` (upper case) that only look Latin."""
    if text.isascii():
        return ()
    return tuple(place for place, char in enumerate(text) if char in LOOKALIKES)
