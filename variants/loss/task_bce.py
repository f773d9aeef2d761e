"""iTAML's inner loss: every task's own logits as independent yes-or-no questions."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ablate.compiled import slopes
from ablate.registry import component
from ablate.training.train_step import binary
from ablate.types import Slope, Tasks


@component("loss", "task-bce", paper="Rajasegaran et al. 2020 (iTAML), arXiv:2003.11652")
@dataclass(frozen=True)
class TaskBce:
    """Binary cross-entropy with logits on the task's own U logits, mean over rows and logits."""

    own_task = True

    def __call__(self, logits: Tensor, task: Tasks) -> Tensor:
        """Give the mean loss, a scalar, of logits `[B, C]`."""
        return binary(logits, task)

    def compiled(self) -> Slope:
        """Give its slope at the logits."""
        return slopes.binary
