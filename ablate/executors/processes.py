"""Runs jobs in local worker processes, one torch thread each, and minds each of them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ablate.errors import WorkerError
from ablate.executors.worker_process import GONE, Worker, hire, messages, place_of, wait
from ablate.registry import component
from ablate.types import Json, Lost

EMPTY_STARTS = 3
"""Workers in a row that end before they took up a job, before no more are started."""

STARTING_SECONDS = 600.0
"""A worker imports torch and whatever plug-ins are installed; slow disks take minutes."""

IDLE_SECONDS = 600.0
"""A worker with a job that uses no processor for so long is not going to end it."""

BUSY_SECONDS = 1.0
"""Seconds of processor time that count as none: a worker looks after its parent meanwhile."""

LOOK_SECONDS = 0.2
LONGEST_STEP = 5.0
"""Seconds between two looks that count at most: a suspended command suspends its limits too."""

GRACE_SECONDS = 1.0
"""A batch system's signal reaches workers and command: the command's own comes first."""

REQUESTS = {1: "SIGHUP", 2: "SIGINT", 15: "SIGTERM"}

TAKEN = {*REQUESTS, 9}
"""Signals that end a worker from outside: those, and SIGKILL where memory runs out."""


@component("executor", "processes")
@dataclass(frozen=True)
class Processes:
    """Runs jobs in processes of their own; what a worker suffers costs its own job only.

    workers: processes at a time, >= 1.
    """

    workers: int = 2

    def map(self, payloads: Sequence[Json]) -> Iterator[tuple[int, list[Json] | Lost]]:
        """Give each payload's place and its results, or why it has none, as they finish."""
        with self.crew() as pool:
            yield from pool.map(payloads)

    @contextmanager
    def crew(self, sink: Callable[[bytes], object] = len) -> Iterator[Pool]:
        """Keep the workers for several maps: each has seconds of imports behind it.

        sink: takes what workers print.
        """
        pool = Pool(self.workers, sink)
        try:
            yield pool
        finally:
            # also when the caller stops early: nobody waits for jobs that are not wanted any more
            pool.dismiss_all()


