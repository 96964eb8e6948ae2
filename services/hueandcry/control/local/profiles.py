"""The files that tell each user of the local set-up who it is: passwords, signing keys and client configurations.

`operator/` has the operator's profile and the secrets of the services, `agencies/<id>/` one profile an agency,
`network/keys/<id>.yaml` the public keys, as an overlay on topics/. Passwords and keys are made once and then kept;
what depends on the cluster's address is written anew at every start.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import secrets
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from hueandcry.control.local.tls import write_private
from hueandcry.errors import SettingsError
from hueandcry.ledger.notes import verifier_key
from hueandcry.rights.network import Agency

OPERATOR = "operator"
#: The services' users on the broker, by the name of the service.
SERVICE_USERS = {
    "admit": "hc-admit",
    "distribute": "hc-distribute",
    "registry": "hc-registry",
    "search": "hc-search",
    "watch": "hc-watch",
    "gateway": "hc-gateway",
    "ledger": "hc-ledger",
}
#: Name of the ledger of a local set-up.
LEDGER_ORIGIN = "hueandcry.local/ledger"
_SIZING = """\
# Written by `hueandcry local up`: one broker on a small machine.
max_partitions: 3
max_replication_factor: 1
max_min_insync_replicas: 1
"""
_KEY_VALID = dt.timedelta(days=365)


@dataclass(frozen=True)
class Addresses:
    """Where the cluster and our services are, and how to trust them. `ca` None: the system's authorities."""

    bootstrap: str
    ca: Path | None
    registry_url: str
    registry_ca: Path
    search_url: str = ""
    gateway_url: str = ""
    ledger_url: str = ""
    security_protocol: str = "SASL_SSL"
    sasl_mechanism: str = "SCRAM-SHA-512"


@dataclass(frozen=True)
class Secrets:
    """What only the operator knows: passwords by user, the key of the HMAC over identity keys, and that of which the
    secrets of webhooks are made (hex)."""

    passwords: dict[str, str]
    identity_secret: str
    webhook_secret: str

    @classmethod
    def ensure(cls, home: Path) -> Secrets:
        """Those of this home, made at the first call."""
        path = home / OPERATOR / "secrets.json"
        if path.is_file():
            kept = json.loads(path.read_text("utf-8"))
            found = cls(kept["passwords"], kept["identity_secret"], kept.get("webhook_secret", ""))
        else:
            found = cls({}, secrets.token_hex(32), "")
        # A home of before may lack a service that has come since.
        lacking = [user for user in (OPERATOR, *SERVICE_USERS.values()) if user not in found.passwords]
        if lacking or not found.webhook_secret:
            known = found.passwords | {user: password() for user in lacking}
            found = cls(known, found.identity_secret, found.webhook_secret or secrets.token_hex(32))
            _private_folder(path.parent)
            write_private(path, json.dumps(asdict(found)).encode())
        return found


def password() -> str:
    """A new random password of 192 bits, of letters, digits, - and _ only."""
    return secrets.token_urlsafe(24)


def passwords(home: Path) -> dict[str, str]:
    """Password by user of all whom the broker must know: the services and the agencies with a profile.

    The operator isn't among them: whoever made the cluster made that user.
    """
    known = dict(Secrets.ensure(home).passwords)
    del known[OPERATOR]
    for auth in sorted((home / "agencies").glob("*/auth.toml")):
        profile = tomllib.loads(auth.read_text("utf-8"))
        known[profile["user"]] = profile["password"]
    return known


def write_operator(home: Path, addresses: Addresses, user: str, user_password: str, network_dir: Path) -> None:
    """The operator's profile: `config.toml`, `auth.toml`, and `env` for a shell (`set -a; . FILE`)."""
    folder = _private_folder(home / OPERATOR)
    config = {
        **_common(addresses),
        "home": str(home),
        "state_dir": str(home / "state"),
        "network_dir": str(network_dir),
        "security_protocol": addresses.security_protocol,
        "sasl_mechanism": addresses.sasl_mechanism,
        "ledger_verifier_key": ledger_key(home),
    }
    auth = {
        "user": user,
        "password": user_password,
        "registry_user": OPERATOR,
        "registry_password": Secrets.ensure(home).passwords[OPERATOR],
    }
    _write_clients(folder, addresses, config, auth)
    lines = [f"HUEANDCRY_{name.upper()}='{value}'\n" for name, value in (config | auth).items()]
    write_private(folder / "env", "".join(lines).encode())


def operator_settings(home: Path) -> dict[str, str]:
    """What the operator's profile says, by the names of `hueandcry.settings`."""
    folder = home / OPERATOR
    return {
        name: value
        for file in ("config.toml", "auth.toml")
        for name, value in tomllib.loads((folder / file).read_text("utf-8")).items()
    }


