"""Which spending of alpha over the looks suits a suite: simulated at its own margins and looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ablate.verdicts.sequential import constants
from ablate.workflows.power_forecast import Forecast

SPENDS = ("flat", "linear", "quadratic")

STUDIES = 4000
"""Simulated for each truth, the same ones for every spending."""

DEARER = 1.02
"""Times the seeds of flat spending that another may cost, on average over the two truths."""

GAIN = 0.01
"""Of P(right verdict) under which nothing is worth a change."""

TINY = 1e-9


@dataclass(frozen=True)
class Spending:
    """What a spending comes to, averaged over a suite's claims.

    calm, matters: P(right verdict) in [0, 1] with no difference and with twice the margin;
    calm_seeds, matters_seeds: the mean seeds until a verdict, or the last look.
    """

    name: str
    calm: float
    matters: float
    calm_seeds: float
    matters_seeds: float

    @property
    def seeds(self) -> float:
        """Give the mean seeds, both truths together."""
        return (self.calm_seeds + self.matters_seeds) / 2

    @property
    def least(self) -> float:
        """Give P(right verdict) of the harder truth."""
        return min(self.calm, self.matters)


def spendings(
    forecasts: Sequence[Forecast], looks: Sequence[int], level: float, studies: int = STUDIES
) -> tuple[Spending, ...]:
    """Simulate every spending; nothing where there is one look. level: of each claim."""
    if len(looks) < 2 or not forecasts:
        return ()
    return tuple(_spending(name, forecasts, looks, level, studies) for name in SPENDS)


def recommended(simulated: Sequence[Spending]) -> str:
    """Name the spending whose harder truth is decided most often at about the seeds of flat.

    '' where none was simulated.

    >>> flat = Spending("flat", 0.79, 0.83, 35.5, 29.5)
    >>> recommended([flat, Spending("linear", 0.87, 0.87, 35.1, 29.9)])
    'linear'
    >>> recommended([flat, Spending("quadratic", 0.91, 0.91, 35.7, 31.0)])
    'flat'
    """
    if not simulated:
        return ""
    flat, best = simulated[0], simulated[0]
    for other in simulated[1:]:
        if other.seeds <= DEARER * flat.seeds and other.least > best.least + GAIN:
            best = other
    return best.name


def _spending(
    name: str, forecasts: Sequence[Forecast], looks: Sequence[int], level: float, studies: int
) -> Spending:
    kinds = [(round(f.margin / max(f.sd, TINY), 3), bool(f.claim)) for f in forecasts]
    rows = {kind: tuple(_outcomes(name, looks, *kind, level, studies)) for kind in {*kinds}}
    mean = np.mean([rows[kind] for kind in kinds], 0)
    return Spending(name, *map(float, mean))


def _outcomes(
    name: str, looks: Sequence[int], margin: float, one_sided: bool, level: float, studies: int
) -> Iterator[float]:
    """Give P(right) at both truths, then the mean seeds at both; margin: in standard deviations."""
    total, spent, right = np.array(looks), [], []
    calm = np.array(constants(looks, name, level, looks))
    outer = calm if one_sided else np.array(constants(looks, name, level / 2, looks))
    for truth in (0.0, 2 * margin):
        drawn = np.random.default_rng(1).normal(truth, 1, (studies, looks[-1]))
        mean = np.cumsum(drawn, 1)[:, total - 1] / total
        square = np.cumsum(drawn**2, 1)[:, total - 1] / total
        error = np.sqrt((square - mean**2) / (total - 1))
        low, high = mean - calm * error, mean + calm * error
        matters = mean - outer * error > margin
        none = high < margin
        if not one_sided:  # bounds may be reached at looks of their own
            none = (np.minimum.accumulate(high, 1) < margin) & (mean < margin)
            none &= (np.maximum.accumulate(low, 1) > -margin) & (mean > -margin)
        over = matters | none
        if not one_sided:
            over |= mean + outer * error < -margin
        ended = np.where(over.any(1), over.argmax(1), len(looks) - 1)
        wanted = np.take_along_axis(matters if truth else none, ended[:, None], 1)
        right.append(float(wanted.mean()))
        spent.append(float(total[ended].mean()))
    yield from (*right, *spent)
