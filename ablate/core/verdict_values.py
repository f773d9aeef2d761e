"""What is concluded from records: comparisons, test results, verdicts. From `ablate.types`, too."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

import numpy as np

from ablate.core.companions import Collapses, Items, Robust, pearson
from ablate.core.outcomes import Decision

T = TypeVar("T")

ROUND_OFF = 1e-13
"""Of the largest score: some hundred units in its last place."""


@dataclass(frozen=True)
class LostPair:
    """A seed that could not be paired, and the reason.

    sides: the arms that lost it. missing: an arm has not run it yet, which is no loss.
    """

    seed: int
    reason: str
    sides: tuple[str, ...]
    missing: bool = False


@dataclass(frozen=True)
class Standing:
    """Where all arms of a claim stand after some of its seeds.

    nothing_learnt: why nothing can be told, where none is above chance. flag: what a verdict is
    marked with at the newest task alone or at the ceiling, which is at `line`. low, high: the
    lowest and highest mean of its arms.
    """

    nothing_learnt: str = ""
    flag: str = ""
    line: float = math.nan
    low: float = math.nan
    high: float = math.nan


UNREMARKABLE = Standing()

PLAIN_SCALES = (1.0, 100.0)
"""Ranges of a score that is a share or a percentage, from 0."""


@dataclass(frozen=True)
class Worst:
    """The largest difference that a seed which was not seen might show.

    size: in the metric's unit, `inf` where nothing bounds it. origin: where it comes from.
    """

    size: float
    origin: str


NO_WORST = Worst(0.0, "")
"""Of differences that vary: their spread speaks of those that were not seen."""


@dataclass(frozen=True)
class Comparison:
    """Paired differences of two variants in one metric, joined on the seed.

    deltas: treatment - baseline, `[n]`, by seed.
    resolution: what one test row is worth in final accuracy.
    identical: every pair of records agrees in every score, not only in this metric; alike: pair by
    pair, `[n]`, where that was looked at.
    blocks: over how many blocks a score is a mean where the resolution is the smallest step between
    these scores; 0 where it is known.
    claim: the side that was declared before the runs, `helps` or `hurts`; '' for both. side: 1
    where that is a difference above 0, -1 below; 0 for both.
    standing: where its arms stand, by how many seeds were asked for.
    unit: what its pairs are called in a sentence, several of them.
    lower_margin: the size of the margin below 0, where it is another than `margin`; 0 where not.
    worst: the largest difference of a seed that was declared before the runs; 0 where none was.
    span: the largest difference that the metric allows; 0 where the scores have to tell.
    lower: a lower score is better. chance: what a guess scores, in points; nan where not known.
    points: its scores are percentage points, and no unit of somebody's own.
    unpaired: its values are of runs in no pairs, as many as each arm has; there are no deltas.
    """

    treatment: str
    baseline: str
    metric: str
    margin: float
    seeds: tuple[int, ...]
    treatment_values: tuple[float, ...]
    baseline_values: tuple[float, ...]
    lost: tuple[LostPair, ...]
    resolution: float
    identical: bool = False
    refusal: str = ""
    standing: Mapping[int, Standing] = field(default_factory=dict)
    alike: tuple[bool, ...] = ()
    blocks: int = 0
    claim: str = ""
    side: int = 0
    unit: str = "seeds"
    lower_margin: float = 0.0
    worst: float = 0.0
    span: float = 0.0
    lower: bool = False
    chance: float = math.nan
    points: bool = True
    unpaired: bool = False

    @property
    def n(self) -> int:
        """Count its pairs; of an unpaired one, the runs of the smaller arm."""
        if not self.unpaired:
            return len(self.seeds)
        return min(len(self.treatment_values), len(self.baseline_values))

    def at(self, indices: Sequence[int]) -> Comparison:
        """Cut it to some of its pairs, by their places, with all that is said pair by pair."""

        def cut(values: tuple[T, ...]) -> tuple[T, ...]:
            return tuple(values[i] for i in indices)

        alike = cut(self.alike) if self.alike else ()
        return replace(
            self,
            seeds=cut(self.seeds),
            treatment_values=cut(self.treatment_values),
            baseline_values=cut(self.baseline_values),
            alike=alike,
            identical=all(alike) if alike else self.identical,
        )

    @property
    def bounds(self) -> tuple[float, float]:
        """Give the margins with their signs: below 0, and above."""
        return -(self.lower_margin or self.margin), self.margin

    @property
    def bar(self) -> float:
        """Give the margin on the declared side with its sign; 0 where none was declared."""
        low, high = self.bounds
        return {1: high, -1: low}.get(self.side, 0.0)

    @cached_property
    def tied(self) -> bool:
        """Say whether at least half of the pairs show no difference at all."""
        ties = sum(abs(delta) <= self.round_off for delta in self.deltas)
        return ties > 0 and 2 * ties >= len(self.deltas)

    @cached_property
    def farthest(self) -> float:
        """Give the largest difference of any pair, without its sign; 0 within round-off."""
        most = max(map(abs, self.deltas), default=0.0)
        return most if most > self.round_off else 0.0

    @property
    def range(self) -> float:
        """Give the largest difference that the metric allows, `inf` where no scale is known.

        Scores of a scale that is not known are shares where all lie in [0, 1], and percentages in
        [0, 100], or all of them with the other sign.
        """
        if self.span:
            return self.span
        values = self.treatment_values + self.baseline_values
        if not values or min(values) < 0 < max(values):
            return math.inf
        most = max(map(abs, values))
        return next((scale for scale in PLAIN_SCALES if most <= scale), math.inf)

    @property
    def stands(self) -> Standing:
        """Give where its arms stand after the seeds that it holds."""
        return self.standing.get(len(self.schedule), UNREMARKABLE)

    @property
    def schedule(self) -> tuple[int, ...]:
        """Give every seed that was asked for, in order, those lost or not yet run included."""
        return tuple(sorted({*self.seeds, *(pair.seed for pair in self.lost)}))

    @cached_property
    def deltas(self) -> tuple[float, ...]:
        """Give treatment - baseline for each paired seed; nothing where there are no pairs."""
        if self.unpaired:
            return ()
        pairs = zip(self.treatment_values, self.baseline_values, strict=True)
        return tuple(a - b for a, b in pairs)

    @cached_property
    def round_off(self) -> float:
        """Give the size under which a difference of these scores is mere round-off."""
        return ROUND_OFF * max(map(abs, self.treatment_values + self.baseline_values), default=0.0)

    @cached_property
    def spread(self) -> float:
        """Give the standard deviation of the differences; the resolution where it is round-off."""
        sd = float(np.std(self.deltas, ddof=1))
        return sd if sd > self.round_off else self.resolution

    @property
    def correlation(self) -> float:
        """Give Pearson's r between the arms over the seeds; `nan` where an arm does not vary."""
        values = self.treatment_values, self.baseline_values
        return math.nan if self.unpaired else pearson(*values)


