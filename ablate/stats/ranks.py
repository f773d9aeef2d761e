"""Average ranks, and the normal approximation of rank statistics with ties.

SciPy's tests do the same; importing `scipy.stats` takes a second, which a long table need not pay.
"""

from __future__ import annotations

import math

import numpy as np

from ablate.types import Floats


def average_ranks(values: Floats) -> tuple[Floats, Floats]:
    """Rank values from 1, ties sharing their mean rank; and give how many share each value.

    >>> average_ranks(np.array([5.0, 1.0, 5.0]))[0].tolist()
    [2.5, 1.0, 2.5]
    """
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[places], counts.astype(np.float64)


def normal_p(statistic: float, mean: float, variance: float) -> float:
    """Give the two-sided p of a rank statistic, with continuity correction."""
    from scipy.special import ndtr

    if variance <= 0:
        return 1.0
    z = max(0.0, abs(statistic - mean) - 0.5) / math.sqrt(variance)
    return min(1.0, 2 * float(ndtr(-z)))
