"""The Bayesian signed-rank test: how probable is each side of the margin, over data sets?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ablate.types import Floats

DRAWS = 20_000
MOST = 1_000
STRENGTH = 0.5
"""Of the prior, in data sets: one pseudo-observation of no difference."""


@dataclass(frozen=True)
class Sides:
    """Posterior probabilities that most Walsh averages are below, inside or above the margin.

    `nan` without a margin, and for more than 1,000 data sets.
    """

    below: float
    inside: float
    above: float


def signed_rank(differences: Sequence[float], margin: float) -> Sides:
    """Give the posterior of a Dirichlet process around an observation at 0.

    For weights w ~ Dirichlet(1/2, 1, ..., 1) on (0, z_1, ..., z_n), the share of (i, j) whose
    z_i + z_j lies below -2 margin, inside, or above; the largest share wins the draw. 20,000 draws
    from a fixed generator; ties between shares are split. Benavoli et al. 2014 (ICML), 2017 (JMLR
    18(77)).
    """
    if not margin >= 0 or len(differences) > MOST:  # every draw weighs every pair of data sets
        return Sides(math.nan, math.nan, math.nan)
    z = np.array([0.0, *differences])
    edge = 2 * margin + 1e-9 * max(margin, float(np.abs(z).max()))  # on the margin is inside
    sums = np.add.outer(z, z)
    weights = _weights(len(z))
    low, high = (
        ((weights @ region.astype(float)) * weights).sum(1)
        for region in (sums < -edge, sums > edge)
    )
    shares = np.stack([low, 1 - low - high, high])
    won = shares >= shares.max(0) - 1e-12
    below, inside, above = (won / won.sum(0)).mean(1)
    return Sides(float(below), float(inside), float(above))


@lru_cache(maxsize=4)
def _weights(n: int) -> Floats:
    """Give the Dirichlet weights of the prior's observation and n - 1 differences, `[draw, n]`."""
    return np.random.default_rng(0).dirichlet([STRENGTH, *[1.0] * (n - 1)], DRAWS)
