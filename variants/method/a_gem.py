"""Averaged gradient episodic memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import grad

from ablate.learn import apart, classify, flat, move
from ablate.registry import component
from ablate.types import Clock, Optimizer, Tasks, Training

from .plain import Learner, begin


@component("method", "a-gem", paper="Chaudhry et al. 2019 (A-GEM), arXiv:1812.00420, Eq. 11")
@dataclass(frozen=True)
class AGem:
    """v = g - (g . h / h . h) h where g . h < 0, else v = g: one constraint for all old tasks.

    g is the gradient of the new rows, h that of the exemplars in the batch.

    optimizer: takes v for the gradient; its state is kept from task to task.
    training: batches, epochs or steps; `paired` batches are the paper's.
    """

    optimizer: Optimizer
    training: Training
    fits = (("memory", "keeps", (None, "everything"), "its constraint is exemplars: it takes a "
             "memory"),)  # fmt: skip

    def start(self, theta: Tensor, net: Any) -> Learner:
        """Give the state before the first batch."""
        return begin(self, theta)

    def step(
        self, state: Learner, tasks: Tasks, clock: Clock, net: Any, sizes: tuple[int, ...] | None
    ) -> Learner:
        """Take one step."""
        old, new = apart(flat(tasks, sizes, self.training.weights), tasks, sizes)
        slope, moved = grad(lambda at: classify(net, at, new), has_aux=True)(state.theta)
        if len(old.y):
            other = grad(lambda at: classify(net, at, old)[0])(state.theta)
            slope = projected(slope, other)
        theta, inner = move(slope, moved, state.theta, state.inner, self, clock)
        return Learner(theta, inner)

    def finish(self, state: Learner, clock: Clock, net: Any) -> Learner:
        """Close a task: the memory chooses its exemplars."""
        return state

    def parameters(self, state: Learner) -> Tensor:
        """Give theta `[P]`, which a protocol may adapt before it scores."""
        return state.theta


def projected(slope: Tensor, other: Tensor) -> Tensor:
    """Take from a gradient `[P]` what points against another, `[P]`."""
    against = (slope @ other).clamp(max=0)
    return slope - against / (other @ other).clamp(min=torch.finfo(other.dtype).tiny) * other
