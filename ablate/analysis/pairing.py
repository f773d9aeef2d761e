"""Records -> Comparison: joined on the seed, never on position; what cannot be paired is named."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ablate.records import cohort, metrics
from ablate.stats.resolution import smallest_step
from ablate.types import (
    Comparison,
    Contrast,
    Effect,
    LostPair,
    Measure,
    PooledContrast,
    RunResult,
    Status,
    Variant,
    cell_words,
)

NOT_RUN, NOT_FINITE = "not run", "the score is not finite"
MISSING = (NOT_RUN, math.nan)
"""The fault and the score of a run that is not there."""


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a variant, or several whose scores are averaged seed by seed."""

    label: str
    variants: Sequence[Variant]
    records: Sequence[Mapping[int, RunResult]]


def compare(
    treatment: Variant,
    baseline: Variant,
    metric: str,
    margin: float,
    records: tuple[Mapping[int, RunResult], Mapping[int, RunResult]],
    seeds: Sequence[int],
) -> Comparison:
    """Pair two variants' records by seed.

    records: of the treatment and of the baseline, by seed. A run that failed, diverged, is missing
    or has no finite score drops its pair. A comparison of records from different data, streams,
    torch or devices is refused: `refusal` says why.
    """
    arms = zip((treatment, baseline), records, strict=True)
    comparison = join(
        [Side(arm.label, [arm], [by_seed]) for arm, by_seed in arms], metric, margin, seeds
    )
    pairs = [(records[0][seed], records[1][seed]) for seed in comparison.seeds]
    same = own(treatment) == own(baseline)
    alike = tuple(
        same
        and a.right == b.right
        and a.task_right == b.task_right
        and {**a.scores} == {**b.scores}
        for a, b in pairs
    )
    return replace(comparison, identical=bool(alike) and all(alike), alike=alike)


def sided(comparison: Comparison, claim: str, lower: bool) -> Comparison:
    """Give a comparison the side that was declared for it; lower: a lower score is better."""
    side = {"helps": 1, "hurts": -1, "": 0}[claim] * (-1 if lower else 1)
    return replace(comparison, claim=claim, side=side, lower=lower)


def declared(
    comparison: Comparison, claim: Contrast | Effect, measures: Mapping[str, Measure] | None = None
) -> Comparison:
    """Give a comparison what a suite declared about it, and what its metric is like."""
    like = metrics.measure(claim.metric, measures)
    return replace(
        sided(comparison, claim.claim, like.lower),
        lower_margin=claim.lower_margin,
        worst=claim.worst,
        span=like.span,
        points=like.unit == "points",
    )


def halves(
    effect: Effect,
    variants: Sequence[Variant],
    runs: Sequence[Mapping[int, RunResult]],
    seeds: Sequence[int],
    measures: Mapping[str, Measure] | None = None,
) -> Comparison:
    """Pair the means over the two halves of a factorial's arms; a seed needs every arm.

    Of a contrast that is pooled over settings, pair inside each setting and take the means.
    """
    if isinstance(effect, PooledContrast):
        return declared(over_settings(effect, variants, runs, seeds), effect, measures)
    sides = [
        Side(
            f"{effect.name}: {words}{in_cell(variants[half[0]].cell)}",
            [variants[i] for i in half],
            [runs[i] for i in half],
        )
        for words, half in ((effect.high, effect.plus), (effect.low, effect.minus))
    ]
    return declared(join(sides, effect.metric, effect.margin, seeds), effect, measures)


def over_settings(
    effect: PooledContrast,
    variants: Sequence[Variant],
    runs: Sequence[Mapping[int, RunResult]],
    seeds: Sequence[int],
) -> Comparison:
    """Pair two arms in every setting, and average a seed's scores over the settings.

    The same seeds run in every setting, so that their scores are not independent: the seed is the
    unit, and needs every setting.
    """
    comparisons = [
        compare(variants[a], variants[b], effect.metric, effect.margin, (runs[a], runs[b]), seeds)
        for a, b in zip(effect.plus, effect.minus, strict=True)
    ]
    shared = [seed for seed in seeds if all(seed in comparison.seeds for comparison in comparisons)]
    lost: dict[int, list[LostPair]] = {}
    for comparison in comparisons:
        for pair in comparison.lost:
            lost.setdefault(pair.seed, []).append(pair)
    places = (*effect.plus, *effect.minus)
    pooled = [{seed: runs[i][seed] for seed in shared} for i in places]
    refusals = cohort.refusals([variants[i] for i in places], pooled, across_data=True)
    sides = (
        {comparison.treatment for comparison in comparisons},
        {comparison.baseline for comparison in comparisons},
    )

    def mean(side: str, seed: int) -> float:
        return math.fsum(
            getattr(comparison, side)[comparison.seeds.index(seed)] for comparison in comparisons
        ) / len(comparisons)

    def side_of(label: str) -> str:
        return effect.treatment if label in sides[0] else effect.baseline

    return Comparison(
        treatment=effect.treatment,
        baseline=effect.baseline,
        metric=effect.metric,
        margin=effect.margin,
        seeds=tuple(shared),
        treatment_values=tuple(mean("treatment_values", seed) for seed in shared),
        baseline_values=tuple(mean("baseline_values", seed) for seed in shared),
        lost=tuple(
            LostPair(
                seed,
                "; ".join(pair.reason for pair in pairs),
                tuple(dict.fromkeys(side_of(name) for pair in pairs for name in pair.sides)),
                any(pair.missing for pair in pairs),
            )
            for seed, pairs in sorted(lost.items())
        ),
        resolution=min((comparison.resolution for comparison in comparisons), default=math.nan)
        / len(comparisons),
        identical=all(comparison.identical for comparison in comparisons),
        alike=tuple(
            all(comparison.alike[comparison.seeds.index(seed)] for comparison in comparisons)
            for seed in shared
        ),
        refusal="; ".join(
            dict.fromkeys(
                filter(None, (*(comparison.refusal for comparison in comparisons), *refusals))
            )
        ),
    )


