"""Runs that MLflow has tracked: its file store, its SQLite file, its exported table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.registry import component
from ablate.types import TrackedRun

from ._files import csv_rows, fault, number, scalar, start, text, walk, yaml_mapping
from ._sqlite import reading, tables

STATES = {"1": "running", "2": "scheduled", "3": "", "4": "failed", "5": "killed", "finished": ""}
"""What the states of a run are called, by their number or name; '' for one that ended well."""


@component("reader", "mlflow", paper="MLflow documentation, Backend Stores: file store, database")
@dataclass(frozen=True)
class MLflow:
    """`mlruns/<experiment>/<run>/{meta.yaml,params,metrics,tags}`, `mlflow.db`, or a CSV file.

    Needs no mlflow. A run that was deleted in MLflow is a lost one. The exported table has columns
    `params.x` and `metrics.y`, and the last value of each metric alone.
    """

    def recognises(self, path: Path) -> bool:
        """Say whether it is a file store, a part of one, a database or a table of MLflow."""
        if path.is_dir():
            return any(next(_folders(path), ()))
        if {"runs", "metrics", "params", "experiments"} <= tables(path):
            return True
        head = start(path).partition(b"\n")[0]
        return path.suffix == ".csv" and (b"metrics." in head or b"params." in head)

    def read(self, path: Path) -> Sequence[TrackedRun]:
        """Read every run. Raises DataError."""
        if path.is_dir():
            runs = [_of_folder(folder, experiment) for folder, experiment in _folders(path)]
        elif tables(path):
            runs = [*_of_database(path)]
        else:
            runs = [*_of_table(path)] if self.recognises(path) else []
        return runs or fault(path, "", "no run of MLflow is in it")


def _folders(path: Path) -> Iterator[tuple[Path, str]]:
    """Give the folders of runs with their experiments' names: of a store, an experiment, a run."""
    if _is_run(path):
        yield path, ""
        return
    for folder in _inside(path):
        if _is_run(folder):
            yield folder, _experiment(path)
        else:
            yield from ((run, _experiment(folder)) for run in _inside(folder) if _is_run(run))


def _inside(path: Path) -> list[Path]:
    try:
        return sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError:
        return []


def _is_run(folder: Path) -> bool:
    return (folder / "meta.yaml").is_file() and any(
        (folder / name).is_dir() for name in ("metrics", "params")
    )


def _experiment(folder: Path) -> str:
    meta = folder / "meta.yaml"
    return str(yaml_mapping(meta).get("name", folder.name)) if meta.is_file() else folder.name


def _of_folder(folder: Path, experiment: str) -> TrackedRun:
    meta = yaml_mapping(folder / "meta.yaml")
    params = {name: scalar(text(file)) for name, file in _named(folder / "params")}
    tags = {
        f"tags.{name}": scalar(text(file))
        for name, file in _named(folder / "tags")
        if not name.startswith("mlflow.")
    }
    return TrackedRun(
        run=str(meta.get("run_id") or folder.name),
        params={**params, **tags, **({"experiment": experiment} if experiment else {})},
        curves={name: _curve(file) for name, file in _named(folder / "metrics")},
        lost=_state(str(meta.get("status", "")), str(meta.get("lifecycle_stage", ""))),
        seconds=_seconds(meta.get("start_time"), meta.get("end_time")),
    )


def _named(folder: Path) -> list[tuple[str, Path]]:
    """Give the files of a folder by their names, in which a slash is a folder of its own."""
    return [(file.relative_to(folder).as_posix(), file) for file in walk(folder, ["*"])]


def _curve(file: Path) -> list[tuple[float, float]]:
    """Read a metric: a time, a value and, but of very old files, a step on each line."""
    curve = []
    for line, words in enumerate(text(file).splitlines(), 1):
        parts = words.split()
        if not parts:
            continue
        numbers = [number(part) for part in parts[1:3]]
        if not numbers or None in numbers or len(parts) > 6:
            fault(file, f"line {line}", f"{words[:60]!r} is no time, value and step")
        value, step = (*numbers, 0.0)[:2]
        curve.append((float(step or 0.0), float(value if value is not None else math.nan)))
    return curve


def _state(status: str, stage: str) -> str:
    if stage == "deleted":
        return "deleted in MLflow"
    return STATES.get(status.casefold(), status.casefold())


def _seconds(began: Any, ended: Any) -> float:
    first, last = number(began), number(ended)
    return (last - first) / 1000 if first and last else math.nan


def _of_database(path: Path) -> Iterator[TrackedRun]:
    """Read a database of MLflow 1.0 or later, whose tables have been the same since."""
    with reading(path) as link:
        params: dict[str, dict[str, Any]] = {}
        for run, key, value in link.execute("SELECT run_uuid, key, value FROM params"):
            params.setdefault(run, {})[key] = scalar(value)
        curves: dict[str, dict[str, list[tuple[float, float]]]] = {}
        query = "SELECT run_uuid, key, value, step, is_nan FROM metrics ORDER BY step, timestamp"
        for run, key, value, step, is_nan in link.execute(query):
            score = math.nan if is_nan else number(value)
            if score is None:
                fault(path, f"table metrics, run {run}, key {key}", f"{value!r} is no number")
            curves.setdefault(run, {}).setdefault(key, []).append((float(step or 0), score))
        query = (
            "SELECT run_uuid, r.name, status, start_time, end_time, r.lifecycle_stage, e.name "
            "FROM runs r LEFT JOIN experiments e ON e.experiment_id = r.experiment_id "
            "ORDER BY start_time, run_uuid"
        )
        for run, _, status, began, ended, stage, experiment in link.execute(query):
            yield TrackedRun(
                run=str(run),
                params={**params.get(run, {}), "experiment": experiment},
                curves=curves.get(run, {}),
                lost=_state(str(status), str(stage)),
                seconds=_seconds(began, ended),
            )


def _of_table(path: Path) -> Iterator[TrackedRun]:
    for line, row in csv_rows(path, text(path)):
        yield TrackedRun(
            run=row.get("run_id") or f"line {line}",
            params=_under(row, "params.")
            | ({"experiment": row["experiment_id"]} if row.get("experiment_id") else {}),
            curves={
                name: [(0.0, _score(path, line, name, cell))]
                for name, cell in _under(row, "metrics.", plain=False).items()
                if cell != ""
            },
            lost=_state(row.get("status", "FINISHED"), ""),
        )


def _under(row: Mapping[str, str], prefix: str, plain: bool = True) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): scalar(cell) if plain else cell
        for name, cell in row.items()
        if name.startswith(prefix)
    }


def _score(path: Path, line: int, name: str, cell: str) -> float:
    value = number(cell)
    return (
        fault(path, f"line {line}", f"{cell!r} for {name} is no number") if value is None else value
    )
