"""Runs jobs as batch jobs of a Slurm cluster: arrays of bundles, answers as files in a folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ablate.core.foreign_text import STORED, of_error, plain
from ablate.errors import SelectionError, WorkerError
from ablate.executors import slurm_job
from ablate.executors.slurm_bundle import Bundle, name_of, read, write
from ablate.executors.slurm_job import BatchJob
from ablate.records.provenance import usable_cores
from ablate.registry import component
from ablate.source import closure
from ablate.types import Json, Lost

MOST_JOBS = 1000
"""Jobs of an array, as a site allows them by default; of more stacks a job has several."""

LATE_SECONDS = 20.0
"""How long an answer may be on its way through a network's file system after its job has ended."""

LOOK_SECONDS = 2.0
"""Between two questions to the batch system, which everybody shares."""

SILENT_SECONDS = 1800.0
"""A batch system that does not answer for so long is given up; what runs goes on and is found."""

OVER = {
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY"),
    *("PREEMPTED", "TIMEOUT"),
}
"""States that a job does not leave; one that is requeued is in another."""

NEVER = {"BadConstraints", "PartitionConfig", "PartitionNodeLimit", "PartitionTimeLimit"}
"""Reasons of jobs that wait for what no time brings."""

IDS = "jobs.json"
"""The file of the batch jobs that stacks were given to, by their names."""


@component("executor", "slurm")
@dataclass(frozen=True)
class Slurm:
    """Runs stacks as batch jobs; whatever happens to the command, answers lie in a folder.

    Every node sees this package's environment, the data root and the results by the same paths. The
    same command, started again, waits for the jobs that it has in the queue and takes what they
    have answered. A job whose time is over, or that is preempted, goes on in another one.

    workers: batch jobs at a time, >= 0; 0 for 64.
    partition: of the cluster; '' for its default.
    account: that is charged; '' for the usual one.
    stacks: that a job has, >= 1, one after the other; more where an array would not hold them all.
    minutes: that a job may take, >= 1.
    cpus: processors of a job, >= 1.
    gpus: graphics cards of a job, >= 0.
    memory: of a job, in gigabytes, > 0.
    cluster: `local` starts processes of this machine instead, to try it out.
    """

    workers: int = 0
    partition: str = ""
    account: str = ""
    stacks: int = 1
    minutes: int = 240
    cpus: int = 1
    gpus: int = 0
    memory: float = 4.0
    cluster: Literal["slurm", "local"] = "slurm"

    @contextmanager
    def crew(self, sink: Callable[[bytes], object] = len) -> Iterator[Crew]:
        """Give what hands stacks to the batch system. sink: unused, jobs have logs of their own.

        Raises SelectionError without submitit, or where there is no such cluster.
        """
        try:
            import submitit
        except ImportError as error:
            raise SelectionError(
                "the executor slurm takes submitit, which is not installed: "
                "pip install 'ablate-study[slurm]'"
            ) from error
        crew = Crew(submitit, self)
        try:
            yield crew
        finally:
            crew.cancel()


