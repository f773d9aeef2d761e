"""What a suite claims before its runs: contrasts, effects, published figures. From `types`, too."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Measure:
    """What a metric is like. lower: a lower score is better. span: its largest difference, 0 where
    that is not known. unit: what its differences are called, several of them; '' for none."""

    lower: bool = False
    span: float = 0.0
    unit: str = ""


@dataclass(frozen=True)
class Contrast:
    """A declared question: does `treatment` differ from `baseline` in `metric` by over `margin`?

    treatment, baseline: indices into the suite's variants. margin: in the metric's unit, > 0.
    claim: the side that alpha is spent on, `helps` or `hurts`; '' for both.
    lower_margin: the size of the margin below 0, where it is another; 0 where it is the same.
    worst: the largest difference that a seed may show, > 0, declared before the runs; 0 for none.
    """

    treatment: int
    baseline: int
    metric: str
    margin: float
    claim: str = ""
    lower_margin: float = 0.0
    worst: float = 0.0


TIMES, EQUALS = " × ", " = "
"""What joins factors in the names of arms, and in those of effects that are the same column."""


@dataclass(frozen=True)
class FactorialEffect:
    """A factorial's question: does a factor, or two together, move `metric` by over `margin`?

    The effect is the mean over the arms of `plus` minus that over the arms of `minus` (indices into
    the suite's variants), seed by seed: Yates's main effect, or half the difference of two simple
    effects for an interaction. factors: of the effect; several groups where a fraction cannot tell
    them apart. high, low: what the two halves have in common.
    at: the factor and the level at which alone it is asked; empty over all arms.
    aliases: interactions of three and more factors that a fraction cannot tell from it.
    claim, lower_margin, worst: as of a contrast.
    """

    factors: tuple[tuple[str, ...], ...]
    high: str
    low: str
    plus: tuple[int, ...]
    minus: tuple[int, ...]
    metric: str
    margin: float
    at: tuple[str, ...] = ()
    aliases: tuple[tuple[str, ...], ...] = ()
    claim: str = ""
    lower_margin: float = 0.0
    worst: float = 0.0

    @property
    def name(self) -> str:
        """Name it by its factors, and the level of another at which it is asked.

        >>> FactorialEffect((("a", "b"), ("c", "d")), "", "", (0,), (1,), "m", 1.0).name
        'a × b = c × d'
        """
        joined = EQUALS.join(TIMES.join(group) for group in self.factors)
        return f"{joined} at {EQUALS.join(self.at)}" if self.at else joined

    @property
    def factor(self) -> str:
        """Give the factor whose main effect over all arms it is; '' for any other."""
        return self.factors[0][0] if len(self.factors[0]) == 1 and not self.at else ""


@dataclass(frozen=True)
class PooledContrast:
    """A contrast pooled over settings: every setting weighs the same, the seed is the unit.

    treatment, baseline: the arms' names. plus, minus: these arms in each setting, in the same
    order, as indices into the suite's variants. over: the axes crossed out. metric, margin, claim,
    lower_margin, worst: as of a contrast.
    """

    treatment: str
    baseline: str
    plus: tuple[int, ...]
    minus: tuple[int, ...]
    over: tuple[str, ...]
    metric: str
    margin: float
    claim: str = ""
    lower_margin: float = 0.0
    worst: float = 0.0

    @property
    def name(self) -> str:
        """Name it by its two arms."""
        return f"{self.treatment} − {self.baseline}"


Effect: TypeAlias = "FactorialEffect | PooledContrast"
"""A claim on the means over several arms."""


@dataclass(frozen=True)
class Published:
    """A published figure in its metric's unit, as printed. spread: its ±, or nan.

    dataset: what it was reached on, '' where nobody says; method: by what. low, high: the band in
    which a sound run of the method lands, or nan. suspect: why the figure is not to be relied on;
    '' where nothing is known against it.
    """

    name: str
    dataset: str
    method: str
    value: float
    spread: float = math.nan
    low: float = math.nan
    high: float = math.nan
    source: str = ""
    suspect: str = ""

    def inside(self, value: float) -> bool | None:
        """Say whether a value lies in the calibration band; None where there is no band."""
        return None if math.isnan(self.low) else self.low <= value <= self.high


@dataclass(frozen=True)
class Reference:
    """A published figure that stands beside an arm's own in a metric; beside all for no arm."""

    arm: str
    metric: str
    figure: Published

    def beside(self, arm: str) -> bool:
        """Say whether it stands beside an arm."""
        return self.arm in ("", arm)

    def of_data(self, dataset: str) -> bool:
        """Say whether it was reached on a data set, as far as anybody says."""
        return self.figure.dataset in ("", dataset)


@dataclass(frozen=True)
class Design:
    """What was declared about a family of claims before the runs.

    looks: seeds at which verdicts are read, the last the most that is spent. seeds: how many were
    asked for; another number than the last look breaks the schedule. anytime: read by a rule that
    holds at any number of seeds, instead. spend: how alpha is shared over the looks.
    """

    alpha: float
    correction: str
    looks: tuple[int, ...]
    seeds: int
    anytime: bool = False
    spend: str = "flat"
