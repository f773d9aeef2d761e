"""Values of tuning: what a suite lets be tuned, and what tuning has found."""

from __future__ import annotations

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
    """What every arm gets alike: trials, seeds a trial, the metric, validation rows of each class.

    dials: the space; an arm has those whose path it has.
    """

    trials: int
    seeds: int
    metric: str
    rows: int
    dials: tuple[Dial, ...]


@dataclass(frozen=True)
class TunedArm:
    """What tuning found for an arm: its best values by path, and its trials in their order.

    scores: points on the validation rows, a mean over seeds. spreads: their standard deviations.
    first: the values of trial 0, the arm as it was written.
    """

    values: Mapping[str, Any]
    scores: tuple[float, ...]
    spreads: tuple[float, ...]
    first: Mapping[str, Any] = field(default_factory=dict)

    @property
    def best(self) -> int:
        """Give the number of the best trial, the earliest where several are."""
        return max(range(len(self.scores)), key=lambda i: (self.scores[i], -i))

    def expected_best(self, n: int) -> float:
        """Give the expected best score of n trials drawn anew from these.

        sum_i v_i ((i / N)^n - ((i - 1) / N)^n), v sorted (Dodge et al. 2019, arXiv:1909.03004,
        Eq. 6). In points.

        >>> TunedArm({}, (1.0, 3.0), (0.0, 0.0)).expected_best(2)
        2.5
        """
        whole = len(self.scores)
        return sum(
            value * ((i / whole) ** n - ((i - 1) / whole) ** n)
            for i, value in enumerate(sorted(self.scores), 1)
        )


@dataclass(frozen=True)
class Tuned:
    """A file of tuned values that a suite names: the budget that every arm had, and the arms.

    data: the data sets whose training rows it was made on. changes: what the command line changed
    in the suite for it.
    """

    file: str
    data: str
    trials: int
    seeds: int
    metric: str
    rows: int
    arms: Mapping[str, TunedArm]
    changes: tuple[str, ...] = ()

    def untuned(self, arms: Sequence[str]) -> list[str]:
        """Name the arms that no trial was spent on."""
        return [name for name in arms if name not in self.arms]
