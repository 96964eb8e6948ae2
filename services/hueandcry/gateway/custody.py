"""Keys with which the gateway signs for agencies that cannot sign themselves.

A key in custody is a key of the agency like its own: listed in topics/, with an id of its own, and ended there. The
agency has put `gateway: [signs]` into its file. What is signed with it shows that the gateway had it from somebody who
proved to be that agency, over a connection that nobody else could change; it does not show that the agency itself made
it. Who wants that signs with the agency's own key, and sends the gateway what is signed.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from hueandcry.errors import SettingsError
from hueandcry.rights.network import Agency, Network, SigningKey
from hueandcry.wire.proof import is_valid_at


class Signer(NamedTuple):
    """A key of an agency that signs now."""

    key_id: str
    private_key: Ed25519PrivateKey


class Custody:
    """The keys of one folder.

    Args:
        folder: has `<agency>.pem`, Ed25519 without a passphrase; None for none.

    Raises:
        SettingsError: a file is no such key, or others can read it.
    """

    def __init__(self, folder: Path | None) -> None:
        self._keys: dict[str, tuple[str, Ed25519PrivateKey]] = {}
        self._network: Network | None = None
        self._listed: dict[tuple[str, str], SigningKey] = {}
        if folder is None:
            return
        for file in sorted(folder.glob("*.pem")):
            # The group may read: so Kubernetes mounts what a pod's own group has.
            if file.stat().st_mode & 0o027:
                raise SettingsError(f"{file} can be read by others on this machine", hint=f"Run: chmod 600 {file}")
            try:
                key = load_pem_private_key(file.read_bytes(), password=None)
            except (ValueError, TypeError, OSError):
                key = None
            if not isinstance(key, Ed25519PrivateKey):
                raise SettingsError(f"{file} is not an Ed25519 private key in PEM without a passphrase")
            raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            self._keys[file.stem] = (base64.b64encode(raw).decode(), key)

    def signer(self, agency: Agency, network: Network, at_ms: int) -> Signer | None:
        """The key to sign with for an agency; None where it does not let us, or no key of ours is valid now."""
        if "signs" not in agency.gateway or agency.id not in self._keys:
            return None
        public, private = self._keys[agency.id]
        if network is not self._network:
            self._listed = {(key.agency, key.public_key): key for key in network.keys.values()}
            self._network = network
        key = self._listed.get((agency.id, public))
        return Signer(key.key_id, private) if key is not None and is_valid_at(key, at_ms) else None
