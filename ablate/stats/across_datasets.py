"""Arms over several settings (data sets, models): ranks, and what holds for settings like these."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ablate.stats import aggregate, friedman
from ablate.stats.aggregate import Aggregate
from ablate.stats.friedman import Friedman
from ablate.stats.mixed import Mixed, mixed
from ablate.stats.signed_rank import Sides, signed_rank
from ablate.types import Floats

Table = Mapping[str, Mapping[str, Mapping[Hashable, float]]]
"""Scores by arm, by setting, by pair key."""

FEWEST = 2


@dataclass(frozen=True)
class Across:
    """Two arms over the settings.

    improvement: the probability that a run of the treatment beats one of the baseline. mixed: of
    the paired differences with the setting as a random effect, None where there is too little.
    sides: Bayesian signed-rank probabilities of the settings' mean differences.
    """

    treatment: str
    baseline: str
    margin: float
    improvement: Aggregate
    mixed: Mixed | None
    sides: Sides


@dataclass(frozen=True)
class Settings:
    """What several settings say together about arms in one metric.

    settings: those in which every arm has a score. means: mean scores, `[setting, arm]`. shared:
    settings and arms have pair keys in common; scores of one key are not independent, and only
    these count for `iqm`, `profiles` and improvement. critical:
    Nemenyi's critical difference of ranks. nemenyi, conover, wilcoxon: p by pair of arms; cliques:
    arms that Wilcoxon with Holm does not tell apart, by place; cliques_nemenyi: by Nemenyi. iqm: of
    each arm; profile: share of an arm's runs above each of `thresholds`.
    """

    metric: str
    arms: tuple[str, ...]
    settings: tuple[str, ...]
    means: Floats
    shared: bool
    test: Friedman
    critical: float
    nemenyi: Floats
    conover: Floats
    wilcoxon: Floats
    cliques: tuple[tuple[int, ...], ...]
    cliques_nemenyi: tuple[tuple[int, ...], ...]
    iqm: tuple[Aggregate, ...]
    thresholds: tuple[float, ...]
    profiles: tuple[tuple[float, ...], ...]
    across: tuple[Across, ...]


def across(
    table: Table,
    pairs: Sequence[tuple[str, str, float]],
    metric: str,
    alpha: float = 0.05,
    lower: bool = False,
) -> Settings | None:
    """Rank the arms over the settings and pool each pair; None for fewer than two of either.

    pairs: (treatment, baseline, margin). lower: a lower score is better.
    """
    table = {arm: {name: _finite(cell) for name, cell in row.items()} for arm, row in table.items()}
    arms = tuple(table)
    names = list(dict.fromkeys(name for arm in arms for name in table[arm]))
    names = [name for name in names if all(table[arm].get(name) for arm in arms)]
    if len(arms) < FEWEST or len(names) < FEWEST:
        return None
    means = np.array([[_mean(table[arm][name]) for arm in arms] for name in names])
    test = friedman.friedman(means, lower)
    shared, scores = _runs(table, names)
    p = {
        "nemenyi": friedman.nemenyi(test.ranks, len(names)),
        "wilcoxon": friedman.wilcoxon_pairs(means),
    }
    cut = {name: tuple(friedman.cliques(test.ranks, matrix, alpha)) for name, matrix in p.items()}
    thresholds = _thresholds(
        np.concatenate([block for blocks in scores.values() for block in blocks])
    )
    return Settings(
        metric=metric,
        arms=arms,
        settings=tuple(names),
        means=means,
        shared=shared,
        test=test,
        critical=friedman.critical_difference(len(arms), len(names), alpha),
        nemenyi=p["nemenyi"],
        conover=friedman.conover(means, lower),
        wilcoxon=p["wilcoxon"],
        cliques=cut["wilcoxon"],
        cliques_nemenyi=cut["nemenyi"],
        iqm=tuple(aggregate.iqm_interval(scores[arm], alpha, shared) for arm in arms),
        thresholds=thresholds,
        profiles=tuple(
            tuple(map(float, aggregate.profile(scores[arm], thresholds))) for arm in arms
        ),
        across=tuple(
            _across(table, a, b, margin, names, (scores[a], scores[b]), alpha, shared, lower)
            for a, b, margin in pairs
            if a in table and b in table
        ),
    )


def _across(
    table: Table,
    treatment: str,
    baseline: str,
    margin: float,
    names: Sequence[str],
    scores: tuple[list[Floats], list[Floats]],
    alpha: float,
    shared: bool,
    lower: bool,
) -> Across:
    deltas, groups, settled = [], [], []
    for name in names:
        treated, control = table[treatment][name], table[baseline][name]
        differences = [treated[key] - control[key] for key in treated if key in control]
        deltas += differences
        groups += [name] * len(differences)
        settled += [float(np.mean(differences))] if differences else []
    enough = len(settled) >= FEWEST and len(deltas) > len(settled)
    ordered = scores[::-1] if lower else scores
    return Across(
        treatment=treatment,
        baseline=baseline,
        margin=margin,
        improvement=aggregate.improvement(*ordered, alpha, shared),
        mixed=mixed(deltas, groups, alpha) if enough else None,
        sides=signed_rank(settled, margin),
    )


def _finite(scores: Mapping[Hashable, float]) -> dict[Hashable, float]:
    """Leave out runs that crashed, and put the others in an order of their own."""
    finite = [(key, score) for key, score in scores.items() if math.isfinite(score)]
    return dict(sorted(finite, key=lambda item: str(item[0])))


def _mean(scores: Mapping[Hashable, float]) -> float:
    return float(np.mean(list(scores.values())))


def _runs(table: Table, names: Sequence[str]) -> tuple[bool, dict[str, list[Floats]]]:
    """Give each arm's scores, setting by setting, and whether the settings share pair keys.

    Where they do, only the keys count that every arm has in every setting, in one order.
    """
    keys = [list(table[arm][name]) for arm in table for name in names]
    have = [set(group) for group in keys]
    common = [key for key in keys[0] if all(key in group for group in have)]
    if len(common) >= FEWEST:
        return True, {
            arm: [np.array([row[name][key] for key in common]) for name in names]
            for arm, row in table.items()
        }
    return False, {
        arm: [np.array(list(row[name].values())) for name in names] for arm, row in table.items()
    }


def _thresholds(scores: Floats) -> tuple[float, ...]:
    return tuple(map(float, np.linspace(scores.min(), scores.max(), 41)))
