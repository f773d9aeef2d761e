"""The same outer step at every task."""

from __future__ import annotations

from dataclasses import dataclass

from ablate.registry import component
from ablate.types import Clock, Number


@component("step", "fixed", paper="Nichol, Achiam & Schulman 2018 (Reptile), arXiv:1803.02999")
@dataclass(frozen=True)
class Fixed:
    """theta + epsilon * (target - theta).

    epsilon: outer step, (0, 1]; 1 takes the target itself.
    """

    epsilon: float = 0.5

    def __call__(self, clock: Clock) -> Number:
        """Give epsilon, whatever the task."""
        return self.epsilon
