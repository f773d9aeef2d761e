"""Claims that are one and the same, in whatever words: the family must not grow by repetition.

A claim over several settings is about their mean and stands beside those of each setting; over a
single one it is the claim of that setting.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ablate.design.reach import Grid
from ablate.parsing.located_yaml import Mark
from ablate.records import metrics
from ablate.types import Contrast, Effect, FactorialEffect, Variant


@dataclass(frozen=True)
class Claim:
    """A claim with where it was made."""

    at: Mark
    claim: Contrast | Effect


def run_of(variant: Variant) -> str:
    """Give what decides a variant's runs, as text; how they are scored is no part of it."""
    trained = {k: choice.plain() for k, choice in variant.choices.items() if k != "predict"}
    return json.dumps([variant.seed(0), trained], sort_keys=True)


def scored(variant: Variant, metric: str) -> str:
    """Give the protocol that a metric reads of a variant; the metric of somebody's own program."""
    if variant.outside:
        return metric
    return metrics.protocol_of(metric, variant.choices["predict"].label())


def same_runs(a: Variant, b: Variant, metric: str) -> bool:
    """Say whether two variants are the same runs, scored alike: their difference is always 0."""
    return scored(a, metric) == scored(b, metric) and run_of(a) == run_of(b)


def repeated(claims: Sequence[Claim], grid: Grid) -> Iterator[tuple[Mark, str]]:
    """Give the place of each claim that was made before, and what it is."""
    runs = [run_of(variant) for variant in grid.variants]
    known = {run: i for i, run in reversed(list(enumerate(runs)))}

    def side(places: Sequence[int], metric: str) -> tuple[tuple[int, str], ...]:
        scorings = [(known[runs[i]], scored(grid.variants[i], metric)) for i in places]
        return tuple(sorted(scorings))

    seen: dict[object, Claim] = {}
    marks: set[Mark] = set()
    for entry in claims:
        sides = frozenset(side(places, entry.claim.metric) for places in _sides(entry.claim))
        summary = entry.claim.metric.split("@")[0]
        key = (sides, summary if summary in metrics.SUMMARIES else "accuracy")
        first = seen.setdefault(key, entry)
        if first is not entry and entry.at not in marks:
            marks.add(entry.at)
            yield entry.at, _said(entry, first)


def _sides(claim: Contrast | Effect) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(claim, Contrast):
        return (claim.treatment,), (claim.baseline,)
    return claim.plus, claim.minus


def _said(claim: Claim, first: Claim) -> str:
    if isinstance(claim.claim, FactorialEffect):
        return f"the effect of {claim.claim.name}, which a contrast asks about too"
    turned = _sides(claim.claim) == _sides(first.claim)[::-1]
    return f"a contrast that is declared above{', the other way round' if turned else ''}"
