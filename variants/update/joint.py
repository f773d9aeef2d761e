"""No meta update: one step on the loss of the batch as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from ablate.registry import component
from ablate.types import Clock, Fit, Inner, OverRows, Tasks


@component("update", "joint", paper="plain SGD on the batch; Robbins & Monro 1951")
@dataclass(frozen=True)
class Joint:
    """theta - alpha * grad of the mean loss over all rows of the batch, whatever their task.

    steps: `one` step on a batch, or as many as the `inner` loop would take (equal gradient
        evaluations for every row).
    """

    steps: Literal["one", "inner"] = "one"

    def __call__(self, theta: Tensor, tasks: Tasks, fit: Fit, clock: Clock) -> Tensor:
        """Give the next parameters `[P]`."""
        return self.carry(theta, tasks, fit, clock, fit.fresh(theta))[0]

    def carry(
        self, theta: Tensor, tasks: Tasks, fit: Fit, clock: Clock, inner: Inner
    ) -> tuple[Tensor, Inner]:
        """Do the same from a given optimizer state."""
        rows = tasks.w.sum(-1)  # [K]
        shares = rows / rows.sum().clamp(min=1)
        steps = 1 if self.steps == "one" else fit.steps
        return fit.descend(theta, tasks, shares, inner, 1.0, steps)

    def compiled(self) -> OverRows:
        """Give the step on all rows, every row weighing the same."""
        return OverRows(by_task=False, once=self.steps == "one")
