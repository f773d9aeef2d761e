"""Runs stacks in local worker processes, one torch thread each."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from ablate.registry import component
from ablate.types import Json


@component("executor", "processes")
@dataclass(frozen=True)
class Processes:
    """Runs stacks in a pool of spawned processes; a killed worker loses its own stack only.

    workers: processes at a time, >= 1.
    """

    workers: int = 2

    def map(self, payloads: Sequence[Json]) -> Iterator[tuple[int, list[Json] | str]]:
        """Give each payload's place and its results, or why it has none, as they finish."""
        with self.kept() as pool:
            yield from pool.map(payloads)

    @contextmanager
    def kept(self) -> Iterator[Pool]:
        """Keep the workers for several maps: each has seconds of imports behind it."""
        from pebble import ProcessPool

        workers = ProcessPool(
            max_workers=self.workers,
            context=get_context("spawn"),
            initializer=begin,
            initargs=[os.getpid()],
        )
        try:
            yield Pool(workers)
        finally:
            # also when the caller stops early: nobody waits for stacks that are not wanted any more
            workers.stop()
            workers.join()


@dataclass(frozen=True)
class Pool:
    """Worker processes that wait for stacks."""

    workers: Any

    def map(self, payloads: Sequence[Json]) -> Iterator[tuple[int, list[Json] | str]]:
        """Give each payload's place and its results, or why it has none, as they finish."""
        waiting: dict[Any, int] = {
            self.workers.schedule(work, args=[payload]): place
            for place, payload in enumerate(payloads)
        }
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                place = waiting.pop(future)
                error = future.exception()
                yield place, future.result() if error is None else lost(error)


def work(payload: Json) -> list[Json]:
    """Run one stack; imported in the worker, so that the parent never loads torch."""
    from ablate.execute import execute

    results: list[Json] = execute(payload)
    return results


def begin(parent: int) -> None:
    """Prepare a worker: the parent decides what Ctrl-C means, and its end is the worker's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)  # the parent was killed: nobody will read the results


def lost(error: BaseException) -> str:
    """Say why a worker left no result."""
    from pebble import ProcessExpired

    if isinstance(error, ProcessExpired):
        code = error.exitcode
        how = f"signal {-code}" if code and code < 0 else f"exit code {code}"
        return f"the worker process was killed ({how})"
    return f"{type(error).__name__}: {error}"
