"""Differences as tests of ranks and signs need them: what differs by round-off alone is tied."""

from __future__ import annotations

import numpy as np

from ablate.types import Comparison, Floats


def deltas(comparison: Comparison) -> Floats:
    """Give the differences `[n]`: round-off is 0, and sizes that differ by it are one size.

    >>> made = Comparison("a", "b", "m", 1.0, (0, 1), (0.3, 1.1), (0.1, 0.9), (), 0.1)
    >>> len(np.unique(deltas(made)))
    1
    """
    return merged(np.array(comparison.deltas), comparison.round_off)


def merged(values: Floats, tiny: float) -> Floats:
    """Give values whose sizes are one where they are at most `tiny` apart, and 0 up to it."""
    sizes = np.abs(values)
    order = np.argsort(sizes, kind="stable")
    ranked = sizes[order]
    starts = np.concatenate([[True], np.diff(ranked) > tiny]) if len(ranked) else ranked > 0
    firsts = ranked[starts][np.cumsum(starts) - 1] if len(ranked) else ranked
    one_size = np.empty_like(sizes)
    one_size[order] = np.where(ranked <= tiny, 0.0, firsts)
    return np.asarray(np.sign(values) * one_size, np.float64)
