"""Which cluster each pair is in, and by how many folds it was trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ablate.errors import DataError, SelectionError, unknown
from ablate.tables.cells import is_missing
from ablate.tables.columns.header import Columns
from ablate.tables.columns.keys import Key, joined, key_of, label
from ablate.tables.names import plain, tokens, words

if TYPE_CHECKING:
    import pandas as pd

FOLDS = words("fold folds kfold")
"""Names of key columns that number the folds of a cross-validation."""


def clusters(table: pd.DataFrame, columns: Columns, name: str) -> Mapping[Key, str]:
    """Give the cluster of each pair key.

    Raises SelectionError for a column that is not there or a key itself, DataError for a key that
    has none or several.
    """
    if name not in table.columns:
        raise SelectionError(unknown("column", name, map(str, table.columns)))
    if name in columns.names:
        raise SelectionError(f"column {name!r} is asked to be two things at once")
    parts = zip(*(map(key_of, table[column]) for column in columns.pair), strict=True)
    groups: dict[Key, str] = {}
    for row, (key, cell) in enumerate(zip(map(joined, parts), table[name], strict=True), 1):
        if is_missing(cell):
            raise DataError(f"row {row} has no {name!r}")
        group = plain(cell)
        if groups.setdefault(key, group) != group:
            raise DataError(
                f"row {row}: {columns.key} {label(key)} is in {name} {group!r} and in "
                f"{groups[key]!r}: a pair is in one cluster"
            )
    return groups


def folds(table: pd.DataFrame, columns: Columns) -> int:
    """Count the folds that the pair keys number; 0 where they number none."""
    for name in columns.pair:
        if {*tokens(name)} & FOLDS:
            count = len({key_of(cell) for cell in table[name]})
            return count if count > 1 else 0
    return 0
