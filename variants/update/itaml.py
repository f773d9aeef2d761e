"""iTAML's update as its paper describes it: a decaying step towards the mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ablate.registry import component
from ablate.types import Choice


@component("update", "itaml", paper="Rajasegaran et al. 2020, arXiv:2003.11652, Algorithm 1")
@dataclass(frozen=True)
class Itaml:
    """theta + eta_t * (mean_k phi_k - theta), eta_t = exp(-beta * (t + count_from) / T).

    beta: how fast the step decays, >= 0.
    count_from: what the first task counts as, 0 or 1.
    """

    beta: float = 1.0
    count_from: Literal[0, 1] = 0
    can = ("carry", "scale")

    def expand(self) -> Choice:
        """Give the outer step that this name stands for."""
        settings = {"beta": self.beta, "count_from": self.count_from}
        decaying = Choice("step", "decaying", settings)
        return Choice("update", "outer", {"gather": Choice("gather", "mean", {}), "step": decaying})
