"""A table's rows -> one score a pair key, arm and block: names as meant, summaries left out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ablate.errors import DataError, SelectionError
from ablate.tables.cells import is_missing
from ablate.tables.columns.header import Columns
from ablate.tables.columns.keys import Key, joined, key_of, label as label, order as order, parts_of
from ablate.tables.names import listed, plain, spellings, summaries, tokens, words

if TYPE_CHECKING:
    import pandas as pd

HISTORIES = words(
    "step steps epoch epochs iter iters iteration iterations round rounds time wall_time walltime "
    "global_step checkpoint ckpt update updates batch"
)
"""Names of columns that count while one run goes on."""

STEPS = words("step steps epoch epochs iter iters iteration iterations checkpoint ckpt")
"""Those of them that are never what makes two runs a pair."""


Values = Mapping[str, Mapping[str, Mapping[Key, float]]]
"""Scores by arm, by block, by pair key."""


class Row(NamedTuple):
    """One score as it stands: its row in the table, from 1, what it is of, and its cell."""

    number: int
    key: Key
    arm: str
    block: str
    cell: Any


def rows_of(
    table: pd.DataFrame, columns: Columns, last: str | None = None
) -> tuple[list[Row], list[str]]:
    """Give a table's scores one by one, and what was left out or put right.

    last: a column of which only the largest value of each run counts, as of steps.
    Raises DataError for a row without a key, arm or block, or a score that stands twice,
    SelectionError for a `last` that is no column, and for steps of a run as pairs.
    """
    _refuse_histories(columns)
    if last is not None and last not in table.columns:
        raise SelectionError(f"there is no column {last!r}, of which the last is to be kept")
    rows, notes = list(_long(table, columns)), list[str]()
    rows = _without_summaries(rows, columns, notes)
    rows = _respelled(rows, columns, notes)
    if last is not None:
        rows = _last(rows, table, columns, last, notes)
    _refuse_doubles(rows, table, columns)
    return rows, notes


def _refuse_histories(columns: Columns) -> None:
    """Refuse the steps of a run as pairs: each follows from the one before.

    Raises SelectionError with what to do instead.
    """
    for name in columns.pair:
        if not {*tokens(name)} & STEPS:
            continue
        runs = [key for key in columns.pair if key != name]
        instead = f"--pair {' --pair '.join(runs)} --last {name}" if runs else f"--last {name}"
        raise SelectionError(
            f"the values of {name!r} are a run's history, where each follows from the one before: "
            f"no pairs. Pair whole runs, each by its last row ({instead}), or rename the column if "
            "it is none"
        )


def _long(table: pd.DataFrame, columns: Columns) -> Iterator[Row]:
    """Give the rows of a long table, or each arm's column of a wide one."""
    block = [columns.block] if columns.block else []
    for name in (*columns.pair, *([] if columns.wide else columns.arm), *block):
        _check_names(table, name)
    numbers = list(range(1, len(table) + 1))
    parts = zip(*(map(key_of, table[name]) for name in columns.pair), strict=True)
    keys = list(map(joined, parts))
    blocks = list(map(plain, table[columns.block])) if columns.block else [""] * len(numbers)
    for name in columns.arm if columns.wide else (columns.metric,):
        arms = [plain(name)] * len(numbers) if columns.wide else map(plain, table[columns.arm[0]])
        yield from map(Row._make, zip(numbers, keys, arms, blocks, table[name], strict=True))


def _check_names(table: pd.DataFrame, name: str) -> None:
    values = list(table[name])
    try:
        distinct = {*values}
    except TypeError:
        raise DataError(f"{name!r} holds lists, which name nothing") from None
    if any(map(is_missing, distinct)):
        empty = next(i for i, value in enumerate(values, 1) if is_missing(value))
        raise DataError(
            f"row {empty} has no {name!r}: write it in every row (merged cells leave it out), and "
            "take summary rows out"
        )


def _without_summaries(rows: list[Row], columns: Columns, notes: list[str]) -> list[Row]:
    """Leave out the rows whose key or block sums up the others: means, best ones, totals."""
    for position, name in enumerate(columns.pair):
        rows = _left(rows, [parts_of(row.key)[position] for row in rows], name, notes)
    if columns.block:
        rows = _left(rows, [row.block for row in rows], columns.block, notes)
    return rows


def _left(rows: list[Row], names: Sequence[Any], column: str, notes: list[str]) -> list[Row]:
    """Leave out the rows whose name in a column is a summary's. names: each row's."""
    odd = summaries(names)
    if not odd:
        return rows
    if odd.issuperset(names):
        raise DataError(
            f"every row is called a summary, {column} {listed(sorted(map(str, odd)))}: "
            "verdicts need the score of every run"
        )
    gone = [name for name in names if name in odd]
    notes.append(
        f"{len(gone)} scores are left out whose {column} is {listed(list(dict.fromkeys(gone)))}: "
        "beside the others they look like summaries, no runs (rename them to keep them)"
    )
    return [row for row, name in zip(rows, names, strict=True) if name not in odd]


