"""Cross-entropy masked to the task."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ablate.compiled import slopes
from ablate.registry import component
from ablate.training.train_step import cross_entropy
from ablate.types import Slope, Tasks


@component("loss", "task-ce", paper="the task-incremental loss; van de Ven & Tolias 2019")
@dataclass(frozen=True)
class TaskCe:
    """Cross-entropy among the task's own U classes, mean over rows."""

    own_task = True

    def __call__(self, logits: Tensor, task: Tasks) -> Tensor:
        """Give the mean loss, a scalar, of logits `[B, C]`."""
        return cross_entropy(logits, task, task.own)

    def compiled(self) -> Slope:
        """Give its slope at the logits."""
        return slopes.among_own
