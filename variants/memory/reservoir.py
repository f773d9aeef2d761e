"""A uniform sample of all rows seen, whatever their class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ablate.registry import component
from ablate.types import Floats, Ints

if TYPE_CHECKING:
    from torch import Tensor


@component("memory", "reservoir", paper="Vitter 1985, Algorithm R; Chaudhry et al. 2019")
@dataclass(frozen=True)
class Reservoir:
    """Keeps budget_rows rows, every row seen equally likely: those of the smallest random keys.

    A class's share is left to chance. Unlike the paper, rows carry keys instead of being replaced
    one by one; the sample after each task has the same distribution.

    budget_rows: rows kept in all, [0, 1e9].
    """

    budget_rows: int = 200

    def quota(self, priorities: Sequence[Floats]) -> Ints:
        """Count each class's rows among the smallest keys of all."""
        of_class = np.repeat(
            np.arange(len(priorities)), [len(class_rows) for class_rows in priorities]
        )
        smallest = np.concatenate(priorities).argsort(kind="stable")[: self.budget_rows]
        return np.bincount(of_class[smallest], minlength=len(priorities))

    def rank(self, features: Tensor, valid: Tensor, priority: Tensor, keep: int) -> Tensor:
        """Order the rows by their key, padding last."""
        return priority.masked_fill(~valid, 2.0).argsort()
