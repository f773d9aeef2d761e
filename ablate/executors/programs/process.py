"""A program as a process of its own: output in bounds, limited time, nothing left."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import psutil

MARK = "ABLATE_RUN"
"""The variable by which processes that a run has started are found, whoever adopted them."""

MOST_LOGGED = 4 << 20
"""Bytes of a log: beyond, its middle is left out."""

LONGEST_LINE = 1 << 20
"""Bytes of a line that may hold results; longer ones are cut."""

MOST_LINES = 1_000_000
"""Lines that are looked through for results, the last ones where there are more."""

GRACE_SECONDS = 2.0
"""How long a program that is ended may take to end itself."""


@dataclass(frozen=True)
class Ended:
    """How a program ended. code: its exit code, None where its time was up. lines: what it printed
    to standard output. last: the end of what it printed to standard error."""

    code: int | None
    seconds: float
    lines: Sequence[str]
    last: str


def run(
    arguments: Sequence[str] | str,
    folder: Path,
    environment: Mapping[str, str],
    limit: float,
    log: Path,
    mark: str,
) -> Ended:
    """Run a program to its end, and end whatever it has started. Raises OSError where it cannot.

    arguments: text is a line for a shell. folder: where it works. environment: beside this
    process's own. limit: seconds. log: a file for what it prints. mark: that no other run has.
    """
    started = time.monotonic()
    end_marked(mark)  # left by a command that was killed
    words = ["/bin/sh", "-c", arguments] if isinstance(arguments, str) else [*arguments]
    keeper = _keeper()
    name = str(folder / words[0]) if "/" in words[0] else words[0]
    if keeper and not shutil.which(name, path=environment.get("PATH")):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    process = subprocess.Popen(
        [*keeper, *words],
        cwd=folder,
        env={**os.environ, **environment, MARK: mark},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stderr
    out, errors = Printed(process.stdout), Printed(process.stderr)
    try:
        code: int | None = process.wait(limit)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        end_all(process.pid, mark)
        process.wait()
        for printed in (out, errors):
            printed.close()
    log.write_bytes(out.logged() + (b"\n--- standard error\n" + errors.logged()))
    return Ended(code, time.monotonic() - started, out.lines(), errors.last())


class Printed:
    """One stream of a program, read as it comes: the log's ends, and the lines of results."""

    def __init__(self, pipe: IO[bytes]) -> None:
        """Begin to read."""
        self.pipe, self.first, self.kept = pipe, bytearray(), deque[bytes]()
        self.size, self.held, self.line = 0, 0, bytearray()
        self.whole: deque[bytes] = deque(maxlen=MOST_LINES)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        with suppress(OSError, ValueError):
            while chunk := os.read(self.pipe.fileno(), 1 << 16):
                self._take(chunk)

    def _take(self, chunk: bytes) -> None:
        self.size += len(chunk)
        room = MOST_LOGGED // 2 - len(self.first)
        self.first += chunk[:room]
        if rest := chunk[room:]:
            self.kept.append(rest)
            self.held += len(rest)
            while self.held - len(self.kept[0]) > MOST_LOGGED // 2:
                self.held -= len(self.kept.popleft())
        *ended, last = chunk.replace(b"\r", b"\n").split(b"\n")
        for part in ended:
            self._line(self.line + part)
            self.line = bytearray()
        if len(self.line) < LONGEST_LINE:
            self.line += last

    def _line(self, line: bytes | bytearray) -> None:
        if line.strip():
            self.whole.append(bytes(line[:LONGEST_LINE]))

    def close(self) -> None:
        """Read what is left; a pipe that a process we could not end holds open is let go."""
        self.thread.join(GRACE_SECONDS)
        self._line(self.line)
        self.line = bytearray()
        if not self.thread.is_alive():
            self.pipe.close()

    def lines(self) -> list[str]:
        """Give the lines, whatever their bytes mean."""
        return [line.decode("utf-8", "replace") for line in self.whole]

    def logged(self) -> bytes:
        """Give the log, its middle left out where it is long."""
        end = b"".join(self.kept)
        gap = self.size - len(self.first) - len(end)
        middle = f"\n... {gap} bytes left out ...\n".encode() if gap > 0 else b""
        return bytes(self.first) + middle + end

    def last(self) -> str:
        """Give the last line that says something."""
        return next((line.strip() for line in reversed(self.lines()) if line.strip()), "")


@cache
def _keeper() -> tuple[str, ...]:
    """Give the command that has the system end a program with the worker that started it.

    A function of ours between fork and exec would do the same, and a worker that holds torch takes
    tens of milliseconds to fork.
    """
    path = shutil.which("setpriv") if sys.platform == "linux" else None
    return (path, "--pdeathsig", "KILL", "--") if path else ()


def end_all(pid: int, mark: str) -> None:
    """End a process's session, and whatever else bears the run's mark."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGTERM)
    end_marked(mark)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def end_marked(mark: str) -> None:
    """End whatever bears a run's mark."""
    left = [process for process in marked(mark) if process.pid != os.getpid()]
    for process in left:
        with suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(left, timeout=GRACE_SECONDS if left else 0)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()


def marked(mark: str) -> Iterator[psutil.Process]:
    """Give the living processes that a run has started, by its mark in their environment."""
    wanted = f"{MARK}={mark}".encode()
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError, psutil.Error):
            if wanted in path.read_bytes().split(b"\0"):
                process = psutil.Process(int(path.parent.name))
                if process.status() != psutil.STATUS_ZOMBIE:
                    yield process
