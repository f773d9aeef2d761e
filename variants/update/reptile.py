"""Reptile: a fixed step towards the mean of the tasks' solutions."""

from __future__ import annotations

from dataclasses import dataclass

from ablate.registry import component
from ablate.types import Choice


@component(
    "update", "reptile", paper="Nichol, Achiam & Schulman 2018, arXiv:1803.02999, Algorithm 2"
)
@dataclass(frozen=True)
class Reptile:
    """theta + epsilon * (mean_k phi_k - theta).

    epsilon: outer step, (0, 1]; 1 averages the solutions.
    """

    epsilon: float = 0.5
    can = ("carry", "scale")

    def expand(self) -> Choice:
        """Give the outer step that this name stands for."""
        fixed = Choice("step", "fixed", {"epsilon": self.epsilon})
        return Choice("update", "outer", {"gather": Choice("gather", "mean", {}), "step": fixed})
