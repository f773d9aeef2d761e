"""Which component matters, and by how much: the variance that each explains, seeds as blocks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ablate.types import Floats

Names: TypeAlias = tuple[str, ...]
RESAMPLES = 2_000
SEED = "seed"
ALL_ORDERS = 3
"""Up to so many factors, interactions of every order have a term; beyond, pairs at most."""


@dataclass(frozen=True)
class Term:
    """A factor, or several together.

    ss: sum of squares, df: its degrees of freedom. share: of all variance, [0, 1]; low, high: its
    interval (`nan` where runs were lost). of_means: share of the variance between the arms' means,
    the functional-ANOVA importance (`nan` where runs were lost). f, p: against the residual.
    """

    names: Names
    ss: float
    df: int
    share: float
    low: float
    high: float
    of_means: float
    f: float
    p: float

    @property
    def name(self) -> str:
        """Join the factors' names."""
        return " × ".join(self.names)


@dataclass(frozen=True)
class Shares:
    """An analysis of variance: the seeds' block first, then the terms.

    residual: the share that no term explains. full: every combination ran in every seed, so that
    the sums of squares add up (any type of sums is the same); else they are of type II.
    """

    terms: tuple[Term, ...]
    residual: float
    residual_ss: float
    residual_df: int
    full: bool


def shares(
    y: Sequence[float],
    seeds: Sequence[object],
    factors: Mapping[str, Sequence[object]],
    alpha: float = 0.05,
) -> Shares:
    """Decompose scores into seeds, factors and interactions; one entry a run in each sequence.

    Model: y ~ seed + factors, interactions of every order for up to three factors and of pairs for
    more. Type II sums: what a term adds to all terms that do not contain it (Fisher 1925; Langsrud
    2003). On full grids they are the functional ANOVA of Hutter et al. 2014 (ICML), exact.
    Intervals resample whole seeds. Raises ValueError for fewer than two seeds.
    """
    values = np.asarray(y, float)
    coded = {name: _coded(levels) for name, levels in {SEED: seeds, **factors}.items()}
    if len(np.unique(coded[SEED])) < 2:
        raise ValueError("an analysis of variance needs two seeds")
    varied = [name for name in factors if len(np.unique(coded[name])) > 1]
    most = len(varied) if len(varied) <= ALL_ORDERS else 2
    names = [
        (SEED,),
        *(group for size in range(1, most + 1) for group in itertools.combinations(varied, size)),
    ]
    tensor = _tensor(values, [coded[name] for name in (SEED, *varied)])
    total = float(((values - values.mean()) ** 2).sum())
    if total <= 1e-18 * len(values) * max(1.0, float(np.abs(values).max())) ** 2:
        total, values = 0.0, np.zeros_like(values)
    if tensor is not None:
        table, ranges = _exact(tensor if total else 0 * tensor, names, alpha)
    else:
        table, ranges = _type_two(values, coded, names), {}
    rest, left = table[()]
    between = _between(tensor) if tensor is not None else math.nan
    terms = []
    for group in names:
        ss, df = table[group]
        f, p = _f_test(ss, df, rest, left)
        of_means = ss / between if between > 0 and group != (SEED,) else math.nan
        share = ss / total if total else 0.0
        low, high = ranges.get(group, (math.nan, math.nan))
        terms.append(
            Term(
                names=group,
                ss=ss,
                df=df,
                share=share,
                low=low,
                high=high,
                of_means=of_means,
                f=f,
                p=p,
            )
        )
    residual = rest / total if total else 0.0
    return Shares(
        terms=tuple(terms),
        residual=residual,
        residual_ss=rest,
        residual_df=left,
        full=tensor is not None,
    )


def _f_test(ss: float, df: int, rest: float, left: int) -> tuple[float, float]:
    from scipy.stats import f as fisher

    if df < 1 or left < 1:
        return math.nan, math.nan
    if rest <= 1e-12 * (rest + ss) or rest == 0:
        return (math.inf, 0.0) if ss > 0 else (0.0, 1.0)
    ratio = (ss / df) / (rest / left)
    return ratio, float(fisher.sf(ratio, df, left))


def _coded(levels: Sequence[object]) -> np.ndarray:
    """Number the levels in the order in which they come."""
    places = {level: i for i, level in enumerate(dict.fromkeys(map(str, levels)))}
    return np.array([places[str(level)] for level in levels])


