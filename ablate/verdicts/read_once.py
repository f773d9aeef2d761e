"""Verdicts on differences whose error is not that of independent pairs; they are read once.

Blocks that share no key, runs that are no pairs, items in clusters, folds that share training rows:
each brings a mean, its standard error and degrees of freedom, and is judged like any other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ablate.stats.correction import Step, steps
from ablate.stats.pooled import Pooled
from ablate.types import Comparison, Decision, Design, TestResult, Verdict, Worst
from ablate.verdicts import decision, undeclared
from ablate.verdicts.interim import Interim, Look
from ablate.verdicts.sequential import Once
from ablate.verdicts.ties import worst


@dataclass(frozen=True)
class Estimated:
    """A difference with an error of its own.

    mean: None where there is nothing to estimate it from. n: independent units behind it, of which
    rare events may have gone unseen. rule, assumes: what it is read by, in words. fault: why it
    cannot be judged; few: why nothing may be decided yet. alone: its pairs are independent, so that
    a trimmed mean of them may be read beside it. unit: what n counts, where that is no pairs.
    beside: tests that decide nothing.
    """

    comparison: Comparison
    mean: Pooled | None
    n: int
    rule: str
    assumes: str
    fault: str = ""
    few: str = ""
    alone: bool = False
    unit: str = ""
    beside: Mapping[str, TestResult] = field(default_factory=dict)


def judge(estimates: Sequence[Estimated], design: Design) -> tuple[Verdict, ...]:
    """Decide each contrast over the whole family.

    Raises nothing: what cannot be judged is UNTESTABLE.
    """
    family = [estimated.comparison for estimated in estimates]
    allowed = [worst(comparison, family) for comparison in family]
    looks = [_look(estimated, most) for estimated, most in zip(estimates, allowed, strict=True)]
    p = [
        1.0 if look is None or estimated.fault or _few(estimated) else look.p
        for estimated, look in zip(estimates, looks, strict=True)
    ]
    ladder = steps(p, design.alpha, design.correction)
    return tuple(
        _judged(estimated, look, step, most, undeclared.level_of(design, len(family)))
        for estimated, look, step, most in zip(estimates, looks, ladder, allowed, strict=True)
    )


def _few(estimated: Estimated) -> str:
    return estimated.few or decision.withheld(estimated.comparison)


def _look(estimated: Estimated, most: Worst) -> Interim | None:
    mean, first = estimated.mean, estimated.comparison
    if mean is None:
        return None
    look = Look(
        n=estimated.n,
        mean=mean.estimate,
        error=mean.error,
        rule=Once(estimated.rule, mean.df),
        worst=most.size,
    )
    return Interim(
        bounds=first.bounds, claim=first.claim, side=first.side, bar=first.bar, looks=(look,)
    )


def _judged(
    estimated: Estimated, look: Interim | None, step: Step, allowed: Worst, level: float
) -> Verdict:
    if look is None or estimated.fault:
        verdict = _untestable(estimated)
        return (
            undeclared.shown(verdict, look, level)
            if look and estimated.fault == decision.NO_MARGIN
            else verdict
        )
    return _verdict(estimated, look, step, allowed)


def _untestable(estimated: Estimated) -> Verdict:
    unknown = math.nan
    return Verdict(
        comparison=estimated.comparison,
        decision=Decision.UNTESTABLE,
        estimate=unknown,
        low=unknown,
        high=unknown,
        n=estimated.comparison.n,
        p=unknown,
        p_adjusted=unknown,
        effect=unknown,
        why=estimated.fault,
        flags=(),
        tests={},
        rule=estimated.rule,
    )


def _verdict(estimated: Estimated, interim: Interim, step: Step, allowed: Worst) -> Verdict:
    whole, rule = estimated.comparison, estimated.rule
    whole = replace(whole, unit=estimated.unit or whole.unit)
    mean, error = interim.last.mean, interim.last.error
    low, high = interim.outer(step.level)
    size = mean / _spread(whole)
    test = TestResult(
        name=rule,
        n=interim.last.n,
        p=interim.p,
        estimate=mean,
        low=low,
        high=high,
        assumes=estimated.assumes,
        effect=size,
        measure="d",
    )
    evidence = decision.Evidence(
        whole,
        {rule: test, **estimated.beside},
        step.level,
        interim=interim,
        worst=allowed,
        few=estimated.few,
    )
    reached = decision.decide(evidence, step)
    reach = interim.last.rule.constant(0.2, interim.last.n) * error
    why = reached.why
    undecided = reached.decision == Decision.INCONCLUSIVE and not _few(estimated)
    if undecided and not allowed.size:
        why = "the interval crosses the margin"  # how many more, and of which, is not known
    if not estimated.alone:
        flags = tuple(flag for flag in reached.flags if flag != decision.ROBUST)
        reached = replace(reached, robust=None, flags=flags)
    return replace(
        reached,
        effect=size,
        why=why,
        n=whole.n,
        detectable=max(whole.bounds) + (high - low) / 2 + reach,
    )


def _spread(whole: Comparison) -> float:
    """Give what a difference is standardised by: the sd of pairs, or of both arms' runs."""
    if not whole.unpaired:
        return float(np.std(whole.deltas, ddof=1)) or whole.resolution
    variances = [np.var(v, ddof=1) for v in (whole.treatment_values, whole.baseline_values)]
    return math.sqrt(float(np.mean(variances))) or whole.resolution
