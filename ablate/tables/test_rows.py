"""What a test set of so many rows, the same for every pair, leaves a table's differences open."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.errors import SelectionError
from ablate.tables.names import tokens
from ablate.types import Comparison

if TYPE_CHECKING:
    import pandas as pd

NAMES = (
    {"test", "rows"},
    {"n", "test"},
    {"num", "test"},
    {"test", "size"},
    {"test", "examples"},
    {"test", "samples"},
    {"num", "examples"},
    {"n", "examples"},
)
"""Words of a column that says how many rows were scored."""


def scored(table: pd.DataFrame, rows: Any = None) -> int:
    """Give how many test rows each score is of: as said, else as a column says; 0 for unknown.

    Of a column with several numbers the smallest counts. Raises SelectionError for what is no
    number of rows.
    """
    if rows is not None:
        if isinstance(rows, bool) or not float(rows).is_integer() or not 0 < float(rows) < 1e12:
            raise SelectionError(f"{rows!r} test rows; it is a whole number, 1 or more")
        return int(rows)
    for name in table.columns:
        if {*tokens(str(name))} in NAMES:
            try:
                numbers = [float(value) for value in table[name]]
            except (TypeError, ValueError):
                continue
            if numbers and all(number.is_integer() and number > 0 for number in numbers):
                return int(min(numbers))
    return 0


def error(first: float, second: float, rows: int) -> float:
    """Give the largest standard error of a difference of two shares of the same rows.

    sqrt((D - (p - q)^2) / N), D = min(p + q, 2 - p - q) the most rows that one of them alone may
    have right: McNemar's variance where nothing is known of which rows they are.

    >>> round(error(0.9, 0.9, 1000), 4)
    0.0141
    """
    discordant = min(first + second, 2 - first - second)
    return math.sqrt(max(0.0, discordant - (first - second) ** 2) / rows)


def notes(compared: Sequence[Comparison], rows: int) -> Iterator[str]:
    """Say how far another test set would move a difference; nothing where rows are unknown."""
    errors = []
    for comparison in compared:
        scale = comparison.range
        if (
            rows
            and comparison.deltas
            and math.isfinite(scale)
            and min(comparison.baseline_values) >= 0
        ):
            means = (
                float(np.mean(v)) for v in (comparison.treatment_values, comparison.baseline_values)
            )
            first, second = (mean / scale for mean in means)
            errors.append(scale * error(first, second, rows))
    if errors:
        yield (
            f"every score is of {rows:,} test rows, taken to be the same ones: on others a "
            f"difference would come out up to {max(errors):.3g} apart (one standard error at "
            "most), and more pairs do not take that away"
        )
