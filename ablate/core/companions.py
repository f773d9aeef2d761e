"""What reads a verdict beside its test, and never decides: a robust mean, and collapsed runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

VARIES = 1e-12
"""Of the largest score: what varies less does not vary."""

TINY = 1e-150
"""Smaller figures than this have no squares."""


@dataclass(frozen=True)
class Robust:
    """The 20 % trimmed mean of the paired differences, with its interval.

    confidence: of the interval, alone. decision: what it says of the margin by itself. beyond: the
    share of the pairs that lie on the other side of what the verdict says. differs: the trimmed
    mean lies there, too.
    """

    estimate: float
    low: float
    high: float
    confidence: float
    decision: str
    beyond: float
    differs: bool


@dataclass(frozen=True)
class Rate:
    """How many runs of an arm collapsed, of how many, with the exact 95 % interval of the rate."""

    count: int
    n: int
    low: float
    high: float


@dataclass(frozen=True)
class Collapses:
    """The runs of a comparison that collapsed.

    p: of equal rates in both arms, paired (exact McNemar), with its floor. conditional: the mean
    difference of the `left` pairs in which neither run collapsed, which decides nothing; nan where
    none is left. places: of the pairs that hold one.
    """

    treatment: Rate
    baseline: Rate
    p: float
    floor: float
    conditional: float
    left: int
    places: tuple[int, ...]


@dataclass(frozen=True)
class Items:
    """Items that each arm has right or wrong, by which arm has them right.

    p: of equal rates, two-sided (McNemar's exact one), with its floor; assumes: under what.
    """

    treatment_only: int
    baseline_only: int
    both: int
    neither: int
    p: float
    floor: float
    assumes: str


def pearson(first: Sequence[float], second: Sequence[float]) -> float:
    """Give r in [-1, 1] of two equally long series; `nan` where one is empty or does not vary.

    >>> round(pearson([1.0, 2.0, 3.0], [3.0, 2.0, 1.0]), 9), pearson([1.0, 1.0], [1.0, 2.0])
    (-1.0, nan)
    """
    sides = []
    for values in (first, second):
        if not values:
            return math.nan
        deviations = np.array(values) - np.mean(values)
        most = float(np.abs(deviations).max(initial=0.0))
        if most <= VARIES * max(map(abs, values), default=0.0) or most < TINY:
            return math.nan
        sides.append(deviations / np.linalg.norm(deviations / most) / most)
    return float(np.clip(sides[0] @ sides[1], -1, 1))
