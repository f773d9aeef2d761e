"""One worker process as its parent sees it: lines that never block, its end, its place."""

from __future__ import annotations

import json
import os
import pickle
import re
import selectors
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from ablate.core.foreign_text import plain
from ablate.errors import WorkerError
from ablate.types import Json

MOST_BYTES = 256_000_000
"""Bytes of one answer; a worker that sends more has gone mad."""

CHUNK = 1 << 16
ASKING_SECONDS = 3.0
"""Seconds between two looks at the processor time of a worker and of all it has started."""

DUMP_SECONDS = 2.0
"""How long a worker gets to write down where it stands."""

GONE: Json = object()
"""A message that no worker sends: its line is closed, or carries what is no message."""

LIBRARIES = ("torch", "numpy", "scipy", "sklearn", "torchvision")
"""Packages that a place is not named after: who called them is of interest."""


@dataclass
class Job:
    """What a worker is at. began: it said so, so that a component's code may have run."""

    place: int
    payload: Json
    began: bool = False


@dataclass
class Worker:
    """A process with its three lines: jobs to it, answers and prints from it.

    seconds: watched, of its start or its job; a suspended command does not watch. cpu, busy_at:
    processor seconds at the last change, and when that was; asked_at, slept: when they were last
    read, and for how long there had been no change then. verdict: why it is given up.
    foreign: other people's components that ran in it. fruitful: it took up a job. broken: what is
    wrong with its line.
    """

    process: subprocess.Popen[bytes]
    jobs: int
    answers: int
    prints: int
    dump: BinaryIO
    buffer: bytearray = field(default_factory=bytearray)
    unsent: bytes = b""
    ready: bool = False
    job: Job | None = None
    seconds: float = 0.0
    looked: float = field(default_factory=time.monotonic)
    cpu: float = 0.0
    busy_at: float = 0.0
    asked_at: float = 0.0
    slept: float = 0.0
    verdict: str | None = None
    last_words: str = ""
    broken: str = ""
    foreign: tuple[str, ...] = ()
    fruitful: bool = False

    def may_do(self, payload: Json) -> bool:
        """Say whether a job may run in this process: what other people's code left stays theirs."""
        return not self.foreign or self.foreign == tuple(payload.get("foreign", ()))

    def give(self, index: int, payload: Json) -> None:
        """Send a job."""
        self.job = Job(index, payload)
        self.foreign = self.foreign or tuple(payload.get("foreign", ()))
        self.seconds, self.looked = 0.0, time.monotonic()
        # what it used before this job is read with the first look: that takes milliseconds
        self.cpu, self.busy_at, self.asked_at, self.slept = 0.0, 0.0, 0.0, 0.0
        # a pickle keeps tuples as they are; answers are JSON: what a worker sends runs nothing here
        self.unsent = b64encode(pickle.dumps((index, payload))) + b"\n"
        self.send()

    def send(self) -> None:
        """Write what the line takes; a worker that does not read blocks nobody."""
        with suppress(BlockingIOError, BrokenPipeError):
            while self.unsent:
                self.unsent = self.unsent[os.write(self.jobs, self.unsent) :]

    def finish(self) -> None:
        """Let go of a job that was answered."""
        self.job = None

    def sleeps(self, least: float) -> float:
        """Give for how many watched seconds it has used less than `least` of the processor."""
        if self.seconds - self.asked_at < ASKING_SECONDS:
            return self.slept
        self.asked_at, used = self.seconds, processor_seconds(self.process.pid)
        if used - self.cpu >= least or used < self.cpu:
            self.cpu, self.busy_at = used, self.seconds
        self.slept = self.seconds - self.busy_at
        return self.slept

    def end(self, sink: Callable[[bytes], object]) -> None:
        """Kill the process and what it has started; read its last prints; close its lines."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)  # it leads a group: what it forked as well
        self.process.wait()
        with suppress(OSError):
            while text := os.read(self.prints, CHUNK):
                sink(text)
        for line in (self.jobs, self.answers, self.prints):
            os.close(line)


def hire() -> Worker:
    """Start a worker. It leads a session: the terminal's Ctrl-C is the parent's alone.

    Raises WorkerError where the system starts no more processes.
    """
    try:
        dump = tempfile.TemporaryFile()  # noqa: SIM115
        (jobs, to), (answers, back), (prints, out) = os.pipe(), os.pipe(), os.pipe()
        code = (
            f"import sys; sys.path[:] = {[path or os.getcwd() for path in sys.path]!r}\n"  # noqa: PTH109
            "from ablate.executors.worker import main\n"
            f"main({os.getpid()}, {jobs}, {back}, {dump.fileno()})"
        )
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", code],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            pass_fds=(jobs, back, dump.fileno()),
            start_new_session=True,
        )
    except OSError as error:
        raise WorkerError(f"no worker process can be started: {error.strerror}") from error
    for line in (jobs, back, out):
        os.close(line)
    for line in (to, answers, prints):
        os.set_blocking(line, False)
    return Worker(process=process, jobs=to, answers=answers, prints=prints, dump=dump)


def wait(workers: Sequence[Worker], seconds: float) -> None:
    """Wait until a worker has something to say, or can be told more, for `seconds` at most."""
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            selector.register(worker.answers, selectors.EVENT_READ)
            selector.register(worker.prints, selectors.EVENT_READ)
            if worker.unsent:
                selector.register(worker.jobs, selectors.EVENT_WRITE)
        selector.select(seconds)
    for worker in workers:
        worker.send()


def messages(worker: Worker, sink: Callable[[bytes], object]) -> Iterator[Json]:
    """Give the messages that are there, GONE where there will be none; prints go to the sink."""
    with suppress(BlockingIOError):
        for _ in range(64):  # a worker that prints without end does not keep the others waiting
            if not (text := os.read(worker.prints, CHUNK)):
                break
            sink(text)
    closed = False
    with suppress(BlockingIOError):
        while not (closed := not (text := os.read(worker.answers, CHUNK))):
            worker.buffer += text
            if len(worker.buffer) > MOST_BYTES:
                break
    while b"\n" in worker.buffer:
        line, _, rest = worker.buffer.partition(b"\n")
        worker.buffer = bytearray(rest)
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            worker.broken = "sent what is no answer: a component wrote into its line"
            yield GONE
            return
        yield message
    if len(worker.buffer) > MOST_BYTES:
        worker.broken = f"sent over {MOST_BYTES:,} bytes without an end"
    if closed or worker.broken:
        if closed:
            _settle(worker.process)
        yield GONE


def _settle(process: subprocess.Popen[bytes]) -> None:
    """Wait a moment for the exit code of a process whose line has closed."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(DUMP_SECONDS)


