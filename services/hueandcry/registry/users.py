"""Who may ask the registry: a file of lines `user:role:sha256 of the password in hex`, role `read` or `write`.

A plain hash is enough only because the passwords are long and random (`control.local.profiles` makes them of 192 bits).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from pathlib import Path
from typing import Final, NamedTuple

from hueandcry.errors import SettingsError
from hueandcry.registry.errors import ApiError

_LINE: Final = re.compile(r"([^:\s]+):(read|write):([0-9a-f]{64})")


class User(NamedTuple):
    """A user: role `write` may also change."""

    name: str
    role: str
    password_sha256: bytes


def load_users(path: Path) -> dict[str, User]:
    """The users by name. Raises SettingsError with file and line."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the registry's users can't be read from {path}: {error}") from None
    users: dict[str, User] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise SettingsError(
                f"{path}:{number}: not a user",
                hint="Write user:read:HASH or user:write:HASH, HASH as sha256sum prints it",
            )
        users[match[1]] = User(match[1], match[2], bytes.fromhex(match[3]))
    return users


class Door:
    """Lets requests in, or says why not.

    Args:
        users: by name.
        open_reads: whether reading needs no user.
    """

    def __init__(self, users: dict[str, User], *, open_reads: bool) -> None:
        self._users = users
        self._open_reads = open_reads

    def check(self, authorization: str | None, *, write: bool) -> None:
        """Pass, or raise ApiError 40101 (who are you?) or 40301 (you may only read).

        With open reads a login is not looked at for a read: clients send the one that they have for the broker.
        """
        if self._open_reads and not write:
            return
        user = self._user(authorization)
        if user is None:
            raise ApiError(40101, "User name and password are missing or wrong")
        if write and user.role != "write":
            raise ApiError(40301, f"User '{user.name}' may read only")

    def _user(self, authorization: str | None) -> User | None:
        scheme, _, credentials = (authorization or "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, _, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
        except ValueError:
            return None
        user = self._users.get(name)
        expected = user.password_sha256 if user else bytes(32)
        same = hmac.compare_digest(hashlib.sha256(password.encode()).digest(), expected)
        return user if same else None
