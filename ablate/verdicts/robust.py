"""The robust reading beside a verdict: a trimmed mean hears less of a few far seeds.

It speaks of the bulk of the seeds, where the verdict's mean counts every one of them, so that it
decides nothing. Where it lies on the other side of the margin the verdict is not printed bare.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from ablate.core import outcomes
from ablate.core.companions import Robust
from ablate.types import Comparison, Decision, Floats

TRIMMED = 0.2
"""Of the pairs, at either end (Wilcox 2012, section 4.4: little is lost where they are normal)."""

NEEDED = 5
"""With fewer pairs nothing is trimmed, or fewer than three are left."""


def reading(comparison: Comparison, decision: str, level: float) -> Robust | None:
    """Read a comparison by its trimmed mean; None for fewer than five pairs.

    decision: the verdict's. level: of its step in the family.
    """
    deltas = np.array(comparison.deltas)
    if len(deltas) < NEEDED:
        return None
    centre, error, df = trimmed(deltas)
    share = level if comparison.side else level / 2
    reach = {name: -float(stdtrit(df, a)) * error for name, a in (("wide", share), ("calm", level))}
    ends = centre - reach["wide"], centre + reach["wide"]
    calm = centre - reach["calm"], centre + reach["calm"]
    return Robust(
        estimate=centre,
        low=ends[0],
        high=ends[1],
        confidence=1 - 2 * share,
        decision=_decided(comparison, ends, calm),
        beyond=float(np.mean(~holds(comparison, decision, deltas))),
        differs=not bool(holds(comparison, decision, np.array([centre]))[0]),
    )


def trimmed(deltas: Floats) -> tuple[float, float, int]:
    """Give the trimmed mean, its standard error and the degrees of freedom; needs five values.

    Winsorised spread over (1 - 2 x .2) sqrt(n), h - 1 degrees of freedom, h of n left. Tukey &
    McLaughlin 1963, Sankhya A 25(3).

    >>> trimmed(np.array([0.0, 1.0, 2.0, 3.0, 100.0]))[0]
    2.0
    """
    ordered, n = np.sort(deltas), len(deltas)
    cut = math.floor(TRIMMED * n)
    inside = ordered[cut : n - cut]
    winsorised = np.clip(ordered, inside[0], inside[-1])
    error = float(winsorised.std(ddof=1)) / ((1 - 2 * TRIMMED) * math.sqrt(n))
    return float(inside.mean()), error, len(inside) - 1


def holds(comparison: Comparison, decision: str, values: Floats) -> NDArray[np.bool_]:
    """Say of each value whether it lies where a decision says that the mean does.

    All of them where nothing was decided.
    """
    low, high = comparison.bounds
    side, bar = comparison.side, comparison.bar
    if decision == Decision.MATTERS and side:
        return side * values > side * bar
    if decision == Decision.MATTERS:
        up = float(np.mean(comparison.deltas)) > 0
        return values > high if up else values < low
    if decision in (Decision.NO_GAIN, Decision.NO_HARM):
        return side * values < side * bar
    if decision == Decision.NEGLIGIBLE:
        return np.asarray((values > low) & (values < high))
    return np.ones(len(values), bool)


def _decided(
    comparison: Comparison, ends: tuple[float, float], calm: tuple[float, float]
) -> Decision:
    low, high = comparison.bounds
    if comparison.side:
        beyond, short = ends[0] > comparison.bar, ends[1] < comparison.bar
        matters, none = (beyond, short) if comparison.side > 0 else (short, beyond)
        undecided = outcomes.calm(comparison.claim) if none else Decision.INCONCLUSIVE
        return Decision.MATTERS if matters else undecided
    if ends[0] > high or ends[1] < low:
        return Decision.MATTERS
    return Decision.NEGLIGIBLE if low < calm[0] and calm[1] < high else Decision.INCONCLUSIVE
