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

from ablate.looks import Looks, Rule
from ablate.types import Comparison

NONE_OF = {"helps": "NO GAIN", "hurts": "NO HARM"}
"""By the side that was declared, the claim that there is no difference beyond the margin on it."""


@dataclass(frozen=True)
class Look:
    """A mean difference on n pairs with its standard error, and the rule that reads it."""

    n: int
    mean: float
    error: float
    rule: Rule

    def above(self, value: float) -> float:
        """Give the p of a true mean of at most `value`."""
        return float(self.rule.p((self.mean - value) / self.error, self.n))

    def below(self, value: float) -> float:
        """Give the p of a true mean of at least `value`."""
        return float(self.rule.p((value - self.mean) / self.error, self.n))

    def ends(self, level: float) -> tuple[float, float]:
        """Give the interval each of whose ends misses the true mean at a rate of `level`."""
        half = self.rule.constant(level, self.n) * self.error
        return self.mean - half, self.mean + half


@dataclass(frozen=True)
class Reading:
    """A decision with the interval that it is read from.

    confidence: of the interval; of a contrast with a declared side, of each of its ends.
    """

    decision: str
    low: float
    high: float
    confidence: float


@dataclass(frozen=True)
class Interim:
    """The looks at a contrast so far, the last of them the one that is read.

    claim, side: as in `Comparison`. looks: not empty; all by one rule.
    """

    margin: float
    claim: str
    side: int
    looks: tuple[Look, ...]

    @property
    def last(self) -> Look:
        """Give the look that is read."""
        return self.looks[-1]

    @property
    def calm(self) -> str:
        """Name what it says where nothing beyond the margin is there."""
        return NONE_OF.get(self.claim, "NEGLIGIBLE")

    @property
    def bar(self) -> float:
        """Give the margin on the declared side."""
        return self.side * self.margin

    @property
    def matters(self) -> float:
        """Give the p of MATTERS: of a true mean that is not beyond the margin."""
        if self.side:
            return self._beyond if self.side > 0 else self._short
        both = self.last.above(self.margin), self.last.below(-self.margin)
        return min(1.0, 2 * min(both))

    @property
    def calms(self) -> float:
        """Give the p of the other claim, NEGLIGIBLE or none on the declared side.

        The two bounds of NEGLIGIBLE may be reached at different looks, as long as the mean at the
        last one lies between the margins; every other claim is read at one look.
        """
        if self.side:
            return self._short if self.side > 0 else self._beyond
        inside = -self.margin < self.last.mean < self.margin
        looks = self.looks if inside else (self.last,)
        over = min(look.above(-self.margin) for look in looks)
        return max(over, min(look.below(self.margin) for look in looks))

    @property
    def _beyond(self) -> float:
        return self.last.above(self.bar)

    @property
    def _short(self) -> float:
        return self.last.below(self.bar)

    @property
    def p(self) -> float:
        """Give the p of the contrast: the smaller of its two claims'."""
        return min(1.0, self.matters, self.calms)

    @property
    def nearer(self) -> str:
        """Name the claim that the p belongs to."""
        if self.matters == self.calms:
            return f"MATTERS and {self.calm}"
        return "MATTERS" if self.matters < self.calms else self.calm

    def outer(self, level: float) -> tuple[float, float]:
        """Give the interval that MATTERS is read from at a level."""
        return self.last.ends(level if self.side else level / 2)

    def inner(self, level: float) -> tuple[float, float]:
        """Give the interval that NEGLIGIBLE is read from: 1 - 2 level, over the looks so far.

        It is the intersection over the looks, and reaches to the mean at the last one.
        """
        ends, mean = [look.ends(level) for look in self.looks], self.last.mean
        return min(max(low for low, _ in ends), mean), max(min(high for _, high in ends), mean)

    def read(self, level: float) -> Reading:
        """Decide at a level, by the interval that will be shown."""
        low, high = self.outer(level)
        if self.side:
            beyond, short = low > self.bar, high < self.bar
            matters, calm = (beyond, short) if self.side > 0 else (short, beyond)
            names = (("MATTERS", matters), (self.calm, calm))
            decision = next((name for name, holds in names if holds), "INCONCLUSIVE")
            return Reading(decision, low, high, 1 - level)
        if low > self.margin or high < -self.margin:
            return Reading("MATTERS", low, high, 1 - level)
        least, most = self.inner(level)
        if -self.margin < least and most < self.margin:
            return Reading("NEGLIGIBLE", least, most, 1 - 2 * level)
        return Reading("INCONCLUSIVE", low, high, 1 - level)


def started(comparison: Comparison, rule: Rule) -> Interim:
    """Read a comparison's first look; it needs two pairs."""
    n = len(comparison.deltas)
    mean, error = math.fsum(comparison.deltas) / n, comparison.spread / math.sqrt(n)
    look = Look(n, mean, error, rule)
    return Interim(comparison.margin, comparison.claim, comparison.side, (look,))


def continued(before: Interim | None, comparison: Comparison, rule: Rule) -> Interim:
    """Read a further look; looks by another rule do not count with it."""
    now = started(comparison, rule)
    if before is None or before.last.rule != rule:
        return now
    return replace(now, looks=(*before.looks, *now.looks))


def once(comparison: Comparison) -> Interim:
    """Read a comparison as a study of that many pairs that is read once."""
    return started(comparison, Looks((len(comparison.deltas),)))
