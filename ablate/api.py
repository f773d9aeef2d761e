"""For other people's code: `from ablate.api import compare` judges any table of paired scores.

Nothing here needs torch.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ablate import disjoint, frame, table_pairs, table_units, table_warnings, traps
from ablate.compared import Compared as Compared
from ablate.errors import SelectionError, unknown
from ablate.family import battery, conclude
from ablate.frame import Scores
from ablate.pair import sided
from ablate.settings import Settings, across
from ablate.table_cells import LARGEST, SMALLEST
from ablate.table_header import Columns
from ablate.table_names import plain
from ablate.table_rows import label
from ablate.table_shape import shaped
from ablate.types import ENOUGH_PAIRS, SIDES, Comparison, Design, Verdict
from ablate.verdict import CORRECTIONS

if TYPE_CHECKING:
    import pandas as pd

INSIDE = ("minimal-effect", "equivalence", "paired-t", "sign-flip", "sign-e")
"""The tests of a comparison inside one block; of many blocks the others would take too long."""


def compare(
    table: pd.DataFrame,
    *,
    margin: float | None,
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
) -> Compared:
    """Judge every pair of arms in a table, or every arm against `baseline`.

    Differences are treatment - baseline in the metric's own unit, joined on `pair` (and `block`);
    of two arms the one that the table names first is the baseline.

    margin: the smallest difference that would matter, in the metric's unit, chosen before the data;
        None or 0 declares none, and then nothing can be decided.
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

    Blocks that share keys are judged by the keys' means over all blocks; blocks that share none
    each bring an error of their own (Welch-Satterthwaite). Where each block has one score of an
    arm, the blocks are the pairs.

    Raises SelectionError for an unknown column or arm and settings out of range, DataError for rows
    that cannot be used.
    """
    margin, alpha, resolution, looks = _numbers(margin, alpha, resolution, looks)
    _check(margin, alpha, correction, looks, resolution)
    asked = Columns(_names(pair, "pair key"), _names(arm, "arms"), metric, block)
    found = shaped(table, asked)
    scores = frame.scores(found.table, found.columns, resolution, last)
    contrasts = table_pairs.pairs(scores, None if baseline is None else plain(baseline))
    _check_claim(claim, baseline, scores.arms)
    first = tuple(table_units.said_first(scores, metric, margin, lower))
    declared = margin or math.nan
    whole = [
        sided(table_pairs.compare_over(scores, one, metric, declared), claim, lower)
        for one in contrasts
    ]
    design = _design(alpha, correction, looks, whole)
    apart = {
        name: [
            sided(table_pairs.compare_in(scores, one, name, metric, declared), claim, lower)
            for one in contrasts
        ]
        for name in (scores.blocks if found.columns.block else ())
    }
    inside = {
        name: _judged(some, _design(alpha, correction, looks, some), INSIDE)
        for name, some in apart.items()
    }
    if len(inside) > 1 and not table_pairs.shares_keys(scores):
        if len(looks) > 1:
            raise SelectionError("several looks at blocks that share no key; they are read once")
        verdicts = disjoint.judge(list(zip(*apart.values(), strict=True)), design)
    else:
        verdicts = _judged(whole, design)
    return Compared(
        verdicts=verdicts,
        blocks=inside,
        warnings=(
            *traps.of(verdicts, design),
            *table_warnings.warnings(found.table, found.columns, scores),
        ),
        design=design,
        keys=scores.keys,
        settings=_over_blocks(scores, whole, found.columns, block, alpha, lower),
        notes=(*first[:1], *found.notes, *scores.notes, *first[1:], *_of_looks(looks, design)),
        lower=lower,
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
    named = [(one.treatment, one.baseline, one.margin) for one in whole]
    return across(values, named, columns.metric, alpha, lower)


def _names(names: str | Sequence[str], what: str) -> tuple[str, ...]:
    several = isinstance(names, Sequence) and not isinstance(names, str)
    told = tuple(map(str, names)) if several else (str(names),)
    if not told:
        raise SelectionError(f"no column is named for the {what}")
    return told


def _design(
    alpha: float, correction: str, looks: Sequence[int], compared: Sequence[Comparison]
) -> Design:
    most = max(len(one.schedule) for one in compared)
    return Design(alpha, correction, tuple(looks) or (most,), most)


def _judged(
    compared: Sequence[Comparison], design: Design, names: Sequence[str] = ()
) -> tuple[Verdict, ...]:
    return tuple(conclude(compared, battery(names), design))


def _numbers(
    margin: Any, alpha: Any, resolution: Any, looks: Any
) -> tuple[float | None, float, float | None, tuple[int, ...]]:
    """Take numbers as they come, from NumPy and from text. Raises SelectionError for others."""
    try:
        whole = tuple(int(look) for look in looks)
        if any(int(look) != float(look) for look in looks):
            raise ValueError
        return (
            None if margin is None else float(margin),
            float(alpha),
            None if resolution is None else float(resolution),
            whole,
        )
    except (TypeError, ValueError):
        said = f"margin {margin!r}, alpha {alpha!r}, resolution {resolution!r}, looks {looks!r}"
        raise SelectionError(f"numbers are needed: {said}") from None


def _check(
    margin: float | None,
    alpha: float,
    correction: str,
    looks: Sequence[int],
    resolution: float | None,
) -> None:
    if margin is not None and not 0 <= margin < math.inf:
        raise SelectionError(f"a margin of {margin}; it is a positive number in the metric's unit")
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
