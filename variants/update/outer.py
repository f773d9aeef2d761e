"""The outer step, taken apart: how tasks are gathered, and how far to go."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ablate.registry import component
from ablate.types import (
    Clock,
    Compiled,
    Fit,
    Gather,
    Inner,
    Number,
    OverTasks,
    Step,
    Tasks,
    TaskTarget,
)


@component("update", "outer", paper="Nichol et al. 2018 (Reptile); Rajasegaran et al. 2020 (iTAML)")
@dataclass(frozen=True)
class Outer:
    """theta + step * (target - theta), target = gather(tasks).

    gather: how the tasks' inner loops become one target.
    step: how far the parameters move towards it.
    """

    gather: Gather
    step: Step

    def __call__(self, theta: Tensor, tasks: Tasks, fit: Fit, clock: Clock) -> Tensor:
        """Give the next parameters `[P]`."""
        target, _ = self.gather(theta, tasks, fit, None)
        after: Tensor = theta + self.step(clock) * (target - theta)
        return after

    def carry(
        self, theta: Tensor, tasks: Tasks, fit: Fit, clock: Clock, inner: Inner
    ) -> tuple[Tensor, Inner | None]:
        """Do the same, threading one optimizer state through tasks and batches."""
        target, after = self.gather(theta, tasks, fit, inner)
        return theta + self.step(clock) * (target - theta), after

    def scale(self, clock: Clock, tasks: Tasks) -> Number:
        """Give how many inner steps on the mean loss one outer step is worth, to first order."""
        return self.step(clock) * self.gather.reach(tasks)

    def compiled(self) -> OverTasks | None:
        """Give the loop over tasks, where the gather has a compiled form."""
        target = self.gather.compiled() if isinstance(self.gather, Compiled) else None
        return OverTasks(target, self.step) if isinstance(target, TaskTarget) else None