def join(sides: Sequence[Side], metric: str, margin: float, seeds: Sequence[int]) -> Comparison:
    """Pair two sides by seed; see `compare`."""
    pairs: dict[int, tuple[float, ...]] = {}
    lost = []
    every = [entry for side in sides for entry in zip(side.variants, side.records, strict=True)]
    names = {id(arm): arm.label for arm, _ in every}  # a label costs more than a score
    read = [
        [
            (arm, scored(arm, by_seed, metric))
            for arm, by_seed in zip(s.variants, s.records, strict=True)
        ]
        for s in sides
    ]
    for seed in seeds:
        means, faults = [], []
        for side, arms in zip(sides, read, strict=True):
            scores = [(names[id(arm)], *points.get(seed, MISSING)) for arm, points in arms]
            faults += [(side.label, label, fault) for label, fault, _ in scores if fault]
            means.append(math.fsum(score for *_, score in scores) / len(scores))
        if faults:
            reason = "; ".join(f"{label}: {fault}" for _, label, fault in faults)
            lost_by = (side for side, _, fault in faults if fault != NOT_RUN)
            missing = any(fault == NOT_RUN for *_, fault in faults)
            lost.append(LostPair(seed, reason, tuple(dict.fromkeys(lost_by)), missing))
            continue
        pairs[seed] = tuple(means)
    paired = [{seed: by_seed[seed] for seed in pairs} for _, by_seed in every]
    refusals = cohort.refusals([arm for arm, _ in every], paired)
    start = next((every[0][1][seed] for seed in pairs), None)
    return Comparison(
        treatment=sides[0].label,
        baseline=sides[1].label,
        metric=metric,
        margin=margin,
        seeds=tuple(pairs),
        treatment_values=tuple(values[0] for values in pairs.values()),
        baseline_values=tuple(values[1] for values in pairs.values()),
        lost=tuple(lost),
        resolution=_resolution(start, pairs.values()),
        refusal="; ".join(refusals),
    )


def _resolution(record: RunResult | None, pairs: Iterable[tuple[float, ...]]) -> float:
    """Give what one test row is worth; where no rows are seen, the smallest step of the scores."""
    if record is None:
        return math.nan
    scores = [score for pair in pairs for score in pair]
    return metrics.resolution(record) or smallest_step(scores, 1)


def own(variant: Variant) -> str:
    """Name the protocol by which a variant itself predicts; '' for somebody's own program."""
    return "" if variant.outside else variant.choices["predict"].label()


def in_cell(cell: Mapping[str, str]) -> str:
    """Say a cell in brackets, or nothing where no axis is crossed."""
    return f" ({', '.join(cell_words(cell))})" if cell else ""


def scored(
    arm: Variant, records: Mapping[int, RunResult], metric: str
) -> dict[int, tuple[str, float]]:
    """Give a fault ('' when fine) and an arm's score in a metric, by seed."""
    faults = {seed: _fault(record, metric, own(arm)) for seed, record in records.items()}
    good = [seed for seed, fault in faults.items() if not fault]
    points = metrics.values([records[seed] for seed in good], metric, own(arm)).tolist()
    known = dict(zip(good, points, strict=True))
    return {
        seed: (
            fault or ("" if math.isfinite(known[seed]) else NOT_FINITE),
            known.get(seed, math.nan),
        )
        for seed, fault in faults.items()
    }


def _fault(record: RunResult, metric: str, predictor: str) -> str:
    if record.status != Status.OK:
        return f"{record.status} ({record.reason})"
    lacks = not metrics.has(record, metric, predictor)
    return "the record lacks this protocol; run again with --fresh" if lacks else ""
