"""What can make a verdict misleading, said where it occurs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from ablate.stats.test.sign_evidence import log_evidence
from ablate.types import ENOUGH_PAIRS, Comparison, Decision, Design, Floats, Verdict
from ablate.verdicts.interim import once

SKEWED = {
    3: 0.706,
    4: 0.96,
    5: 1.107,
    6: 1.113,
    7: 1.088,
    8: 1.069,
    9: 1.046,
    10: 1.025,
    12: 0.979,
    15: 0.911,
    20: 0.828,
    30: 0.706,
    50: 0.573,
    100: 0.418,
    200: 0.3,
}
"""By the number of pairs, the skewness that 8 % of normal samples exceed (simulated, 200,000)."""

MOVES = 0.03
"""A skewness of less than this many times sqrt(n) moves a tail of .025 by less than .0025, whatever
its standard error: by Edgeworth's expansion of t, skewness (2 z^2 + 1) phi(z) / (6 sqrt(n))."""

SERIAL = 1.645
"""Standard errors of the von Neumann ratio beyond which neighbours resemble one another."""

COLLAPSES = "Runs collapsed, at chance or far from their arm's other seeds, and count all the same"
NORMALITY = "Normality assumed: the signs alone do not bear the verdict out"
MOST_NAMED = 3


def of(verdicts: Sequence[Verdict], design: Design) -> Iterator[str]:
    """Give the warnings of a family, one a trap, with the contrasts that are in it."""
    traps: dict[str, list[str]] = {}
    for verdict in verdicts:
        name = f"{verdict.comparison.treatment} − {verdict.comparison.baseline}"
        for trap, detail in doubts(verdict, design, len(verdicts)):
            traps.setdefault(trap, []).append(f"{name} ({detail})")
    for trap, cases in traps.items():
        more = f"; and {len(cases) - MOST_NAMED} more" if len(cases) > MOST_NAMED else ""
        yield f"{trap}: {'; '.join(cases[:MOST_NAMED])}{more}."


def doubts(verdict: Verdict, design: Design, family: int = 1) -> Iterator[tuple[str, str]]:
    """Give each trap that one verdict is in, with its figures."""
    comparison, deltas = verdict.comparison, np.array(verdict.comparison.deltas)
    lost = [pair for pair in comparison.lost if not pair.missing]
    if lost:
        yield "Pairs were lost", f"{len(lost)}: {'; '.join(pair.reason for pair in lost[:3])}"
    if len(deltas) and (imputed := worst_case(comparison)):
        yield "With the worst score seen in place of each lost one", imputed
    if broken := [f"{name}: {test.note}" for name, test in verdict.tests.items() if test.note]:
        yield "A test beside the verdict could not be computed", "; ".join(broken)
    if verdict.n < 3 or comparison.unpaired or comparison.refusal or "INERT" in verdict.flags:
        return
    floor = verdict.tests["sign-flip"].floor if "sign-flip" in verdict.tests else 0.0
    if floor > design.alpha / family:
        corrected = "" if floor > design.alpha else ", too much for this family of contrasts"
        yield (
            "So few differing pairs that a sign-flip or Wilcoxon p cannot go low, whatever the "
            "difference",
            f"not under {floor:.2g} with {verdict.n} pairs{corrected}",
        )
    if verdict.collapses:
        yield COLLAPSES, of_collapses(verdict)
    if verdict.robust and verdict.robust.differs:
        yield (
            "A trimmed mean, which hears less of a few far seeds, lies on the other side",
            f"{verdict.decision}, trimmed mean {verdict.robust.estimate:+.4g}",
        )
    if "CONSTANT" in verdict.flags:
        worth = "what one test row is worth" if comparison.points else "the least step of a score"
        step = f"{worth}, {comparison.resolution:.3g}, stands in for their spread"
        yield "The differences do not vary, as if they were no measurement", step
    zeros = int((np.abs(deltas) <= comparison.round_off).sum())
    if 2 * zeros >= verdict.n:
        yield "Many differences are exactly 0", f"{zeros} of {verdict.n}"
    if at := bound(comparison):
        yield "Scores are at their bound, so that a difference has no room", at
    skew = skewness(deltas)
    if abs(skew) > max(expected_skewness(verdict.n), MOVES * math.sqrt(verdict.n)):
        yield "The differences are skewed, where normality is assumed", f"skewness {skew:+.1f}"
    ratio = von_neumann(deltas)
    if ratio < 2 - SERIAL * 2 * math.sqrt((verdict.n - 2) / (verdict.n**2 - 1)):
        yield (
            f"Neighbouring {comparison.unit} resemble one another, as if they shared a batch",
            f"von Neumann ratio {ratio:.2f}; independent {comparison.unit} give 2",
        )
    if verdict.decided and (p := by_signs(comparison, verdict.decision)) > design.alpha:
        yield (
            NORMALITY,
            f"{verdict.decision}, {verdict.n} pairs, sign evidence p {p:.2g}",
        )
    if seed := carried_by_one(verdict, design):
        yield "A verdict rests on one pair and falls without it", f"{verdict.decision}, {seed}"