def write_agency(home: Path, agency: Agency, addresses: Addresses) -> None:
    """An agency's profile, with its signing key and password made where it has none, and its public key's overlay."""
    folder = _private_folder(home / "agencies" / agency.id)
    auth_file, signing_key = folder / "auth.toml", folder / "signing.pem"
    kept = tomllib.loads(auth_file.read_text("utf-8")) if auth_file.is_file() else {}
    auth = {"user": agency.user, "password": str(kept.get("password") or password())}
    if not signing_key.is_file():
        key = Ed25519PrivateKey.generate()
        write_private(signing_key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key_id = _write_public_key(home, agency.id, signing_key)
    config = {
        "agency": agency.id,
        "state": agency.state,
        "region": agency.region,
        **_common(addresses),
        **({"search_url": addresses.search_url} if addresses.search_url else {}),
        **({"gateway_url": addresses.gateway_url} if addresses.gateway_url else {}),
        **({"ledger_url": addresses.ledger_url} if addresses.ledger_url else {}),
        "ledger_verifier_key": ledger_key(home),
        "security_protocol": addresses.security_protocol,
        "sasl_mechanism": addresses.sasl_mechanism,
        "signing_key": str(signing_key),
        "key_id": key_id,
    }
    _write_clients(folder, addresses, config, auth)


def write_custody(home: Path, agency: Agency) -> None:
    """The key with which the gateway signs for an agency that lets it, and its public key's overlay."""
    if "signs" not in agency.gateway:
        return
    key_file = _private_folder(home / "gateway" / "keys") / f"{agency.id}.pem"
    if not key_file.is_file():
        key = Ed25519PrivateKey.generate()
        write_private(key_file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    _write_public_key(home, agency.id, key_file, f"{agency.id}.gateway")


def ledger_key(home: Path) -> str:
    """The ledger's public key, in the form of signed notes; the key itself is made at the first call."""
    path = home / OPERATOR / "ledger.pem"
    if not path.is_file():
        _private_folder(path.parent)
        made = Ed25519PrivateKey.generate()
        write_private(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise SettingsError(f"{path} is no Ed25519 key", hint="Put back the one that was there")
    return str(verifier_key(LEDGER_ORIGIN, private))


def write_sizing(home: Path, *, one_broker: bool) -> None:
    """The overlay that makes the topics fit one broker; what somebody else wrote there is kept.

    With a cluster of the user's own ours is taken away: there the topics are as large as the network says.
    """
    path = home / "network" / "sizing.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    if one_broker and not path.exists():
        path.write_text(_SIZING, "utf-8")
    elif not one_broker and path.exists() and path.read_text("utf-8") == _SIZING:
        path.unlink()


def write_registry_users(home: Path) -> Path:
    """Who may ask the embedded registry: lines of user:role:sha256 of the password in hex; role `write` or `read`.

    The passwords are random and long, so that a plain hash is enough.
    """
    known = passwords(home) | {OPERATOR: Secrets.ensure(home).passwords[OPERATOR]}
    lines = [
        f"{user}:{'write' if user == OPERATOR else 'read'}:{hashlib.sha256(secret.encode()).hexdigest()}\n"
        for user, secret in sorted(known.items())
    ]
    path = _private_folder(home / OPERATOR) / "registry-users"
    write_private(path, "".join(lines).encode())
    return path


def _common(addresses: Addresses) -> dict[str, str]:
    trust = {"ca": str(addresses.ca)} if addresses.ca else {}
    return {
        "bootstrap": addresses.bootstrap,
        **trust,
        "registry_url": addresses.registry_url,
        "registry_ca": str(addresses.registry_ca),
    }


def _write_public_key(home: Path, agency: str, signing_key: Path, overlay_name: str = "") -> str:
    """The overlay with the public key; its id, which is made of the agency and the key's fingerprint."""
    private = load_pem_private_key(signing_key.read_bytes(), password=None)
    if not isinstance(private, Ed25519PrivateKey):
        raise SettingsError(f"{signing_key} is no Ed25519 key", hint="Take it away; the next start makes a new one")
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_id = f"{agency[:47]}.{hashlib.sha256(raw).hexdigest()[:16]}"
    overlay = home / "network" / "keys" / f"{overlay_name or agency}.yaml"
    if overlay.is_file() and key_id in overlay.read_text("utf-8"):
        return key_id
    overlay.parent.mkdir(parents=True, exist_ok=True)
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    overlay.write_text(
        "keys:\n"
        f"  - agency: {agency}\n"
        f"    key_id: {key_id}\n"
        f"    public_key: {base64.b64encode(raw).decode()}\n"
        f'    valid_from: "{(now - dt.timedelta(days=1)).isoformat()}"\n'
        f'    valid_until: "{(now + _KEY_VALID).isoformat()}"\n',
        "utf-8",
    )
    return key_id


def _write_clients(folder: Path, addresses: Addresses, config: dict[str, str], auth: dict[str, str]) -> None:
    """`config.toml`, `auth.toml` (0600), and the same for kcat and for Java's tools (0600)."""
    (folder / "config.toml").write_text(_toml(config), "utf-8")
    write_private(folder / "auth.toml", _toml(auth).encode())
    protocol, mechanism = addresses.security_protocol, addresses.sasl_mechanism
    kcat = {
        "bootstrap.servers": addresses.bootstrap,
        "security.protocol": protocol,
        "sasl.mechanism": mechanism,
        "sasl.username": auth["user"],
        "sasl.password": auth["password"],
        **({"ssl.ca.location": str(addresses.ca)} if addresses.ca else {}),
    }
    write_private(folder / "kcat.conf", _properties(kcat).encode())
    module = "plain.PlainLoginModule" if mechanism == "PLAIN" else "scram.ScramLoginModule"
    java = {
        "bootstrap.servers": addresses.bootstrap,
        "security.protocol": protocol,
        "sasl.mechanism": mechanism,
        "sasl.jaas.config": f"org.apache.kafka.common.security.{module} required "
        f'username="{auth["user"]}" password="{auth["password"]}";',
        **({"ssl.truststore.type": "PEM", "ssl.truststore.location": str(addresses.ca)} if addresses.ca else {}),
    }
    write_private(folder / "client.properties", _properties(java).encode())


def _toml(values: dict[str, str]) -> str:
    # A JSON string is a TOML basic string.
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def _properties(values: dict[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in values.items())


def _private_folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path
