"""A table of paired scores -> verdicts on its arms: `ablate.api.compare`."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.analysis.pairing import sided
from ablate.analysis.tables import errors as table_errors
from ablate.analysis.tables.errors import Errors
from ablate.errors import SelectionError, unknown
from ablate.stats.across_datasets import Settings, across
from ablate.tables import pairs, score_table, test_rows as table_test_rows, units, warnings
from ablate.tables.arm_means import arm_means
from ablate.tables.cells import LARGEST, SMALLEST
from ablate.tables.columns.header import Columns
from ablate.tables.columns.where import conditions, filtered
from ablate.tables.compared import BLOCKS, Compared as Compared
from ablate.tables.names import plain
from ablate.tables.rows import label
from ablate.tables.score_table import Scores
from ablate.tables.shape import shaped
from ablate.types import ENOUGH_PAIRS, SIDES, Comparison, Design, Verdict
from ablate.verdicts import diagnostics, undeclared
from ablate.verdicts.decision import CORRECTIONS
from ablate.verdicts.family import battery, conclude

if TYPE_CHECKING:
    import pandas as pd

INSIDE = ("minimal-effect", "equivalence", "paired-t", "sign-flip", "sign-e")
"""The tests of a comparison inside one block; of many blocks the others would take too long."""


def compare(
    table: pd.DataFrame,
    *,
    margin: float | Sequence[float] | None = None,
    pair: str | Sequence[str] = "seed",
    arm: str | Sequence[str] = "method",
    metric: str = "accuracy",
    block: str | None = None,
    baseline: str | None = None,
    alpha: float = 0.05,
    correction: str = "holm",
    looks: Sequence[int] = (),
    resolution: float | None = None,
    lower: bool = False,
    last: str | None = None,
    claim: str = "",
    worst: float | None = None,
    anytime: bool = False,
    test_rows: int | None = None,
    where: Sequence[str] = (),
    unpaired: bool = False,
    cluster: str | None = None,
    test_train: float | None = None,
) -> Compared:
    """Judge every pair of arms in a table, or every arm against `baseline`.

    Differences are treatment - baseline in the metric's own unit, joined on `pair` (and `block`);
    of two arms the one that the table names first is the baseline.

    margin: the smallest difference that would matter, in the metric's unit, chosen before the data;
        None or 0 declares none: differences then have intervals, and nothing is decided. Two
        numbers, below and above 0, where a loss and a gain of different size would matter: (-1, 2).
    pair: the column that makes two rows a pair, or several that do so together.
    arm: the column that names the arm, or for a wide table the columns of the arms.
    alpha: rate of false claims of either kind over the family, [0.000001, 0.5].
    correction: `holm`, `hommel`, `bonferroni`, `bh`, `by` or `none`; see `verdict.CORRECTIONS`.
    looks: numbers of pairs at which verdicts were to be read, rising, the last the most that was to
        be spent; without them the table is read once, as a study of a fixed number.
    resolution: what one test row is worth in the metric; by default the smallest step seen.
    lower: a lower score is better; it turns ranks around, and the side of a claim.
    last: a column of steps or epochs: of each run only its last row counts.
    claim: `helps` or `hurts` spends alpha on that side of `baseline` alone, declared before the
        data; the verdicts are then MATTERS, NO GAIN (NO HARM), INCONCLUSIVE and UNTESTABLE.
    worst: the largest difference that one pair may show, declared before the data: for contrasts
        half of whose pairs tie exactly; without it, the largest of the table, or the metric's
        range. See `ties.worst`.
    anytime: read by the t-mixture, which holds however often the table was read and whatever made
        it end; it excludes `looks`.
    test_rows: how many test rows each score is of; by default what a column such as `test_rows`
        says. What these leave open is noted.
    where: conditions on rows, `step=500`: only those count for which all hold.
    unpaired: take the runs of two arms for independent ones, whatever keys they share (Welch).
    cluster: a column of which pairs with one value may resemble each other, as items of a document.
    test_train: rows tested over rows trained on, of pairs that are folds or resamples of one data
        set (Nadeau & Bengio); by default 1 / (k - 1) where a key column numbers k folds, and 0 says
        that pairs are independent all the same.

    Blocks that share keys are judged by the keys' means over all blocks; blocks that share none
    each bring an error of their own (Welch-Satterthwaite). Where each block has one score of an
    arm, the blocks are the pairs.

    Raises SelectionError for an unknown column or arm and settings out of range, DataError for rows
    that cannot be used.
    """
    declared = _sizes(margin, worst)
    alpha, resolution, looks = _numbers(alpha, resolution, looks)
    _check(alpha, correction, looks, resolution)
    if anytime and looks:
        raise SelectionError("looks that are declared, and a reading at any time: one of the two")
    columns = Columns(_names(pair, "pair key"), _names(arm, "arms"), metric, block)
    table, filters = filtered(table, conditions(where), columns)
    rows = table_test_rows.scored(table, test_rows)
    shape = shaped(table, columns)
    scores = score_table.scores(shape.table, shape.columns, resolution, last)
    contrasts = pairs.pairs(scores, None if baseline is None else plain(baseline))
    _check_claim(claim, baseline, scores.arms)
    errors, taken = table_errors.settled(shape, scores, unpaired, cluster, test_train)
    several = len(looks) > 1 or anytime
    if several and not errors.plain:
        independent = "; --test-train 0 says that these are" if errors.kind.test_train else ""
        raise SelectionError(f"several looks are for independent pairs{independent}")
    largest = max(declared["margin"], declared["lower_margin"])
    first = tuple(units.said_first(scores, metric, largest, lower))

    def told(contrast: tuple[str, str], blocks: Sequence[str]) -> Comparison:
        comparison = errors.compared(scores, contrast, blocks, metric)
        return replace(sided(comparison, claim, lower), **declared)

    planned = Design(alpha=alpha, correction=correction, looks=looks, seeds=0, anytime=anytime)
    whole = [told(contrast, scores.blocks) for contrast in contrasts]
    design = _read_by(planned, whole)
    by_block = {
        name: [told(contrast, (name,)) for contrast in contrasts]
        for name in (scores.blocks if shape.columns.block else ())
    }
    inside = {
        name: _judged(some, errors, _read_by(planned, some), INSIDE)
        for name, some in by_block.items()
    }
    kind = errors.kind
    if len(inside) > 1 and not pairs.shares_keys(scores):
        if several:
            raise SelectionError("several looks at blocks that share no key; they are read once")
        kind = BLOCKS if errors.plain else kind
        verdicts = table_errors.judged([*zip(*by_block.values(), strict=True)], errors, design)
    else:
        verdicts = _judged(whole, errors, design)
    gains = table_errors.gains(scores, contrasts, metric) if unpaired else {}
    return Compared(
        verdicts=tuple(table_errors.with_items(verdict, errors) for verdict in verdicts),
        blocks=inside,
        warnings=(
            *diagnostics.of(verdicts, design),
            *warnings.warnings(shape.table, shape.columns, scores, kind),
        ),
        design=design,
        keys=scores.keys,
        settings=_over_blocks(scores, whole, shape.columns, block, alpha, lower),
        notes=(
            *first[:1],
            *filters,
            *shape.notes,
            *scores.notes,
            *taken,
            *table_errors.of_gains(gains, scores.pair),
            *first[1:],
            *table_test_rows.notes(whole, rows),
            *_of_looks(looks, design),
        ),
        lower=lower,
        arms=tuple(arm_means(scores, alpha, errors.plain or unpaired)),
        kind=kind,
        gains=gains,
        metric=metric,
        pair=scores.pair,
    )


def _of_looks(looks: Sequence[int], design: Design) -> Iterator[str]:
    """Say where a table has another number of pairs than a declared look."""
    if looks and design.seeds not in looks:
        declared = ", ".join(map(str, looks))
        yield (
            f"there are {design.seeds} pairs, which is none of the looks declared ({declared}): "
            "what no declared look decides is read by a rule that holds at any number, at a "
            "quarter of alpha"
        )


def _over_blocks(
    scores: Scores,
    whole: Sequence[Comparison],
    columns: Columns,
    block: str | None,
    alpha: float,
    lower: bool,
) -> Settings | None:
    """Rank the arms over the blocks, or over the pairs where these are the blocks."""
    if not block:
        return None
    values: Mapping[str, Mapping[str, Mapping[Hashable, float]]] = scores.values
    if columns.block is None:
        values = {
            arm: {label(key): {0: v} for part in blocks.values() for key, v in part.items()}
            for arm, blocks in scores.values.items()
        }
    named = [(comparison.treatment, comparison.baseline, comparison.margin) for comparison in whole]
    return across(values, named, columns.metric, alpha, lower)


def _names(names: str | Sequence[str], what: str) -> tuple[str, ...]:
    several = isinstance(names, Sequence) and not isinstance(names, str)
    columns = tuple(map(str, names)) if several else (str(names),)
    if not columns:
        raise SelectionError(f"no column is named for the {what}")
    return columns


def _read_by(planned: Design, compared: Sequence[Comparison]) -> Design:
    """Give the design of a family: without declared looks it is read once, at all its pairs."""
    most = max(len(comparison.schedule) for comparison in compared)
    return replace(planned, looks=planned.looks or (most,), seeds=most)


def _judged(
    compared: Sequence[Comparison], errors: Errors, design: Design, names: Sequence[str] = ()
) -> tuple[Verdict, ...]:
    if not errors.plain:
        return table_errors.judged([[comparison] for comparison in compared], errors, design)
    return undeclared.with_interval(conclude(compared, battery(names), design), design)


def _sizes(margin: Any, worst: Any) -> dict[str, Any]:
    """Read what is declared in the metric's unit, by the names of a comparison's fields.

    Raises SelectionError for what is no number, and numbers out of range.
    """
    several = isinstance(margin, (Sequence, np.ndarray)) and not isinstance(margin, str)
    try:
        low, high = map(float, margin) if several else (-float(margin or 0), float(margin or 0))
        most = float(worst or 0)
    except (TypeError, ValueError):
        figures = f"margin {margin!r}, worst {worst!r}"
        raise SelectionError(f"numbers are needed: {figures}") from None
    if several and not -math.inf < low < 0 < high < math.inf:
        raise SelectionError(f"margins of {low:g} and {high:g}; one lies below 0 and one above")
    if not 0 <= high < math.inf:
        raise SelectionError(f"a margin of {margin}; it is a positive number in the metric's unit")
    if not 0 <= most < math.inf:
        raise SelectionError(f"a worst difference of {worst}; it is a positive number")
    lower = 0.0 if high == -low else -low
    return {"margin": high or math.nan, "lower_margin": lower, "worst": most}


def _numbers(
    alpha: Any, resolution: Any, looks: Any
) -> tuple[float, float | None, tuple[int, ...]]:
    """Take numbers as they come, from NumPy and from text. Raises SelectionError for others."""
    try:
        whole = tuple(int(look) for look in looks)
        if any(int(look) != float(look) for look in looks):
            raise ValueError
        return (
            float(alpha),
            None if resolution is None else float(resolution),
            whole,
        )
    except (TypeError, ValueError):
        figures = f"alpha {alpha!r}, resolution {resolution!r}, looks {looks!r}"
        raise SelectionError(f"numbers are needed: {figures}") from None


def _check(
    alpha: float,
    correction: str,
    looks: Sequence[int],
    resolution: float | None,
) -> None:
    if not 1e-6 <= alpha <= 0.5:
        raise SelectionError(f"an alpha of {alpha}; it lies in [0.000001, 0.5]")
    if correction not in CORRECTIONS:
        raise SelectionError(f"correction {correction!r}; there are {', '.join(CORRECTIONS)}")
    if list(looks) != sorted({*looks}) or any(look < ENOUGH_PAIRS for look in looks):
        raise SelectionError(f"looks {list(looks)}; they rise from at least {ENOUGH_PAIRS}")
    if resolution is not None and not SMALLEST < resolution < LARGEST:
        raise SelectionError(f"a resolution of {resolution}; it is a positive number")


def _check_claim(claim: str, baseline: str | None, arms: Sequence[str]) -> None:
    if claim not in ("", *SIDES):
        raise SelectionError(unknown("claim", claim, SIDES))
    if claim and baseline is None and len(arms) > 2:
        raise SelectionError(
            f"claim {claim!r} of every pair of {len(arms)} arms: name the baseline that the others "
            "are claimed against"
        )
