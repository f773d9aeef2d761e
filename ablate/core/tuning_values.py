"""Values of tuning: what a suite lets be tuned, and what tuning has found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Dial:
    """A setting that may be tuned, by its path in an arm.

    low, high: its interval, both included; log: searched by orders of magnitude; whole: in whole
    numbers. choices: the values instead of an interval.
    """

    path: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False
    choices: tuple[Any, ...] = ()

    def holds(self, value: Any) -> bool:
        """Say whether a value lies in the space.

        >>> Dial("a", 0.0, 1.0).holds(0.5), Dial("a", choices=("x",)).holds("y")
        (True, False)
        """
        if self.choices:
            return value in self.choices
        return isinstance(value, (int, float)) and self.low <= value <= self.high


@dataclass(frozen=True)
class Search:
    """What every arm gets alike: trials, seeds a trial, the metric, what scores are held out of.

    dials: the space; an arm has those whose path it has. rows: training rows of each class that are
    held out; 0 for somebody's own program, of which held_out are the parameters that trials have
    instead. lower: a lower score is better. lost: what a run scores that is lost; nan where nobody
    knows the worst there is, so that its trial has no score.
    """

    trials: int
    seeds: int
    metric: str
    dials: tuple[Dial, ...]
    rows: int = 0
    held_out: Mapping[str, Any] = field(default_factory=dict)
    lower: bool = False
    lost: float = 0.0


@dataclass(frozen=True)
class TunedArm:
    """What tuning found for an arm: its best values by path, and its trials in their order.

    scores: on what was held out, a mean over seeds, in the metric's unit; nan of a trial that was
    lost. spreads: their standard deviations. first: the values of trial 0, the arm as it was
    written. lower: a lower score is better.
    """

    values: Mapping[str, Any]
    scores: tuple[float, ...]
    spreads: tuple[float, ...]
    first: Mapping[str, Any] = field(default_factory=dict)
    lower: bool = False

    @property
    def best(self) -> int:
        """Give the number of the best trial, the earliest where several are, or none has a score.

        >>> TunedArm({}, (3.0, math.nan, 1.0), (0.0,) * 3, lower=True).best
        2
        """
        return max(range(len(self.scores)), key=lambda i: (self._worth(i), -i))

    @property
    def gain(self) -> float:
        """Give by how much the best trial is better than the first, in the metric's unit."""
        first, best = self.scores[0], self.scores[self.best]
        return first - best if self.lower else best - first

    def _worth(self, i: int) -> float:
        """Give a score that is higher where it is better; the least where a trial was lost."""
        score = self.scores[i]
        return -math.inf if math.isnan(score) else -score if self.lower else score

    def expected_best(self, n: int) -> float:
        """Give the expected best score of n trials drawn anew from these, in the metric's unit.

        sum_i v_i ((i / N)^n - ((i - 1) / N)^n), v sorted, the best last (Dodge et al. 2019,
        arXiv:1909.03004, Eq. 6). A trial that was lost counts as the worst of the others.

        >>> TunedArm({}, (1.0, 3.0), (0.0, 0.0)).expected_best(2)
        2.5
        >>> TunedArm({}, (1.0, 3.0, math.nan), (0.0,) * 3, lower=True).expected_best(1000)
        1.0
        """
        whole = len(self.scores)
        ranked = [self.scores[i] for i in sorted(range(whole), key=self._worth)]
        worst = next((score for score in ranked if not math.isnan(score)), math.nan)
        return sum(
            (worst if math.isnan(value) else value) * ((i / whole) ** n - ((i - 1) / whole) ** n)
            for i, value in enumerate(ranked, 1)
        )


@dataclass(frozen=True)
class Tuned:
    """A file of tuned values that a suite names: the budget that every arm had, and the arms.

    data: the data sets whose training rows it was made on. changes: what the command line changed
    in the suite for it. rows, held_out, lower: as of a Search.
    """

    file: str
    data: str
    trials: int
    seeds: int
    metric: str
    rows: int
    arms: Mapping[str, TunedArm]
    changes: tuple[str, ...] = ()
    lower: bool = False
    held_out: Mapping[str, Any] = field(default_factory=dict)

    def untuned(self, arms: Sequence[str]) -> list[str]:
        """Name the arms that no trial was spent on."""
        return [name for name in arms if name not in self.arms]
