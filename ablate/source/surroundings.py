"""What a program's scores rest on beside its parameters: files, repository, packages."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

LIST = (
    "import json, sys; from importlib.metadata import distributions as d; "
    "print(json.dumps({'python': sys.version.split()[0], "
    "'packages': sorted({f'{p.name} {p.version}' for p in d() if p.name})}))"
)
"""What an interpreter is asked: its version, and the packages that it would import."""

ANSWER_SECONDS = 60


def files(command: Sequence[str], folder: Path) -> dict[str, str]:
    """Give digests of the files that a command names, by the name that it has for them.

    An interpreter named by its whole path is none of them: its version is told.
    """
    digests = {}
    for place, argument in enumerate(command):
        path = folder / argument
        if not place and Path(argument).is_absolute():
            continue
        if "{" not in argument and path.is_file():
            digests[argument] = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    return digests


@cache
def repository(folder: Path) -> Any:
    """Give the commit of a folder's git repository, and whether it was changed; null without."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return {"commit": commit, "changed": bool(_git(folder, "status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=folder, capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()


@cache
def interpreter(program: str, folder: Path) -> Mapping[str, Any]:
    """Give the version and the packages of a Python that a command starts; nothing of others."""
    path = shutil.which(program, path=None) or str(folder / program)
    if not Path(path).name.startswith("python") or not os.access(path, os.X_OK):
        return {}
    try:
        done = subprocess.run(
            [path, "-c", LIST], cwd=folder, capture_output=True, timeout=ANSWER_SECONDS, check=True
        )
        answer: Mapping[str, Any] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    return answer
