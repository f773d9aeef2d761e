"""Whether a verdict can still be expected of the seeds that are left: conditional power.

A stop for futility is not binding: it makes no claim, so that going on all the same leaves every
error rate as it was (Lan, Simon & Halperin 1982, Sequential Analysis 1(3)). It costs power, and is
therefore said only where the chance of any verdict is small at the observed effect and at whatever
truth inside its 80 % interval is most in favour of one.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ablate.core.random_streams import stream
from ablate.types import Comparison, Design, Floats
from ablate.verdicts.interim import Interim
from ablate.verdicts.sequential import Looks, constants

SLIM = 0.05
"""A chance of a verdict under this is not worth the seeds."""

TAIL = 0.1
"""Of each side of the interval in which the truth may lie."""

DRAWS = 2000
"""Simulated ends of the study: 0.05 is known to half a point."""


def of(comparison: Comparison, interim: Interim | None, design: Design, claims: int) -> float:
    """Give the chance of a verdict within the declared seeds; nan where it is not asked.

    comparison: as it stood at the look. claims: in the family. The level is the loosest that the
    correction may come to, so that whatever becomes of the other claims, the chance is not more.
    """
    if interim is None or not isinstance(rule := interim.last.rule, Looks):
        return math.nan
    seeds = len(comparison.schedule)
    to_come = [place for place, look in enumerate(rule.planned) if look > seeds]
    tied = interim.last.worst or interim.last.constant
    if not to_come or tied or not interim.last.error > 0:
        return math.nan  # the spread of pairs that tie says nothing of those to come
    n = interim.last.n
    pairs = [n + max(0, look - seeds) for look in rule.planned]

    def reach(level: float) -> Floats:
        return np.array(constants(rule.planned, rule.spend, level, pairs))[to_come]

    level = design.alpha / (claims if design.correction == "bonferroni" else 1)
    ends = [look.ends(level) for look in interim.looks]
    found = chances(
        np.array(interim.last.mean),
        np.array(interim.last.error),
        n,
        np.array(pairs)[to_come],
        (reach(level if interim.side else level / 2), reach(level)),
        (interim.bar, interim.bar) if interim.side else interim.bounds,
        side=interim.side,
        inner=(np.array(max(low for low, _ in ends)), np.array(min(end for _, end in ends))),
    )
    return float(found)


def chances(
    mean: Floats,
    error: Floats,
    n: int,
    total: NDArray[np.int_],
    reach: tuple[Floats, Floats],
    bounds: tuple[float, float],
    side: int = 0,
    inner: tuple[Floats, Floats] = (np.array(-math.inf), np.array(math.inf)),
    draws: int = DRAWS,
) -> Floats:
    """Give the chance of a verdict at the looks ahead, at the truth most in favour of one.

    mean, error: of n pairs, with the standard error, `[...]`. total: the pairs at each look ahead,
    `[looks]`. reach: how many standard errors MATTERS and NEGLIGIBLE are read at there, `[looks]`
    each. bounds: the margins with their signs; of a declared side, its own twice. inner: the ends
    that NEGLIGIBLE was read from so far, `[...]`. draws: simulated futures, the same ones for every
    study.
    """
    from scipy.special import stdtrit

    more = total - n
    normal = stream(0, "futility").standard_normal((draws, int(more[-1])))
    sums = np.cumsum(normal, 1)[:, more - 1]
    squares = np.cumsum(normal**2, 1)[:, more - 1]
    outer, calm = reach
    mean, sd = mean[..., None, None], error[..., None, None] * math.sqrt(n)
    away = -float(stdtrit(n - 1, TAIL)) * error[..., None, None]
    middle = np.clip((bounds[0] + bounds[1]) / 2, mean - away, mean + away)
    before = inner[0][..., None, None], inner[1][..., None, None]
    best = np.zeros(mean.shape[:-2])
    for truth in (mean, mean - away, mean + away, middle):
        then = (n * mean + more * truth + sd * sums) / total
        spread = (
            (n - 1) * sd**2
            + n * mean**2
            + more * truth**2
            + 2 * truth * sd * sums
            + sd**2 * squares
            - total * then**2
        )
        half = np.sqrt(np.maximum(spread, 0) / (total - 1) / total)
        matters = (then - outer * half > bounds[1]) & (side >= 0)
        matters |= (then + outer * half < bounds[0]) & (side <= 0)
        low, high = then - calm * half, then + calm * half
        if side:
            none = high < bounds[1] if side > 0 else low > bounds[0]
        else:
            low = np.maximum(np.maximum.accumulate(low, -1), before[0])
            high = np.minimum(np.minimum.accumulate(high, -1), before[1])
            none = (low > bounds[0]) & (high < bounds[1])
            none &= (then > bounds[0]) & (then < bounds[1])
        best = np.maximum(best, (matters | none).any(-1).mean(-1))
    return best
