"""What a result depends on beyond its choices: packages, code, machine."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ablate import shipped
from ablate.types import Json

RECORD_VERSION = 1
"""Raised when a change alters a number that is stored."""

PACKAGES = ("ablate", "torch", "torchvision", "numpy", "scipy", "scikit-learn")


@cache
def machine() -> Json:
    """Give package versions, git state and processor, once a process."""
    return {
        "record_version": RECORD_VERSION,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "git": _git(),
        "system": platform.platform(terse=True),
        "cpu": _cpu(),
        "cores": os.cpu_count() or 1,
    }


@cache
def code(origins: tuple[str, ...]) -> str:
    """Give a digest of the engine's source and of the files of the components used."""
    files = sorted(shipped.ENGINE.glob("*.py")) + sorted(map(Path, origins))
    return digest(file.read_bytes() for file in files)


def digest(parts: Iterable[bytes]) -> str:
    """Give 16 hexadecimal digits of SHA-256.

    >>> digest([b"a", b"b"]) == digest([b"ab"])
    False
    """
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()[:16]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _git() -> Json:
    """Give the commit of this checkout and whether it was changed; null for an installed wheel."""
    if shipped.IN_WHEEL or not (shipped.ROOT / ".git").exists():
        return None
    try:
        commit = _ask_git("rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_ask_git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _ask_git(*words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=shipped.ROOT, capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
