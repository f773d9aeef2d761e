"""Training on new rows alone: the lower bound."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ablate.registry import component
from ablate.types import Batch, CompiledStep, Loss, Net, Optimizer, Training

from ._plain import Learner, begin, ordinary, ordinary_form


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

    def start(self, theta: Tensor, net: Net) -> Learner:
        """Give the state before the first batch."""
        return begin(self, theta)

    def step(self, state: Learner, batch: Batch, net: Net) -> Learner:
        """Take one step."""
        return Learner(*ordinary(self, *state, batch, net))

    def compiled(self) -> CompiledStep:
        """Give its step as one on all rows."""
        return ordinary_form(self)
