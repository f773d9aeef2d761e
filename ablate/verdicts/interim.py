"""What the looks at one contrast come to: the p of each claim, and intervals at any level.

Both are read from the same statistics, so that a claim's p is at most a level exactly when the
interval of that level says so.

A two-sided contrast may claim MATTERS (the 1 - alpha interval lies outside the margin) or
NEGLIGIBLE (the 1 - 2 alpha interval lies inside). One that was declared with a side claims MATTERS
on that side, or that there is none on it (NO GAIN, NO HARM): the mean is beyond the margin, or it
is not. Each of these two has the whole of alpha, one-sided. That is right because they cannot both
be false: MATTERS is false where the truth is at most the margin, NO GAIN where it is more, so that
whatever the truth is one of them alone can err, with a rate of at most alpha (on the margin itself
NO GAIN, "not more than the margin", is true). It is the partition of Finner & Strassburger 2002,
Ann. Statist. 30(4). Over a family Holm's steps hold each kind of error at alpha as they do for
directions (Shaffer 1980, Ann. Statist. 8(6)); simulated in docs/calibration_statistics.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ablate.types import Comparison, Decision, calm
from ablate.verdicts.sequential import Looks, Rule
from ablate.verdicts.ties import unseen

LEAST = math.log(1e-250)
"""Smaller p-values are not told apart."""

"""By the side that was declared, the claim that there is no difference beyond the margin on it."""


@dataclass(frozen=True)
class Look:
    """A mean difference on n pairs with its standard error, and the rule that reads it.

    worst: what a seed that was not seen may differ by, where half of the pairs tie; see `ties`.
    constant: the pairs show one difference, other than 0, so that their standard error is a guess.
    No p is then smaller than 2^-n, that of n equal signs, which asks for no spread.
    """

    n: int
    mean: float
    error: float
    rule: Rule
    worst: float = 0.0
    constant: bool = False

    @property
    def floor(self) -> float:
        """Give the smallest p that there can be."""
        return 0.5**self.n if self.constant else 0.0

    def above(self, value: float) -> float:
        """Give the p of a true mean of at most `value`."""
        return max(self.floor, float(self.rule.p((self.mean - value) / self.error, self.n)))

    def below(self, value: float) -> float:
        """Give the p of a true mean of at least `value`."""
        return max(self.floor, float(self.rule.p((value - self.mean) / self.error, self.n)))

    def ends(self, level: float) -> tuple[float, float]:
        """Give the interval each of whose ends misses the true mean at a rate of `level`."""
        if level < self.floor:
            return -math.inf, math.inf
        half = self.rule.constant(level, self.n) * self.error
        return self.mean - half, self.mean + half

    def not_below(self, value: float) -> float:
        """Give the p of a true mean of at most `value`, for a claim that nothing lies there."""
        return self.above(value) if not self.worst else self._unseen(self.mean - value)

    def not_above(self, value: float) -> float:
        """Give the p of a true mean of at least `value`, for a claim that nothing lies there."""
        return self.below(value) if not self.worst else self._unseen(value - self.mean)

    def calm_ends(self, level: float) -> tuple[float, float]:
        """Give the ends that claims of no difference are read from, unseen seeds included."""
        if not self.worst:
            return self.ends(level)
        low, high = self.ends(level / 2)
        more = unseen(level / 2, self.n) * self.worst
        return low - more, high + more

    def _unseen(self, room: float) -> float:
        """Give the smallest level at which the bound leaves some of the room to the margin.

        Both the level's t quantile and the rate of unseen events fall as it rises.
        """
        from scipy.optimize import brentq

        def over(log_level: float) -> float:
            level = math.exp(log_level)
            t = (room - unseen(level / 2, self.n) * self.worst) / self.error
            return level - 2 * float(self.rule.p(t, self.n))

        if not math.isfinite(self.worst) or over(0.0) < 0:
            return 1.0
        if over(LEAST) > 0:
            return math.exp(LEAST)
        return math.exp(brentq(over, LEAST, 0.0, xtol=1e-12, rtol=1e-14))


@dataclass(frozen=True)
class Reading:
    """A decision with the interval that it is read from.

    confidence: of the interval; of a contrast with a declared side, of each of its ends.
    """

    decision: Decision
    low: float
    high: float
    confidence: float


@dataclass(frozen=True)
class Interim:
    """The looks at a contrast so far, the last of them the one that is read.

    bounds: the margins with their signs. claim, side, bar: as in `Comparison`. looks: not empty;
    all by one rule.
    """

    bounds: tuple[float, float]
    claim: str
    side: int
    bar: float
    looks: tuple[Look, ...]

    @property
    def last(self) -> Look:
        """Give the look that is read."""
        return self.looks[-1]

    @property
    def calm(self) -> Decision:
        """Name what it says where nothing beyond the margin is there."""
        return calm(self.claim)

    @property
    def matters(self) -> float:
        """Give the p of MATTERS: of a true mean that is not beyond the margin."""
        if self.side:
            return self.last.above(self.bar) if self.side > 0 else self.last.below(self.bar)
        low, high = self.bounds
        return min(1.0, 2 * min(self.last.above(high), self.last.below(low)))

    @property
    def calms(self) -> float:
        """Give the p of the other claim, NEGLIGIBLE or none on the declared side.

        The two bounds of NEGLIGIBLE may be reached at different looks, as long as the mean at the
        last one lies between the margins; every other claim is read at one look.
        """
        if self.side:
            return self.last.not_above(self.bar) if self.side > 0 else self.last.not_below(self.bar)
        low, high = self.bounds
        looks = self.looks if low < self.last.mean < high else (self.last,)
        over = min(look.not_below(low) for look in looks)
        return max(over, min(look.not_above(high) for look in looks))

    @property
    def p(self) -> float:
        """Give the p of the contrast: the smaller of its two claims'."""
        return min(1.0, self.matters, self.calms)

    @property
    def nearer(self) -> str:
        """Name the claim that the p belongs to."""
        if self.matters == self.calms:
            return f"MATTERS and {self.calm}"
        return Decision.MATTERS if self.matters < self.calms else self.calm

    def outer(self, level: float) -> tuple[float, float]:
        """Give the interval that MATTERS is read from at a level."""
        return self.last.ends(level if self.side else level / 2)

    def inner(self, level: float) -> tuple[float, float]:
        """Give the interval that NEGLIGIBLE is read from: 1 - 2 level, over the looks so far.

        It is the intersection over the looks, and reaches to the mean at the last one.
        """
        ends, mean = [look.calm_ends(level) for look in self.looks], self.last.mean
        return min(max(low for low, _ in ends), mean), max(min(high for _, high in ends), mean)

    def read(self, level: float) -> Reading:
        """Decide at a level, by the interval that will be shown."""
        return self._one_sided(level) if self.side else self._two_sided(level)

    def _two_sided(self, level: float) -> Reading:
        low, high = self.bounds
        ends, inner = self.outer(level), self.inner(level)
        if ends[0] > high or ends[1] < low:
            return Reading(Decision.MATTERS, *ends, 1 - level)
        if low < inner[0] and inner[1] < high:
            return Reading(Decision.NEGLIGIBLE, *inner, 1 - 2 * level)
        if self.last.worst:  # the plain interval knows nothing of the seeds that were not seen
            return Reading(Decision.INCONCLUSIVE, *self.last.calm_ends(level), 1 - 2 * level)
        return Reading(Decision.INCONCLUSIVE, *ends, 1 - level)

    def _one_sided(self, level: float) -> Reading:
        ends, calm = self.outer(level), self.last.calm_ends(level)
        if ends[0] > self.bar if self.side > 0 else ends[1] < self.bar:
            return Reading(Decision.MATTERS, *ends, 1 - level)
        none = calm[1] < self.bar if self.side > 0 else calm[0] > self.bar
        return Reading(self.calm if none else Decision.INCONCLUSIVE, *calm, 1 - level)

    def negligible_from(self, level: float) -> float:
        """Give the smallest margin, whenever it is chosen, with which there is no difference."""
        low, high = self.inner(level)
        if self.side:
            low, high = self.last.calm_ends(level)
            return max(0.0, high if self.side > 0 else -low)
        return max(abs(low), abs(high))

    def matters_to(self, level: float) -> float:
        """Give the largest margin, whenever it is chosen, with which it matters; nan for none."""
        low, high = self.outer(level)
        sides = {1: low, -1: -high, 0: max(low, -high)}
        least = sides[self.side]
        return least if least > 0 else math.nan


