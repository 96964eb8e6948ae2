"""Signatures of webhooks as Standard Webhooks 1.0 has them: HMAC-SHA256 (v1) and Ed25519 (v1a), both on each message.

The secret of a webhook follows from the gateway's own secret, agency, webhook and URL, so none is stored, every process
knows it, and a webhook that is led elsewhere has a new one. The key pair of v1a is one for the gateway.
"""

from __future__ import annotations

import base64
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hueandcry.rights.network import Webhook

_SECRET, _PUBLIC = "whsec_", "whpk_"


class Signing:
    """Signs messages.

    Args:
        secret: the gateway's, at least 32 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._key = Ed25519PrivateKey.from_private_bytes(self._derived("webhooks v1a"))

    @property
    def public_key(self) -> str:
        """Of v1a, as `whpk_…`."""
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return _PUBLIC + base64.b64encode(raw).decode()

    def secret_of(self, agency: str, webhook: Webhook) -> str:
        """Of v1, as `whsec_…`: for the agency alone."""
        return _SECRET + base64.b64encode(self._of(agency, webhook)).decode()

    def headers(self, agency: str, webhook: Webhook, message_id: str, at: int, body: bytes) -> dict[str, str]:
        """The headers of one attempt.

        Args:
            at: epoch seconds, now: a receiver refuses what is old.
        """
        signed = f"{message_id}.{at}.".encode() + body
        mac = base64.b64encode(hmac.digest(self._of(agency, webhook), signed, "sha256")).decode()
        signature = base64.b64encode(self._key.sign(signed)).decode()
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(at),
            "webhook-signature": f"v1,{mac} v1a,{signature}",
            "content-type": "application/json",
        }

    def _of(self, agency: str, webhook: Webhook) -> bytes:
        return self._derived(f"webhook {agency} {webhook.id} {webhook.url}")

    def _derived(self, purpose: str) -> bytes:
        return HKDF(hashes.SHA256(), 32, None, f"hueandcry gateway, {purpose}".encode()).derive(self._secret)
