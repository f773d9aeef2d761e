"""The part of the calibration study on ending early: spending of alpha, and stops for futility."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ablate.calibration.simulation import claims, decisions, planned
from ablate.types import Floats
from ablate.verdicts.futility import SLIM, chances
from ablate.verdicts.sequential import constants

LOOKS = (5, 8, 13, 20, 32, 50)
SPENDS = ("flat", "linear", "quadratic")
CELLS = ((0.5, 50), (1.0, 50), (1.0, 20))
"""Margins in standard deviations of a difference, with the most seeds that are spent."""

TRUTHS = (0.0, 0.5, 1.0, 2.0)
"""In margins."""

DRAWS, PART, TINY = 500, 50, 1e-9
"""Futures of a study that is looked at, studies that are looked at together, and no grid."""


@dataclass(frozen=True)
class EarlyEnd:
    """What a spending comes to with one truth, without and with stops for futility.

    right, kept: P(right verdict) in [0, 1]; nan where no verdict is right. seeds, spared: the mean
    number of them. stopped: the share of studies that ended for futility.
    """

    right: float
    kept: float
    seeds: float
    spared: float
    stopped: float


Ends = Mapping[tuple[float, int, str, float], EarlyEnd]
"""By margin, most seeds, spending and truth in margins."""


def early_ends(studies: int, seed: int) -> Ends:
    """Simulate studies of one contrast of normal differences."""
    return {
        (margin, most, spend, truth): _end(margin, most, spend, truth, studies, seed)
        for margin, most in CELLS
        for spend in SPENDS
        for truth in TRUTHS
    }


def _end(margin: float, most: int, spend: str, truth: float, studies: int, seed: int) -> EarlyEnd:
    looks = tuple(look for look in LOOKS if look <= most)
    rng = np.random.default_rng(seed)
    deltas = rng.normal(truth * margin, 1, (studies, most))
    schedule = planned(looks, spend)
    read = claims(deltas[:, None], margin, schedule, TINY)
    codes, ended = (part[:, 0] for part in decisions(read, schedule, 0.05))
    stops = futile(deltas, ended, looks, spend, margin)
    right = codes == (2 if truth < 1 else 1)
    known = truth != 1
    return EarlyEnd(
        right=float(right.mean()) if known else np.nan,
        kept=float((right & (ended <= stops)).mean()) if known else np.nan,
        seeds=float(np.minimum(ended, most).mean()),
        spared=float(np.minimum(np.minimum(ended, stops), most).mean()),
        stopped=float((stops < np.minimum(ended, most)).mean()),
    )


def futile(
    deltas: Floats, ended: Floats, looks: tuple[int, ...], spend: str, margin: float
) -> Floats:
    """Give the look at which each study ends for futility, `[studies]`; inf where none does.

    ended: seeds at which each is decided, inf where open. It is what `family.conclude` says.
    """
    outer = np.array(constants(looks, spend, 0.025, looks))
    calm = np.array(constants(looks, spend, 0.05, looks))
    stops = np.full(len(deltas), np.inf)
    low, high = np.full(len(deltas), -np.inf), np.full(len(deltas), np.inf)
    for place, n in enumerate(looks[:-1]):
        mean = deltas[:, :n].mean(1)
        error = deltas[:, :n].std(1, ddof=1) / np.sqrt(n)
        low = np.maximum(low, mean - calm[place] * error)
        high = np.minimum(high, mean + calm[place] * error)
        (some,) = np.nonzero((ended > n) & (stops > n))
        for part in np.array_split(some, max(1, len(some) // PART)):
            found = chances(
                mean[part],
                error[part],
                n,
                np.array(looks[place + 1 :]),
                (outer[place + 1 :], calm[place + 1 :]),
                (-margin, margin),
                inner=(low[part], high[part]),
                draws=DRAWS,
            )
            stops[part[found < SLIM]] = n
    return stops
