"""A table that this toolkit did not make -> its scores, by arm, block and pair key."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ablate.errors import DataError
from ablate.tables.cells import SMALLEST, cells
from ablate.tables.columns.answers import numbers
from ablate.tables.columns.header import Columns
from ablate.tables.files import DECIMAL
from ablate.tables.names import is_summary, listed
from ablate.tables.rows import Values, by_place, order, rows_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Scores:
    """A table's scores. values: by arm, by block, by pair key. keys: every pair key, in order.

    pair: what the keys are called. words: what stood in place of a score, by arm, block and key.
    percent: the scores with a percent sign, by the same. notes: what was left out or put right.
    """

    values: Values
    keys: tuple[Hashable, ...]
    blocks: tuple[str, ...]
    resolution: float | None
    pair: str = "seed"
    words: Mapping[tuple[str, str, Hashable], str] = field(default_factory=dict)
    percent: frozenset[tuple[str, str, Hashable]] = frozenset()
    notes: tuple[str, ...] = ()

    @property
    def arms(self) -> tuple[str, ...]:
        """Name the arms, in the order in which the table names them."""
        return tuple(self.values)

    @cached_property
    def places(self) -> Mapping[Hashable, int]:
        """Give each pair key's place in their order."""
        return {key: index for index, key in enumerate(self.keys)}


def scores(
    table: pd.DataFrame,
    columns: Columns,
    resolution: float | None = None,
    last: str | None = None,
) -> Scores:
    """Sort a shaped table's scores by arm, block and pair key.

    resolution: what one test row is worth; without it, the smallest step between two scores of the
    two arms that are compared. last: a column of which the last row of a run counts.
    Raises SelectionError for a column that is not there, DataError for a key that stands twice and
    for a cell that is no score.
    """
    rows, notes = rows_of(table, columns, last)
    if not rows:
        raise DataError("the table has no rows but summaries")
    if answers := numbers(row.cell for row in rows):
        rows = [row._replace(cell=answers.get(str(row.cell), row.cell)) for row in rows]
        ones, zeros = ([t for t, n in answers.items() if n == digit] for digit in "10")
        notes.append(f"{listed(ones)} is read as 1, {listed(zeros)} as 0")
    read = cells(
        [(row.number, row.cell) for row in rows], columns.metric, table.attrs.get(DECIMAL, "")
    )
    values = by_place(rows, [cell.value for cell in read])
    most = max((abs(cell.value) for cell in read if math.isfinite(cell.value)), default=0.0)
    if 0 < most < SMALLEST:
        raise DataError(f"no score is beyond {most:g}: too small to compute with; change the unit")
    places = [(row.arm, row.block, row.key) for row in rows]
    if not columns.wide:
        values, sums = _without_sums(values)
        notes += [f"the arm {name!r} is left out: it sums up the others" for name in sums]
    return Scores(
        values=values,
        keys=tuple(sorted({row.key for row in rows if row.arm in values}, key=order)),
        blocks=tuple(dict.fromkeys(block for arm in values.values() for block in arm)),
        resolution=resolution,
        pair=columns.key,
        words={p: cell.words for p, cell in zip(places, read, strict=True) if cell.words},
        percent=frozenset(p for p, cell in zip(places, read, strict=True) if cell.percent),
        notes=tuple(notes),
    )


def _without_sums(values: Values) -> tuple[Values, list[str]]:
    """Leave out arms that are called a summary and are one: in every row of the other arms."""
    sums = [
        name
        for name in values
        if is_summary(name)
        and _sums_up(values[name], [v for n, v in values.items() if not is_summary(n)])
    ]
    return {name: part for name, part in values.items() if name not in sums}, sums


def _sums_up(
    arm: Mapping[str, Mapping[Hashable, float]],
    others: list[Mapping[str, Mapping[Hashable, float]]],
) -> bool:
    """Say whether an arm's scores are the means, extremes or medians of the others'."""
    if len(others) < 2:
        return False
    rows = [
        (value, [other.get(block, {}).get(key, math.nan) for other in others])
        for block, part in arm.items()
        for key, value in part.items()
    ]
    read = np.array([value for value, _ in rows])
    beside = np.array([some for _, some in rows])
    near = 6e-4 * max(float(np.abs(read).max(initial=0.0)), SMALLEST)
    return any(
        bool((np.abs(read - of(beside, axis=1)) <= near).all())
        for of in (np.mean, np.median, np.max, np.min, np.sum)
    )
