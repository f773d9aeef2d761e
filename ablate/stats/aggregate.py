"""Scores of many runs on many data sets in a figure: Agarwal et al. 2021, NeurIPS 34.

Intervals come from 1,000 resamples with a fixed generator: of whole seeds where all blocks ran the
same ones, as scores of one seed are not independent; else of seeds inside each block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ablate.stats.test.superiority import placements
from ablate.types import Floats

RESAMPLES = 1_000
CELLS = 4_000_000
"""As many numbers are held at once."""

FEWEST = 199
"""Of more than 20,000 runs there are fewer resamples, at least so many."""

ALL_PAIRS = 1_000
"""Up to so many runs an arm it is held which run beats which."""


@dataclass(frozen=True)
class Aggregate:
    """A figure with its interval."""

    value: float
    low: float
    high: float


def iqm(scores: Floats | Sequence[float]) -> float:
    """Give the interquartile mean: without a quarter of the scores, cut down, at each end.

    Of fewer than four scores it is the mean.

    >>> iqm([1.0, 2.0, 3.0, 100.0])
    2.5
    """
    from scipy.stats import trim_mean

    return float(trim_mean(np.ravel(scores), 0.25))


def iqm_interval(blocks: Sequence[Floats], alpha: float = 0.05, shared: bool = True) -> Aggregate:
    """Give the interquartile mean of all runs with its percentile interval.

    blocks: each block's scores. shared: the blocks' seeds are the same, in the same order, and are
    resampled together.
    """
    from scipy.stats import trim_mean

    rng, runs = np.random.default_rng(0), sum(len(block) for block in blocks)
    resamples = min(RESAMPLES, max(FEWEST, 5 * CELLS // runs))
    step, drawn = max(1, CELLS // runs), []
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        rows = [
            rng.integers(0, len(block), (count, len(block)))
            for block in (blocks[:1] if shared else blocks)
        ]
        chosen = [
            block[row]
            for block, row in zip(blocks, rows * len(blocks) if shared else rows, strict=True)
        ]
        drawn.append(trim_mean(np.hstack(chosen), 0.25, axis=1))
    low, high = np.quantile(np.concatenate(drawn), [alpha / 2, 1 - alpha / 2])
    return Aggregate(iqm(np.concatenate(blocks)), float(low), float(high))


def improvement(
    treatment: Sequence[Floats],
    baseline: Sequence[Floats],
    alpha: float = 0.05,
    shared: bool = True,
) -> Aggregate:
    """Give the probability of improvement: A12 inside each block, averaged over the blocks.

    treatment, baseline: each block's scores. A seed is resampled together in both arms, and where
    the seeds are shared in all blocks; arms of unequal numbers of runs are resampled apart. Of more
    than 1,000 runs in a block the interval is the normal one of U statistics.
    """
    if max(len(block) for block in (*treatment, *baseline)) > ALL_PAIRS:
        return _improvement_of_many(treatment, baseline, alpha, shared)
    wins = [np.sign(np.subtract.outer(a, b)) for a, b in zip(treatment, baseline, strict=True)]
    value = float(np.mean([won.mean() for won in wins]))
    drawn = np.zeros(RESAMPLES)
    for index, won in enumerate([np.mean(wins, 0)] if shared else wins):  # [seed, seed]: who wins
        left, right = _shares(len(won), index), _shares(won.shape[1], index)
        drawn += ((left @ won) * right).sum(1) / (1 if shared else len(wins))
    low, high = np.quantile(drawn, [alpha / 2, 1 - alpha / 2])
    return Aggregate((1 + value) / 2, float(1 + low) / 2, float(1 + high) / 2)


def _improvement_of_many(
    treatment: Sequence[Floats], baseline: Sequence[Floats], alpha: float, shared: bool
) -> Aggregate:
    """Give the same from the runs' placements, in n log n steps.

    A run's placement is how much it moves the mean; those of one seed, in both arms and in all
    blocks that share it, are added before their variance is taken (Hoeffding 1948).
    """
    from scipy.special import ndtri

    sides = [
        (placements(a, b), -placements(b, a)) for a, b in zip(treatment, baseline, strict=True)
    ]
    values = [float(wins.mean()) for wins, _ in sides]
    if shared:
        groups: list[list[Floats]] = [[np.mean([a + b for a, b in sides], axis=0)]]
    else:
        groups = [[a + b] if len(a) == len(b) else [a, b] for a, b in sides]
    variance = sum(float(part.var(ddof=1)) / len(part) for group in groups for part in group)
    value, blocks = float(np.mean(values)), len(groups)
    half = -float(ndtri(alpha / 2)) * math.sqrt(variance) / blocks
    low, high = max(-1.0, value - half), min(1.0, value + half)
    return Aggregate((1 + value) / 2, (1 + low) / 2, (1 + high) / 2)


def profile(blocks: Sequence[Floats], thresholds: Sequence[float]) -> Floats:
    """Give the share of runs above each threshold, equal weights for blocks: Dolan & More 2002.

    >>> profile([np.array([1.0, 2.0]), np.array([3.0, 4.0])], [1.5, 3.5]).tolist()
    [0.75, 0.25]
    """
    above = [[float((block > threshold).mean()) for block in blocks] for threshold in thresholds]
    return np.asarray(np.mean(above, 1))


@lru_cache(maxsize=16)
def _shares(seeds: int, block: int) -> Floats:
    """Give the share that each seed has in a resample, `[resample, seed]`."""
    rng = np.random.default_rng(block)
    return rng.multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES) / seeds
