"""Options of who does a command's work, and the executor that they choose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ablate.commands.terminal import ComponentLog, say

if TYPE_CHECKING:
    from ablate.types import Choice, Suite


@dataclass(frozen=True)
class Labour:
    """What a command says of who does its work: how many, where, and how long a stack may take."""

    workers: int | None = None
    executor: str | None = None
    stack_timeout: float | None = None

    def where(self, suite: Suite) -> Choice | None:
        """Give the executor that the command names, else the suite's own; None for the usual."""
        from ablate.plan.opening import read_executor

        return read_executor(self.executor) if self.executor else suite.executor


def labour_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of who does its work; it receives a Labour."""

    @wraps(command)
    def working(
        *values: Any,
        workers: int | None,
        executor: str | None,
        stack_timeout: float | None,
        **rest: Any,
    ) -> None:
        command(*values, labour=Labour(workers, executor, stack_timeout), **rest)

    options = (
        click.option(
            "--workers",
            type=click.IntRange(1, 1024),
            help="Stacks at a time [default: one a core, or as many as a cluster holds]; 1 runs "
            "everything in the command's own process.",
        ),
        click.option(
            "--executor",
            metavar="NAME",
            help="Where stacks run: inline, processes, ray, slurm, or one with settings as a suite "
            "has it, 'ray: {gpus: 0.5}' [default: the suite's own, else processes].",
        ),
        click.option(
            "--stack-timeout",
            type=click.FloatRange(0, min_open=True),
            metavar="SECONDS",
            help="How long a stack of runs may take [default: 200 times its estimate, half an hour "
            "at least; ten minutes where its process does not use the processor].",
        ),
    )
    for option in reversed(options):
        working = option(working)
    return working


@contextmanager
def workforce(labour: Labour, suite: Suite, folder: Path) -> Iterator[Any]:
    """Keep an executor for a suite, with `size` workers; a log of prints stands in the folder."""
    from ablate import flow
    from ablate.records.provenance import usable_cores

    log, where, workers = ComponentLog(folder / "components.log"), labour.where(suite), 0
    if not where or where.name == "processes":
        workers = usable_cores()
    inline = labour.workers == 1 and not where
    try:
        count = labour.workers or workers
        with flow.crew(count, log.write, inline=inline, where=where) as crew:
            yield crew
    finally:
        if line := log.line():
            say(line, err=True)
        log.close()
