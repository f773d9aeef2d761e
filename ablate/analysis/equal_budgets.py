"""Contrasts at equal budgets: one arm as it would be with the gradients or the time of the other.

A suite that varies the length of training (`budget: <axis>`) has every arm at several costs. An
arm's score at the other's cost lies between two of its own, seed by seed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ablate.analysis import pairing, reference_lines
from ablate.analysis.judge import Runs, design, ground
from ablate.records import cohort
from ablate.types import Comparison, Contrast, Decision, Status, Suite, Variant, Verdict
from ablate.verdicts.family import battery, conclude

NEAR = 0.02
"""Costs that differ by less than this share are the same."""


@dataclass(frozen=True)
class AtEqual:
    """A contrast at equal budgets. place: among the suite's contrasts. by: what was made equal.

    ratio: what the treatment cost for each unit of the baseline's cost in the suite's own setting.
    verdict: None where neither arm ever spent as much as the other.
    """

    place: int
    by: str
    ratio: float
    verdict: Verdict | None


def at_equal(suite: Suite, runs: Runs) -> tuple[AtEqual, ...]:
    """Judge every contrast with each of the suite's costs made equal, as one family."""
    if not suite.budget:
        return ()
    rows = [
        (index, by, *equalled(suite, runs, contrast, by))
        for by in suite.costs
        for index, contrast in enumerate(suite.contrasts)
    ]
    compared = [comparison for _, _, _, comparison in rows if comparison]
    verdicts = iter(conclude(compared, battery(), design(suite)))
    return tuple(
        AtEqual(index, by, ratio, next(verdicts) if comparison else None)
        for index, by, ratio, comparison in rows
    )


def equalled(
    suite: Suite, runs: Runs, contrast: Contrast, by: str
) -> tuple[float, Comparison | None]:
    """Give the ratio of the costs, and the two arms at equal cost.

    The baseline is read at the treatment's cost; where it never spent that, the treatment at the
    baseline's.
    """
    arms = contrast.treatment, contrast.baseline
    treatment_cost, baseline_cost = (cost(runs, i, by) for i in arms)
    if not (treatment_cost > 0 and baseline_cost > 0):
        return math.nan, None

    def pairs(treatment: int, baseline: int) -> Comparison:
        comparison = pairing.declared(
            pairing.compare(
                suite.variants[treatment],
                suite.variants[baseline],
                contrast.metric,
                contrast.margin,
                (runs[treatment], runs[baseline]),
                suite.seed_numbers,
            ),
            contrast,
            suite.measures,
        )
        return reference_lines.placed([comparison], [(treatment, baseline)], ground(suite, runs))[0]

    def joined(a: Comparison, b: Comparison, share: float, places: set[int]) -> Comparison:
        used = [suite.variants[i] for i in places], [runs[i] for i in places]
        together = between(a, b, share)
        reasons = (*filter(None, [together.refusal]), *cohort.refusals(*used))
        return replace(together, refusal="; ".join(dict.fromkeys(reasons)))

    if bracket := around(suite, runs, arms[1], by, treatment_cost):
        a, b, share = bracket
        pair_a, pair_b = pairs(arms[0], a), pairs(arms[0], b)
        return treatment_cost / baseline_cost, joined(pair_a, pair_b, share, {*arms, a, b})
    if bracket := around(suite, runs, arms[0], by, baseline_cost):
        a, b, share = bracket
        pair_a, pair_b = pairs(a, arms[1]), pairs(b, arms[1])
        return treatment_cost / baseline_cost, joined(pair_a, pair_b, share, {*arms, a, b})
    return treatment_cost / baseline_cost, None


def around(
    suite: Suite, runs: Runs, index: int, by: str, target: float
) -> tuple[int, int, float] | None:
    """Give the two variants of an arm between whose costs a target lies, and how far between."""
    known = sorted((spent, i) for i in track(suite, index) if (spent := cost(runs, i, by)) > 0)
    costs = [spent for spent, _ in known]
    if not costs or not costs[0] * (1 - NEAR) <= target <= costs[-1] * (1 + NEAR):
        return None
    # of one array: math.log may differ from NumPy's in the last digit, and like costs have no share
    *grid, goal = np.log([*costs, target])
    at = float(np.interp(goal, grid, np.arange(len(known))))
    low = min(int(at), len(known) - 1)
    return known[low][1], known[min(low + 1, len(known) - 1)][1], at - low


def between(a: Comparison, b: Comparison, share: float) -> Comparison:
    """Give a comparison whose two sides lie a share of the way from a's to b's."""
    seeds = [seed for seed in a.seeds if seed in set(b.seeds)]
    places = [(a.seeds.index(seed), b.seeds.index(seed)) for seed in seeds]
    lost = {pair.seed: pair for pair in (*b.lost, *a.lost)}

    def mixed(side: str) -> tuple[float, ...]:
        start, end = getattr(a, side), getattr(b, side)
        return tuple((1 - share) * start[i] + share * end[j] for i, j in places)

    return replace(
        a,
        seeds=tuple(seeds),
        treatment_values=mixed("treatment_values"),
        baseline_values=mixed("baseline_values"),
        lost=tuple(lost[seed] for seed in sorted(lost)),
        identical=a.identical and b.identical,
        alike=tuple(a.alike[i] and b.alike[j] for i, j in places),
        refusal="; ".join(dict.fromkeys(filter(None, (a.refusal, b.refusal)))),
    )


def track(suite: Suite, index: int) -> list[int]:
    """Name the variants of one arm that differ from one of them in the length of training alone."""

    def rest(variant: Variant) -> tuple[str, dict[str, str]]:
        return variant.arm, {k: v for k, v in variant.cell.items() if k != suite.budget}

    setting = rest(suite.variants[index])
    return [i for i, variant in enumerate(suite.variants) if rest(variant) == setting]


def cost(runs: Runs, index: int, by: str) -> float:
    """Give a variant's mean cost over its runs that ended; 0 where there are none.

    by: `gradients` or `seconds`; of somebody's own program also a metric in which it says what it
    spent, as the last step has it.
    """
    ended = [record for record in runs[index].values() if record.status == Status.OK]
    spent = [r.scores[by][-1][1] if by in r.scores else float(getattr(r, by)) for r in ended]
    return float(np.mean(spent)) if spent else 0.0


def conclusion(verdict: Verdict) -> str:
    """Say what a verdict has decided, with its direction; '' where nothing."""
    if verdict.decision == Decision.MATTERS:
        return "helps" if (verdict.estimate > 0) != verdict.comparison.lower else "hurts"
    return verdict.decision.lower() if verdict.decided else ""


def flips(index: int, judged: Verdict, equal: Sequence[AtEqual]) -> bool:
    """Say whether a contrast is decided in different ways at different budgets."""
    verdicts = [
        judged,
        *(entry.verdict for entry in equal if entry.place == index and entry.verdict),
    ]
    return len({conclusion(verdict) for verdict in verdicts} - {""}) > 1
