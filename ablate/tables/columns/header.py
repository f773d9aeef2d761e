"""Which columns are asked for; and a header of several rows -> those columns, a row a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ablate.errors import SelectionError
from ablate.tables.names import alike, listed, plain

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Columns:
    """Which columns say what.

    pair: what two scores must share to be a pair; several together are one key. arm: one column
    that names the arm (a long table), or several that each hold an arm's scores (a wide one).
    metric: the score's column; of a wide table, only its name. block: data set or setting, if
    there are several.
    """

    pair: tuple[str, ...]
    arm: tuple[str, ...]
    metric: str
    block: str | None = None

    @property
    def wide(self) -> bool:
        """Say whether each arm has a column of its own."""
        return len(self.arm) > 1

    @property
    def names(self) -> tuple[str, ...]:
        """Name the columns that must be there, as they were asked for."""
        block = (self.block,) if self.block else ()
        return (*self.pair, *self.arm, *block, *(() if self.wide else (self.metric,)))

    @property
    def key(self) -> str:
        """Name the pair key in a sentence."""
        return " and ".join(self.pair)


@dataclass(frozen=True)
class Head:
    """What the rows of a header say.

    keys: by column, the key or block that it holds. metric, arm, block: the rows that name them,
    where there is one.
    """

    names: Sequence[tuple[str, ...]]
    keys: dict[int, str]
    metric: int | None
    arm: int
    block: int | None


def melted(table: pd.DataFrame, columns: Columns) -> tuple[pd.DataFrame, Columns]:
    """Write a table whose header has several rows as one row a score.

    Raises SelectionError where it cannot be told which row of the header names the arms.
    """
    import pandas as pd

    head = _head(table, columns)
    method = "arm" if columns.wide else columns.arm[0]
    block = columns.block or "block"
    parts = []
    for i, names in enumerate(head.names):
        other = head.metric is not None and alike(names[head.metric]) != alike(columns.metric)
        if i in head.keys or other or (columns.wide and names[head.arm] not in columns.arm):
            continue
        cells: dict[str, Any] = {key: list(table.iloc[:, k]) for k, key in head.keys.items()}
        cells |= {method: names[head.arm], columns.metric: list(table.iloc[:, i])}
        cells |= {block: names[head.block]} if head.block is not None else {}
        parts.append(pd.DataFrame(cells))
    if not parts:
        raise SelectionError(f"under the header's rows there are no scores of {columns.metric!r}")
    long = pd.concat(parts, ignore_index=True)
    long.attrs = table.attrs
    return long, replace(columns, arm=(method,))


def _head(table: pd.DataFrame, columns: Columns) -> Head:
    names = [tuple(plain(part) for part in head) for head in table.columns]
    keys = _keys(names, columns)
    levels = [
        [head[level] for i, head in enumerate(names) if i not in keys]
        for level in range(table.columns.nlevels)
    ]
    left = [level for level, parts in enumerate(levels) if any(parts)]
    metric = next(
        (i for i in left if any(alike(part) == alike(columns.metric) for part in levels[i])), None
    )
    left = [level for level in left if level != metric]
    called = [
        {str(table.columns.names[level]), *(names[i][level] for i in keys)}
        for level in range(table.columns.nlevels)
    ]
    if columns.wide:
        arm = next((level for level in left if {*columns.arm} <= {*levels[level]}), None)
    elif len(left) == 1:
        arm = left[0]
    else:
        arm = next((level for level in left if columns.arm[0] in called[level]), None)
    rest = [level for level in left if level != arm]
    if arm is None or len(rest) > 1 or (rest and not columns.block):
        raise SelectionError(
            f"the header has several rows, {listed([' / '.join(h) for h in names], 3)}: which is "
            f"the metric's ({columns.metric!r}) and which the arms' cannot be told; write one row "
            "a score, with a column for each"
        )
    return Head(names=names, keys=keys, metric=metric, arm=arm, block=rest[0] if rest else None)


def _keys(names: Sequence[tuple[str, ...]], columns: Columns) -> dict[int, str]:
    """Give the first columns that hold keys: those called so in any row, else the first.

    The lowest name counts: above it stands in the first column what the other rows are called.
    """
    wanted = {
        plain(name).casefold(): name for name in (*columns.pair, columns.block) if name is not None
    }
    keys = {
        i: next(wanted[part.casefold()] for part in reversed(head) if part.casefold() in wanted)
        for i, head in enumerate(names[: len(wanted)])
        if any(part.casefold() in wanted for part in head)
    }
    return keys or {0: columns.pair[0]}
