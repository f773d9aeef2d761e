"""Comparison and its tests -> Verdict: MATTERS, NEGLIGIBLE, INCONCLUSIVE or UNTESTABLE.

No exception path ends in MATTERS: whatever could not be computed is UNTESTABLE.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ablate.power import equivalence, minimal_effect, seeds
from ablate.types import ENOUGH_PAIRS, Comparison, TestResult, Verdict

DECISIVE = ("minimal-effect", "equivalence")
"""The tests whose p-values a verdict rests on."""

FEWEST_PAIRS = 3
MOST_SEEDS = 1000
LOSS_SHARE = 0.1
"""One-sided losses beyond this share of the seeds block a verdict: what is left is a selection."""

CORRECTIONS = {
    "holm": "no false claim in the whole family, at a rate of alpha (Holm 1979)",
    "hommel": "the same with a little more power, for claims that are not opposed (Hommel 1988)",
    "bonferroni": "the same, each claim at alpha / their number",
    "bh": "of the claims that are made, alpha are false on average (Benjamini & Hochberg 1995)",
    "by": "the same however the claims depend on one another (Benjamini & Yekutieli 2001)",
    "none": "each claim on its own, at a rate of alpha",
}

NOTHING = TestResult("none", 0, math.nan, math.nan, math.nan, math.nan, "")
"""Stands for a test that could not be run."""


EVERYWHERE = (-math.inf, math.inf)


@dataclass(frozen=True)
class Reading:
    """What the looks so far come to.

    large: p of |mean| <= margin. under, over: p of mean >= margin and of mean <= -margin. outer,
    inner: the 1 - alpha and the 1 - 2 alpha interval, simultaneous over the looks.
    """

    look: int = 0
    rule: str = ""
    large: float = 1.0
    under: float = 1.0
    over: float = 1.0
    outer: tuple[float, float] = EVERYWHERE
    inner: tuple[float, float] = EVERYWHERE

    @property
    def small(self) -> float:
        """Give the p of |mean| >= margin: both one-sided claims have to hold."""
        return max(self.under, self.over)

    @property
    def p(self) -> float:
        """Give the p of the verdict: the smaller of the two claims it may make."""
        return min(1.0, self.large, self.small)


@dataclass(frozen=True)
class Evidence:
    """A comparison with its tests by name, at level alpha.

    fault: why it cannot be judged. broken: a test that raised. reading: what several looks come to;
    without it the tests' own p-values count.
    """

    comparison: Comparison
    tests: Mapping[str, TestResult]
    alpha: float
    fault: str = ""
    broken: str = ""
    reading: Reading | None = None

    @property
    def claims(self) -> tuple[float, float]:
        """Give the p-values of MATTERS and of NEGLIGIBLE."""
        if self.reading:
            return self.reading.large, self.reading.small
        large, small = (self.tests[name].p for name in DECISIVE)
        return large, small

    @property
    def p(self) -> float:
        """The p of the verdict: the smaller of the two claims it may make; 1 where untestable."""
        return 1.0 if self.fault else min(self.claims)


def examine(
    comparison: Comparison, tests: Mapping[str, Callable[..., TestResult]], alpha: float
) -> Evidence:
    """Run every test on a comparison that can be tested; a test that raises makes it untestable."""
    reason = fault(comparison)
    if len(comparison.deltas) < FEWEST_PAIRS or comparison.refusal:
        return Evidence(comparison, {}, alpha, reason)
    try:
        results = {name: test(comparison, alpha) for name, test in tests.items()}
    except Exception as error:  # a third party's test may raise anything
        said = f"a test raised {type(error).__name__}: {error}"
        return Evidence(comparison, {}, alpha, said, broken=said)
    if not reason and any(math.isnan(results[name].p) for name in DECISIVE):
        said = "a test gave no p-value"
        return Evidence(comparison, results, alpha, said, broken=said)
    return Evidence(comparison, results, alpha, reason)


def fault(comparison: Comparison) -> str:
    """Say why a comparison cannot be tested; '' where it can."""
    n = len(comparison.deltas)
    if comparison.refusal:
        return f"these records are no pairs: {comparison.refusal}"
    if n < FEWEST_PAIRS:
        some = f"; {comparison.lost[0].reason}" if comparison.lost else ""
        return f"{n} usable pairs, at least {FEWEST_PAIRS} are needed{some}"
    if comparison.stands.nothing_learnt:
        return comparison.stands.nothing_learnt
    if not comparison.margin > 0:
        return "no margin was declared, so neither size nor smallness can be shown"
    if not comparison.identical and always_zero(comparison):
        return "the metric is 0 in every run of both arms, so it could not show a difference"
    return differential_failure(comparison)


def adjust(p: Sequence[float], correction: str) -> list[float]:
    """Adjust a family of p-values; see `CORRECTIONS`.

    Holm and Bonferroni are written out, as statsmodels collects all garbage in every call, which is
    slower than the rest of a look together.

    >>> adjust([0.01, 0.04], "holm")
    [0.02, 0.04]
    """
    if len(p) < 2 or correction == "none":
        return list(p)
    if correction == "bonferroni":
        return [min(1.0, len(p) * value) for value in p]
    if correction == "holm":
        order = sorted(range(len(p)), key=p.__getitem__)
        found, worst = [0.0] * len(p), 0.0
        for place, i in enumerate(order):
            worst = max(worst, (len(p) - place) * p[i])
            found[i] = min(1.0, worst)
        return found
    if correction in ("bh", "by"):
        from scipy.stats import false_discovery_control

        return [
            float(value) for value in false_discovery_control([*map(float, p)], method=correction)
        ]
    from statsmodels.stats.multitest import multipletests

    return [float(value) for value in multipletests(p, method=correction)[1]]


def decide(evidence: Evidence, p_adjusted: float, alpha: float, family: int = 1) -> Verdict:
    """Judge one contrast at its adjusted p; `family` is how many contrasts share alpha."""
    comparison, tests = evidence.comparison, evidence.tests
    interval, size = tests.get("paired-t", NOTHING), tests.get("effect-size", NOTHING)
    flags = []
    if evidence.fault:
        decision, why = "UNTESTABLE", evidence.fault
    else:
        decision, why = _decision(evidence, p_adjusted, alpha, family)
        if is_zero(comparison):
            flags.append("INERT" if comparison.identical else "TIED")
        outer = evidence.reading.outer if evidence.reading else (interval.low, interval.high)
        if decision == "INCONCLUSIVE" and (outer[0] > 0 or outer[1] < 0):
            flags.append("differs")
    low, high = evidence.reading.outer if evidence.reading else (interval.low, interval.high)
    return Verdict(
        comparison=comparison,
        decision=decision,
        estimate=interval.estimate,
        low=low,
        high=high,
        n=len(comparison.deltas),
        p=math.nan if evidence.fault else evidence.p,
        p_adjusted=math.nan if evidence.fault else p_adjusted,
        effect=size.estimate,
        why=why,
        flags=tuple(flags),
        tests=tests,
        detectable=detectable(evidence, (high - low) / 2),
        rule=evidence.reading.rule if evidence.reading else "Student t",
        inner=evidence.reading.inner if evidence.reading else _within(tests),
    )


def detectable(evidence: Evidence, half: float) -> float:
    """Give the difference that would be found to matter with a power of about 80 %.

    delta + half the interval + t_{.8} s / sqrt(n): the interval's lower end then lies on delta or
    above in four studies of five. half: of the interval, in the metric's unit.
    """
    from scipy.special import stdtrit

    found = evidence.tests.get("paired-t", NOTHING)
    if found.n < FEWEST_PAIRS or not math.isfinite(half):
        return math.nan
    error = (found.high - found.low) / 2 / -stdtrit(found.n - 1, evidence.alpha / 2)
    return float(evidence.comparison.margin + half + stdtrit(found.n - 1, 0.8) * error)


def _within(tests: Mapping[str, TestResult]) -> tuple[float, float]:
    within = tests.get("equivalence", NOTHING)
    return within.low, within.high


def is_zero(comparison: Comparison) -> bool:
    """Say whether no seed shows any difference."""
    return all(abs(delta) <= comparison.round_off for delta in comparison.deltas)


def _decision(evidence: Evidence, p_adjusted: float, alpha: float, family: int) -> tuple[str, str]:
    comparison = evidence.comparison
    n, margin = len(comparison.deltas), comparison.margin
    waiting = sum(pair.missing for pair in comparison.lost)
    if waiting:
        whole = n + len(comparison.lost)
        return "INCONCLUSIVE", f"{waiting} of {whole} seeds are still to be run; no peeking"
    if n < ENOUGH_PAIRS:
        return (
            "INCONCLUSIVE",
            f"{n} pairs are too few to decide; at least {ENOUGH_PAIRS} are needed",
        )
    if comparison.identical and is_zero(comparison):
        return "NEGLIGIBLE", "no seed shows any difference: every score of both arms is the same"
    if p_adjusted > alpha:
        return "INCONCLUSIVE", _undecided(evidence, alpha, family)
    large, small = evidence.claims
    if large < small:
        return "MATTERS", f"the difference lies beyond the margin of {margin:g}"
    return "NEGLIGIBLE", f"the difference lies inside the margin of {margin:g}"


def _undecided(evidence: Evidence, alpha: float, family: int) -> str:
    if evidence.p <= alpha:
        return "decided on its own, but not after correction for the other contrasts"
    needed = seeds_needed(evidence, alpha / family)
    more = "more than 1,000 seeds would be needed"
    if needed > len(evidence.comparison.deltas):
        more = f"about {needed} seeds would decide"
    elif (
        needed
    ):  # read once, by Student's t; several looks, or none that was declared, ask for more
        more = "a study of as many seeds, read once, would decide more often than not"
    return f"the interval crosses the margin; {more}"


def always_zero(comparison: Comparison) -> bool:
    """Say whether the metric is 0 in every run, as forgetting is after a single task."""
    values = comparison.treatment_values + comparison.baseline_values
    return max(map(abs, values)) == 0


def differential_failure(comparison: Comparison) -> str:
    """Say whether one arm lost so many more seeds than the other that the rest is a selection."""
    sides = [side for pair in comparison.lost if len(pair.sides) == 1 for side in pair.sides]
    seeds = len(comparison.lost) + len(comparison.deltas)
    for label in (comparison.treatment, comparison.baseline):
        count = sides.count(label)
        if count > LOSS_SHARE * seeds:
            return f"{label} alone lost {count} of {seeds} seeds, so the pairs left are a selection"
    return ""


def seeds_needed(evidence: Evidence, alpha: float, power: float = 0.8) -> int:
    """Estimate the seeds for a decision, mean and spread staying as observed; 0 beyond 1,000."""
    from scipy.special import stdtrit

    comparison, observed = evidence.comparison, evidence.tests["paired-t"]
    mean, have, margin = abs(observed.estimate), observed.n, comparison.margin
    half = (observed.high - observed.low) / 2
    sd = half * math.sqrt(have) / -float(stdtrit(have - 1, evidence.alpha / 2))
    shown = minimal_effect if mean > margin else equivalence
    if shown(MOST_SEEDS, mean, sd, margin, alpha) < power:
        return 0
    return seeds(lambda n: shown(n, mean, sd, margin, alpha), power, max(ENOUGH_PAIRS, have))
