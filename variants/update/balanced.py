"""No meta update: one step on the mean of the tasks' losses; with `match`, at an arm's step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from ablate.registry import component
from ablate.types import Clock, Fit, Inner, Number, OverRows, Tasks, Update


@component("update", "balanced", paper="plain SGD on the mean of the task losses")
@dataclass(frozen=True)
class Balanced:
    """theta - scale * alpha * grad mean_k L_k(theta), over the tasks present in the batch.

    match: an arm (or an update) whose effective step is taken, to first order: scale is its outer
        step, times the tasks present where it chains them, times the r inner steps where only one
        step is taken here. Only the rule is the other arm's; r, learning rate and schedule are this
        arm's own. null leaves the learning rate alone.
    steps: `one` step on a batch, or as many as the `inner` loop would take (equal gradient
        evaluations for every row).
    momentum: m of the optimizer whose state that arm carries, where this arm's has none, [0, 1):
        scale is divided by 1 - m, which is how much further a velocity goes at rest, on slopes that
        stay as they are (Sutskever et al. 2013, ICML); 0 leaves the step alone.

    With plain SGD and r = 1, matched to gather = mean, this is that update exactly: at one inner
    step there is nothing meta left.
    """

    match: Update | None = None
    steps: Literal["one", "inner"] = "one"
    momentum: float = 0.0
    can = ("scale",)
    needs = {("match", "*"): ("match", "scale")}  # noqa: RUF012 (read as a literal, never changed)

    def __call__(self, theta: Tensor, tasks: Tasks, fit: Fit, clock: Clock) -> Tensor:
        """Give the next parameters `[P]`."""
        return self.carry(theta, tasks, fit, clock, fit.fresh(theta))[0]

    def carry(
        self, theta: Tensor, tasks: Tasks, fit: Fit, clock: Clock, inner: Inner
    ) -> tuple[Tensor, Inner]:
        """Do the same from a given optimizer state."""
        present = tasks.present.to(theta.dtype)  # [K]
        shares = present / present.sum().clamp(min=1)
        steps = 1 if self.steps == "one" else fit.steps
        scale = self._stretched(clock, tasks, fit.steps)
        return fit.descend(theta, tasks, shares, inner, scale, steps)

    def scale(self, clock: Clock, tasks: Tasks) -> Number:
        """Give the factor on the learning rate."""
        rule: Any = self.match
        return (rule.scale(clock, tasks) if rule else 1.0) / (1 - self.momentum)

    def compiled(self) -> OverRows:
        """Give the step on all rows, every task weighing the same."""
        return OverRows(by_task=True, once=self.steps == "one", scale=self._stretched)

    def _stretched(self, clock: Clock, tasks: Tasks, inner_steps: int) -> Number:
        steps = 1 if self.steps == "one" else inner_steps
        return self.scale(clock, tasks) * (inner_steps / steps if self.match else 1.0)
