"""Simulated worlds in which the truth is known: what the verdicts are calibrated on.

Each draws paired differences `[studies, seeds]` with a standard deviation of about one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ablate.types import Floats

Draw = Callable[[np.random.Generator, tuple[int, int], float], Floats]


@dataclass(frozen=True)
class World:
    """A way in which differences come about.

    draw: (generator, (studies, seeds), true mean) -> differences `[studies, seeds]`.
    resolution: what one test row is worth. tamed: whether the error rates are promised in it. span:
    the largest difference of a pair, as it is known before the runs; `inf` where it is not.
    """

    draw: Draw
    resolution: float = 1e-6
    tamed: bool = True
    span: float = math.inf


def normal(rng: np.random.Generator, size: tuple[int, int], mean: float) -> Floats:
    """Draw normal differences."""
    return rng.normal(mean, 1, size)


def heavy(rng: np.random.Generator, size: tuple[int, int], mean: float) -> Floats:
    """Draw Student's t with 3 degrees of freedom, scaled to a standard deviation of 1."""
    return mean + rng.standard_t(3, size) / math.sqrt(3)


def exponential(rng: np.random.Generator, size: tuple[int, int], mean: float) -> Floats:
    """Draw centred exponential differences: skewness 2."""
    return mean + rng.exponential(1, size) - 1


def lognormal(rng: np.random.Generator, size: tuple[int, int], mean: float) -> Floats:
    """Draw centred log-normal differences, sigma 1: skewness 6."""
    spread = math.sqrt((math.e - 1) * math.e)
    return mean + (rng.lognormal(0, 1, size) - math.exp(0.5)) / spread


def gridded(rows: int) -> Draw:
    """Draw differences of two accuracies, each counted on `rows` test rows around one half."""
    unit = 1 / math.sqrt(2 * rows * 0.25)  # one row, in standard deviations of a difference

    def draw(rng: np.random.Generator, size: tuple[int, int], mean: float) -> Floats:
        half = mean / unit / rows / 2
        treatment, baseline = (rng.binomial(rows, 0.5 + way * half, size) for way in (1, -1))
        return np.asarray((treatment - baseline) * unit, np.float64)

    return draw


def blocks(count: int, share: float) -> Draw:
    """Draw means over `count` data sets whose differences share a part of their seed's luck."""
    scale = math.sqrt(share + (1 - share) / count)

    def draw(rng: np.random.Generator, size: tuple[int, int], mean: float) -> Floats:
        common = rng.normal(0, math.sqrt(share), size)
        residual = rng.normal(0, math.sqrt((1 - share) / count), size)
        return mean + (common + residual) / scale

    return draw


def batches(seeds: int, share: float) -> Draw:
    """Draw differences where `seeds` neighbours share a batch, with intraclass correlation."""

    def draw(rng: np.random.Generator, size: tuple[int, int], mean: float) -> Floats:
        studies, n = size
        common = rng.normal(0, math.sqrt(share), (studies, -(-n // seeds)))
        residual = rng.normal(0, math.sqrt(1 - share), size)
        return mean + np.repeat(common, seeds, 1)[:, :n] + residual

    return draw


def rare(share: float) -> Draw:
    """Draw pairs that tie in a share of the seeds, and all differ by one size in the others."""

    def draw(rng: np.random.Generator, size: tuple[int, int], mean: float) -> Floats:
        return np.where(rng.random(size) < share, 0.0, mean / (1 - share))

    return draw


def sparse(share: float) -> Draw:
    """Draw pairs that tie in a share of the seeds, and differ by some whole rows in the others."""

    def draw(rng: np.random.Generator, size: tuple[int, int], mean: float) -> Floats:
        level = mean / (1 - share)
        rows = np.floor(level + rng.random(size)) + rng.integers(-2, 3, size)
        return np.where(rng.random(size) < share, 0.0, rows)

    return draw


def collapsing(share: float, depth: float) -> Draw:
    """Draw normal differences of which a share lies `depth` standard deviations lower.

    The mean is what it is said to be, collapses included.
    """

    def draw(rng: np.random.Generator, size: tuple[int, int], mean: float) -> Floats:
        fell = rng.random(size) < share
        return mean + share * depth + rng.normal(0, 1, size) - depth * fell

    return draw


ROWS = 100.0
"""Test rows in the worlds of ties, whose unit is one row."""

TIES: Mapping[str, World] = {
    f"{100 * share:.0f} % ties, {name}": World(make(share), 1.0, span=ROWS)
    for share in (0.6, 0.8, 0.95)
    for name, make in (("else one size", rare), ("else some rows", sparse))
}
"""Worlds of pairs most of which tie exactly; margins there are in test rows."""


WORLDS: Mapping[str, World] = {
    "normal": World(normal),
    "t3": World(heavy),
    "accuracies on 200 rows": World(gridded(200), 1 / math.sqrt(100)),
    "accuracies on 50 rows": World(gridded(50), 1 / math.sqrt(25)),
    "accuracies on 20 rows": World(gridded(20), 1 / math.sqrt(10)),
    "4 data sets that share seeds": World(blocks(4, 0.5)),
    "exponential": World(exponential, tamed=False),
    "log-normal": World(lognormal, tamed=False),
    "batches of 5 seeds": World(batches(5, 0.5), tamed=False),
}
