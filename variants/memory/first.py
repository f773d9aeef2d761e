"""The first rows of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ablate.registry import component
from ablate.streams.batch_tables import equal_share
from ablate.types import Floats, Ints

if TYPE_CHECKING:
    from torch import Tensor


@component("memory", "first", paper="released code of iTAML (Rajasegaran et al., CVPR 2020)")
@dataclass(frozen=True)
class First:
    """Keeps the first m rows of each class, m = budget_rows / classes seen, in the files' order.

    budget_rows: rows kept in all, shared over the classes seen, [0, 1e9].
    """

    budget_rows: int = 200

    def quota(self, priorities: Sequence[Floats]) -> Ints:
        """Share the budget equally over the seen classes."""
        return equal_share(self.budget_rows, [len(class_rows) for class_rows in priorities])

    def rank(self, features: Tensor, valid: Tensor, priority: Tensor, keep: int) -> Tensor:
        """Leave the rows as they are: padding stands last already."""
        import torch

        return torch.arange(valid.shape[0], device=valid.device)
