"""The smallest step between scores: what a test row is worth where nobody said it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def smallest_step(values: Sequence[float], blocks: int = 1) -> float:
    """Give the smallest step between two scores; of equal ones, a unit of their last digit.

    blocks: over how many blocks each score is a mean; their sums lie on the scores' own grid.

    >>> round(smallest_step([0.5, 0.8, 0.6]), 9), smallest_step([0.25, 0.25])
    (0.1, 0.01)
    """
    finite = np.array([value * blocks for value in values])
    finite = finite[np.isfinite(finite)]
    most = float(np.abs(finite).max(initial=0.0))
    if not most > 0:
        return 1.0 / blocks
    steps = np.diff(np.unique(np.round(finite / most, 12)))
    if len(steps):
        span = float(finite.max() - finite.min())
        return span / round(span / (float(steps.min()) * most)) / blocks  # as exact as the scores
    digits, exponent = f"{most:.11e}".split("e")
    decimals = len(digits.rstrip("0").split(".")[1])
    return float(10.0 ** (int(exponent) - decimals)) / blocks
