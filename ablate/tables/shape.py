"""A table as people keep it -> the columns that were asked for: long, or wide, under one header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ablate.errors import DataError, SelectionError, unknown
from ablate.tables.cells import is_missing
from ablate.tables.columns import wide
from ablate.tables.columns.header import Columns, melted
from ablate.tables.columns.numbered import SEED as SEED, numbered
from ablate.tables.files import NOTES
from ablate.tables.names import alike, bare, is_summary, listed, plain

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("metric", "metric_name", "measure", "variable", "name", "key")
VALUES = ("value", "values", "score", "result")
"""Names of the two columns of a table with one row a metric."""


@dataclass(frozen=True)
class Shaped:
    """A table with the columns that are asked for, by name, and what was done to get there."""

    table: pd.DataFrame
    columns: Columns
    notes: tuple[str, ...] = ()


def shaped(table: pd.DataFrame, columns: Columns) -> Shaped:
    """Bring a table to one header and into the shape that its columns are asked in.

    Raises SelectionError for a column that is not there, or asked to be two things, DataError for a
    table without rows.
    """
    names = columns.names
    if twice := [name for name in names if names.count(name) > 1]:
        raise SelectionError(f"column {twice[0]!r} is asked to be two things at once")
    shape = Shaped(table, columns, tuple(table.attrs.get(NOTES, ())))
    for step in (
        _indexed,
        _under_one_header,
        _named,
        _without_fillers,
        _upright,
        _of_one_metric,
        _spread_out,
        _without_seeds,
    ):
        shape = step(shape)
    for name in shape.columns.names:
        if name not in shape.table.columns:
            raise SelectionError(_absent(shape, name))
    if not shape.table.columns.is_unique:
        twins = shape.table.columns[shape.table.columns.duplicated()]
        raise SelectionError(
            f"two columns of one name, {listed(list(dict.fromkeys(twins)))}: rename one, or "
            "take it out"
        )
    if len(shape.table) == 0:
        raise DataError("the table has no rows")
    return shape


def _indexed(shape: Shaped) -> Shaped:
    """Take a frame's named index for columns, where these are asked for."""
    names = [str(name) for name in shape.table.index.names if name is not None]
    if shape.table.columns.nlevels > 1 or not {*names} & {*shape.columns.names}:
        return (
            shape
            if shape.table.columns.nlevels == 1 or not names
            else replace(shape, table=shape.table.reset_index())
        )
    taken = [name for name in names if name in shape.table.columns]
    return replace(shape, table=shape.table.drop(columns=taken).reset_index())


def _under_one_header(shape: Shaped) -> Shaped:
    if shape.table.columns.nlevels == 1:
        return shape
    table, columns = melted(shape.table, shape.columns)
    return Shaped(
        table, columns, (*shape.notes, "the header has several rows: read as one row a score")
    )


def _named(shape: Shaped) -> Shaped:
    """Find the asked columns whatever white space, capitals and units `(%)` their names have."""
    table, present = shape.table, [str(name) for name in shape.table.columns]
    by_name: dict[str, list[str]] = {}
    by_bare: dict[str, list[str]] = {}
    for name in present:
        by_name.setdefault(plain(name).casefold(), []).append(name)
        by_bare.setdefault(bare(name), []).append(name)
    renamed: dict[Any, str] = {}
    for name in shape.columns.names:
        if name in present:
            continue
        if not isinstance(name, str):
            raise SelectionError(unknown("column", str(name), map(str, present)))
        match = by_name.get(plain(name).casefold()) or by_bare.get(plain(name).casefold(), [])
        if len(match) > 1:
            raise SelectionError(f"{name!r} may be any of {listed(match)}: name one of them")
        if match:
            renamed[match[0]] = name
    columns = [renamed.get(name, name) for name in present]
    shown = table.set_axis(columns, axis=1)
    shown.attrs = table.attrs
    return replace(shape, table=shown)


def _without_fillers(shape: Shaped) -> Shaped:
    """Leave out rows and unnamed columns that hold nothing, and an index that pandas wrote."""
    table, wanted = shape.table, shape.columns.names
    if not table.columns.is_unique:
        return shape
    used = [name for name in wanted if name in table.columns] or list(table.columns)
    blank = [*map(is_missing, table[used[0]])] if used else []
    if any(blank):
        rows = zip(*(table[name] for name in used), strict=True)
        blank = [all(map(is_missing, cells)) for cells in rows]
    if any(blank):
        attrs = table.attrs
        table = table[[not empty for empty in blank]]
        table.attrs = attrs
    index = [
        name for name in table.columns if str(name).startswith("Unnamed: ") and name not in wanted
    ]
    missing = [name for name in shape.columns.pair if name not in table.columns]
    if index and len(missing) == 1 and index[0] == table.columns[0]:
        note = f"the first column has no name: taken for {missing[0]!r}"
        return Shaped(
            table.rename(columns={index[0]: missing[0]}), shape.columns, (*shape.notes, note)
        )
    return replace(shape, table=table)


