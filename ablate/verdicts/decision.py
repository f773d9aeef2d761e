"""Comparison and its tests -> Verdict: MATTERS, NEGLIGIBLE, INCONCLUSIVE or UNTESTABLE.

No exception path ends in MATTERS: whatever could not be computed is UNTESTABLE.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ablate.core.foreign_text import of_error
from ablate.stats.correction import CORRECTIONS as CORRECTIONS, Step, adjust as adjust
from ablate.stats.guarded import DECISIVE
from ablate.types import ENOUGH_PAIRS, NO_WORST, Comparison, Decision, TestResult, Verdict, Worst
from ablate.verdicts import collapse, outlook, robust
from ablate.verdicts.interim import Interim, is_constant, once
from ablate.verdicts.ties import unseen, worst

FEWEST_PAIRS = 3
LOSS_SHARE = 0.1
"""One-sided losses beyond this share of the seeds block a verdict: what is left is a selection."""

ROBUST, COLLAPSED = "robust reading differs", "collapsed runs"
"""Flags of verdicts that are not to be read bare."""

NO_MARGIN = "no margin was declared, so neither size nor smallness can be shown"
"""The fault of a comparison that can be estimated, and not judged."""

NOWHERE = (math.nan, math.nan)
"""The interval of what rests on none."""


@dataclass(frozen=True)
class Evidence:
    """A comparison with its tests by name, at level alpha.

    fault: why it cannot be judged. broken: a test that raised. interim: what the looks come to;
    None where there is nothing to read. worst: what unseen seeds may differ by, where pairs tie.
    few: why nothing may be decided yet, where that is no matter of its pairs.
    """

    comparison: Comparison
    tests: Mapping[str, TestResult]
    alpha: float
    fault: str = ""
    broken: str = ""
    interim: Interim | None = None
    worst: Worst = NO_WORST
    few: str = ""

    @property
    def withheld(self) -> str:
        """Say why nothing may be decided yet; '' where it may."""
        return self.few or withheld(self.comparison)

    @property
    def p(self) -> float:
        """The p of the verdict: the smaller of the two claims it may make; 1 where it makes none.

        So that it takes its full share of the family.
        """
        nothing = self.fault or self.interim is None or self.withheld
        return 1.0 if nothing or self.interim is None else self.interim.p


def examine(
    comparison: Comparison,
    tests: Mapping[str, Callable[..., TestResult]],
    alpha: float,
    interim: Interim | None = None,
    allowed: Worst | None = None,
) -> Evidence:
    """Run every test on a comparison that can be tested; a test that raises makes it untestable.

    interim: what its looks come to; without it the comparison is read once. allowed: what `ties`
    gave for its last look; without it, what it gives for this comparison alone.
    """
    reason = fault(comparison)
    if len(comparison.deltas) < FEWEST_PAIRS or comparison.refusal:
        return Evidence(comparison, {}, alpha, reason)
    allowed = allowed or worst(comparison, [comparison])
    interim = interim or once(comparison, allowed.size)
    try:
        results = {name: test(comparison, alpha) for name, test in tests.items()}
    except Exception as error:  # a third party's test may raise anything
        message = f"a test raised {of_error(error)}"
        return Evidence(
            comparison=comparison,
            tests={},
            alpha=alpha,
            fault=message,
            broken=message,
            interim=interim,
            worst=allowed,
        )
    if not reason and any(math.isnan(results[name].p) for name in DECISIVE):
        message = "a test gave no p-value"
        return Evidence(
            comparison=comparison,
            tests=results,
            alpha=alpha,
            fault=message,
            broken=message,
            interim=interim,
            worst=allowed,
        )
    return Evidence(comparison, results, alpha, reason, interim=interim, worst=allowed)


def fault(comparison: Comparison) -> str:
    """Say why a comparison cannot be tested; '' where it can."""
    n = comparison.n
    if comparison.refusal:
        return f"these records are no pairs: {comparison.refusal}"
    if n < FEWEST_PAIRS:
        some = f"; {comparison.lost[0].reason}" if comparison.lost else ""
        pairs = f"usable {_units(comparison, n)}"
        return f"{n} {pairs}, at least {FEWEST_PAIRS} are needed{some}"
    if comparison.stands.nothing_learnt:
        return comparison.stands.nothing_learnt
    if not comparison.margin > 0:
        return NO_MARGIN
    if not comparison.identical and always_zero(comparison):
        return "the metric is 0 in every run of both arms, so it could not show a difference"
    return differential_failure(comparison)


def decide(evidence: Evidence, step: Step) -> Verdict:
    """Judge one contrast at its step in the family."""
    comparison, interim = evidence.comparison, evidence.interim
    shut = evidence.fault or evidence.withheld
    read = interim.read(step.level) if interim and not shut else None
    decision, why = _decision(evidence, step)
    flags = ["INERT" if comparison.identical else "TIED"] if _is_still(evidence) else []
    if is_constant(comparison) and not evidence.fault:
        flags.append("CONSTANT")
    if read and read.decision == Decision.INCONCLUSIVE and (read.low > 0 or read.high < 0):
        flags.append("differs")
    size = evidence.tests.get("effect-size")
    beside = robust.reading(comparison, decision, step.level) if read else None
    collapses = collapse.of(comparison) if read else None
    if beside and beside.differs:
        flags.append(ROBUST)
    if collapses:
        flags.append(COLLAPSED)
    rate = unseen(evidence.alpha, interim.last.n) if read and interim else math.nan
    if read:
        why += f"; events in fewer than {100 * rate:.3g} % of {comparison.unit} are not excluded"
    return Verdict(
        comparison=comparison,
        decision=decision,
        estimate=interim.last.mean if interim else math.nan,
        low=read.low if read else math.nan,
        high=read.high if read else math.nan,
        n=comparison.n,
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
        worst=evidence.worst if read else NO_WORST,
        negligible_from=interim.negligible_from(step.share) if read and interim else math.nan,
        matters_to=interim.matters_to(step.share) if read and interim else math.nan,
        unseen=rate,
        robust=beside,
        collapses=collapses,
    )


def withheld(comparison: Comparison) -> str:
    """Say why nothing may be decided on a comparison yet; '' where it may."""
    n, waiting = comparison.n, sum(pair.missing for pair in comparison.lost)
    if waiting:
        whole = n + len(comparison.lost)
        return f"{waiting} of {whole} {comparison.unit} are still to be run; no peeking"
    if n < ENOUGH_PAIRS:
        units = _units(comparison, n)
        return f"{n} {units} are too few to decide; at least {ENOUGH_PAIRS} are needed"
    return ""


def _units(comparison: Comparison, n: int) -> str:
    """Name what is counted: pairs, or the runs of the smaller arm."""
    unit = "run" if comparison.unpaired else "pair"
    arm = " in an arm" if comparison.unpaired else ""
    return f"{unit}{'' if n == 1 else 's'}{arm}"


def detectable(interim: Interim, level: float) -> float:
    """Give the difference that would be found to matter with a power of about 80 %.

    delta + half the interval + t_{.8} s / sqrt(n): the interval's lower end then lies on delta or
    above in four studies of five.
    """
    from scipy.special import stdtrit

    low, high = interim.last.ends(level if interim.side else level / 2)
    if interim.last.n < FEWEST_PAIRS or not math.isfinite(high - low):
        return math.nan
    reach = stdtrit(interim.last.n - 1, 0.8) * interim.last.error
    margin = side * interim.bar if (side := interim.side) else max(map(abs, interim.bounds))
    return float(margin + (high - low) / 2 + reach)


def _is_still(evidence: Evidence) -> bool:
    return not evidence.fault and is_zero(evidence.comparison)


def is_zero(comparison: Comparison) -> bool:
    """Say whether no seed shows any difference."""
    deltas = comparison.deltas
    return bool(deltas) and all(abs(delta) <= comparison.round_off for delta in deltas)


def _decision(evidence: Evidence, step: Step) -> tuple[Decision, str]:
    comparison, interim = evidence.comparison, evidence.interim
    if evidence.fault or interim is None:
        return Decision.UNTESTABLE, evidence.fault
    if reason := evidence.withheld:
        return Decision.INCONCLUSIVE, reason
    decision = interim.read(step.level).decision
    if decision == Decision.INCONCLUSIVE:
        if interim.p <= evidence.alpha:
            return decision, "decided on its own, but not after correction for the other claims"
        return decision, outlook.of(comparison, interim, evidence.worst, step)
    means = MEANS[decision].format(margin=bounds_of(comparison))
    if evidence.worst.size and decision != Decision.MATTERS:
        rate = unseen(step.level / 2, interim.last.n)
        seeds = f"{comparison.unit} that were not seen, up to {100 * rate:.3g} % of all"
        means += f", even if {seeds}, differ by {evidence.worst.size:.4g} ({evidence.worst.origin})"
    return decision, means


def bounds_of(comparison: Comparison) -> str:
    """Write the margin: one number, or the two of different size.

    >>> bounds_of(Comparison("a", "b", "m", 2.0, (), (), (), (), 1.0, lower_margin=1.0))
    '-1 to +2'
    """
    low, high = comparison.bounds
    return f"{high:g}" if high == -low or comparison.side else f"{low:g} to {high:+g}"


MEANS = {
    Decision.MATTERS: "the difference lies beyond the margin of {margin}",
    Decision.NEGLIGIBLE: "the difference lies inside the margin of {margin}",
    Decision.NO_GAIN: "a gain above the margin of {margin} is excluded; "
    "whether it hurts is not asked",
    Decision.NO_HARM: "a loss above the margin of {margin} is excluded; "
    "whether it helps is not asked",
}


def always_zero(comparison: Comparison) -> bool:
    """Say whether the metric is 0 in every run, as forgetting is after a single task."""
    values = comparison.treatment_values + comparison.baseline_values
    return max(map(abs, values)) == 0


def differential_failure(comparison: Comparison) -> str:
    """Say whether one arm lost so many more seeds than the other that the rest is a selection."""
    sides = [side for pair in comparison.lost if len(pair.sides) == 1 for side in pair.sides]
    if comparison.unpaired:
        return _unequal_losses(comparison, sides)
    whole, unit = len(comparison.lost) + len(comparison.deltas), comparison.unit
    for label in (comparison.treatment, comparison.baseline):
        count = sides.count(label)
        if count > LOSS_SHARE * whole:
            return (
                f"{label} alone lost {count} of {whole} {unit}, so the pairs left are a selection"
            )
    return ""


def _unequal_losses(comparison: Comparison, sides: Sequence[str]) -> str:
    """Say whether one of two unpaired arms lost a much larger share of its runs than the other."""
    arms = (
        (comparison.treatment, comparison.treatment_values),
        (comparison.baseline, comparison.baseline_values),
    )
    lost = [sides.count(label) for label, _ in arms]
    rates = [count / (count + len(v)) for count, (_, v) in zip(lost, arms, strict=True)]
    if abs(rates[0] - rates[1]) <= LOSS_SHARE:
        return ""
    most = rates.index(max(rates))
    return (
        f"{arms[most][0]} lost {lost[most]} of {lost[most] + len(arms[most][1])} runs, the other "
        f"arm {lost[1 - most]}, so the runs left are a selection"
    )
