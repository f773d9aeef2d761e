"""Rows drawn at random, as many of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ablate.registry import component
from ablate.streams.batch_tables import equal_share
from ablate.types import Floats, Ints

if TYPE_CHECKING:
    from torch import Tensor


@component(
    "memory",
    "random",
    paper="budgets as in Rebuffi et al. 2017 (iCaRL); rows drawn at random",
)
@dataclass(frozen=True)
class Random:
    """Keeps m rows of each class drawn without replacement, m = budget_rows / classes seen.

    budget_rows: rows kept in all, shared over the classes seen, [0, 1e9].
    """

    budget_rows: int = 200

    def quota(self, priorities: Sequence[Floats]) -> Ints:
        """Share the budget equally over the seen classes."""
        return equal_share(self.budget_rows, [len(class_rows) for class_rows in priorities])

    def rank(self, features: Tensor, valid: Tensor, priority: Tensor, keep: int) -> Tensor:
        """Order the rows by their random priority, padding last."""
        return priority.masked_fill(~valid, 2.0).argsort()
