"""Learning without forgetting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.inner_loop import is_zero
from ablate.training.train_step import (
    Rows,
    descend,
    flat_rows,
    labelled,
    mean_over_rows,
    soft_labels,
)
from ablate.types import Batch, Clock, Loss, Net, Optimizer, TaskClasses, Training

from ._plain import Taught, untaught


@component(
    "method",
    "lwf",
    paper="Li & Hoiem 2016 (LwF), arXiv:1606.09282, Eq. 1 to 4",
    calibrated="split MNIST, a head for each task: 99.47 ± 0.21, five seeds; published 99.6 "
    "(arXiv:1904.07734)",
)
@dataclass(frozen=True)
class Lwf:
    """L = cross-entropy + strength sum over old classes of -p_c log q_c.

    p and q are the old and the new model's softmax over the old classes at a temperature, on the
    new rows. The paper has a head for each task: with `loss: task-ce` p and q are softmaxes over
    each old task's classes, summed over tasks. Without it all classes are one head, and new rows
    are told apart from old classes too. Unlike the paper, there is no warm-up of the new logits.

    optimizer: of every step; its state is kept from task to task.
    training: batches, epochs or steps.
    strength: lambda_0, >= 0; 0 is fine-tuning.
    balance: of the two losses: `sum` (the paper's Eq. 1); or `tasks`, 1 / t of the t tasks seen for
        the new rows' and the rest for the distillation, times T^2 (van de Ven & Tolias 2019).
    temperature: T of the softmax, (0, 1000].
    loss: of the rows' labels; null is the cross-entropy among all classes seen so far, `task-ce`
        that among the row's own task's.
        With that each old task's head is distilled on its own, as in the paper.
    """

    optimizer: Optimizer
    training: Training
    strength: float = 1.0
    balance: Literal["sum", "tasks"] = "sum"
    temperature: float = 2.0
    loss: Loss | None = None

    def start(self, theta: Tensor, net: Net) -> Taught:
        """Give the state before the first batch."""
        return untaught(self, theta)

    def step(self, state: Taught, batch: Batch, net: Net) -> Taught:
        """Take one step on the cross-entropy and the distillation."""
        clock = batch.clock
        rows = flat_rows(batch, self.training.weights)
        distils = clock.t > 0 and not is_zero(self.strength)
        taught = net(state.old, rows.x) if distils else None

        def loss(at: Tensor) -> tuple[Tensor, Tensor]:
            logits, moved = net.train(at, rows.x)
            value = labelled(logits, rows, self.loss)
            if taught is None:
                return value, moved
            old = self.strength * mean_over_rows(self._apart(logits, taught, rows, clock), rows.w)
            if self.balance == "tasks":
                share = 1 / (clock.t + 1)
                return share * value + (1 - share) * self.temperature**2 * old, moved
            return value + old, moved

        theta, inner = descend(loss, state.theta, state.inner, self, clock)
        return state._replace(theta=theta, inner=inner)

    def _apart(self, logits: Tensor, taught: Tensor, rows: Rows, clock: Clock) -> Tensor:
        """Give how far each row is from the old model's answer, `[N]`; see the class."""
        if not getattr(self.loss, "own_task", False):
            return soft_labels(logits, taught, rows.before, self.temperature)
        classes = rows.classes or TaskClasses.of(clock.T, logits.shape[-1])
        student, old = logits / self.temperature, taught / self.temperature
        lost = [
            -(old[:, head].softmax(-1) * student[:, head].log_softmax(-1)).sum(-1)
            for head in classes.slices[: clock.t]
        ]
        return torch.stack(lost, -1).sum(-1)

    def finish(self, state: Taught, clock: Clock, net: Net) -> Taught:
        """Close a task: the model becomes the old one."""
        return state._replace(old=state.theta)
