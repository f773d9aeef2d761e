"""An outer step that shrinks from task to task."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ablate.registry import component
from ablate.types import Clock, Number


@component("step", "decaying", paper="Rajasegaran et al. 2020 (iTAML), arXiv:2003.11652")
@dataclass(frozen=True)
class Decaying:
    """theta + eta_t * (target - theta), eta_t = exp(-beta * (t + count_from) / T), t = 0 .. T-1.

    beta: how fast the step decays, >= 0; 0 takes the target itself.
    count_from: what the first task counts as: 0 (the released code) or 1 (another reading of
        "current task / total tasks", a second, smaller schedule).
    """

    beta: float = 1.0
    count_from: Literal[0, 1] = 0

    def __call__(self, clock: Clock) -> Number:
        """Give eta_t; a power of a constant, so that beta may be a tensor."""
        eta: Number = math.exp(-(clock.t + self.count_from) / clock.T) ** self.beta
        return eta
