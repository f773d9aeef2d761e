"""How far a run command has come: counts, time left, estimates so far; shown as runs finish."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ablate.analysis import judge
from ablate.commands.terminal import say, stream
from ablate.core.foreign_text import plain
from ablate.flow import Finished, Work
from ablate.records import underway
from ablate.records.underway import Underway
from ablate.types import RunResult, Status, Suite

MOST_LINES = 100
"""Stacks of a work that has a line for each; of more there is one in some seconds."""

LINE_SECONDS = 2.0


@dataclass(frozen=True)
class Progress:
    """A picture of a running suite; `after` gives the next one.

    workers: stacks at a time. started: seconds of the monotonic clock when the work began.
    """

    suite: Suite
    work: Work
    workers: int = 1
    done: int = 0
    lost: int = 0
    spent: float = 0.0
    records: Mapping[str, RunResult] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    @cached_property
    def total(self) -> int:
        """Runs that the command set out to do."""
        return sum(len(stack.runs) for stack in self.work.stacks)

    def after(self, event: Finished) -> Progress:
        """Count a finished stack."""
        lost = sum(result.status != Status.OK for result in event.results)
        shares = self.work.seconds_by_run  # of all the work, which is what time left goes by
        return replace(
            self,
            done=self.done + len(event.results),
            lost=self.lost + lost,
            spent=self.spent + sum(shares[result.key] for result in event.results),
            records=event.records,
        )

    @property
    def running(self) -> int:
        """Runs under way: those of a usual stack for each worker, as long as there are any."""
        usual = self.total / max(1, len(self.work.stacks))
        return min(self.total - self.done, round(usual * self.workers))

    def seconds_left(self) -> float:
        """Estimate the time left from the time spent; infinite before the first stack."""
        whole = self.work.stack_seconds
        # where nobody knows how long a run takes, all take as long
        share = self.spent / whole if whole else self.done / max(1, self.total)
        if share == 0:
            return float("inf")
        return max(0.0, (time.monotonic() - self.started) * (1 - share) / share)

    def underway(self) -> Underway:
        """Give it as others are told of it."""
        return underway.now(self.total, self.done, self.lost, self.workers, self.seconds_left())

    def line(self) -> str:
        """Say it in one line."""
        left = self.seconds_left()
        when = "" if left == float("inf") else f", about {round(left)} s left"
        lost = f"{self.lost} lost (failed or diverged)" if self.lost else "0 lost"
        return f"{self.done} of {self.total} runs done, {self.running} running, {lost}{when}"

    def estimates(self) -> Iterator[tuple[str, int, str]]:
        """Give each contrast's label, its pairs and its mean difference so far."""
        runs = judge.by_variant(self.suite, self.records)
        for comparison in judge.comparisons(self.suite, runs):
            deltas = comparison.deltas
            form, unit = (".3g", "") if self.suite.measures else (".2f", " points")
            mean = f"{sum(deltas) / len(deltas):+{form}}{unit}" if deltas else "–"
            if comparison.refusal:
                mean = "these runs do not go together"
            yield f"{comparison.treatment} − {comparison.baseline}", len(deltas), mean


def show_runs(progress: Progress, events: Iterator[Finished], folder: Path) -> None:
    """Show the runs as they finish: a live display on a terminal, else a line a stack.

    folder: where others see how far it has come (`status`).
    """
    try:
        _show(progress, _pictures(progress, events, folder))
    finally:
        underway.remove(folder)


def _pictures(progress: Progress, events: Iterator[Finished], folder: Path) -> Iterator[Progress]:
    """Give the picture after each event, and leave it where others look."""
    last = time.monotonic()
    underway.write(folder, progress.underway())
    for event in events:
        progress = progress.after(event)
        if time.monotonic() - last > 1:
            last = time.monotonic()
            underway.write(folder, progress.underway())
        yield progress


def _show(progress: Progress, pictures: Iterator[Progress]) -> None:
    from rich.console import Console

    console = Console(file=stream(err=True))
    shown = [progress]
    if not console.is_terminal:
        last, few = 0.0, len(progress.work.stacks) <= MOST_LINES
        for picture in pictures:
            over = picture.done >= picture.total
            if few or over or time.monotonic() - last >= LINE_SECONDS:
                last = time.monotonic()
                say(picture.line(), err=True)
        return
    from rich.live import Live

    with Live(get_renderable=lambda: panel(shown[-1]), console=console, refresh_per_second=2):
        for picture in pictures:
            shown[:] = [picture]


def panel(progress: Progress) -> Any:
    """Lay progress out for a terminal."""
    from rich.markup import escape
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("contrast", "seeds", "difference so far"):
        table.add_column(column)
    for label, seeds, estimate in progress.estimates():
        table.add_row(escape(plain(label)), str(seeds), estimate)
    rows = Table.grid()
    for part in (progress.line(), ProgressBar(progress.total, progress.done, width=60), table):
        rows.add_row(part)
    return rows
