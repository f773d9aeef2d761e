"""A suite as a whole: arms over its settings, and which of its axes explains the scores."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ablate.analysis import pairing
from ablate.analysis.arm_summary import Estimate, estimate
from ablate.records import cohort, metrics
from ablate.stats.across_datasets import Settings, across
from ablate.stats.shares import Shares, shares
from ablate.types import (
    FactorialEffect,
    PooledContrast,
    RunResult,
    Suite,
    Variant,
    axis_name,
    cell_words,
)

ARM = "arm"
Runs = Sequence[Mapping[int, RunResult]]


@dataclass(frozen=True)
class Level:
    """A factor at one of its levels.

    apart: how far its mean lies from that over all levels, over the seeds that ran everything.
    """

    factor: str
    level: str
    apart: Estimate


@dataclass(frozen=True)
class Importance:
    """Which factors move a metric, and by how much."""

    metric: str
    shares: Shares
    levels: tuple[Level, ...]


def asked(suite: Suite) -> list[str]:
    """Name the metrics that a suite's claims are about, in their order."""
    named = [
        *(contrast.metric for contrast in suite.contrasts),
        *(effect.metric for effect in suite.effects),
    ]
    return list(dict.fromkeys(named))


def settings(suite: Suite, runs: Runs) -> tuple[Settings, ...]:
    """Give what the cells of the grid say together, for each metric that is asked about.

    Nothing where the records do not go together.
    """
    if refusals(suite, runs):
        return ()
    results = []
    for metric in asked(suite):
        table: dict[str, dict[str, Mapping[Hashable, float]]] = {}
        for variant, records in _varied(suite, runs):
            cell = ", ".join(cell_words(variant.cell))
            table.setdefault(variant.name, {})[cell] = _scores(variant, records, metric)
        pairs = list(dict.fromkeys(_pairs(suite, metric)))
        pooled = across(
            table, pairs, metric, suite.alpha, metrics.measure(metric, suite.measures).lower
        )
        results += [pooled] if pooled else []
    return tuple(results)


def importance(suite: Suite, runs: Runs) -> tuple[Importance, ...]:
    """Give the shares of variance for suites that vary two things or more, by metric.

    Nothing where the records do not go together.
    """
    factors = _factors(suite)
    if len(factors) < 2 or refusals(suite, runs):
        return ()
    results = []
    for metric in asked(suite):
        y: list[float] = []
        rows: list[tuple[Hashable, int]] = []
        for index, (variant, records) in enumerate(_varied(suite, runs)):
            for seed, score in _scores(variant, records, metric).items():
                y.append(score)
                rows.append((seed, index))
        seeds = [seed for seed, _ in rows]
        if len(set(seeds)) > 1:
            levels = {name: [of[index] for _, index in rows] for name, of in factors.items()}
            deviations = _levels(y, rows, factors, suite.alpha)
            results.append(Importance(metric, shares(y, seeds, levels, suite.alpha), deviations))
    return tuple(results)


def refusals(suite: Suite, runs: Runs) -> list[str]:
    """Say why a suite's records do not go together; its cells may be of several data sets."""
    pairs = [(v, runs[i]) for i, v in enumerate(suite.variants) if not _is_twin(suite, i)]
    arms, records = zip(*pairs, strict=True)
    return cohort.refusals(arms, records, across_data=True)


def _varied(suite: Suite, runs: Runs) -> list[tuple[Variant, Mapping[int, RunResult]]]:
    """Give the arms that every axis reaches: the others have no run in most of the settings."""
    return [(v, runs[i]) for i, v in enumerate(suite.variants) if _in_grid(suite, i, v)]


def _in_grid(suite: Suite, index: int, variant: Variant) -> bool:
    """Leave out the twins of A/A studies, and arms that an axis does not reach."""
    return not variant.unvaried and not _is_twin(suite, index)


def _is_twin(suite: Suite, index: int) -> bool:
    return index in {twin for _, twin in suite.twins}


def _scores(
    variant: Variant, records: Mapping[int, RunResult], metric: str
) -> dict[Hashable, float]:
    read = sorted(pairing.scored(variant, records, metric).items())
    return {seed: score for seed, (fault, score) in read if not fault}


def _pairs(suite: Suite, metric: str) -> Iterator[tuple[str, str, float]]:
    for effect in suite.effects:
        if isinstance(effect, PooledContrast) and effect.metric == metric:
            names = (suite.variants[side[0]].name for side in (effect.plus, effect.minus))
            yield (*names, effect.margin)  # type: ignore[misc]
    for contrast in suite.contrasts:
        if contrast.metric == metric:
            names = (suite.variants[i].name for i in (contrast.treatment, contrast.baseline))
            yield (*names, contrast.margin)  # type: ignore[misc]


def _factors(suite: Suite) -> dict[str, list[str]]:
    """Give each factor's level in every variant: arms, or a factorial's factors, and the axes."""
    places = [i for i, variant in enumerate(suite.variants) if _in_grid(suite, i, variant)]
    variants = [suite.variants[i] for i in places]
    factors: dict[str, list[str]] = {}
    mains = [
        effect for effect in suite.effects if isinstance(effect, FactorialEffect) and effect.factor
    ]
    for effect in mains:
        levels = factors.setdefault(effect.factor, [""] * len(variants))
        for half, level in ((effect.plus, effect.high), (effect.minus, effect.low)):
            for index in half:
                levels[places.index(index)] = level
    if not mains:
        factors[ARM] = [variant.name for variant in variants]
    for axis in variants[0].cell if variants else ():
        short = axis_name(axis)
        factors[axis if short in factors else short] = [variant.cell[axis] for variant in variants]
    return {name: levels for name, levels in factors.items() if len(set(levels)) > 1}


def _levels(
    y: Sequence[float],
    rows: Sequence[tuple[Hashable, int]],
    factors: Mapping[str, Sequence[str]],
    alpha: float,
) -> tuple[Level, ...]:
    by_seed: dict[Hashable, dict[int, float]] = {}
    for (seed, index), score in zip(rows, y, strict=True):
        by_seed.setdefault(seed, {})[index] = score
    count = len(next(iter(factors.values())))
    whole = [scores for scores in by_seed.values() if len(scores) == count]
    results = []
    for name, levels in factors.items():
        for level in dict.fromkeys(levels):
            places = [index for index in range(count) if levels[index] == level]
            deviations = [
                float(np.mean([scores[index] for index in places]) - np.mean([*scores.values()]))
                for scores in whole
            ]
            results.append(Level(name, level, estimate(deviations, alpha)))
    return tuple(results)
