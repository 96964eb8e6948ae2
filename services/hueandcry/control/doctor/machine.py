"""This machine: Python, Java, Maven, disk."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

from hueandcry.control.doctor.examine import Answer, ok, warning, wrong
from hueandcry.control.local.jars import cache_dir, java

_PYTHONS = ((3, 11), (3, 13))
_GIB = 1 << 30
#: Free space under which state can't be kept for long, and under which it soon won't.
_TOO_LITTLE, _LITTLE = _GIB // 4, 2 * _GIB


def python() -> Answer:
    """Whether this Python is one that the platform is made for."""
    low, high = _PYTHONS
    says = f"{platform.python_version()} in {sys.prefix}"
    if low <= sys.version_info[:2] <= high:
        return ok(says)
    return wrong(says, f"Use Python {low[0]}.{low[1]} to {high[0]}.{high[1]}: make PYTHON=/path/to/python setup")


def jdk() -> Answer:
    """Whether there is a Java that runs Kafka."""
    return ok(java())


def maven() -> Answer:
    """Whether Kafka is there, or can be fetched."""
    found = shutil.which("mvn")
    if any(cache_dir().glob("kafka-*")):
        return ok(
            f"Kafka is in {cache_dir()}" + ("" if found else "; Maven is missing, which only a new version needs")
        )
    if found:
        return ok(f"{found}; Kafka is fetched at the first start")
    do = "Install it (Debian: apt-get install maven; macOS: brew install maven)"
    return wrong("Maven is missing, and it fetches Kafka", do)


def disk(folder: Path) -> Answer:
    """Whether there is room for the state in a folder."""
    there = next(each for each in (folder, *folder.resolve().parents) if each.exists())
    usage = shutil.disk_usage(there)
    says = f"{usage.free / _GIB:.1f} GiB free of {usage.total / _GIB:.0f} for {folder}"
    data = {"free_bytes": usage.free, "total_bytes": usage.total}
    do = "Make room, or set HUEANDCRY_STATE_DIR to another disk"
    if usage.free < _TOO_LITTLE:
        return wrong(says, do, **data)
    return warning(says, do, **data) if usage.free < _LITTLE else ok(says, **data)
