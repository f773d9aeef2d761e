"""A wide table whose arms nobody named -> the columns that are taken for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ablate.tables.cells import MISSING
from ablate.tables.columns.header import Columns
from ablate.tables.names import (
    RATES,
    is_rate,
    is_summary,
    less_is_better,
    listed,
    plain,
    tokens,
    words,
)

if TYPE_CHECKING:
    import pandas as pd

ARM = "method"
"""The column that names the arm where none was named; a table may be wide instead."""

COUNTERS = words(
    "id index idx number no nr step steps epoch epochs iter iteration iterations fold folds repeat "
    "split rows size batch lr gpu rank port pid time date timestamp n"
)
"""Words of columns that count or set something, and score nothing."""

_SCORE = re.compile(r"[-+−]?[\d.,' ]*\d[\d.,' ]*(e[-+]?\d+)?\s*\\?%?", re.IGNORECASE)


def arms(table: pd.DataFrame, columns: Columns) -> tuple[str, ...]:
    """Give the columns that each hold an arm's scores; none where that cannot be told.

    They are guessed where neither the arms' column nor the metric's is there, and the keys are:
    every other column then has to hold scores and nothing else, of one kind, and no two of them may
    be named after two metrics.
    """
    if columns.wide or columns.arm != (ARM,) or not table.columns.is_unique:
        return ()
    keys = (*columns.pair, *((columns.block,) if columns.block else ()))
    if {ARM, columns.metric} & {*table.columns} or not {*keys} <= {*table.columns}:
        return ()
    rest = [str(name) for name in table.columns if name not in keys]
    rest = [name for name in rest if not is_summary(name) and not name.startswith("Unnamed: ")]
    if len(rest) < 2 or any({*tokens(name)} & COUNTERS for name in rest):
        return ()
    if not all(_scored(table[name]) for name in rest) or _of_several_metrics(rest):
        return ()
    return tuple(rest) if len({_whole(table[name]) for name in rest}) == 1 else ()


def note(names: Sequence[str], columns: Columns) -> str:
    """Say what was guessed, and what would say it."""
    asked = " ".join(f"--arm {plain(name)}" for name in names[:3])
    more = " ..." if len(names) > 3 else ""
    return (
        f"there is no column {ARM!r} and none {columns.metric!r}: each of {listed(names)} is taken "
        f"for an arm, its cells for {columns.metric} (a guess; {asked}{more} would say so)"
    )


def _scored(values: Any) -> bool:
    """Say whether a column holds numbers, and words only where a score is missing."""
    texts = [str(value).strip() for value in values if value is not None]
    scores = [bool(_SCORE.fullmatch(text)) for text in texts]
    missing = [text.casefold() in MISSING for text in texts]
    return any(scores) and all(a or b for a, b in zip(scores, missing, strict=True))


def _whole(values: Any) -> bool:
    """Say whether a column holds whole numbers alone, as a key or a count does."""
    return all(re.fullmatch(r"-?\d+(\.0*)?|", str(value).strip()) for value in values)


def _of_several_metrics(names: Sequence[str]) -> bool:
    """Say whether columns are named after metrics, and not all after the same one."""
    measured = [name for name in names if is_rate(name) or less_is_better(name)]
    if not measured:
        return False
    common = set.intersection(*({*tokens(name)} for name in names))
    bare = any({*tokens(name)} <= common | RATES for name in measured)
    return len(measured) < len(names) or not common or bare
