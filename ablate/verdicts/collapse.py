"""Collapsed runs: at chance, or far from all other seeds of their own arm.

A collapse is a result, so its score counts. But a few of them make a mean difference that no normal
theory covers, and none of them in a small table says little about how often they come.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ablate.core.companions import Collapses, Rate
from ablate.types import ENOUGH_PAIRS, Comparison, Floats

FAR = 5.0
"""Standard deviations of the other seeds under their mean: what is nearer is no collapse."""

GAPS = {
    3: 15.4,
    4: 7.91,
    5: 5.66,
    6: 4.6,
    7: 3.95,
    8: 3.58,
    9: 3.31,
    10: 3.05,
    11: 2.91,
    12: 2.76,
    15: 2.49,
    20: 2.24,
    30: 1.99,
    50: 1.75,
    100: 1.56,
    200: 1.42,
}
"""By how many seeds are left above it, the gap in their standard deviations that a lowest score of
normal seeds leaves in one arm of a hundred (simulated, 300,000 arms a size). All places of the gap
together, an arm of 5 to 50 normal seeds has one in at most 1.7 % of studies.
"""

AT_CHANCE, ABOVE = 3.0, 10.0
"""Standard errors of guessing over chance: what is under the one is at chance, an arm whose median
is over the other has learnt."""


def of(comparison: Comparison) -> Collapses | None:
    """Count the collapsed runs of both arms and compare their rates; None where there is none."""
    n = len(comparison.deltas)
    if n < ENOUGH_PAIRS:
        return None
    arms = [
        collapsed(values, comparison.lower, comparison.resolution, comparison.chance)
        for values in (comparison.treatment_values, comparison.baseline_values)
    ]
    either = arms[0] | arms[1]
    if not either:
        return None
    remaining = [d for position, d in enumerate(comparison.deltas) if position not in either]
    alone = sorted(len(arm - other) for arm, other in (arms, arms[::-1]))
    return Collapses(
        treatment=rate(len(arms[0]), n),
        baseline=rate(len(arms[1]), n),
        p=mcnemar(*alone),
        floor=min(1.0, 2.0 ** (1 - sum(alone))),
        conditional=math.fsum(remaining) / len(remaining) if remaining else math.nan,
        left=len(remaining),
        places=tuple(sorted(either)),
    )


def collapsed(
    values: Sequence[float], lower: bool, resolution: float, chance: float = math.nan
) -> set[int]:
    """Give the places of an arm's collapsed runs.

    The lowest k scores, fewer than half, under a gap that seeds of one normal distribution do not
    leave, and far under the others; or those at chance, where the arm has learnt. lower: less is
    better, and the highest collapse. resolution: the least spread, one test row. chance: what a
    guess scores, in points; nan where it is not known.

    >>> collapsed([90.0, 91.0, 10.0, 90.5, 89.0], False, 0.1)
    {2}
    """
    scores = np.array(values) * (-1 if lower else 1)
    order = np.argsort(scores, kind="stable")
    positions = _at_chance(scores, resolution, chance)
    if fallen := _under_a_gap(scores[order], resolution):
        positions |= {int(position) for position in order[:fallen]}
    return positions


def _under_a_gap(ranked: Floats, resolution: float) -> int:
    """Count the rising scores that lie under a gap, fewer than half, and far under the rest."""
    n = len(ranked)
    below = np.arange(1, (n - 1) // 2 + 1)  # so many may lie under it
    if not len(below):
        return 0
    distances = ranked - np.median(ranked)
    sums, squares = (np.cumsum(part[::-1])[::-1][below] for part in (distances, distances**2))
    left = n - below
    variance = np.maximum(0.0, squares - sums**2 / left) / (left - 1)
    spread = np.maximum(np.sqrt(variance), resolution)
    gap, far = np.diff(ranked)[below - 1], sums / left - distances[below - 1]
    fallen = below[(gap > widest(left) * spread) & (far > FAR * spread)]
    return int(fallen[-1]) if len(fallen) else 0


def widest(rest: NDArray[np.int_]) -> Floats:
    """Give the gap, in standard deviations of `rest` seeds, beyond which one is suspicious."""
    sizes, gaps = np.array([*GAPS]), np.array([*GAPS.values()])
    return np.asarray(np.exp(np.interp(np.log(rest), np.log(sizes), np.log(gaps))), np.float64)


def _at_chance(scores: Floats, resolution: float, chance: float) -> set[int]:
    """Give the places at chance where the median is not; none where chance is not known."""
    if not 0 < chance < 100:
        return set()
    error = math.sqrt(chance * (100 - chance) * resolution / 100)  # 100 / resolution test rows
    if float(np.median(scores)) <= chance + ABOVE * error:
        return set()
    return {int(position) for position in np.flatnonzero(scores <= chance + AT_CHANCE * error)}


def rate(count: int, n: int) -> Rate:
    """Give a rate with its exact interval (Clopper & Pearson 1934, Biometrika 26(4)).

    >>> round(rate(0, 10).high, 4), round(rate(1, 10).low, 4)
    (0.3085, 0.0025)
    """
    from scipy.special import betaincinv

    low = float(betaincinv(count, n - count + 1, 0.025)) if count else 0.0
    high = float(betaincinv(count + 1, n - count, 0.975)) if count < n else 1.0
    return Rate(count, n, low, high)


def mcnemar(fewer: int, more: int) -> float:
    """Give the exact p of pairs in which one arm alone collapsed (McNemar 1947).

    >>> mcnemar(0, 5), mcnemar(2, 2)
    (0.0625, 1.0)
    """
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(fewer, fewer + more, 0.5))) if more else 1.0
