"""What the Student-t tests share: the standard error, floored where differences do not vary."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ablate.types import Comparison, TestResult


def world(comparison: Comparison) -> Any:
    """Give the frozen t distribution of the mean difference: its centre, its scale, n - 1.

    Differences without spread are judged on the metric's resolution (one test row), not on a t of
    10^60. Needs two pairs.
    """
    from scipy.stats import t

    deltas = np.array(comparison.deltas)
    return t(len(deltas) - 1, loc=deltas.mean(), scale=spread(comparison) / math.sqrt(len(deltas)))


def result(name: str, comparison: Comparison, p: float, level: float) -> TestResult:
    """Give a test of the mean with its interval of `level`, and d_z for its effect size."""
    mean = world(comparison)
    low, high = mean.interval(level)
    size = standardised(comparison)
    n, estimate = len(comparison.deltas), float(mean.mean())
    return TestResult(name, n, p, estimate, low, high, "normal differences", 0.0, size, "d_z")


def standardised(comparison: Comparison) -> float:
    """Give d_z = mean(d) / sd(d)."""
    return float(np.mean(comparison.deltas)) / spread(comparison)


def spread(comparison: Comparison) -> float:
    """Give the standard deviation of the differences, at least round-off above zero.

    >>> one = Comparison("a", "b", "m", 1.0, (0, 1), (2.0, 2.0), (1.0, 1.0), (), 0.25)
    >>> spread(one)
    0.25
    """
    sd = float(np.std(comparison.deltas, ddof=1))
    tiny = 1e-9 * max(1.0, *map(abs, comparison.treatment_values))
    return sd if sd > tiny else comparison.resolution
