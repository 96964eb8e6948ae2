"""Signed notes, with Ed25519: text, an empty line, and a line for each signature (c2sp.org/signed-note).

Rules: a text counts only under a key that the reader was given before; a key's id is the start of a hash, a hint only;
signatures under keys that are not known are passed over, so that witnesses may add theirs; one under a known key that
does not hold spoils the note.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hueandcry.errors import ProofError, SettingsError

_ED25519 = b"\x01"
_KEY_SIZE = 32
_ID_SIZE = 4
#: Most signatures that are looked at, and the largest note in bytes.
MOST_SIGNATURES = 100
LARGEST = 1_000_000
_DASH = "\u2014 "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class VerifierKey(NamedTuple):
    """A public key with its name, as the reader of notes is given it.

    Attributes:
        name: of whoever signs; no blank and no plus sign.
        public_key: 32 bytes.
    """

    name: str
    public_key: bytes

    @property
    def id(self) -> bytes:
        """The four bytes before each of its signatures."""
        return _key_id(self.name, self.public_key)

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """The key of its text, name+id+key: as golang.org/x/mod/sumdb/note and others write it.

        Raises:
            SettingsError: it is none, or its id is not that of the key.
        """
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        raw = _decoded(encoded) or b""
        if not _is_name(name) or len(raw) != _KEY_SIZE + 1 or raw[:1] != _ED25519:
            raise SettingsError("the ledger's key is no key of a note", hint="Write it as given: name+id+key")
        found = cls(name, raw[1:])
        if found.id.hex() != key_id:
            raise SettingsError("the ledger's key has another id than it says: a character is wrong")
        return found

    def __str__(self) -> str:
        """The text that `parse` reads."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public_key).decode()}"


class Note(NamedTuple):
    """A note that was verified: its text, with the line feed at the end, and the keys that have signed it."""

    text: str
    signed_by: tuple[VerifierKey, ...]


def verifier_key(name: str, private_key: Ed25519PrivateKey) -> VerifierKey:
    """The public side of a signing key.

    Raises:
        SettingsError: the name can't stand in a note.
    """
    if not _is_name(name):
        raise SettingsError("the name of the ledger's key has a blank or a plus sign, or is empty")
    return VerifierKey(name, private_key.public_key().public_bytes_raw())


def sign_note(text: str, name: str, private_key: Ed25519PrivateKey) -> str:
    """The signed note of a text.

    Args:
        text: ends in a line feed.
        name: of the key.
    """
    _check_text(text)
    key = verifier_key(name, private_key)
    return f"{text}\n{_line(key, private_key.sign(text.encode()))}"


def open_note(note: str, keys: Iterable[VerifierKey]) -> Note:
    """Verify a note.

    Raises:
        ProofError: rule note.malformed, note.signature (of a known key, and does not hold) or note.unsigned.
    """
    text, lines = _split(note)
    known = {(key.name, key.id): key for key in keys}
    signed: dict[tuple[str, bytes], VerifierKey] = {}
    for line in lines:
        name, key_id, signature = _signature(line)
        key = known.get((name, key_id))
        if key is None or (name, key_id) in signed:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            raise ProofError(f"the signature of {name} does not hold", rule="note.signature") from None
        signed[name, key_id] = key
    if not signed:
        raise ProofError(
            "the note is not signed by a known key", rule="note.unsigned", hint="Look at the ledger's key that you have"
        )
    return Note(text, tuple(signed.values()))


def _split(note: str) -> tuple[str, list[str]]:
    if len(note) > LARGEST:
        raise _malformed()
    text, found, signatures = note.rpartition("\n\n")
    if not found or not signatures.endswith("\n"):
        raise _malformed()
    text += "\n"
    _check_text(text)
    lines = signatures[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise _malformed()
    return text, lines


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise _malformed()


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    raw = _decoded(encoded)
    if not line.startswith(_DASH) or not _is_name(name) or raw is None or len(raw) <= _ID_SIZE:
        raise _malformed()
    return name, raw[:_ID_SIZE], raw[_ID_SIZE:]


def _line(key: VerifierKey, signature: bytes) -> str:
    return f"{_DASH}{key.name} {base64.b64encode(key.id + signature).decode()}\n"


def _key_id(name: str, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:_ID_SIZE]


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(unicodedata.category(each)[0] in "ZC" for each in name)


def _decoded(text: str) -> bytes | None:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    # One form for each signature and key, so that a flipped bit of the padding is not passed over.
    return raw if base64.b64encode(raw).decode() == text else None


def _malformed() -> ProofError:
    return ProofError("this is no signed note", rule="note.malformed")
