"""Runs in a tidy table: CSV and the like, Parquet, JSON lines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.errors import DataError
from ablate.registry import component
from ablate.tables.cells import cells as read_cells
from ablate.tables.files import DECIMAL, read_table
from ablate.tables.shape import METRICS, VALUES
from ablate.types import TrackedRun

from ._files import fault, scalar

ENDINGS = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".gz")
STEPS = ("step", "_step", "epoch", "iteration", "global_step", "trainer/global_step")
RUNS = ("run", "run_id", "id", "run_name", "name")
STATES = ("state", "status", "run_state")
ENDED = ("finished", "ok", "complete", "completed", "success", "done", "")
"""Words for a run that ended well, in small letters."""


@dataclass(frozen=True)
class Row:
    """A row of a table with its number; cells and, of columns of numbers, scores by column."""

    at: int
    cells: Mapping[str, Any]
    scores: Mapping[str, float]


@component("reader", "table", paper="Wickham 2014, Tidy data, J. Stat. Softw. 59(10)")
@dataclass(frozen=True)
class Table:
    """One row a run, one row a step of a run, or one row a metric of a run (`metric`, `value`).

    Every column is a setting, and where it holds numbers a metric as well. Rows of a run share its
    name (`run`, `run_id`, `id`, `name`), else all that is no measured number. A column `state` or
    `status` that says anything but finished makes a lost run.
    """

    def recognises(self, path: Path) -> bool:
        """Say whether a file is named like a table."""
        return path.is_file() and path.suffix.lower() in ENDINGS

    def read(self, path: Path) -> Sequence[TrackedRun]:
        """Read every run. Raises DataError."""
        table = read_table(path)
        names = [str(name) for name in table.columns]
        if table.columns.nlevels > 1 or len({*names}) < len(names):
            fault(path, "the header", "one row of column names is needed, each once")
        columns = {name: [*map(_plain, table[name])] for name in names}
        if len(table) == 0:
            fault(path, "", "it has no rows")
        scores = {
            name: read
            for name, values in columns.items()
            if (read := _numbers(name, values, str(table.attrs.get(DECIMAL, ""))))
        }
        rows = [
            Row(
                i + 2,
                {name: scalar(values[i]) for name, values in columns.items()},
                {n: read[i] for n, read in scores.items() if columns[n][i] not in (None, "")},
            )
            for i in range(len(table))
        ]
        return runs(path, rows, names)


def _plain(value: Any) -> Any:
    """Give a cell of NumPy or pandas as Python's."""
    value = value.item() if hasattr(value, "item") else value
    return None if type(value).__name__ in ("NAType", "NaTType") else value


def _numbers(name: str, values: Sequence[Any], decimal: str) -> list[float]:
    """Read a column's numbers, nan where a word stands for one; [] for a column of words."""
    try:
        read = [cell.value for cell in read_cells([*enumerate(values, 2)], name, decimal)]
    except DataError:
        return []
    return read if any(map(math.isfinite, read)) else []


def column(names: Sequence[str], known: Sequence[str]) -> str:
    """Give the column that bears the first of some known names; '' for none."""
    by_name = {name.casefold().strip(): name for name in names}
    return next((by_name[name] for name in known if name in by_name), "")


def runs(path: Path, rows: Sequence[Row], names: Sequence[str]) -> list[TrackedRun]:
    """Sort rows into runs. Raises DataError where two rows are one step of a run."""
    metric, value, step = (column(names, known) for known in (METRICS, VALUES, STEPS))
    run = column([name for name in names if name != metric], RUNS)
    long = bool(metric and value and metric != value)
    special = {step, run, *((metric, value) if long else ())} - {""}
    rest = [name for name in names if name not in special]
    measured = [name for name in rest if _is_measured(rows, name)]
    keys = [name for name in rest if name not in measured]
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        if run:
            key = str(row.cells[run])
        elif long or step:
            key = ", ".join(f"{name}={row.cells[name]}" for name in keys)
        else:
            key = f"row {row.at}"
        grouped.setdefault(key, []).append(row)
    state = column(rest, STATES)
    return [
        TrackedRun(
            run=key,
            params={name: cells[0].cells[name] for name in rest if name != state},
            curves=_long(path, cells, metric, value, step)
            if long
            else _wide(path, cells, rest, step),
            lost=_lost(cells[-1].cells.get(state)),
        )
        for key, cells in grouped.items()
    ]


def _lost(state: Any) -> str:
    words = "" if state is None or state is True else str(state)
    return "" if words.casefold() in ENDED else words


def _is_measured(rows: Sequence[Row], name: str) -> bool:
    """Say whether a column holds numbers most of which differ, as scores do and settings do not."""
    scores = [row.scores[name] for row in rows if name in row.scores]
    whole = all(score.is_integer() for score in scores)
    return bool(scores) and not whole and 2 * len({*scores}) > len(scores)


def _wide(
    path: Path, rows: Sequence[Row], metrics: Sequence[str], step: str
) -> dict[str, list[tuple[float, float]]]:
    curves: dict[str, list[tuple[float, float]]] = {}
    for number, row in enumerate(rows):
        at = _step(path, row, step, number)
        for name in metrics:
            if name in row.scores:
                curves.setdefault(name, []).append((at, row.scores[name]))
    return curves


def _long(
    path: Path, rows: Sequence[Row], metric: str, value: str, step: str
) -> dict[str, list[tuple[float, float]]]:
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        name = str(row.cells[metric])
        if value in row.scores:
            curve = curves.setdefault(name, [])
            curve.append((_step(path, row, step, len(curve)), row.scores[value]))
        elif row.cells[value] is not None:
            fault(path, f"row {row.at}", f"{row.cells[value]!r} for {name} is no number")
    return curves


def _step(path: Path, row: Row, step: str, number: int) -> float:
    if not step:
        return float(number)
    at = row.scores.get(step, math.nan)
    if not math.isfinite(at):
        fault(path, f"row {row.at}", f"{row.cells[step]!r} for {step} is no number")
    return at
