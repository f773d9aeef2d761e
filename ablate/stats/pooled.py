"""Means of runs that are no pairs: over data sets of their own seeds, and of two arms (Welch)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ablate.types import Comparison


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


def welch(
    treatment: Sequence[Sequence[float]],
    baseline: Sequence[Sequence[float]],
    resolution: float = 0.0,
    tiny: float = 0.0,
) -> Pooled:
    """Give the mean difference of independent runs, its error and Welch's degrees of freedom.

    treatment, baseline: by block, the runs of the arm; each needs two. The difference is the mean
    of the blocks' own, equal weights: var = sum(s_tb^2 / n_tb + s_bb^2 / n_bb) / B^2. Welch 1947,
    Biometrika 34. resolution, tiny: as of `pooled`.

    >>> mean = welch([[3.0, 4.0, 5.0]], [[1.0, 2.0, 3.0, 2.0]])
    >>> round(mean.estimate, 9), round(mean.error, 9)
    (2.0, 0.707106781)
    """
    sides = [*treatment, *([-value for value in block] for block in baseline)]
    half = pooled(sides, resolution, tiny)  # over twice as many blocks: half of the difference
    return Pooled(2 * half.estimate, 2 * half.error, half.df)


def paired_gain(comparison: Comparison) -> float:
    """Give how many times smaller pairing makes the variance of the mean difference.

    (s1^2 + s2^2) / s^2(d), with as many runs; 1 where the arms are not correlated, below it where
    they are negatively so. nan where there are no pairs, or differences do not vary.

    >>> pairs = Comparison("a", "b", "m", 1.0, (0, 1, 2), (2.0, 4.0, 9.0), (1.0, 4.0, 7.0), (), 0.1)
    >>> round(paired_gain(pairs), 9)
    22.0
    """
    deltas = comparison.deltas
    if len(deltas) < 2:
        return math.nan
    spread = float(np.std(deltas, ddof=1))
    if spread <= comparison.round_off:
        return math.nan
    arms = (comparison.treatment_values, comparison.baseline_values)
    return sum(float(np.var(values, ddof=1)) for values in arms) / spread**2