def of_collapses(verdict: Verdict) -> str:
    """Say how often each arm's runs collapsed, and what is left without them."""
    comparison, collapses = verdict.comparison, verdict.collapses
    assert collapses is not None
    arms = ((comparison.treatment, collapses.treatment), (comparison.baseline, collapses.baseline))
    rates = ", ".join(
        f"{name} {arm.count} of {arm.n} ({100 * arm.low:.3g} to {100 * arm.high:.3g} %)"
        for name, arm in arms
    )
    rest = "no pair is left without them"
    if collapses.left:
        rest = f"{collapses.conditional:+.4g} without these pairs, which decides nothing"
    return f"{rates}; rates differ with p {collapses.p:.2g}; {rest}"


def worst_case(comparison: Comparison) -> str:
    """Say how far the mean difference moves if lost scores were the lowest or highest seen."""
    sides = {
        comparison.treatment: comparison.treatment_values,
        comparison.baseline: comparison.baseline_values,
    }
    alone = [pair.sides[0] for pair in comparison.lost if len(pair.sides) == 1 and not pair.missing]
    alone = [side for side in alone if side in sides]
    if not alone:
        return ""
    now = float(np.mean(comparison.deltas))
    reached = []
    for extreme in (min, max):  # whether low or high is worse is the metric's affair
        shifts = {name: extreme(values) - float(np.mean(values)) for name, values in sides.items()}
        moved = [now + shifts[s] * (1 if s == comparison.treatment else -1) for s in alone]
        reached.append(float(np.mean([*comparison.deltas, *moved])))
    return f"{now:+.4g} becomes {min(reached):+.4g} to {max(reached):+.4g}"


def bound(comparison: Comparison) -> str:
    """Say whether an arm is nearer to 0, 1 or 100 than the margin; '' for unbounded scores."""
    values = (*comparison.treatment_values, *comparison.baseline_values)
    if min(values) < 0 or max(values) > 100:
        return ""
    top = 1.0 if max(values) <= 1 else 100.0
    for name, scores in (
        (comparison.treatment, comparison.treatment_values),
        (comparison.baseline, comparison.baseline_values),
    ):
        mean = float(np.mean(scores))
        room = min(mean, top - mean)
        if room < comparison.margin and room < 0.05 * top:
            return f"{name} has a mean of {mean:.4g}, nearer to its bound than the margin"
    return ""


def skewness(deltas: Floats | Sequence[float]) -> float:
    """Give the moment coefficient of skewness; 0 where nothing varies."""
    deviations = np.array(deltas) - np.mean(deltas)
    most = float(np.abs(deviations).max(initial=0.0))
    if most <= 1e-12 * float(np.abs(deltas).max(initial=0.0)) or most == 0:
        return 0.0
    deviations /= most
    return float(np.mean(deviations**3) / np.mean(deviations**2) ** 1.5)


def expected_skewness(n: int) -> float:
    """Give the skewness that 8 % of normal samples of n >= 3 exceed; beyond 200, by 1 / sqrt(n)."""
    if n > 200:
        return SKEWED[200] * math.sqrt(200 / n)
    return float(np.interp(math.log(n), [math.log(size) for size in SKEWED], [*SKEWED.values()]))


def von_neumann(deltas: Floats) -> float:
    """Give sum (d_{i+1} - d_i)^2 / sum (d_i - mean)^2 in the order of the seeds; 2 if constant.

    Von Neumann 1941, Ann. Math. Statist. 12(4): about 2 for independent draws.
    """
    deviations = deltas - deltas.mean()
    most = float(np.abs(deviations).max())
    if most <= 1e-12 * float(np.abs(deltas).max()) or most == 0:
        return 2.0
    deviations /= most
    return float((np.diff(deviations) ** 2).sum() / (deviations**2).sum())


def by_signs(comparison: Comparison, decision: str) -> float:
    """Give the sign e-process's p of a verdict: how the differences lie about its margin.

    MATTERS may be claimed in two directions, so that its p is doubled, unless one was declared.
    """
    deltas = np.array(comparison.deltas)
    if comparison.side:
        beyond = comparison.side * deltas - comparison.margin
        return _above(beyond if decision == Decision.MATTERS else -beyond)
    if decision == Decision.MATTERS:
        up = deltas.mean() > 0
        return min(1.0, 2 * _above((deltas if up else -deltas) - comparison.margin))
    return max(_above(comparison.margin - deltas), _above(deltas + comparison.margin))


def _above(values: Floats) -> float:
    values = values[values != 0]
    positive = int((values > 0).sum())
    if 2 * positive <= len(values):
        return 1.0
    return min(1.0, math.exp(-log_evidence(positive, len(values))))


def carried_by_one(verdict: Verdict, design: Design) -> str:
    """Name the pair without which a verdict would fall; '' where there is none."""
    if not verdict.decided or verdict.n <= ENOUGH_PAIRS:
        return ""
    comparison = verdict.comparison
    far = int(np.argmax(np.abs(np.array(comparison.deltas) - np.median(comparison.deltas))))
    rest = without(comparison, far)
    reading = once(rest, verdict.worst.size)
    p = reading.matters if verdict.decision == Decision.MATTERS else reading.calms
    held = p * max(1.0, verdict.p_adjusted / max(verdict.p, 1e-300)) <= design.alpha
    return "" if held else f"{comparison.deltas[far]:+.4g}"


def without(comparison: Comparison, index: int) -> Comparison:
    """Give a comparison without one of its pairs."""
    return comparison.at([i for i in range(len(comparison.seeds)) if i != index])