@dataclass(frozen=True)
class TestResult:
    """What one test says about paired differences.

    p: the p-value, `nan` where the test does not apply. estimate: of what the test is about, with
    its interval low, high. floor: the smallest p it can reach with these differences. effect: a
    size without unit; measure: its name. note: why there are no figures, where there are none.
    """

    __test__ = False  # not a test case, whatever pytest thinks of the name

    name: str
    n: int
    p: float
    estimate: float
    low: float
    high: float
    assumes: str
    floor: float = 0.0
    effect: float = math.nan
    measure: str = ""
    note: str = ""


SIDES = ("helps", "hurts")
"""What a contrast may claim before the runs; without it, either."""

DECIDED = (Decision.MATTERS, Decision.NEGLIGIBLE, Decision.NO_GAIN, Decision.NO_HARM)
"""The decisions that settle a contrast."""


@dataclass(frozen=True)
class Verdict:
    """A decision on one contrast, with the evidence it rests on.

    decision: MATTERS, NEGLIGIBLE, INCONCLUSIVE or UNTESTABLE; of a contrast with a declared side,
    NO GAIN or NO HARM in the place of NEGLIGIBLE. p: of the claim `p_of`, the likelier of the two;
    p_adjusted: over the family. low, high: the interval that the decision is read from, at the
    level of its step in the family; nan where the decision rests on none. confidence: of that
    interval; of a declared side, of each end. flags: `INERT`, `differs`, ... rule: by what it was
    read. inner: the interval of 1 - 2 levels. simultaneous: that of 1 - alpha over all contrasts of
    the family at once (Bonferroni).
    detectable: a true difference that would be found to matter in about 80 % of such studies.
    worst: of a contrast half of whose pairs tie, what unseen seeds were allowed to differ by.
    negligible_from, matters_to: the smallest margin with which it would have been NEGLIGIBLE (of a
    declared side, NO GAIN or NO HARM), and the largest with which it would MATTER, chosen
    afterwards: they hold for any margins at once, over all looks and all contrasts (Bonferroni);
    nan where there is none. unseen: the rate of seeds under which events are not excluded, since
    none may have been seen at a rate of alpha. robust, collapses, items: beside the verdict.
    chance: of an open contrast with looks to come, that of a verdict at them, at the truth of its
    80 % interval that is most in favour of one.
    """

    comparison: Comparison
    decision: Decision
    estimate: float
    low: float
    high: float
    n: int
    p: float
    p_adjusted: float
    effect: float
    why: str
    flags: tuple[str, ...]
    tests: Mapping[str, TestResult]
    rule: str = "Student t"
    inner: tuple[float, float] = (math.nan, math.nan)
    detectable: float = math.nan
    confidence: float = math.nan
    p_of: str = ""
    simultaneous: tuple[float, float] = (math.nan, math.nan)
    worst: Worst = NO_WORST
    negligible_from: float = math.nan
    matters_to: float = math.nan
    unseen: float = math.nan
    robust: Robust | None = None
    collapses: Collapses | None = None
    items: Items | None = None
    chance: float = math.nan

    @property
    def decided(self) -> bool:
        """Say whether the contrast is settled."""
        return self.decision in DECIDED