@dataclass
class Pool:
    """Workers and what they are at; no more are started than there are jobs.

    empty: workers in a row that ended before they took up a job.
    """

    size: int
    sink: Callable[[bytes], object]
    workers: list[Worker] = field(default_factory=list)
    empty: int = 0
    last_words: str = ""

    def map(self, payloads: Sequence[Json]) -> Iterator[tuple[int, list[Json] | Lost]]:
        """Give each payload's place and its results, or why it has none, as they finish.

        A payload's `seconds` is how long it may take; `foreign` names other people's components
        in it, whose process runs nothing else afterwards. Raises WorkerError where workers end
        before they take up anything; every job that ended has been given then.
        """
        waiting = deque(enumerate(payloads))
        try:
            while waiting or any(worker.job for worker in self.workers):
                self._hand_out(waiting)
                yield from self._look(waiting)
        finally:
            for worker in [worker for worker in self.workers if worker.job]:
                self._dismiss(worker)

    def dismiss_all(self) -> None:
        """End every worker and what it has started."""
        for worker in list(self.workers):
            self._dismiss(worker)

    def _hand_out(self, waiting: deque[tuple[int, Json]]) -> None:
        """Give waiting jobs to ready workers; start as many more workers as there are jobs."""
        for worker in [w for w in self.workers if w.ready and not w.job]:
            fitting = next((job for job in waiting if worker.may_do(job[1])), None)
            if fitting is not None:
                waiting.remove(fitting)
                worker.give(*fitting)
            elif waiting:
                self._dismiss(worker)
        starting = sum(not worker.ready for worker in self.workers)
        wanted = min(self.size - len(self.workers), len(waiting) - starting)
        if self.empty >= EMPTY_STARTS:
            if waiting and not self.workers:
                raise WorkerError(
                    f"{self.empty} worker processes in a row ended before they took up any work: "
                    f"{self.last_words}. What had finished is kept"
                )
            return
        for _ in range(wanted):
            self.workers.append(hire())

    def _look(self, waiting: deque[tuple[int, Json]]) -> Iterator[tuple[int, list[Json] | Lost]]:
        """Wait a moment for messages, ends and limits; give what was answered or lost."""
        wait(self.workers, LOOK_SECONDS)
        for worker in list(self.workers):
            ended = worker.process.poll() is not None  # before reading: what it sent is all there
            for message in messages(worker, self.sink):
                if message is GONE:
                    ended = True
                elif "ready" in message:
                    worker.ready = True
                elif "broken" in message:
                    worker.last_words = message["broken"]
                elif "began" in message and worker.job:
                    worker.job.began = worker.fruitful = True
                    self.empty = 0
                elif worker.job and message.get("place") == worker.job.place:
                    yield worker.job.place, answered(message["answer"])
                    worker.finish()
                    self.empty = min(self.empty, EMPTY_STARTS - 1)  # there is one more try
                    if message["changed"]:
                        self._note(worker, message["changed"])
                        ended = True
            if not ended and (reason := self._overdue(worker)):
                ended, worker.verdict = True, reason
            if ended:
                yield from self._ended(worker, waiting)

    def _ended(
        self, worker: Worker, waiting: deque[tuple[int, Json]]
    ) -> Iterator[tuple[int, list[Json] | Lost]]:
        """Take a worker away that has ended, or has to; its job is lost only if it began."""
        code = worker.process.poll()
        if worker.verdict is None and -(code or 0) in REQUESTS:
            time.sleep(GRACE_SECONDS)
        reason = worker.verdict or why(worker)
        self._dismiss(worker)
        if not worker.fruitful:
            self.empty += 1
            self.last_words = worker.last_words or reason
        if worker.job and worker.job.began:
            yield (
                worker.job.place,
                Lost(reason, not worker.verdict and not worker.broken and taken_away(code)),
            )
        elif worker.job:
            waiting.appendleft((worker.job.place, worker.job.payload))

    def _overdue(self, worker: Worker) -> str | None:
        """Say why a worker is given up: too long at its job, at its start, stopped or asleep."""
        now = time.monotonic()
        passed, worker.looked = min(now - worker.looked, LONGEST_STEP), now
        worker.seconds += passed
        limit, idle = STARTING_SECONDS, IDLE_SECONDS
        if worker.job:
            limit = worker.job.payload.get("seconds", float("inf"))
            idle = min(worker.job.payload.get("idle", idle), limit)
        elif worker.ready:
            return None
        if worker.seconds >= limit:
            return f"timed out after {limit:g} s, {place_of(worker)}"
        if worker.sleeps(BUSY_SECONDS) >= idle:
            return f"timed out: {idle:g} s without using the processor, {place_of(worker)}"
        return None

    def _note(self, worker: Worker, changed: Sequence[str]) -> None:
        names = ", ".join(map(str, changed))
        self.sink(f"a component left {names} changed; its process was ended\n".encode())

    def _dismiss(self, worker: Worker) -> None:
        worker.end(self.sink)
        self.workers.remove(worker)


def answered(answer: Any) -> list[Json] | Lost:
    """Read a worker's answer: results, or words for what it could not do."""
    return Lost(answer) if isinstance(answer, str) else list(answer)


def taken_away(code: int | None) -> bool:
    """Say whether a process was ended from outside: a fault of its own has a signal of its own."""
    return code is not None and -code in TAKEN


def why(worker: Worker) -> str:
    """Say how a worker ended that left no result."""
    code: Any = worker.process.poll()
    if code is None or worker.broken:
        return f"the worker process {worker.broken or 'closed its line to the command'}"
    if code < 0:
        memory = ", as the system does where memory runs out" if code == -9 else ""
        fault = place_of(worker, ask=False)
        where = f"; {fault}" if fault else ""
        return f"the worker process was killed (signal {-code}{memory}){where}"
    when = "in the middle of its work" if worker.ready else "while it started"
    return f"the worker process ended {when} (exit code {code})"