def processor_seconds(process: int) -> float:
    """Give the processor time of a process and its children; what cannot be read counts as new."""
    try:
        root = psutil.Process(process)
        family = [root, *root.children(recursive=True)]
        return sum(sum(member.cpu_times()[:2]) for member in family)
    except psutil.Error:
        return time.monotonic()


def place_of(worker: Worker, *, ask: bool = True) -> str:
    """Say where a worker stands: its own word for it, or why there is none.

    ask: make it write its place down; a fault of its own has done so already.
    """
    if ask:
        if stopped(worker.process.pid):
            return "stopped by a signal (SIGSTOP or SIGTSTP), so that it could not say where"
        with suppress(ProcessLookupError, PermissionError):
            worker.process.send_signal(signal.SIGUSR1)
        until = time.monotonic() + DUMP_SECONDS
        while not _dumped(worker) and time.monotonic() < until:
            time.sleep(0.02)
    text = _dumped(worker)
    return frame(text) if text else ("it did not say where" if ask else "")


def stopped(process: int) -> bool:
    """Say whether a process is stopped by a signal."""
    try:
        return psutil.Process(process).status() in (psutil.STATUS_STOPPED, "tracing-stop")
    except psutil.Error:
        return False


def _dumped(worker: Worker) -> str:
    return os.pread(worker.dump.fileno(), 4 * CHUNK, 0).decode("utf-8", "replace")


def frame(dump: str) -> str:
    """Name the innermost place of faulthandler's words that is no library's.

    >>> frame('Thread 0x1 (most recent call first):\\n  File "/x/rule.py", line 3 in __call__\\n')
    'in __call__ (rule.py:3)'
    """
    blocks = re.split(r"^(?:Current thread|Thread) .*$", dump, flags=re.MULTILINE)
    calls = [re.findall(r'  File "(.*)", line (\d+) in (.*)', block) for block in blocks]
    # one thread minds the parent, a component may have begun others; the main one comes last
    threads = [call for call in calls if call and call[0][2] != "_follow"]
    working = [call for call in threads if any(file.endswith("jobs.py") for file, _, _ in call)]
    frames = (working or threads[-1:] or [[]])[0]
    ours = [call for call in frames if not _library(call[0])] or frames
    if not ours:
        return "at a place that is not known"
    file, line, name = ours[0]
    return f"in {plain(name)} ({plain(Path(file).name)}:{line})"


def _library(file: str) -> bool:
    standard: Any = sysconfig.get_paths()["stdlib"]
    inside = Path(file).parts
    packages = "site-packages" in inside and any(name in inside for name in LIBRARIES)
    bundled = file.startswith(standard) and "site-packages" not in inside
    return packages or bundled or file.startswith("<frozen")
