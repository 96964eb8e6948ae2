"""When the certificate that a server shows ends."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping

from cryptography import x509

_CALL_SECONDS = 5.0


def expiries(servers: Mapping[str, tuple[str, int]]) -> dict[str, float]:
    """End of the certificate of each server that answers, epoch seconds, by its name.

    The certificate is looked at, not relied on: one that has ended or that nobody trusts is just what is looked for.
    """
    found: dict[str, float] = {}
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, (host, port) in servers.items():
        try:
            with (
                socket.create_connection((host, port), timeout=_CALL_SECONDS) as plain,
                context.wrap_socket(plain, server_hostname=host) as secure,
            ):
                shown = secure.getpeercert(binary_form=True)
        except OSError:
            continue
        if shown:
            found[name] = x509.load_der_x509_certificate(shown).not_valid_after_utc.timestamp()
    return found
