"""iTAML's update as its released code runs it: a decaying step along a chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ablate.registry import component
from ablate.types import Choice


@component(
    "update", "itaml-released", paper="released code of Rajasegaran et al. 2020, arXiv:2003.11652"
)
@dataclass(frozen=True)
class ItamlReleased:
    """theta + eta_t * (phi_K - theta), eta_t = exp(-beta * (t + count_from) / T).

    Unlike the paper, tasks do not restart from theta and their solutions are not averaged: the
    line that should copy theta rebinds a variable, so phi_k = fit(phi_{k-1}, task k).

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
        return Choice(
            "update", "outer", {"gather": Choice("gather", "chain", {}), "step": decaying}
        )