def _respelled(rows: list[Row], columns: Columns, notes: list[str]) -> list[Row]:
    """Give arms and blocks one spelling each. Raises DataError where both stand in one place."""
    arms, blocks = (
        spellings(dict.fromkeys(names))
        for names in ((row.arm for row in rows), (row.block for row in rows))
    )
    for what, first_of in (("arm", arms), (columns.block, blocks)):
        for name, first in first_of.items():
            if name != first:
                notes.append(f"{name!r} is taken for the {what} {first!r}")
    if all(name == first for first_of in (arms, blocks) for name, first in first_of.items()):
        return rows
    seen: dict[tuple[Key, str, str], Row] = {}
    for row in rows:
        position = row.key, blocks[row.block], arms[row.arm]
        earlier = seen.setdefault(position, row)
        if (earlier.arm, earlier.block) != (row.arm, row.block):
            a, b = (earlier.arm, row.arm) if earlier.arm != row.arm else (earlier.block, row.block)
            raise DataError(
                f"{a!r} and {b!r} differ in their spelling only, and both have a score of "
                f"{columns.key} {label(row.key)}: give them names that a reader can tell apart"
            )
    return [row._replace(arm=arms[row.arm], block=blocks[row.block]) for row in rows]


def _last(
    rows: list[Row], table: pd.DataFrame, columns: Columns, name: str, notes: list[str]
) -> list[Row]:
    """Keep of each run the row with the largest value of a column.

    Raises DataError for a value that is no number, and for two rows that are both the last.
    """
    reached: dict[tuple[Key, str, str], tuple[float, Row]] = {}
    twice: dict[tuple[Key, str, str], bool] = {}
    values = list(table[name])
    for row in rows:
        try:
            at = float(values[row.number - 1])
        except (TypeError, ValueError):
            raise DataError(
                f"row {row.number}: {name} {values[row.number - 1]!r} is no number, so none is last"
            ) from None
        position = row.key, row.block, row.arm
        before = reached.get(position, (-math.inf, row))[0]
        twice[position] = at == before or (twice.get(position, False) and at < before)
        if position not in reached or at > before:
            reached[position] = at, row
    if both := next((position for position, again in twice.items() if again), None):
        at, row = reached[both]
        raise DataError(
            f"{columns.key} {label(row.key)!r} of arm {row.arm!r} has two rows of {name} {at:g}, "
            "its last: take one out"
        )
    ends = Counter(at for at, _ in reached.values())
    usual = ends.most_common(1)[0][0]
    notes.append(f"of each of {len(reached)} runs its last row by {name} counts, most at {usual:g}")
    if len(ends) > 1:
        at, row = next(end for end in reached.values() if end[0] != usual)
        notes.append(
            f"runs do not all end at one {name}: most at {usual:g}, {row.arm}, {columns.key} "
            f"{label(row.key)} at {at:g}; one that broke off counts as it stood"
        )
    return [row for _, row in reached.values()]


def _refuse_doubles(rows: Sequence[Row], table: pd.DataFrame, columns: Columns) -> None:
    """Refuse two scores of one arm and key, and say in what column their rows differ."""
    seen: dict[tuple[Key, str, str], Row] = {}
    for row in rows:
        earlier = seen.setdefault((row.key, row.block, row.arm), row)
        if earlier is row:
            continue
        where = f", {columns.block} {row.block!r}" if columns.block else ""
        raise DataError(
            f"row {row.number}: {columns.key} {label(row.key)!r} of arm {row.arm!r}{where} a "
            f"second time; {_difference(table, earlier.number - 1, row.number - 1, columns)}"
        )


def _difference(table: pd.DataFrame, earlier: int, later: int, columns: Columns) -> str:
    used = {*columns.names, columns.metric}
    differences = [
        str(name)
        for name in table.columns
        if name not in used
        and str(table[name].iloc[earlier]) != str(table[name].iloc[later])
        and not str(name).startswith("Unnamed: ")
    ]
    history = next((name for name in differences if {*tokens(name)} & HISTORIES), "")
    if history:
        return (
            f"the rows differ in {history!r}, as a run's history does: keep the last one with "
            f"--last {history}, one step with --where {history}=N, or judge each with --block "
            f"{history}"
        )
    if not differences:
        return "the rows differ in no other column: take one out"
    name = next((name for name in differences if not _counts(table[name])), differences[0])
    block = "" if columns.block else f"--block {name}, or "
    pairs = " ".join(f"--pair {key}" for key in (*columns.pair, name))
    return f"the rows differ in {name!r}: {block}{pairs}"


def _counts(values: Any) -> bool:
    """Say whether a column has figures or a new value in every row: it names nothing."""
    return len({str(value) for value in values}) == len(values) or any(
        "." in str(value) for value in values
    )


def by_place(rows: Sequence[Row], values: Sequence[float]) -> Values:
    """Sort scores by arm, block and pair key, in the order in which the table names them."""
    sorted_: dict[str, dict[str, dict[Key, float]]] = {}
    for row, value in zip(rows, values, strict=True):
        sorted_.setdefault(row.arm, {}).setdefault(row.block, {})[row.key] = value
    return sorted_