@dataclass
class Crew:
    """Stacks in the queue. jobs: the batch job of each stack, by its name."""

    library: Any
    settings: Slurm
    jobs: dict[str, str] = field(default_factory=dict)
    started: dict[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Batch jobs at a time."""
        return self.settings.workers or 64

    def map(self, payloads: Sequence[Json]) -> Iterator[tuple[int, list[Json] | Lost]]:
        """Give each payload's place and its results, or why it has none, as they finish.

        Raises WorkerError where nothing can be submitted, or the batch system falls silent.
        """
        from ablate.records import fingerprints

        if not payloads:
            return
        code = closure.digest(fingerprints.engine())
        names = [name_of(payload, code) for payload in payloads]
        folder = Path(payloads[0]["site"]["folder"] or ".").absolute().parent / "slurm"
        folder.mkdir(parents=True, exist_ok=True)
        whole = Bundle(folder, tuple(names))
        waiting = dict(zip(names, range(len(names)), strict=True))
        self._submit(whole, self._unknown(whole, waiting), payloads, waiting)
        heard, ended = time.monotonic(), dict[str, float]()
        while waiting:
            for name in [name for name in waiting if whole.answer(name).exists()]:
                if (answer := read(whole.answer(name))) is not None:
                    yield waiting.pop(name), answer if isinstance(answer, Lost) else [*answer]
                    whole.take_away(name)  # it is stored now
                    self.jobs.pop(name, None)
            alive = self._alive({self.jobs[name] for name in waiting if name in self.jobs})
            now = time.monotonic()
            heard = now if alive is not None else heard
            if now - heard > SILENT_SECONDS:
                raise WorkerError(
                    f"the batch system has not answered for {SILENT_SECONDS:g} s. What had "
                    "finished is kept; the same command finds the jobs that go on"
                )
            for name in [*waiting] if alive is not None else ():
                if alive is not None and self.jobs.get(name) in alive:
                    ended.pop(name, None)
                elif now - ended.setdefault(name, now) > LATE_SECONDS:
                    reason = f"the batch job {self.jobs.pop(name, '')} ended without an answer"
                    whole.take_away(name)
                    yield waiting.pop(name), Lost(reason, by_system=True)
            if waiting:
                time.sleep(LOOK_SECONDS)

    def cancel(self) -> None:
        """Take what nobody waits for any more out of the queue."""
        for job in {job for name, job in self.jobs.items()}:
            if started := self.started.get(job):
                with suppress(Exception):
                    started.cancel(check=False)
            elif self.settings.cluster == "slurm":
                with suppress(OSError):
                    subprocess.run(["scancel", job], check=False, capture_output=True)
        self.jobs.clear()

    def _unknown(self, whole: Bundle, waiting: Mapping[str, int]) -> list[str]:
        """Name the stacks that are in no queue and have no answer; learn the jobs of the others."""
        with suppress(OSError, ValueError):
            stated = json.loads((whole.folder / IDS).read_bytes())
            there = {name: job for name, job in stated.items() if name in waiting}
            alive = self._alive({*there.values()}) or set()
            self.jobs |= {name: job for name, job in there.items() if job in alive}
        return [
            name for name in waiting if name not in self.jobs and read(whole.answer(name)) is None
        ]

    def _submit(
        self, whole: Bundle, names: Sequence[str], payloads: Sequence[Json], at: Mapping[str, int]
    ) -> None:
        """Put stacks into the queue, in bundles of one where an array holds them all."""
        if not names:
            return
        from cloudpickle import register_pickle_by_value, unregister_pickle_by_value

        for name in names:
            whole.answer(name).unlink(missing_ok=True)
            whole.put(name, payloads[at[name]])
        most = MOST_JOBS if self.settings.cluster == "slurm" else usable_cores()
        each = max(self.settings.stacks, -(-len(names) // most))
        paths = tuple(path or os.getcwd() for path in sys.path)  # noqa: PTH109
        parts = [tuple(names[i : i + each]) for i in range(0, len(names), each)]
        batch = [BatchJob(str(whole.folder), part, paths) for part in parts]
        try:
            register_pickle_by_value(slurm_job)
            executor = self._executor(whole.folder / "logs")
            with executor.batch():  # one array
                submitted = [executor.submit(job) for job in batch]
        except Exception as error:  # no such command, partition, account ...
            raise WorkerError(
                f"no job can be submitted: {plain(of_error(error), STORED)}"
            ) from error
        finally:
            unregister_pickle_by_value(slurm_job)
        for part, job in zip(parts, submitted, strict=True):
            self.started[job.job_id] = job
            self.jobs |= dict.fromkeys(part, job.job_id)
        write(whole.folder / IDS, json.dumps(self.jobs).encode())

    def _executor(self, logs: Path) -> Any:
        settings = self.settings
        executor = self.library.AutoExecutor(folder=logs, cluster=settings.cluster)
        executor.update_parameters(
            name="ablate",
            timeout_min=settings.minutes,
            cpus_per_task=settings.cpus,
            gpus_per_node=settings.gpus,
            mem_gb=settings.memory,
            slurm_array_parallelism=self.size,
            **({"slurm_partition": settings.partition} if settings.partition else {}),
            **({"slurm_account": settings.account} if settings.account else {}),
        )
        return executor

    def _alive(self, jobs: set[str]) -> set[str] | None:
        """Name the jobs among these that wait or run; None where the batch system is silent."""
        if self.settings.cluster == "local":
            return {job for job in jobs if job in self.started and not self.started[job].done()}
        if not jobs:
            return set()
        arrays = sorted({job.partition("_")[0] for job in jobs})
        command = ["squeue", "-h", "-r", "-o", "%i %T %r", "-j", ",".join(arrays)]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        if ended.returncode and "Invalid job id" not in ended.stderr:
            return None
        rows = [line.split(maxsplit=2) for line in ended.stdout.splitlines()]
        mine = [row for row in rows if len(row) > 2 and row[0] in jobs]
        for _, _, reason in mine:
            if reason in NEVER:
                raise WorkerError(
                    f"the batch system says {reason} of a job, which will never start: change the "
                    "executor's partition, minutes, memory, cpus or gpus"
                )
        return {job for job, state, _ in mine if state not in OVER}
