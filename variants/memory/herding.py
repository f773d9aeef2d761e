"""Exemplars whose mean stays close to their class's mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ablate.registry import component
from ablate.streams.batch_tables import equal_share
from ablate.types import Floats, Ints

if TYPE_CHECKING:
    from torch import Tensor


@component("memory", "herding", paper="Rebuffi et al. 2017 (iCaRL), arXiv:1611.07725, Algorithm 4")
@dataclass(frozen=True)
class Herding:
    """p_j = argmin_x | mu - (f(x) + sum_{i<j} f(p_i)) / j |, f the normalised features.

    The ranking is made once, when the class is new; later budgets keep its first rows.

    budget_rows: rows kept in all, shared over the classes seen, [0, 1e9].
    """

    budget_rows: int = 200
    reads_features = True

    def quota(self, priorities: Sequence[Floats]) -> Ints:
        """Share the budget equally over the seen classes."""
        return equal_share(self.budget_rows, [len(class_rows) for class_rows in priorities])

    def rank(self, features: Tensor, valid: Tensor, priority: Tensor, keep: int) -> Tensor:
        """Choose greedily `keep` times; the rows not chosen follow in the files' order."""
        import torch

        rows = valid.shape[0]
        unit = features / features.norm(dim=-1, keepdim=True).clamp(min=1e-12)
        unit = torch.where(valid[:, None], unit, 0)
        mean = unit.sum(0) / valid.sum()
        lengths = (unit * unit).sum(-1)
        places = torch.arange(rows, device=valid.device)
        total, free = torch.zeros_like(mean), valid
        chosen = []
        for j in range(1, min(keep, rows) + 1):
            # |j mu - total - f|^2 without the part that is the same for every row
            distance = lengths - 2 * (unit @ (j * mean - total))
            best = distance.masked_fill(~free, float("inf")).argmin()
            is_free = free.index_select(0, best[None])  # it is not where every row was chosen
            total = total + unit.index_select(0, best[None])[0] * is_free
            free = free & (places != best)
            chosen.append(torch.where(is_free, best, rows))
        # sort keys: chosen rows get 0, 1, 2 ..., others their place behind them, padding the end
        keys = torch.where(valid, rows + places, 3 * rows + places)
        if not chosen:
            return keys.argsort()
        beyond = torch.cat([keys, keys[:1]])  # a place that takes what was chosen of nothing
        ranks = torch.arange(len(chosen), device=valid.device)
        return beyond.scatter(0, torch.cat(chosen), ranks)[:rows].argsort()
