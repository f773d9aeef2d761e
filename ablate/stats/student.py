"""What the Student-t tests share: the standard error, floored where differences do not vary."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from ablate.types import Comparison, TestResult


@dataclass(frozen=True)
class Mean:
    """Student's t distribution of a mean difference. A frozen one of SciPy's costs milliseconds."""

    df: int
    centre: float
    scale: float

    def cdf(self, value: float) -> float:
        """Give P(mean <= value)."""
        return float(stdtr(self.df, (value - self.centre) / self.scale))

    def sf(self, value: float) -> float:
        """Give P(mean >= value)."""
        return float(stdtr(self.df, (self.centre - value) / self.scale))

    def interval(self, level: float) -> tuple[float, float]:
        """Give the central interval that holds `level`."""
        half = -float(stdtrit(self.df, (1 - level) / 2)) * self.scale
        return self.centre - half, self.centre + half


def world(comparison: Comparison) -> Mean:
    """Give the t distribution of the mean difference: its centre, its scale, n - 1.

    Differences without spread are judged on the metric's resolution (one test row), not on a t of
    10^60. Needs two pairs.
    """
    n = len(comparison.deltas)
    scale = spread(comparison) / math.sqrt(n)
    return Mean(n - 1, float(np.mean(comparison.deltas)), scale)


def result(name: str, comparison: Comparison, p: float, level: float) -> TestResult:
    """Give a test of the mean with its interval of `level`, and d_z for its effect size."""
    mean = world(comparison)
    low, high = mean.interval(level)
    size = standardised(comparison)
    n, estimate = len(comparison.deltas), mean.centre
    return TestResult(
        name=name,
        n=n,
        p=p,
        estimate=estimate,
        low=low,
        high=high,
        assumes="normal differences",
        floor=0.0,
        effect=size,
        measure="d_z",
    )


def standardised(comparison: Comparison) -> float:
    """Give d_z = mean(d) / sd(d)."""
    return float(np.mean(comparison.deltas)) / spread(comparison)


def spread(comparison: Comparison) -> float:
    """Give the standard deviation of the differences, at least round-off above zero.

    >>> one = Comparison("a", "b", "m", 1.0, (0, 1), (2.0, 2.0), (1.0, 1.0), (), 0.25)
    >>> spread(one)
    0.25
    """
    return comparison.spread
