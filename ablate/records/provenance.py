"""What a result depends on beyond its choices: packages, code, machine."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ablate.core import resources
from ablate.types import Json

RECORD_VERSION = 6
"""Raised when a change alters a number that is stored."""

TASK_CLASSES = "task_classes"
"""The fact of a record that says how many classes each task has; absent where all have as many."""

PACKAGES = ("ablate-study", "torch", "torchvision", "numpy", "numba", "scipy", "scikit-learn")
"""Packages whose versions every record states: ours, and those that a score can depend on."""

ABSENT = "not installed"
"""The version of a package that there is not."""


@cache
def machine() -> Json:
    """Give package versions, git state and processor, once a process."""
    return {
        "record_version": RECORD_VERSION,
        "python": platform.python_version(),
        "packages": {name: version_of(name) for name in PACKAGES},
        "git": _git(),
        "system": platform.platform(terse=True),
        "cpu": _cpu(),
        "cores": usable_cores(),
        "host": platform.node(),
    }


def digest(parts: Iterable[bytes]) -> str:
    """Give 16 hexadecimal digits of SHA-256.

    >>> digest([b"a", b"b"]) == digest([b"ab"])
    False
    """
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()[:16]


def mark(facts: Mapping[str, Json]) -> str:
    """Give a digest of all that a record says it rests on."""
    return digest([json.dumps(facts, sort_keys=True).encode()])


def usable_cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def version_of(name: str) -> str:
    """Give a package's installed version, or `not installed`, once a process."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ABSENT


def _git() -> Json:
    """Give the commit of this checkout and whether it was changed; null for an installed wheel."""
    if resources.IN_WHEEL or not (resources.ROOT / ".git").exists():
        return None
    try:
        commit = _ask_git("rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_ask_git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _ask_git(*words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=resources.ROOT, capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