def is_constant(comparison: Comparison) -> bool:
    """Say whether every seed shows the same difference, other than 0: its spread is a guess."""
    deltas = comparison.deltas
    alike = len(deltas) > 1 and max(deltas) - min(deltas) <= comparison.round_off
    return alike and comparison.farthest > 0


def started(comparison: Comparison, rule: Rule, worst: float = 0.0) -> Interim:
    """Read a comparison's first look; it needs two pairs. worst: as of `Look`."""
    n = len(comparison.deltas)
    mean, error = math.fsum(comparison.deltas) / n, comparison.spread / math.sqrt(n)
    look = Look(
        n=n, mean=mean, error=error, rule=rule, worst=worst, constant=is_constant(comparison)
    )
    return Interim(
        bounds=comparison.bounds,
        claim=comparison.claim,
        side=comparison.side,
        bar=comparison.bar,
        looks=(look,),
    )


def continued(
    before: Interim | None, comparison: Comparison, rule: Rule, worst: float = 0.0
) -> Interim:
    """Read a further look; looks by another rule do not count with it."""
    now = started(comparison, rule, worst)
    if before is None or before.last.rule != rule:
        return now
    return replace(now, looks=(*before.looks, *now.looks))


def once(comparison: Comparison, worst: float = 0.0) -> Interim:
    """Read a comparison as a study of that many pairs that is read once."""
    return started(comparison, Looks((len(comparison.deltas),)), worst)
