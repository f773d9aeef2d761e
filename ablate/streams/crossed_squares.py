"""Squares of crossed seeds among the pairs of a comparison."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ablate.core.random_streams import CROSSED, CROSSED_SEEDS, SQUARE, SQUARES, level
from ablate.types import Ints

PILOT = 2 * SQUARE
"""Runs of each arm in a pilot, unless said: 8 degrees of freedom for each stream."""

LEVELS = {
    stream: np.array([level(CROSSED_SEEDS + run, stream) for run in range(SQUARE)])
    for stream in CROSSED
}
"""Which seed of its square each run has, by stream, `[25]`."""


def whole_squares(seeds: Sequence[int]) -> Ints:
    """Give the places of the seeds that make whole squares, `[squares, 25]`.

    A square that lacks a run is left out: without it the array is no longer orthogonal. Seeds that
    are not crossed are in none.
    """
    of = {seed: n for n, seed in enumerate(seeds)}
    starts = sorted({(seed - CROSSED_SEEDS) // SQUARE for seed in seeds})
    squares = [
        [of.get(CROSSED_SEEDS + SQUARE * start + run, -1) for run in range(SQUARE)]
        for start in starts
        if 0 <= start < SQUARES
    ]
    whole = [places for places in squares if min(places) >= 0]
    return np.array(whole, dtype=np.int64).reshape(-1, SQUARE)


def runs_of(wanted: int) -> int:
    """Give the runs of as many whole squares as hold `wanted` of them.

    >>> runs_of(3), runs_of(50), runs_of(51)
    (25, 50, 75)
    """
    return SQUARE * -(-wanted // SQUARE)
