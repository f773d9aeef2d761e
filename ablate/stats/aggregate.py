"""Scores of many runs on many data sets in a figure: Agarwal et al. 2021, NeurIPS 34.

Scores are `[seeds, blocks]` of one arm. Intervals come from 1,000 resamples with a fixed generator:
of whole seeds where all blocks ran the same ones, as scores of one seed are not independent; else
of seeds inside each block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ablate.types import Floats

RESAMPLES = 1_000
CELLS = 4_000_000
"""As many numbers are held at once."""


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


def iqm_interval(scores: Floats, alpha: float = 0.05, shared: bool = True) -> Aggregate:
    """Give the interquartile mean of scores `[seeds, blocks]` with its percentile interval.

    shared: the blocks' seeds are the same, and are resampled together.
    """
    from scipy.stats import trim_mean

    scores = np.asarray(scores, float)
    seeds, blocks = scores.shape
    rng, columns = np.random.default_rng(0), np.arange(blocks)
    step, drawn = max(1, CELLS // scores.size), []
    for start in range(0, RESAMPLES, step):
        count = min(step, RESAMPLES - start)
        rows = rng.integers(0, seeds, (count, seeds, 1 if shared else blocks))
        drawn.append(trim_mean(scores[rows, columns].reshape(count, -1), 0.25, axis=1))
    low, high = np.quantile(np.concatenate(drawn), [alpha / 2, 1 - alpha / 2])
    return Aggregate(iqm(scores), float(low), float(high))


def improvement(
    treatment: Floats, baseline: Floats, alpha: float = 0.05, shared: bool = True
) -> Aggregate:
    """Give the probability of improvement: A12 inside each block, averaged over the blocks.

    treatment, baseline: scores `[seeds, blocks]`, a seed's resampled together.
    """
    seeds = min(len(treatment), len(baseline))
    one, other = treatment[:seeds].T, baseline[:seeds].T
    wins = np.stack([np.sign(np.subtract.outer(a, b)) for a, b in zip(one, other, strict=True)])
    drawn = np.zeros(RESAMPLES)
    for place, won in enumerate([wins.mean(0)] if shared else wins):  # [seed, seed]: who wins
        counts = _shares(seeds, place)
        drawn += ((counts @ won) * counts).sum(1) / (1 if shared else len(wins))
    low, high = np.quantile(drawn, [alpha / 2, 1 - alpha / 2])
    value, low, high = ((1 + end) / 2 for end in (wins.mean(), low, high))
    return Aggregate(float(value), float(low), float(high))


def profile(scores: Floats, thresholds: Sequence[float]) -> Floats:
    """Give the share of runs above each threshold, equal weights for blocks: Dolan & More 2002.

    >>> profile(np.array([[1.0, 3.0], [2.0, 4.0]]), [1.5, 3.5]).tolist()
    [0.75, 0.25]
    """
    scores = np.asarray(scores, float)
    return np.array([float((scores > threshold).mean()) for threshold in thresholds])


@lru_cache(maxsize=16)
def _shares(seeds: int, block: int) -> Floats:
    """Give the share that each seed has in a resample, `[resample, seed]`."""
    rng = np.random.default_rng(block)
    return rng.multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES) / seeds
