"""Each arm's own scores: how many there are, their mean, and its interval alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ablate.tables.score_table import Scores


@dataclass(frozen=True)
class ArmMean:
    """The scores of an arm, inside one block or over all.

    block: '' over all of them, or where there are none; over several it is the mean of their means,
    without an interval. n: finite scores; lost: rows without one. sd: nan for fewer than two. low,
    high: Student's 1 - alpha interval of the mean, of this arm alone; nan where its scores are not
    independent. Two such intervals that overlap are no test.
    """

    arm: str
    block: str
    n: int
    lost: int
    mean: float
    sd: float
    low: float
    high: float


def arm_means(scores: Scores, alpha: float, independent: bool = True) -> Iterator[ArmMean]:
    """Give every arm's mean in each block, and over several blocks after them."""
    for arm, blocks in scores.values.items():
        parts = [
            _mean(arm, name, [*blocks[name].values()], alpha, independent)
            for name in scores.blocks
            if name in blocks
        ]
        yield from parts
        if len(scores.blocks) > 1 and len(parts) == len(scores.blocks):
            yield ArmMean(
                arm=arm,
                block="",
                n=sum(part.n for part in parts),
                lost=sum(part.lost for part in parts),
                mean=math.fsum(part.mean for part in parts) / len(parts),
                sd=math.nan,
                low=math.nan,
                high=math.nan,
            )


def _mean(arm: str, block: str, values: list[float], alpha: float, independent: bool) -> ArmMean:
    from scipy.special import stdtrit

    finite = sorted(value for value in values if math.isfinite(value))  # rows come in any order
    n = len(finite)
    mean = math.fsum(finite) / n if n else math.nan
    sd = float(np.std(finite, ddof=1)) if n > 1 else math.nan
    half = -float(stdtrit(n - 1, alpha / 2)) * sd / math.sqrt(n) if n > 1 else math.nan
    half = half if independent else math.nan
    return ArmMean(
        arm=arm,
        block=block,
        n=n,
        lost=len(values) - n,
        mean=mean,
        sd=sd,
        low=mean - half,
        high=mean + half,
    )
