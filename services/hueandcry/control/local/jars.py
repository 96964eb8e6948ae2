"""Apache Kafka's jars, by the pom beside this module, in a cache folder; and the Java that runs them.

The pom is the one place that says which versions. Maven copies the jars once for each content of the pom.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from hueandcry.errors import SettingsError

_MINIMUM_JAVA = 17
_MAVEN_TIMEOUT_S = 600.0


def java() -> str:
    """Path of a Java 17 or later: JAVA_HOME's, else the one on PATH.

    Raises:
        SettingsError: there is none; the line says what to install.
    """
    under_home = Path(os.environ["JAVA_HOME"]) / "bin" / "java" if os.environ.get("JAVA_HOME") else None
    path = str(under_home) if under_home and under_home.is_file() else shutil.which("java")
    hint = "Install a JDK of 17 or later (Debian: apt-get install openjdk-17-jdk-headless; macOS: brew install openjdk)"
    if path is None:
        raise SettingsError("Java is missing, and Kafka runs on it", hint=hint)
    told = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=30, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', told)
    if version is None or int(version[1]) < _MINIMUM_JAVA:
        raise SettingsError(f"{path} is too old: Kafka 4 needs Java {_MINIMUM_JAVA}", hint=hint)
    return path


def kafka_jars(say: Callable[[str], None] = lambda _: None) -> Path:
    """The folder with Kafka's jars, fetched by Maven where it isn't there yet.

    Args:
        say: told what is going on, when it takes longer.

    Raises:
        SettingsError: Maven is missing, or could not fetch them.
    """
    pom = files("hueandcry.control.local").joinpath("pom.xml").read_bytes()
    found = re.search(rb"<kafka\.version>([^<]+)<", pom)
    if found is None:
        raise SettingsError("pom.xml of the local Kafka has no kafka.version", hint="Install hueandcry again")
    digest = hashlib.sha256(pom).hexdigest()[:8]
    folder = cache_dir() / f"kafka-{found[1].decode()}-{digest}"
    if folder.is_dir():
        return folder
    say(f"fetching Kafka {found[1].decode()} with Maven (once, 43 MB)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".kafka-") as temporary:
        _copy_jars(pom, Path(temporary))
        try:
            (Path(temporary) / "jars").rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster, which is as good
                raise
    return folder


def cache_dir() -> Path:
    """Where fetched things are kept: HUEANDCRY_CACHE, else ~/.cache/hueandcry."""
    return Path(os.environ.get("HUEANDCRY_CACHE") or Path.home() / ".cache" / "hueandcry")


def _copy_jars(pom: bytes, into: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise SettingsError(
            "Maven is missing, and it fetches Kafka",
            hint="Install it (Debian: apt-get install maven; macOS: brew install maven)",
        )
    (into / "pom.xml").write_bytes(pom)
    command = [
        *(maven, "-q", "-B", "-f", str(into / "pom.xml"), "dependency:copy-dependencies"),
        *("-DincludeScope=runtime", f"-DoutputDirectory={into / 'jars'}"),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_MAVEN_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise SettingsError("Maven took more than ten minutes to fetch Kafka", hint="Look at the network") from None
    if done.returncode != 0 or not any((into / "jars").glob("kafka_2.13-*.jar")):
        wrong = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        first = wrong[0].replace("[ERROR]", "").strip() if wrong else "it said nothing"
        raise SettingsError(f"Maven could not fetch Kafka: {first}", hint="Look at the network and ~/.m2/settings.xml")
