"""Runs exported from Weights & Biases: the table or a chart as CSV, runs and histories as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ablate.registry import component
from ablate.types import TrackedRun

from ._files import csv_rows, fault, flat, json_lines, json_value, number, start, text
from ._rows import Curves, curves, from_names
from .table import Table

SUMMARIES = ("summary", "summary_metrics", "summaryMetrics", "_summary")
CHART = re.compile(r"(?P<run>.+) - (?P<metric>.+?)(?P<bound>__MIN|__MAX)?")
"""A chart's column: the run, the metric, and of smoothed ones also the bounds."""


@component("reader", "wandb-export", paper="Weights & Biases documentation: Export data, Run API")
@dataclass(frozen=True)
class WandbExport:
    """The runs' table as CSV (`Name`, `State`, ...), a chart as CSV, or JSON of the public API.

    JSON: a list, or lines, of objects with `config`, `summary` and, if there is one, `history`. A
    chart says nothing of settings: they are read off the runs' names (`adam-seed3`).
    """

    def recognises(self, path: Path) -> bool:
        """Say whether a file is such an export."""
        head = start(path, 1 << 16)
        if path.suffix == ".csv":
            cells = [cell.strip(' "\r') for cell in _first_line(head).split(",")]
            return _is_table(cells) or _is_chart(cells)
        keys = [b'"config"', *(f'"{name}"'.encode() for name in SUMMARIES)]
        is_json = path.suffix in (".json", ".jsonl") and head.lstrip()[:1] in (b"[", b"{")
        return is_json and keys[0] in head and any(key in head for key in keys[1:])

    def read(self, path: Path) -> Sequence[TrackedRun]:
        """Read every run. Raises DataError."""
        raw = text(path)
        if path.suffix in (".json", ".jsonl"):
            runs = [_run(path, at, entry) for at, entry in _objects(path, raw)]
        elif _is_chart([cell.strip(' "\r') for cell in raw.partition("\n")[0].split(",")]):
            runs = [*_chart(path, raw)]
        else:
            runs = [*_table(path, raw)]
        return runs or fault(path, "", "no run is in it")


def _first_line(head: bytes) -> str:
    return head.partition(b"\n")[0].decode("utf-8", "replace").removeprefix("\ufeff")


def _is_table(cells: Sequence[str]) -> bool:
    return {"Name", "State"} <= {*cells} and bool({"Runtime", "Created", "Sweep"} & {*cells})


def _is_chart(cells: Sequence[str]) -> bool:
    named = [cell for cell in cells[1:] if CHART.fullmatch(cell)]
    return len(cells) > 1 and len(named) == len(cells) - 1 and " - " not in cells[0]


def _table(path: Path, raw: str) -> Iterator[TrackedRun]:
    """Read the runs' table: names need not be unique, a line is a run."""
    lines = [(line, row) for line, row in csv_rows(path, raw)]
    for (line, row), run in zip(lines, Table().read(path), strict=False):
        name = row.get("ID") or f"{row.get('Name', '')} (line {line})"
        params = {key: value for key, value in run.params.items() if key not in ABOUT}
        yield replace(
            run,
            run=name,
            params=params,
            curves={key: curve for key, curve in run.curves.items() if key not in ABOUT},
            seconds=_runtime(row),
        )


ABOUT = (
    "ID",
    "Name",
    "Notes",
    "User",
    "Tags",
    "Created",
    "Runtime",
    "Sweep",
    "Updated",
    "Hostname",
)
"""Columns of the table that say nothing of what was run."""


def _runtime(row: Mapping[str, str]) -> float:
    value = number(row.get("Runtime", ""))
    return float("nan") if value is None else value


def _chart(path: Path, raw: str) -> Iterator[TrackedRun]:
    logged: dict[str, Curves] = {}
    for line, row in csv_rows(path, raw):
        (step_name, step), *cells = row.items()
        at = number(step)
        if at is None:
            fault(path, f"line {line}", f"{step!r} for {step_name} is no number")
        for column, cell in cells:
            match = CHART.fullmatch(column)
            if match is None or match["bound"]:
                continue
            curve = logged.setdefault(match["run"], {}).setdefault(match["metric"], [])
            if cell:
                value = number(cell)
                if value is None:
                    fault(path, f"line {line}", f"{cell!r} for {column} is no number")
                curve.append((at, value))
    for run, by_metric in logged.items():
        yield TrackedRun(run, from_names(run), {n: c for n, c in by_metric.items() if c})


def _objects(path: Path, raw: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the objects of runs, of one value or one a line, with where each stands."""
    if not raw.strip():
        fault(path, "", "it is empty")
    lines = [line for line in raw.splitlines() if line.strip()]
    if path.suffix == ".jsonl" or (len(lines) > 1 and re.fullmatch(r"\{.*\}\s*", lines[0])):
        yield from ((f"line {line}", entry) for line, entry in json_lines(path, raw))
        return
    value = json_value(path, raw)
    if isinstance(value, dict) and isinstance(value.get("runs"), list):
        value = value["runs"]
    for count, entry in enumerate(value if isinstance(value, list) else [value], 1):
        if not isinstance(entry, dict):
            fault(path, f"run {count}", f"no object but {type(entry).__name__}")
        yield f"run {count}", entry


def _run(path: Path, at: str, entry: Mapping[str, Any]) -> TrackedRun:
    config = _mapping(path, at, "config", entry)
    summary = next((_mapping(path, at, name, entry) for name in SUMMARIES if name in entry), {})
    history = entry.get("history") or []
    if not isinstance(history, list) or not all(isinstance(row, dict) for row in history):
        fault(path, f"{at}, key history", "no list of objects")
    logged = curves(path, enumerate(history, 1))
    for name, value in flat(path, summary).items():
        last = number(summary.get("_step")) or 0.0
        if name not in logged and not name.startswith("_") and number(value) is not None:
            logged[name] = [(last, float(value))]
    state = str(entry.get("state") or "finished")
    plain = {key: _bare(value) for key, value in config.items() if not key.startswith("_")}
    spent = number(summary.get("_runtime"))
    return TrackedRun(
        run=str(entry.get("id") or entry.get("name") or at),
        params=flat(path, plain),
        curves=logged,
        lost="" if state == "finished" else state,
        seconds=float("nan") if spent is None else spent,
    )


def _bare(value: Any) -> Any:
    """Give a setting without the description that the raw form has beside it."""
    return (
        value["value"]
        if isinstance(value, dict) and {"value"} <= {*value} <= {"value", "desc"}
        else value
    )


def _mapping(path: Path, at: str, name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Give a part of a run that is an object, or JSON text of one, as the API has it."""
    value = entry.get(name) or {}
    if isinstance(value, str):
        value = json_value(path, value)
    if not isinstance(value, dict):
        fault(path, f"{at}, key {name}", f"no object but {type(value).__name__}")
    return value
