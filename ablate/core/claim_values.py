"""What a suite claims before its runs: contrasts, effects, published figures. From `types`, too."""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True)
class Effect:
    """A factorial's question: does a factor, or two together, move `metric` by over `margin`?

    The effect is the mean over the arms of `plus` minus that over the arms of `minus` (indices into
    the suite's variants), seed by seed: Yates's main effect, or half the difference of two simple
    effects for an interaction. high, low: what the two halves have in common.

    over: for a contrast that is pooled over settings, the axes crossed out; `plus` and `minus` then
    are its arms in each setting, in the same order, and all settings weigh the same.
    aliases: interactions of three and more factors that a fraction cannot tell from it.
    claim, lower_margin, worst: as of a contrast.
    """

    name: str
    high: str
    low: str
    plus: tuple[int, ...]
    minus: tuple[int, ...]
    metric: str
    margin: float
    over: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    claim: str = ""
    lower_margin: float = 0.0
    worst: float = 0.0


@dataclass(frozen=True)
class Reference:
    """A published figure that stands beside an arm's own in a metric; `figure` is its name."""

    arm: str
    metric: str
    figure: str


@dataclass(frozen=True)
class Design:
    """What was declared about a family of claims before the runs.

    looks: seeds at which verdicts are read, the last the most that is spent. seeds: how many were
    asked for; another number than the last look breaks the schedule. anytime: read by a rule that
    holds at any number of seeds, instead.
    """

    alpha: float
    correction: str
    looks: tuple[int, ...]
    seeds: int
    anytime: bool = False
