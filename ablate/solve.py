"""The inner loop: optimizer steps on one task's loss, as a pure function of flat parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import grad, vmap

from ablate.types import Inner, Objective, Optimizer, Tasks


@dataclass(frozen=True)
class InnerLoop:
    """`r` optimizer steps on a task: `phi = fit(theta, task)`.

    objective: (theta, task) -> mean loss. steps: r, >= 1. rate: factor on the learning rate.
    sizes: rows of each task where the batch is ragged, `[K]`; None where every task fills it.
    """

    objective: Objective
    optimizer: Optimizer
    steps: int = 1
    rate: Any = 1.0
    sizes: tuple[int, ...] | None = None

    def __call__(self, theta: Tensor, task: Tasks) -> Tensor:
        """Give the parameters after the inner steps on one task, optimizer state fresh."""
        return self.resume(theta, task, self.fresh(theta))[0]

    def fresh(self, theta: Tensor) -> Inner:
        """Give a new optimizer state."""
        return self.optimizer.init(theta)

    def resume(self, theta: Tensor, task: Tasks, inner: Inner) -> tuple[Tensor, Inner]:
        """Take the inner steps from a given optimizer state; an absent task changes nothing."""
        phi, after = self.descend(theta, lambda at: self.objective(at, task), inner, 1.0)
        if self.sizes is None:
            return phi, after
        kept = zip(after, inner, strict=True)
        phi = torch.where(task.present, phi, theta)
        return phi, tuple(torch.where(task.present, new, old) for new, old in kept)

    def descend(
        self,
        theta: Tensor,
        loss: Callable[[Tensor], Tensor],
        inner: Inner,
        scale: Any,
        steps: int | None = None,
    ) -> tuple[Tensor, Inner]:
        """Take optimizer steps on any loss, the learning rate multiplied by `scale`."""
        slope = grad(loss)
        for _ in range(self.steps if steps is None else steps):
            theta, inner = self.optimizer.step(theta, slope(theta), inner, self.rate * scale)
        return theta, inner

    def each(self, theta: Tensor, tasks: Tasks) -> Tensor:
        """Give `[K, P]`: every task's solution, each started at theta."""
        if self.sizes is None:
            return vmap(self, in_dims=(None, 0))(theta, tasks)
        return torch.stack([self(theta, task) for task in self.split(tasks)])

    def losses(self, theta: Tensor, tasks: Tasks) -> Tensor:
        """Give every task's mean loss at theta, `[K]`."""
        if self.sizes is None:
            return vmap(self.objective, in_dims=(None, 0))(theta, tasks)
        return torch.stack([self.objective(theta, task) for task in self.split(tasks)])

    def split(self, tasks: Tasks) -> list[Tasks]:
        """Take a batch apart into its tasks, padding trimmed.

        Padding every task to the largest one would cost several times the arithmetic.
        """
        count = tasks.present.shape[0]
        sizes = self.sizes or (tasks.y.shape[1],) * count
        return [
            Tasks(
                tasks.x[k, :size],
                tasks.y[k, :size],
                tasks.w[k, :size],
                tasks.own[k],
                tasks.seen[k],
                tasks.present[k],
            )
            for k, size in enumerate(sizes)
        ]


def is_zero(value: Any) -> bool:
    """Say whether a setting is the plain number 0, not a stacked one: then its term is left out."""
    return isinstance(value, (int, float)) and value == 0


def decayed(slope: Tensor, theta: Tensor, weight_decay: Any) -> Tensor:
    """Add weight decay to a gradient, as torch.optim does for SGD, Adam and RAdam."""
    return slope if is_zero(weight_decay) else slope + weight_decay * theta


def settled(beta: Any, n: Tensor) -> Tensor:
    """Give 1 - beta^n, in double precision: in single it cancels to few digits at small n."""
    return -torch.expm1(n.double() * torch.as_tensor(beta, dtype=torch.float64).log())


def moments(slope: Tensor, inner: Inner, beta1: Any, beta2: Any) -> tuple[Tensor, Tensor, Tensor]:
    """Move the two moments of Adam and its step count on by one gradient."""
    m, v, n = inner
    return beta1 * m + (1 - beta1) * slope, beta2 * v + (1 - beta2) * slope * slope, n + 1