def _columns(codes: Sequence[np.ndarray]) -> Floats:
    """Give the columns of a term: products of its factors' deviation (sum-to-zero) codes."""
    parts = []
    for code in codes:
        levels = int(code.max()) + 1
        coding = np.vstack([np.eye(levels - 1), -np.ones(levels - 1)])
        parts.append(coding[code])
    product: Floats = parts[0]
    for part in parts[1:]:
        product = (product[:, :, None] * part[:, None, :]).reshape(len(product), -1)
    return product


def _fit(y: Floats, parts: Sequence[Floats]) -> tuple[float, int]:
    """Give the residual sum of squares of y on an intercept and the parts, and their rank."""
    x = np.hstack([np.ones((len(y), 1)), *parts])
    coefficients, _, rank, _ = np.linalg.lstsq(x, y, rcond=1e-10)
    return float(((y - x @ coefficients) ** 2).sum()), int(rank)


def _tensor(y: Floats, codes: Sequence[np.ndarray]) -> Floats | None:
    """Give scores `[seed, factor, ...]` of a full grid, each once; None of any other."""
    sizes = tuple(int(code.max()) + 1 for code in codes)
    if len(y) != math.prod(sizes) or len({*zip(*codes, strict=True)}) != len(y):
        return None
    full = np.empty(sizes)
    full[tuple(codes)] = y
    return full


def _between(tensor: Floats) -> float:
    """Give the sum of squares between the means of the factors' combinations."""
    means = tensor.mean(0)
    return float(((means - means.mean()) ** 2).sum()) * len(tensor)


def _exact(
    tensor: Floats, names: Sequence[Names], alpha: float
) -> tuple[dict[Names, tuple[float, int]], dict[Names, tuple[float, float]]]:
    """Give sums of squares and degrees of freedom of a full grid, and intervals of the shares.

    With every seed's marginal means at hand a resample of seeds is a weighted mean of them.
    """
    seeds = len(tensor)
    tensor, groups = tensor - tensor.mean(), names[1:]
    axes = {group[0]: i + 1 for i, group in enumerate(term for term in groups if len(term) == 1)}
    rng = np.random.default_rng(0)
    counts = rng.multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES)
    weights = np.vstack([np.ones(seeds), counts]) / seeds  # [1 + resample, seed]
    seed_means, squares = tensor.reshape(seeds, -1).mean(1), (tensor**2).reshape(seeds, -1).sum(1)
    centre = weights @ seed_means  # of each resample
    total = seeds * (weights @ squares) - tensor.size * centre**2
    effects: dict[Names, Floats] = {(): centre}
    sums: dict[Names, Floats] = {}
    for group in groups:  # lower orders come first
        inside = [axes[name] for name in group]
        others = tuple(axis for axis in range(1, tensor.ndim) if axis not in inside)
        means = tensor.mean(others)  # [seed, levels of the group ...]
        effect = np.tensordot(weights, means, 1)
        for size in range(len(group)):
            for part in itertools.combinations(group, size):
                shape = [len(weights)]
                shape += [tensor.shape[axes[n]] if n in part else 1 for n in group]
                effect = effect - effects[part].reshape(shape)
        effects[group] = effect
        sums[group] = (effect**2).reshape(len(weights), -1).mean(1) * tensor.size
    table = {
        group: (float(sums[group][0]), math.prod(tensor.shape[axes[n]] - 1 for n in group))
        for group in groups
    }
    block = float(((seed_means - centre[0]) ** 2).sum()) * (tensor.size // seeds)
    table[SEED,] = (block, seeds - 1)
    whole, df = float(total[0]), tensor.size - 1
    rest = max(0.0, whole - sum(ss for ss, _ in table.values()))
    table[()] = (rest, df - sum(more for _, more in table.values()))
    shares_of = {group: sums[group][1:] / np.maximum(total[1:], 1e-300) for group in groups}
    ends = {
        group: np.quantile(drawn, [alpha / 2, 1 - alpha / 2]) for group, drawn in shares_of.items()
    }
    return table, {group: (float(a), float(b)) for group, (a, b) in ends.items()}


def _type_two(
    y: Floats, coded: Mapping[str, np.ndarray], names: Sequence[Names]
) -> dict[Names, tuple[float, int]]:
    """Give what each term adds to all terms that do not contain it; under (), the residual."""
    columns = {group: _columns([coded[name] for name in group]) for group in names}
    rest, rank = _fit(y, list(columns.values()))
    table: dict[Names, tuple[float, int]] = {(): (rest, len(y) - rank)}
    for group in names:
        reduced = [part for other, part in columns.items() if not {*group} <= {*other}]
        without, with_it = _fit(y, reduced), _fit(y, [*reduced, columns[group]])
        table[group] = max(0.0, without[0] - with_it[0]), with_it[1] - without[1]
    return table
