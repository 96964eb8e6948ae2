"""The checks that an agency can make for itself, in order."""

from __future__ import annotations

import base64
import datetime as dt
import os
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hueandcry.control.doctor import connection, machine
from hueandcry.control.doctor.examine import Answer, Check, ok, skipped, warning, wrong
from hueandcry.control.local.readiness import is_ready
from hueandcry.control.network import load_network
from hueandcry.rights.network import SigningKey
from hueandcry.sdk.profile import Profile, agency_profile, home_folder
from hueandcry.sdk.reader import Reader
from hueandcry.settings import PREFIX
from hueandcry.wire.kafka import client_config

#: What an agency writes and reads.
_SCHEMAS = tuple(f"hueandcry.{name}" for name in ("Alert", "Delivery", "Receipt", "Report", "Notice"))
_ASK_S = 5.0
_LOOK_S = 1.5
_SOON_DAYS = 21


def agency_checks(agency: str, home: Path | str | None = None) -> list[Check]:
    """What the agency can see of its set-up, by its profile in `home` (HUEANDCRY_HOME, else ./.hueandcry)."""
    mine = _Mine(agency, home)
    return [
        Check("python", machine.python),
        Check("profile", mine.told),
        Check("broker", lambda: connection.reachable(mine.profile.settings), ("profile",)),
        Check("tls", lambda: connection.tls(mine.profile.settings), ("profile", "broker")),
        Check("login", lambda: connection.login(mine.profile.settings), ("profile", "broker", "tls")),
        Check("topics", mine.topics, ("profile", "broker", "login")),
        Check("signing key", mine.key, ("profile",)),
        Check("search", mine.search, ("profile", "signing key")),
        Check("registry", lambda: connection.registry(mine.profile.settings, _SCHEMAS), ("profile", "tls")),
    ]


class _Mine:
    def __init__(self, agency: str, home: Path | str | None) -> None:
        self._agency = agency
        self._home = home
        self._profile: Profile | None = None

    @property
    def profile(self) -> Profile:
        if self._profile is None:
            self._profile = agency_profile(self._agency, self._home)
        return self._profile

    def told(self) -> Answer:
        return ok(f"{self.profile.agency} in {self.profile.folder}")

    def topics(self) -> Answer:
        """Whether it may read its inbox, receipts and notices, and publish."""
        profile = self.profile
        topics = [profile.inbox_topic, profile.receipts_topic, profile.notices_topic]
        with Reader(profile, topics, start="latest") as reader:
            reader.take(_LOOK_S, until_end=True)
        read = f"{topics[0]}, {topics[1]} and {topics[2]} can be read"
        admin = AdminClient({"log_level": 0, **client_config(profile.settings)})
        try:
            error = admin.list_topics(profile.alerts_topic, timeout=_ASK_S).topics[profile.alerts_topic].error
        except KafkaException as failed:
            error = failed.args[0]
        if error is None:
            return ok(f"{read}, {profile.alerts_topic} written")
        return ok(f"{read}; {profile.alerts_topic} is not open to this agency, which only receives")

    def key(self) -> Answer:
        """Whether its signing key is the one that the network knows."""
        profile = self.profile
        if profile.signing_key is None:
            return skipped("there is none: this agency only receives")
        raw = profile.load_signing_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        folders = [
            folder
            for folder in (
                Path(os.environ.get(PREFIX + "NETWORK_DIR") or "topics"),
                home_folder(self._home) / "network",
            )
            if folder.is_dir()
        ]
        if len(folders) < 2:
            do = f"Ask the operator whether {profile.key_id} is enrolled, or publish a test and read its receipt"
            return warning("it can be read; whether the network knows it can't be seen from here", do)
        known = load_network(*folders).network.keys.get(profile.key_id)
        return self._judge(known, base64.b64encode(raw).decode())

    def search(self) -> Answer:
        """Whether search answers."""
        url, ca = self.profile.search_url, self.profile.search_ca
        if not url:
            return skipped("config.toml has no search_url: this agency does not search")
        if is_ready(url, ca):
            return ok(f"{url} answers")
        return wrong(f"{url} does not answer, or is not ready", "Look at search_url and search_ca in config.toml")

    def _judge(self, known: SigningKey | None, public: str) -> Answer:
        profile = self.profile
        if known is None:
            do = "Ask the operator to enrol it: its public key belongs into topics/, then `hueandcry network apply`"
            return wrong(f"the network has no key {profile.key_id}", do)
        if known.agency != profile.agency or known.public_key != public:
            return wrong(f"{profile.key_id} is another key in the network", "Set key_id to the id of this key")
        now = dt.datetime.now(dt.UTC)
        if now < known.valid_from or (known.valid_until is not None and now >= known.valid_until):
            return wrong(f"{profile.key_id} is not valid today", "Sign with a key that is, or have it renewed")
        if known.valid_until is None:
            return ok(f"{profile.key_id} is enrolled")
        days = (known.valid_until - now).days
        says = f"{profile.key_id} is enrolled, and valid for {days} days"
        return ok(says, days=days) if days > _SOON_DAYS else warning(says, "Have its successor enrolled", days=days)
