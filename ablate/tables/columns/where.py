"""Which rows of a table count, by what stands in a column: a step, a split, a data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ablate.errors import SelectionError, unknown
from ablate.tables.columns.header import Columns
from ablate.tables.names import alike, bare, listed, plain

if TYPE_CHECKING:
    import pandas as pd

Condition = tuple[str, str]
"""A column and the value that counts."""


def conditions(where: Sequence[str]) -> tuple[Condition, ...]:
    """Read conditions as they are written, `step=500`. Raises SelectionError for others.

    >>> conditions(["step = 500", "split=test"])
    (('step', '500'), ('split', 'test'))
    """
    parts = [text.partition("=") for text in where]
    for text, (name, sign, value) in zip(where, parts, strict=True):
        if not (name.strip() and sign and value.strip()):
            raise SelectionError(f"{text!r}: a column and its value are needed, as in step=500")
    return tuple((name.strip(), value.strip()) for name, _, value in parts)


def filtered(
    table: pd.DataFrame, where: Sequence[Condition], columns: Columns
) -> tuple[pd.DataFrame, list[str]]:
    """Keep the rows for which all conditions hold, and say how many these are.

    Numbers are compared as numbers, names whatever their capitals. Raises SelectionError for a
    column that is not there or that scores are read from, and for a value that no row has.
    """
    notes = []
    for asked, value in where:
        name = _column(table, asked)
        if alike(bare(name)) == alike(columns.metric):
            raise SelectionError(
                f"rows are not to be chosen by {columns.metric!r}, the scores themselves"
            )
        cells = [plain(cell) for cell in table[name]]
        chosen = [alike(cell) == alike(plain(value)) for cell in cells]
        if not any(chosen):
            present = list(dict.fromkeys(cells))
            raise SelectionError(f"no row has {asked} = {value}; there are {listed(present)}")
        attrs, whole = table.attrs, len(table)
        table = table[chosen]
        table.attrs = attrs
        notes.append(f"of {whole} rows those {len(table)} count whose {asked} is {plain(value)}")
    return table, notes


def _column(table: pd.DataFrame, asked: str) -> str:
    names = [str(name) for name in table.columns]
    for same in (str, lambda name: plain(name).casefold(), bare):
        if len(fitting := [name for name in names if same(name) == same(asked)]) == 1:
            return fitting[0]
    raise SelectionError(unknown("column", asked, names))
