"""The inner loop: optimizer steps on one task's loss, as a pure function of flat parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap

from ablate.training.gradient import grad
from ablate.types import Inner, Number, Objective, Optimizer, Tasks

Aux = tuple[Tensor, Tensor]
"""A loss and the running statistics `[Q]` that its forward pass leaves behind."""


@dataclass(frozen=True)
class InnerLoop:
    """`r` optimizer steps on a task: `phi = fit(theta, task)`.

    objective: (theta, task) -> mean loss, or (mean loss, new buffers `[Q]`) where there are some.
    steps: r, >= 1. newest_steps: the same on the newest task of a batch; None takes r.
    rate: factor on the learning rate.
    sizes: rows of each task where the batch is ragged, `[K]`; None where every task fills it.
    buffers: Q, running statistics at the end of theta; no optimizer touches them.
    carried, running: whether the state that is threaded through tasks and batches holds the
    optimizer's state, and the buffers, which then do not restart from theta.
    """

    objective: Objective
    optimizer: Optimizer
    steps: int = 1
    rate: Number = 1.0
    sizes: tuple[int, ...] | None = None
    newest_steps: int | None = None
    buffers: int = 0
    carried: bool = True
    running: bool = False

    def __call__(self, theta: Tensor, task: Tasks, newest: bool = False) -> Tensor:
        """Give the parameters after the inner steps on one task, optimizer state fresh."""
        return self.resume(theta, task, self.fresh(theta), newest)[0]

    def fresh(self, theta: Tensor) -> Inner:
        """Give a new threaded state."""
        state = self.optimizer.init(theta) if self.carried else ()
        return (*state, self._without_buffers(theta)[1]) if self.running else state

    def resume(
        self, theta: Tensor, task: Tasks, inner: Inner, newest: bool = False
    ) -> tuple[Tensor, Inner]:
        """Take the inner steps from a threaded state; an absent task changes nothing."""
        steps = self.newest_steps if newest and self.newest_steps else self.steps
        phi, after = self._walk(theta, lambda at: self._value(at, task), inner, 1.0, steps)
        if self.sizes is None:
            return phi, after
        pairs = zip(after, inner, strict=True)
        phi = torch.where(task.present, phi, theta)
        return phi, tuple(torch.where(task.present, new, old) for new, old in pairs)

    def descend(
        self,
        theta: Tensor,
        tasks: Tasks,
        shares: Tensor,
        inner: Inner,
        scale: Number = 1.0,
        steps: int | None = None,
    ) -> tuple[Tensor, Inner]:
        """Take r (or `steps`) steps on sum_k shares_k L_k, the learning rate times `scale`."""

        def loss(at: Tensor) -> Aux:
            losses, moved = self._values(at, tasks)  # [K], [K, Q]
            return shares @ losses, shares @ moved

        return self._walk(theta, loss, inner, scale, self.steps if steps is None else steps)

    def solutions(self, theta: Tensor, tasks: Tasks) -> Tensor:
        """Give `[K, P]`: every task's solution, each started at theta."""
        if self.sizes is None and not self.newest_steps:
            return vmap(self, in_dims=(None, 0))(theta, tasks)
        parts = self.split(tasks)
        return torch.stack([self(theta, task, task is parts[-1]) for task in parts])

    def loss(self, theta: Tensor, task: Tasks) -> Tensor:
        """Give one task's mean loss at theta."""
        return self._value(theta, task)[0]

    def losses(self, theta: Tensor, tasks: Tasks) -> Tensor:
        """Give every task's mean loss at theta, `[K]`."""
        return self._values(theta, tasks)[0]

    def split(self, tasks: Tasks) -> list[Tasks]:
        """Take a batch apart into its tasks, oldest first, padding trimmed.

        Padding every task to the largest one would cost several times the arithmetic.
        """
        count = tasks.present.shape[0]
        sizes = self.sizes or (tasks.y.shape[1],) * count
        return [
            Tasks(
                x=tasks.x[k, :size],
                y=tasks.y[k, :size],
                w=tasks.w[k, :size],
                own=tasks.own[k],
                seen=tasks.seen[k],
                present=tasks.present[k],
            )
            for k, size in enumerate(sizes)
        ]

    def _walk(
        self, theta: Tensor, loss: Callable[[Tensor], Aux], inner: Inner, scale: Number, steps: int
    ) -> tuple[Tensor, Inner]:
        state = inner[:-1] if self.running else inner
        if self.running:
            theta = torch.cat([self._without_buffers(theta)[0], inner[-1]])
        if not self.carried:
            state = self.optimizer.init(theta)
        slope = grad(loss, has_aux=True)
        for _ in range(steps):
            down, moved = slope(theta)
            theta, state = self.optimizer.step(theta, down, state, self.rate * scale)
            if self.buffers:
                theta = torch.cat([self._without_buffers(theta)[0], moved])
        after = state if self.carried else ()
        return theta, (*after, self._without_buffers(theta)[1]) if self.running else after

    def _value(self, theta: Tensor, task: Tasks) -> Aux:
        result: Any = self.objective(theta, task)
        return result if self.buffers else (result, theta[:0].detach())

    def _values(self, theta: Tensor, tasks: Tasks) -> Aux:
        if self.sizes is None:
            return vmap(self._value, in_dims=(None, 0))(theta, tasks)
        losses, moved = zip(*(self._value(theta, task) for task in self.split(tasks)), strict=True)
        return torch.stack(losses), torch.stack(moved)

    def _without_buffers(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Take parameters and buffers apart."""
        end = theta.shape[0] - self.buffers
        return theta[:end], theta[end:]


def is_zero(value: object) -> bool:
    """Say whether a setting is the plain number 0, not a stacked one: then its term is left out."""
    return isinstance(value, (int, float)) and value == 0


def decayed(slope: Tensor, theta: Tensor, weight_decay: Number) -> Tensor:
    """Add weight decay to a gradient, as torch.optim does for SGD, Adam and RAdam."""
    return slope if is_zero(weight_decay) else slope + weight_decay * theta


def settled(beta: Number, n: Tensor) -> Tensor:
    """Give 1 - beta^n, in double precision: in single it cancels to few digits at small n."""
    return -torch.expm1(n.double() * torch.as_tensor(beta, dtype=torch.float64).log())


SPECK = 1e-30
"""Where second moments start: at 0 a square root has no slope, which MAML differentiates through.

Its root, 1e-15, is nothing beside the epsilon that is added to it.
"""


def at_rest(theta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give moments of no gradient yet, and the step count 0."""
    return torch.zeros_like(theta), torch.full_like(theta, SPECK), theta.new_zeros(())


def moments(
    slope: Tensor, inner: Inner, beta1: Number, beta2: Number
) -> tuple[Tensor, Tensor, Tensor]:
    """Move the two moments of Adam and its step count on by one gradient.

    In few passes over memory: on wide models they are what an optimizer's step costs.
    """
    m, v, n = inner
    if isinstance(beta2, Tensor):
        v = beta2 * v + (1 - beta2) * slope * slope
    else:
        v = torch.addcmul(beta2 * v, slope, slope, value=1 - beta2)
    return m.lerp(slope, 1 - beta1), v, n + 1