def _upright(shape: Shaped) -> Shaped:
    """Melt a table with an arm a row, and a seed or a data set a column."""
    table, columns = shape.table, shape.columns
    present = list(table.columns)
    if columns.wide or columns.metric in present or len(columns.pair) > 1:
        return shape
    key = columns.pair[0]
    if columns.block and columns.block not in present:
        key = columns.block
    arm = columns.arm[0]
    if arm not in present and key in present and not _numbered(table[key]):
        table = table.rename(columns={key: arm})  # the corner of the table names its columns
    elif arm not in present and present and str(present[0]).startswith("Unnamed: "):
        table = table.rename(columns={present[0]: arm})
    present = list(table.columns)
    if arm not in present or key in present:
        return shape
    ids = [name for name in (arm, columns.block, *columns.pair) if name in present]
    others = [name for name in present if name not in ids]
    runs = numbered(others, key, columns.metric)
    if sum(not is_summary(name) for name in runs) < 2:
        return shape
    if not all(_of_scores(table[name]) for name in runs):
        return shape
    long = table.melt(id_vars=ids, value_vars=runs, var_name=key, value_name=columns.metric)
    long.attrs = table.attrs
    notes = [f"each column is taken for a {key}"]
    if rest := [name for name in others if name not in runs]:
        notes = [f"{len(runs)} columns are taken for a {key} each; left out: {listed(rest)}"]
    return Shaped(long, columns, (*shape.notes, *notes))


def _of_scores(values: Any) -> bool:
    """Say whether a column holds numbers, in most of its rows."""
    digits = [bool(re.search(r"\d", str(value))) for value in values]
    letters = [bool(re.search(r"[A-Za-z]{3}", str(value))) for value in values]
    return 2 * sum(digits) >= len(digits) and 2 * sum(letters) <= len(letters)


def _numbered(values: Any) -> bool:
    return all(bool(re.search(r"\d", str(value))) for value in values)


def _of_one_metric(shape: Shaped) -> Shaped:
    """Take the rows of one metric where a column names the metrics and another holds the values."""
    table, columns = shape.table, shape.columns
    if columns.wide or columns.metric in table.columns or not table.columns.is_unique:
        return shape
    rest = [name for name in table.columns if name not in columns.names]
    names = [name for name in rest if str(name).casefold() in METRICS]
    values = [name for name in rest if str(name).casefold() in VALUES]
    if len(names) != 1 or len(values) != 1:
        return shape
    chosen = [alike(plain(cell)) == alike(columns.metric) for cell in table[names[0]]]
    if not any(chosen):
        return shape
    rows = table[chosen].rename(columns={values[0]: columns.metric})
    note = f"of all rows those count whose {names[0]!r} is {columns.metric!r}, with {values[0]!r}"
    return Shaped(rows, columns, (*shape.notes, note))


def _spread_out(shape: Shaped) -> Shaped:
    """Take columns for arms where the table is wide and nobody named them."""
    names = wide.arms(shape.table, shape.columns)
    if not names:
        return shape
    note = wide.note(names, shape.columns)
    return Shaped(shape.table, replace(shape.columns, arm=names), (*shape.notes, note))


def _without_seeds(shape: Shaped) -> Shaped:
    """Pair the data sets themselves where each has one score of an arm: no key, or one value."""
    table, columns = shape.table, shape.columns
    block = columns.block
    if not block or block not in table.columns or not table.columns.is_unique:
        return shape
    present = [name for name in columns.pair if name in table.columns]
    keys = {tuple(map(str, row)) for row in zip(*(table[n] for n in present), strict=True)}
    if len(keys) > 1 or (present and len(present) < len(columns.pair)):
        return shape
    if len({plain(value) for value in table[block]}) < 2:
        return shape
    why = f"has no column {columns.key!r}" if not present else f"has one {columns.key} alone"
    note = (
        f"the table {why}: each {block} is a pair, and verdicts are about a {block} like "
        "these, not about training runs"
    )
    return Shaped(table, replace(columns, pair=(block,), block=None), (*shape.notes, note))


def _absent(shape: Shaped, name: str) -> str:
    """Say that a column is not there, and what to do about it."""
    table, columns = shape.table, shape.columns
    message = unknown("column", name, map(str, table.columns))
    rest = [str(name) for name in table.columns if name not in columns.names]
    more = ""
    if name in columns.pair:
        more = _for_pair(shape, rest)
    elif name in columns.arm and rest:
        others = " ".join(f"--arm {name}" for name in rest[:3])
        more = f"Name it with --arm; where each arm has a column of its own, name all: {others}."
    elif rest:
        more = f"Name it with --metric, as in --metric {rest[0]}."
    return f"{message} {more}".strip()


def _for_pair(shape: Shaped, rest: Sequence[str]) -> str:
    """Suggest the columns that, with the arm, stand in one row each."""
    table, columns = shape.table, shape.columns
    general = "Name what makes two rows a pair with --pair: a seed, a fold, a data set, an item."
    if sums := [name for name in rest if is_summary(name)]:
        return (
            f"The columns {listed(sums, 3)} sum runs up: verdicts need the score of every run, one "
            "a row."
        )
    arms = [] if columns.wide else [name for name in columns.arm if name in table.columns]
    if not table.columns.is_unique or not arms:
        return general
    text = table.astype(str)
    fits = [
        name
        for name in rest
        if name in table.columns
        and not text.duplicated([*arms, name]).any()
        and text[name].nunique() < len(table)
        and not any("." in value for value in text[name])
    ]
    return f"Name what makes two rows a pair, as in --pair {fits[0]}." if fits else general
