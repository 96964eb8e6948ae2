"""Bytes of text in whatever encoding an old system writes."""

from __future__ import annotations

import codecs

from charset_normalizer import from_bytes

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
#: How much is looked at to guess an encoding.
_SAMPLE = 64 * 1024


class NotText(Exception):
    """The bytes are no text in an encoding that can be told."""


def encoding_of(data: bytes) -> str:
    """The encoding of a text: by its mark, UTF-8 where it fits, else the likeliest one.

    Raises:
        NotText: there are zero bytes without a mark of UTF-16 or UTF-32, or no encoding fits.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=False)
        if b"\0" not in data:
            return "utf-8"
    except UnicodeDecodeError:
        pass
    if b"\0" in data:
        raise NotText("has zero bytes and no mark of an encoding; save it as UTF-8")
    best = from_bytes(data[:_SAMPLE]).best()
    if best is None:
        raise NotText("is in no encoding that can be told; save it as UTF-8")
    return best.encoding


def decode(data: bytes) -> str:
    """The text, without a mark at its beginning.

    Raises:
        NotText: as for encoding_of.
    """
    name = encoding_of(data)
    try:
        return data.decode(name).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise NotText(f"byte {error.start + 1} does not fit the encoding {name}; save it as UTF-8") from None
