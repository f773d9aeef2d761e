"""A learning rate that drops at given epochs of each task."""

from __future__ import annotations

from dataclasses import dataclass

from ablate.registry import component
from ablate.types import Clock, Number


@component("schedule", "milestones", paper="as in torch.optim.lr_scheduler.MultiStepLR")
@dataclass(frozen=True)
class Milestones:
    """alpha * factor^(number of milestones passed), the epochs counted anew in each task.

    epochs: the milestones, each >= 0, counted from 0.
    factor: what each one multiplies the learning rate by, (0, 1].
    last_task: what the learning rate is multiplied by in the last task, (0, 10]; the released code
        takes 0.05 instead of 0.1 there on MNIST, so 0.5.
    """

    epochs: tuple[int, ...] = (5, 10, 15)
    factor: float = 0.5
    last_task: float = 1.0

    def __call__(self, clock: Clock) -> Number:
        """Give the factor on the learning rate."""
        whole = self.last_task if clock.t == clock.T - 1 else 1.0
        return whole * self.factor ** sum(clock.epoch >= epoch for epoch in self.epochs)
