"""Reptile's fixed step with iTAML's released, chained inner loops."""

from __future__ import annotations

from dataclasses import dataclass

from ablate.registry import component
from ablate.types import Choice


@component(
    "update",
    "reptile-chain",
    paper="Nichol et al. 2018, arXiv:1803.02999, step; released code of iTAML, gather",
)
@dataclass(frozen=True)
class ReptileChain:
    """theta + epsilon * (phi_K - theta), phi_k = fit(phi_{k-1}, task k).

    epsilon: outer step, (0, 1]; 1 is plain sequential training over the tasks.
    """

    epsilon: float = 0.5
    can = ("carry", "scale")

    def expand(self) -> Choice:
        """Give the outer step that this name stands for."""
        fixed = Choice("step", "fixed", {"epsilon": self.epsilon})
        return Choice("update", "outer", {"gather": Choice("gather", "chain", {}), "step": fixed})
