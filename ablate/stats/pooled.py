"""A mean over data sets whose seeds are not shared: each brings its own error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pooled:
    """The mean of the blocks' mean differences, equal weights, with its standard error.

    df: Welch & Satterthwaite's degrees of freedom of that error.
    """

    estimate: float
    error: float
    df: float

    def interval(self, alpha: float = 0.05) -> tuple[float, float]:
        """Give the 1 - alpha interval."""
        from scipy.stats import t

        half = float(t.isf(alpha / 2, self.df)) * self.error
        return self.estimate - half, self.estimate + half

    def reach(self, power: float) -> float:
        """Give how far the estimate lies above the truth in `power` of studies, at most."""
        from scipy.stats import t

        return float(t.ppf(power, self.df)) * self.error

    def claims(self, margin: float) -> tuple[float, float]:
        """Give the p of a mean beyond the margin, either way, and of a mean inside it."""
        from scipy.stats import t

        beyond = min(1.0, 2 * float(t.sf((abs(self.estimate) - margin) / self.error, self.df)))
        return beyond, float(t.sf((margin - abs(self.estimate)) / self.error, self.df))


def pooled(blocks: Sequence[Sequence[float]], resolution: float = 0.0, tiny: float = 0.0) -> Pooled:
    """Pool blocks of independent differences; each needs two.

    var = sum(s_b^2 / n_b) / B^2, df = (sum v_b)^2 / sum(v_b^2 / (n_b - 1)), v_b = s_b^2 / n_b.
    Welch 1947, Biometrika 34; Satterthwaite 1946. resolution: the spread that a block with no
    more than `tiny` is given.
    """
    means = [float(np.mean(block)) for block in blocks]
    spreads = [float(np.std(block, ddof=1)) for block in blocks]
    spreads = [sd if sd > tiny else resolution for sd in spreads]
    parts = [sd**2 / len(block) for sd, block in zip(spreads, blocks, strict=True)]
    total = sum(parts)
    shares = [part**2 / (len(block) - 1) for part, block in zip(parts, blocks, strict=True)]
    df = total**2 / sum(shares) if total else sum(len(block) - 1 for block in blocks)
    return Pooled(float(np.mean(means)), math.sqrt(total) / len(blocks), float(df))
