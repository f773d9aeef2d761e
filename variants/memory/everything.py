"""All rows of all tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ablate.registry import component
from ablate.types import Floats, Ints

if TYPE_CHECKING:
    from torch import Tensor


@component("memory", "everything", paper="joint or offline training, the usual upper bound")
@dataclass(frozen=True)
class Everything:
    """Keeps every row: no incremental learner may, so what is reached with it is an upper bound."""

    keeps = "everything"

    def quota(self, priorities: Sequence[Floats]) -> Ints:
        """Give all rows of every seen class."""
        return np.array([len(class_rows) for class_rows in priorities], dtype=np.int64)

    def rank(self, features: Tensor, valid: Tensor, priority: Tensor, keep: int) -> Tensor:
        """Leave the rows as they are."""
        import torch

        return torch.arange(valid.shape[0], device=valid.device)
