"""Training on new rows alone: the lower bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ablate.registry import component
from ablate.types import Clock, Loss, Optimizer, Tasks, Training

from .plain import Learner, begin, ordinary


@component(
    "method",
    "fine-tune",
    paper="the lower bound; van de Ven & Tolias 2019 ('none')",
    calibrated="split MNIST, all classes: 20.25 ± 1.08, five seeds; published 19.7",
)
@dataclass(frozen=True)
class FineTune:
    """theta <- one optimizer step on the cross-entropy of the new rows among the seen classes.

    optimizer: of every step; its state is kept from task to task.
    training: batches, epochs or steps, learning-rate schedule.
    loss: of the rows' labels; null is the cross-entropy among all classes seen so far, `task-ce`
        that among the row's own task's.
    """

    optimizer: Optimizer
    training: Training
    loss: Loss | None = None
    fits = (
        ("memory", "keeps", ("nothing",), "with exemplars fine-tuning is replay: method: replay"),
    )

    def start(self, theta: Tensor, net: Any) -> Learner:
        """Give the state before the first batch."""
        return begin(self, theta)

    def step(
        self, state: Learner, tasks: Tasks, clock: Clock, net: Any, sizes: tuple[int, ...] | None
    ) -> Learner:
        """Take one step."""
        return ordinary(self, state, tasks, clock, net, sizes)  # type: ignore[no-any-return]

    def finish(self, state: Learner, clock: Clock, net: Any) -> Learner:
        """Close a task: nothing is kept of it."""
        return state

    def parameters(self, state: Learner) -> Tensor:
        """Give theta `[P]`, which a protocol may adapt before it scores."""
        return state.theta
