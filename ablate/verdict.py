"""Comparison and its tests -> Verdict: MATTERS, NEGLIGIBLE, INCONCLUSIVE or UNTESTABLE.

No exception path ends in MATTERS: whatever could not be computed is UNTESTABLE.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ablate.correction import CORRECTIONS as CORRECTIONS, Step, adjust as adjust
from ablate.foreign_text import of_error
from ablate.interim import Interim, once
from ablate.power import equivalence, minimal_effect, one_sided, seeds
from ablate.types import ENOUGH_PAIRS, Comparison, TestResult, Verdict

DECISIVE = ("minimal-effect", "equivalence")
"""The tests without whose p-values nothing is decided; those of one look are the verdict's own."""

FEWEST_PAIRS = 3
MOST_SEEDS, MOST_TIMES = 1000, 10
"""Beyond so many pairs, and so many times those that there are, no number is estimated."""
LOSS_SHARE = 0.1
"""One-sided losses beyond this share of the seeds block a verdict: what is left is a selection."""

NOWHERE = (math.nan, math.nan)
"""The interval of what rests on none."""


@dataclass(frozen=True)
class Evidence:
    """A comparison with its tests by name, at level alpha.

    fault: why it cannot be judged. broken: a test that raised. interim: what the looks come to;
    None where there is nothing to read.
    """

    comparison: Comparison
    tests: Mapping[str, TestResult]
    alpha: float
    fault: str = ""
    broken: str = ""
    interim: Interim | None = None

    @property
    def p(self) -> float:
        """The p of the verdict: the smaller of the two claims it may make; 1 where it makes none.

        So that it takes its full share of the family.
        """
        nothing = self.fault or self.interim is None or withheld(self.comparison)
        return 1.0 if nothing or self.interim is None else self.interim.p


def examine(
    comparison: Comparison,
    tests: Mapping[str, Callable[..., TestResult]],
    alpha: float,
    interim: Interim | None = None,
) -> Evidence:
    """Run every test on a comparison that can be tested; a test that raises makes it untestable.

    interim: what its looks come to; without it the comparison is read once.
    """
    reason = fault(comparison)
    if len(comparison.deltas) < FEWEST_PAIRS or comparison.refusal:
        return Evidence(comparison, {}, alpha, reason)
    interim = interim or once(comparison)
    try:
        results = {name: test(comparison, alpha) for name, test in tests.items()}
    except Exception as error:  # a third party's test may raise anything
        said = f"a test raised {of_error(error)}"
        return Evidence(comparison, {}, alpha, said, said, interim)
    if not reason and any(math.isnan(results[name].p) for name in DECISIVE):
        said = "a test gave no p-value"
        return Evidence(comparison, results, alpha, said, said, interim)
    return Evidence(comparison, results, alpha, reason, interim=interim)


def fault(comparison: Comparison) -> str:
    """Say why a comparison cannot be tested; '' where it can."""
    n = len(comparison.deltas)
    if comparison.refusal:
        return f"these records are no pairs: {comparison.refusal}"
    if n < FEWEST_PAIRS:
        some = f"; {comparison.lost[0].reason}" if comparison.lost else ""
        pairs = "usable pair" if n == 1 else "usable pairs"
        return f"{n} {pairs}, at least {FEWEST_PAIRS} are needed{some}"
    if comparison.stands.nothing_learnt:
        return comparison.stands.nothing_learnt
    if not comparison.margin > 0:
        return "no margin was declared, so neither size nor smallness can be shown"
    if not comparison.identical and always_zero(comparison):
        return "the metric is 0 in every run of both arms, so it could not show a difference"
    return differential_failure(comparison)


def decide(evidence: Evidence, step: Step) -> Verdict:
    """Judge one contrast at its step in the family."""
    comparison, interim = evidence.comparison, evidence.interim
    calm = is_calm(comparison)
    shut = evidence.fault or withheld(comparison)
    read = interim.read(step.level) if interim and not shut and not calm else None
    decision, why = _decision(evidence, step)
    flags = ["INERT" if comparison.identical else "TIED"] if _is_still(evidence) else []
    if read and read.decision == "INCONCLUSIVE" and (read.low > 0 or read.high < 0):
        flags.append("differs")
    size = evidence.tests.get("effect-size")
    return Verdict(
        comparison=comparison,
        decision=decision,
        estimate=interim.last.mean if interim else math.nan,
        low=read.low if read else math.nan,
        high=read.high if read else math.nan,
        n=len(comparison.deltas),
        p=math.nan if shut or not interim else interim.p,
        p_adjusted=math.nan if shut else step.p,
        effect=size.estimate if size else math.nan,
        why=why,
        flags=tuple(flags),
        tests=evidence.tests,
        rule=interim.last.rule.name if interim else "",
        inner=interim.inner(step.level) if read and interim else NOWHERE,
        detectable=detectable(interim, step.level) if interim else math.nan,
        confidence=read.confidence if read else math.nan,
        p_of=interim.nearer if interim and not shut else "",
        simultaneous=interim.outer(step.share) if read and interim else NOWHERE,
    )


