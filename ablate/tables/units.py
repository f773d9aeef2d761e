"""What is said of a table's scores before any verdict: their scale, the margin, the direction."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ablate.errors import DataError, SelectionError
from ablate.tables.names import is_error_rate, is_rate, less_is_better, listed
from ablate.tables.rows import label
from ablate.tables.score_table import Scores
from ablate.types import Floats

PERCENT = 100.0
FEW = 2.0
"""A share of which no score is more than this may be in either unit."""

FRACTIONS = 0.05
"""A smaller margin, in percent, was probably meant as a fraction."""

APART = (20.0, 600.0)
"""So many times smaller are fractions than the percentages beside them, where both are rates."""

HUNDRED = (50.0, 200.0)
"""So many times apart, whole arms are taken to be in two units, whatever the metric."""

SIZES = 50.0
"""So many times apart, whole arms or blocks that are no shares are named."""

Place = tuple[str, str, Hashable]


class Placed(NamedTuple):
    """A finite score, with its arm, block and key."""

    place: Place
    value: float
    marked: bool


def said_first(scores: Scores, metric: str, margin: float | None, lower: bool) -> Iterator[str]:
    """Say the scores' scale, and what about the margin and the metric may not be as meant.

    Raises DataError for percentages beside fractions, SelectionError for a margin that no
    difference of such scores can reach.
    """
    finite = _placed(scores)
    if not finite:
        return
    values = np.array([score.value for score in finite])
    low, high = float(values.min()), float(values.max())
    scale = _scale(low, high, metric, any(score.marked for score in finite))
    span = f"from {low:g} to {high:g}{_named(scale)}"
    against = f"margin {margin:g}" if margin is not None and margin > 0 else "no margin declared"
    yield f"read {len(values)} scores of {metric} {span}, {against}"
    yield from _of_units(finite, metric)
    yield from _of_sizes(scores)
    if margin is not None and margin > 0:
        yield from _of_margin(values, metric, margin, scale)
    yield from _of_direction(metric, lower, low, high)
    yield from _of_sums(scores)


def _placed(scores: Scores) -> list[Placed]:
    return [
        Placed((arm, block, key), value, (arm, block, key) in scores.percent)
        for arm, blocks in scores.values.items()
        for block, part in blocks.items()
        for key, value in part.items()
        if math.isfinite(value)
    ]


def _scale(low: float, high: float, metric: str, marked: bool) -> float:
    """Give what the scores cannot exceed: 1 for fractions, 100 for percent, infinity unknown."""
    share = is_rate(metric) or is_error_rate(metric)
    if low < 0 or high > PERCENT or not (share or marked or not less_is_better(metric)):
        return math.inf
    if high <= 1 and not marked:
        return 1.0
    return PERCENT if marked or (share and high > FEW) else math.inf


def _named(scale: float) -> str:
    return {1.0: " (fractions of 1)", PERCENT: " (percent)"}.get(scale, "")


def _of_units(scores: Sequence[Placed], metric: str) -> Iterator[str]:
    """Say where fractions stand among percentages: in an arm, in a block or in single rows.

    A score with a percent sign is meant as it stands. A loss has no unit of 1 or 100: that one
    arm's is a hundred times another's is only said.
    Raises DataError where all scores are shares, or an arm or block is a hundred times another.
    """
    low = [score for score in scores if 0 < score.value <= 1 and not score.marked]
    high = [score for score in scores if score.value > 1]
    if not low or not high or any(not 0 <= score.value <= PERCENT for score in scores):
        return
    middle = float(np.median([score.value for score in high]))
    times = middle / float(np.median([score.value for score in low]))
    if middle <= FEW:
        return
    whole = _wholly(low, high)
    hundred = bool(whole) and HUNDRED[0] <= times <= HUNDRED[1]
    if less_is_better(metric) and not is_error_rate(metric):
        if hundred:
            yield f"some scores are about 100 times others, {whole}: are all in one unit?"
    elif APART[0] <= times <= APART[1]:
        doubt = (
            f"fractions and percentages of {metric} are mixed: {whole or _first(low, high)}. Write "
            f"all in one unit; a share that is meant to be as small as {low[0].value:g} % gets a "
            "percent sign"
        )
        if hundred or is_rate(metric) or is_error_rate(metric):
            raise DataError(doubt)
        yield doubt


def _of_sizes(scores: Scores) -> Iterator[str]:
    """Say which arms or blocks are of another size altogether, as milliseconds beside seconds.

    Shares are told apart elsewhere, by their bounds.
    """
    arms = {arm: _sizes(blocks.values()) for arm, blocks in scores.values.items()}
    blocks = {
        block: _sizes(part[block] for part in scores.values.values() if block in part)
        for block in scores.blocks
    }
    for parts, more in (
        (arms, "are all in one unit?"),
        (
            blocks,
            "the mean over them is that of the largest; judge ranks, or scores that are "
            "normalised in each",
        ),
    ):
        ranked = sorted((part for part in parts.items() if len(part[1])), key=lambda p: p[1][-1])
        if len(ranked) < 2 or any(part[0] <= 0 for _, part in ranked):
            continue
        (least, small), (most, large) = ranked[0], ranked[-1]
        times = float(np.median(large) / np.median(small))
        if small[-1] < large[0] and times >= SIZES and large[-1] > PERCENT:
            yield (
                f"the scores of {most!r} are about {times:,.0f} times those of {least!r}: {more}"
            )


def _sizes(parts: Iterable[Mapping[Hashable, float]]) -> Floats:
    values = np.array([value for part in parts for value in part.values()], float)
    return np.sort(values[np.isfinite(values)])


def _wholly(low: Sequence[Placed], high: Sequence[Placed]) -> str:
    """Name the arms or the blocks that are wholly one thing; '' where rows of one differ."""
    for part in (0, 1):
        small, large = ({str(score.place[part]) for score in some} for some in (low, high))
        if not small & large:
            return (
                f"{listed(sorted(small), 3)} from {min(o.value for o in low):g} to "
                f"{max(o.value for o in low):g}, {listed(sorted(large), 3)} from "
                f"{min(o.value for o in high):g} to {max(o.value for o in high):g}"
            )
    return ""


def _first(low: Sequence[Placed], high: Sequence[Placed]) -> str:
    """Name the first of the scores that fewer others are like."""
    few, many = sorted((low, high), key=len)
    arm, block, key = few[0].place
    at = f"{arm}{f', {block}' if block else ''}, {label(key)}"
    return (
        f"{len(few)} of {len(low) + len(high)} scores, the first {few[0].value:g} ({at}), are not "
        f"like {many[0].value:g}"
    )


def _of_margin(values: Floats, metric: str, margin: float, scale: float) -> Iterator[str]:
    spread = float(values.max() - values.min())
    points = f"; {margin:g} points are --margin {margin / PERCENT:g}" if scale == 1 else ""
    if margin >= scale and values.any():  # a metric that is always 0 is refused as such
        raise SelectionError(
            f"a margin of {margin:g} is the whole scale of {metric}, 0 to {scale:g}: no difference "
            f"could matter{points}"
        )
    if spread and margin > spread:
        yield (
            f"the margin of {margin:g} is larger than all scores are apart ({spread:g}): no "
            f"difference in this table can matter, whatever the arms do{points}"
        )
    if scale == PERCENT and margin < FRACTIONS:
        yield (
            f"the scores are in percent, so that the margin of {margin:g} is {margin:g} points; "
            f"{margin:g} as a fraction is --margin {PERCENT * margin:g}"
        )


def _of_sums(scores: Scores) -> Iterator[str]:
    """Name a key that has the mean of all others in every arm: a summary under a number."""
    parts = [part for blocks in scores.values.values() for part in blocks.values()]
    suspects: Counter[Hashable] = Counter()
    for part in parts:
        whole, values = math.fsum(part.values()), Counter(part.values())
        if len(values) > 3:
            suspects.update(
                key
                for key, score in part.items()
                if values[score] == 1 and _rounds_to((whole - score) / (len(part) - 1), score)
            )
    for key, count in suspects.items():
        if count > 1 and count == sum(key in part for part in parts):
            yield (
                f"{scores.pair} {label(key)} has the mean of all others in every arm: if it is a "
                "summary, take it out"
            )


def _rounds_to(mean: float, score: float) -> bool:
    decimals = len(repr(score).partition(".")[2])
    return decimals > 1 and round(mean, decimals) == score


def _of_direction(metric: str, lower: bool, low: float, high: float) -> Iterator[str]:
    if less_is_better(metric) and not lower:
        yield (
            f"{metric!r} sounds like a metric of which less is better: 'higher' is then worse. "
            "--less-is-better says so, and turns the ranks around"
        )
    if is_rate(metric) and not less_is_better(metric):
        if lower:
            yield f"{metric!r} sounds like a metric of which more is better; less is said to be"
        if low < 0 or high > PERCENT:
            yield f"{metric!r} lies outside 0 to 100: it is no share of right answers"
