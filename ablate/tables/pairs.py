"""A table's scores -> Comparisons: two arms, joined on the pair key."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Sequence

from ablate.errors import SelectionError, unknown
from ablate.stats.resolution import smallest_step
from ablate.tables.names import alike, listed
from ablate.tables.rows import label
from ablate.tables.score_table import Scores
from ablate.tables.shape import SEED
from ablate.types import Comparison, LostPair


def pairs(scores: Scores, baseline: str | None = None) -> list[tuple[str, str]]:
    """Give (treatment, baseline): every arm against one, or every arm against those before it.

    Raises SelectionError for a baseline that is no arm, or fewer than two arms.
    """
    if len(scores.arms) < 2:
        raise SelectionError(f"one arm only, {', '.join(scores.arms)}: nothing to compare it with")
    if baseline is None:
        return [(b, a) for a, b in itertools.combinations(scores.arms, 2)]
    name = {alike(arm): arm for arm in scores.arms}.get(alike(baseline))
    if name is None:
        raise SelectionError(unknown("arm", baseline, scores.arms))
    return [(arm, name) for arm in scores.arms if arm != name]


def shares_keys(scores: Scores) -> bool:
    """Say whether any pair key occurs in two blocks."""
    first: dict[Hashable, str] = {}
    return any(
        first.setdefault(key, block) != block
        for arm in scores.values.values()
        for block, part in arm.items()
        for key in part
    )


def compare_in(
    scores: Scores, pair: tuple[str, str], block: str, metric: str, margin: float
) -> Comparison:
    """Pair two arms inside one block."""
    return joined(scores, pair, (block,), metric, margin)


def compare_over(scores: Scores, pair: tuple[str, str], metric: str, margin: float) -> Comparison:
    """Pair two arms' means over all blocks, equal weights; a key needs every block.

    Scores of one key in several blocks are not independent, so the key is the unit.
    """
    return joined(scores, pair, scores.blocks, metric, margin)


def unpaired(
    scores: Scores, pair: tuple[str, str], blocks: Sequence[str], metric: str, margin: float
) -> Comparison:
    """Put two arms' runs side by side as no pairs; a run is a key's mean over the blocks."""
    runs: list[tuple[float, ...]] = []
    lost = []
    for arm in pair:
        parts = [scores.values[arm].get(block, {}) for block in blocks]
        cells = {
            key: [part.get(key, math.nan) for part in parts]
            for key in sorted(_keys(scores, arm, blocks), key=scores.places.__getitem__)
        }
        whole = {key: all(map(math.isfinite, values)) for key, values in cells.items()}
        runs.append(tuple(_average(cells[key]) for key in cells if whole[key]))
        for key in (key for key in cells if not whole[key]):
            faults, sides = _faults(scores, (arm,), blocks, key, metric)
            lost.append(LostPair(scores.places[key], f"{label(key)}: {'; '.join(faults)}", sides))
    return Comparison(
        treatment=pair[0],
        baseline=pair[1],
        metric=metric,
        margin=margin,
        seeds=(),
        treatment_values=runs[0],
        baseline_values=runs[1],
        lost=tuple(lost),
        resolution=scores.resolution or smallest_step([*runs[0], *runs[1]], len(blocks)),
        unit="runs",
        points=False,
        unpaired=True,
    )


def share_none(scores: Scores, pair: tuple[str, str], blocks: Sequence[str]) -> str:
    """Say that two arms have scores and no key in common, with what to do; '' where they have."""
    have = [_keys(scores, arm, blocks) for arm in pair]
    if not all(have) or set(have[0]) & set(have[1]):
        return ""
    sides = "; ".join(
        f"{arm} has {listed([label(key) for key in keys], 3)}"
        for arm, keys in zip(pair, have, strict=True)
    )
    return (
        f"the arms share no {scores.pair} ({sides}). Unpaired scores get no verdict unasked: run "
        f"both arms on the same values of {scores.pair}, write these the same way in both, or ask "
        "with --unpaired for a comparison of independent runs"
    )


def _keys(scores: Scores, arm: str, blocks: Sequence[str]) -> list[Hashable]:
    here = (scores.values[arm].get(block, {}) for block in blocks)
    return list(dict.fromkeys(key for part in here for key in part))


def joined(
    scores: Scores, pair: tuple[str, str], blocks: Sequence[str], metric: str, margin: float
) -> Comparison:
    """Pair two arms' means over some blocks, equal weights; a key needs every one of them."""
    paired: dict[int, tuple[float, float]] = {}
    lost = []
    refusal = share_none(scores, pair, blocks)
    present = {key for arm in pair for key in _keys(scores, arm, blocks)}
    whole = [[scores.values[arm].get(block, {}) for block in blocks] for arm in pair]
    for index in () if refusal else sorted(scores.places[key] for key in present):
        key = scores.keys[index]
        cells = [[part.get(key, math.nan) for part in parts] for parts in whole]
        if all(math.isfinite(value) for values in cells for value in values):
            paired[index] = _average(cells[0]), _average(cells[1])
            continue
        faults, sides = _faults(scores, pair, blocks, key, metric)
        lost.append(LostPair(index, f"{label(key)}: {'; '.join(faults)}", sides))
    treatment = tuple(first for first, _ in paired.values())
    baseline = tuple(second for _, second in paired.values())
    unit = scores.resolution and scores.resolution / len(blocks)
    alike = _alike(scores, pair, blocks, [scores.keys[index] for index in paired])
    return Comparison(
        treatment=pair[0],
        baseline=pair[1],
        metric=metric,
        margin=margin,
        seeds=tuple(paired),
        treatment_values=treatment,
        baseline_values=baseline,
        lost=tuple(lost),
        resolution=unit or smallest_step([*treatment, *baseline], len(blocks)),
        identical=bool(alike) and all(alike) and any(treatment),  # zeros show nothing
        alike=alike,
        blocks=0 if scores.resolution else len(blocks),
        refusal=refusal,
        points=False,
        unit="seeds" if scores.pair == SEED else "pairs",
    )


def _average(values: Sequence[float]) -> float:
    return values[0] if len(values) == 1 else math.fsum(values) / len(values)


def _faults(
    scores: Scores, pair: Sequence[str], blocks: Sequence[str], key: Hashable, metric: str
) -> tuple[list[str], tuple[str, ...]]:
    """Say what keeps a key from being a pair, and which arms have a row without a score."""
    faults: list[str] = []
    sides: dict[str, None] = {}
    for arm in pair:
        for block in blocks:
            where = f" in {block}" if block else ""
            score = scores.values[arm].get(block, {}).get(key)
            if score is None:
                faults.append(f"{arm}: no row{where}")
            elif not math.isfinite(score):
                words = scores.words.get((arm, block, key), str(score))
                faults.append(f"{arm}: {metric} is {words}{where}")
                sides[arm] = None
    return faults, tuple(sides)


def _alike(
    scores: Scores, pair: tuple[str, str], blocks: Sequence[str], keys: Sequence[Hashable]
) -> tuple[bool, ...]:
    """Say of each key whether both arms have the same score in every block."""
    treatment, baseline = (scores.values[arm] for arm in pair)
    return tuple(all(treatment[b][key] == baseline[b][key] for b in blocks) for key in keys)