def withheld(comparison: Comparison) -> str:
    """Say why nothing may be decided on a comparison yet; '' where it may."""
    n, waiting = len(comparison.deltas), sum(pair.missing for pair in comparison.lost)
    if waiting:
        whole = n + len(comparison.lost)
        return f"{waiting} of {whole} {comparison.unit} are still to be run; no peeking"
    if n < ENOUGH_PAIRS:
        return f"{n} pairs are too few to decide; at least {ENOUGH_PAIRS} are needed"
    return ""


def detectable(interim: Interim, level: float) -> float:
    """Give the difference that would be found to matter with a power of about 80 %.

    delta + half the interval + t_{.8} s / sqrt(n): the interval's lower end then lies on delta or
    above in four studies of five.
    """
    from scipy.special import stdtrit

    low, high = interim.outer(level)
    if interim.last.n < FEWEST_PAIRS or not math.isfinite(high - low):
        return math.nan
    reach = stdtrit(interim.last.n - 1, 0.8) * interim.last.error
    return float(interim.margin + (high - low) / 2 + reach)


def is_calm(comparison: Comparison) -> bool:
    """Say whether both arms scored the same in everything, which needs no interval."""
    return comparison.identical and is_zero(comparison) and not withheld(comparison)


def _is_still(evidence: Evidence) -> bool:
    return not evidence.fault and is_zero(evidence.comparison)


def is_zero(comparison: Comparison) -> bool:
    """Say whether no seed shows any difference."""
    return all(abs(delta) <= comparison.round_off for delta in comparison.deltas)


def _decision(evidence: Evidence, step: Step) -> tuple[str, str]:
    comparison, interim = evidence.comparison, evidence.interim
    if evidence.fault or interim is None:
        return "UNTESTABLE", evidence.fault
    if reason := withheld(comparison):
        return "INCONCLUSIVE", reason
    if is_calm(comparison):
        none = f"no {comparison.unit.removesuffix('s')} shows any difference"
        return interim.calm, f"{none}: every score of both arms is the same"
    decision = interim.read(step.level).decision
    if decision == "INCONCLUSIVE":
        return decision, _undecided(evidence, interim, step)
    return decision, MEANS[decision].format(margin=comparison.margin)


MEANS = {
    "MATTERS": "the difference lies beyond the margin of {margin:g}",
    "NEGLIGIBLE": "the difference lies inside the margin of {margin:g}",
    "NO GAIN": "a gain above the margin of {margin:g} is excluded; whether it hurts is not asked",
    "NO HARM": "a loss above the margin of {margin:g} is excluded; whether it helps is not asked",
}


def _undecided(evidence: Evidence, interim: Interim, step: Step) -> str:
    if interim.p <= evidence.alpha:
        return "decided on its own, but not after correction for the other claims"
    needed, unit = seeds_needed(evidence, step.hardest), evidence.comparison.unit
    more = f"more than {farthest(interim.last.n):,} {unit} would be needed"
    if needed > interim.last.n:
        more = f"about {needed:,} {unit} would decide"
    elif (
        needed
    ):  # read once, by Student's t; several looks, or none that was declared, ask for more
        more = f"a study of as many {unit}, read once, would decide more often than not"
    if math.isinf(interim.outer(step.level)[1]):
        rule, n = interim.last.rule.name, interim.last.n
        return f"the {rule} has no interval at {n} pairs and this level; {more}"
    return f"the interval crosses the margin; {more}"


def always_zero(comparison: Comparison) -> bool:
    """Say whether the metric is 0 in every run, as forgetting is after a single task."""
    values = comparison.treatment_values + comparison.baseline_values
    return max(map(abs, values)) == 0


def differential_failure(comparison: Comparison) -> str:
    """Say whether one arm lost so many more seeds than the other that the rest is a selection."""
    sides = [side for pair in comparison.lost if len(pair.sides) == 1 for side in pair.sides]
    whole, unit = len(comparison.lost) + len(comparison.deltas), comparison.unit
    for label in (comparison.treatment, comparison.baseline):
        count = sides.count(label)
        if count > LOSS_SHARE * whole:
            return (
                f"{label} alone lost {count} of {whole} {unit}, so the pairs left are a selection"
            )
    return ""


def seeds_needed(evidence: Evidence, alpha: float, power: float = 0.8) -> int:
    """Estimate the pairs for a decision, mean and spread staying as observed; 0 for too many."""
    interim = evidence.interim or once(evidence.comparison)
    last, margin, side = interim.last, interim.margin, interim.side
    sd = last.error * math.sqrt(last.n)

    def chance(n: int) -> float:
        if side:
            return max(one_sided(n, side * last.mean, sd, margin, alpha))
        likely = minimal_effect if abs(last.mean) > margin else equivalence
        return likely(n, abs(last.mean), sd, margin, alpha)

    most = farthest(last.n)
    if chance(most) < power:
        return 0
    return seeds(chance, power, max(ENOUGH_PAIRS, last.n), most)


def farthest(n: int) -> int:
    """Give the number of pairs beyond which, of n that there are, none is estimated.

    >>> farthest(20), farthest(50_000)
    (1000, 500000)
    """
    return max(MOST_SEEDS, MOST_TIMES * n)
