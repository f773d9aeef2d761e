"""Averaged gradient episodic memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ablate.registry import component
from ablate.training.gradient import grad
from ablate.training.train_step import classify, flat_rows, old_and_new
from ablate.types import Batch, Loss, Net, Optimizer, Training

from ._plain import Learner, begin
from .gem import bounded


@component(
    "method",
    "a-gem",
    paper="Chaudhry et al. 2019 (A-GEM), arXiv:1812.00420, Eq. 11",
    calibrated="split MNIST in one pass, 200 rows, a reference of 128 of them: 41.50 ± 5.20, five "
    "seeds; published 45.72 ± 4.26 (arXiv:2004.07211)",
)
@dataclass(frozen=True)
class AGem:
    """v = g - (g . h / h . h) h where g . h < 0, else v = g: one constraint for all old tasks.

    g is the gradient of the new rows, h that of the exemplars in the batch.

    optimizer: the paper's is `sgd` without momentum, for which both values of `bounds` are one;
        another one's step can go against the constraint that its gradient holds.
    bounds: what the constraint binds: the `gradient` that the optimizer is given; or the
        optimizer's own `step` on the new rows, which with Adam forgets (see `gem`).
    training: batches, epochs or steps; `paired` batches are the paper's.
    loss: of the rows' labels; null is the cross-entropy among all classes seen so far, `task-ce`
        that among the row's own task's.
    """

    optimizer: Optimizer
    training: Training
    bounds: Literal["gradient", "step"] = "gradient"
    loss: Loss | None = None
    fits = (
        ("memory", "keeps", (None, "everything"), "its constraint is exemplars: it takes a memory"),
    )

    def start(self, theta: Tensor, net: Net) -> Learner:
        """Give the state before the first batch."""
        return begin(self, theta)

    def step(self, state: Learner, batch: Batch, net: Net) -> Learner:
        """Take one step."""
        old, new = old_and_new(flat_rows(batch, self.training.weights), batch)
        slope, moved = grad(lambda at: classify(net, at, new, self.loss), has_aux=True)(state.theta)
        if len(old.y):
            other = grad(lambda at: classify(net, at, old, self.loss)[0])(state.theta)
            return bounded(
                self, state, slope, moved, batch.clock, lambda way: projected(way, other)
            )
        return bounded(self, state, slope, moved, batch.clock, lambda way: way)


def projected(slope: Tensor, other: Tensor) -> Tensor:
    """Take from a gradient `[P]` what points against another, `[P]`."""
    against = (slope @ other).clamp(max=0)
    return slope - against / (other @ other).clamp(min=torch.finfo(other.dtype).tiny) * other
