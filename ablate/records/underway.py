"""What a command that runs leaves for others to see: a small file, written anew every second."""

from __future__ import annotations

import json
import math
import os
import platform
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import psutil

PATTERN = ".running-*.json"
"""The files in a suite's folder of results, one a command."""

QUIET_SECONDS = 120.0
"""A command of another machine that has said nothing for so long may be gone."""


@dataclass(frozen=True)
class Underway:
    """A command at work on a suite. host, pid: its process. born: when that began, as the system
    says. heard: when it last wrote this; both in seconds since 1970. total: runs that it set out to
    do; done, lost: of those. workers: stacks at a time. seconds_left: nan where nobody knows.
    """

    host: str
    pid: int
    born: float
    heard: float
    total: int
    done: int
    lost: int
    workers: int
    seconds_left: float = math.nan

    @property
    def alive(self) -> bool:
        """Say whether it goes on: of this machine for certain, else as far as it was heard of."""
        if self.host != platform.node():
            return time.time() - self.heard < QUIET_SECONDS
        try:
            return abs(psutil.Process(self.pid).create_time() - self.born) < 1
        except psutil.Error:
            return False


def now(total: int, done: int, lost: int, workers: int, seconds_left: float) -> Underway:
    """Give what this process is at."""
    return Underway(
        host=platform.node(),
        pid=os.getpid(),
        born=psutil.Process().create_time(),
        heard=time.time(),
        total=total,
        done=done,
        lost=lost,
        workers=workers,
        seconds_left=seconds_left if math.isfinite(seconds_left) else math.nan,
    )


def write(folder: Path, work: Underway) -> None:
    """Leave it in a folder; what cannot be written is no reason to stop a run."""
    path = _path(folder, work.host, work.pid)
    with suppress(OSError):
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps(asdict(work)))
        beside.replace(path)


def remove(folder: Path) -> None:
    """Take this process's file away."""
    with suppress(OSError):
        _path(folder, platform.node(), os.getpid()).unlink(missing_ok=True)


def read(folder: Path) -> Iterator[Underway]:
    """Give the commands that are at work, as far as their files can be read."""
    kinds = {field.name: (int, float) for field in fields(Underway)} | {"host": (str,)}
    for path in sorted(folder.glob(PATTERN)):
        with suppress(OSError, ValueError, TypeError):
            stated = json.loads(path.read_text())
            same = isinstance(stated, dict) and stated.keys() == kinds.keys()
            if same and all(isinstance(stated[k], kinds[k]) for k in kinds):
                yield Underway(**stated)


def _path(folder: Path, host: str, pid: int) -> Path:
    name = "".join(letter if letter.isalnum() else "-" for letter in host)
    return folder / PATTERN.replace("*", f"{name}-{pid}")
